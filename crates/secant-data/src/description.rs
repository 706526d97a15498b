//! What was understood of people's data, for the terminal and for reports.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::dataset::Splits;
use super::table::TableEncoding;

/// Characters of a line.
const LINE: usize = 80;

/// The widest that the columns of the printed table get: name, kind, range, missing.
const WIDEST: [usize; 4] = [18, 14, 24, 16];

/// The least room for what a column is used as.
const LEAST_USE: usize = 16;

/// Data with what was understood of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The three parts.
    pub splits: Splits,
    /// What was understood.
    pub description: Description,
    /// How other tables become inputs in the same way; `None` where the file gives inputs as they are.
    pub encoding: Option<TableEncoding>,
}

/// What was understood of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The file.
    pub source: String,
    /// How the file is written, in sentences.
    pub format: Vec<String>,
    /// Its columns.
    pub columns: Vec<ColumnDescription>,
    /// How the records were cut into parts, in sentences; none where they were not.
    pub split: Vec<String>,
    /// What was done to the values, in sentences.
    pub preprocessing: Vec<String>,
    /// What is in doubt or was left out, in sentences.
    pub warnings: Vec<String>,
    /// The SHA-256, in hexadecimal digits, of all that determines the records: see
    /// [`fingerprint`](crate::fingerprint). Of an inspected file it is that of its columns.
    pub fingerprint: String,
}

/// What was understood of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Its values, such as "-3.1 to 22" or "5 different texts".
    pub range: String,
    /// How many of its cells are missing.
    pub missing: usize,
    /// How many cells it has.
    pub cells: usize,
    /// What it is used as, such as "1 input, standardised".
    pub r#use: String,
}

impl ColumnDescription {
    /// The share of its cells that are missing.
    pub fn missing_share(&self) -> f64 {
        self.missing as f64 / self.cells.max(1) as f64
    }

    fn missing_text(&self) -> String {
        match self.missing {
            0 => "-".to_owned(),
            missing => format!("{missing} ({:.1} %)", 100.0 * self.missing_share()),
        }
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Numbers.
    Numbers,
    /// Texts.
    Texts,
    /// The class of each record.
    TargetClasses,
    /// The number to be learned of each record.
    TargetNumbers,
    /// One value in all records, or in all that are learned from.
    Constant,
    /// No value, or none in the records that are learned from.
    Empty,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.pad(match self {
            Self::Numbers => "numbers",
            Self::Texts => "texts",
            Self::TargetClasses => "target classes",
            Self::TargetNumbers => "target numbers",
            Self::Constant => "constant",
            Self::Empty => "empty",
        })
    }
}

impl fmt::Display for Description {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        writeln!(formatter, "{}", self.source)?;
        list(formatter, "", &self.format)?;
        self.table(formatter)?;
        list(formatter, "Split", &self.split)?;
        list(formatter, "Preprocessing", &self.preprocessing)?;
        list(formatter, "Warnings", &self.warnings)?;
        writeln!(formatter, "\nFingerprint {}", self.fingerprint)
    }
}

impl Description {
    fn table(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        if self.columns.is_empty() {
            return Ok(());
        }
        let head = ["column", "kind", "range", "missing", "use"].map(str::to_owned);
        let row = |column: &ColumnDescription| {
            let kind = column.kind.to_string();
            let name = column.name.clone();
            [name, kind, column.range.clone(), column.missing_text(), column.r#use.clone()]
        };
        let rows: Vec<[String; 5]> = self.columns.iter().map(row).collect();
        let widths: [usize; 4] = std::array::from_fn(|at| {
            let cells = std::iter::once(&head).chain(&rows).map(|row| row[at].chars().count());
            cells.max().unwrap_or(0).min(WIDEST[at])
        });
        writeln!(formatter)?;
        for row in std::iter::once(&head).chain(&rows) {
            print_row(formatter, row, &widths)?;
        }
        Ok(())
    }
}

/// Prints one row; the last cell goes on below itself where it is long.
fn print_row(
    formatter: &mut fmt::Formatter,
    row: &[String; 5],
    widths: &[usize; 4],
) -> fmt::Result {
    let indent: usize = widths.iter().map(|width| width + 2).sum();
    let lines = wrapped(&row[4], (LINE.saturating_sub(indent)).max(LEAST_USE));
    let mut first = String::new();
    for (cell, &width) in row.iter().zip(widths) {
        let cell = shortened(cell, width);
        let pad = width - cell.chars().count() + 2;
        first += &cell;
        first += &" ".repeat(pad);
    }
    first += lines.first().map_or("", String::as_str);
    writeln!(formatter, "{}", first.trim_end())?;
    for line in lines.iter().skip(1) {
        writeln!(formatter, "{}{line}", " ".repeat(indent))?;
    }
    Ok(())
}

/// Prints sentences below a title.
fn list(formatter: &mut fmt::Formatter, title: &str, sentences: &[String]) -> fmt::Result {
    if sentences.is_empty() {
        return Ok(());
    }
    if !title.is_empty() {
        writeln!(formatter, "\n{title}")?;
    }
    for sentence in sentences {
        for (at, line) in wrapped(sentence, LINE - 4).iter().enumerate() {
            writeln!(formatter, "{}{line}", if at == 0 { "  - " } else { "    " })?;
        }
    }
    Ok(())
}

/// `text` in lines of at most `width` characters, unless a word is longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if lines[last].is_empty() {
            lines[last] += word;
        } else if lines[last].chars().count() + 1 + word.chars().count() <= width {
            lines[last] += " ";
            lines[last] += word;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// `text` on one line, without its end where it has more than `width` characters.
fn shortened(text: &str, width: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(2)).collect::<String>() + ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(
        name: &str,
        kind: Kind,
        range: &str,
        missing: usize,
        r#use: &str,
    ) -> ColumnDescription {
        let (name, range, r#use) = (name.to_owned(), range.to_owned(), r#use.to_owned());
        ColumnDescription { name, kind, range, missing, cells: 24, r#use }
    }

    fn description() -> Description {
        Description {
            source: "people.csv".to_owned(),
            format: vec!["text in UTF-8".to_owned(), "cells separated by commas".to_owned()],
            columns: vec![
                column("x", Kind::Numbers, "-1 to 1.23", 1, "1 input, standardised"),
                column(
                    "the colour of the car",
                    Kind::Texts,
                    "7 different texts",
                    0,
                    "5 inputs, one for each text that occurs twice",
                ),
                column("class", Kind::TargetClasses, "2 classes", 0, "the target"),
            ],
            split: Vec::new(),
            preprocessing: vec!["word ".repeat(40)],
            warnings: Vec::new(),
            fingerprint: "00".repeat(32),
        }
    }

    #[test]
    fn the_printed_table_is_aligned_and_at_most_80_characters_wide() {
        let text = description().to_string();
        let start = text.find("column  ").unwrap();
        let table = "\
column              kind            range              missing    use
x                   numbers         -1 to 1.23         1 (4.2 %)  1 input,
                                                                  standardised
the colour of th..  texts           7 different texts  -          5 inputs, one
                                                                  for each text
                                                                  that occurs
                                                                  twice
class               target classes  2 classes          -          the target
";
        assert_eq!(&text[start..start + table.len()], table);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn a_description_survives_json() {
        let text = serde_json::to_string(&description()).unwrap();
        assert_eq!(serde_json::from_str::<Description>(&text).unwrap(), description());
    }
}
