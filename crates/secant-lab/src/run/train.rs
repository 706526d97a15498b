//! Trains a model with an optimizer and records how it goes.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use secant::{
    Chosen, Rejection, StepReport,
    error::{ConfigError, StepError},
    spec::SpecError,
};
use secant_core::rng::SplitMix64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::{
    CheckpointError, Checkpoints, Setting, TreatmentError,
    checkpoint::Parts,
    trainee::Trainee,
    weights::{distance, weights},
};
use crate::{
    Budget, Part, Problem,
    budget::{Spent, evaluations},
    record::{Point, RegionStep},
    store::StoreError,
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
    /// The run cannot go on from its checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint cannot be kept in the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A checkpoint cannot be kept in a file.
    #[error("cannot write {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
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
    /// Whether every validation loss was finite, and that or the training loss fell.
    pub trained: bool,
    /// Steps it rejected because a number was not finite.
    pub rejected_steps: u64,
    /// What `auto` chose.
    pub chosen: Option<Chosen>,
    /// The steps of a trust-region method.
    pub trust_region: Vec<RegionStep>,
}

/// Moments at which a run is looked at, evenly over its budget.
const POINTS: f64 = 40.0;

/// The part of a run's evaluations that looking at it may cost.
const SHARE_OF_LOOKING: f64 = 0.15;

/// Trains until the budget is spent, from the checkpoint if there is one; `after_step` is told the progress
/// from 0 to 1. The model is the one to evaluate, without automatic differentiation.
///
/// # Errors
/// The user stopped it, the optimizer cannot be used, or the checkpoint is no good.
pub(crate) fn train<P: Problem>(
    problem: &P,
    setting: &Setting,
    watch: Watch,
    stop: &AtomicBool,
    after_step: &dyn Fn(f64),
    checkpoints: &Checkpoints<'_>,
) -> Result<(Outcome, P::Model), TrainError> {
    let mut run = match &checkpoints.from {
        Some(bytes) => Run::from_checkpoint(problem, setting, bytes)?,
        None => Run::new(problem, setting)?,
    };
    let mut kept = Instant::now();
    while run.progress() < 1.0 {
        if stop.load(Ordering::Relaxed) {
            (checkpoints.keep)(&run.checkpoint()?)?;
            return Err(TrainError::Stopped);
        }
        if kept.elapsed() >= checkpoints.every && run.notes.steps > 0 {
            (checkpoints.keep)(&run.checkpoint()?)?;
            kept = Instant::now();
        }
        let is_last = run.progress_after_next() >= run.notes.next / POINTS;
        run.step(is_last && watch == Watch::Whole)?;
        let progress = run.progress();
        after_step(progress);
        if run.notes.last_progress.0 <= 0.0 {
            // Nothing was evaluated: the method has converged, and nothing will change.
            break;
        }
        if watch == Watch::Whole && progress * POINTS >= run.notes.next && progress < 1.0 {
            run.look()?;
            run.notes.next = (progress * POINTS).floor() + 1.0;
        }
    }
    run.look()?;
    run.end(watch)
}

struct Run<'a, P: Problem> {
    trainee: Trainee<'a, P>,
    /// The validation records that the run is looked at by.
    watched: Vec<usize>,
    notes: Notes,
}

/// What is noted on the way.
#[derive(Serialize, Deserialize)]
struct Notes {
    spent: Spent,
    time: Duration,
    steps: u64,
    /// What the last step added to the progress.
    last_progress: Bits,
    /// That of the first batch, before any step, where the method reads it.
    #[serde(default)]
    first_loss: Option<Bits>,
    /// Sum and number of the batches' losses since the last point.
    losses: (Bits, u32),
    gradient_norm: Option<Bits>,
    step_length: Option<Bits>,
    /// Steps rejected because a number was not finite.
    not_finite: u64,
    /// What `auto` chose.
    #[serde(default)]
    chosen: Option<Chosen>,
    trust_region: Vec<RegionStep>,
    /// The points so far.
    curve: Vec<Point>,
    /// Which of the moments comes next.
    next: f64,
}

