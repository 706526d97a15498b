//! `secant-dev bench`: `step`, `pairs`, `function` and `batches`.

use std::{io::Write, num::NonZeroUsize, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand, ValueEnum};

use secant::spec::{Choice, PRESETS, split_list};

use secant_cli::arguments::{Choices, parse_count, parse_optimizers};

use secant_data::Precision;
use secant_lab::supervised::{CatalogueEntry, ClassWeights, load};

use crate::bench::{
    BenchMethod, FunctionPlan, Plan, Shapes, batches_table, function_json, function_table,
    json_line, measure, measure_batches, measure_function, measure_pairs, pairs_json, pairs_table,
    table,
};

/// What is timed.
#[derive(Debug, Subcommand)]
pub(super) enum BenchCommand {
    // Explained where its arguments are.
    Step(StepArgs),
    // Explained where its arguments are.
    Pairs(PairsArgs),
    // Explained where its arguments are.
    Function(FunctionArgs),
    // Explained where its arguments are.
    Batches(BatchesArgs),
}

/// Times making a batch's inputs (gathered, augmented, as a tensor), beside a whole step with Adam.
#[derive(Debug, Args)]
pub(super) struct BatchesArgs {
    /// The problems, separated by commas
    #[arg(value_delimiter = ',', default_value = "fashion-mnist/cnn,cifar-10/resnet-20", value_parser = parse_entry)]
    problems: Vec<&'static CatalogueEntry>,
    /// The folder below which data sets are kept
    #[arg(long, env = "SECANT_DATA", default_value = "data", value_name = "DIR")]
    data_dir: PathBuf,
    /// Timed steps
    #[arg(long, default_value = "20", value_parser = parse_count)]
    rounds: NonZeroUsize,
    /// Threads; by default one for each core
    #[arg(long, value_parser = parse_threads)]
    threads: Option<NonZeroUsize>,
}

fn parse_entry(name: &str) -> Result<&'static CatalogueEntry, String> {
    CatalogueEntry::named(name).map_err(|error| error.to_string())
}

/// Times a step of any method on a function of one long vector, without its evaluations.
///
/// The function is a diagonal quadratic; a step's evaluations and Hessian products are timed where they
/// happen and taken off. A time is the median over the steps after the memory of pairs has been
/// filled. "in vectors" says how many vectors could be read in that time at the bandwidth measured
/// right before and after every step.
#[derive(Debug, Args)]
pub(super) struct FunctionArgs {
    /// The methods, separated by commas; `secant optimizers` lists them [default: those with more
    /// than one gradient a step]
    #[arg(long, value_name = "LIST", value_parser = parse_optimizers)]
    methods: Option<Choices>,
    /// Pairs of methods like L-BFGS
    #[arg(long, default_value_t = 16, value_parser = parse_memory)]
    memory: usize,
    /// Double-precision numbers in the vector
    #[arg(long, default_value_t = 1_000_000, value_parser = parse_numbers)]
    numbers: usize,
    /// With the methods' settings for batches, and not those for a function that stays the same
    #[arg(long)]
    for_batches: bool,
    /// Threads; by default one for each core
    #[arg(long, value_parser = parse_threads)]
    threads: Option<NonZeroUsize>,
    /// Print one JSON object for each method instead of a table
    #[arg(long)]
    json: bool,
}

/// Times the matrices of L-BFGS and L-SR1, beside reading their memory.
///
/// Applying the inverse L-BFGS matrix must read the memory of m pairs twice, adding a pair once. A
/// step with the L-SR1 matrix must read it three times: twice to minimise the model in the trust
/// region, once to add a pair. The times are in times of reads of that size at the bandwidth measured
/// right before and after every operation with the same threads, by a pass that reads four vectors and
/// adds them up; ratios are medians.
#[derive(Debug, Args)]
pub(super) struct PairsArgs {
    /// Numbers of pairs, separated by commas
    #[arg(long, value_delimiter = ',', default_values_t = [16, 64], value_parser = parse_memory)]
    memory: Vec<usize>,
    /// Single-precision numbers in a vector
    #[arg(long, default_value_t = 1_000_000, value_parser = parse_numbers)]
    numbers: usize,
    /// Threads; by default one for each core
    #[arg(long, value_parser = parse_threads)]
    threads: Option<NonZeroUsize>,
    /// Print one JSON object for each number of pairs instead of a table
    #[arg(long)]
    json: bool,
}

/// Times an optimizer step, beside the memory's speed and Burn's Adam.
///
/// This is `step_with_gradients` of every method on tensors of given shapes, single precision, in
/// host memory.
///
/// The gradients are made outside the clock and handed over, as after a backward pass; a step owns
/// them, so freeing them is in its time. Methods take turns of ten steps; a time is the median
/// over all steps. "of memory" is the bytes that the method must move (vectors read and written,
/// as its documentation counts them) by the step's time, as a fraction of the bandwidth measured
/// in the same turn with the same threads: the better of a copy and of a pass that reads four
/// vectors and writes three. Ratios are medians over the turns; "x Adam" is to our Adam with the
/// same guard.
#[derive(Debug, Args)]
pub(super) struct StepArgs {
    /// The tensors; all if not given
    #[arg(long, value_delimiter = ',')]
    shapes: Vec<Shapes>,
    /// The methods, separated by commas, as in 'adam,apollo(warmup=0),burn-adam'; all that step along
    /// ready gradients if not given, but for Shampoo on one tensor, whose factors would take 82 GB
    #[arg(long, value_name = "LIST", value_parser = parse_methods)]
    methods: Option<BenchMethods>,
    /// Whether gradients are looked through for values that are not finite before a step writes
    #[arg(long, value_enum, default_value_t = Guard::Both)]
    guard: Guard,
    /// The same as `--guard off`
    #[arg(long, conflicts_with = "guard")]
    no_guard: bool,
    /// Timed steps of each, in turns of ten; by default 30 of one tensor, 200 of many
    #[arg(long, value_parser = parse_count)]
    rounds: Option<NonZeroUsize>,
    /// Threads; by default one for each core
    #[arg(long, value_parser = parse_threads)]
    threads: Option<NonZeroUsize>,
    /// Print one JSON object for each method and guard instead of tables
    #[arg(long)]
    json: bool,
}

