//! How long a run is, and how much of that has been spent.

use std::{fmt, str::FromStr};

use secant::Evals;
use serde::{Deserialize, Serialize};

/// How long a run is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// Gradient evaluations, in records: a Hessian product counts as two, a product with the Jacobian as
    /// one, a loss alone as a third.
    Evaluations(u64),
    /// Passes over the training records by the steps' batches, whatever a step evaluates.
    Epochs(f64),
    /// Seconds of training.
    Seconds(f64),
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evaluations(records) => write!(f, "{records} evaluations"),
            Self::Epochs(1.0) => f.write_str("1 epoch"),
            Self::Epochs(epochs) => write!(f, "{epochs} epochs"),
            Self::Seconds(seconds) => write!(f, "{seconds} seconds"),
        }
    }
}

impl FromStr for Budget {
    type Err = String;

    /// A number and its unit: `100000evaluations`, `5epochs`, `2.5seconds` or `2.5s`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |unit: &str| {
            let number: f64 = text.trim().strip_suffix(unit)?.trim().parse().ok()?;
            (number > 0.0).then_some(number)
        };
        if let Some(records) = number("evaluations") {
            return match at_most(MOST_EVALUATIONS, records, "evaluations")? {
                records if records < 1.0 => Err("a budget has at least one evaluation".to_string()),
                records => Ok(Self::Evaluations(records as u64)),
            };
        }
        if let Some(epochs) = number("epochs") {
            return at_most(Self::MOST_EPOCHS, epochs, "epochs").map(Self::Epochs);
        }
        if let Some(seconds) = number("seconds").or_else(|| number("s")) {
            return at_most(MOST_SECONDS, seconds, "seconds").map(Self::Seconds);
        }
        Err("a budget is a number above 0 and evaluations, epochs or seconds, as in \
             100000evaluations, 5epochs or 30s"
            .to_string())
    }
}

impl Budget {
    /// The most passes over the training records.
    pub const MOST_EPOCHS: f64 = 1e6;
}

/// More than a machine makes in a year.
const MOST_EVALUATIONS: f64 = 1e15;
/// About three years.
const MOST_SECONDS: f64 = 1e8;

fn at_most(most: f64, number: f64, unit: &str) -> Result<f64, String> {
    if number <= most { Ok(number) } else { Err(format!("a budget has at most {most} {unit}")) }
}

/// What a run has spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Gradient evaluations, in records.
    pub evaluations: f64,
    /// Passes over the training records by the steps' batches.
    pub epochs: f64,
    /// Seconds of training.
    pub seconds: f64,
}

/// Gradients that an exact Hessian product counts as: its time is about twice that of one.
const PRODUCT: f64 = 2.0;

/// Gradients that a product with the Jacobian counts as: a forward pass and its tangent, which has two
/// products in each layer.
const JACOBIAN: f64 = 1.0;

/// Gradients that a forward pass alone counts as.
const FORWARD: f64 = 1.0 / 3.0;

/// What these evaluations count as, in gradients of one record.
pub fn evaluations(evals: &Evals) -> f64 {
    evals.gradient_records as f64
        + PRODUCT * evals.hessian_vector_records as f64
        + JACOBIAN * evals.jacobian_vector_records as f64
        + FORWARD * evals.loss_records as f64
}

impl Budget {
    /// How many records the batches of a run pass at least, of so many in an epoch; none where that is known
    /// afterwards.
    pub(crate) fn records(self, in_epoch: usize) -> Option<f64> {
        match self {
            Self::Evaluations(records) => Some(records as f64),
            Self::Epochs(epochs) => Some(epochs * in_epoch as f64),
            Self::Seconds(_) => None,
        }
    }

    /// How much of this has been spent, from 0; 1 is all.
    pub fn progress(self, spent: &Spent) -> f64 {
        match self {
            Self::Evaluations(records) => spent.evaluations / records as f64,
            Self::Epochs(epochs) => spent.epochs / epochs,
            Self::Seconds(seconds) => spent.seconds / seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_number_and_its_unit() {
        assert_eq!("100000evaluations".parse(), Ok(Budget::Evaluations(100_000)));
        assert_eq!("1e5 evaluations".parse(), Ok(Budget::Evaluations(100_000)));
        assert_eq!("2.5epochs".parse(), Ok(Budget::Epochs(2.5)));
        assert_eq!("30s".parse(), Ok(Budget::Seconds(30.0)));
        assert_eq!("0.5 seconds".parse(), Ok(Budget::Seconds(0.5)));
        for wrong in ["", "5", "epochs", "-1epochs", "0s", "NaNs", "5apples"] {
            let told = wrong.parse::<Budget>().expect_err("no budget");
            assert!(told.contains("a number above 0 and evaluations, epochs or seconds"), "{told}");
        }
    }

    #[test]
    fn a_budget_beyond_the_limits_of_its_unit_is_refused_with_the_limit() {
        let cases = [
            ("0.2evaluations", "a budget has at least one evaluation"),
            ("1e18evaluations", "a budget has at most 1000000000000000 evaluations"),
            ("1000000001epochs", "a budget has at most 1000000 epochs"),
            ("1e300s", "a budget has at most 100000000 seconds"),
            ("infs", "a budget has at most 100000000 seconds"),
        ];
        for (wrong, expected) in cases {
            assert_eq!(wrong.parse::<Budget>(), Err(expected.to_string()));
        }
        for right in ["1evaluations", "1e15evaluations", "1e6epochs", "1e8s", "1e-9epochs"] {
            assert!(right.parse::<Budget>().is_ok(), "{right}");
        }
    }

    #[test]
    fn a_product_counts_as_two_gradients_and_a_loss_as_a_third() {
        let mut evals = Evals::default();
        (evals.gradient_records, evals.hessian_vector_records, evals.loss_records) = (10, 10, 9);
        assert_eq!(evaluations(&evals), 33.0);
    }
}