/// A number whose every bit is kept, NaN and infinity included.
#[derive(Clone, Copy, Debug, Default)]
struct Bits(f64);

impl Serialize for Bits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_bits().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(|bits| Self(f64::from_bits(bits)))
    }
}

impl<'a, P: Problem> Run<'a, P> {
    fn new(problem: &'a P, setting: &'a Setting) -> Result<Self, TrainError> {
        let notes = Notes {
            spent: Spent::default(),
            time: Duration::ZERO,
            steps: 0,
            last_progress: Bits(0.0),
            first_loss: None,
            losses: (Bits(0.0), 0),
            gradient_norm: None,
            step_length: None,
            not_finite: 0,
            chosen: None,
            trust_region: Vec::new(),
            curve: Vec::new(),
            next: 1.0,
        };
        let trainee = Trainee::new(problem, setting)?;
        let mut run = Self { trainee, watched: watched(problem, setting), notes };
        run.look()?;
        Ok(run)
    }

    /// The run as it was when [`Run::checkpoint`] was called.
    fn from_checkpoint(
        problem: &'a P,
        setting: &'a Setting,
        bytes: &[u8],
    ) -> Result<Self, TrainError> {
        let Parts { notes, optimizer, model } = Parts::from_bytes(bytes)?;
        let trainee = Trainee::new(problem, setting)?.restored(&optimizer, model)?;
        Ok(Self { trainee, watched: watched(problem, setting), notes })
    }

    fn checkpoint(&self) -> Result<Vec<u8>, CheckpointError> {
        let (optimizer, model) = self.trainee.state()?;
        Parts { notes: &self.notes, optimizer, model }.into_bytes()
    }

    fn progress(&self) -> f64 {
        self.trainee.setting.budget.progress(&self.notes.spent)
    }

    /// What the progress will be if the next step costs what the last one did.
    fn progress_after_next(&self) -> f64 {
        self.progress() + self.notes.last_progress.0
    }

    /// One step; its length is measured where asked for, and else unknown.
    fn step(&mut self, is_measured: bool) -> Result<(), TrainError> {
        let before = is_measured.then(|| weights(&self.trainee.model));
        let progress = self.progress();
        let Setting { treatment, lr, .. } = self.trainee.setting;
        let lr = treatment.schedule.rate(*lr, progress, self.notes.steps);
        let started = Instant::now();
        let report = self.trainee.step(lr)?;
        self.notes.time += started.elapsed();
        self.account(&report);
        self.notes.last_progress = Bits(self.progress() - progress);
        let length = |before: Vec<f64>| distance(&before, &weights(&self.trainee.model));
        self.notes.step_length = before.map(|before| Bits(length(before)));
        Ok(())
    }

    fn account(&mut self, report: &StepReport) {
        let (batches, overlap) = (&self.trainee.batches, self.trainee.setting.overlap());
        let records = (batches.records() - overlap) as f64;
        let notes = &mut self.notes;
        if notes.steps == 0 {
            notes.first_loss = report.loss.map(Bits);
        }
        notes.steps += 1;
        notes.spent.evaluations += evaluations(&report.evals);
        notes.spent.epochs += (batches.size() - overlap) as f64 / records;
        notes.spent.seconds = notes.time.as_secs_f64();
        notes.chosen = report.chosen;
        notes.trust_region.extend(RegionStep::of(notes.steps, notes.spent.epochs, report));
        // A search that finds nothing is no fault of the numbers.
        notes.not_finite += u64::from(!matches!(
            report.outcome,
            secant::Outcome::Accepted
                | secant::Outcome::Converged
                | secant::Outcome::Rejected(Rejection::NoDecrease)
        ));
        notes.losses.0.0 += report.loss.unwrap_or(f64::NAN);
        notes.losses.1 += 1;
        notes.gradient_norm = report.gradient_norm.map(Bits);
    }

