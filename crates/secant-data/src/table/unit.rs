//! The sign of unit of a column of numbers, and how it differs from that in training.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::column::cut;
use super::notation::Written;

/// What all numbers of a column have for a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// No sign.
    None,
    /// This currency or percent sign.
    Sign(char),
}

impl Unit {
    fn of(sign: Option<char>) -> Self {
        sign.map_or(Self::None, Self::Sign)
    }

    fn said(self) -> String {
        match self {
            Self::None => "no sign of unit".to_owned(),
            Self::Sign(sign) => format!("the unit {sign}"),
        }
    }
}

/// The units of the cells of a column.
pub(super) struct Units<'a> {
    signs: BTreeSet<Option<char>>,
    trained: Option<Unit>,
    /// The first number with another unit than in training, with its row.
    unlike: Option<(&'a str, Written, usize)>,
}

impl<'a> Units<'a> {
    /// Of no cells yet; `trained` is the unit in the table that was learned from, where it is known.
    pub(super) fn after(trained: Option<Unit>) -> Self {
        Self { signs: BTreeSet::new(), trained, unlike: None }
    }

    pub(super) fn add(&mut self, cell: &'a str, written: Written, row: usize) {
        self.signs.insert(written.unit);
        if self.unlike.is_none() && self.trained.is_some_and(|unit| unit != Unit::of(written.unit))
        {
            self.unlike = Some((cell, written, row));
        }
    }

    /// The unit of all cells; nothing where there are none, or where they have different ones.
    pub(super) fn only(&self) -> Option<Unit> {
        let mut signs = self.signs.iter();
        signs.next().filter(|_| signs.next().is_none()).map(|&sign| Unit::of(sign))
    }

    /// What is to be said of the units of `column`, where `line` is the line of a row.
    pub(super) fn warnings(&self, column: &str, line: impl Fn(usize) -> usize) -> Vec<String> {
        self.mixed(column).into_iter().chain(self.unlike(column, line)).collect()
    }

    fn mixed(&self, column: &str) -> Option<String> {
        if self.signs.len() < 2 {
            return None;
        }
        let listed = self.signs.iter().map(|sign| sign.map_or("none".to_owned(), String::from));
        let listed = listed.collect::<Vec<_>>().join(", ");
        Some(format!(
            "{column} has cells with different signs of unit ({listed}), which were taken off"
        ))
    }

    fn unlike(&self, column: &str, line: impl Fn(usize) -> usize) -> Option<String> {
        let (cell, written, row) = self.unlike?;
        Some(format!(
            "{column} has cells with {}, but had {} in the training table: '{}' in line {} was read \
             as {}; write its numbers as they were written there",
            Unit::of(written.unit).said(),
            self.trained?.said(),
            cut(cell),
            line(row),
            written.value
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::notation::{Mark, number};
    use super::*;

    fn units(trained: Option<Unit>, cells: &'static [&str]) -> Units<'static> {
        let mut units = Units::after(trained);
        for (row, cell) in cells.iter().enumerate() {
            units.add(cell, number(cell, Mark::Point).expect("a number"), row);
        }
        units
    }

    #[test]
    fn a_column_has_a_unit_where_all_its_cells_have_the_same() {
        assert_eq!(units(None, &["5%", "7 %"]).only(), Some(Unit::Sign('%')));
        assert_eq!(units(None, &["5", "7"]).only(), Some(Unit::None));
        assert_eq!(units(None, &["5", "7%"]).only(), None);
        assert_eq!(units(None, &[]).only(), None);
    }

    #[test]
    fn the_first_cell_with_another_unit_than_in_training_is_told() {
        let said = |trained, cells| units(trained, cells).warnings("column 'x'", |row| row + 2);
        assert_eq!(
            said(Some(Unit::None), &["50%", "60%"]),
            [
                "column 'x' has cells with the unit %, but had no sign of unit in the training table: \
              '50%' in line 2 was read as 50; write its numbers as they were written there"
            ]
        );
        let plain = said(Some(Unit::Sign('%')), &["5%", "6"]);
        assert!(plain[0].contains("different signs of unit (none, %)"), "{plain:?}");
        assert!(plain[1].contains("no sign of unit, but had the unit %"), "{plain:?}");
        assert!(plain[1].contains("'6' in line 3 was read as 6"), "{plain:?}");
        assert_eq!(said(Some(Unit::Sign('$')), &["$5", "6 $"]), [""; 0]);
        assert_eq!(said(None, &["5%"]), [""; 0]);
    }
}
