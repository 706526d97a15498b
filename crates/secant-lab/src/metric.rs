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
