//! `secant compare [PROBLEM]`.

use std::{
    io::Write,
    num::NonZeroUsize,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::{ArgGroup, Args};
use secant::spec::{Choice, PRESETS};

use secant_lab::{
    compare::{CompareError, Plan, compare},
    problem::{
        CatalogueEntry, DEFAULT_PROBLEM, Precision, Problem, TableModel, TableSource, load,
        load_table,
    },
    report::{Summary, plain_text, write_report},
    run::{Falling, HessianProducts},
};

use crate::arguments::{Choices, UsageError, parse_count, parse_optimizers, parse_rate, repeated};

/// Trains a problem with several optimizers and reports which does best.
///
/// Every optimizer gets the same number of tuning runs to find its learning rate on the validation
/// records, then one run for each seed at its best rate, measured on the test records. Ends with a
/// table, and with report.html and data.jsonl in the output folder.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true, group = ArgGroup::new("file").args(["csv", "libsvm"]))]
pub(super) struct CompareArgs {
    /// The problem; `secant problems` lists them
    #[arg(default_value = DEFAULT_PROBLEM, value_parser = parse_problem, conflicts_with_all = ["csv", "libsvm"])]
    problem: &'static CatalogueEntry,
    /// A CSV file of your own instead of a problem; its target column must hold classes
    #[arg(long, value_name = "FILE", requires = "target")]
    csv: Option<PathBuf>,
    /// The CSV file's column to predict, by name or by number from 1
    #[arg(long, value_name = "COLUMN", requires = "csv")]
    target: Option<String>,
    /// A LIBSVM file of your own instead of a problem; a file FILE.t beside it is the test part
    #[arg(long, value_name = "FILE")]
    libsvm: Option<PathBuf>,
    /// The network for a file of your own
    #[arg(long, value_enum, default_value = "mlp", requires = "file")]
    model: TableModel,
    /// The optimizers, separated by commas, some with other hyper-parameters than usual, as in
    /// 'adam,mb-lsr1(memory=8)'; `secant optimizers` lists them [default: those with a *]
    #[arg(long, value_name = "LIST", value_parser = parse_optimizers)]
    optimizers: Option<Choices>,
    /// Final runs of every optimizer at its best rate, each from another seed
    #[arg(long, default_value = "3", value_name = "N", value_parser = parse_count)]
    seeds: NonZeroUsize,
    /// Passes over the training records in every run [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    epochs: Option<NonZeroUsize>,
    /// Records in a batch [default: the problem's]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    batch_size: Option<NonZeroUsize>,
    /// One learning rate for all optimizers instead of tuning
    #[arg(long, value_name = "RATE", value_parser = parse_rate, conflicts_with = "tune")]
    lr: Option<f64>,
    /// Learning rates to try for every optimizer, one run each, before the final runs
    #[arg(long, default_value = "3", value_name = "N", value_parser = parse_count)]
    tune: NonZeroUsize,
    /// How every learning rate falls over a run
    #[arg(long = "schedule", value_enum, default_value = "cosine")]
    falling: Falling,
    /// Hessian products as differences of gradients instead of exact ones; refused where the network
    /// has kinks
    #[arg(long)]
    differences: bool,
    /// Differences also where the network has kinks (ReLU, max-pooling): they are no Hessian
    /// products there
    #[arg(long, requires = "differences")]
    allow_differences: bool,
    /// The validation accuracy, above 0 and at most 1, to which costs are counted
    /// [default: the problem's; for a file of your own from the tuning runs]
    #[arg(long, value_name = "ACCURACY", value_parser = parse_fraction)]
    target_accuracy: Option<f64>,
    /// The folder below which data sets are kept
    #[arg(long, env = "SECANT_DATA", default_value = "data", value_name = "DIR")]
    data_dir: PathBuf,
    /// The folder for report.html and data.jsonl; made if need be
    #[arg(long, default_value = "secant-report", value_name = "DIR")]
    out: PathBuf,
    /// Go on with the comparison in the output folder: only what is missing there is run
    #[arg(long)]
    resume: bool,
    /// Print the records (those of data.jsonl) as JSON lines instead of the table
    #[arg(long)]
    json: bool,
    /// Runs side by side, one thread each [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    threads: Option<NonZeroUsize>,
    /// The number type of data and weights
    #[arg(long, value_enum, default_value = "f32")]
    precision: Precision,
}

const EXAMPLES: &str = "Examples:
  secant compare
  secant compare fashion-mnist/cnn --optimizers sgd-momentum,adam,quasi-adam,apollo
  secant compare --optimizers 'adam,mb-lsr1(memory=8,delta0=0.01)'
  secant compare --csv wine.csv --target quality --model logistic --seeds 5
  secant compare --libsvm a9a --optimizers sgd,adam --tune 5";

fn parse_problem(name: &str) -> Result<&'static CatalogueEntry, String> {
    CatalogueEntry::named(name).map_err(|error| error.to_string())
}

