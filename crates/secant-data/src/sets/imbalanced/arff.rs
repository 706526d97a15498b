//! ARFF files whose cells are as declared.
//!
//! A declared list of just 0 and 1 says whether something holds, so it is a number; free texts and
//! dates are refused.

use std::path::Path;

use super::cell::{is_missing, number};
use super::sheet::{Kind, Row, Sheet};
use crate::arff::{self, Type};
use crate::error::DataError;

/// Reads `text`, the contents of `path`.
pub(super) fn read<'a>(path: &Path, text: &'a str) -> Result<Sheet<'a>, DataError> {
    let at = |(line, problem)| DataError::SheetLine { path: path.to_path_buf(), line, problem };
    let arff = arff::read(text).map_err(at)?;
    let declared = arff.types.into_iter().zip(&arff.names);
    let kinds = declared.map(|(kind, name)| kind_of(kind, name)).collect::<Result<Vec<_>, _>>();
    let kinds = kinds.map_err(|problem| at((1, problem)))?;
    let mut rows = Vec::with_capacity(arff.rows.len());
    for (line, cells) in arff.rows {
        check(&cells, &kinds).map_err(|problem| at((line, problem)))?;
        rows.push(Row { line, cells });
    }
    Sheet::new(path, kinds, rows)
}

fn kind_of(declared: Type, name: &str) -> Result<Kind, String> {
    let is_flag = |texts: &[String]| {
        texts.len() == 2 && ["0", "1"].iter().all(|flag| texts.iter().any(|text| text == flag))
    };
    match declared {
        Type::Number => Ok(Kind::Number),
        Type::Nominal(texts) if is_flag(&texts) => Ok(Kind::Number),
        Type::Nominal(texts) => Ok(Kind::Nominal(texts)),
        Type::Text => Err(format!("the attribute '{name}' is a free text, which is no input")),
    }
}

/// Checks that the cells are as declared.
fn check(cells: &[&str], kinds: &[Kind]) -> Result<(), String> {
    for (column, (cell, kind)) in cells.iter().zip(kinds).enumerate() {
        let fits = match kind {
            Kind::Number => number(cell).is_some(),
            Kind::Nominal(texts) => texts.iter().any(|text| text == cell),
        };
        if !fits && !is_missing(cell) {
            return Err(format!("'{cell}' is not a value of column {}", column + 1));
        }
    }
    Ok(())
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
        let kind = |list: &str| {
            let text = format!("@attribute c {{{list}}}\n@data\n?\n");
            read(Path::new("file.arff"), &text).unwrap().kinds.remove(0)
        };
        assert_eq!(kind("0, 1"), Kind::Number);
        assert_eq!(kind("1,0"), Kind::Number);
        assert_eq!(kind("1,2"), nominal_of(&["1", "2"]));
        assert_eq!(kind("1"), nominal_of(&["1"]));
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
            ("@attribute when relational\n", "the type 'relational' is neither"),
            ("@attribute when date\n@data\n", "the attribute 'when' is a free text"),
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
