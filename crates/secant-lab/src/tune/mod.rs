//! The search for a learning rate, with the same budget for every optimizer.
//!
//! Rates are half decades apart. The usual rate of the optimizer is tried first, then its two
//! neighbours; further trials go to the untried neighbour of the best rate so far, so a search
//! that starts at the wrong place walks to the right one.

/// The result of one trial: its rate, and how good it was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    /// The learning rate.
    pub lr: f64,
    /// The validation accuracy.
    pub accuracy: f64,
    /// The validation loss; infinite where it was not finite.
    pub loss: f64,
}

impl Tried {
    /// Better: higher accuracy, or the same and a lower loss. NaN is never better.
    fn beats(&self, other: &Self) -> bool {
        self.accuracy > other.accuracy
            || (self.accuracy == other.accuracy && self.loss < other.loss)
    }
}

/// The best trial; the earlier of two equal ones.
pub fn best(tried: &[Tried]) -> Option<Tried> {
    tried.iter().copied().reduce(|best, next| if next.beats(&best) { next } else { best })
}

/// The rate to try next.
pub fn next_rate(usual: f64, tried: &[Tried]) -> f64 {
    let Some(best) = best(tried) else { return usual };
    let is_new = |step: i32| !tried.iter().any(|tried| half_decades(usual, tried.lr) == step);
    let centre = half_decades(usual, best.lr);
    // Outwards from the best rate, smaller rates first.
    let steps = (1..).flat_map(|distance| [centre - distance, centre + distance]);
    let step = steps.into_iter().find(|step| is_new(*step)).unwrap_or(centre);
    rate(usual, step)
}

/// The rate `step` half decades above the usual one, rounded to two digits as a person would.
fn rate(usual: f64, step: i32) -> f64 {
    let exact = usual * 10f64.powf(f64::from(step) / 2.0);
    let digit = 10f64.powf(exact.log10().floor() - 1.0);
    // Dividing by a power of ten gives the number nearest to the decimal one.
    let inverse = (1.0 / digit).round();
    if digit < 1.0 { (exact / digit).round() / inverse } else { (exact / digit).round() * digit }
}

/// How many half decades `lr` lies above the usual rate.
fn half_decades(usual: f64, lr: f64) -> i32 {
    ((lr / usual).log10() * 2.0).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(usual: f64, trials: usize, accuracy: impl Fn(f64) -> f64) -> Vec<Tried> {
        let mut tried = Vec::new();
        for _ in 0..trials {
            let lr = next_rate(usual, &tried);
            let accuracy = accuracy(lr);
            tried.push(Tried { lr, accuracy, loss: 1.0 - accuracy });
        }
        tried
    }

    #[test]
    fn the_first_three_trials_are_the_usual_rate_and_its_neighbours_if_it_is_best() {
        let tried = search(3e-3, 3, |lr| -(lr / 3e-3).ln().abs());
        let rates: Vec<f64> = tried.iter().map(|tried| tried.lr).collect();
        assert_eq!(rates, [3e-3, 9.5e-4, 9.5e-3]);
    }

    #[test]
    fn a_search_that_starts_three_decades_off_walks_to_the_best_rate() {
        let tried = search(1e-4, 9, |lr| -(lr / 0.1).ln().abs());
        assert!(best(&tried).is_some_and(|best| (best.lr - 0.1).abs() < 1e-12), "{tried:?}");
    }

    #[test]
    fn no_rate_is_tried_twice() {
        let tried = search(0.1, 12, |lr| (lr * 1e4).sin());
        for (index, trial) in tried.iter().enumerate() {
            assert!(!tried[..index].iter().any(|earlier| earlier.lr == trial.lr));
        }
    }

    #[test]
    fn a_diverged_trial_never_wins() {
        let nan = Tried { lr: 1.0, accuracy: f64::NAN, loss: f64::NAN };
        let bad = Tried { lr: 0.1, accuracy: 0.1, loss: f64::INFINITY };
        let good = Tried { lr: 0.01, accuracy: 0.1, loss: 2.0 };
        assert_eq!(best(&[bad, nan, good]), Some(good));
    }
}
