//! A file as rows of cells under named columns, with what was found out about how it is written.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::alone::{self, Alone};
use super::cell::begins_with_missing;
use super::charset::{self, Charset};
use super::column::cut;
use super::dialect;
use super::header;
use super::options::{Header, TableOptions};
use super::scan::{self, Rows, Separator};
use super::widths::{Surplus, Widths};
use crate::arff::{self, Type};
use crate::bytes;
use crate::error::DataError;

/// What a file says of one of its columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Declared {
    /// Its cells are numbers.
    Number,
    /// Its cells are some of these texts.
    Texts(Vec<String>),
}

/// A file as rows of cells under named columns; at least one row, all equally wide.
#[derive(Debug)]
pub(crate) struct Grid {
    /// The file, for messages.
    pub path: PathBuf,
    /// The names of the columns.
    pub names: Vec<String>,
    /// Whether the file gives these names.
    pub named: bool,
    /// What the file says of each column.
    pub declared: Vec<Option<Declared>>,
    /// Whether semicolons separate the cells.
    pub semicolons: bool,
    /// How the file is written, in sentences.
    pub format: Vec<String>,
    /// Where that is in doubt.
    pub warnings: Vec<String>,
    rows: Rows,
    /// The first row that is a record.
    first: usize,
    /// The cell that the records have more than the first line.
    surplus: Surplus,
}

impl Grid {
    /// Reads `path`, or standard input where it is `-`.
    pub(crate) fn read(path: &Path, options: &TableOptions) -> Result<Self, DataError> {
        Self::read_for(path, options, None)
    }

    /// The same, where a table of one column is refused unless that is the one looked for.
    pub(crate) fn read_for(
        path: &Path,
        options: &TableOptions,
        alone: Option<Alone>,
    ) -> Result<Self, DataError> {
        let (bytes, packing) = bytes::read_packed(path)?;
        Self::of(bytes::shown(path), bytes, packing, options, alone)
    }

    /// Reads `bytes`, the contents of `path`, which were packed with `packing`.
    pub(crate) fn of(
        path: PathBuf,
        bytes: Vec<u8>,
        packing: Option<&str>,
        options: &TableOptions,
        alone: Option<Alone>,
    ) -> Result<Self, DataError> {
        let decoded = charset::decode(bytes)
            .map_err(|line| DataError::NotText { path: path.clone(), line })?;
        let mut format = Vec::new();
        let mut warnings = Vec::new();
        if let Some(packing) = packing {
            format.push(format!("packed with {packing}"));
        }
        let name = match decoded.charset {
            Charset::Utf8 => "UTF-8",
            Charset::Utf16Le => "UTF-16, low byte first",
            Charset::Utf16Be => "UTF-16, high byte first",
            Charset::Windows1252 => "Latin-1 (Windows-1252)",
        };
        let mark = if decoded.marked { ", with a byte order mark" } else { "" };
        format.push(format!("text in {name}{mark}"));
        if let Some(line) = decoded.odd_line {
            warnings.push(format!(
                "the file is not UTF-8 (first in line {line}) and was read as Windows-1252; look \
                 at letters with accents"
            ));
        }
        let draft = Draft { path, text: &decoded.text, format, warnings };
        if arff::is_arff(&decoded.text) { draft.arff() } else { draft.separated(options, alone) }
    }

    /// The number of records.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() - self.first
    }

    /// The number of columns.
    pub(crate) fn width(&self) -> usize {
        self.names.len()
    }

    /// The cells of a column, record after record.
    pub(crate) fn cells(&self, column: usize) -> impl Iterator<Item = &str> + Clone {
        (self.first..self.rows.len()).map(move |row| self.rows.cell(row, column))
    }

    /// The line on which a record starts.
    pub(crate) fn line(&self, record: usize) -> usize {
        self.rows.line(self.first + record)
    }

    /// The error for a number that is beyond double precision.
    pub(crate) fn overflow(&self, column: usize, record: usize) -> DataError {
        DataError::TooLargeNumber {
            path: self.path.clone(),
            line: self.line(record),
            column: self.names[column].clone(),
            cell: cut(self.rows.cell(self.first + record, column)),
        }
    }

    /// The number of the column that `target` names.
    pub(crate) fn target(&mut self, target: &str) -> Result<usize, DataError> {
        let named = self.names.iter().position(|name| self.named && name == target);
        let number: Option<usize> = target.parse().ok();
        let numbered = number.filter(|number| (1..=self.width()).contains(number));
        if let (Some(named), Some(numbered)) = (named, numbered)
            && named + 1 != numbered
        {
            self.warnings.push(format!(
                "the target '{target}' was taken as the name of column {} and not as a column \
                 number",
                named + 1
            ));
        }
        if let Some(column) = named.or(numbered.map(|number| number - 1)) {
            return Ok(column);
        }
        let (path, target) = (self.path.clone(), target.to_owned());
        Err(if self.named {
            DataError::CsvNoTarget { path, target, columns: listed(&self.names) }
        } else {
            DataError::CsvNoHeader { path, target, width: self.width() }
        })
    }

    fn check_names(&self) -> Result<(), DataError> {
        let mut seen = HashSet::new();
        match self.names.iter().find(|name| !seen.insert(name.as_str())) {
            None => Ok(()),
            Some(name) => {
                Err(DataError::RepeatedName { path: self.path.clone(), column: name.clone() })
            }
        }
    }
}

