//! A fair comparison: the same tuning budget for every method, then several seeds with its best settings,
//! then the time of a step alone. Every run is kept in the store.

mod error;
mod expected;
mod keys;
mod machine;
mod plan;
mod progress;
mod tune;
mod work;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

pub use error::CompareError;
pub use plan::{Particulars, Plan, Trials};
pub use progress::Shown;

use keys::Keys;
use progress::Progress;
use tune::{Tuned, TuningState, untuned};
pub(crate) use work::alone;
use work::{rotated, side_by_side};

use crate::{
    Problem,
    record::{Design, Run, Trial},
    run::{Checkpoints, Outcome, Setting, TrainError, Watch, step_times, train},
    store::{Claim, Claimed, Recorded, Store},
};

/// A comparison of optimizers on a problem.
///
/// It is made with [`Comparison::new`] from a [`Plan`], and carried out by [`Comparison::run`]. What the store has already is not run again; stopped or killed at any moment, the same
/// comparison goes on from there, and several processes may work on it.
pub struct Comparison<'a, P: Problem> {
    problem: &'a P,
    plan: Plan,
    design: Design,
    keys: Keys,
    store: &'a Store,
    stop: &'a AtomicBool,
    progress: Progress,
    reused: AtomicUsize,
}

/// A comparison that has been carried out.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What was compared, and all its trials, runs and times.
    pub recorded: Recorded,
    /// Trials and runs that the store had.
    pub reused: usize,
}

impl<'a, P: Problem> Comparison<'a, P> {
    /// Compares as planned.
    ///
    /// # Errors
    /// A plan that the problem does not allow; nothing has been run then.
    pub fn new(
        problem: &'a P,
        plan: Plan,
        store: &'a Store,
        stop: &'a AtomicBool,
    ) -> Result<Self, CompareError> {
        let design = plan.design(problem, store.now()?)?;
        let keys = Keys::new(&design);
        let progress = Progress::new(&plan, &design);
        let design = Design { key: keys.comparison(&design, &plan), ..design };
        Ok(Self { problem, plan, design, keys, store, stop, progress, reused: 0.into() })
    }

    /// Runs what the store lacks.
    ///
    /// # Errors
    /// One sentence that says why not. Finished runs are in the store then.
    pub fn run(self) -> Result<Finished, CompareError> {
        self.store.begin(&self.design)?;
        let tuned = self.tune()?;
        self.final_runs(&tuned)?;
        self.measure_steps(&tuned)?;
        self.progress.finish();
        let recorded = self.store.comparison(&self.design.key)?;
        Ok(Finished { recorded, reused: self.reused.into_inner() })
    }

    /// The best settings of every method, in the order of the methods.
    fn tune(&self) -> Result<Vec<Tuned>, CompareError> {
        let states = self
            .plan
            .at_work()
            .map(|method| Mutex::new(TuningState::new(method.clone(), &self.plan, &self.design)));
        let states: Vec<Mutex<TuningState>> = states.collect();
        let (least, most) = self.plan.trials_range();
        let rounds = |count: usize| {
            let done = side_by_side(self.plan.threads, &rotated(&states), |state| {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                while state.trials() < state.most_trials().unwrap_or(count) {
                    self.trial(&mut state)?;
                }
                Ok(())
            });
            done.into_iter().collect::<Result<(), CompareError>>()
        };
        rounds(least)?;
        // Where the best rate of one method lies at the end of those tried, all go on.
        for count in least + 1..=most {
            let all = states.iter();
            if all.clone().all(|s| s.lock().unwrap_or_else(PoisonError::into_inner).is_bracketed())
            {
                break;
            }
            // Methods with a given number of trials, or none, have no more.
            let is_open = |state: &&Mutex<TuningState>| {
                state.lock().unwrap_or_else(PoisonError::into_inner).most_trials().is_none()
            };
            let open = states.iter().filter(is_open).count();
            self.progress.add_tuning_runs(open * self.plan.tuning_seeds);
            rounds(count)?;
        }
        let states =
            states.into_iter().map(|s| s.into_inner().unwrap_or_else(PoisonError::into_inner));
        states.map(|state| state.tuned().map_err(CompareError::from)).collect()
    }

