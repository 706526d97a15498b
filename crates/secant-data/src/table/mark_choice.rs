//! Which mark a column of numbers is read with, and why that is in doubt.

use super::notation::{Evidence, Mark};

/// The mark that a column is read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub mark: Mark,
    pub doubt: Option<Doubt>,
}

/// Why a mark may be the wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// No cell shows it.
    Hidden,
    /// It is that of the training table, but this table alone would be read with the other.
    AsTrained,
    /// It is not that of the training table, with which many cells would be no numbers.
    UnlikeTrained,
}

impl Choice {
    /// The mark that a column's cells show, where `expect_comma` is what the rest of the table
    /// suggests.
    pub(crate) fn by(evidence: &Evidence, expect_comma: bool) -> Self {
        let (mark, guessed) = evidence.mark(expect_comma);
        Self { mark, doubt: guessed.then_some(Doubt::Hidden) }
    }

    /// The same where the training table had the mark `trained`, which stays unless many cells
    /// cannot be read with it and more can with the other.
    pub(crate) fn as_trained(trained: Mark, evidence: &Evidence, expect_comma: bool) -> Self {
        let (own, _) = evidence.mark(expect_comma);
        let (as_trained, as_own) = (evidence.read(trained), evidence.read(own));
        if own == trained {
            Self { mark: own, doubt: None }
        } else if 10 * as_trained < 9 * evidence.filled && as_own > as_trained {
            Self { mark: own, doubt: Some(Doubt::UnlikeTrained) }
        } else {
            Self { mark: trained, doubt: Some(Doubt::AsTrained) }
        }
    }

    /// What is to be said of `column`, whose `cell` was read as `value`.
    pub(crate) fn warning(self, column: &str, cell: &str, value: f64) -> Option<String> {
        let sign = match self.mark {
            Mark::Point => "point",
            Mark::Comma => "comma",
        };
        Some(match self.doubt? {
            Doubt::Hidden => format!(
                "{column} does not show whether a point or a comma stands before the fraction: \
                 '{cell}' was read as {value}"
            ),
            Doubt::AsTrained => format!(
                "{column} was read with a {sign} before the fraction, as in the training table: \
                 '{cell}' was read as {value}"
            ),
            Doubt::UnlikeTrained => format!(
                "{column} has a {sign} before the fraction, unlike in the training table: '{cell}' \
                 was read as {value}"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mark of some cells in a table that suggests commas, after training with points.
    fn after_points(cells: &[&str]) -> (Mark, Option<Doubt>) {
        let evidence = Evidence::of(cells.iter().copied());
        let choice = Choice::as_trained(Mark::Point, &evidence, true);
        (choice.mark, choice.doubt)
    }

    #[test]
    fn cells_that_can_be_read_in_two_ways_are_read_as_in_training() {
        assert_eq!(after_points(&["8,874"]), (Mark::Point, Some(Doubt::AsTrained)));
        assert_eq!(after_points(&["8.874", "5"]), (Mark::Point, None));
        let evidence = Evidence::of(["8.874"].into_iter());
        let european = Choice::as_trained(Mark::Comma, &evidence, false);
        assert_eq!(european, Choice { mark: Mark::Comma, doubt: Some(Doubt::AsTrained) });
    }

    #[test]
    fn one_odd_cell_of_many_does_not_change_the_mark_of_training() {
        let cells = [["8,874"; 11].as_slice(), &["12,34"]].concat();
        assert_eq!(after_points(&cells), (Mark::Point, Some(Doubt::AsTrained)));
    }

    #[test]
    fn a_table_that_shows_the_other_mark_is_read_with_it() {
        assert_eq!(after_points(&["0,5", "1,25"]), (Mark::Comma, Some(Doubt::UnlikeTrained)));
        assert_eq!(after_points(&["none so"]), (Mark::Point, None));
    }
}