    /// Notes the state of the run, on the watched records.
    fn look(&mut self) -> Result<(), TrainError> {
        let model = self.trainee.evaluated()?;
        let validation = self.trainee.measure(&model, Part::Validation, &self.watched)?;
        let notes = &mut self.notes;
        let (Bits(sum), count) = std::mem::take(&mut notes.losses);
        let finite = |number: Option<Bits>| number.map(|n| n.0).filter(|n| n.is_finite());
        notes.curve.push(Point {
            evaluations: notes.spent.evaluations,
            epoch: notes.spent.epochs,
            steps: notes.steps,
            seconds: notes.spent.seconds,
            train_loss: Some(sum / f64::from(count)).filter(|loss| loss.is_finite()),
            validation,
            gradient_norm: finite(notes.gradient_norm),
            step_length: finite(notes.step_length),
        });
        Ok(())
    }

    fn end(self, watch: Watch) -> Result<(Outcome, P::Model), TrainError> {
        let all = |part| (0..self.trainee.problem.records(part)).collect::<Vec<_>>();
        let model = self.trainee.evaluated()?;
        let of = |part| self.trainee.measure(&model, part, &all(part));
        let validation = of(Part::Validation)?;
        let test = match watch {
            Watch::Whole => of(Part::Test)?,
            Watch::Ends => Vec::new(),
        };
        let outcome = Outcome {
            trained: has_trained(&self.notes.curve, self.notes.first_loss.map(|loss| loss.0)),
            curve: self.notes.curve,
            validation,
            test,
            rejected_steps: self.notes.not_finite,
            chosen: self.notes.chosen,
            trust_region: self.notes.trust_region,
        };
        Ok((outcome, model))
    }
}

/// Whether every validation loss is finite, and the last is below the first, or the last training loss below that of
/// the first batch: a run that over-fits has trained.
fn has_trained(curve: &[Point], first_loss: Option<f64>) -> bool {
    let validation: Option<Vec<f64>> =
        curve.iter().map(|point| point.validation.first().copied().flatten()).collect();
    let Some(validation) = validation else { return false };
    let last_loss = curve.last().and_then(|point| point.train_loss);
    let has_fallen = |(first, last): (f64, f64)| last < first;
    validation.last() < validation.first() || first_loss.zip(last_loss).is_some_and(has_fallen)
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
        with_training(losses, &vec![f64::NAN; losses.len()])
    }

    fn with_training(validation: &[f64], training: &[f64]) -> Vec<Point> {
        let finite = |loss: &f64| Some(*loss).filter(|loss| loss.is_finite());
        let point = |(loss, of_training): (&f64, &f64)| Point {
            evaluations: 0.0,
            epoch: 0.0,
            steps: 0,
            seconds: 0.0,
            train_loss: finite(of_training),
            validation: vec![finite(loss)],
            gradient_norm: None,
            step_length: None,
        };
        validation.iter().zip(training).map(point).collect()
    }

    #[test]
    fn a_run_has_trained_where_every_validation_loss_is_finite_and_one_of_both_losses_fell() {
        assert!(has_trained(&curve(&[2.0, 3.0, 1.0]), None));
        assert!(!has_trained(&curve(&[2.0, 1.0, 2.0]), None));
        assert!(!has_trained(&curve(&[2.0, f64::NAN, 1.0]), None));
        assert!(!has_trained(&curve(&[]), None));
        // Over-fitting is no failure of the training; a training loss that rose is.
        let trained = |validation: &[f64], training: &[f64], first_loss| {
            has_trained(&with_training(validation, training), first_loss)
        };
        assert!(trained(&[2.0, 1.0, 3.0], &[f64::NAN, 2.0, 0.1], Some(2.0)));
        assert!(trained(&[2.0, 3.0], &[f64::NAN, 0.5], Some(2.0)), "a trial");
        assert!(!trained(&[2.0, 1.0, 3.0], &[f64::NAN, 2.0, 2.5], Some(2.0)));
        assert!(!trained(&[2.0, 1.0, 3.0], &[f64::NAN, 2.0, f64::NAN], Some(2.0)));
        assert!(!trained(&[2.0, f64::NAN, 3.0], &[f64::NAN, 2.0, 0.1], Some(2.0)));
        // What came down from a peak of its own making has learnt nothing.
        assert!(!trained(&[2.3, 5.0, 2.31], &[f64::NAN, 100.0, 2.31], Some(2.3)));
    }
}
