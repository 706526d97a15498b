//! `secant minimize PROBLEM`.

use std::{
    io::Write,
    num::NonZeroUsize,
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
};

use clap::Args;

use secant_data::libsvm;
use secant_lab::minimize::{
    Limits, Logistic, Problem, ProblemKind, Run, Status, check_picture, json_line, minimize,
    plain_text, write_picture,
};

use crate::{
    arguments::{
        Choices, UsageError, parse_count, parse_optimizers, parse_rate, parse_seed, repeated,
    },
    interrupt::{INTERRUPTED, stop_on_interrupt},
};

/// Minimizes a function that is the same at every evaluation, with one or more methods.
///
/// A run ends at the first evaluation whose gradient has a 2-norm of at most the tolerance times
/// that at the start (or of at most the tolerance, where that is 0): its status is reached. It also ends
/// after the evaluations allowed (unfinished), where a search finds no smaller value (no decrease), where
/// the method has nothing left to gain, by a tolerance of its own or because it would be within rounding
/// (converged), where value or gradient overflow, also at the start (not finite), and by Ctrl-C
/// (interrupted). An evaluation gives value and gradient. The seconds are those of the method and its
/// evaluations alone; files are read before.
///
/// The exit code is 1 if a method did not reach the tolerance.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, allow_negative_numbers = true)]
pub(super) struct MinimizeArgs {
    /// The problem: rosenbrock, beale, rastrigin, quadratic, logistic, or a differential equation such as
    /// physics/helmholtz
    #[arg(value_parser = parse_problem)]
    problem: ProblemKind,
    /// The methods, separated by commas, some with other hyper-parameters than usual, as in
    /// 'l-bfgs(history_size=5),adam'; `secant optimizers` lists them
    #[arg(long, visible_alias = "method", value_name = "LIST", default_value = "l-bfgs", value_parser = parse_optimizers)]
    methods: Choices,
    /// The gradient's norm to reach, in times of that at the start
    #[arg(long, default_value = "1e-6", value_name = "NUMBER", value_parser = parse_tolerance)]
    tolerance: f64,
    /// Evaluations after which a method begins no further step
    #[arg(long, default_value = "10000", value_name = "N", value_parser = parse_count)]
    max_evaluations: NonZeroUsize,
    /// One learning rate for all methods [default: each method's usual rate, for l-bfgs 1; a tenth of it
    /// as often as the run blows up]
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    lr: Option<f64>,
    /// Where to start, numbers separated by commas [default: the problem's]
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_name = "NUMBERS", value_parser = parse_number)]
    start: Option<Vec<f64>>,
    /// The dimension of rosenbrock and rastrigin [default: 2] and of quadratic [default: 100]
    #[arg(long, value_name = "N", value_parser = parse_dimension)]
    dimension: Option<NonZeroUsize>,
    /// The largest eigenvalue of quadratic; the smallest is 1 [default: 1000]
    #[arg(long, value_name = "NUMBER", value_parser = parse_condition)]
    condition: Option<f64>,
    /// The seed of the eigenvectors of quadratic [default: 0], and of the weights of a network [default: 1]
    #[arg(long, value_name = "N", value_parser = parse_seed)]
    seed: Option<u64>,
    /// The LIBSVM file of logistic, plain or as .gz, with two classes
    #[arg(long, value_name = "FILE")]
    libsvm: Option<PathBuf>,
    /// The factor of |w|^2 / 2 in logistic; auto is 1 by the number of records [default: auto]
    #[arg(long, value_name = "auto|NUMBER")]
    l2: Option<L2>,
    /// Pairs of methods that keep them [default: 10, for mb-lsr1 and l-ssr1-tr 16, for l-bfgs-torch 100]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    memory: Option<NonZeroUsize>,
    /// Draw contour lines and the methods' paths into an SVG file (problems of dimension 2)
    #[arg(long, value_name = "FILE.svg", value_parser = parse_picture)]
    picture: Option<PathBuf>,
    /// Print one JSON object for each method instead of the table
    #[arg(long)]
    json: bool,
    /// Threads of the evaluations of logistic; results do not depend on it [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    threads: Option<NonZeroUsize>,
}

