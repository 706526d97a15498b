//! The search of Moré and Thuente: a step with the strong Wolfe conditions, by safeguarded cubic and
//! quadratic interpolation.
//!
//! It keeps an interval of uncertainty whose end `low` is the best step so far. Until a step with a
//! sufficient decrease and a slope that is not negative is seen (the first stage), a step that
//! decreases, but not sufficiently, is judged by the function with the line of sufficient decrease
//! subtracted: its minimiser is acceptable (Moré and Thuente 1994, Section 3). Otherwise it is theirs and
//! MINPACK-2's, with the trial steps of `dcstep`.
//!
//! What MINPACK-2 does not foresee, a value or slope that is NaN or infinite, is a wall: the next trial is
//! halfway from `low` to it, and none is beyond it. Where it gives up (the interval is a point, or 25 steps were judged: SciPy allows 99), a `low` with a
//! sufficient decrease is returned, so that a line that falls for ever has a step too.

use super::{Ended, Found, Next, SlopeSearch, Start, cubic::Point, is_step};

/// Steps are within these, and a search ends at them.
const SHORTEST: f64 = 1e-100;
const LONGEST: f64 = 1e100;
/// An interval of this part of its upper end is a point.
const RESOLUTION: f64 = 1e-14;
/// The part of its width by which an interval must have shrunk after two steps.
const SHRINK: f64 = 0.66;
/// Steps that are judged.
const MOST_TRIALS: u32 = 25;

/// A search for a step with the strong Wolfe conditions, after Moré and Thuente.
///
/// Step 2 of self-scaled Broyden. A step that is returned is 0, or that of the last point for which
/// [`SlopeSearch::keep_newest`](super::SlopeSearch::keep_newest) said so.
#[derive(Clone, Debug, PartialEq)]
pub struct MoreThuente {
    c1: f64,
    c2: f64,
    start: Start,
    /// The end of the interval with the lowest value.
    low: Point,
    /// The other end, which is `low` before there are two.
    high: Point,
    is_bracketed: bool,
    is_first_stage: bool,
    /// Where the next trial must be.
    window: (f64, f64),
    /// The width of the interval, and that before the last step.
    widths: [f64; 2],
    /// The least step at which something was not finite.
    wall: f64,
    /// The step last asked for, and the step last told of.
    trial: f64,
    newest: f64,
    trials: u32,
    has_ended: bool,
}

impl MoreThuente {
    /// A search that tries `first_step` first, with 0 < `c1` < `c2` < 1. The noise of `start` is not looked at.
    pub fn new(c1: f64, c2: f64, start: Start, first_step: f64) -> Self {
        let low = Point { step: 0.0, value: start.value, slope: start.slope };
        Self {
            c1,
            c2,
            start,
            low,
            high: low,
            is_bracketed: false,
            is_first_stage: true,
            window: (0.0, 5.0 * first_step),
            widths: [LONGEST, 2.0 * LONGEST],
            wall: f64::INFINITY,
            trial: first_step,
            newest: 0.0,
            trials: 0,
            has_ended: !(start.descends() && is_step(first_step)),
        }
    }
    /// Steps 1 to 4 at a finite point.
    fn judge(&mut self, trial: Point) -> Next {
        // 1. Is it acceptable, and can there be a better one?
        let has_decreased = trial.value <= self.start.sufficient(self.c1, trial.step);
        if has_decreased && trial.slope.abs() <= self.c2 * self.start.slope.abs() {
            self.low = trial;
            return self.end(Ended::StrongWolfe);
        }
        let is_at_end = trial.step == SHORTEST || trial.step == LONGEST;
        let is_stuck = self.is_bracketed && (self.is_outside(trial.step) || self.is_a_point());
        if is_at_end || is_stuck {
            return self.give_up();
        }
        self.is_first_stage &= !(has_decreased && trial.slope >= 0.0);
        // 2. A decrease that is not sufficient is judged without the line of sufficient decrease.
        let is_tilted = self.is_first_stage && trial.value <= self.low.value && !has_decreased;
        let tilt = if is_tilted { self.c1 * self.start.slope } else { 0.0 };
        // 3. The next trial, and the interval.
        let next = self.update(tilt, trial);
        // 4. Safeguards.
        let next = self.safeguarded(next);
        self.go_on(next)
    }

