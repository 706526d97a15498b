//! Turning table columns into inputs, by what the training rows show.
//!
//! - A column of numbers becomes one input, standardised by the mean and deviation of its training
//!   cells; an empty cell becomes the mean, that is 0.
//! - A column of texts becomes one input of 0 or 1 for each text that occurs at least twice in
//!   training. An empty cell and a rarer or unknown text are 0 everywhere, so a column of names or
//!   record numbers, whose texts all differ, gives no input. Where the texts of a column are known
//!   beforehand, each of them has its input, whatever training shows.
//! - A column with no training cell filled gives no input.

use std::collections::BTreeMap;

use super::dataset::mean_and_deviation;

/// How often a text must occur in the training rows to have an input of its own.
const LEAST: usize = 2;

/// The cells of one column; `None` is an empty cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Column {
    /// Every filled cell is a finite number.
    Numbers(Vec<Option<f64>>),
    /// Any other column, with the texts that have an input each where they are known beforehand.
    Texts { cells: Vec<Option<String>>, known: Option<Vec<String>> },
}

/// How one column becomes inputs.
#[derive(Debug, PartialEq)]
enum Encoder {
    Number { mean: f64, deviation: f64 },
    OneHot { texts: Vec<String> },
}

impl Encoder {
    /// The encoder of `column`, learned from the rows `train`.
    fn fit(column: &Column, train: &[usize]) -> Self {
        match column {
            Column::Numbers(cells) => Self::fit_numbers(cells, train),
            Column::Texts { known: Some(texts), .. } => Encoder::OneHot { texts: texts.clone() },
            Column::Texts { cells, known: None } => {
                let mut counts = BTreeMap::<&str, usize>::new();
                for text in train.iter().filter_map(|&row| cells[row].as_deref()) {
                    *counts.entry(text).or_default() += 1;
                }
                let frequent = counts.into_iter().filter(|&(_, count)| count >= LEAST);
                Encoder::OneHot { texts: frequent.map(|(text, _)| text.to_owned()).collect() }
            }
        }
    }

    fn fit_numbers(cells: &[Option<f64>], train: &[usize]) -> Self {
        let filled = train.iter().filter_map(|&row| cells[row]);
        if filled.clone().next().is_none() {
            return Encoder::OneHot { texts: Vec::new() };
        }
        let (mean, deviation) = mean_and_deviation(filled);
        Encoder::Number { mean, deviation }
    }

    /// The number of inputs.
    fn width(&self) -> usize {
        match self {
            Encoder::Number { .. } => 1,
            Encoder::OneHot { texts } => texts.len(),
        }
    }

    /// Puts the inputs for one cell at the end of `features`.
    fn push(&self, column: &Column, row: usize, features: &mut Vec<f32>) {
        match (self, column) {
            (Encoder::Number { mean, deviation }, Column::Numbers(cells)) => {
                let centred = cells[row].map_or(0.0, |value| value - mean);
                features.push((centred / deviation) as f32);
            }
            (Encoder::OneHot { texts }, Column::Texts { cells, .. }) => {
                let cell = cells[row].as_ref();
                features
                    .extend(texts.iter().map(|text| if Some(text) == cell { 1.0 } else { 0.0 }));
            }
            // A column of numbers without any in training gives no input.
            _ => {}
        }
    }
}

/// The columns of a table with the encoders learned from its training rows.
pub(super) struct Encoding<'a> {
    pairs: Vec<(&'a Column, Encoder)>,
}

impl<'a> Encoding<'a> {
    /// Learns from the rows `train`.
    pub(super) fn fit(columns: &'a [Column], train: &[usize]) -> Self {
        let pairs = columns.iter().map(|column| (column, Encoder::fit(column, train)));
        Self { pairs: pairs.collect() }
    }

    /// The number of inputs of one row.
    pub(super) fn width(&self) -> usize {
        self.pairs.iter().map(|(_, encoder)| encoder.width()).sum()
    }

    /// The inputs of `rows`, one row after the other.
    pub(super) fn apply(&self, rows: &[usize]) -> Vec<f32> {
        let mut features = Vec::with_capacity(rows.len() * self.width());
        for &row in rows {
            for (column, encoder) in &self.pairs {
                encoder.push(column, row, &mut features);
            }
        }
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(cells: &[&str]) -> Column {
        let cell = |text: &&str| (!text.is_empty()).then(|| (*text).to_owned());
        Column::Texts { cells: cells.iter().map(cell).collect(), known: None }
    }

    #[test]
    fn numbers_are_standardised_by_the_training_rows_and_empty_cells_become_the_mean() {
        let columns = [Column::Numbers(vec![Some(1.0), Some(3.0), None, Some(1000.0)])];
        let encoding = Encoding::fit(&columns, &[0, 1, 2]);
        assert_eq!(encoding.apply(&[0, 1, 2, 3]), [-1.0, 1.0, 0.0, 998.0]);
    }

    #[test]
    fn a_constant_column_becomes_zero() {
        let columns = [Column::Numbers(vec![Some(0.1); 3])];
        let features = Encoding::fit(&columns, &[0, 1]).apply(&[0, 1, 2]);
        assert!(features.iter().all(|x| x.abs() < 1e-6), "{features:?}");
    }

    #[test]
    fn texts_become_one_input_each_and_empty_rare_or_new_ones_become_zero() {
        let columns = [texts(&["red", "blue", "red", "blue", "", "pink", "green"])];
        let encoding = Encoding::fit(&columns, &[0, 1, 2, 3, 4, 5]);
        assert_eq!(encoding.width(), 2);
        let expected = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]].concat();
        assert_eq!(encoding.apply(&[1, 2, 4, 5, 6]), expected);
    }

    #[test]
    fn texts_known_beforehand_have_an_input_each_and_empty_ones_are_zero() {
        let cells = vec![Some("b".to_owned()), None, Some("a".to_owned())];
        let known = Some(["a", "b", "c"].map(str::to_owned).to_vec());
        let columns = [Column::Texts { cells, known }];
        let encoding = Encoding::fit(&columns, &[0]);
        let expected = [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]].concat();
        assert_eq!(encoding.apply(&[0, 1, 2]), expected);
    }

    #[test]
    fn columns_without_information_in_training_give_no_input() {
        let columns = [
            Column::Numbers(vec![None, None, Some(1.0)]),
            texts(&["", "", "x"]),
            texts(&["id1", "id2", "id3"]),
            Column::Numbers(vec![Some(1.0), Some(2.0), Some(3.0)]),
        ];
        let encoding = Encoding::fit(&columns, &[0, 1]);
        assert_eq!(encoding.width(), 1);
        assert_eq!(encoding.apply(&[2]).len(), 1);
    }
}
