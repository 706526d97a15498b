//! A fair comparison: the same tuning budget for every optimizer, then several seeds at its best
//! rate, then the time of a step alone.

mod journal;
mod progress;
mod target;
mod work;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use burn::{module::Module, tensor::Device};
use secant::spec::Choice;
use thiserror::Error;

use crate::{
    problem::{Precision, Problem},
    report::ReportError,
    run::{
        Falling, HessianProducts, Outcome, Setup, TrainError,
        record::{Comparison, Record, Run, Trial},
        step_time, train,
    },
    tune::{Tried, best, next_rate},
};

use journal::Journal;
use progress::Progress;
pub use target::target_accuracy;
use work::side_by_side;

/// What to compare, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The command line that repeats the comparison.
    pub command: String,
    /// The optimizers, in the order asked for.
    pub optimizers: Vec<Choice>,
    /// The seeds of the final runs.
    pub seeds: Vec<u64>,
    /// Passes over the training records.
    pub epochs: usize,
    /// Records in a batch.
    pub batch_size: usize,
    /// Tuning trials for every optimizer.
    pub trials: usize,
    /// A rate for all optimizers, instead of tuning.
    pub lr: Option<f64>,
    /// How every rate falls.
    pub falling: Falling,
    /// How Hessian products are computed.
    pub products: HessianProducts,
    /// The number type.
    pub precision: Precision,
    /// Independent runs side by side, one thread each.
    pub threads: usize,
    /// The target, instead of the problem's.
    pub target_accuracy: Option<f64>,
    /// Where the report goes.
    pub folder: PathBuf,
    /// Take finished runs from the data already there.
    pub resume: bool,
}

/// A comparison that did not end.
#[derive(Debug, Error)]
pub enum CompareError {
    /// The batch is larger than the training part.
    #[error(
        "the batch size {batch_size} is larger than the {records} training records of {problem}; use --batch-size with at most {records}"
    )]
    BatchTooLarge {
        /// Asked for.
        batch_size: usize,
        /// There.
        records: usize,
        /// The problem.
        problem: String,
    },
    /// The user stopped it.
    #[error("stopped; the finished runs are in {folder}: add --resume to the same command to go on from there", folder = folder.display())]
    Stopped {
        /// Where the data is.
        folder: PathBuf,
    },
    /// The data already there is of another comparison.
    #[error("{folder} holds another comparison; leave out --resume to start anew, or choose another folder with --out", folder = folder.display())]
    OtherComparison {
        /// Where the data is.
        folder: PathBuf,
    },
    /// A run cannot be made.
    #[error("{optimizer}: {cause}")]
    Run {
        /// The optimizer.
        optimizer: String,
        /// Why not.
        cause: TrainError,
    },
    /// The report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// Compares; the records of everything that was done.
///
/// # Errors
/// One sentence that says why not. Finished runs are on disk then.
pub fn compare(
    problem: &Problem,
    plan: &Plan,
    stop: &AtomicBool,
) -> Result<Vec<Record>, CompareError> {
    let records = problem.splits.train.len();
    if plan.batch_size > records {
        let (batch_size, problem) = (plan.batch_size, problem.name.clone());
        return Err(CompareError::BatchTooLarge { batch_size, records, problem });
    }
    let journal = Journal::open(&plan.folder, comparison(problem, plan), plan.resume)?;
    let comparing = Comparing { problem, plan, stop, progress: Progress::new(plan), journal };
    let rates = comparing.tune()?;
    let mut trials = comparing.journal.trials();
    trials.retain(|trial| rates.contains_key(trial.optimizer.as_str()));
    comparing.journal.set_target(target_accuracy(problem, plan, &trials))?;
    comparing.final_runs(&rates)?;
    comparing.step_times(&rates)?;
    comparing.progress.finish();
    Ok(shown(comparing.journal.into_records(), plan, &rates))
}

struct Comparing<'a> {
    problem: &'a Problem,
    plan: &'a Plan,
    stop: &'a AtomicBool,
    progress: Progress,
    journal: Journal,
}

type Rates = HashMap<String, f64>;