    fn go_on(&mut self, next: f64) -> Next {
        if self.trials == MOST_TRIALS || next == self.trial || next == 0.0 {
            return self.give_up();
        }
        self.trial = next;
        Next::Try(next)
    }

    /// The best step, if it is one.
    fn give_up(&mut self) -> Next {
        let Point { step, value, .. } = self.low;
        if step > 0.0 && value <= self.start.sufficient(self.c1, step) {
            return self.end(Ended::Decrease);
        }
        self.has_ended = true;
        Next::Done(Found::FAILED)
    }

    fn end(&mut self, reason: Ended) -> Next {
        self.has_ended = true;
        Next::Done(Found { step: self.low.step, reason })
    }

    /// Halfway from the best step to the wall.
    fn before_wall(&self) -> f64 {
        self.low.step + 0.5 * (self.wall - self.low.step)
    }

    fn is_outside(&self, step: f64) -> bool {
        step <= self.window.0 || step >= self.window.1
    }

    /// Whether the window has shrunk to a point.
    fn is_a_point(&self) -> bool {
        self.window.1 - self.window.0 <= RESOLUTION * self.window.1
    }

    /// The interval after `trial`, and the next trial; both by the function less `tilt` times the step.
    fn update(&mut self, tilt: f64, trial: Point) -> f64 {
        let (low, high, at) =
            (tilted(self.low, -tilt), tilted(self.high, -tilt), tilted(trial, -tilt));
        let (next, is_bracketed) = self.interpolate(low, high, at);
        if at.value > low.value {
            self.high = trial;
        } else {
            if at.slope * low.slope.signum() < 0.0 {
                self.high = self.low;
            }
            self.low = trial;
        }
        self.is_bracketed = is_bracketed;
        next
    }

    /// MINPACK-2's `dcstep`: the next trial, and whether a minimiser is bracketed.
    fn interpolate(&self, low: Point, high: Point, at: Point) -> (f64, bool) {
        let opposite = at.slope * low.slope.signum() < 0.0;
        let (smin, smax) = self.window;
        if at.value > low.value {
            // (i) A higher value: a minimiser lies between.
            let (cubic, width) = (cubic_step(low, at), at.step - low.step);
            let bend = (low.value - at.value) / width + low.slope;
            let quadratic = low.step + width * low.slope / (2.0 * bend);
            let is_nearer = (cubic - low.step).abs() <= (quadratic - low.step).abs();
            return (if is_nearer { cubic } else { 0.5 * (cubic + quadratic) }, true);
        }
        let secant = || at.step + (low.step - at.step) * at.slope / (at.slope - low.slope);
        if opposite {
            // (ii) Slopes of opposite signs: a minimiser lies between.
            let (cubic, secant) = (cubic_step(at, low), secant());
            return (farther(cubic, secant, at.step), true);
        }
        if at.slope.abs() < low.slope.abs() {
            // (iii) A flatter slope: a minimiser may lie beyond.
            let (cubic, secant) = (self.cubic_beyond(low, at), secant());
            if !self.is_bracketed {
                return (farther(cubic, secant, at.step).max(smin).min(smax), false);
            }
            let limit = at.step + SHRINK * (high.step - at.step);
            let next = nearer(cubic, secant, at.step);
            return (if at.step > low.step { next.min(limit) } else { next.max(limit) }, true);
        }
        // (iv) A steeper slope.
        match self.is_bracketed {
            true => (cubic_step(at, high), true),
            false => (if at.step > low.step { smax } else { smin }, false),
        }
    }

    /// Of the cubic of (iii), which has a minimiser beyond `at` or tends to minus infinity there.
    fn cubic_beyond(&self, low: Point, at: Point) -> f64 {
        let (d, root) = cubic_terms(low, at);
        let root = if at.step > low.step { -root } else { root };
        let part = (root - at.slope + d) / (2.0 * root + low.slope - at.slope);
        match part < 0.0 && root != 0.0 {
            true => at.step + part * (low.step - at.step),
            false if at.step > low.step => self.window.1,
            false => self.window.0,
        }
    }

