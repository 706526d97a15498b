//! What the L-SR1 trust-region methods have in common: the parts of a step, by the numbers of the methods' pages.
//!
//! | part | [MB-LSR1](super::mb_lsr1) | [L-SSR1-TR](super::l_ssr1_tr) |
//! |---|---|---|
//! | `begin` | 1, 12 | 1, 8 |
//! | `minimise` | 2 | 1 |
//! | `restart` | 6, 10 | |
//! | `mix` | 4, 5 | 3 |
//! | `value_at_minimiser` | R* of 2 | |
//! | `backtrack` | 7 | 4 |
//! | `strong_wolfe` | | 4 |
//! | `arrive` | 8 | 5 |
//! | `push` | 10 | 5 |
//! | `finish` and its `check`, by a [`BatchRule`] | 11 | 7 |

mod aim;
mod check;

use std::mem::take;

use burn::tensor::DType;
use secant_core::{
    compact::{GammaRule, Tolerances},
    line_search::{Armijo, ArmijoSettings, Next, SettingsError, Start, WolfeSettings},
    report::{
        LineSearchReport, Outcome, PairOutcome, Rejection, SkipReason, StepReport,
        TrustRegionReport,
    },
    trust_region::{radius::RadiusError, subproblem::Case},
};

use super::{
    batch_rule::BatchRule,
    state::{Region, TrustRegionState},
};
use crate::objective::{AdamMetric, Beginning, Known, Line, Objective, Reached};
use crate::{
    blocks::{Blocks, advance, make_pair, norm},
    error::{ConfigError, StepError},
    operator::{LSr1, Minimiser, MinimiserError},
    oracle::Records,
};

pub(super) use aim::{Aim, Share};

/// How the initial matrix gamma I is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum InitialMatrix {
    /// gamma stays as it is.
    Constant,
    /// gamma = y.y / s.y of the newest pair, where that is positive.
    LastPair,
    /// Below the smallest eigenvalue that the pairs know of; it can be negative.
    SmallestEigenvalue,
}

impl InitialMatrix {
    fn rule(self, gamma: f64) -> GammaRule {
        match self {
            Self::Constant => GammaRule::Constant(gamma),
            Self::LastPair => GammaRule::LastPair,
            Self::SmallestEigenvalue => GammaRule::SmallestEigenvalue,
        }
    }
}

/// The settings that both methods have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    pub gamma: f64,
    pub initial_matrix: InitialMatrix,
    pub skip: Option<f64>,
    pub tolerance_gradient: f64,
    /// Whether every step sees the same function.
    pub full_batch: bool,
    /// What the initial matrix has in the place of I.
    pub metric: Option<AdamMetric>,
    pub batch_rule: BatchRule,
}

/// One step: where it starts, and the state it will leave. Nothing is written before its end.
pub(super) struct Step<'a> {
    pub objective: Objective<'a>,
    common: Common,
    tolerances: Tolerances,
    pub theta: Blocks,
    /// f_I(w) and its gradient g.
    pub known: Known,
    /// |g|
    pub gradient_norm: f64,
    pub matrix: LSr1,
    pub region: Region,
    pub report: StepReport,
    restarted: bool,
    /// A point that is no longer needed.
    spare: Option<Blocks>,
}

/// How a line search ended.
pub(super) struct Searched {
    pub reached: Option<Reached>,
    pub report: LineSearchReport,
    /// The value of the first trial.
    pub first: f64,
}

impl Searched {
    /// Whether all of p is taken.
    pub fn takes_all(&self) -> bool {
        self.reached.as_ref().is_some_and(|reached| reached.step == 1.0)
    }
}

/// A point reached, and the pair of the way there.
pub(super) struct Arrival {
    pub point: Blocks,
    pub known: Known,
    pub s: Blocks,
    pub y: Blocks,
    /// |s|
    pub length: f64,
    /// s.y / (|s| |y|)
    pub cosine: f64,
}

/// What became of the model's promise.
#[derive(Clone, Copy)]
pub(super) struct Verdict {
    /// The change of the loss.
    pub actual: f64,
    /// rho
    pub ratio: f64,
    /// rho, or its average.
    pub averaged: f64,
}

impl<'a> Step<'a> {
    /// MB-LSR1 1 and 12, L-SSR1-TR 1 and 8. Asks for loss and gradient; a report where the step ends here.
    pub fn begin(
        common: Common,
        objective: Objective<'a>,
        state: &TrustRegionState,
    ) -> Result<Result<Self, StepReport>, StepError> {
        let mut objective = objective.in_coordinates(state.metric.coordinates.clone());
        let beginning = objective.begin(common.full_batch, state.kept())?;
        let Beginning { mut theta, known, mut report, .. } = match beginning {
            Ok(beginning) => beginning,
            Err(report) => return Ok(Err(report)),
        };
        let gradient_norm = norm(&known.gradient);
        let tolerance = common.tolerance_gradient;
        if gradient_norm <= tolerance && is_stationary(&mut objective, &mut theta, tolerance)? {
            report.outcome = Outcome::Converged;
        }
        report.evals = objective.oracle.evals();
        let is_paused = objective.context.tensors.first().is_some_and(|tensor| tensor.lr == 0.0);
        if report.outcome == Outcome::Converged || is_paused {
            return Ok(Err(report));
        }
        let single = objective.context.layout.entries().iter().any(|e| e.dtype != DType::F64);
        let tolerances = if single { Tolerances::F32 } else { Tolerances::F64 };
        Ok(Ok(Self {
            tolerances: Tolerances { r: common.skip.unwrap_or(tolerances.r), ..tolerances },
            objective,
            common,
            theta,
            known,
            gradient_norm,
            // A list of shared vectors: a copy costs next to nothing.
            matrix: state.matrix.clone(),
            region: Region::of(state),
            report,
            restarted: false,
            spare: None,
        }))
    }

