//! The summary as plain text for a terminal, and as Markdown.

use super::columns::main_columns;
use super::format::{counted, percent};
use super::summary::Summary;

/// The widest line of the notes under the plain table.
const WIDTH: usize = 110;

/// The aligned table, what it means, and the warnings.
pub fn plain_text(summary: &Summary) -> String {
    let columns = main_columns(summary);
    let heading: Vec<_> = columns.iter().map(|column| column.heading.to_owned()).collect();
    let units: Vec<_> = columns.iter().map(|column| column.unit.to_owned()).collect();
    let body = rows(summary);
    let width = |i: usize| {
        let cells = body.iter().chain([&heading, &units]).map(|row| &row[i]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let rule: Vec<_> = widths.iter().map(|&width| "─".repeat(width)).collect();
    let mut lines: Vec<String> = [&heading, &units, &rule]
        .into_iter()
        .chain(&body)
        .map(|row| aligned(row, &widths))
        .collect();
    lines.push(String::new());
    lines.extend(wrapped(&legend(summary), ""));
    if !summary.warnings.is_empty() {
        lines.push(String::new());
    }
    for warning in &summary.warnings {
        lines.extend(wrapped(&format!("warning: {warning}"), "  "));
    }
    lines.join("\n") + "\n"
}

/// The table, what it means, and the warnings, as Markdown.
pub fn markdown(summary: &Summary) -> String {
    let columns = main_columns(summary);
    let heading: Vec<_> =
        columns.iter().map(|column| format!("{} {}", column.heading, column.unit)).collect();
    let alignment: Vec<_> =
        (0..columns.len()).map(|i| if i == 0 { ":--" } else { "--:" }.to_owned()).collect();
    let mut text = String::new();
    for row in [&heading, &alignment].into_iter().chain(&rows(summary)) {
        let cells: Vec<_> = row.iter().map(|cell| cell.trim().replace('|', "\\|")).collect();
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text += &format!("\n{}\n", legend(summary));
    if !summary.warnings.is_empty() {
        text.push('\n');
    }
    for warning in &summary.warnings {
        text += &format!("- {warning}\n");
    }
    text
}

/// What the figures of the table are: target, seeds, trials and spread.
pub fn legend(summary: &Summary) -> String {
    let comparison = &summary.comparison;
    let seeds: Vec<String> = comparison.seeds.iter().map(u64::to_string).collect();
    let epochs = counted(comparison.epochs, "epoch");
    let runs = format!("{} of {epochs}", counted(seeds.len(), "run"));
    let mut text = format!(
        "Target: {} validation accuracy; the median over the runs that reached it, \
         with their share in brackets where some did not; gradients count in batches of {} \
         records, Hessian products as two. Every method got {} \
         ({} {}); rates fall alike within a run ({}).",
        percent(comparison.target_accuracy),
        comparison.batch_size,
        match comparison.trials {
            0 => format!("{runs} at the rate asked for"),
            trials => {
                format!("{}, then {runs} at its best rate", counted(trials, "tuning trial"))
            }
        },
        if seeds.len() == 1 { "seed" } else { "seeds" },
        seeds.join(", "),
        comparison.schedule,
    );
    if seeds.len() > 1 {
        text += " ±: 95 % t-interval of the mean over seeds.";
    }
    text
}

fn rows(summary: &Summary) -> Vec<Vec<String>> {
    let columns = main_columns(summary);
    let row = |entry| columns.iter().map(|column| (column.text)(entry)).collect();
    summary.optimizers.iter().map(row).collect()
}

/// One line: the first cell to the left, all others to the right.
fn aligned(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).enumerate();
    let texts: Vec<String> = padded
        .map(|(i, (cell, &width))| match i {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        })
        .collect();
    texts.join("  ").trim_end().to_owned()
}

/// Breaks a text into lines between words; all but the first begin with `indent`.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let width = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && width > WIDTH {
            lines.push(std::mem::replace(&mut line, format!("{indent}{word}")));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_plain_table_is_aligned_sorted_and_explained() {
        let summary = Summary::new(&samples::nine_methods()).expect("a summary");
        insta::assert_snapshot!(plain_text(&summary));
    }

    #[test]
    fn the_markdown_table_has_the_same_figures() {
        let summary = Summary::new(&samples::nine_methods()).expect("a summary");
        insta::assert_snapshot!(markdown(&summary));
    }

    #[test]
    fn one_seed_is_shown_without_a_spread() {
        let summary = Summary::new(&samples::one_seed()).expect("a summary");
        let text = plain_text(&summary);
        assert!(!text.contains('±'), "{text}");
        assert!(text.contains("warning: one seed only"), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let summary = Summary::new(&samples::nine_methods()).expect("a summary");
        for line in plain_text(&summary).lines() {
            assert!(line.chars().count() <= 120, "{line}");
        }
    }

    #[test]
    fn a_method_without_runs_has_dashes() {
        let comparison_only = &samples::nine_methods()[..1];
        let summary = Summary::new(comparison_only).expect("a summary");
        let row = rows(&summary).swap_remove(0);
        assert!(row[1..].iter().all(|cell| cell == "–"), "{row:?}");
    }

    #[test]
    fn bars_in_names_do_not_break_the_markdown_table() {
        let mut records = samples::one_seed();
        samples::rename(&mut records, "adam", "a|b");
        let summary = Summary::new(&records).expect("a summary");
        assert!(markdown(&summary).contains("| a\\|b |"));
    }
}