fn parse_fraction(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(fraction) if fraction > 0.0 && fraction <= 1.0 => Ok(fraction),
        _ => Err("an accuracy is a number above 0 and at most 1".to_string()),
    }
}

pub(super) fn run(args: CompareArgs) -> anyhow::Result<ExitCode> {
    let problem = args.load_problem()?;
    let plan = args.plan(&problem)?;
    let stop = stop_on_interrupt()?;
    let records = match compare(&problem, &plan, &stop) {
        Err(stopped @ CompareError::Stopped { .. }) => {
            eprintln!("secant: {stopped}");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        ended => ended?,
    };
    let paths = write_report(&plan.folder, &records)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        for record in &records {
            writeln!(out, "{}", serde_json::to_string(record)?)?;
        }
    } else {
        let summary = Summary::new(&records)?;
        writeln!(out, "{}", plain_text(&summary))?;
        writeln!(out, "report: {}", paths.page.display())?;
        writeln!(out, "data:   {}", paths.data.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

impl CompareArgs {
    fn load_problem(&self) -> anyhow::Result<Problem> {
        Ok(match (&self.csv, &self.target, &self.libsvm) {
            (Some(path), Some(target), _) => {
                load_table(TableSource::Csv { path, target }, self.model)?
            }
            (_, _, Some(path)) => load_table(TableSource::Libsvm(path), self.model)?,
            _ => load(self.problem, &self.data_dir)?,
        })
    }

    fn products(&self) -> HessianProducts {
        match (self.differences, self.allow_differences) {
            (false, _) => HessianProducts::Exact,
            (true, false) => HessianProducts::Differences,
            (true, true) => HessianProducts::AnyDifferences,
        }
    }

    fn plan(&self, problem: &Problem) -> Result<Plan, UsageError> {
        let by_default = || {
            Choices(PRESETS.iter().filter(|preset| preset.by_default).map(Choice::from).collect())
        };
        let Choices(optimizers) = self.optimizers.clone().unwrap_or_else(by_default);
        if let Some(choice) = repeated(&optimizers) {
            return Err(UsageError(format!("--optimizers names `{choice}` twice; name it once")));
        }
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Ok(Plan {
            command: command_line(),
            optimizers,
            seeds: (1..=self.seeds.get() as u64).collect(),
            epochs: self.epochs.map_or(problem.epochs, NonZeroUsize::get),
            batch_size: self.batch_size.map_or(problem.batch_size, NonZeroUsize::get),
            trials: self.tune.get(),
            lr: self.lr,
            falling: self.falling,
            products: self.products(),
            precision: self.precision,
            threads: self.threads.map_or_else(cores, NonZeroUsize::get),
            target_accuracy: self.target_accuracy,
            folder: self.out.clone(),
            resume: self.resume,
        })
    }
}

/// The command line as a person would type it.
fn command_line() -> String {
    let quoted = |argument: String| {
        if argument.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')')) {
            format!("'{argument}'")
        } else {
            argument
        }
    };
    let arguments = std::env::args().skip(1).map(quoted);
    std::iter::once("secant".to_string()).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// The exit code of a command that Ctrl-C ended, as shells have it.
pub(super) const INTERRUPTED: u8 = 130;

/// The first Ctrl-C ends the steps in progress, the second the process.
pub(super) fn stop_on_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
        eprintln!("\nstopping after the steps in progress; press Ctrl-C again to stop at once");
    })?;
    Ok(stop)
}
