//! Bracket and zoom: a step with the strong Wolfe conditions
//!
//! - phi(t) <= phi(0) + c1 t phi'(0) (sufficient decrease),
//! - |phi'(t)| <= c2 |phi'(0)| (curvature)
//!
//! (Nocedal and Wright, *Numerical Optimization*, Algorithms 3.5 and 3.6). Bracketing goes on to
//! longer steps until two of them enclose such a step; zooming narrows the bracket, of which the
//! low end is the best point so far. [`WolfeSettings::torch`] asks for the same steps and returns
//! the same one as `torch.optim.LBFGS`, and the default search differs from it in three points:
//!
//! 1. The low end always has a sufficient decrease, up to the noise ([`LowPoint`]).
//! 2. The bracket may become arbitrarily small (`tolerance_change` = 0), which makes the search
//!    independent of the scale of the parameters.
//! 3. With [`Start::noise`] > 0 the approximate Wolfe conditions of Hager and Zhang (*A new
//!    conjugate gradient method with guaranteed descent and an efficient line search*, 2005,
//!    condition T2) are accepted too:
//!    phi(t) <= phi(0) + noise and (2 c1 - 1) phi'(0) >= phi'(t) >= c2 phi'(0).
//!    For a parabola the bound above is sufficient decrease, said by slopes, which near a minimum
//!    are known much better than differences of values. For the same reason a value excludes a
//!    step only if it is too high by more than the noise, the sign of the slope decides in which
//!    direction to go on, and between values that the noise does not tell apart the secant of the
//!    slopes takes the place of the cubic.
//!
//! Where torch's search is given NaN or infinity it passes every test and extends the step for
//! ever; here such a point is the high end of a bracket. Other deviations from torch need numbers
//! that overflow, or a bracket without a number inside it: the search ends there.

use serde::{Deserialize, Serialize};

use super::{
    Ended, Found, Next, SettingsError, SlopeSearch, Start,
    cubic::{Point, cubic_minimiser, secant_minimiser},
    is_step,
};

/// The constants of a search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WolfeSettings {
    /// The share of the first slope's decrease that is sufficient.
    pub c1: f64,
    /// The share of the first slope that may be left.
    pub c2: f64,
    /// Evaluations after the first one, which always takes place: `max_ls` of torch.
    pub max_iterations: u32,
    /// A bracket that moves every parameter by less than this is not narrowed.
    pub tolerance_change: f64,
    /// What the low end of a bracket must be.
    pub low_point: LowPoint,
}

/// What the low end of a bracket, the point that is returned if the evaluations run out, must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LowPoint {
    /// The end with the lower value, as in torch, which can lack a sufficient decrease. If the
    /// evaluations run out before there is a bracket, the last point and the first are its ends.
    Lowest,
    /// The end with the lower value among those with a sufficient decrease. If the evaluations run
    /// out before there is a bracket, the last two points are its ends.
    SufficientDecrease,
}

impl WolfeSettings {
    /// The default number of evaluations after the first one.
    pub const MAX_ITERATIONS: u32 = 25;

    /// The search of `torch.optim.LBFGS`, which is meant for a [`Start::noise`] of 0.
    pub fn torch(max_iterations: u32) -> Self {
        Self {
            c1: 1e-4,
            c2: 0.9,
            max_iterations,
            tolerance_change: 1e-9,
            low_point: LowPoint::Lowest,
        }
    }

    /// Whether the constants are in order.
    ///
    /// # Errors
    /// Where they are not.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let Self { c1, c2, tolerance_change, .. } = *self;
        if 0.0 < c1 && c1 < c2 && c2 < 1.0 && tolerance_change >= 0.0 {
            return Ok(());
        }
        let must = "a Wolfe search needs 0 < c1 < c2 < 1 and tolerance_change at least 0";
        Err(SettingsError { must })
    }
}

impl Default for WolfeSettings {
    fn default() -> Self {
        Self {
            tolerance_change: 0.0,
            low_point: LowPoint::SufficientDecrease,
            ..Self::torch(Self::MAX_ITERATIONS)
        }
    }
}

/// A search for a step with the strong Wolfe conditions.
///
/// Step 2 of L-BFGS and step 4 of L-SSR1-TR.
///
/// The gradient at the step that is returned is never lost if the driver keeps one gradient apart
/// from the first and the newest: after each `tell` for which [`SlopeSearch::keep_newest`] says so, that
/// of the newest point in place of the one kept before. A step that is returned is 0, the newest
/// one or the kept one.
#[derive(Clone, Debug, PartialEq)]
pub struct StrongWolfe {
    settings: WolfeSettings,
    start: Start,
    direction_max_norm: f64,
    /// Steps asked for after the first one.
    iterations: u32,
    /// The step last asked for.
    trial: f64,
    /// The step last told of; 0 before the first.
    newest: f64,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// All steps told of lead downwards; `previous` is the last of them, or the start.
    Bracketing {
        previous: Point,
    },
    /// `close`: the last trial was close to an end.
    Zooming {
        bracket: Bracket,
        close: bool,
    },
    Ended(Found),
}

