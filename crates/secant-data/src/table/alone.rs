//! Tables of one column, each line a cell: they hold no target, but all that a model of one input
//! column looks at.

use super::dialect::like_one_value;
use super::scan::{self, Rows, Separator};

/// The only column that is looked for in a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Alone<'a> {
    pub name: &'a str,
    /// The texts that its cells are known to hold, where it holds texts.
    pub texts: &'a [String],
}

impl Alone<'_> {
    /// Whether the first row is the name of the column and nothing else.
    pub(crate) fn names(&self, rows: &Rows) -> bool {
        rows.len() > 0 && rows.width(0) == 1 && rows.cell(0, 0) == self.name
    }

    /// Whether the first line of `text` is the name and each other is one cell as a whole, so that a
    /// comma in `1,5` and a blank in `dark red` separate nothing.
    pub(crate) fn is_all_of(&self, text: &str) -> bool {
        let rows = scan::rows(text, 1, Separator::None, usize::MAX);
        self.names(&rows)
            && rows.after_quotes.is_empty()
            && (1..rows.len()).all(|row| rows.quoted(row, 0) || self.is_whole(rows.cell(row, 0)))
    }

    fn is_whole(&self, cell: &str) -> bool {
        let known = self.texts.iter().any(|text| text == cell);
        known || like_one_value(cell) == 1.0 && !cell.ends_with([',', ';', '\t', '|'])
    }
}

/// Says that blank lines were skipped, which could stand for missing values where there is but one
/// column.
pub(crate) fn blank_lines(rows: &Rows) -> Option<String> {
    let ends = |row: usize| rows.line(row) + scan::line_ends(rows.cell(row, 0)) + 1;
    let row = (1..rows.len()).find(|&row| ends(row - 1) < rows.line(row))?;
    Some(format!(
        "line {} is blank and was skipped, as are all blank lines; write NA where a value is missing",
        ends(row - 1)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_known_texts_below_the_name_alone_are_whole_cells() {
        let texts = ["dark red".to_owned()];
        let alone = Alone { name: "x", texts: &texts };
        for text in ["x\n1,5\n2,25\n", "\"x\"\ndark red\n", "x\n1 234\nNA\n\"a, b\"\n"] {
            assert!(alone.is_all_of(text), "{text}");
        }
        for text in ["y\n1\n", "x\n1,\n2,\n", "x\n1 red\n", "x\n\"1\",5\n", "x,y\n1,2\n", ""] {
            assert!(!alone.is_all_of(text), "{text}");
        }
    }

    #[test]
    fn the_first_blank_line_between_cells_is_told() {
        let told = |text| blank_lines(&scan::rows(text, 1, Separator::None, usize::MAX));
        assert_eq!(told("x\n1\n2\n\n"), None);
        assert_eq!(told("x\n\"1\n2\"\n3\n"), None);
        assert!(told("x\n1\n\n2\n").expect("a warning").starts_with("line 3 is blank"));
    }
}
