//! `secant run FILE`.

use std::{
    io::Write,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::AtomicBool,
    time::Duration,
};

use clap::Args;
use secant_lab::{
    CompareError, Comparison, Part, Plan, Problem, Shown, Store,
    experiment::{Experiment, Planned, Size},
    report::check_folder,
    supervised::ClassWeights,
};

use super::{
    compare::{INTERRUPTED, parse_few, parse_seconds, stop_on_interrupt, tell_reuse},
    problem::{Loaded, parse_problem, with_problem},
    report::{named, show},
    store::StoreArgs,
};
use crate::arguments::{Choices, UsageError, parse_optimizers};

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
    /// The folder below which data sets are kept
    #[arg(long, env = "SECANT_DATA", default_value = "data", value_name = "DIR")]
    data_dir: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
    /// The folder for copies of the report and its data, report.html and data.jsonl; made if need be
    #[arg(long, default_value = "secant-report", value_name = "DIR")]
    out: PathBuf,
    /// Seconds between two checkpoints of a run in progress
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = parse_seconds)]
    checkpoint_every: Duration,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// Runs side by side, one thread each [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = parse_few)]
    threads: Option<NonZeroUsize>,
}

const EXAMPLES: &str = "Examples:
  secant run experiments/quasi-adam/5-fashion-mnist-autoencoder.toml --small
  secant run experiments/apollo/1-cifar-10-milestone.toml --only 'sgd,apollo' --seeds 2";

pub(super) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let experiment = Experiment::load(&args.file)?;
    let size = if args.small { Size::Small } else { Size::Full };
    let comparisons = experiment.comparisons(size, &args.command())?;
    args.check(&experiment)?;
    check_folder(&args.out)?;
    let store = args.store.open()?;
    let stop = stop_on_interrupt()?;
    let mut loaded: Option<(String, Loaded)> = None;
    let mut keys = Vec::new();
    for planned in &comparisons {
        let problem = match loaded.take() {
            Some((name, problem)) if name == planned.problem => problem,
            _ => load_problem(planned, &args.data_dir)?,
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
    show(&recorded, &args.out, false)?;
    std::io::stdout().flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The problem of a comparison.
pub(super) fn load_problem(planned: &Planned, data_dir: &Path) -> anyhow::Result<Loaded> {
    let known = parse_problem(&planned.problem).map_err(UsageError)?;
    known.load(data_dir, planned.precision(), ClassWeights::None)
}

impl RunArgs {
    /// The command that repeats this.
    fn command(&self) -> String {
        let small = if self.small { " --small" } else { "" };
        format!("secant run {}{small}", self.file.display())
    }

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
        let plan = Plan {
            only: self.only.clone().map_or(Vec::new(), |Choices(only)| only),
            seeds: self.seeds.map_or(plan.seeds, NonZeroUsize::get),
            threads: self.threads.map_or(plan.threads, NonZeroUsize::get),
            checkpoint_every: self.checkpoint_every,
            shown: if self.quiet { Shown::Nothing } else { Shown::Progress },
            ..plan
        };
        if !self.quiet && !planned.variant.is_empty() {
            eprintln!("secant: {}", planned.variant);
        }
        let finished = Comparison::new(problem, plan, store, stop)?.run()?;
        if !self.quiet {
            tell_reuse(&finished, store);
        }
        Ok(finished.recorded.design.key)
    }
}
