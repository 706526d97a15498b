//! `secant compare [PROBLEM]`.

use std::{io::Write, num::NonZeroUsize, process::ExitCode};

use clap::Args;
use secant_lab::{
    Budget, CompareError, Comparison, Plan, Problem, Trials,
    report::{Summary, check_folder, plain_text, summary_json, write_report},
    run::{HessianProducts, Schedule},
    store::export::json_lines,
    tuning::Search,
    with_problem,
};

use super::{
    running::{RunningArgs, parse_few},
    source::SourceArgs,
};
use crate::{
    arguments::{Choices, UsageError, parse_count, parse_optimizers, parse_rate, parse_seed},
    interrupt::{INTERRUPTED, stop_on_interrupt},
    terminal,
};

/// Trains a problem with several optimizers and finds out which does best.
///
/// Every optimizer gets the same number of tuning runs, judged on the validation records, and then one run
/// for each seed with its best settings, measured on the test records; all runs evaluate the same number
/// of gradients. Every run is kept: the same command again shows what is there, and one that was stopped
/// goes on. Ends with a table, and with copies of the report and its data in the output folder.
///
/// The exit code is 1 if no optimizer trained, or none is better than the baseline.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(super) struct CompareArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// The optimizers, separated by commas, some with other hyper-parameters than usual, as in
    /// 'adam,mb-lsr1(memory=8)'; `secant optimizers` lists them [default: those with a *]
    #[arg(long, value_name = "LIST", value_parser = parse_optimizers)]
    optimizers: Option<Choices>,
    /// Ranges for an optimizer's hyper-parameters, searched with the same number of trials, the
    /// defaults first, as in 'mb-lsr1(delta0=log:1e-4..1, memory=8|16|32)'; may be given several times
    #[arg(long, value_name = "RANGES")]
    search: Vec<Search>,
    /// Final runs of every optimizer with its best settings, each from another seed [default: 5; 25 on the
    /// drawn digits]
    #[arg(long, value_name = "N", value_parser = parse_few)]
    seeds: Option<NonZeroUsize>,
    /// The first of the seeds; the others follow, and tuning has those before it
    #[arg(long, default_value = "1", value_name = "N", value_parser = parse_seed)]
    first_seed: u64,
    /// How long every run is: 100000evaluations (gradients, in records), 5epochs or 30s
    /// [default: the evaluations that the problem's epochs cost a method with one gradient a step]
    #[arg(long, value_name = "LENGTH")]
    budget: Option<Budget>,
    /// As many evaluations as so many passes over the training records cost a method with one
    /// gradient a step [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_epochs, conflicts_with = "budget")]
    epochs: Option<f64>,
    /// Records in a batch [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    batch_size: Option<NonZeroUsize>,
    /// One learning rate for all optimizers instead of tuning
    #[arg(long, value_name = "RATE", value_parser = parse_rate, conflicts_with_all = ["tune", "search"])]
    lr: Option<f64>,
    /// Tuning trials of every optimizer [default: 5, and up to 4 more for all until every best rate lies
    /// between two others]
    #[arg(long, value_name = "N", value_parser = parse_few)]
    tune: Option<NonZeroUsize>,
    /// Runs of every tuning trial, each from another seed; it is judged by their mean [default: 2]
    #[arg(long, value_name = "N", value_parser = parse_few)]
    tune_seeds: Option<NonZeroUsize>,
    /// How every learning rate changes over a run: cosine, constant, milestones(at=0.5|0.75, factor=0.1)
    /// (parts of the run), inverse-sqrt(after=4000); each also with keys warmup=500, from=1e-5 (steps and
    /// the first rate), the cosine with to=1e-6 [default: cosine; constant for the methods that average
    /// their points (schedule-free-..., subspace-newton)]
    #[arg(long, value_name = "SCHEDULE")]
    schedule: Option<Schedule>,
    /// Hessian products as differences of gradients instead of exact ones; refused where the network
    /// has kinks
    #[arg(long)]
    differences: bool,
    /// Differences also where the network has kinks (ReLU, max-pooling): they are no Hessian
    /// products there
    #[arg(long, requires = "differences")]
    allow_differences: bool,
    /// What tuning and ranking go by: loss, accuracy, balanced-accuracy, F1, AUC, RMSE, MAE, R2
    /// [default: the loss for tuning; for ranking accuracy, balanced accuracy where the largest class
    /// has over 80 %, or RMSE]
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    /// The value of the ranking metric on validation records to which costs are counted; shares from 0
    /// to 1 [default: the problem's, else 80 % of the way from the baseline to the best trial]
    #[arg(long, value_name = "VALUE", value_parser = parse_finite)]
    goal: Option<f64>,
    #[command(flatten)]
    running: RunningArgs,
    /// Nothing: every comparison goes on from what the store has
    #[arg(long, hide = true)]
    resume: bool,
    /// Print a summary and the records (those of data.jsonl) as JSON lines instead of the table
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  secant compare
  secant compare fashion-mnist/cnn --optimizers sgd-momentum,adam,quasi-adam,apollo
  secant compare --optimizers 'adam,mb-lsr1' --search 'mb-lsr1(delta0=log:1e-4..1)'
  secant compare --csv wine.csv --target quality --model logistic --seeds 5
  secant compare --csv credit.csv --target default --metric F1 --class-weights balanced
  secant compare --libsvm a9a --optimizers sgd,adam --tune 5";

