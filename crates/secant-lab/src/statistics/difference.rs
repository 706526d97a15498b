//! Differences between two methods, paired by seed.
//!
//! Their interval is that of signed ranks where there are seeds enough for one, and else Student's: a run that
//! fails makes the spread so large that Student's test could not tell it from anything.

use super::{
    interval::{student, tail},
    mean,
    signed_rank::middle,
    standard_deviation,
};
use crate::Range;

/// The difference of two methods over the seeds that both have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// What the differences are of.
    pub of: Scale,
    /// The middle of the differences, as Hodges and Lehmann estimate it; of few seeds the mean.
    pub estimate: f64,
    /// The lower end of its interval; none for fewer than two seeds.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The standard deviation over seeds; none for fewer than two.
    pub deviation: Option<f64>,
    /// Seeds that both have.
    pub count: usize,
}

/// What differences are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// The values.
    Values,
    /// Their logarithms: how many times one is the other.
    Logarithms,
}

impl Difference {
    /// Of the logarithms of these pairs of values, one a seed, all above 0. Errors can lie decades apart, and
    /// there what one method has in one seed would hide everything else in a difference of values.
    pub fn of_logarithms(pairs: &[[f64; 2]], together: usize) -> Option<Self> {
        let logarithms: Vec<f64> = pairs.iter().map(|[a, b]| a.ln() - b.ln()).collect();
        let difference = Self::of(&logarithms, Range::Any, together)?;
        Some(Self { of: Scale::Logarithms, ..difference })
    }

    /// Of these differences, one a seed, between values of a metric with this range. The interval is one
    /// of `together` that hold together with 95 % confidence.
    pub fn of(differences: &[f64], range: Range, together: usize) -> Option<Self> {
        let (count, deviation) = (differences.len(), standard_deviation(differences));
        let (estimate, ends) = match middle(differences, tail(together)) {
            Some([estimate, low, high]) => (estimate, Some((low, high))),
            None => {
                let mean = mean(differences)?;
                let ends = deviation.map(|deviation| {
                    let reach = student(count - 1, together) * deviation / (count as f64).sqrt();
                    within(range, mean, reach)
                });
                (mean, ends)
            }
        };
        let (low, high) = ends.unzip();
        Some(Self { of: Scale::Values, estimate, low, high, deviation, count })
    }

    /// Whether the whole interval lies below -`margin`.
    pub fn is_below(&self, margin: f64) -> bool {
        self.high.is_some_and(|high| high < -margin)
    }

    /// Whether the interval holds 0, or nothing is known of the spread.
    pub fn is_undecided(&self) -> bool {
        match (self.low, self.high) {
            (Some(low), Some(high)) => low <= 0.0 && high >= 0.0,
            _ => true,
        }
    }
}

/// The ends of the interval; a difference of two shares stays between -1 and 1 (Fisher's transformation).
fn within(range: Range, mean: f64, reach: f64) -> (f64, f64) {
    if range == Range::Share && mean.abs() < 1.0 {
        let reach = reach / (1.0 - mean * mean);
        return ((mean.atanh() - reach).tanh(), (mean.atanh() + reach).tanh());
    }
    (mean - reach, mean + reach)
}

/// The most seeds that are suggested.
const MOST_SEEDS: usize = 50;

/// How many seeds would be needed for the interval to lie beyond -`margin`, if mean and spread stay as they are;
/// `None` where 50 do not suffice.
pub fn seeds_to_decide(difference: &Difference, margin: f64, together: usize) -> Option<usize> {
    let deviation = difference.deviation?;
    let reach = |count: usize| student(count - 1, together) * deviation / (count as f64).sqrt();
    let beyond = -difference.estimate - margin;
    (difference.count + 1..=MOST_SEEDS).find(|&count| reach(count) < beyond)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_interval_is_that_of_students_paired_test() {
        // R: t.test(c(1, 2, 3, 4), mu = 0)$conf.int is 0.4457397 to 4.5542603.
        let found = Difference::of(&[1.0, 2.0, 3.0, 4.0], Range::Any, 1).expect("values");
        let (low, high) = (found.low.expect("low"), found.high.expect("high"));
        assert!((low - 0.445_739_7).abs() < 1e-5 && (high - 4.554_260_3).abs() < 1e-5);
        assert!(!found.is_undecided());
        assert!(
            Difference::of(&[1.0, 2.0, 3.0, 4.0], Range::Any, 8).expect("values").is_undecided()
        );
    }

    #[test]
    fn one_seed_decides_nothing_and_equal_differences_everything() {
        assert!(Difference::of(&[0.5], Range::Any, 1).expect("a value").is_undecided());
        assert!(!Difference::of(&[0.5, 0.5], Range::Any, 9).expect("values").is_undecided());
        assert!(Difference::of(&[0.0, 0.0], Range::Any, 9).expect("values").is_undecided());
        assert_eq!(Difference::of(&[], Range::Any, 1), None);
    }

    #[test]
    fn more_seeds_are_suggested_only_where_they_would_decide() {
        let clear = Difference::of(&[-0.9, -1.0, -1.4], Range::Any, 8).expect("values");
        let count = seeds_to_decide(&clear, 0.0, 8).expect("a number");
        assert!((4..=20).contains(&count), "{count}");
        assert!(seeds_to_decide(&clear, 0.5, 8).expect("a number") > count);
        assert_eq!(seeds_to_decide(&clear, 1.1, 8), None);
        let hopeless = Difference::of(&[-1.0, 1.1, 0.0], Range::Any, 8).expect("values");
        assert_eq!(seeds_to_decide(&hopeless, 0.0, 8), None);
    }

    #[test]
    fn errors_that_lie_decades_apart_are_told_apart_by_their_logarithms() {
        let pairs = [[1e-4, 0.06], [2e-4, 1.2], [1.5e-4, 0.2]];
        let values: Vec<f64> = pairs.iter().map(|[a, b]| a - b).collect();
        assert!(Difference::of(&values, Range::Positive, 1).expect("values").is_undecided());
        let found = Difference::of_logarithms(&pairs, 1).expect("values");
        assert!(!found.is_undecided() && found.of == Scale::Logarithms);
        // The geometric mean of the ratios 600, 6,000 and 1,333.
        let expected = (600.0f64 * 6000.0 * (4000.0 / 3.0)).cbrt();
        assert!((found.estimate.exp() * expected - 1.0).abs() < 1e-12, "{found:?}");
        // Whatever the unit of the error.
        let scaled = pairs.map(|pair| pair.map(|error| 1e5 * error));
        let other = Difference::of_logarithms(&scaled, 1).expect("values");
        assert!((other.estimate - found.estimate).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn differences_of_shares_stay_between_minus_one_and_one(
            values in prop::collection::vec(-1.0f64..1.0, 2..6), together in 1usize..30,
        ) {
            let found = Difference::of(&values, Range::Share, together).expect("values");
            prop_assert!(found.low >= Some(-1.0) && found.high <= Some(1.0), "{found:?}");
            prop_assert!(found.low <= Some(found.estimate) && found.high >= Some(found.estimate));
        }
    }
}
