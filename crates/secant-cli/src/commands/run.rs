//! `secant run FILE`.

use std::{
    io::Write,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::AtomicBool,
};

use clap::Args;
use secant_lab::{
    CompareError, Comparison, Known, Loaded, Part, Plan, Problem, Store,
    experiment::{Experiment, Planned, Size},
    report::check_folder,
    supervised::ClassWeights,
    with_problem,
};

use super::{
    report::{named, show},
    running::{RunningArgs, parse_few},
};
use crate::{
    arguments::{Choices, UsageError, parse_optimizers},
    interrupt::{INTERRUPTED, stop_on_interrupt},
};

/// Runs an experiment of a paper from its file.
///
/// What the store has already is not run again; stopped or killed at any moment, the same command goes on,
/// and several may work on one experiment. Ends with what the paper reports beside what came out.
/// `secant experiments` lists the files.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct RunArgs {
    /// The experiment's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The small variant, for two cores and minutes
    #[arg(long)]
    small: bool,
    /// Only these of the experiment's optimizers, separated by commas
    #[arg(long, value_name = "METHOD,...", value_parser = parse_optimizers)]
    only: Option<Choices>,
    /// Final runs of every optimizer, each from another seed [default: the experiment's]
    #[arg(long, value_name = "N", value_parser = parse_few)]
    seeds: Option<NonZeroUsize>,
    #[command(flatten)]
    running: RunningArgs,
}

const EXAMPLES: &str = "Examples:
  secant run experiments/quasi-adam/5-fashion-mnist-autoencoder.toml --small
  secant run experiments/apollo/1-cifar-10-milestone.toml --only 'sgd,apollo' --seeds 2";

pub(super) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let experiment = Experiment::load(&args.file)?;
    let size = if args.small { Size::Small } else { Size::Full };
    let comparisons = experiment.comparisons(size)?;
    args.check(&experiment)?;
    check_folder(&args.running.out)?;
    let store = args.running.store.open()?;
    let stop = stop_on_interrupt()?;
    let mut loaded: Option<(String, Loaded)> = None;
    let mut keys = Vec::new();
    for planned in &comparisons {
        let problem = match loaded.take() {
            Some((name, problem)) if name == planned.problem => problem,
            _ => load_problem(planned, &args.running.data.data_dir)?,
        };
        let ended =
            with_problem!(&problem, problem => args.compare(problem, planned, &store, &stop));
        match ended {
            Err(CompareError::Stopped) => {
                eprintln!(
                    "secant: {}; the store is {}",
                    CompareError::Stopped,
                    store.path().display()
                );
                return Ok(ExitCode::from(INTERRUPTED));
            }
            ended => keys.push(ended?),
        }
        loaded = Some((planned.problem.clone(), problem));
    }
    let recorded = named(&store, &keys)?;
    show(&recorded, &args.running.out, false)?;
    std::io::stdout().flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The problem of a comparison.
pub(super) fn load_problem(planned: &Planned, data_dir: &Path) -> anyhow::Result<Loaded> {
    let known = Known::named(&planned.problem).map_err(|e| UsageError(e.to_string()))?;
    Ok(known.load(data_dir, planned.precision(), ClassWeights::None)?)
}

impl RunArgs {
    fn check(&self, experiment: &Experiment) -> Result<(), UsageError> {
        let methods = experiment.methods();
        let only = self.only.iter().flat_map(|Choices(only)| only);
        match only.map(ToString::to_string).find(|method| !methods.contains(method)) {
            Some(method) => Err(UsageError(format!(
                "{} does not run `{method}`; its optimizers are {}",
                experiment.name,
                methods.join(", ")
            ))),
            None => Ok(()),
        }
    }

    /// One comparison, and its key.
    fn compare<P: Problem>(
        &self,
        problem: &P,
        planned: &Planned,
        store: &Store,
        stop: &AtomicBool,
    ) -> Result<String, CompareError> {
        let plan = planned.plan(problem.records(Part::Train));
        let plan = self.running.apply(Plan {
            only: self.only.clone().map_or(Vec::new(), |Choices(only)| only),
            seeds: self.seeds.map(NonZeroUsize::get).or(plan.seeds),
            ..plan
        });
        if !self.running.quiet && !planned.variant.is_empty() {
            eprintln!("secant: {}", planned.variant);
        }
        let finished = Comparison::new(problem, plan, store, stop)?.run()?;
        self.running.tell_reuse(&finished, store);
        Ok(finished.recorded.design.key)
    }
}
