//! ARFF files of Weka, and the .dat files of KEEL, which are the same but for the ranges after
//! their types.
//!
//! A file is `@attribute` lines, the line `@data`, and a line of comma-separated values for each
//! record. Blank lines and lines that start with `%` mean nothing; `?` is a missing value. Sparse
//! rows in braces, dates and free texts are refused.

use std::path::Path;

use super::fields::{self, Separator};
use super::sheet::{Kind, Row, Sheet, wrong_width};
use crate::cell::{is_missing, number};
use crate::error::DataError;

const COMMA: Separator = Separator::Character(',');

/// Reads `text`, the contents of `path`.
pub(super) fn read<'a>(path: &Path, text: &'a str) -> Result<Sheet<'a>, DataError> {
    let at = |line: usize| {
        move |problem| DataError::SheetLine { path: path.to_path_buf(), line, problem }
    };
    let mut lines = (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('%'));
    let mut kinds = Vec::new();
    for (number, line) in lines.by_ref() {
        match Header::parse(line).map_err(at(number))? {
            Header::Attribute(kind) => kinds.push(kind),
            Header::Data => break,
            Header::Other => {}
        }
    }
    let mut rows = Vec::new();
    for (line, values) in lines {
        rows.push(Row { line, cells: cells(values, &kinds).map_err(at(line))? });
    }
    Sheet::new(path, kinds, rows)
}

/// A line before the data.
#[derive(Debug, PartialEq)]
enum Header {
    Attribute(Kind),
    Data,
    /// The name of the relation, or what KEEL says of inputs and outputs.
    Other,
}

impl Header {
    fn parse(line: &str) -> Result<Self, String> {
        let (keyword, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        match keyword.to_ascii_lowercase().as_str() {
            "@attribute" => Ok(Self::Attribute(attribute(rest.trim())?)),
            "@data" => Ok(Self::Data),
            "@relation" | "@input" | "@inputs" | "@output" | "@outputs" => Ok(Self::Other),
            _ => Err(format!("'{keyword}' was found where @attribute or @data is wanted")),
        }
    }
}

/// The kind of the attribute with this name and type.
fn attribute(text: &str) -> Result<Kind, String> {
    let after_name = match fields::quoted(text)? {
        Some((_, after)) => after,
        None => text.split_once([' ', '\t', '{']).map_or("", |(name, _)| &text[name.len()..]),
    };
    let kind = after_name.trim();
    if let Some(list) = kind.strip_prefix('{') {
        let list = list.strip_suffix('}').ok_or("the list of values is not closed")?;
        let texts: Vec<String> = fields::cut(list, COMMA)?.into_iter().map(str::to_owned).collect();
        return Ok(nominal(texts));
    }
    let word = kind.split(['[', ' ', '\t']).next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "numeric" | "real" | "integer" => Ok(Kind::Number),
        _ => Err(format!("the type '{kind}' is neither a number nor a list of values")),
    }
}

/// A list of just 0 and 1 says whether something holds, so it needs no input for each of the two.
fn nominal(texts: Vec<String>) -> Kind {
    if texts.len() == 2 && ["0", "1"].iter().all(|flag| texts.iter().any(|text| text == flag)) {
        Kind::Number
    } else {
        Kind::Nominal(texts)
    }
}

