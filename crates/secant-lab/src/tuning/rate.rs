//! The search for a learning rate.
//!
//! The usual rate of the optimizer is tried first, then its neighbours half a decade away, then outwards
//! from the best so far, until the best lies between two worse ones: it is bracketed. Further trials
//! halve the distance to its neighbours.

use super::{Score, best};

/// One rate that was tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TriedRate {
    /// The learning rate.
    pub lr: f64,
    /// How good it was.
    pub score: Score,
}

/// The search for one method's rate.
#[derive(Clone, Debug)]
pub struct RateSearch {
    usual: f64,
    tried: Vec<TriedRate>,
}

impl RateSearch {
    /// A search that begins at the usual rate.
    pub fn new(usual: f64) -> Self {
        Self { usual, tried: Vec::new() }
    }

    /// Notes what a rate came to.
    pub fn add(&mut self, lr: f64, score: Score) {
        self.tried.push(TriedRate { lr, score });
    }

    /// The best rate so far; the usual one before any trial.
    pub fn best(&self) -> f64 {
        let scores: Vec<Score> = self.tried.iter().map(|tried| tried.score).collect();
        best(&scores).map_or(self.usual, |place| self.tried[place].lr)
    }

    /// Whether a smaller and a larger rate than the best were tried.
    pub fn is_bracketed(&self) -> bool {
        let best = self.best();
        let any = |is_beyond: fn(&f64, &f64) -> bool| {
            self.tried.iter().any(|tried| is_beyond(&tried.lr, &best))
        };
        any(|lr, best| lr < best) && any(|lr, best| lr > best)
    }

    /// The rate to try next.
    pub fn next(&self) -> f64 {
        if self.tried.is_empty() {
            return rate(self.usual, 0);
        }
        let centre = self.steps_to(self.best());
        let is_new = |step: &i32| !self.tried.iter().any(|tried| self.steps_to(tried.lr) == *step);
        // Half decades first, then quarters, then outwards.
        let near = [-2, 2, -1, 1].into_iter();
        let far = (3..).flat_map(|distance| [-distance, distance]);
        let step = near.chain(far).map(|distance| centre + distance).find(is_new);
        rate(self.usual, step.unwrap_or(centre))
    }

    /// How many quarter decades `lr` lies above the usual rate.
    fn steps_to(&self, lr: f64) -> i32 {
        ((lr / self.usual).log10() * 4.0).round() as i32
    }
}

/// The rate `step` quarter decades above the usual one, rounded to two digits as a person would.
fn rate(usual: f64, step: i32) -> f64 {
    let exact = usual * 10f64.powf(f64::from(step) / 4.0);
    let digit = 10f64.powf(exact.log10().floor() - 1.0);
    // Dividing by a power of ten gives the number nearest to the decimal one.
    let inverse = (1.0 / digit).round();
    if digit < 1.0 { (exact / digit).round() / inverse } else { (exact / digit).round() * digit }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn search(usual: f64, trials: usize, value: impl Fn(f64) -> f64) -> RateSearch {
        let mut search = RateSearch::new(usual);
        for _ in 0..trials {
            let lr = search.next();
            let value = Some(value(lr)).filter(|value| value.is_finite());
            search.add(lr, Score { value, trained: value.is_some() });
        }
        search
    }

    fn rates(search: &RateSearch) -> Vec<f64> {
        search.tried.iter().map(|tried| tried.lr).collect()
    }

    #[test]
    fn the_first_three_trials_bracket_the_usual_rate_and_the_next_two_halve_the_distance() {
        let found = search(3e-3, 5, |lr| -(lr / 3e-3).ln().abs());
        assert_eq!(rates(&found), [3e-3, 9.5e-4, 9.5e-3, 1.7e-3, 5.3e-3]);
        assert!(found.is_bracketed());
    }

    #[test]
    fn a_search_that_starts_a_decade_off_brackets_the_best_in_five_trials() {
        for best in [1e-2, 1.0] {
            let found = search(0.1, 5, |lr| -(lr / best).ln().abs());
            assert!((found.best() / best - 1.0).abs() < 0.1, "{found:?}");
            assert!(search(0.1, 6, |lr| -(lr / best).ln().abs()).is_bracketed());
        }
    }

    #[test]
    fn a_diverged_trial_is_a_side_of_the_bracket() {
        let found = search(0.1, 3, |lr| if lr > 0.2 { f64::NAN } else { -(lr / 0.1).ln().abs() });
        assert!(found.is_bracketed() && found.best() == 0.1, "{found:?}");
    }

    #[test]
    fn one_trial_brackets_nothing() {
        assert!(!search(0.1, 1, |_| 1.0).is_bracketed());
    }

    proptest! {
        #[test]
        fn no_rate_is_tried_twice_and_a_smooth_best_is_found_from_anywhere(
            usual in -5.0f64..1.0, off in -3.0f64..3.0,
        ) {
            let (usual, target) = (10f64.powf(usual), 10f64.powf(usual + off));
            let found = search(usual, 14, |lr| -(lr / target).ln().powi(2));
            let mut tried = rates(&found);
            tried.sort_by(f64::total_cmp);
            prop_assert!(tried.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", tried);
            prop_assert!(found.is_bracketed());
            prop_assert!((found.best() / target).log10().abs() < 0.2, "{found:?}");
        }
    }
}
