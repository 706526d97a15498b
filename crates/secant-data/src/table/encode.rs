//! Turning table columns into inputs, by what the training rows show.
//!
//! - A column of numbers becomes one input, standardised by the mean and deviation of its training
//!   cells; an empty cell becomes the mean, that is 0.
//! - A column of texts becomes one input of 0 or 1 for each text that occurs at least twice in
//!   training, for the most frequent ones where there are very many. An empty cell and a rarer or
//!   unknown text are 0 everywhere, so a column of names or record numbers, whose texts all differ,
//!   gives no input. Where the texts of a column are known beforehand, each of them has its input,
//!   whatever training shows.
//! - A column that is constant or empty in training gives no input.

use std::cmp::Reverse;

use super::column::{Cells, Column, Texts};
use crate::dataset::moments;
use crate::numbers::{Numbers, Precision};

/// How often a text must occur in the training rows to have an input of its own.
const LEAST: usize = 2;

/// The most inputs that one column of texts gets.
pub(crate) const MOST: usize = 100;

/// Beyond these powers of two, squares over- or underflow.
const SAFE_EXPONENT: i32 = 480;

/// Whether columns without information, and very many texts, have inputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Policy {
    /// Every column has the inputs that the publisher of a data set counts.
    AsPublished,
    /// Only columns with information have inputs, and at most [`MOST`] each.
    Informative,
}

/// How one column becomes inputs.
#[derive(Debug, PartialEq)]
pub(crate) enum Encoder {
    /// `(scale x - mean) / deviation`.
    Number { scale: f64, mean: f64, deviation: f64 },
    /// The number of the input of each text.
    OneHot { inputs: Vec<Option<u32>>, width: usize },
    /// No input.
    Unused(Unused),
}

/// Why a column gives no input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unused {
    /// No training cell is filled.
    Empty,
    /// All training cells are equal.
    Constant,
    /// No text occurs twice in training.
    AllDiffer,
}

impl Encoder {
    /// The encoder of `column`, learned from the rows `train`.
    fn fit(column: &Column, train: &[usize], policy: Policy) -> Self {
        match &column.cells {
            Cells::Numbers(cells) => Self::fit_numbers(cells, train, policy),
            Cells::Texts(texts) => Self::fit_texts(texts, train, policy),
        }
    }

    fn fit_numbers(cells: &[Option<f64>], train: &[usize], policy: Policy) -> Self {
        let filled = train.iter().filter_map(|&row| cells[row]);
        let largest = filled.clone().map(f64::abs).fold(0.0, f64::max);
        let least = filled.clone().fold(f64::INFINITY, f64::min);
        let most = filled.clone().fold(f64::NEG_INFINITY, f64::max);
        if least > most {
            return Self::Unused(Unused::Empty);
        }
        if least == most {
            return match policy {
                Policy::AsPublished => Self::Number { scale: 1.0, mean: least, deviation: 1.0 },
                Policy::Informative => Self::Unused(Unused::Constant),
            };
        }
        let scale = safe_scale(largest);
        match moments(filled.map(|value| scale * value)) {
            Some((mean, deviation)) => Self::Number { scale, mean, deviation },
            None => Self::Unused(Unused::Empty),
        }
    }

    fn fit_texts(texts: &Texts, train: &[usize], policy: Policy) -> Self {
        let mut counts = vec![0; texts.texts.len()];
        let mut filled = 0;
        for text in train.iter().filter_map(|&row| texts.cells[row]) {
            counts[text as usize] += 1;
            filled += 1;
        }
        if policy == Policy::Informative {
            let constant = filled == train.len() && counts.contains(&filled);
            match filled {
                0 => return Self::Unused(Unused::Empty),
                _ if constant => return Self::Unused(Unused::Constant),
                _ => {}
            }
        }
        let least = if texts.known { 0 } else { LEAST };
        let mut chosen: Vec<usize> =
            (0..counts.len()).filter(|&text| counts[text] >= least).collect();
        if chosen.is_empty() {
            return Self::Unused(if filled == 0 { Unused::Empty } else { Unused::AllDiffer });
        }
        if policy == Policy::Informative && chosen.len() > MOST {
            chosen.sort_by_key(|&text| (Reverse(counts[text]), text));
            chosen.truncate(MOST);
            chosen.sort_unstable();
        }
        let mut inputs = vec![None; counts.len()];
        for (input, &text) in (0..).zip(&chosen) {
            inputs[text] = Some(input);
        }
        Self::OneHot { inputs, width: chosen.len() }
    }

