//! The numbers that a hyper-parameter can be.

use std::fmt;

/// The values a number can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// [0, 1): decay rates of moving averages.
    Below1,
    /// [0, 1].
    Unit,
    /// (0, 1).
    Inside1,
    /// (0, 1].
    Above0To1,
    /// Finite and above 0.
    Positive,
    /// Finite and at least 0.
    NotNegative,
    /// [0, 20]: powers in weights, which are still finite after 10^15 steps.
    Power,
    /// At least 1: counts, and finite factors that never shrink.
    AtLeast1,
    /// Not NaN.
    Number,
    /// Every value of the type.
    Any,
}

impl Range {
    /// Whether `value` is in it; NaN never is, except where every value is.
    pub fn contains(self, value: f64) -> bool {
        match self {
            Self::Below1 => (0.0..1.0).contains(&value),
            Self::Unit => (0.0..=1.0).contains(&value),
            Self::Inside1 => value > 0.0 && value < 1.0,
            Self::Above0To1 => value > 0.0 && value <= 1.0,
            Self::Positive => value > 0.0 && value.is_finite(),
            Self::NotNegative => value >= 0.0 && value.is_finite(),
            Self::Power => (0.0..=20.0).contains(&value),
            Self::AtLeast1 => value >= 1.0 && value.is_finite(),
            Self::Number => !value.is_nan(),
            Self::Any => true,
        }
    }

    /// As in messages: what the value must be.
    pub fn text(self) -> &'static str {
        match self {
            Self::Below1 => "in [0, 1)",
            Self::Unit => "in [0, 1]",
            Self::Inside1 => "in (0, 1)",
            Self::Above0To1 => "in (0, 1]",
            Self::Positive => "finite and above 0",
            Self::NotNegative => "finite and at least 0",
            Self::Power => "in [0, 20]",
            Self::AtLeast1 => "at least 1",
            Self::Number => "a number",
            Self::Any => "",
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A value that a range can be asked about.
pub trait Ranged: Copy {
    /// The number; none where there is nothing to check.
    fn number(self) -> Option<f64>;
}

impl Ranged for f64 {
    fn number(self) -> Option<f64> {
        Some(self)
    }
}

impl Ranged for usize {
    fn number(self) -> Option<f64> {
        Some(self as f64)
    }
}

impl<T: Ranged> Ranged for Option<T> {
    fn number(self) -> Option<f64> {
        self.and_then(T::number)
    }
}
