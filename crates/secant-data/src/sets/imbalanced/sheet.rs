//! The rows of a file as they are written, with what the file says of its columns.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::cell::{is_missing, number};
use crate::arff::wrong_width;
use crate::error::DataError;
use crate::table::{Cells, Column, Texts};

/// What a file says of one of its columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Its cells are numbers.
    Number,
    /// Its cells are some of these texts.
    Nominal(Vec<String>),
}

/// One row.
#[derive(Debug, PartialEq)]
pub(super) struct Row<'a> {
    /// The number of its line in the file.
    pub line: usize,
    /// Its cells.
    pub cells: Vec<&'a str>,
}

/// The rows of one file.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    /// The file.
    pub path: PathBuf,
    /// The kinds of the columns, or nothing where the file does not say them.
    pub kinds: Vec<Kind>,
    /// The rows, at least one.
    pub rows: Vec<Row<'a>>,
}

impl<'a> Sheet<'a> {
    /// The rows of `path`, refused where there is none.
    pub(super) fn new(
        path: &Path,
        kinds: Vec<Kind>,
        rows: Vec<Row<'a>>,
    ) -> Result<Self, DataError> {
        let path = path.to_path_buf();
        if rows.is_empty() {
            Err(DataError::Empty { path })
        } else {
            Ok(Self { path, kinds, rows })
        }
    }

    /// This sheet with the columns of `right` put beside its own.
    pub(super) fn beside(mut self, right: Sheet<'a>) -> Result<Self, DataError> {
        let (wanted, found) = (self.rows.len(), right.rows.len());
        if found != wanted {
            return Err(DataError::SheetCounts {
                path: right.path,
                found,
                beside: self.path,
                wanted,
            });
        }
        for (row, right) in self.rows.iter_mut().zip(right.rows) {
            row.cells.extend(right.cells);
        }
        self.kinds.extend(right.kinds);
        Ok(self)
    }

    /// Checks that every row has `wanted` cells.
    pub(super) fn check_width(&self, wanted: usize) -> Result<(), DataError> {
        match self.rows.iter().find(|row| row.cells.len() != wanted) {
            None => Ok(()),
            Some(row) => Err(self.at(row, wrong_width(row.cells.len(), wanted))),
        }
    }

    /// The error for a row with this problem.
    pub(super) fn at(&self, row: &Row, problem: String) -> DataError {
        DataError::SheetLine { path: self.path.clone(), line: row.line, problem }
    }
}

/// Column `index` of sheets put one below the other; `None` where more than half of its cells are
/// missing.
///
/// The texts of a column that is not declared are those that occur anywhere in it.
pub(super) fn column(sheets: &[Sheet], index: usize) -> Option<Column> {
    let cells = || sheets.iter().flat_map(|sheet| &sheet.rows).map(|row| row.cells[index]);
    let missing = cells().filter(|cell| is_missing(cell)).count();
    if 2 * missing > cells().count() {
        return None;
    }
    let declared = declared_texts(sheets, index);
    let numeric = || cells().all(|cell| is_missing(cell) || number(cell).is_some());
    if declared.is_none() && numeric() {
        return Some(named(index, Cells::Numbers(cells().map(number).collect())));
    }
    let texts = || cells().map(|cell| (!is_missing(cell)).then_some(cell));
    let found = || texts().flatten().map(str::to_owned).collect::<BTreeSet<_>>();
    let known = declared.unwrap_or_else(|| found().into_iter().collect());
    Some(named(index, Cells::Texts(Texts::of(texts(), known, true))))
}

fn named(index: usize, cells: Cells) -> Column {
    Column { name: format!("column {}", index + 1), cells, mark: None, unit: None }
}

/// All texts that the sheets declare for column `index`, where one does.
fn declared_texts(sheets: &[Sheet], index: usize) -> Option<Vec<String>> {
    let mut texts: Option<Vec<String>> = None;
    for sheet in sheets {
        if let Some(Kind::Nominal(more)) = sheet.kinds.get(index) {
            let texts = texts.get_or_insert_default();
            texts.extend(
                more.iter().filter(|text| !texts.contains(text)).cloned().collect::<Vec<_>>(),
            );
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet<'a>(kinds: &[Kind], cells: &[&[&'a str]]) -> Sheet<'a> {
        let row = |(line, cells): (usize, &&[&'a str])| Row { line, cells: cells.to_vec() };
        let rows = cells.iter().enumerate().map(row).collect();
        Sheet::new(Path::new("sheet"), kinds.to_vec(), rows).unwrap()
    }

    fn nominal(texts: &[&str]) -> Kind {
        Kind::Nominal(texts.iter().map(|&text| text.to_owned()).collect())
    }

    /// The texts known of a column of texts.
    fn known(column: Option<Column>) -> Vec<String> {
        match column.map(|column| column.cells) {
            Some(Cells::Texts(Texts { texts, known: true, .. })) => texts,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn undeclared_columns_are_numbers_where_all_filled_cells_are_and_else_texts() {
        let sheets = [sheet(&[], &[&["1", "b"], &["?", "2"]]), sheet(&[], &[&["3.5", "b"]])];
        let numbers = named(0, Cells::Numbers(vec![Some(1.0), None, Some(3.5)]));
        assert_eq!(column(&sheets, 0), Some(numbers));
        assert_eq!(known(column(&sheets, 1)), ["2", "b"]);
    }

    #[test]
    fn declared_texts_of_several_sheets_are_joined_whether_they_occur_or_not() {
        let first = sheet(&[nominal(&["1", "3"])], &[&["1"]]);
        let second = sheet(&[nominal(&["1", "2", "3"])], &[&["3"]]);
        assert_eq!(known(column(&[first, second], 0)), ["1", "3", "2"]);
    }

    #[test]
    fn a_column_is_left_out_where_more_than_half_of_it_is_missing() {
        let half = [sheet(&[], &[&["1"], &["?"]])];
        assert!(column(&half, 0).is_some());
        let more = [sheet(&[nominal(&["a"])], &[&["a"], &["?"], &["?"]])];
        assert_eq!(column(&more, 0), None);
    }

    #[test]
    fn sheets_of_unequal_length_do_not_go_side_by_side() {
        let left = sheet(&[], &[&["1"], &["2"]]);
        let both = left.beside(sheet(&[], &[&["a"], &["b"]])).unwrap();
        assert_eq!(both.rows[1].cells, ["2", "b"]);
        let message = both.beside(sheet(&[], &[&["x"]])).unwrap_err().to_string();
        assert!(message.contains("has 1 records but sheet beside it has 2"), "{message}");
    }
}