    /// The next trial of a method: its runs, from the store or run.
    fn trial(&self, state: &mut TuningState) -> Result<(), CompareError> {
        let next = state.next()?;
        let runs = self.plan.seeds_of_tuning().map(|seed| self.tuning_run(state, &next, seed));
        let runs = runs.collect::<Result<Vec<Trial>, CompareError>>()?;
        state.add(&self.design, &runs, next);
        Ok(())
    }

    /// One run of a trial, from the store or run.
    fn tuning_run(
        &self,
        state: &TuningState,
        next: &Tuned,
        seed: u64,
    ) -> Result<Trial, CompareError> {
        let setting = self.setting(next, seed);
        let key = self.keys.run("trial", &setting)?;
        let method = state.method().to_string();
        let trial = loop {
            if let Some(trial) = self.store.trial(&key)? {
                self.store.link_trial(&self.design.key, &key, &method, state.trials())?;
                self.note_reuse();
                break trial;
            }
            match self.store.claim(&key)? {
                Claim::Finished => {}
                Claim::Held(_) => self.wait()?,
                Claim::Yours(claimed) => {
                    let outcome = self.train(&setting, Watch::Ends, &claimed)?;
                    let trial = state.record(&setting, &outcome);
                    claimed.finish_trial(&self.design, &trial)?;
                    break trial;
                }
            }
        };
        self.progress.trial(&self.design, &trial);
        Ok(trial)
    }

    /// Every seed with every method's best settings.
    fn final_runs(&self, tuned: &[Tuned]) -> Result<(), CompareError> {
        let seeds = self.design.seeds.iter();
        let runs: Vec<(u64, &Tuned)> =
            seeds.flat_map(|seed| tuned.iter().map(move |tuned| (*seed, tuned))).collect();
        // First what no other process is at, then what is left.
        let mut left = rotated(&runs);
        for is_patient in [false, true] {
            let done = side_by_side(self.plan.threads, &left, |(seed, tuned)| {
                self.final_run(*seed, tuned, is_patient)
            });
            let done = done.into_iter().collect::<Result<Vec<bool>, CompareError>>()?;
            let mut done = done.into_iter();
            left.retain(|_| !done.next().unwrap_or(false));
        }
        Ok(())
    }

    /// One run, from the store or run; false where another process is at it and this one is not patient.
    fn final_run(&self, seed: u64, tuned: &Tuned, is_patient: bool) -> Result<bool, CompareError> {
        let setting = self.setting(tuned, seed);
        let key = self.keys.run("run", &setting)?;
        loop {
            if let Some(run) = self.store.run(&key)? {
                self.store.link_run(&self.design.key, &key, &tuned.of.to_string())?;
                self.note_reuse();
                self.progress.run(&self.design, &run);
                return Ok(true);
            }
            match self.store.claim(&key)? {
                Claim::Finished => {}
                Claim::Held(_) if !is_patient => return Ok(false),
                Claim::Held(_) => self.wait()?,
                Claim::Yours(claimed) => {
                    let outcome = self.train(&setting, Watch::Whole, &claimed)?;
                    let run = record(tuned, &setting, outcome);
                    claimed.finish_run(&self.design, &run)?;
                    self.progress.run(&self.design, &run);
                    return Ok(true);
                }
            }
        }
    }

