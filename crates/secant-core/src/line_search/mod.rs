//! Line searches: how far to go along a direction of descent.
//!
//! With phi(t) = f(x + t d), a search looks for a step t > 0 with a sufficient decrease,
//! phi(t) <= phi(0) + c1 t phi'(0), and, where it is told slopes, with a slope phi'(t) that is
//! flatter than phi'(0).
//!
//! A search is a state machine that evaluates nothing itself. `first` says which step to try;
//! each `tell` hands over what was found there and returns the [`Next`] step to try, until the
//! search is [`Next::Done`]. A value or slope that is NaN or infinite is never accepted, and every
//! step that is asked for is finite and positive, whatever the search was told.
//!
//! - [`Armijo`]: values alone, shorter and shorter steps;
//! - [`StrongWolfe`]: values and slopes, bracket and zoom;
//! - [`MoreThuente`]: the same conditions, by an interval that shrinks at a known rate.

mod armijo;
mod cubic;
mod more_thuente;
mod strong_wolfe;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use armijo::{Armijo, ArmijoSettings};
pub use more_thuente::MoreThuente;
pub use strong_wolfe::{LowPoint, StrongWolfe, WolfeSettings};

/// A search that is told values and slopes.
///
/// The gradient at the step that is returned is never lost if the driver keeps one gradient apart from the
/// first and the newest: after each [`SlopeSearch::tell`] for which [`SlopeSearch::keep_newest`] says so, that
/// of the newest point in place of the one kept before.
pub trait SlopeSearch {
    /// The first step to try.
    fn first(&self) -> Next;

    /// Takes value and slope at the step last asked for.
    fn tell(&mut self, value: f64, slope: f64) -> Next;

    /// Whether the newest point is the best one so far; at the end, whether it is the one found.
    fn keep_newest(&self) -> bool;
}

/// Constants of a search that are out of order.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{must}")]
pub struct SettingsError {
    /// What they must be.
    pub must: &'static str,
}

/// The line at its beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// phi(0).
    pub value: f64,
    /// phi'(0), the inner product of gradient and direction: negative, or the search fails at once.
    pub slope: f64,
    /// The size of the rounding error of values, absolute: values closer than this are not ordered.
    /// At 0 (and where it is negative or not finite) every value is taken as exact.
    pub noise: f64,
}

/// What a search wants next.
#[must_use = "a search goes on only if it is told what was found at the step"]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Evaluate at this step.
    Try(f64),
    /// The search has ended.
    Done(Found),
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// The step to take; 0 if and only if the search failed.
    pub step: f64,
    /// What is known about it.
    pub reason: Ended,
}

/// What is known about the step that a search returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Ended {
    /// Sufficient decrease and |phi'(t)| <= c2 |phi'(0)|.
    StrongWolfe,
    /// No rise beyond the noise and (2 c1 - 1) phi'(0) >= phi'(t) >= c2 phi'(0).
    ApproximateWolfe,
    /// [`Armijo`]: sufficient decrease. [`StrongWolfe`]: the evaluations or the bracket ran out at
    /// a value that is not above the first one.
    Decrease,
    /// No rise beyond the noise, where a sufficient decrease is too small to be measured.
    WithinNoise,
    /// No step was found; it is 0.
    Failed,
}

impl Start {
    /// Whether the line descends from finite numbers.
    fn descends(&self) -> bool {
        self.value.is_finite() && self.slope.is_finite() && self.slope < 0.0
    }

    /// The noise, 0 where it is no positive number.
    fn usable_noise(&self) -> f64 {
        if self.noise.is_finite() { self.noise.max(0.0) } else { 0.0 }
    }

    /// phi(0) + c1 t phi'(0): the largest value at `step` that is a sufficient decrease.
    fn sufficient(&self, c1: f64, step: f64) -> f64 {
        self.value + c1 * step * self.slope
    }
}

impl Found {
    const FAILED: Self = Self { step: 0.0, reason: Ended::Failed };
}

/// Whether a step can be asked for.
fn is_step(step: f64) -> bool {
    step.is_finite() && step > 0.0
}
