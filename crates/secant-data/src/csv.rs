//! Tables in text files: parsed as they are, then cut into parts, then encoded by what the training
//! part shows.
//!
//! The separator (comma, semicolon or tab) and a header line are found out from the file. A cell
//! that is empty, `?`, `NA` or `NaN` is missing. A column is numeric where all its other cells are
//! finite numbers. How columns become inputs is told in `encode.rs`.

use std::collections::BTreeSet;
use std::path::Path;

use ::csv::{ReaderBuilder, StringRecord, Trim};

use super::bytes;
use super::cell::{is_missing, number};
use super::dataset::Splits;
use super::encode::Column;
use super::error::DataError;
use super::number_classes::number_classes;
use super::split::{self, Fractions};
use super::table::Table;

/// Separators that are tried; the first wins a draw.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// Lines looked at to find the separator.
const SNIFFED_LINES: usize = 20;

/// Column names listed in a message.
const LISTED_COLUMNS: usize = 20;

/// More different texts than this in a target must each occur twice on average.
const MOST_RARE_CLASSES: usize = 50;

/// Reads the table in `path` (or `path.gz`), cuts it and encodes it. `target` is the class column,
/// by name or by its number counted from 1.
pub fn load(
    path: &Path,
    target: &str,
    fractions: Fractions,
    seed: u64,
) -> Result<Splits, DataError> {
    let table = Table::read(path, target)?;
    let parts = split::stratified(table.labels(), fractions, seed)?;
    table.encode(&parts)
}

impl Table {
    /// Reads the table in `path` (or `path.gz`) with the class column `target`, given by name or by
    /// number.
    pub fn read(path: &Path, target: &str) -> Result<Self, DataError> {
        let text = bytes::read_text(path)?;
        let lines = Lines::parse(path, &text, target)?;
        let target = lines.target(target)?;
        let (labels, classes) = lines.classes(target)?;
        let inputs = (0..lines.width()).filter(|&column| column != target);
        let columns = inputs.map(|column| lines.column(column)).collect();
        Ok(Self::new(path, columns, labels, classes))
    }
}

/// The records of a file, all equally long; at least one.
struct Lines<'a> {
    path: &'a Path,
    text: &'a str,
    header: Option<StringRecord>,
    records: Vec<StringRecord>,
}

impl<'a> Lines<'a> {
    /// Splits `text` into records and tells the header, which `target` may help to know.
    fn parse(path: &'a Path, text: &'a str, target: &str) -> Result<Self, DataError> {
        let mut lines = Self { path, text, header: None, records: records(path, text)? };
        lines.check_widths()?;
        if has_header(&lines.records, target) {
            lines.header = Some(lines.records.remove(0));
        }
        if lines.records.is_empty() {
            return Err(DataError::Empty { path: path.to_path_buf() });
        }
        Ok(lines)
    }

    fn check_widths(&self) -> Result<(), DataError> {
        let path = self.path.to_path_buf();
        let Some(first) = self.records.first() else {
            return Err(DataError::Empty { path });
        };
        let wanted = first.len();
        if let Some(odd) = self.records.iter().find(|record| record.len() != wanted) {
            return Err(DataError::CsvRagged {
                path,
                line: self.line(odd),
                found: odd.len(),
                wanted,
            });
        }
        if wanted == 1 {
            return Err(DataError::CsvOneColumn { path });
        }
        Ok(())
    }

    /// The number of the line on which `record` starts.
    fn line(&self, record: &StringRecord) -> usize {
        let bytes = self.text.as_bytes();
        let mut start = record.position().map_or(0, |position| position.byte() as usize);
        // A record's position lies before the blank lines that come before it.
        while matches!(bytes.get(start), Some(b'\r' | b'\n')) {
            start += 1;
        }
        1 + bytes[..start].iter().filter(|&&byte| byte == b'\n').count()
    }

    fn width(&self) -> usize {
        self.records[0].len()
    }

    /// The number of the column called `target`, counted from 0.
    fn target(&self, target: &str) -> Result<usize, DataError> {
        let named = self.header.iter().flatten().position(|name| name == target);
        let numbered = || target.parse().ok().filter(|number| (1..=self.width()).contains(number));
        if let Some(column) = named.or_else(|| numbered().map(|number: usize| number - 1)) {
            return Ok(column);
        }
        let (path, target) = (self.path.to_path_buf(), target.to_owned());
        Err(match &self.header {
            Some(header) => DataError::CsvNoTarget { path, target, columns: listed(header) },
            None => DataError::CsvNoHeader { path, target, width: self.width() },
        })
    }

    /// The name of a column for messages.
    fn column_name(&self, column: usize) -> String {
        match &self.header {
            Some(header) => format!("'{}'", &header[column]),
            None => format!("{}", column + 1),
        }
    }

