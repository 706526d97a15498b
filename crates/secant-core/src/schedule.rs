//! Learning-rate schedules: the rate as a pure function of the number of updates already made.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A learning rate over time: a curve, and in front of it an optional linear warm-up.
///
/// Updates are counted from 0. A curve counts in *periods* of [`Schedule::with_period`] updates (1
/// unless told), so with the number of updates in an epoch as the period, milestones and the
/// cosine are given in epochs and the rate changes between epochs only. The warm-up always counts
/// updates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    base: f64,
    curve: Curve,
    period: u64,
    warmup: Option<Warmup>,
}

/// How the rate falls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Curve {
    Constant,
    Milestones { at: Vec<u64>, factor: f64 },
    Cosine { total: u64, last: f64 },
    InverseSqrt { after: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Warmup {
    updates: u64,
    from: f64,
}

/// A schedule that cannot be.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ScheduleError {
    /// A rate is not a finite number that is at least zero.
    #[error("the {what} of a learning-rate schedule must be finite and at least 0, got {value}")]
    Rate {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A count is zero.
    #[error("the {what} of a learning-rate schedule must be at least 1")]
    Zero {
        /// Which number.
        what: &'static str,
    },
}

impl Schedule {
    /// The same rate for ever.
    pub fn constant(base: f64) -> Self {
        Self::of(base, Curve::Constant)
    }

    /// base * factor^(number of milestones <= period): the step schedule of the Apollo paper.
    pub fn milestones(base: f64, at: impl Into<Vec<u64>>, factor: f64) -> Self {
        let at = at.into();
        Self::of(base, Curve::Milestones { at, factor })
    }

    /// last + (base - last) (1 + cos(pi period / total)) / 2, and `last` from period `total` on.
    pub fn cosine(base: f64, total: u64, last: f64) -> Self {
        Self::of(base, Curve::Cosine { total, last })
    }

    /// base * sqrt(after / update) once update >= after, `base` before: the schedule of
    /// transformers, usually with a warm-up of `after` updates in front.
    pub fn inverse_sqrt(base: f64, after: u64) -> Self {
        Self::of(base, Curve::InverseSqrt { after })
    }

    /// Counts the curve in periods of `updates` updates.
    #[must_use]
    pub fn with_period(mut self, updates: u64) -> Self {
        self.period = updates;
        self
    }

    /// Rises linearly from `from` to the base rate over `updates` updates before the curve begins
    /// to rule; the curve's own clock runs meanwhile.
    #[must_use]
    pub fn with_warmup(mut self, updates: u64, from: f64) -> Self {
        self.warmup = Some(Warmup { updates, from });
        self
    }

    /// The rate of the update that follows `updates` earlier ones.
    pub fn rate(&self, updates: u64) -> f64 {
        if let Some(Warmup { updates: length, from }) = self.warmup
            && updates < length
        {
            return from + (self.base - from) * updates as f64 / length as f64;
        }
        let period = updates / self.period;
        match &self.curve {
            Curve::Constant => self.base,
            Curve::Milestones { at, factor } => {
                let passed = at.iter().filter(|&&milestone| milestone <= period).count();
                self.base * factor.powi(passed as i32)
            }
            Curve::Cosine { total, last } if period >= *total => *last,
            Curve::Cosine { total, last } => {
                let angle = std::f64::consts::PI * period as f64 / *total as f64;
                last + (self.base - last) * (1.0 + angle.cos()) / 2.0
            }
            Curve::InverseSqrt { after } => {
                self.base * (*after as f64 / period.max(*after) as f64).sqrt()
            }
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// Names the first number that cannot be.
    pub fn validate(&self) -> Result<(), ScheduleError> {
        let rates = [
            ("base rate", self.base),
            (
                "milestone factor",
                if let Curve::Milestones { factor, .. } = self.curve { factor } else { 0.0 },
            ),
            ("last rate", if let Curve::Cosine { last, .. } = self.curve { last } else { 0.0 }),
            ("first rate of the warm-up", self.warmup.map_or(0.0, |warmup| warmup.from)),
        ];
        if let Some(&(what, value)) = rates.iter().find(|(_, v)| !(v.is_finite() && *v >= 0.0)) {
            return Err(ScheduleError::Rate { what, value });
        }
        let counts = [
            ("period", self.period),
            (
                "length of the cosine",
                if let Curve::Cosine { total, .. } = self.curve { total } else { 1 },
            ),
            (
                "start of the inverse square root",
                if let Curve::InverseSqrt { after } = self.curve { after } else { 1 },
            ),
        ];
        match counts.iter().find(|(_, count)| *count == 0) {
            Some(&(what, _)) => Err(ScheduleError::Zero { what }),
            None => Ok(()),
        }
    }

    fn of(base: f64, curve: Curve) -> Self {
        Self { base, curve, period: 1, warmup: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Products of a few factors: a few roundings.
    fn assert_close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() <= 1e-15 + 1e-14 * expected, "{actual} != {expected}");
    }

    #[test]
    fn milestones_change_the_rate_between_epochs() {
        let schedule = Schedule::milestones(0.1, [80, 120], 0.1).with_period(390);
        assert_close(schedule.rate(0), 0.1);
        assert_close(schedule.rate(80 * 390 - 1), 0.1);
        assert_close(schedule.rate(80 * 390), 0.01);
        assert_close(schedule.rate(120 * 390), 0.001);
    }

    #[test]
    fn the_cosine_starts_at_the_base_is_halfway_in_the_middle_and_stays_at_the_last_rate() {
        let schedule = Schedule::cosine(0.1, 200, 1e-4);
        assert_close(schedule.rate(0), 0.1);
        assert_close(schedule.rate(100), (0.1 + 1e-4) / 2.0);
        assert_close(schedule.rate(200), 1e-4);
        assert_close(schedule.rate(1000), 1e-4);
    }

    #[test]
    fn the_inverse_square_root_with_its_warm_up_is_continuous() {
        let schedule = Schedule::inverse_sqrt(0.1, 1000).with_warmup(1000, 0.0);
        assert_close(schedule.rate(500), 0.05);
        assert_close(schedule.rate(1000), 0.1);
        assert_close(schedule.rate(4000), 0.05);
    }

    #[test]
    fn a_warm_up_goes_in_front_of_any_curve_and_begins_at_its_first_rate() {
        for schedule in [
            Schedule::constant(1.0),
            Schedule::milestones(1.0, [500], 0.5),
            Schedule::cosine(1.0, 10_000, 0.0),
            Schedule::inverse_sqrt(1.0, 100),
        ] {
            let warm = schedule.clone().with_warmup(100, 0.5);
            assert_close(warm.rate(0), 0.5);
            assert_close(warm.rate(50), 0.75);
            for update in [100, 499, 500, 5000] {
                assert_close(warm.rate(update), schedule.rate(update));
            }
        }
    }

    #[test]
    fn numbers_that_cannot_be_are_named() {
        let says = |schedule: Schedule| schedule.validate().unwrap_err().to_string();
        assert!(says(Schedule::constant(f64::NAN)).contains("base rate"));
        assert!(says(Schedule::milestones(1.0, [1], -1.0)).contains("milestone factor"));
        assert!(says(Schedule::cosine(1.0, 0, 0.0)).contains("length of the cosine"));
        assert!(says(Schedule::constant(1.0).with_period(0)).contains("period"));
        assert!(says(Schedule::constant(1.0).with_warmup(5, f64::INFINITY)).contains("warm-up"));
        assert_eq!(Schedule::inverse_sqrt(1.0, 1).validate(), Ok(()));
    }
}