    /// Step 4: the interval must shrink; before there is one, steps must grow, but not without bound.
    fn safeguarded(&mut self, next: f64) -> f64 {
        let (low, high) = (self.low.step, self.high.step);
        let mut next = next;
        if self.is_bracketed {
            let width = (high - low).abs();
            if width >= SHRINK * self.widths[1] {
                next = low + 0.5 * (high - low);
            }
            self.widths = [width, self.widths[0]];
            self.window = (low.min(high), low.max(high));
        } else {
            self.window = (next + 1.1 * (next - low), next + 4.0 * (next - low));
        }
        next = if next.is_nan() { 0.5 * (self.window.0 + self.window.1) } else { next };
        next = next.clamp(SHORTEST, LONGEST);
        next = if next >= self.wall { self.before_wall() } else { next };
        let is_stuck = self.is_bracketed && (self.is_outside(next) || self.is_a_point());
        if is_stuck { low } else { next }
    }
}

impl SlopeSearch for MoreThuente {
    fn first(&self) -> Next {
        if self.has_ended { Next::Done(Found::FAILED) } else { Next::Try(self.trial) }
    }

    fn tell(&mut self, value: f64, slope: f64) -> Next {
        if self.has_ended {
            return Next::Done(Found::FAILED);
        }
        (self.trials, self.newest) = (self.trials + 1, self.trial);
        let trial = Point { step: self.trial, value, slope };
        if trial.is_finite() {
            return self.judge(trial);
        }
        self.wall = self.wall.min(trial.step);
        self.go_on(self.before_wall())
    }

    fn keep_newest(&self) -> bool {
        self.low.step > 0.0 && self.low.step == self.newest
    }
}

/// The point of the function with `slope` times the step added.
fn tilted(point: Point, slope: f64) -> Point {
    let Point { step, value, slope: old } = point;
    Point { step, value: value + slope * step, slope: old + slope }
}

/// d and the root of the cubic with the values and slopes of two points; the root is 0 where it has no
/// extremum.
fn cubic_terms(a: Point, b: Point) -> (f64, f64) {
    let d = 3.0 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope;
    let scale = d.abs().max(a.slope.abs()).max(b.slope.abs());
    let square = (d / scale).powi(2) - (a.slope / scale) * (b.slope / scale);
    (d, scale * square.max(0.0).sqrt())
}

/// The minimiser of the cubic of two points.
fn cubic_step(from: Point, to: Point) -> f64 {
    let (d, root) = cubic_terms(from, to);
    let root = if to.step < from.step { -root } else { root };
    let part = (root - from.slope + d) / (2.0 * root - from.slope + to.slope);
    from.step + part * (to.step - from.step)
}

/// The one of two steps that is farther from `at`, the second if both are as far.
fn farther(a: f64, b: f64, at: f64) -> f64 {
    if (a - at).abs() > (b - at).abs() { a } else { b }
}