    /// The class of each record and the class names, from the column `target`.
    fn classes(&self, target: usize) -> Result<(Vec<u32>, Vec<String>), DataError> {
        self.check_target_filled(target)?;
        let (count, kind) = match self.column(target) {
            Column::Numbers(cells) => {
                match number_classes(&cells.into_iter().flatten().collect::<Vec<_>>()) {
                    Ok(classes) => return self.check_two_classes(classes),
                    Err(count) => (count, "numbers"),
                }
            }
            Column::Texts { cells, .. } => {
                let texts: Vec<String> = cells.into_iter().flatten().collect();
                let (labels, classes) = text_classes(&texts);
                if classes.len() <= MOST_RARE_CLASSES || 2 * classes.len() <= texts.len() {
                    return self.check_two_classes((labels, classes));
                }
                (classes.len(), "texts")
            }
        };
        Err(DataError::TargetNotClasses {
            path: self.path.to_path_buf(),
            column: self.column_name(target),
            count,
            kind,
        })
    }

    fn check_target_filled(&self, target: usize) -> Result<(), DataError> {
        let mut missing = self.records.iter().filter(|record| is_missing(&record[target]));
        match missing.next() {
            None => Ok(()),
            Some(first) => Err(DataError::CsvTargetMissing {
                path: self.path.to_path_buf(),
                column: self.column_name(target),
                count: 1 + missing.count(),
                line: self.line(first),
            }),
        }
    }

    fn check_two_classes<T>(
        &self,
        (labels, classes): (T, Vec<String>),
    ) -> Result<(T, Vec<String>), DataError> {
        match classes.as_slice() {
            [class] => {
                Err(DataError::OneClass { path: self.path.to_path_buf(), class: class.clone() })
            }
            _ => Ok((labels, classes)),
        }
    }

    /// The cells of a column.
    fn column(&self, column: usize) -> Column {
        let cells = || self.records.iter().map(|record| &record[column]);
        if cells().all(|cell| is_missing(cell) || number(cell).is_some()) {
            return Column::Numbers(cells().map(number).collect());
        }
        let text = |cell: &str| (!is_missing(cell)).then(|| cell.to_owned());
        Column::Texts { cells: cells().map(text).collect(), known: None }
    }
}

/// All records of `text`, with blank lines left out and cells trimmed.
fn records(path: &Path, text: &str) -> Result<Vec<StringRecord>, DataError> {
    let mut reader = ReaderBuilder::new()
        .delimiter(separator(text))
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let mut records = Vec::new();
    for record in reader.records() {
        // The text is whole and UTF-8, so only the memory reader could fail here.
        let record = record
            .map_err(|error| DataError::Read { path: path.to_path_buf(), reason: error.into() })?;
        if record.len() > 1 || !record[0].is_empty() {
            records.push(record);
        }
    }
    Ok(records)
}

/// The separator that cuts the first lines into the most fields, and all of them into equally many
/// where one does.
fn separator(text: &str) -> u8 {
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.trim().is_empty()).take(SNIFFED_LINES).collect();
    let score = |separator: u8| {
        let counts: Vec<usize> = lines.iter().map(|line| outside_quotes(line, separator)).collect();
        let fewest = counts.iter().copied().min().unwrap_or(0);
        let even = fewest > 0 && counts.iter().all(|&count| count == fewest);
        (even, fewest, counts.iter().sum::<usize>())
    };
    let mut best = SEPARATORS[0];
    for separator in SEPARATORS {
        if score(separator) > score(best) {
            best = separator;
        }
    }
    best
}

/// How often `separator` occurs in `line` outside of double quotes.
fn outside_quotes(line: &str, separator: u8) -> usize {
    let mut quoted = false;
    let mut count = 0;
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        count += usize::from(byte == separator && !quoted);
    }
    count
}

/// Whether the first record names the columns.
///
/// It does where `target` is one of its cells and no column number. Else it must hold no number,
/// and either some column must be numeric below it, or none of its cells may occur again in its own
/// column.
fn has_header(records: &[StringRecord], target: &str) -> bool {
    let Some((first, rest)) = records.split_first() else {
        return false;
    };
    if target.parse::<usize>().is_err() && first.iter().any(|cell| cell == target) {
        return true;
    }
    let is_name = |cell: &str| cell.is_empty() || (!is_missing(cell) && number(cell).is_none());
    if !first.iter().all(is_name) {
        return false;
    }
    let below = |column: usize| rest.iter().map(move |record| &record[column]);
    let numeric = |column: usize| {
        let mut filled = below(column).filter(|cell| !is_missing(cell)).peekable();
        filled.peek().is_some() && filled.all(|cell| number(cell).is_some())
    };
    let recurs = |column: usize| below(column).any(|cell| cell == &first[column]);
    (0..first.len()).any(numeric) || !(0..first.len()).any(recurs)
}

/// The class of each text and the class names in alphabetical order.
fn text_classes(texts: &[String]) -> (Vec<u32>, Vec<String>) {
    let classes: Vec<&String> = texts.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let class = |text: &String| classes.partition_point(|other| *other < text) as u32;
    let labels = texts.iter().map(class).collect();
    (labels, classes.into_iter().cloned().collect())
}

/// The column names for a message, cut off after the first twenty.
fn listed(header: &StringRecord) -> String {
    let names: Vec<String> =
        header.iter().take(LISTED_COLUMNS).map(|name| format!("'{name}'")).collect();
    let more = header.len() - names.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(", ") + &rest
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