/// The values of one record, checked to be as declared.
fn cells<'a>(line: &'a str, kinds: &[Kind]) -> Result<Vec<&'a str>, String> {
    if line.starts_with('{') {
        return Err("the record is in braces, but sparse records cannot be read".to_owned());
    }
    let cells = fields::cut(line, COMMA)?;
    if cells.len() != kinds.len() {
        return Err(wrong_width(cells.len(), kinds.len()));
    }
    for (column, (cell, kind)) in cells.iter().zip(kinds).enumerate() {
        let fits = match kind {
            Kind::Number => number(cell).is_some(),
            Kind::Nominal(texts) => texts.iter().any(|text| text == cell),
        };
        if !fits && !is_missing(cell) {
            return Err(format!("'{cell}' is not a value of column {}", column + 1));
        }
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        read(Path::new("file.arff"), text).unwrap_err().to_string()
    }

    fn nominal_of(texts: &[&str]) -> Kind {
        Kind::Nominal(texts.iter().map(|&text| text.to_owned()).collect())
    }

    #[test]
    fn quoted_names_and_values_comments_missing_values_and_line_ends_are_read() {
        let text = "% about\r\n@RELATION 'a b'\r\n\r\n@attribute 'T3 measured' { t, f}\r\n\
            @ATTRIBUTE\t\"x\" REAL\r\n@attribute kind{'is, so','it\\'s'}\r\n\
            @data\r\n% more\r\nt, 1.5,'is, so'\r\n\r\n?,-2e1, 'it\\'s'\r\nf,?,?\r\n";
        let sheet = read(Path::new("file.arff"), text).unwrap();
        let kinds = [nominal_of(&["t", "f"]), Kind::Number, nominal_of(&["is, so", "it\\'s"])];
        assert_eq!(sheet.kinds, kinds);
        let rows: Vec<_> = sheet.rows.into_iter().map(|row| (row.line, row.cells)).collect();
        let expected = [
            (9, vec!["t", "1.5", "is, so"]),
            (11, vec!["?", "-2e1", "it\\'s"]),
            (12, vec!["f", "?", "?"]),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn keel_files_with_ranges_and_lists_of_inputs_are_read() {
        let text = "@relation m\n@attribute a real[0.1,0.9]\n@attribute b integer [1, 5]\n\
            @attribute Class {1,2,3}\n@inputs a, b\n@outputs Class\n@data\n0.5,2,3\n";
        let sheet = read(Path::new("m.dat"), text).unwrap();
        assert_eq!(sheet.kinds, [Kind::Number, Kind::Number, nominal_of(&["1", "2", "3"])]);
        assert_eq!(sheet.rows[0].cells, ["0.5", "2", "3"]);
    }

    #[test]
    fn a_list_of_0_and_1_is_a_number_and_other_lists_of_numbers_are_not() {
        assert_eq!(attribute("sex {0, 1}"), Ok(Kind::Number));
        assert_eq!(attribute("c {1,0}"), Ok(Kind::Number));
        assert_eq!(attribute("activity {1,2}"), Ok(nominal_of(&["1", "2"])));
        assert_eq!(attribute("area {1}"), Ok(nominal_of(&["1"])));
    }

    #[test]
    fn wrong_lines_are_named_with_what_is_wrong() {
        let head = "@attribute x real\n@attribute y {a,b}\n@data\n1,a\n";
        for (text, line, part) in [
            ("1,a,1\n", 5, "3 values were found, but 2 are wanted"),
            ("2,b\n\n%\n1\n", 8, "1 values were found, but 2 are wanted"),
            ("one,a\n", 5, "'one' is not a value of column 1"),
            ("1,c\n", 5, "'c' is not a value of column 2"),
            ("{0 1, 1 b}\n", 5, "sparse records cannot be read"),
            ("1,'a\n", 5, "the quote ' is not closed"),
        ] {
            let message = message(&format!("{head}{text}"));
            assert!(message.starts_with(&format!("line {line} of file.arff: ")), "{message}");
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn wrong_headers_are_named_with_what_is_wrong() {
        for (text, part) in [
            ("@attribute when date\n", "the type 'date' is neither"),
            ("@attribute x\n", "the type '' is neither"),
            ("@attribute 'x real\n", "the quote ' is not closed"),
            ("@attribute x {a,b\n", "the list of values is not closed"),
            ("1,2,3\n", "'1,2,3' was found where @attribute or @data is wanted"),
        ] {
            let message = message(text);
            assert!(message.starts_with("line 1 of file.arff: "), "{message}");
            assert!(message.contains(part), "{message}");
        }
        assert!(message("@attribute x real\n@data\n").contains("holds no records"));
        assert!(message("@attribute x real\n").contains("holds no records"));
    }
}