/// The names of columns for a message, cut off after the first twenty.
pub(crate) fn listed(names: &[String]) -> String {
    const LISTED: usize = 20;
    let shown: Vec<String> =
        names.iter().take(LISTED).map(|name| format!("'{}'", cut(name))).collect();
    let more = names.len() - shown.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &rest
}

/// A file that is text by now.
struct Draft<'a> {
    path: PathBuf,
    text: &'a str,
    format: Vec<String>,
    warnings: Vec<String>,
}

impl Draft<'_> {
    fn empty(&self) -> DataError {
        DataError::Empty { path: self.path.clone() }
    }

    fn arff(mut self) -> Result<Grid, DataError> {
        let arff = arff::read(self.text).map_err(|(line, problem)| DataError::SheetLine {
            path: self.path.clone(),
            line,
            problem,
        })?;
        if arff.rows.is_empty() {
            return Err(self.empty());
        }
        self.format.push("ARFF, which names the columns".to_owned());
        let mut rows = Rows::default();
        for (line, cells) in &arff.rows {
            cells.iter().for_each(|cell| rows.push(cell, true));
            rows.end_row(*line);
        }
        let declared = arff.types.into_iter().map(|kind| match kind {
            Type::Number => Some(Declared::Number),
            Type::Nominal(texts) => Some(Declared::Texts(texts)),
            Type::Text => None,
        });
        let grid = Grid {
            path: self.path,
            names: arff.names,
            named: true,
            declared: declared.collect(),
            semicolons: false,
            format: self.format,
            warnings: self.warnings,
            rows,
            first: 0,
            surplus: Surplus::None,
        };
        grid.check_names()?;
        Ok(grid)
    }

    fn separated(
        mut self,
        options: &TableOptions,
        alone: Option<Alone>,
    ) -> Result<Grid, DataError> {
        let (given, text) = match dialect::given(self.text) {
            Some((separator, text)) => (Some(separator), text),
            None => (None, self.text),
        };
        let (comments, rest, line) = comments(text, 1 + usize::from(given.is_some()));
        if rest.trim().is_empty() {
            return Err(self.empty());
        }
        let whole = || alone.filter(|alone| alone.is_all_of(rest)).map(|_| Separator::None);
        let found = given.or_else(whole).or_else(|| dialect::separator(rest));
        let Some(separator) = found.or(alone.map(|_| Separator::None)) else {
            return Err(DataError::CsvOneColumn { path: self.path });
        };
        let rows = scan::rows(rest, line, separator, usize::MAX);
        if let Some(line) = rows.unclosed {
            return Err(DataError::OpenQuote { path: self.path, line });
        }
        self.format.push(match separator {
            Separator::None => "one cell a line".to_owned(),
            separator => format!("cells separated by {}", name(separator)),
        });
        if !comments.is_empty() {
            self.format.push(format!("comment lines before the data: {}", comments.len()));
        }
        self.warnings.extend(after_quotes(&rows));
        let mut grid = self.grid(rows, separator);
        grid.check_widths(options.header, alone.is_some())?;
        if grid.width() == 1 {
            grid.warnings.extend(alone::blank_lines(&grid.rows));
        }
        if options.header == Header::Auto && alone.is_some_and(|alone| alone.names(&grid.rows)) {
            let options = TableOptions { header: Header::Yes, ..options.clone() };
            grid.find_header(&options, None, separator)?;
        } else {
            grid.find_header(options, comments.last().copied(), separator)?;
        }
        if grid.len() == 0 {
            return Err(DataError::Empty { path: grid.path });
        }
        grid.check_names()?;
        Ok(grid)
    }

    fn grid(self, rows: Rows, separator: Separator) -> Grid {
        Grid {
            path: self.path,
            names: Vec::new(),
            named: false,
            declared: Vec::new(),
            semicolons: separator == Separator::Character(b';'),
            format: self.format,
            warnings: self.warnings,
            rows,
            first: 0,
            surplus: Surplus::None,
        }
    }
}

