//! Backtracking: t, shrink t, shrink^2 t, ... until the decrease is sufficient (Nocedal and
//! Wright, *Numerical Optimization*, Algorithm 3.1).
//!
//! The test is phi(t) <= phi(0) + c1 t phi'(0). Close to a minimum its right side differs from
//! phi(0) by less than values are rounded, and no step passes. So where the decrease asked for,
//! c1 t |phi'(0)|, is less than the noise, phi(t) <= phi(0) + noise is enough. This is the bound
//! of Hager and Zhang (2005, condition T2); they ask for a flatter slope with it, in place of which
//! stands the bound on the decrease.

use serde::{Deserialize, Serialize};

use super::{Ended, Found, Next, SettingsError, Start, is_step};

/// The constants of a backtracking search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArmijoSettings {
    /// The share of the first slope's decrease that is sufficient.
    pub c1: f64,
    /// The ratio of each step to the one before.
    pub shrink: f64,
    /// Trials at most.
    pub max_trials: u32,
}

impl Default for ArmijoSettings {
    /// c1 = 1e-4 and the steps 1, 1/2, ..., 2^-14.
    fn default() -> Self {
        Self { c1: 1e-4, shrink: 0.5, max_trials: 15 }
    }
}

impl ArmijoSettings {
    /// Whether the constants are in order.
    ///
    /// # Errors
    /// Where they are not.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let Self { c1, shrink, max_trials } = *self;
        let fraction = |x: f64| 0.0 < x && x < 1.0;
        if fraction(c1) && fraction(shrink) && max_trials > 0 {
            return Ok(());
        }
        let must = "a backtracking search needs c1 and shrink in (0, 1) and at least 1 trial";
        Err(SettingsError { must })
    }
}

/// A backtracking search.
///
/// Step 7 of MB-LSR1; step 4 of L-SSR1-TR and step 2 of L-BFGS where they backtrack.
#[derive(Clone, Debug, PartialEq)]
pub struct Armijo {
    settings: ArmijoSettings,
    start: Start,
    /// The number of values told.
    trials: u32,
    next: Next,
}

impl Armijo {
    /// A search that tries `first_step` first.
    pub fn new(settings: ArmijoSettings, start: Start, first_step: f64) -> Self {
        let mut search = Self { settings, start, trials: 0, next: Next::Done(Found::FAILED) };
        if start.descends() {
            search.next = search.try_next(first_step);
        }
        search
    }

    /// The first step to try.
    pub fn first(&self) -> Next {
        self.next
    }

    /// Takes the value at the step last asked for.
    pub fn tell(&mut self, value: f64) -> Next {
        if let Next::Try(step) = self.next {
            self.trials += 1;
            self.next = match self.accepts(step, value) {
                Some(reason) => Next::Done(Found { step, reason }),
                None => self.try_next(self.settings.shrink * step),
            };
        }
        self.next
    }

    fn try_next(&self, step: f64) -> Next {
        let possible = self.trials < self.settings.max_trials && is_step(step);
        if possible { Next::Try(step) } else { Next::Done(Found::FAILED) }
    }

    fn accepts(&self, step: f64, value: f64) -> Option<Ended> {
        let (Start { value: first, slope, .. }, noise) = (self.start, self.start.usable_noise());
        let c1 = self.settings.c1;
        if !value.is_finite() {
            None
        } else if value <= self.start.sufficient(c1, step) {
            Some(Ended::Decrease)
        } else if c1 * step * slope.abs() < noise && value <= first + noise {
            Some(Ended::WithinNoise)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs a search; the steps it asked for, and how it ended.
    fn run(mut search: Armijo, mut phi: impl FnMut(f64) -> f64) -> (Vec<f64>, Found) {
        let mut steps = Vec::new();
        let mut next = search.first();
        loop {
            match next {
                Next::Try(step) => {
                    steps.push(step);
                    next = search.tell(phi(step));
                }
                Next::Done(found) => return (steps, found),
            }
        }
    }

    fn start(value: f64, slope: f64) -> Start {
        Start { value, slope, noise: 0.0 }
    }

    fn search(start: Start, first_step: f64) -> Armijo {
        Armijo::new(ArmijoSettings::default(), start, first_step)
    }

    #[test]
    fn the_steps_are_halved_from_1_to_two_to_the_minus_14_and_then_the_search_fails() {
        let (steps, found) = run(search(start(0.0, -1.0), 1.0), |_| 1.0);
        let expected: Vec<f64> = (0..15).map(|k| 2f64.powi(-k)).collect();
        assert_eq!(steps, expected);
        assert_eq!(found, Found::FAILED);
    }

    #[test]
    fn the_first_step_with_a_sufficient_decrease_is_taken() {
        // (1 - 4 t)^2 has a slope of -8 and falls below 1 - 8e-4 t for 0 < t < 1/2.
        let (steps, found) = run(search(start(1.0, -8.0), 1.0), |t| (1.0 - 4.0 * t).powi(2));
        assert_eq!(steps, [1.0, 0.5, 0.25]);
        assert_eq!(found, Found { step: 0.25, reason: Ended::Decrease });
    }

    #[test]
    fn a_value_that_is_not_finite_is_never_a_decrease() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let phi = |t: f64| if t > 0.3 { bad } else { -t };
            let (_, found) = run(search(start(0.0, -1.0), 1.0), phi);
            assert_eq!(found, Found { step: 0.25, reason: Ended::Decrease });
        }
    }

