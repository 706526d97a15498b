//! What a model is judged by.

use serde::{Deserialize, Serialize};

/// A measure of a model on a part of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Such as `balanced accuracy`; `loss` is the loss.
    pub name: String,
    /// Which values are better.
    pub direction: Direction,
    /// The values it can have, which its intervals stay in.
    pub range: Range,
}

/// Which values of a metric are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Higher ones.
    Higher,
    /// Lower ones.
    Lower,
}

/// The values that a metric can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Range {
    /// From 0 to 1, shown in percent.
    Share,
    /// From 0.
    Positive,
    /// From 1.
    AtLeastOne,
    /// Up to 1.
    AtMostOne,
    /// Any number.
    Any,
}

impl Range {
    /// Whether a value is one of them.
    pub fn contains(self, value: f64) -> bool {
        match self {
            Self::Share => (0.0..=1.0).contains(&value),
            Self::Positive => value >= 0.0,
            Self::AtLeastOne => value >= 1.0,
            Self::AtMostOne => value <= 1.0,
            Self::Any => !value.is_nan(),
        }
    }

    /// As in messages: what to give.
    pub fn text(self) -> &'static str {
        match self {
            Self::Share => "a share from 0 to 1, as in 0.95 for 95 %",
            Self::Positive => "a number from 0",
            Self::AtLeastOne => "a number from 1",
            Self::AtMostOne => "a number of at most 1",
            Self::Any => "a number",
        }
    }
}

impl Metric {
    /// The loss that training lowers.
    pub fn loss() -> Self {
        Self::new("loss", Direction::Lower, Range::Positive)
    }

    /// A share from 0 to 1 of which more is better, such as accuracy.
    pub fn share(name: &str) -> Self {
        Self::new(name, Direction::Higher, Range::Share)
    }

    /// An error from 0 of which less is better, such as RMSE.
    pub fn error(name: &str) -> Self {
        Self::new(name, Direction::Lower, Range::Positive)
    }

    /// Any metric.
    pub fn new(name: &str, direction: Direction, range: Range) -> Self {
        Self { name: name.to_string(), direction, range }
    }

    /// Whether `a` is better than `b`; a value that is not finite is never better.
    pub fn is_better(&self, a: f64, b: f64) -> bool {
        self.gain(a, b) > 0.0
    }

    /// How much better `a` is than `b`, in the metric's unit.
    pub fn gain(&self, a: f64, b: f64) -> f64 {
        match self.direction {
            Direction::Higher => a - b,
            Direction::Lower => b - a,
        }
    }

    /// Whether values are shown in percent.
    pub fn is_in_percent(&self) -> bool {
        self.range == Range::Share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_its_ends_and_nothing_beyond_them() {
        for (range, inside, outside) in [
            (Range::Share, [0.0, 1.0], vec![-1.0, 95.0, 1e300, f64::NAN]),
            (Range::Positive, [0.0, 1e300], vec![-0.1]),
            (Range::AtLeastOne, [1.0, 1e300], vec![0.9]),
            (Range::AtMostOne, [-1e300, 1.0], vec![1.1]),
            (Range::Any, [-1e300, 1e300], vec![f64::NAN]),
        ] {
            assert!(inside.into_iter().all(|value| range.contains(value)), "{range:?}");
            assert!(!outside.into_iter().any(|value| range.contains(value)), "{range:?}");
        }
    }
}
