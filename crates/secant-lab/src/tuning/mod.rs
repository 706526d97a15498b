//! The search for a method's settings, with the same number of trials for every method.

mod rate;
mod search;
mod sequence;

pub use rate::{RateSearch, TriedRate};
pub use search::{Search, SearchError};
pub(crate) use sequence::point as point_of_sequence;

/// How good a trial was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The metric that tuning goes by, turned so that more is better; `None` where it is not finite.
    pub value: Option<f64>,
    /// Whether the run trained: every loss finite, and the last below the first.
    pub trained: bool,
}

impl Score {
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
