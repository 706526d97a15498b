//! Trains a model with an optimizer and records how it goes.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use secant::{
    Rejection, StepReport,
    error::{ConfigError, StepError},
    spec::SpecError,
};
use secant_core::rng::SplitMix64;
use thiserror::Error;

use super::{
    Setting, TreatmentError,
    trainee::Trainee,
    weights::{distance, weights},
};
use crate::{
    Budget, Part, Problem,
    budget::{Spent, evaluations},
    record::{Point, RegionStep},
};

/// A run that did not end.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The user stopped it.
    #[error("stopped")]
    Stopped,
    /// The optimizer cannot be made.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The batches cannot be made.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The optimizer does not allow its treatment.
    #[error(transparent)]
    Treatment(#[from] TreatmentError),
    /// Differences of gradients are no Hessian products for this model.
    #[error(
        "differences of gradients to both sides disagree by {percent:.0} %: the model has kinks (ReLU, max-pooling), and they are no Hessian products; use exact ones (the command's default; in code `loss_on_duals`), or allow such differences all the same (--differences --allow-differences)"
    )]
    Kinks {
        /// The disagreement.
        percent: f64,
    },
    /// A step broke its contract.
    #[error(transparent)]
    Step(StepError),
    /// A problem's metrics and what it measures do not fit together.
    #[error(
        "the problem has {wanted} metrics, but `measure` gave {found} numbers; give one for each"
    )]
    Measures {
        /// Metrics.
        wanted: usize,
        /// Numbers.
        found: usize,
    },
}

impl From<StepError> for TrainError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Kinks { asymmetry } => Self::Kinks { percent: 100.0 * asymmetry },
            error => Self::Step(error),
        }
    }
}

/// What is looked at in a run besides its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Nothing but the start: a tuning trial.
    Ends,
    /// The whole run, and the test records at its end.
    Whole,
}

/// A finished run.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Its state at [`POINTS`] moments and before the first step; at both ends only in a trial.
    pub curve: Vec<Point>,
    /// The metrics on all validation records at the end.
    pub validation: Vec<Option<f64>>,
    /// The metrics on the test records at the end; empty in a trial.
    pub test: Vec<Option<f64>>,
    /// Whether every loss was finite and the last is below the first.
    pub trained: bool,
    /// Steps it rejected because a number was not finite.
    pub rejected_steps: u64,
    /// The steps of a trust-region method.
    pub trust_region: Vec<RegionStep>,
}

/// Moments at which a run is looked at, evenly over its budget.
const POINTS: f64 = 40.0;

/// The part of a run's evaluations that looking at it may cost.
const SHARE_OF_LOOKING: f64 = 0.15;

/// Trains until the budget is spent; `after_step` is told the progress from 0 to 1.
///
/// # Errors
/// The user stopped it, or the optimizer cannot be used.
pub(crate) fn train<P: Problem>(
    problem: &P,
    setting: &Setting,
    watch: Watch,
    stop: &AtomicBool,
    after_step: &dyn Fn(f64),
) -> Result<Outcome, TrainError> {
    let mut run = Run::new(problem, setting)?;
    let mut curve = vec![run.point()?];
    let mut next = 1.0;
    while run.progress() < 1.0 {
        if stop.load(Ordering::Relaxed) {
            return Err(TrainError::Stopped);
        }
        let is_last = run.progress_after_next() >= next / POINTS;
        run.step(is_last && watch == Watch::Whole)?;
        let progress = run.progress();
        after_step(progress);
        if run.last_progress <= 0.0 {
            // Nothing was evaluated: the method has converged, and nothing will change.
            break;
        }
        if watch == Watch::Whole && progress * POINTS >= next && progress < 1.0 {
            curve.push(run.point()?);
            next = (progress * POINTS).floor() + 1.0;
        }
    }
    curve.push(run.point()?);
    run.end(curve, watch)
}

struct Run<'a, P: Problem> {
    trainee: Trainee<'a, P>,
    /// The validation records that the run is looked at by.
    watched: Vec<usize>,
    spent: Spent,
    time: Duration,
    steps: u64,
    /// What the last step added to the progress.
    last_progress: f64,
    /// Sum and number of the batches' losses since the last point.
    losses: (f64, u32),
    gradient_norm: Option<f64>,
    step_length: Option<f64>,
    /// Steps rejected because a number was not finite.
    not_finite: u64,
    trust_region: Vec<RegionStep>,
}

impl<'a, P: Problem> Run<'a, P> {
    fn new(problem: &'a P, setting: &'a Setting) -> Result<Self, TrainError> {
        Ok(Self {
            trainee: Trainee::new(problem, setting)?,
            watched: watched(problem, setting),
            spent: Spent::default(),
            time: Duration::ZERO,
            steps: 0,
            last_progress: 0.0,
            losses: (0.0, 0),
            gradient_norm: None,
            step_length: None,
            not_finite: 0,
            trust_region: Vec::new(),
        })
    }

    fn progress(&self) -> f64 {
        self.trainee.setting.budget.progress(&self.spent)
    }