    /// The number of inputs.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Number { .. } => 1,
            Self::OneHot { width, .. } => *width,
            Self::Unused(_) => 0,
        }
    }

    /// Puts the inputs for one cell at the end of `features`; `false` where one overflows.
    fn push(&self, column: &Column, row: usize, features: &mut Numbers) -> bool {
        match (self, &column.cells) {
            (Self::Number { scale, mean, deviation }, Cells::Numbers(cells)) => {
                let centred = cells[row].map_or(0.0, |value| scale * value - mean);
                features.push(centred / deviation)
            }
            (Self::OneHot { inputs, width }, Cells::Texts(texts)) => {
                let own = texts.cells[row].and_then(|text| inputs[text as usize]);
                (0..*width)
                    .all(|input| features.push(if own == Some(input as u32) { 1.0 } else { 0.0 }))
            }
            _ => true,
        }
    }
}

/// The power of two that brings numbers up to `largest` to where their squares are numbers; 1 for
/// all that are there already.
fn safe_scale(largest: f64) -> f64 {
    let exponent = largest.log2() as i32;
    if exponent.abs() <= SAFE_EXPONENT { 1.0 } else { 2f64.powi((-exponent).clamp(-1020, 1000)) }
}

/// The columns of a table with the encoders learned from its training rows.
pub(crate) struct Encoding<'a> {
    pairs: Vec<(&'a Column, Encoder)>,
}

impl<'a> Encoding<'a> {
    /// Learns from the rows `train`.
    pub(crate) fn fit(columns: &'a [Column], train: &[usize], policy: Policy) -> Self {
        let pair = |column| (column, Encoder::fit(column, train, policy));
        Self { pairs: columns.iter().map(pair).collect() }
    }

