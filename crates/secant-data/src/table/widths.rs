//! How wide the rows of a table are, and which cell the records have more than the first line.

use super::options::Header;
use super::scan::Rows;

/// The cell that every row has more than the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surplus {
    /// There is none.
    None,
    /// The first cell, which the header line does not name.
    First,
    /// An empty cell after a separator at the end.
    Last,
}

impl Surplus {
    /// What is to be said of it.
    pub(crate) fn warning(self) -> Option<String> {
        let said = match self {
            Self::None => return None,
            Self::First => {
                "the first line has one name less than the records have cells, so the first column \
                 was taken to be the one without a name; like any other it is an input where it \
                 holds numbers, row numbers too, or texts that repeat, so take it out of the file \
                 if it is to be none"
            }
            Self::Last => {
                "the last cell of every line but the first is empty, so the lines were taken to end \
                 with a separator, and that cell to be no column; if the first line rather lacks \
                 the name of the first column, write it there"
            }
        };
        Some(said.to_owned())
    }
}

/// The number of columns, where all rows agree on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Widths {
    pub columns: usize,
    pub surplus: Surplus,
}

/// A row that is not as wide as the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ragged {
    pub row: usize,
    pub wanted: usize,
    /// The row that is so wide.
    pub other: &'static str,
}

impl Widths {
    /// Of `rows`, at least one. The first row may be one cell narrower than the others, unless it is
    /// said to be a record.
    pub(crate) fn of(rows: &Rows, header: Header) -> Result<Self, Ragged> {
        let first = rows.width(0);
        let surplus = if header == Header::No { Surplus::None } else { surplus(rows) };
        let (from, wanted, other) = match surplus {
            Surplus::None => (0, first, "first"),
            Surplus::First | Surplus::Last => (1, first + 1, "second"),
        };
        match (from..rows.len()).find(|&row| rows.width(row) != wanted) {
            Some(row) => Err(Ragged { row, wanted, other }),
            None if surplus == Surplus::Last => Ok(Self { columns: first, surplus }),
            None => Ok(Self { columns: wanted, surplus }),
        }
    }
}

fn surplus(rows: &Rows) -> Surplus {
    let longer = rows.width(0) + 1;
    if rows.len() < 2 || rows.width(1) != longer {
        return Surplus::None;
    }
    let ends_empty = |row| rows.width(row) == longer && rows.is_blank(row, longer - 1);
    match rows.len() {
        records if (1..records).all(ends_empty) => Surplus::Last,
        // One record alone does not show that the first line lacks a name.
        2 => Surplus::None,
        _ => Surplus::First,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::{Separator, rows};
    use super::*;

    fn widths(text: &str, header: Header) -> Result<(usize, Surplus), (usize, usize)> {
        let rows = rows(text, 1, Separator::Character(b','), usize::MAX);
        Widths::of(&rows, header)
            .map(|found| (found.columns, found.surplus))
            .map_err(|odd| (odd.row, odd.wanted))
    }

    #[test]
    fn an_empty_cell_at_the_end_of_every_record_is_no_column() {
        assert_eq!(widths("x,y\n1,a,\n2,b,\n", Header::Auto), Ok((2, Surplus::Last)));
        assert_eq!(widths("x,y\n1,a,\n", Header::Yes), Ok((2, Surplus::Last)));
    }

    #[test]
    fn a_last_cell_that_is_filled_or_quoted_in_any_record_shows_that_the_first_has_no_name() {
        assert_eq!(widths("x,y\n1,2,\n2,3,a\n", Header::Auto), Ok((3, Surplus::First)));
        assert_eq!(widths("x,y\n1,2,\"\"\n2,3,\"\"\n", Header::Auto), Ok((3, Surplus::First)));
    }

    #[test]
    fn other_widths_are_ragged() {
        assert_eq!(widths("x,y\n1,a\n2,b,\n", Header::Auto), Err((2, 2)));
        assert_eq!(widths("x,y\n1,a,\n2,b\n", Header::Auto), Err((2, 3)));
        assert_eq!(widths("1,a\n2,b,\n3,a,\n", Header::No), Err((1, 2)));
        assert_eq!(widths("x,y\n1,2,3\n", Header::Auto), Err((1, 2)));
    }
}