    /// What the progress will be if the next step costs what the last one did.
    fn progress_after_next(&self) -> f64 {
        self.progress() + self.last_progress
    }

    /// One step; its length is measured where asked for, and else unknown.
    fn step(&mut self, is_measured: bool) -> Result<(), TrainError> {
        let before = is_measured.then(|| weights(&self.trainee.model));
        let progress = self.progress();
        let Setting { treatment, lr, .. } = self.trainee.setting;
        let lr = treatment.schedule.rate(*lr, progress, self.steps);
        let started = Instant::now();
        let report = self.trainee.step(lr)?;
        self.time += started.elapsed();
        self.account(&report);
        self.last_progress = self.progress() - progress;
        self.step_length = before.map(|before| distance(&before, &weights(&self.trainee.model)));
        Ok(())
    }

    fn account(&mut self, report: &StepReport) {
        let (batches, overlap) = (&self.trainee.batches, self.trainee.setting.overlap());
        let records = (batches.records() - overlap) as f64;
        self.steps += 1;
        self.spent.evaluations += evaluations(&report.evals);
        self.spent.epochs += (batches.size() - overlap) as f64 / records;
        self.spent.seconds = self.time.as_secs_f64();
        self.trust_region.extend(RegionStep::of(self.steps, self.spent.epochs, report));
        // A search that finds nothing is no fault of the numbers.
        self.not_finite += u64::from(!matches!(
            report.outcome,
            secant::Outcome::Accepted
                | secant::Outcome::Converged
                | secant::Outcome::Rejected(Rejection::NoDecrease)
        ));
        self.losses.0 += report.loss.unwrap_or(f64::NAN);
        self.losses.1 += 1;
        self.gradient_norm = report.gradient_norm;
    }

    /// The state of the run, on the watched records.
    fn point(&mut self) -> Result<Point, TrainError> {
        let (sum, count) = std::mem::take(&mut self.losses);
        Ok(Point {
            evaluations: self.spent.evaluations,
            epoch: self.spent.epochs,
            steps: self.steps,
            seconds: self.spent.seconds,
            train_loss: Some(sum / f64::from(count)).filter(|loss| loss.is_finite()),
            validation: self.trainee.measure(Part::Validation, &self.watched)?,
            gradient_norm: self.gradient_norm.filter(|norm| norm.is_finite()),
            step_length: self.step_length.filter(|length| length.is_finite()),
        })
    }

    fn end(self, curve: Vec<Point>, watch: Watch) -> Result<Outcome, TrainError> {
        let all = |part| (0..self.trainee.problem.records(part)).collect::<Vec<_>>();
        let validation = self.trainee.measure(Part::Validation, &all(Part::Validation))?;
        let test = match watch {
            Watch::Whole => self.trainee.measure(Part::Test, &all(Part::Test))?,
            Watch::Ends => Vec::new(),
        };
        Ok(Outcome {
            trained: has_trained(&curve),
            curve,
            validation,
            test,
            rejected_steps: self.not_finite,
            trust_region: self.trust_region,
        })
    }
}

/// Whether every loss is finite and the last is below the first.
fn has_trained(curve: &[Point]) -> bool {
    let losses: Option<Vec<f64>> =
        curve.iter().map(|point| point.validation.first().copied().flatten()).collect();
    losses.is_some_and(|losses| losses.last() < losses.first())
}

/// The validation records that a run is looked at by: all of them, or a part drawn once and for all, so that
/// looking costs no more than its share of the run.
fn watched<P: Problem>(problem: &P, setting: &Setting) -> Vec<usize> {
    let mut records: Vec<usize> = (0..problem.records(Part::Validation)).collect();
    let train = problem.records(Part::Train) as f64;
    let evaluated = match setting.budget {
        Budget::Evaluations(records) => records as f64,
        Budget::Epochs(epochs) => epochs * train,
        Budget::Seconds(_) => 10.0 * train,
    };
    // A forward pass is a third of a gradient.
    let most = (3.0 * SHARE_OF_LOOKING * evaluated / POINTS) as usize;
    if most < records.len() {
        SplitMix64::new(0).shuffle(&mut records);
        records.truncate(most.max(FEWEST));
        records.sort_unstable();
    }
    records
}

/// Fewer records than this say nothing.
const FEWEST: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(losses: &[f64]) -> Vec<Point> {
        let point = |loss: &f64| Point {
            evaluations: 0.0,
            epoch: 0.0,
            steps: 0,
            seconds: 0.0,
            train_loss: None,
            validation: vec![Some(*loss).filter(|loss| loss.is_finite())],
            gradient_norm: None,
            step_length: None,
        };
        losses.iter().map(point).collect()
    }

    #[test]
    fn a_run_has_trained_where_every_loss_is_finite_and_the_last_below_the_first() {
        assert!(has_trained(&curve(&[2.0, 3.0, 1.0])));
        assert!(!has_trained(&curve(&[2.0, 1.0, 2.0])));
        assert!(!has_trained(&curve(&[2.0, f64::NAN, 1.0])));
        assert!(!has_trained(&curve(&[])));
    }
}