    #[test]
    fn a_line_that_does_not_descend_from_finite_numbers_fails_before_any_trial() {
        let nan = f64::NAN;
        for (value, slope, step) in [
            (0.0, 0.0, 1.0),
            (0.0, 1.0, 1.0),
            (0.0, nan, 1.0),
            (0.0, f64::NEG_INFINITY, 1.0),
            (nan, -1.0, 1.0),
            (f64::INFINITY, -1.0, 1.0),
            (0.0, -1.0, 0.0),
            (0.0, -1.0, nan),
            (0.0, -1.0, f64::INFINITY),
        ] {
            assert_eq!(search(start(value, slope), step).first(), Next::Done(Found::FAILED));
        }
        let none = ArmijoSettings { max_trials: 0, ..ArmijoSettings::default() };
        let search = Armijo::new(none, start(0.0, -1.0), 1.0);
        assert_eq!(search.first(), Next::Done(Found::FAILED));
    }

    #[test]
    fn noise_excuses_a_rise_only_where_the_decrease_asked_for_is_smaller_than_the_noise() {
        // c1 t |slope| = 1e-4 at the first step: above the noise in the first row alone.
        for (noise, rise, step) in [(0.9e-4, 0.5e-4, 0.5), (2e-4, 1e-4, 1.0), (2e-4, 2.1e-4, 0.0)] {
            let start = Start { value: 0.0, slope: -1.0, noise };
            let (_, found) = run(search(start, 1.0), |_| rise);
            assert_eq!(found.step, step);
            assert_eq!(found.reason == Ended::WithinNoise, step > 0.0);
        }
    }

    #[test]
    fn with_values_rounded_to_f32_the_exact_test_asks_for_a_tiny_step_and_the_one_with_noise_takes_the_first()
     {
        // The decrease of at most 1e-6 is less than half the distance of f32 numbers at 1000
        // (6e-5), so that all values round to the same one. The exact test passes only where the
        // decrease it asks for is rounded away in f64 too: 2e-10 t < 1e-13 / 2.
        let phi = |t: f64| f64::from((1000.0 + 1e-6 * ((t - 1.0).powi(2) - 1.0)) as f32);
        let start = |noise| Start { value: 1000.0, slope: -2e-6, noise };
        assert!(run(search(start(0.0), 1.0), phi).1.step < 1e-3);
        let found = run(search(start(1e-7 * 1000.0), 1.0), phi).1;
        assert_eq!(found, Found { step: 1.0, reason: Ended::WithinNoise });
    }

    proptest! {
        #[test]
        fn any_values_whatever_end_it_in_time_at_a_step_that_it_asked_for(
            values in prop::collection::vec(prop::num::f64::ANY, 20),
            first in prop::array::uniform4(prop::num::f64::ANY),
            shrink in prop_oneof![0.1..0.9f64, prop::num::f64::ANY],
        ) {
            let settings = ArmijoSettings { shrink, ..ArmijoSettings::default() };
            let [value, slope, noise, first_step] = first;
            let start = Start { value, slope, noise };
            let mut told = values.iter();
            let mut last = f64::NAN;
            let search = Armijo::new(settings, start, first_step);
            // 20 values are more than the 15 that it can ask for.
            let (steps, found) = run(search, |_| { last = *told.next().expect("enough"); last });
            prop_assert!(steps.len() <= 15);
            prop_assert!(steps.iter().all(|&step| is_step(step)));
            if found.step > 0.0 {
                prop_assert_eq!(Some(&found.step), steps.last());
                let bound = value + settings.c1 * found.step * slope;
                let excused = found.reason == Ended::WithinNoise && last <= value + noise;
                prop_assert!(last.is_finite() && (last <= bound || excused));
            } else {
                prop_assert_eq!(found, Found::FAILED);
            }
        }

        #[test]
        fn a_nan_region_is_survived(
            edge in 1e-3..10.0f64,
            minimum in 1e-2..10.0f64,
        ) {
            let phi = |t: f64| if t > edge { f64::NAN } else { (t - minimum).powi(2) };
            let (_, found) = run(search(start(phi(0.0), -2.0 * minimum), 1.0), phi);
            prop_assert_eq!(found.reason, Ended::Decrease);
            prop_assert!(phi(found.step) < phi(0.0));
        }
    }
}
