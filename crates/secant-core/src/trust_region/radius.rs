//! The radius of a trust region, from the success of the steps.
//!
//! A step is judged by the ratio of what the loss did to what the model said, and by whether it
//! was long enough for the radius to have held it back. Every test is written so that NaN shrinks
//! the radius.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A rule whose numbers are out of order.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error("{must}, got {rule:?}")]
pub struct RadiusError<R: std::fmt::Debug> {
    /// What the rule must satisfy.
    pub must: &'static str,
    /// The rule.
    pub rule: R,
}

/// The change of the loss over the change of the model; 0 where the model's change is too small to
/// divide by, or one of them is not finite.
pub fn reduction_ratio(actual: f64, predicted: f64) -> f64 {
    let ratio = actual / predicted;
    if predicted.abs() >= 1e-30 && ratio.is_finite() { ratio } else { 0.0 }
}

/// The rule of L-SSR1-TR, for a ratio rho and a step s (Erway, Griffin, Marcia and Omheni,
/// *Trust-region algorithms for training responses*, 2019, as public re-implementations have it).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwoSidedRule {
    /// Shrinks where rho < tau2.
    pub tau2: f64,
    /// May grow where rho >= tau3.
    pub tau3: f64,
    /// Shrinks to at most nu1 delta ...
    pub nu1: f64,
    /// ... and at most nu2 |s|.
    pub nu2: f64,
    /// Grows where |s| >= nu3 delta.
    pub nu3: f64,
    /// Grows to nu4 delta.
    pub nu4: f64,
    /// The radius never falls below this: at zero it could not grow again.
    pub delta_min: f64,
}

impl Default for TwoSidedRule {
    /// The values of the public code of DD4ML, and the floor of [`AveragedRule`].
    fn default() -> Self {
        Self { tau2: 0.25, tau3: 0.75, nu1: 0.25, nu2: 0.5, nu3: 0.9, nu4: 2.0, delta_min: 1e-10 }
    }
}

impl TwoSidedRule {
    /// Whether the numbers are in the order that the convergence theory wants.
    ///
    /// # Errors
    /// Where they are not.
    pub fn validate(&self) -> Result<(), RadiusError<Self>> {
        let Self { tau2, tau3, nu1, nu2, nu3, nu4, delta_min } = *self;
        let ratios = 0.0 < tau2 && tau2 < 0.5 && 0.5 < tau3 && tau3 < 1.0;
        let shrinking = 0.0 < nu1 && nu1 < nu2 && nu2 <= 0.5;
        let growing = 0.5 < nu3 && nu3 < 1.0 && 1.0 < nu4 && nu4.is_finite();
        if ratios && shrinking && growing && delta_min > 0.0 && delta_min.is_finite() {
            return Ok(());
        }
        let must = "the radius rule needs 0 < tau2 < 0.5 < tau3 < 1, 0 < nu1 < nu2 <= 0.5 < nu3 < 1 \
                    < nu4 and delta_min > 0";
        Err(RadiusError { must, rule: *self })
    }

    /// The radius after a step of length `step_norm` within the radius `delta`.
    pub fn next(&self, delta: f64, step_norm: f64, rho: f64) -> f64 {
        if rho >= self.tau3 && step_norm >= self.nu3 * delta {
            self.nu4 * delta
        } else if rho >= self.tau2 {
            delta
        } else {
            (self.nu1 * delta).min(self.nu2 * step_norm).max(self.delta_min)
        }
    }
}

/// The rule of MB-LSR1 (Griffin, Jahani, Takac, Yektamaram and Zhou, algorithm 5), for an averaged
/// ratio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AveragedRule {
    /// Shrinks where the averaged ratio is below.
    pub shrink_below: f64,
    /// May grow where it is at least this.
    pub grow_from: f64,
    /// Grows to this multiple ...
    pub growth: f64,
    /// ... where the step reached this fraction of the radius. The paper has 1; a step of `f32`
    /// entries that was scaled to the radius passes that only half the time.
    pub reached: f64,
    /// Shrinks to at most this multiple, and at most to the length of the step. The paper has 1: a full
    /// step to the boundary then never shrinks the radius.
    pub shrink: f64,
    /// The multiple after a line search that found nothing.
    pub after_failure: f64,
    /// The radius never falls below this.
    pub delta_min: f64,
}

impl Default for AveragedRule {
    /// Stricter than the paper: it shrinks below 0.25, to half, and grows from 0.75 on.
    fn default() -> Self {
        Self { shrink_below: 0.25, grow_from: 0.75, shrink: 0.5, ..Self::paper() }
    }
}

