//! Intervals for a mean over seeds that stay in the metric's range.
//!
//! Student's t-interval of the mean, of a transformation of it that maps the range to all numbers (logit
//! for shares, logarithm for errors), by the delta method, and mapped back.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{mean, standard_deviation};
use crate::Range;

/// An interval with its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The arithmetic mean.
    pub mean: f64,
    /// The lower end; the mean where nothing is known of the spread.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many values went in.
    pub count: usize,
}

/// The confidence that every interval has.
const CONFIDENCE: f64 = 0.95;

/// The 95 % interval of the mean of `values`; `None` without values.
pub fn interval(values: &[f64], range: Range) -> Option<Interval> {
    let mean = mean(values)?;
    let reach = standard_deviation(values).map_or(0.0, |deviation| {
        student(values.len() - 1, 1) * deviation / (values.len() as f64).sqrt()
    });
    let (low, high) = within(range, mean, reach);
    Some(Interval { mean, low, high, count: values.len() })
}

/// How many standard errors an interval reaches to either side with so many degrees of freedom, where it
/// is one of `count` that shall all hold together (Bonferroni).
pub(super) fn student(degrees: usize, count: usize) -> f64 {
    StudentsT::new(0.0, 1.0, degrees as f64).map_or(f64::NAN, |t| -t.inverse_cdf(tail(count)))
}

/// What an interval leaves out to either side where it is one of `count` that shall all hold together.
pub(super) fn tail(count: usize) -> f64 {
    (1.0 - CONFIDENCE) / 2.0 / count as f64
}

/// The ends of an interval that reaches so far to either side of the mean before it is bent into the range.
fn within(range: Range, mean: f64, reach: f64) -> (f64, f64) {
    if reach == 0.0 {
        return (mean, mean);
    }
    let positive = |value: f64| {
        let factor = (reach / value).exp();
        (value / factor, value * factor)
    };
    match range {
        Range::Any => (mean - reach, mean + reach),
        Range::Positive if mean > 0.0 => positive(mean),
        Range::AtLeastOne if mean > 1.0 => {
            let (low, high) = positive(mean - 1.0);
            (1.0 + low, 1.0 + high)
        }
        Range::AtMostOne if mean < 1.0 => {
            let (low, high) = positive(1.0 - mean);
            (1.0 - high, 1.0 - low)
        }
        Range::Share if mean > 0.0 && mean < 1.0 => {
            let logit = (mean / (1.0 - mean)).ln();
            let reach = reach / (mean * (1.0 - mean));
            let share = |x: f64| 1.0 / (1.0 + (-x).exp());
            (share(logit - reach), share(logit + reach))
        }
        // The mean is at or beyond the end of its range: no transformation is defined there.
        _ => (mean - reach, mean + reach),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_a_range_it_is_students_interval() {
        let found =
            interval(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], Range::Any).expect("values");
        assert!((found.high - found.mean - 1.787_49).abs() < 1e-4, "{found:?}");
        let three = interval(&[1.0, 2.0, 3.0], Range::Any).expect("values");
        assert!((three.high - 2.0 - 4.302_653 / 3.0_f64.sqrt()).abs() < 1e-5);
    }

    #[test]
    fn a_small_spread_is_the_same_with_and_without_a_transformation() {
        let values = [0.500_01, 0.5, 0.499_99];
        let plain = interval(&values, Range::Any).expect("values");
        for range in [Range::Share, Range::Positive, Range::AtMostOne] {
            let bent = interval(&values, range).expect("values");
            assert!((bent.low - plain.low).abs() < 1e-8 && (bent.high - plain.high).abs() < 1e-8);
        }
    }

    #[test]
    fn one_value_or_equal_values_have_no_width() {
        let one = interval(&[0.7], Range::Share).expect("a value");
        assert_eq!((one.low, one.high, one.count), (0.7, 0.7, 1));
        let equal = interval(&[1.0; 4], Range::Share).expect("values");
        assert_eq!((equal.low, equal.high), (1.0, 1.0));
        assert_eq!(interval(&[], Range::Any), None);
    }

    #[test]
    fn intervals_that_shall_hold_together_are_wider() {
        // The 99.6875 % point for 4 degrees of freedom.
        assert!((student(4, 8) - 5.267_6).abs() < 0.01, "{}", student(4, 8));
        assert!(student(4, 8) > student(4, 1));
    }

    proptest! {
        #[test]
        fn no_interval_leaves_the_range_of_its_metric_or_its_mean(
            values in prop::collection::vec(0.0f64..=1.0, 2..8),
        ) {
            let shifted: Vec<f64> = values.iter().map(|value| 1.0 + value).collect();
            let found = interval(&shifted, Range::AtLeastOne).expect("values");
            prop_assert!(found.mean == 1.0 || found.low >= 1.0, "{found:?}");
            for range in [Range::Share, Range::Positive, Range::AtMostOne, Range::Any] {
                let found = interval(&values, range).expect("values");
                prop_assert!(found.low <= found.mean && found.mean <= found.high);
                let inside = found.mean > 0.0 && found.mean < 1.0;
                if inside && range == Range::Share {
                    prop_assert!(found.low >= 0.0 && found.high <= 1.0, "{found:?}");
                }
                if inside && range == Range::Positive {
                    prop_assert!(found.low >= 0.0);
                }
                if inside && range == Range::AtMostOne {
                    prop_assert!(found.high <= 1.0);
                }
            }
        }
    }
}