    /// MB-LSR1 2, L-SSR1-TR 1. p*. Where B cannot be built of the pairs, they are forgotten.
    pub fn minimise(&mut self) -> Result<Minimiser, Rejection> {
        let rule = self.common.initial_matrix.rule(self.common.gamma);
        if let Ok(gamma) = rule.gamma(self.matrix.gram(), self.region.gamma)
            && let Ok(best) = self.minimise_with(gamma)
        {
            self.region.gamma = gamma;
            return Ok(best);
        }
        self.restart();
        self.minimise_with(self.region.gamma).map_err(|_| Rejection::NonFiniteReduction)
    }

    fn minimise_with(&self, gamma: f64) -> Result<Minimiser, MinimiserError> {
        self.matrix.minimise(&self.known.gradient, self.region.delta, gamma, self.tolerances)
    }

    /// MB-LSR1 6 and 10. Forgets all pairs.
    pub fn restart(&mut self) {
        self.restarted = true;
        self.matrix.reset();
        self.region.gamma = self.common.gamma;
    }

    /// MB-LSR1 2. f_I(w + p*).
    pub fn value_at_minimiser(&mut self, aim: &Aim) -> Result<f64, StepError> {
        let mut point = self.theta.zeros_like();
        advance(&mut point, &self.theta, 1.0, &aim.best.step);
        let value = self.objective.value_at(&mut point);
        self.spare = Some(point);
        value
    }

    /// MB-LSR1 7, L-SSR1-TR 4. Shortens p until the loss falls enough. All of p is usually taken, so the
    /// first trial is evaluated with its gradient.
    pub fn backtrack(
        &mut self,
        settings: ArmijoSettings,
        aim: &Aim,
    ) -> Result<Searched, StepError> {
        let (value, slope) = (self.known.value, aim.slope);
        let noise = self.objective.noise(value);
        let mut search = Armijo::new(settings, Start { value, slope, noise }, 1.0);
        let mut report = LineSearchReport { restarted: self.restarted, ..Default::default() };
        let mut point = self.spare.take().unwrap_or_else(|| self.theta.zeros_like());
        let (direction, factor) = aim.direction();
        let (mut first, mut known) = (f64::NAN, None);
        let mut next = search.first();
        while let Next::Try(step) = next {
            advance(&mut point, &self.theta, step * factor, direction);
            report.trials += 1;
            let value = if report.trials == 1 {
                known = self.objective.at(&mut point)?.ok();
                first = known.as_ref().map_or(f64::NAN, |known| known.value);
                first
            } else {
                known = None;
                self.objective.value_at(&mut point)?
            };
            report.met_non_finite |= !value.is_finite();
            next = search.tell(value);
        }
        let step = if let Next::Done(found) = next { found.step } else { 0.0 };
        if step > 0.0 && known.is_none() {
            known = self.objective.at(&mut point)?.ok();
            report.met_non_finite |= known.is_none();
        }
        let reached = known.filter(|_| step > 0.0).map(|known| Reached { step, point, known });
        report.step_length = reached.as_ref().map_or(0.0, |reached| reached.step);
        Ok(Searched { reached, report, first })
    }

    /// L-SSR1-TR 4. Searches along p with the strong Wolfe conditions; p has been settled.
    pub fn strong_wolfe(
        &mut self,
        settings: WolfeSettings,
        exact: bool,
        aim: &Aim,
    ) -> Result<Searched, StepError> {
        let line = Line {
            origin: &self.theta,
            value: self.known.value,
            direction: aim.direction().0,
            slope: aim.slope,
            first_step: 1.0,
        };
        let (reached, report) = self.objective.strong_wolfe(settings, exact, line)?;
        let step_length = reached.as_ref().map_or(0.0, |reached| reached.step);
        let report = LineSearchReport { step_length, restarted: self.restarted, ..report };
        Ok(Searched { reached, report, first: f64::NAN })
    }