fn parse_epochs(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(epochs) if epochs > 0.0 && epochs <= Budget::MOST_EPOCHS => Ok(epochs),
        _ => Err(format!("a number above 0 and at most {} is wanted", Budget::MOST_EPOCHS)),
    }
}

fn parse_finite(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("a finite number is wanted".to_string()),
    }
}

pub(super) fn run(args: CompareArgs) -> anyhow::Result<ExitCode> {
    let store = args.running.store.open()?;
    let problem = args.source.load(&args.running.data.data_dir)?;
    if !args.running.quiet {
        for warning in problem.data_warnings() {
            eprintln!("secant: data: {warning}");
        }
    }
    check_folder(&args.running.out)?;
    let stop = stop_on_interrupt()?;
    let ended = with_problem!(&problem, problem => {
        args.check(problem)?;
        Comparison::new(problem, args.plan(), &store, &stop).map_err(usage)?.run()
    });
    let finished = match ended {
        Err(stopped @ CompareError::Stopped) => {
            eprintln!("secant: {stopped}; the store is {}", store.path().display());
            return Ok(ExitCode::from(INTERRUPTED));
        }
        ended => ended?,
    };
    args.running.tell_reuse(&finished, &store);
    let recorded = finished.recorded;
    let summary = Summary::new(&recorded);
    let paths = write_report(&args.running.out, std::slice::from_ref(&recorded))?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", summary_json(&summary))?;
        write!(out, "{}", json_lines::text(&[recorded])?)?;
    } else {
        let text = plain_text(&summary, terminal::width());
        write!(out, "{}", terminal::coloured(&text))?;
        writeln!(out, "\ncomparison: {}", &summary.design.key[..12])?;
        writeln!(out, "report:     {}", paths.page.display())?;
        writeln!(out, "data:       {}", paths.data.display())?;
    }
    Ok(if summary.verdict.has_winner() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Seeds that follow the last number would begin at 0 again.
fn check_seeds(first: u64, count: usize) -> Result<(), UsageError> {
    match first.checked_add(count.saturating_sub(1) as u64) {
        Some(_) => Ok(()),
        None => Err(UsageError(format!(
            "{count} seeds from {first} on go beyond the largest, {}; give a smaller --first-seed",
            u64::MAX
        ))),
    }
}

/// What a problem does not allow is a mistake of the command line.
pub(super) fn usage(error: CompareError) -> anyhow::Error {
    match error {
        CompareError::UnknownMetric { .. }
        | CompareError::Repeated { .. }
        | CompareError::SearchOfNone { .. }
        | CompareError::SearchedTwice { .. }
        | CompareError::Goal { .. }
        | CompareError::BatchTooLarge { .. }
        | CompareError::BudgetBelowBatch { .. } => UsageError(error.to_string()).into(),
        error => error.into(),
    }
}

impl CompareArgs {
    /// What can be told once the problem is known.
    fn check(&self, problem: &impl Problem) -> Result<(), UsageError> {
        check_seeds(self.first_seed, self.seeds.map_or(problem.seeds(), NonZeroUsize::get))
    }

    fn products(&self) -> HessianProducts {
        match (self.differences, self.allow_differences) {
            (false, _) => HessianProducts::Exact,
            (true, false) => HessianProducts::Differences,
            (true, true) => HessianProducts::AnyDifferences,
        }
    }

    fn plan(&self) -> Plan {
        let usual = Plan::default();
        self.running.apply(Plan {
            methods: self
                .optimizers
                .clone()
                .map_or(usual.methods.clone(), |Choices(methods)| methods),
            searches: self.search.clone(),
            seeds: self.seeds.map(NonZeroUsize::get),
            first_seed: self.first_seed,
            budget: self.budget,
            epochs: self.epochs,
            batch_size: self.batch_size.map(NonZeroUsize::get),
            trials: self.tune.map_or(usual.trials, |count| Trials::Exactly(count.get())),
            tuning_seeds: self.tune_seeds.map_or(usual.tuning_seeds, NonZeroUsize::get),
            lr: self.lr,
            schedule: self.schedule.clone(),
            products: self.products(),
            precision: self.source.precision(),
            metric: self.metric.clone(),
            target: self.goal,
            ..usual
        })
    }
}