    /// Of encoders that are known.
    pub(super) fn of(pairs: Vec<(&'a Column, Encoder)>) -> Self {
        Self { pairs }
    }

    /// The encoder of each column.
    pub(crate) fn encoders(&self) -> impl Iterator<Item = &Encoder> {
        self.pairs.iter().map(|(_, encoder)| encoder)
    }

    /// The number of inputs of one row.
    pub(crate) fn width(&self) -> usize {
        self.pairs.iter().map(|(_, encoder)| encoder.width()).sum()
    }

    /// The inputs of `rows`, one row after the other; the name of a column that overflows.
    pub(crate) fn apply(&self, rows: &[usize], precision: Precision) -> Result<Numbers, &'a str> {
        let mut features = Numbers::with_capacity(precision, rows.len() * self.width());
        for &row in rows {
            for (column, encoder) in &self.pairs {
                if !encoder.push(column, row, &mut features) {
                    return Err(&column.name);
                }
            }
        }
        Ok(features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(cells: &[Option<f64>]) -> Column {
        Column {
            name: "n".to_owned(),
            cells: Cells::Numbers(cells.to_vec()),
            mark: None,
            unit: None,
        }
    }

    fn texts(cells: &[&str]) -> Column {
        let cells = cells.iter().map(|&cell| (!cell.is_empty()).then_some(cell));
        Column {
            name: "t".to_owned(),
            cells: Cells::Texts(Texts::found(cells)),
            mark: None,
            unit: None,
        }
    }

    fn apply(column: Column, train: &[usize], rows: &[usize]) -> Vec<f64> {
        let columns = [column];
        let encoding = Encoding::fit(&columns, train, Policy::Informative);
        encoding.apply(rows, Precision::F32).unwrap().iter().collect()
    }

    #[test]
    fn numbers_are_standardised_by_the_training_rows_and_empty_cells_become_the_mean() {
        let column = numbers(&[Some(1.0), Some(3.0), None, Some(1000.0)]);
        assert_eq!(apply(column, &[0, 1, 2], &[0, 1, 2, 3]), [-1.0, 1.0, 0.0, 998.0]);
    }

    #[test]
    fn numbers_of_any_size_are_standardised() {
        for size in [1e-320, 1e-200, 1.0, 1e200, 1.7e308] {
            let found = apply(numbers(&[Some(size), Some(-size)]), &[0, 1], &[0, 1]);
            assert_eq!(found, [1.0, -1.0], "{size}");
        }
    }

    #[test]
    fn small_differences_of_large_numbers_are_not_lost() {
        let found = apply(numbers(&[Some(1e9), Some(1e9 + 1e-6)]), &[0, 1], &[0, 1]);
        assert!((found[1] - found[0] - 2.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn a_value_that_overflows_when_it_is_standardised_names_its_column() {
        let columns = [numbers(&[Some(0.0), Some(1.0), Some(1e300)])];
        let encoding = Encoding::fit(&columns, &[0, 1], Policy::Informative);
        assert_eq!(encoding.apply(&[2], Precision::F32), Err("n"));
        assert!(encoding.apply(&[2], Precision::F64).is_ok());
    }

    #[test]
    fn texts_become_one_input_each_and_empty_rare_or_new_ones_become_zero() {
        let column = texts(&["red", "blue", "red", "blue", "", "pink", "green"]);
        let expected = [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]].concat();
        assert_eq!(apply(column, &[0, 1, 2, 3, 4, 5], &[0, 1, 4, 5, 6]), expected);
    }

    #[test]
    fn texts_known_beforehand_have_an_input_each_and_empty_ones_are_zero() {
        let known = ["a", "b", "c"].map(str::to_owned).to_vec();
        let cells = Cells::Texts(Texts::of([Some("b"), None, Some("a")].into_iter(), known, true));
        let column = Column { name: "t".to_owned(), cells, mark: None, unit: None };
        let expected = [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]].concat();
        assert_eq!(apply(column, &[0, 2], &[0, 1, 2]), expected);
    }

    #[test]
    fn of_very_many_texts_the_most_frequent_have_inputs() {
        let name = |text: usize| format!("t{text:03}");
        let cells: Vec<String> = (0..150).flat_map(|text| vec![name(text); 2 + text % 3]).collect();
        let column = texts(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        let train: Vec<usize> = (0..cells.len()).collect();
        let columns = [column];
        let encoding = Encoding::fit(&columns, &train, Policy::Informative);
        assert_eq!(encoding.width(), MOST);
        assert_eq!(Encoding::fit(&columns, &train, Policy::AsPublished).width(), 150);
        // Those that occur four times, and none of those that occur twice but the needed.
        let Some(Encoder::OneHot { inputs, .. }) = encoding.encoders().next() else { panic!() };
        assert!((0..150).all(|text| text % 3 == 0 || inputs[text].is_some()));
    }

    #[test]
    fn columns_without_information_in_training_give_no_input_and_say_why() {
        let columns = [
            numbers(&[None, None, Some(1.0)]),
            texts(&["", "", "x"]),
            texts(&["id1", "id2", "id3"]),
            texts(&["x", "x", "y"]),
            numbers(&[Some(0.1), Some(0.1), Some(3.0)]),
            numbers(&[Some(1.0), Some(2.0), Some(3.0)]),
        ];
        let encoding = Encoding::fit(&columns, &[0, 1], Policy::Informative);
        let why = encoding.encoders().map(|encoder| match encoder {
            Encoder::Unused(why) => Some(*why),
            _ => None,
        });
        let (empty, constant) = (Some(Unused::Empty), Some(Unused::Constant));
        let expected = [empty, empty, Some(Unused::AllDiffer), constant, constant, None];
        assert_eq!(why.collect::<Vec<_>>(), expected);
        assert_eq!(encoding.width(), 1);
    }
}