    /// In turns, one at a time, so that each has the machine to itself.
    fn measure_steps(&self, tuned: &[Tuned]) -> Result<(), CompareError> {
        let known = self.store.step_times(&self.design.key)?;
        let is_timed = |tuned: &Tuned| known.iter().any(|time| time.method == tuned.of.to_string());
        if tuned.iter().all(is_timed) {
            return Ok(());
        }
        if self.stop.load(Ordering::Relaxed) {
            return Err(CompareError::Stopped);
        }
        let seed = self.plan.seed_aside();
        let settings: Vec<(String, Setting)> =
            tuned.iter().map(|tuned| (tuned.of.to_string(), self.setting(tuned, seed))).collect();
        let times = alone(|| step_times(self.problem, &settings, MANY_STEPS))?;
        Ok(self.store.add_step_times(&self.design.key, &times)?)
    }

    /// Trains, from the checkpoint of an earlier process if there is a good one.
    fn train(
        &self,
        setting: &Setting,
        watch: Watch,
        claimed: &Claimed<'_>,
    ) -> Result<Outcome, CompareError> {
        let shown = self.progress.begin(setting);
        let keep = |state: &[u8]| Ok(claimed.keep(&self.design.key, state)?);
        let from = claimed.kept()?;
        let mut checkpoints = Checkpoints { from, every: self.plan.checkpoint_every, keep: &keep };
        let train = |checkpoints: &Checkpoints<'_>| {
            let after_step = |progress| shown.at(progress);
            let trained = train(self.problem, setting, watch, self.stop, &after_step, checkpoints);
            trained.map(|(outcome, _)| outcome)
        };
        let ended = match train(&checkpoints) {
            Err(TrainError::Checkpoint(error)) if checkpoints.from.is_some() => {
                let (method, seed) = (&setting.method, setting.seed);
                self.progress.note(&format!("{method}, seed {seed}, begins anew: {error}"));
                checkpoints.from = None;
                train(&checkpoints)
            }
            ended => ended,
        };
        ended.map_err(|cause| CompareError::of_run(setting, cause))
    }

    /// Waits for another process.
    fn wait(&self) -> Result<(), CompareError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(CompareError::Stopped);
        }
        std::thread::sleep(PAUSE);
        Ok(())
    }

    fn note_reuse(&self) {
        self.reused.fetch_add(1, Ordering::Relaxed);
    }

    fn setting(&self, tuned: &Tuned, seed: u64) -> Setting {
        setting(&self.plan, &self.design, tuned, seed)
    }
}

/// The run of a plan's first method with its first seed, at the plan's rate or its usual one, and its key.
///
/// # Errors
/// A plan that the problem does not allow.
pub(crate) fn one_run<P: Problem>(
    plan: &Plan,
    problem: &P,
) -> Result<(Setting, String), CompareError> {
    let design = plan.design(problem, String::new())?;
    // The design has at least one method.
    let method = plan.methods[0].clone();
    let lr = plan.lr.unwrap_or_else(|| untuned(&method, &design));
    let tuned = Tuned { of: method.clone(), method, lr };
    let setting = setting(plan, &design, &tuned, plan.first_seed);
    let key = Keys::new(&design).run("train", &setting)?;
    Ok((setting, key))
}

fn setting(plan: &Plan, design: &Design, tuned: &Tuned, seed: u64) -> Setting {
    let Plan { products, precision, .. } = *plan;
    let Design { budget, batch_size, .. } = *design;
    let treatment = plan.treatment_of(&tuned.of);
    let (method, lr) = (tuned.method.clone(), tuned.lr);
    Setting { method, lr, seed, budget, batch_size, precision, treatment, products }
}

/// Timed steps of every method for a report.
const MANY_STEPS: usize = 15;

/// Between two looks at what another process does.
const PAUSE: Duration = Duration::from_millis(200);

fn record(tuned: &Tuned, setting: &Setting, outcome: Outcome) -> Run {
    let Outcome { curve, validation, test, trained, rejected_steps, chosen, trust_region } =
        outcome;
    Run {
        method: tuned.of.to_string(),
        settings: setting.method.to_string(),
        lr: setting.lr,
        seed: setting.seed,
        validation,
        test,
        curve,
        trained,
        rejected_steps,
        chosen,
        trust_region,
    }
}