impl Grid {
    /// Checks that all rows are equally wide; a header line may lack the name of the first column,
    /// or the separator at the end of the records. One column alone has no target.
    fn check_widths(&mut self, header: Header, one_is_enough: bool) -> Result<(), DataError> {
        let Widths { columns, surplus } =
            Widths::of(&self.rows, header).map_err(|odd| DataError::CsvRagged {
                path: self.path.clone(),
                line: self.rows.line(odd.row),
                found: self.rows.width(odd.row),
                wanted: odd.wanted,
                other: odd.other,
            })?;
        if columns == 1 && !one_is_enough {
            return Err(DataError::CsvOneColumn { path: self.path.clone() });
        }
        self.surplus = surplus;
        self.names = (1..=columns).map(|column| format!("column {column}")).collect();
        self.declared = vec![None; columns];
        self.warnings.extend(surplus.warning());
        Ok(())
    }

    /// Finds the names of the columns.
    fn find_header(
        &mut self,
        options: &TableOptions,
        comment: Option<&str>,
        separator: Separator,
    ) -> Result<(), DataError> {
        if self.surplus == Surplus::First {
            self.take_names(1);
            self.format.push("the first line names the columns but the first".to_owned());
            return Ok(());
        }
        let found = match options.header {
            Header::Yes => header::Found { is_header: true, doubt: None },
            Header::No => header::Found { is_header: false, doubt: None },
            Header::Auto => header::find(&self.rows, self.width(), options.target.as_deref()),
        };
        self.warnings.extend(found.doubt);
        if found.is_header {
            self.take_names(0);
            self.format.push("the first line names the columns".to_owned());
        } else if options.header == Header::Auto && self.names_in_comment(comment, separator) {
            self.format.push("the last comment line names the columns".to_owned());
        } else {
            self.format.push("no line names the columns".to_owned());
        }
        Ok(())
    }

    /// Takes the first row for the names of the columns from `from` on.
    fn take_names(&mut self, from: usize) {
        for column in from..self.names.len() {
            let name = self.rows.cell(0, column - from);
            if !name.is_empty() {
                self.names[column] = name.to_owned();
            }
        }
        self.named = true;
        self.first = 1;
    }

    /// Takes the names from a comment that has as many cells as the rows.
    fn names_in_comment(&mut self, comment: Option<&str>, separator: Separator) -> bool {
        let Some(comment) = comment else { return false };
        let names = scan::rows(comment.trim_start_matches(['#', '%']), 1, separator, 1);
        let fits = names.len() == 1
            && names.width(0) == self.width()
            && (0..self.width()).all(|column| !names.cell(0, column).is_empty());
        if fits {
            self.names = (0..self.width()).map(|column| names.cell(0, column).to_owned()).collect();
            self.named = true;
            self.warnings.push(format!(
                "the names of the columns were taken from the comment '{}'; say that there is no \
                 header line if they are none",
                cut(comment)
            ));
        }
        fits
    }
}

/// Says in how many cells a text follows a closing quote.
fn after_quotes(rows: &Rows) -> Option<String> {
    let (first, count) = (rows.after_quotes.first()?, rows.after_quotes.len());
    let cells = if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") };
    Some(format!(
        "in {cells}, first in line {first}, a text follows a closing quote and was joined to what \
         stands in the quotes, as '23' for '\"2\"3'; put the whole cell in quotes, or correct it"
    ))
}

fn name(separator: Separator) -> &'static str {
    match separator {
        Separator::Blanks => "blanks",
        Separator::None => "nothing",
        Separator::Character(b';') => "semicolons",
        Separator::Character(b'\t') => "tabs",
        Separator::Character(b'|') => "vertical bars",
        Separator::Character(_) => "commas",
    }
}

/// The comment lines that `text` starts with, what follows them, and the number of its first line,
/// where `number` is that of the text's.
fn comments(text: &str, mut number: usize) -> (Vec<&str>, &str, usize) {
    let (mut comments, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = rest[..end].trim();
        if !line.is_empty() && (!line.starts_with(['#', '%']) || begins_with_missing(line)) {
            break;
        }
        if !line.is_empty() {
            comments.push(line);
        }
        let after = &rest[end..];
        rest = after.strip_prefix("\r\n").unwrap_or_else(|| after.get(1..).unwrap_or_default());
        number += 1;
    }
    (comments, rest, number)
}