impl AveragedRule {
    /// The thresholds of the paper, 0.1 and 0.5, and its shrinking to the step's length.
    pub fn paper() -> Self {
        Self {
            shrink_below: 0.1,
            grow_from: 0.5,
            growth: 2.0,
            reached: 1.0 - 1e-3,
            shrink: 1.0,
            after_failure: 0.25,
            delta_min: 1e-10,
        }
    }

    /// Whether the numbers are in order.
    ///
    /// # Errors
    /// Where they are not.
    pub fn validate(&self) -> Result<(), RadiusError<Self>> {
        let Self { shrink_below, grow_from, growth, reached, shrink, after_failure, delta_min } =
            *self;
        let fraction = |x: f64| 0.0 < x && x <= 1.0;
        let ratios = shrink_below <= grow_from && growth > 1.0 && growth.is_finite();
        let fractions = fraction(reached) && fraction(shrink) && fraction(after_failure);
        if ratios && fractions && delta_min > 0.0 && delta_min.is_finite() {
            return Ok(());
        }
        let must = "the radius rule needs shrink_below <= grow_from, growth > 1, delta_min > 0, and \
                    reached, shrink and after_failure in (0, 1]";
        Err(RadiusError { must, rule: *self })
    }

    /// The radius after a step of length `step_norm` within the radius `delta`.
    pub fn next(&self, delta: f64, step_norm: f64, averaged_rho: f64) -> f64 {
        if averaged_rho >= self.grow_from && step_norm >= self.reached * delta {
            self.growth * delta
        } else if averaged_rho >= self.shrink_below {
            delta
        } else {
            (self.shrink * delta).min(step_norm).max(self.delta_min)
        }
    }

    /// The radius after a line search that found no decrease.
    pub fn after_failed_search(&self, delta: f64) -> f64 {
        (self.after_failure * delta).max(self.delta_min)
    }
}

/// The running average of the ratios, rho_hat: an average of numerators over one of denominators, each
/// x_hat <- (zeta T x_hat + x) / (zeta T + 1), and then T <- zeta T + 1.
///
/// With ratios as numerators and 1 as denominators, rho_hat is the average of ratios; with the changes of
/// the loss and those of the model, it is the ratio of their averages. With zeta = 1 averages are means,
/// with zeta = 0 the last number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AveragedRatio {
    /// How much of the past counts, in [0, 1]; may change between steps.
    pub zeta: f64,
    /// T, the weight of the past.
    pub weight: f64,
    /// The average of the numerators.
    pub numerator: f64,
    /// The average of the denominators.
    pub denominator: f64,
}

impl AveragedRatio {
    /// An average of nothing yet.
    pub fn new(zeta: f64) -> Self {
        Self { zeta, weight: 0.0, numerator: 0.0, denominator: 0.0 }
    }

    /// Takes a numerator and a denominator in.
    pub fn record(&mut self, numerator: f64, denominator: f64) {
        let past = self.zeta * self.weight;
        self.weight = past + 1.0;
        self.numerator = (past * self.numerator + numerator) / self.weight;
        self.denominator = (past * self.denominator + denominator) / self.weight;
    }

