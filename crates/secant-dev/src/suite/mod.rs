//! The suite: does a method, untuned, need half of tuned Adam's gradient evaluations?
//!
//! On every problem, Adam's rate is searched by the loss on training records until the best lies between two
//! worse ones, and run from several seeds. The method runs at its usual rate from the same seeds, each run
//! anew with its own schedule: at half of Adam's evaluations, at as many, and, where it is the worse one
//! then, at 1.2 times as many. Losses are compared as ratios, paired by seed, with the 95 % interval of
//! Student's test on their logarithms.

mod problems;
mod ratio;
mod share;
mod table;

use std::sync::atomic::AtomicBool;

use secant::spec::Choice;
use secant_lab::{
    Budget, CompareError, Comparison, Part, Plan, Problem, Shown, Store, TRAINING_LOSS,
    WithTrainingLoss, record::Run, statistics::mean, store::Recorded,
};

pub use problems::{Entry, SUITE};
pub use ratio::Ratio;
pub use share::{Share, share, shares_table};
pub use table::table;

/// How the suite is run.
#[derive(Clone, Debug)]
pub struct SuitePlan {
    /// The method that is held against Adam.
    pub candidate: Choice,
    /// The method that is tuned, Adam.
    pub reference: Choice,
    /// Runs of each, from the seeds 1, 2, ...
    pub seeds: usize,
    /// Times the problems' evaluations.
    pub longer: u64,
    /// Runs side by side, one thread each.
    pub threads: usize,
    /// What is shown meanwhile.
    pub shown: Shown,
}

/// What came out on a problem.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The problem.
    pub entry: Entry,
    /// Gradients of a batch that the reference got.
    pub gradients: u64,
    /// The reference, tuned.
    pub reference: Side,
    /// The candidate with half of the evaluations.
    pub half: Side,
    /// With as many.
    pub whole: Side,
    /// With 1.2 times as many, where it is worse with as many.
    pub more: Option<Side>,
}

/// The runs of one method at one length.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its rate.
    pub lr: f64,
    /// Its mean training loss.
    pub training: Option<f64>,
    /// Seconds of a run: its steps at the time of one measured alone.
    pub seconds: Option<f64>,
    /// The training loss by the reference's.
    pub to_training: Option<Ratio>,
    /// The loss on validation records by the reference's.
    pub to_validation: Option<Ratio>,
    runs: Vec<Run>,
}

/// Measures a problem, but for what the store has.
///
/// # Errors
/// One sentence that says why not; finished runs are in the store then.
pub fn measure<P: Problem>(contest: &Contest<'_, P>) -> Result<Standing, CompareError> {
    let reference = contest.reference()?;
    let candidate = |part| contest.candidate(part, &reference);
    let (half, whole) = (candidate(0.5)?, candidate(1.0)?);
    let more = if whole.is_as_good() { None } else { Some(candidate(1.2)?) };
    let (entry, gradients) = (*contest.entry, contest.gradients());
    Ok(Standing { entry, gradients, half, whole, more, reference })
}

/// A method and the reference on one problem.
#[derive(Debug)]
pub struct Contest<'a, P> {
    /// Which problem of the suite.
    pub entry: &'a Entry,
    /// The same, loaded.
    pub problem: &'a P,
    /// What runs, and how.
    pub plan: &'a SuitePlan,
    /// Where runs are kept.
    pub store: &'a Store,
    /// Set to stop.
    pub stop: &'a AtomicBool,
}

impl<P: Problem> Contest<'_, P> {
    /// Gradients of a batch that the reference gets.
    fn gradients(&self) -> u64 {
        self.entry.gradients * self.plan.longer
    }

    /// The reference, tuned.
    fn reference(&self) -> Result<Side, CompareError> {
        Ok(Side::new(self.run(&self.plan.reference, 1.0)?, None))
    }

    /// The candidate with a part of the reference's evaluations.
    fn candidate(&self, part: f64, reference: &Side) -> Result<Side, CompareError> {
        Ok(Side::new(self.run(&self.plan.candidate, part)?, Some(reference)))
    }

    fn run(&self, method: &Choice, part: f64) -> Result<Recorded, CompareError> {
        let Self { entry, plan, .. } = self;
        let problem = WithTrainingLoss(self.problem);
        let batch_size = entry.batch_size.unwrap_or_else(|| problem.batch_size());
        let all = self.gradients() * batch_size.min(problem.records(Part::Train)) as u64;
        // A preset that is never tuned knows its rate itself.
        let at_usual_rate = *method == plan.candidate && method.preset().is_tuned;
        let own = Plan {
            methods: vec![method.clone()],
            seeds: Some(plan.seeds),
            budget: Some(Budget::Evaluations((part * all as f64).round() as u64)),
            batch_size: entry.batch_size,
            lr: Some(method.preset().usual_rate).filter(|_| at_usual_rate),
            precision: entry.precision(),
            metric: Some(TRAINING_LOSS.to_string()),
            threads: plan.threads,
            shown: plan.shown,
            ..Plan::default()
        };
        Ok(Comparison::new(&problem, own, self.store, self.stop)?.run()?.recorded)
    }
}

impl Side {
    fn new(recorded: Recorded, reference: Option<&Self>) -> Self {
        let Recorded { runs, step_times, .. } = recorded;
        let steps: Vec<f64> =
            runs.iter().filter_map(|run| Some(run.curve.last()?.steps as f64)).collect();
        let of_step = step_times.first().map(|time| time.seconds);
        let training: Vec<f64> = runs.iter().filter_map(training_loss).collect();
        let ratio = |loss: fn(&Run) -> Option<f64>| Ratio::of(&runs, &reference?.runs, loss);
        Self {
            lr: runs.first().map_or(f64::NAN, |run| run.lr),
            training: mean(&training).filter(|_| training.len() == runs.len()),
            seconds: of_step.and_then(|seconds| Some(seconds * mean(&steps)?)),
            to_training: ratio(training_loss),
            to_validation: ratio(validation_loss),
            runs,
        }
    }

    /// Whether its training loss is at most the reference's.
    pub fn is_as_good(&self) -> bool {
        self.to_training.is_some_and(|ratio| ratio.mean <= 1.0)
    }
}

/// The last of the metrics.
fn training_loss(run: &Run) -> Option<f64> {
    run.validation.last().copied().flatten()
}

/// The first of the metrics.
fn validation_loss(run: &Run) -> Option<f64> {
    run.validation.first().copied().flatten()
}