    /// MB-LSR1 8, L-SSR1-TR 5. s and y of the way to a point, in place of the parameters and the gradient;
    /// none where rounding leaves no displacement.
    pub fn arrive(&mut self, reached: Reached) -> Option<Arrival> {
        let Reached { point, known, .. } = reached;
        let (mut s, mut y) = (take(&mut self.theta), take(&mut self.known.gradient));
        let products = make_pair(&mut s, &mut y, &point, &known.gradient);
        let (length, cosine) = (products.ss.sqrt(), products.cosine());
        if length > 0.0 {
            return Some(Arrival { point, known, s, y, length, cosine });
        }
        // The same point.
        (self.theta, self.known.gradient) = (point, known.gradient);
        if let Some(search) = self.report.line_search.as_mut() {
            search.step_length = 0.0;
        }
        None
    }

    /// MB-LSR1 10, L-SSR1-TR 5. Stores a pair.
    pub fn push(&mut self, s: Blocks, y: Blocks, cosine: f64) {
        self.report.pair = if self.matrix.push(s, y) {
            PairOutcome::Stored { cosine }
        } else {
            PairOutcome::Skipped(SkipReason::NonFinite)
        };
    }

    pub fn rejected(mut self, rejection: Rejection) -> StepReport {
        self.report.outcome = Outcome::Rejected(rejection);
        self.report.evals = self.objective.oracle.evals();
        self.report
    }

    /// Whether no step was found because there is none: all that p* promises, with nothing of the
    /// radius in its way, is within the rounding of f, and f is of all records.
    pub fn is_at_rounding(&self, aim: &Aim) -> bool {
        let promise = -aim.best.model_value;
        aim.best.case == Case::Interior
            && promise <= self.objective.noise(self.known.value)
            && self.objective.oracle.is_batch(Records::All)
    }

    /// The end of a step that found nothing to do; the state is as before.
    pub fn converged(mut self) -> StepReport {
        self.report.outcome = Outcome::Converged;
        self.report.evals = self.objective.oracle.evals();
        self.report
    }

    /// MB-LSR1 11, L-SSR1-TR 7. Decides on the batch size and writes parameters and state. `to`: the point
    /// reached, the function there and |s|; none where no step was found and the parameters stay.
    pub fn finish(
        mut self,
        state: &mut TrustRegionState,
        aim: &Aim,
        verdict: Verdict,
        to: Option<(Blocks, Known, f64)>,
        carried: Blocks,
    ) -> Result<StepReport, StepError> {
        if to.is_none() {
            self.report.outcome = Outcome::Rejected(Rejection::NoDecrease);
        }
        let (mut point, known, step_norm) =
            to.unwrap_or_else(|| (take(&mut self.theta), self.known.clone(), 0.0));
        let value = known.value;
        let batch = self.objective.oracle.batch_sizes().batch;
        let check = self.check(&mut point, value, state)?;
        let best = &aim.best;
        self.report.trust_region = Some(TrustRegionReport {
            model_change: best.model_value,
            actual_change: verdict.actual,
            ratio: verdict.ratio,
            averaged_ratio: verdict.averaged,
            radius: Region::of(state).delta,
            next_radius: self.region.delta,
            step_norm,
            sigma: best.sigma,
            case: best.case,
            smallest_eigenvalue: best.lambda_min,
            largest_eigenvalue: best.lambda_max,
            pairs_kept: best.accepted.len(),
            pairs_skipped: best.skipped,
            pairs_stored: self.matrix.len(),
            flipped: aim.factor < 0.0,
            batch_size: batch,
            check,
        });
        self.report.loss_after = Some(known.loss);
        self.report.objective_after = Some(value);
        self.report.evals = self.objective.oracle.evals();
        state.matrix = self.matrix;
        state.carried = carried;
        state.region = self.region.to_numbers();
        state.steps += 1;
        let layout = self.objective.context.layout;
        let change = state.metric.learn(self.common.metric, layout, &known.gradient);
        if self.common.full_batch {
            state.fingerprint = self.objective.fingerprint(&mut point);
            (state.value, state.gradient) = (known.numbers(), known.gradient);
        }
        if step_norm > 0.0 {
            self.objective.move_to(point);
        }
        if let Some(change) = change {
            state.change(&change);
        }
        Ok(self.report)
    }
}

/// Whether the gradient of all records is within the tolerance.
fn is_stationary(
    objective: &mut Objective<'_>,
    theta: &mut Blocks,
    tolerance: f64,
) -> Result<bool, StepError> {
    if objective.oracle.is_batch(Records::All) {
        return Ok(true);
    }
    Ok(objective.of(Records::All, theta)?.is_ok_and(|known| norm(&known.gradient) <= tolerance))
}

/// The length of a vector when it is shortened to at most `delta`, and the factor that does it.
pub(super) fn clipped(length: f64, delta: f64) -> (f64, f64) {
    if length > delta { (delta, delta / length) } else { (length, 1.0) }
}

/// Constants of a line search out of order, as an error of the method.
pub(super) fn search_error(method: &'static str) -> impl FnOnce(SettingsError) -> ConfigError {
    move |error| ConfigError::Conflict { method, reason: error.must }
}

/// A radius rule out of order, as an error of the method.
pub(super) fn radius_error<R: std::fmt::Debug>(
    method: &'static str,
) -> impl FnOnce(RadiusError<R>) -> ConfigError {
    move |error| ConfigError::Conflict { method, reason: error.must }
}