/// A whole number from 1 to `most`.
fn parse_up_to(most: usize, text: &str) -> Result<usize, String> {
    parse_count(text)
        .ok()
        .map(NonZeroUsize::get)
        .filter(|count| *count <= most)
        .ok_or_else(|| format!("a whole number from 1 to {most} is wanted"))
}

fn parse_numbers(text: &str) -> Result<usize, String> {
    parse_up_to(100_000_000, text)
}

fn parse_memory(text: &str) -> Result<usize, String> {
    parse_up_to(1000, text)
}

fn parse_threads(text: &str) -> Result<NonZeroUsize, String> {
    let count = parse_up_to(1000, text)?;
    NonZeroUsize::new(count).ok_or_else(|| "a whole number from 1 is wanted".to_string())
}

/// Methods as they are listed on the command line.
#[derive(Clone, Debug)]
struct BenchMethods(Vec<BenchMethod>);

fn parse_methods(list: &str) -> Result<BenchMethods, String> {
    split_list(list).into_iter().map(str::parse).collect::<Result<_, _>>().map(BenchMethods)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Guard {
    /// Values are looked through
    On,
    /// Values are taken as they are
    Off,
    /// Each method is timed both ways
    Both,
}

pub(super) fn run(command: &BenchCommand) -> anyhow::Result<ExitCode> {
    match command {
        BenchCommand::Step(args) => step(args),
        BenchCommand::Pairs(args) => pairs(args),
        BenchCommand::Function(args) => function(args),
        BenchCommand::Batches(args) => batches(args),
    }
}

fn batches(args: &BatchesArgs) -> anyhow::Result<ExitCode> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.map_or(0, NonZeroUsize::get))
        .build()?;
    let mut measurements = Vec::new();
    for entry in &args.problems {
        let problem = load(entry, &args.data_dir, Precision::F32, ClassWeights::None)?;
        measurements.push(pool.install(|| measure_batches(&problem, args.rounds.get()))?);
    }
    write!(std::io::stdout(), "{}", batches_table(&measurements))?;
    Ok(ExitCode::SUCCESS)
}

fn function(args: &FunctionArgs) -> anyhow::Result<ExitCode> {
    let FunctionArgs { numbers, memory, for_batches, .. } = *args;
    let plan = FunctionPlan { numbers, memory, for_batches };
    let several = || {
        Choices(PRESETS.iter().filter(|preset| preset.gradients > 1).map(Choice::from).collect())
    };
    let Choices(methods) = args.methods.clone().unwrap_or_else(several);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.map_or(0, NonZeroUsize::get))
        .build()?;
    let threads = pool.current_num_threads();
    let mut measurements = Vec::new();
    for method in &methods {
        match pool.install(|| measure_function(method, plan)) {
            // One that nobody asked for.
            Err(error) if args.methods.is_none() && error.is_too_large() => {
                eprintln!("left out: {error}");
            }
            measured => measurements.push(measured?),
        }
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        for measurement in &measurements {
            writeln!(out, "{}", function_json(measurement, plan, threads))?;
        }
    } else {
        write!(out, "{}", function_table(&measurements, plan, threads))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn pairs(args: &PairsArgs) -> anyhow::Result<ExitCode> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.map_or(0, NonZeroUsize::get))
        .build()?;
    let threads = pool.current_num_threads();
    let measure = |memory: &usize| pool.install(|| measure_pairs(args.numbers, *memory));
    let measurements: Vec<_> = args.memory.iter().map(measure).collect();
    let mut out = std::io::stdout().lock();
    if args.json {
        for measurement in &measurements {
            writeln!(out, "{}", pairs_json(measurement, threads))?;
        }
    } else {
        write!(out, "{}", pairs_table(&measurements, threads))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn step(args: &StepArgs) -> anyhow::Result<ExitCode> {
    let guards = match args.guard {
        _ if args.no_guard => vec![false],
        Guard::On => vec![true],
        Guard::Off => vec![false],
        Guard::Both => vec![true, false],
    };
    let shapes = if args.shapes.is_empty() { Shapes::value_variants() } else { &args.shapes };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads.map_or(0, NonZeroUsize::get))
        .build()?;
    let threads = pool.current_num_threads();
    for &shapes in shapes {
        let plan = Plan {
            shapes,
            methods: match &args.methods {
                Some(BenchMethods(methods)) => methods.clone(),
                None => BenchMethod::all(shapes),
            },
            guards: guards.clone(),
            rounds: args.rounds.map(NonZeroUsize::get),
        };
        let measurements = pool.install(|| measure(&plan))?;
        let mut out = std::io::stdout().lock();
        if args.json {
            for measurement in &measurements {
                writeln!(out, "{}", json_line(measurement, threads))?;
            }
        } else {
            writeln!(out, "{}", table(&measurements, threads))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
