//! What the terminal can show.

use std::io::IsTerminal;

use console::{Style, Term};

/// The width of text where there is no terminal.
const WIDTH: usize = 110;

/// The columns of the terminal, at least 40.
pub fn width() -> usize {
    let size = Term::stdout().size_checked();
    size.map_or(WIDTH, |(_, columns)| usize::from(columns).max(40))
}

/// The text with the lines of the best methods, of their ties and of those that cannot win in colour, where
/// standard output is a terminal that has it.
pub fn coloured(text: &str) -> String {
    if !std::io::stdout().is_terminal() {
        return text.to_string();
    }
    let line = |line: &str| {
        // The column of signs is one character wide.
        let has = |sign: &str| line.contains(&format!("  {sign}  "));
        let style = match line {
            _ if has("*") => Style::new().green().bold(),
            _ if has("=") => Style::new().green(),
            _ if has("!") => Style::new().dim(),
            _ if line.starts_with("warning:") => Style::new().yellow(),
            _ => Style::new(),
        };
        style.apply_to(line).to_string()
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}
