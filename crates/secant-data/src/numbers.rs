//! Inputs in single or double precision.

use std::fmt;
use std::str::FromStr;

use super::error::DataError;

/// The number type of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Single precision.
    #[default]
    F32,
    /// Double precision.
    F64,
}

impl Precision {
    /// Bytes of one number.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::F64 => size_of::<f64>(),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.pad(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

impl FromStr for Precision {
    type Err = DataError;

    fn from_str(word: &str) -> Result<Self, DataError> {
        match word {
            "f32" => Ok(Self::F32),
            "f64" => Ok(Self::F64),
            _ => Err(DataError::word("precision", word, "f32, f64")),
        }
    }
}

/// Numbers of one precision.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// In single precision.
    F32(Vec<f32>),
    /// In double precision.
    F64(Vec<f64>),
}

impl Numbers {
    /// No numbers yet, with room for `capacity`.
    pub(crate) fn with_capacity(precision: Precision, capacity: usize) -> Self {
        match precision {
            Precision::F32 => Self::F32(Vec::with_capacity(capacity)),
            Precision::F64 => Self::F64(Vec::with_capacity(capacity)),
        }
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(numbers) => numbers.len(),
            Self::F64(numbers) => numbers.len(),
        }
    }

    /// Whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their precision.
    pub fn precision(&self) -> Precision {
        match self {
            Self::F32(_) => Precision::F32,
            Self::F64(_) => Precision::F64,
        }
    }

    /// The rows of `width` numbers with these numbers, in that order. Panics where a row is not
    /// there.
    pub fn select(&self, rows: &[usize], width: usize) -> Self {
        match self {
            Self::F32(numbers) => Self::F32(select(numbers, rows, width)),
            Self::F64(numbers) => Self::F64(select(numbers, rows, width)),
        }
    }

    /// All numbers, widened where they are in single precision.
    pub fn iter(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The number at `index`, widened where it is in single precision. Panics where there is none.
    pub fn get(&self, index: usize) -> f64 {
        match self {
            Self::F32(numbers) => f64::from(numbers[index]),
            Self::F64(numbers) => numbers[index],
        }
    }

    /// Adds a number at the end, rounded to the precision; `false` where it overflows.
    pub(crate) fn push(&mut self, number: f64) -> bool {
        match self {
            Self::F32(numbers) => {
                numbers.push(number as f32);
                (number as f32).is_finite()
            }
            Self::F64(numbers) => {
                numbers.push(number);
                number.is_finite()
            }
        }
    }

    /// Puts `change` of every index and its number in the number's place.
    pub(crate) fn map(&mut self, change: impl Fn(usize, f64) -> f64) {
        match self {
            Self::F32(numbers) => {
                let numbers = numbers.iter_mut().enumerate();
                numbers.for_each(|(at, number)| *number = change(at, f64::from(*number)) as f32);
            }
            Self::F64(numbers) => {
                let numbers = numbers.iter_mut().enumerate();
                numbers.for_each(|(at, number)| *number = change(at, *number));
            }
        }
    }
}

fn select<T: Copy>(numbers: &[T], rows: &[usize], width: usize) -> Vec<T> {
    let mut selected = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        selected.extend_from_slice(&numbers[row * width..(row + 1) * width]);
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_in_the_order_asked_in_both_precisions() {
        let single = Numbers::F32(vec![0.0, 1.0, 2.0, 3.0]);
        assert_eq!(single.select(&[1, 0], 2), Numbers::F32(vec![2.0, 3.0, 0.0, 1.0]));
        let double = Numbers::F64(vec![0.0, 1.0, 2.0, 3.0]);
        assert_eq!(double.select(&[1], 2), Numbers::F64(vec![2.0, 3.0]));
    }

    #[test]
    fn a_number_too_large_for_its_precision_is_told() {
        assert!(!Numbers::F32(Vec::new()).push(1e39));
        assert!(Numbers::F64(Vec::new()).push(1e39));
    }

    #[test]
    fn precisions_are_read_as_they_are_written() {
        for precision in [Precision::F32, Precision::F64] {
            assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
        }
        let message = "f16".parse::<Precision>().unwrap_err().to_string();
        assert!(message.contains("'f16'") && message.contains("f32, f64"), "{message}");
    }
}