/// Two points with an acceptable step between them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bracket {
    ends: [Point; 2],
    /// The index of the low end.
    low: usize,
}

impl Bracket {
    fn low(&self) -> Point {
        self.ends[self.low]
    }

    fn high(&self) -> Point {
        self.ends[1 - self.low]
    }

    fn interval(&self) -> (f64, f64) {
        let [a, b] = self.ends.map(|end| end.step);
        (a.min(b), a.max(b))
    }

    /// The index of the end with the lower value.
    fn lowest(&self) -> usize {
        usize::from(self.ends[1].is_finite() && self.ends[1].value < self.ends[0].value)
    }
}

impl SlopeSearch for StrongWolfe {
    fn first(&self) -> Next {
        match self.phase {
            Phase::Ended(found) => Next::Done(found),
            _ => Next::Try(self.trial),
        }
    }

    fn tell(&mut self, value: f64, slope: f64) -> Next {
        let newest = Point { step: self.trial, value, slope };
        self.newest = newest.step;
        match self.phase {
            Phase::Bracketing { previous } => self.bracket(previous, newest),
            Phase::Zooming { bracket, .. } => self.zoom(bracket, newest),
            Phase::Ended(found) => Next::Done(found),
        }
    }

    fn keep_newest(&self) -> bool {
        let best = match self.phase {
            Phase::Bracketing { previous } => previous.step,
            Phase::Zooming { bracket, .. } => bracket.low().step,
            Phase::Ended(found) => found.step,
        };
        best > 0.0 && best == self.newest
    }
}

impl StrongWolfe {
    /// A search that tries `first_step` first, along a direction of which the largest component
    /// has the absolute value `direction_max_norm`.
    pub fn new(
        settings: WolfeSettings,
        start: Start,
        first_step: f64,
        direction_max_norm: f64,
    ) -> Self {
        let start = Start { noise: start.usable_noise(), ..start };
        let previous = Point { step: 0.0, value: start.value, slope: start.slope };
        let phase = if start.descends() && is_step(first_step) {
            Phase::Bracketing { previous }
        } else {
            Phase::Ended(Found::FAILED)
        };
        let (iterations, trial, newest) = (0, first_step, 0.0);
        Self { settings, start, direction_max_norm, iterations, trial, newest, phase }
    }

    /// Brackets by the newest point, or goes on.
    ///
    /// A pass through the loop of Algorithm 3.5.
    fn bracket(&mut self, previous: Point, newest: Point) -> Next {
        let rival = if self.iterations > 1 { previous.value } else { f64::INFINITY };
        if self.is_approximate(newest) {
            self.end(newest)
        } else if self.iterations >= self.settings.max_iterations {
            self.end(self.better(previous, newest))
        } else if self.is_too_high(newest, rival) {
            self.start_zoom(previous, newest)
        } else if self.is_flat(newest) {
            self.end(newest)
        } else if newest.slope >= 0.0 {
            self.start_zoom(previous, newest)
        } else {
            self.extend(previous, newest)
        }
    }

    /// Goes on to a longer step.
    fn extend(&mut self, previous: Point, newest: Point) -> Next {
        let shortest = newest.step + 0.01 * (newest.step - previous.step);
        let step = self.minimiser(previous, newest, (shortest, 10.0 * newest.step));
        if !(step.is_finite() && step > newest.step) {
            return self.end(newest);
        }
        self.phase = Phase::Bracketing { previous: newest };
        self.ask(step)
    }

    fn start_zoom(&mut self, previous: Point, newest: Point) -> Next {
        let mut bracket = Bracket { ends: [previous, newest], low: 0 };
        if self.settings.low_point == LowPoint::Lowest || self.is_sufficient(newest) {
            bracket.low = bracket.lowest();
        }
        self.narrow(bracket, false)
    }

    /// Narrows the bracket by the newest point.
    ///
    /// A pass through the loop of Algorithm 3.6.
    fn zoom(&mut self, mut bracket: Bracket, newest: Point) -> Next {
        let (low, high) = (bracket.low(), bracket.high());
        if self.is_approximate(newest) {
            return self.end(newest);
        }
        if self.is_too_high(newest, low.value) {
            bracket.ends[1 - bracket.low] = newest;
            if self.settings.low_point == LowPoint::Lowest && newest.is_finite() {
                bracket.low = bracket.lowest();
            }
        } else if self.is_flat(newest) {
            return self.end(newest);
        } else {
            if newest.slope * (high.step - low.step) >= 0.0 {
                bracket.ends[1 - bracket.low] = low;
            }
            bracket.ends[bracket.low] = newest;
        }
        let close = matches!(self.phase, Phase::Zooming { close: true, .. });
        self.narrow(bracket, close)
    }