const AFTER_HELP: &str = "Problems:
  rosenbrock  sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2, from (-1.2, 1, ..)
  beale       sum over i = 1, 2, 3 of (c[i] - x (1 - y^i))^2, from (1, 1)
  rastrigin   10 n + sum of x[i]^2 - 10 cos(2 pi x[i]), from (2.2, -1.6, ..)
  quadratic   (x - 1)'A(x - 1) / 2 with eigenvalues from 1 to --condition, from 0
  logistic    mean of log(1 + exp(-y x'w)) + l2/2 |w|^2, without a bias, from 0
  physics/..  the loss of a physics-informed network at all its points (`secant problems`), in double precision

Examples:
  secant minimize rosenbrock --methods l-bfgs,adam --picture paths.svg
  secant minimize quadratic --dimension 1000 --condition 1e4 --methods l-bfgs,o-lbfgs
  secant minimize logistic --libsvm a9a --tolerance 1e-8";

/// `--l2`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum L2 {
    /// 1 by the number of records.
    Auto,
    Is(f64),
}

impl FromStr for L2 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            _ if text == "auto" => Ok(Self::Auto),
            Ok(l2) if l2 >= 0.0 && l2.is_finite() => Ok(Self::Is(l2)),
            _ => Err("`auto` or a finite number from 0 is wanted".to_string()),
        }
    }
}

fn parse_problem(name: &str) -> Result<ProblemKind, String> {
    ProblemKind::named(name).map_err(|error| error.to_string())
}

/// The largest dimension: methods keep tens of vectors of it in memory.
const MOST_DIMENSIONS: usize = 10_000_000;

fn parse_dimension(text: &str) -> Result<NonZeroUsize, String> {
    parse_count(text)
        .ok()
        .filter(|count| count.get() <= MOST_DIMENSIONS)
        .ok_or_else(|| format!("a whole number from 1 to {MOST_DIMENSIONS} is wanted"))
}

fn parse_number(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err("finite numbers separated by commas are wanted".to_string()),
    }
}

fn parse_tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(tolerance) if (0.0..1.0).contains(&tolerance) => Ok(tolerance),
        _ => Err("a tolerance is a number from 0 and below 1".to_string()),
    }
}

fn parse_condition(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(condition) if condition >= 1.0 && condition.is_finite() => Ok(condition),
        _ => Err("a condition is a finite number from 1".to_string()),
    }
}

fn parse_picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("svg") => Ok(path),
        _ => Err("pictures are written as SVG only; give a name that ends in .svg".to_string()),
    }
}

pub(super) fn run(args: &MinimizeArgs) -> anyhow::Result<ExitCode> {
    args.check()?;
    args.picture.as_deref().map_or(Ok(()), check_picture)?;
    let mut problem = args.problem()?;
    let threads = args.threads.map_or(0, NonZeroUsize::get);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let stop = stop_on_interrupt()?;
    let runs = pool.install(|| args.run_all(&mut problem, &stop))?;
    args.print(problem.name, &runs)?;
    if let Some(path) = &args.picture {
        write_picture(path, &mut problem, &runs)?;
    }
    Ok(match () {
        () if stop.load(Ordering::Relaxed) => ExitCode::from(INTERRUPTED),
        () if runs.iter().all(|run| run.status == Status::Reached) => ExitCode::SUCCESS,
        () => ExitCode::FAILURE,
    })
}

