//! Plain tables: one row a line, with or without a first line of column names.

use std::path::Path;

use super::sheet::{Row, Sheet};
use crate::arff::fields::{self, Separator};
use crate::error::DataError;

/// Reads `text`, the contents of `path`; blank lines are skipped.
pub(super) fn read<'a>(
    path: &Path,
    text: &'a str,
    separator: Separator,
    header: bool,
) -> Result<Sheet<'a>, DataError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut rows = Vec::new();
    for (number, line) in lines.skip(usize::from(header)) {
        let cells = fields::cut(line, separator).map_err(|problem| DataError::SheetLine {
            path: path.to_path_buf(),
            line: number + 1,
            problem,
        })?;
        rows.push(Row { line: number + 1, cells });
    }
    Sheet::new(path, Vec::new(), rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Separator = Separator::Character(',');

    fn cells(text: &str, separator: Separator, header: bool) -> Vec<(usize, Vec<&str>)> {
        let sheet = read(Path::new("table"), text, separator, header).unwrap();
        sheet.rows.into_iter().map(|row| (row.line, row.cells)).collect()
    }

    #[test]
    fn blank_lines_and_the_header_are_no_rows_but_are_counted_as_lines() {
        let expected = [(3, vec!["1", "x"]), (5, vec!["?", "y"])];
        assert_eq!(cells("\n\"a\",b\r\n1,x\r\n \n?,'y'\n", COMMA, true), expected);
        assert_eq!(cells("A_B  0.1\t0.2   cp \n", Separator::Blanks, false)[0].1.len(), 4);
    }

    #[test]
    fn a_line_that_cannot_be_cut_is_named_and_a_table_without_rows_is_refused() {
        let message = read(Path::new("t"), "1,2\n'3,4\n", COMMA, false).unwrap_err().to_string();
        assert!(message.starts_with("line 2 of t: the quote ' is not closed;"), "{message}");
        let message = read(Path::new("t"), "a,b\n\n", COMMA, true).unwrap_err().to_string();
        assert!(message.contains("t holds no records"), "{message}");
    }
}