    /// Looks for a step inside the bracket, unless it is small or the evaluations have run out.
    fn narrow(&mut self, bracket: Bracket, close: bool) -> Next {
        let (lower, upper) = bracket.interval();
        let small = (upper - lower) * self.direction_max_norm < self.settings.tolerance_change;
        let (step, close) = self.inside(&bracket, close);
        let possible = lower < step && step < upper;
        if small || !possible || self.iterations >= self.settings.max_iterations {
            return self.end(bracket.low());
        }
        self.phase = Phase::Zooming { bracket, close };
        self.ask(step)
    }

    /// The step to try inside the bracket, and whether it is close to an end. One that is at an
    /// end, or close to it for the second time, is moved away by a tenth of the bracket.
    fn inside(&self, bracket: &Bracket, close: bool) -> (f64, bool) {
        let (low, high, (lower, upper)) = (bracket.low(), bracket.high(), bracket.interval());
        if !high.is_finite() {
            // Nothing is known about the scale before the first point of finite value.
            let share = if low.step == 0.0 { 0.1 } else { 0.5 };
            return (low.step + share * (high.step - low.step), false);
        }
        let step = self.minimiser(bracket.ends[0], bracket.ends[1], (lower, upper));
        let margin = 0.1 * (upper - lower);
        if (upper - step).min(step - lower) >= margin {
            (step, false)
        } else if !close && lower < step && step < upper {
            (step, true)
        } else if (step - upper).abs() < (step - lower).abs() {
            (upper - margin, false)
        } else {
            (lower + margin, false)
        }
    }

    /// The minimiser of the cubic, or of the secant where the noise hides the values' difference.
    fn minimiser(&self, a: Point, b: Point, bounds: (f64, f64)) -> f64 {
        let noise = self.start.noise;
        let hidden = noise > 0.0 && (a.value - b.value).abs() <= noise;
        if hidden { secant_minimiser(a, b, bounds) } else { cubic_minimiser(a, b, bounds) }
    }

    /// The point to return when the evaluations run out while bracketing.
    fn better(&self, previous: Point, newest: Point) -> Point {
        match self.settings.low_point {
            LowPoint::Lowest if newest.is_finite() => {
                let Start { value, slope, .. } = self.start;
                let first = Point { step: 0.0, value, slope };
                if value <= newest.value { first } else { newest }
            }
            _ => {
                let lower = self.is_sufficient(newest) && newest.value < previous.value;
                if lower { newest } else { previous }
            }
        }
    }

    fn ask(&mut self, step: f64) -> Next {
        self.trial = step;
        self.iterations += 1;
        Next::Try(step)
    }

    /// Ends at a point, for the reason that it gives.
    fn end(&mut self, point: Point) -> Next {
        let reason = if point.step == 0.0 {
            Ended::Failed
        } else if self.is_sufficient(point) && self.is_flat(point) {
            Ended::StrongWolfe
        } else if self.is_approximate(point) {
            Ended::ApproximateWolfe
        } else if point.value <= self.start.value {
            Ended::Decrease
        } else {
            Ended::Failed
        };
        let step = if reason == Ended::Failed { 0.0 } else { point.step };
        let found = Found { step, reason };
        self.phase = Phase::Ended(found);
        Next::Done(found)
    }

    /// Whether the value excludes the point, beyond the noise: no sufficient decrease, or not below
    /// the rival.
    fn is_too_high(&self, point: Point, rival: f64) -> bool {
        let Start { noise, .. } = self.start;
        let sufficient = self.start.sufficient(self.settings.c1, point.step);
        !point.is_finite() || point.value > sufficient + noise || point.value >= rival + noise
    }

    fn is_sufficient(&self, point: Point) -> bool {
        let sufficient = self.start.sufficient(self.settings.c1, point.step);
        point.is_finite() && point.value <= sufficient
    }

    fn is_flat(&self, point: Point) -> bool {
        point.slope.abs() <= -self.settings.c2 * self.start.slope
    }

    /// The approximate Wolfe conditions; never without noise.
    fn is_approximate(&self, point: Point) -> bool {
        let (Start { value, slope, noise }, WolfeSettings { c1, c2, .. }) =
            (self.start, self.settings);
        let slopes = c2 * slope..=(2.0 * c1 - 1.0) * slope;
        noise > 0.0
            && point.is_finite()
            && point.value <= value + noise
            && slopes.contains(&point.slope)
    }
}

#[cfg(test)]
mod tests;