impl Comparing<'_> {
    /// The best rate of every optimizer. The trials of one optimizer follow each other.
    fn tune(&self) -> Result<Rates, CompareError> {
        if let Some(lr) = self.plan.lr {
            let optimizers = self.plan.optimizers.iter();
            return Ok(optimizers.map(|optimizer| (optimizer.to_string(), lr)).collect());
        }
        let tuned = side_by_side(self.plan.threads, &self.plan.optimizers, |optimizer| {
            let usual = optimizer.preset().usual_rate;
            let mut tried: Vec<Tried> = Vec::new();
            for _ in 0..self.plan.trials {
                let lr = next_rate(usual, &tried);
                tried.push(self.trial(optimizer, lr)?);
            }
            Ok((optimizer.to_string(), best(&tried).map_or(usual, |best| best.lr)))
        });
        tuned.into_iter().collect()
    }

    fn trial(&self, optimizer: &Choice, lr: f64) -> Result<Tried, CompareError> {
        let name = optimizer.to_string();
        let known = self.journal.find_trial(&name, lr);
        let trial = match known {
            Some(trial) => {
                self.progress.skip_run();
                trial
            }
            None => {
                // A seed of its own: the final runs start from other weights.
                let setup = self.setup(optimizer, lr, TUNING_SEED, false);
                let curve = self.run(setup)?.curve;
                let last = curve.last();
                let trial = Trial {
                    optimizer: name,
                    lr,
                    epochs: self.plan.epochs,
                    validation_loss: last.and_then(|point| point.validation_loss),
                    validation_accuracy: last.map(|point| point.validation_accuracy),
                };
                self.journal.add(Record::Trial(trial.clone()))?;
                self.progress.trial(&trial);
                trial
            }
        };
        Ok(Tried {
            lr,
            accuracy: trial.validation_accuracy.unwrap_or(0.0),
            loss: trial.validation_loss.unwrap_or(f64::INFINITY),
        })
    }

    /// Every seed at every optimizer's best rate.
    fn final_runs(&self, rates: &Rates) -> Result<(), CompareError> {
        let seeds = &self.plan.seeds;
        let runs: Vec<(u64, &Choice)> = seeds
            .iter()
            .flat_map(|seed| self.plan.optimizers.iter().map(move |choice| (*seed, choice)))
            .collect();
        let done = side_by_side(self.plan.threads, &runs, |(seed, choice)| {
            let optimizer = choice.to_string();
            let (seed, lr) = (*seed, rates[&optimizer]);
            if self.journal.has_run(&optimizer, lr, seed) {
                self.progress.skip_run();
                return Ok(());
            }
            let outcome = self.run(self.setup(choice, lr, seed, true))?;
            let Outcome { curve, rejected_steps, trust_region } = outcome;
            let run = Run { optimizer, lr, seed, curve, rejected_steps, trust_region };
            self.progress.run(&run);
            self.journal.add(Record::Run(run))
        });
        done.into_iter().collect()
    }

    /// One after the other, so that each has the machine to itself.
    fn step_times(&self, rates: &Rates) -> Result<(), CompareError> {
        for choice in &self.plan.optimizers {
            if self.stop.load(Ordering::Relaxed) {
                return Err(self.stopped());
            }
            let optimizer = choice.to_string();
            let setup = self.setup(choice, rates[&optimizer], TUNING_SEED, false);
            let time = work::alone(|| step_time(self.problem, setup));
            let time = time.map_err(|cause| CompareError::Run { optimizer, cause })?;
            self.journal.add(Record::StepTime(time))?;
        }
        Ok(())
    }

    fn run(&self, setup: Setup<'_>) -> Result<Outcome, CompareError> {
        let ended = train(self.problem, setup, self.stop, &|| self.progress.epoch());
        ended.map_err(|cause| match cause {
            TrainError::Stopped => self.stopped(),
            cause => CompareError::Run { optimizer: setup.optimizer.to_string(), cause },
        })
    }

    fn stopped(&self) -> CompareError {
        CompareError::Stopped { folder: self.plan.folder.clone() }
    }

    fn setup<'a>(&self, optimizer: &'a Choice, lr: f64, seed: u64, with_test: bool) -> Setup<'a> {
        let Plan { epochs, batch_size, falling, products, precision, .. } = *self.plan;
        Setup { optimizer, lr, seed, epochs, batch_size, precision, falling, products, with_test }
    }
}

/// The records that the report shows. An earlier comparison in the folder may have left more trials
/// and seeds, or runs at a rate that later trials beat; of optimizers left out now, all is kept.
fn shown(records: Vec<Record>, plan: &Plan, rates: &Rates) -> Vec<Record> {
    let mut trials: HashMap<&str, usize> = HashMap::new();
    let mut belongs = |record: &Record| match record {
        Record::Trial(trial) => match rates.get_key_value(trial.optimizer.as_str()) {
            Some((name, _)) => {
                let count = trials.entry(name).or_default();
                *count += 1;
                *count <= plan.trials
            }
            None => true,
        },
        Record::Run(run) => rates
            .get(run.optimizer.as_str())
            .is_none_or(|lr| run.lr == *lr && plan.seeds.contains(&run.seed)),
        Record::Comparison(_) | Record::StepTime(_) => true,
    };
    records.into_iter().filter(|record| belongs(record)).collect()
}

/// The seed of tuning runs; final seeds count from 1.
const TUNING_SEED: u64 = 0;

fn comparison(problem: &Problem, plan: &Plan) -> Comparison {
    Comparison {
        command: plan.command.clone(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        problem: problem.name.clone(),
        description: problem.description.clone(),
        parameters: problem
            .network
            .init(0, plan.precision.dtype(), &Device::default())
            .num_params(),
        train_records: problem.splits.train.len(),
        validation_records: problem.splits.validation.len(),
        test_records: problem.splits.test.len(),
        batch_size: plan.batch_size,
        epochs: plan.epochs,
        schedule: plan.falling.name().to_string(),
        trials: if plan.lr.is_some() { 0 } else { plan.trials },
        seeds: plan.seeds.clone(),
        optimizers: plan.optimizers.iter().map(Choice::to_string).collect(),
        target_accuracy: plan.target_accuracy.or(problem.target_accuracy).unwrap_or(0.0),
        precision: plan.precision.name().to_string(),
        hessian_products: plan.products.name().to_string(),
        threads: plan.threads,
    }
}
