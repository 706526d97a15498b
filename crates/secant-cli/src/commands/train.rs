//! `secant train PROBLEM` and `secant eval MODEL PROBLEM`.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use secant_lab::{
    Budget, CompareError, Figures, Loaded, Plan, Trained, TrainingError, measure_file,
    report::value_text, run::Schedule, train_to_file, with_problem,
};

use super::{compare::usage, data_dir::DataDirArgs, running::parse_seconds, source::SourceArgs};
use crate::{
    arguments::{UsageError, parse_optimizer, parse_rate, parse_seed},
    interrupt::{INTERRUPTED, stop_on_interrupt},
};

/// Trains one model with one optimizer, and keeps it.
///
/// The model is written as safetensors, or as a record of Burn where the file's name ends in .bpk. A
/// checkpoint beside it lets a run that was stopped or killed go on:
/// give the same command again.
#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    data: DataDirArgs,
    /// The optimizer, as in adam or 'mb-lsr1(memory=8)'; `secant optimizers` lists them
    #[arg(long, default_value = "adam", value_parser = parse_optimizer, value_name = "OPTIMIZER")]
    optimizer: secant::spec::Choice,
    /// The learning rate [default: the optimizer's usual one]
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    lr: Option<f64>,
    /// How long: 100000evaluations (gradients, in records), 5epochs or 30s [default: the problem's epochs]
    #[arg(long, value_name = "LENGTH")]
    budget: Option<Budget>,
    /// Records in a batch [default: the problem's]
    #[arg(long, value_name = "N", value_parser = crate::arguments::parse_count)]
    batch_size: Option<std::num::NonZeroUsize>,
    /// How the learning rate changes over the run, as in `secant compare` [default: the optimizer's there]
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<Schedule>,
    /// Draws the weights and the order of the records
    #[arg(long, default_value = "1", value_name = "N", value_parser = parse_seed)]
    seed: u64,
    /// Seconds between two checkpoints
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = parse_seconds)]
    checkpoint_every: Duration,
    /// The file for the model
    #[arg(long, default_value = "model.safetensors", value_name = "FILE")]
    out: PathBuf,
    /// Replace the file where it is there
    #[arg(long)]
    force: bool,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

/// Measures a model that `secant train` wrote, on the validation and the test records.
#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// The model's file
    #[arg(value_name = "MODEL")]
    trained: PathBuf,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    data: DataDirArgs,
}

pub(super) fn train(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    require_free(&args.out, args.force, args.source.file())?;
    let problem = args.source.load(&args.data.data_dir)?;
    tell(&problem);
    let plan = Plan {
        methods: vec![args.optimizer.clone()],
        seeds: Some(1),
        first_seed: args.seed,
        budget: args.budget,
        batch_size: args.batch_size.map(std::num::NonZeroUsize::get),
        lr: args.lr,
        schedule: args.schedule.clone(),
        precision: args.source.precision(),
        checkpoint_every: args.checkpoint_every,
        ..Plan::default()
    };
    let stop = stop_on_interrupt()?;
    let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new(1000) };
    bar.set_style(ProgressStyle::with_template("{wide_bar} {percent} %, {eta} left")?);
    let after_step = |progress: f64| bar.set_position((1000.0 * progress) as u64);
    let recipe = problem.recipe(plan.precision);
    let trained = with_problem!(&problem, problem => {
        train_to_file(problem, &plan, &args.out, recipe, &stop, &after_step)
    });
    bar.finish_and_clear();
    match trained {
        Err(TrainingError::Plan(CompareError::Stopped)) => {
            eprintln!(
                "secant: stopped; a checkpoint is kept beside {}, so the same command goes on",
                args.out.display()
            );
            Ok(ExitCode::from(INTERRUPTED))
        }
        trained => {
            let Trained { figures, has_learnt } = trained.map_err(|error| match error {
                TrainingError::Plan(error) => usage(error),
                error => error.into(),
            })?;
            print(&figures)?;
            writeln!(std::io::stdout(), "model: {}", args.out.display())?;
            if has_learnt {
                return Ok(ExitCode::SUCCESS);
            }
            eprintln!(
                "secant: the model learnt nothing: a loss was not finite, or neither the training loss nor the \
                 validation loss fell; give --lr a smaller rate"
            );
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Nothing that is there is lost: neither a file unless it may be replaced, nor what is no file, nor the data.
fn require_free(out: &Path, force: bool, input: Option<&Path>) -> anyhow::Result<()> {
    let path = out.display();
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let folder = folder.display();
        let reason = format!("{folder} is no folder, so {path} cannot be written; make it first");
        return Err(UsageError(reason).into());
    }
    let Ok(found) = fs::symlink_metadata(out) else { return Ok(()) };
    if input.is_some_and(|input| is_of(input, out)) {
        return Err(UsageError(format!("{path} holds the data; choose another --out")).into());
    }
    if !found.is_file() {
        let reason = format!("{path} is no regular file; choose another --out");
        return Err(UsageError(reason).into());
    }
    if !force {
        let reason = format!(
            "{path} exists and was left as it is; choose another --out, or say --force to replace it"
        );
        return Err(UsageError(reason).into());
    }
    Ok(())
}

/// Whether `out` is the data's file, a packed one that stands for it, or its test part.
fn is_of(input: &Path, out: &Path) -> bool {
    const BESIDE: [&str; 6] = ["", ".gz", ".xz", ".t", ".t.gz", ".t.xz"];
    let same = |suffix: &&str| {
        let mut name = input.as_os_str().to_owned();
        name.push(suffix);
        fs::canonicalize(name).is_ok_and(|file| fs::canonicalize(out).is_ok_and(|out| out == file))
    };
    BESIDE.iter().any(same)
}

pub(super) fn eval(args: &EvalArgs) -> anyhow::Result<ExitCode> {
    let problem = args.source.load(&args.data.data_dir)?;
    let plan = Plan { precision: args.source.precision(), ..Plan::default() };
    let figures = with_problem!(&problem, problem => measure_file(problem, &plan, &args.trained)?);
    print(&figures)?;
    Ok(ExitCode::SUCCESS)
}

fn print(figures: &Figures) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<20} {:>12} {:>12}", "metric", "validation", "test")?;
    for (place, metric) in figures.metrics.iter().enumerate() {
        let text =
            |values: &[Option<f64>]| value_text(metric, values.get(place).copied().flatten());
        let (validation, test) = (text(&figures.validation), text(&figures.test));
        writeln!(out, "{:<20} {validation:>12} {test:>12}", metric.name)?;
    }
    Ok(())
}

fn tell(problem: &Loaded) {
    for warning in problem.data_warnings() {
        eprintln!("secant: data: {warning}");
    }
}