impl MinimizeArgs {
    /// Every method in turn; fewer after Ctrl-C.
    fn run_all(&self, problem: &mut Problem, stop: &AtomicBool) -> anyhow::Result<Vec<Run>> {
        let limits = Limits {
            lr: self.lr,
            memory: self.memory.map(NonZeroUsize::get),
            tolerance: self.tolerance,
            max_evaluations: self.max_evaluations.get() as u64,
            keeps_path: self.picture.is_some(),
        };
        let mut runs = Vec::new();
        for method in &self.methods.0 {
            runs.push(minimize(problem, method, limits, stop)?);
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(runs)
    }

    fn print(&self, problem: &'static str, runs: &[Run]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if !self.json {
            return Ok(write!(out, "{}", plain_text(runs))?);
        }
        for run in runs {
            writeln!(out, "{}", json_line(problem, run)?)?;
        }
        Ok(())
    }

    /// What clap cannot see: options that the problem does not have.
    fn check(&self) -> Result<(), UsageError> {
        use ProblemKind::{Beale, Logistic, Physics, Quadratic, Rastrigin, Rosenbrock};
        let (problem, name) = (self.problem, self.problem.name());
        let is_logistic = problem == Logistic;
        let options: [(&str, bool, bool); 5] = [
            (
                "--dimension",
                self.dimension.is_some(),
                matches!(problem, Rosenbrock | Rastrigin | Quadratic),
            ),
            ("--condition", self.condition.is_some(), problem == Quadratic),
            ("--seed", self.seed.is_some(), matches!(problem, Quadratic | Physics(_))),
            ("--libsvm", self.libsvm.is_some(), is_logistic),
            ("--l2", self.l2.is_some(), is_logistic),
        ];
        for (option, is_given, is_there) in options {
            if is_given && !is_there {
                return Err(UsageError(format!("{name} has no {option}; leave it out")));
            }
        }
        if self.problem == Rosenbrock && self.dimension.is_some_and(|n| n.get() < 2) {
            return Err(UsageError("rosenbrock has a --dimension of at least 2".to_string()));
        }
        let is_flat = match self.problem {
            Beale => true,
            Logistic | Physics(_) => false,
            problem => self.dimension_of(problem) == 2,
        };
        if self.picture.is_some() && !is_flat {
            let reason = "--picture can show problems of dimension 2 only";
            return Err(UsageError(format!("{reason}; leave it out, or use --dimension 2")));
        }
        match repeated(&self.methods.0) {
            Some(method) => {
                Err(UsageError(format!("--methods names `{method}` twice; name it once")))
            }
            None => Ok(()),
        }
    }

    fn dimension_of(&self, problem: ProblemKind) -> usize {
        let by_default = if problem == ProblemKind::Quadratic { 100 } else { 2 };
        self.dimension.map_or(by_default, NonZeroUsize::get)
    }

    fn problem(&self) -> anyhow::Result<Problem> {
        let dimension = self.dimension_of(self.problem);
        let mut problem = match self.problem {
            ProblemKind::Rosenbrock => Problem::rosenbrock(dimension),
            ProblemKind::Beale => Problem::beale(),
            ProblemKind::Rastrigin => Problem::rastrigin(dimension),
            ProblemKind::Quadratic => {
                let condition = self.condition.unwrap_or(1000.0);
                Problem::quadratic(dimension, condition, self.seed.unwrap_or(0))
            }
            ProblemKind::Logistic => Problem::logistic(self.logistic()?),
            ProblemKind::Physics(equation) => Problem::physics(equation, self.seed.unwrap_or(1)),
        };
        if let Some(start) = &self.start {
            let (found, wanted) = (start.len(), problem.start.len());
            if found != wanted {
                let what =
                    format!("--start has {found} numbers, but {} has {wanted}", problem.name);
                return Err(UsageError(what).into());
            }
            problem.start.clone_from(start);
        }
        Ok(problem)
    }

    fn logistic(&self) -> anyhow::Result<Logistic> {
        let Some(path) = &self.libsvm else {
            return Err(UsageError("logistic needs a file; give one with --libsvm".into()).into());
        };
        let rows = libsvm::load_two_classes(path)?;
        let l2 = match self.l2.unwrap_or(L2::Auto) {
            L2::Auto => 1.0 / rows.signs.len() as f64,
            L2::Is(l2) => l2,
        };
        Ok(Logistic::new(rows, l2))
    }
}