/// The one of two steps that is nearer to `at`, the second if both are as near.
fn nearer(a: f64, b: f64, at: f64) -> f64 {
    if (a - at).abs() < (b - at).abs() { a } else { b }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The step found, and the evaluations for it.
    fn search([c1, c2, first]: [f64; 3], phi: impl Fn(f64) -> (f64, f64)) -> (Found, u32) {
        let (value, slope) = phi(0.0);
        let mut search = MoreThuente::new(c1, c2, Start { value, slope, noise: 0.0 }, first);
        let (mut next, mut kept, mut trials) = (search.first(), f64::NAN, 0);
        loop {
            match next {
                Next::Try(step) => {
                    assert!(is_step(step));
                    trials += 1;
                    let (value, slope) = phi(step);
                    next = search.tell(value, slope);
                    kept = if search.keep_newest() { step } else { kept };
                }
                Next::Done(found) => {
                    assert!(found.step == 0.0 || found.step == kept);
                    return (found, trials);
                }
            }
        }
    }

    /// Whether both conditions hold at a step.
    fn is_strong_wolfe(c1: f64, c2: f64, phi: impl Fn(f64) -> (f64, f64), step: f64) -> bool {
        let ((start, slope_0), (value, slope)) = (phi(0.0), phi(step));
        value <= start + c1 * step * slope_0 && slope.abs() <= c2 * slope_0.abs()
    }

    /// Table I of Moré and Thuente 1994: first step, evaluations, step.
    #[test]
    fn the_table_of_the_paper_comes_back() {
        let phi = |a: f64| (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2));
        for (first, trials, step) in
            [(1e-3, 6, 1.4), (1e-1, 3, 1.4), (1e1, 1, 10.0), (1e3, 4, 37.0)]
        {
            let (found, took) = search([1e-3, 0.1, first], phi);
            assert_eq!((found.reason, took), (Ended::StrongWolfe, trials), "from {first}");
            // To two digits.
            assert!((found.step / step - 1.0).abs() < 0.04, "{} from {first}", found.step);
        }
    }

    proptest! {
        /// Quartics that are bounded below have acceptable steps, and the search ends at one.
        #[test]
        fn a_step_with_both_conditions_is_found(
            cubic in -4.0..4.0f64, square in -4.0..4.0f64, first in -6.0..4.0f64, scale in -3.0..3.0f64,
            c2 in 0.1..0.9f64,
        ) {
            let scale = 10f64.powf(scale);
            let phi = |t: f64| {
                let t = t * scale;
                let value = t.powi(4) / 4.0 + cubic * t.powi(3) / 3.0 + square * t * t / 2.0 - t;
                (value, scale * (t.powi(3) + cubic * t * t + square * t - 1.0))
            };
            let (found, trials) = search([1e-4, c2, 10f64.powf(first)], phi);
            prop_assert_eq!(found.reason, Ended::StrongWolfe);
            prop_assert!(is_strong_wolfe(1e-4, c2, phi, found.step));
            prop_assert!(trials <= 20, "{} trials", trials);
        }

        /// Whatever it is told, steps are positive and finite, and it ends.
        #[test]
        fn it_ends_on_nonsense(numbers in prop::collection::vec((-1e3..1e3f64, -1e3..1e3f64, 0u8..6), 120)) {
            let start = Start { value: 0.0, slope: -1.0, noise: 0.0 };
            let mut search = MoreThuente::new(1e-4, 0.9, start, 1.0);
            let mut next = search.first();
            for (value, slope, kind) in numbers {
                let Next::Try(step) = next else { break };
                prop_assert!(is_step(step));
                next = match kind {
                    0 => search.tell(f64::NAN, slope),
                    1 => search.tell(value, f64::INFINITY),
                    _ => search.tell(value, slope),
                };
            }
            prop_assert!(matches!(next, Next::Done(_)));
        }
    }

    #[test]
    fn a_wall_is_stepped_back_from() {
        // Not a number from 1 on; the minimum is at 0.5.
        let phi = |t: f64| match t < 1.0 {
            true => ((t - 0.5).powi(2), 2.0 * (t - 0.5)),
            false => (f64::NAN, f64::NAN),
        };
        let (found, _) = search([1e-4, 0.1, 16.0], phi);
        assert!(is_strong_wolfe(1e-4, 0.1, phi, found.step));
    }

    #[test]
    fn no_trial_is_beyond_a_wall_once_it_is_met() {
        // Falls steeply up to a wall at 1; the minimum is at 0.999.
        let phi = |t: f64| (-t - 1e-3 * (1.0 - t).ln(), -1.0 + 1e-3 / (1.0 - t));
        let (found, trials) = search([1e-4, 0.1, 0.3], phi);
        assert_eq!(found.reason, Ended::StrongWolfe);
        assert!(is_strong_wolfe(1e-4, 0.1, phi, found.step));
        // Ten halvings to a thousandth before the wall, and a few trials.
        assert!(trials <= 14, "{trials}");
    }

    #[test]
    fn a_line_that_rises_has_no_step_and_one_that_falls_for_ever_a_long_one() {
        assert_eq!(search([1e-4, 0.9, 1.0], |t| (t, 1.0)).0, Found::FAILED);
        let (found, trials) = search([1e-4, 0.9, 1.0], |t| (-t, -1.0));
        assert_eq!((found.reason, trials), (Ended::Decrease, MOST_TRIALS));
        assert!(found.step > 1e10);
    }
}
