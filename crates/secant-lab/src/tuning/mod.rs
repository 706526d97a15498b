//! The search for a method's settings, with the same number of trials for every method.

mod rate;
mod search;
mod sequence;

pub use rate::{RateSearch, TriedRate};
pub use search::{Search, SearchError};
pub(crate) use sequence::point as point_of_sequence;

use crate::statistics::mean;

/// How good a trial was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The metric that tuning goes by, turned so that more is better; `None` where it is not finite.
    pub value: Option<f64>,
    /// Whether its runs trained: every validation loss was finite, and that or the training loss fell.
    pub trained: bool,
}

impl Score {
    /// That of a trial of several runs: a rate that fails from one seed in a few is no good one.
    pub fn mean(runs: &[Self]) -> Self {
        let values: Option<Vec<f64>> = runs.iter().map(|run| run.value).collect();
        Self {
            value: values.and_then(|values| mean(&values)),
            trained: runs.iter().all(|run| run.trained),
        }
    }

    /// Better: trained before untrained, then by value. What is not finite is never better.
    pub fn beats(&self, other: &Self) -> bool {
        let key = |score: &Self| (score.trained, score.value.is_some());
        match (self.value, other.value) {
            (Some(ours), Some(theirs)) if self.trained == other.trained => ours > theirs,
            _ => key(self) > key(other),
        }
    }
}

/// The place of the best of these; of equal ones the earliest.
pub fn best(scores: &[Score]) -> Option<usize> {
    (0..scores.len())
        .reduce(|best, next| if scores[next].beats(&scores[best]) { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_as_good_as_the_mean_of_its_runs_and_fails_with_any_of_them() {
        let score = |value, trained| Score { value, trained };
        let of = |runs: &[Score]| Score::mean(runs);
        assert_eq!(of(&[score(Some(1.0), true), score(Some(4.0), true)]), score(Some(2.5), true));
        assert_eq!(of(&[score(Some(1.0), true), score(None, false)]), score(None, false));
        assert_eq!(of(&[score(Some(1.0), true), score(Some(2.0), false)]), score(Some(1.5), false));
    }

    #[test]
    fn a_diverged_trial_never_wins_and_of_equal_ones_the_first_does() {
        let score = |value, trained| Score { value, trained };
        let diverged = score(None, false);
        let untrained = score(Some(9.0), false);
        let good = score(Some(1.0), true);
        assert_eq!(best(&[diverged, untrained, good, good]), Some(2));
        assert_eq!(best(&[diverged, untrained]), Some(1));
        assert_eq!(best(&[diverged, diverged]), Some(0));
        assert_eq!(best(&[]), None);
    }
}