    /// rho_hat; 0 before the first.
    pub fn value(&self) -> f64 {
        reduction_ratio(self.numerator, self.denominator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SplitMix64;

    #[test]
    fn with_zeta_one_the_average_is_the_mean_and_with_zeta_zero_the_last_ratio() {
        let mut rng = SplitMix64::new(1);
        let (mut mean, mut last) = (AveragedRatio::new(1.0), AveragedRatio::new(0.0));
        let mut sum = 0.0;
        for count in 1..200 {
            let rho = f64::from(rng.range(-3.0, 3.0));
            sum += rho;
            let expected = sum / f64::from(count);
            // At most 200 roundings of numbers below 3.
            mean.record(rho, 1.0);
            last.record(rho, 1.0);
            assert!((mean.value() - expected).abs() < 1e-13);
            assert_eq!(last.value(), rho);
        }
    }

    #[test]
    fn the_average_of_zeta_between_weighs_the_past_less() {
        let mut average = AveragedRatio::new(0.5);
        assert_eq!(average.value(), 0.0);
        let mut after = |rho| {
            average.record(rho, 1.0);
            average.value()
        };
        // T = 1: (0.5 * 1 + 2) / 1.5; then T = 1.5: (0.75 * 5/3 + 4) / 1.75.
        assert_eq!(after(1.0), 1.0);
        assert!((after(2.0) - 5.0 / 3.0).abs() < 1e-15);
        assert!((after(4.0) - 3.0).abs() < 1e-15);
        assert_eq!(average.weight, 1.75);
        // From now on only the last ratio counts.
        average.zeta = 0.0;
        average.record(-1.0, 1.0);
        assert_eq!(average.value(), -1.0);
    }

    #[test]
    fn the_ratio_of_averages_weighs_large_changes_more() {
        let mut average = AveragedRatio::new(1.0);
        for (actual, model) in [(-1.0, -1.0), (2.0, -4.0), (-3.0, -3.0)] {
            average.record(actual, model);
        }
        // The mean of the ratios is 0.5.
        assert_eq!(average.value(), 2.0 / 8.0);
    }

    #[test]
    fn the_ratio_is_zero_where_it_cannot_be_told() {
        assert_eq!(reduction_ratio(-1.0, -2.0), 0.5);
        for (actual, predicted) in
            [(-1.0, 0.0), (-1.0, 1e-31), (f64::NAN, -1.0), (f64::INFINITY, -1.0), (-1.0, f64::NAN)]
        {
            assert_eq!(reduction_ratio(actual, predicted), 0.0);
        }
    }

    #[test]
    fn the_two_sided_rule_shrinks_keeps_and_grows() {
        let rule = TwoSidedRule::default();
        // delta, |s|, rho, next delta
        for (delta, step, rho, next) in [
            (1.0, 1.0, 0.2, 0.25),
            (1.0, 0.1, 0.2, 0.05),
            (1.0, 1.0, -5.0, 0.25),
            (1.0, 1.0, 0.25, 1.0),
            (1.0, 1.0, 0.7, 1.0),
            (1.0, 0.8, 0.75, 1.0),
            (1.0, 0.9, 0.75, 2.0),
            (1.0, 0.0, 0.0, 1e-10),
            (1.0, 1.0, f64::NAN, 0.25),
        ] {
            assert_eq!(rule.next(delta, step, rho), next, "{delta} {step} {rho}");
        }
    }

    #[test]
    fn the_averaged_rule_shrinks_keeps_and_grows() {
        let rule = AveragedRule::paper();
        for (delta, step, rho, next) in [
            (1.0, 0.3, 0.05, 0.3),
            (1.0, 2.0, 0.05, 1.0),
            (1.0, 1.0, 0.1, 1.0),
            (1.0, 0.5, 0.9, 1.0),
            (1.0, 0.999, 0.5, 2.0),
            (1.0, 0.0, 0.0, 1e-10),
            (1.0, 0.5, f64::NAN, 0.5),
        ] {
            assert_eq!(rule.next(delta, step, rho), next, "{delta} {step} {rho}");
        }
        assert_eq!(AveragedRule { shrink: 0.5, ..rule }.next(1.0, 1.0, 0.0), 0.5);
        assert_eq!(rule.after_failed_search(1.0), 0.25);
        assert_eq!(rule.after_failed_search(1e-10), 1e-10);
    }

    #[test]
    fn the_radius_stays_positive_and_grows_only_after_good_long_steps() {
        let mut rng = SplitMix64::new(2);
        let (two_sided, averaged) = (TwoSidedRule::default(), AveragedRule::default());
        let mut radii = [1.0, 1.0];
        for _ in 0..2000 {
            let rho = if rng.below(20) == 0 { f64::NAN } else { f64::from(rng.range(-1.0, 2.0)) };
            let share = f64::from(rng.range(0.0, 1.1)).min(1.0);
            let steps = radii.map(|delta| share * delta);
            let next =
                [two_sided.next(radii[0], steps[0], rho), averaged.next(radii[1], steps[1], rho)];
            for (delta, next) in radii.iter().zip(next) {
                assert!(next >= 1e-10 && next <= 2.0 * delta);
                assert!(next <= *delta || (rho >= 0.5 && share >= 0.9));
            }
            radii = next;
        }
    }

    #[test]
    fn rules_out_of_order_are_refused() {
        assert_eq!(TwoSidedRule::default().validate(), Ok(()));
        assert_eq!(AveragedRule::default().validate(), Ok(()));
        let rule = TwoSidedRule { nu1: 0.6, ..TwoSidedRule::default() };
        let error = rule.validate().unwrap_err();
        assert!(error.to_string().contains("0 < nu1 < nu2 <= 0.5"), "{error}");
        for rule in [
            AveragedRule { delta_min: 0.0, ..AveragedRule::default() },
            AveragedRule { growth: f64::NAN, ..AveragedRule::default() },
            AveragedRule { shrink: 0.0, ..AveragedRule::default() },
        ] {
            assert!(rule.validate().is_err());
        }
    }
}
