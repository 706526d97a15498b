//! One method on one problem, until the gradient is small enough.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use secant::{
    Function, FunctionOptimizer, Outcome, Rejection, StepReport,
    error::{ConfigError, StepError},
    spec::{Choice, Run as RunFacts, SpecError},
};
use thiserror::Error;

use super::Problem;

/// How a method is set up, and when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The learning rate, if not the method's usual one.
    pub lr: Option<f64>,
    /// Pairs of methods like L-BFGS, if not the method's usual number.
    pub memory: Option<usize>,
    /// The gradient's norm at the end, in times of that at the start.
    pub tolerance: f64,
    /// Evaluations after which no step begins.
    pub max_evaluations: u64,
    /// Whether to keep the points.
    pub keeps_path: bool,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// An evaluation had a small enough gradient, and a value not above that at the start.
    Reached,
    /// The evaluations allowed were not enough.
    Unfinished,
    /// The method says that there is nothing left to do: by a tolerance of its own, or because all it
    /// could gain is within rounding.
    Converged,
    /// The method found no smaller value.
    NoDecrease,
    /// The value or the gradient's norm is infinite or NaN, at the start or at the end.
    NotFinite,
    /// Ctrl-C.
    Interrupted,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Reached,
        Self::Unfinished,
        Self::Converged,
        Self::NoDecrease,
        Self::NotFinite,
        Self::Interrupted,
    ];

    /// Its name in tables and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Unfinished => "unfinished",
            Self::Converged => "converged",
            Self::NoDecrease => "no decrease",
            Self::NotFinite => "not finite",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What a run did and cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The method.
    pub method: String,
    /// Its learning rate.
    pub lr: f64,
    /// Why it ended.
    pub status: Status,
    /// Evaluations of value and gradient, up to the first small enough gradient.
    pub evaluations: u64,
    /// Hessian products up to there.
    pub hessian_products: u64,
    /// Accepted steps; one that ends beyond the tolerance counts.
    pub steps: u64,
    /// Seconds up to there.
    pub seconds: f64,
    /// The value there, or at the last point.
    pub value: f64,
    /// The gradient's 2-norm there, or at the last point.
    pub gradient_norm: f64,
    /// The same in times of that at the start.
    pub relative_gradient_norm: f64,
    /// The points after every step, from the start; empty unless asked for.
    pub path: Vec<Vec<f64>>,
}

/// Why a method could not be run.
#[derive(Debug, Error)]
pub enum MinimizeError {
    /// A hyper-parameter.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A hyper-parameter out of its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A step that failed.
    #[error("{method} failed: {reason}")]
    Step {
        /// The method.
        method: String,
        /// Why.
        reason: StepError,
    },
}

/// Minimises a problem with one method. Without a given rate it begins anew at a tenth of the usual one, up to
/// six times, where the run blows up: its numbers overflow, or it ends above its start.
///
/// # Errors
/// The method cannot be built or breaks a contract.
pub fn minimize(
    problem: &mut Problem,
    method: &Choice,
    limits: Limits,
    stop: &AtomicBool,
) -> Result<Run, MinimizeError> {
    if let Some(lr) = limits.lr {
        return minimize_at(lr, problem, method, limits, stop);
    }
    let start = problem.start.clone();
    let mut gradient = vec![0.0; start.len()];
    let first = problem.function.gradient(&start, &mut gradient);
    // Where the start itself overflows, no rate helps.
    let tries = if are_finite(first, norm(&gradient)) { SMALLER_RATES } else { 0 };
    let mut lr = method.preset().usual_rate;
    for _ in 0..tries {
        let run = minimize_at(lr, problem, method, limits, stop)?;
        let is_above = run.value.is_nan() || run.value > first;
        let blew_up = run.status == Status::NotFinite || is_above;
        if !blew_up || run.status == Status::Interrupted {
            return Ok(run);
        }
        lr /= 10.0;
    }
    minimize_at(lr, problem, method, limits, stop)
}

/// How many times a run that blew up is begun anew.
const SMALLER_RATES: usize = 6;

fn minimize_at(
    lr: f64,
    problem: &mut Problem,
    method: &Choice,
    limits: Limits,
    stop: &AtomicBool,
) -> Result<Run, MinimizeError> {
    let mut x = problem.start.clone();
    let mut optimizer = optimizer(method, x.len(), limits)?;
    let mut path = Vec::new();
    let mut keep = |x: &[f64]| {
        if limits.keeps_path {
            path.push(x.to_vec());
        }
    };
    keep(&x);
    let mut watched = Watched::new(problem.function.as_mut(), limits.tolerance);
    let mut steps = 0;
    let status = loop {
        if stop.load(Ordering::Relaxed) {
            break Status::Interrupted;
        }
        let before = watched.spent.evaluations;
        let report = optimizer
            .step_function(lr, &mut x, &mut watched)
            .map_err(|reason| MinimizeError::Step { method: method.to_string(), reason })?;
        steps += u64::from(report.outcome == Outcome::Accepted);
        let reached = watched.reached.as_ref();
        keep(reached.map_or(&x, |reached| &reached.x));
        // Beside an infinite start everything would be small.
        if !watched.starts_finite() {
            break Status::NotFinite;
        }
        if reached.is_some_and(|reached| reached.spent.evaluations <= limits.max_evaluations) {
            break Status::Reached;
        }
        match report.outcome {
            Outcome::Converged => break Status::Converged,
            // Within a smaller radius the next step is another one.
            Outcome::Rejected(Rejection::NoDecrease) if !shrinks(&report) => {
                break Status::NoDecrease;
            }
            Outcome::Rejected(Rejection::NoDecrease) | Outcome::Accepted => {}
            Outcome::Rejected(_) => break Status::NotFinite,
        }
        if watched.spent.evaluations >= limits.max_evaluations {
            break Status::Unfinished;
        }
        // A step that asks for nothing would be made for ever.
        if watched.spent.evaluations == before {
            break Status::NoDecrease;
        }
    };
    let Finish { spent, seconds, value, norm, first_norm } = watched.finish(status, &x);
    let is_finite = are_finite(value, norm) || status == Status::Interrupted;
    let status = if is_finite { status } else { Status::NotFinite };
    Ok(Run {
        method: method.to_string(),
        lr,
        status,
        evaluations: spent.evaluations,
        hessian_products: spent.hessian_products,
        steps,
        seconds,
        value,
        gradient_norm: norm,
        relative_gradient_norm: if first_norm > 0.0 { norm / first_norm } else { norm },
        path,
    })
}

/// Whether a trust region was too large.
fn shrinks(report: &StepReport) -> bool {
    report.trust_region.is_some_and(|region| region.next_radius < region.radius)
}

/// The optimizer; every step is on all there is.
fn optimizer(
    method: &Choice,
    parameters: usize,
    limits: Limits,
) -> Result<FunctionOptimizer, SpecError> {
    let run = RunFacts {
        steps: limits.max_evaluations,
        steps_per_epoch: 1,
        batch_size: 1,
        rows: 1,
        parameters,
        full_batch: true,
        double_precision: true,
    };
    let method = limits.memory.map_or_else(|| method.clone(), |pairs| method.with_pairs(pairs));
    Ok(method.spec(Some(&run))?.init()?)
}

/// Evaluations so far.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    evaluations: u64,
    hessian_products: u64,
}

/// A function that counts its evaluations and notes the first with a small enough gradient and a value not
/// above that at the start.
struct Watched<'a> {
    function: &'a mut dyn Function,
    tolerance: f64,
    begin: Instant,
    spent: Spent,
    first_norm: f64,
    first_value: f64,
    reached: Option<Reached>,
}

/// Where the gradient was small enough.
struct Reached {
    x: Vec<f64>,
    value: f64,
    norm: f64,
    seconds: f64,
    spent: Spent,
}

/// What is told of a run's end.
struct Finish {
    spent: Spent,
    seconds: f64,
    value: f64,
    norm: f64,
    first_norm: f64,
}

impl<'a> Watched<'a> {
    fn new(function: &'a mut dyn Function, tolerance: f64) -> Self {
        let (spent, begin) = (Spent::default(), Instant::now());
        let (first_norm, first_value) = (f64::NAN, f64::NAN);
        Self { function, tolerance, begin, spent, first_norm, first_value, reached: None }
    }

    /// The gradient's norm that ends the run.
    fn target(&self) -> f64 {
        if self.first_norm > 0.0 { self.tolerance * self.first_norm } else { self.tolerance }
    }

    /// Whether value and gradient at the start are finite, or not known yet.
    fn starts_finite(&self) -> bool {
        self.spent.evaluations == 0 || are_finite(self.first_value, self.first_norm)
    }

    fn finish(mut self, status: Status, x: &[f64]) -> Finish {
        let first_norm = self.first_norm;
        match self.reached.take() {
            Some(Reached { spent, seconds, value, norm, .. }) if status == Status::Reached => {
                Finish { spent, seconds, value, norm, first_norm }
            }
            _ => {
                let seconds = self.begin.elapsed().as_secs_f64();
                // The last evaluation may have been a trial; this one is not counted.
                let mut gradient = vec![0.0; x.len()];
                let value = self.function.gradient(x, &mut gradient);
                Finish { spent: self.spent, seconds, value, norm: norm(&gradient), first_norm }
            }
        }
    }
}

impl Function for Watched<'_> {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let value = self.function.gradient(x, gradient);
        self.spent.evaluations += 1;
        if self.reached.is_some() {
            return value;
        }
        let norm = norm(gradient);
        if self.spent.evaluations == 1 {
            self.first_norm = norm;
            self.first_value = value;
        }
        // A small gradient above the start is a flat place that the method was thrown to.
        let is_small = norm <= self.target() && value <= self.first_value;
        if is_small && are_finite(value, norm) {
            let seconds = self.begin.elapsed().as_secs_f64();
            self.reached = Some(Reached { x: x.to_vec(), value, norm, seconds, spent: self.spent });
        }
        value
    }

    fn hessian_vector(&mut self, x: &[f64], v: &[f64], product: &mut [f64]) -> bool {
        let is_offered = self.function.hessian_vector(x, v, product);
        self.spent.hessian_products += u64::from(is_offered);
        is_offered
    }
}

/// Whether a value and a gradient's norm are numbers that can be compared.
fn are_finite(value: f64, norm: f64) -> bool {
    value.is_finite() && norm.is_finite()
}

fn norm(a: &[f64]) -> f64 {
    a.iter().map(|a| a * a).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { lr: None, memory: None, tolerance: 1e-6, max_evaluations: 100, keeps_path: false };

    fn run(mut problem: Problem, method: &Choice) -> Run {
        minimize(&mut problem, method, LIMITS, &AtomicBool::new(false)).expect("a run")
    }

    fn choice(name: &str) -> Choice {
        name.parse().expect("a method")
    }

    fn from(start: [f64; 2], problem: Problem) -> Problem {
        Problem { start: start.to_vec(), ..problem }
    }

    /// From starts where the value overflows, or the gradient, or only the gradient's norm, with methods that search
    /// and methods that do not.
    #[test]
    fn a_start_that_overflows_is_not_finite_and_reaches_nothing() {
        for method in ["l-bfgs", "adam", "sgd", "mb-lsr1"].map(choice) {
            let problems = [
                from([1e160, 1.0], Problem::rosenbrock(2)),
                from([1e60, 1.0], Problem::rosenbrock(2)),
                from([1e60, 1e60], Problem::beale()),
                Problem::quadratic(100, 1e155, 0),
            ];
            for run in problems.map(|problem| run(problem, &method)) {
                assert_eq!(run.status, Status::NotFinite, "{run:?}");
                // No smaller rate was tried: none helps.
                assert_eq!(run.lr, method.preset().usual_rate, "{run:?}");
            }
        }
    }

    #[test]
    fn a_run_that_ends_where_numbers_overflow_is_not_finite() {
        let run = run(from([1e40, 1.0], Problem::rosenbrock(2)), &choice("sgd"));
        assert_eq!(run.status, Status::NotFinite, "{run:?}");
    }

    #[test]
    fn a_method_with_nothing_to_gain_has_converged_and_not_reached_the_tolerance() {
        // Beside 1e40 every step is within rounding.
        let run = run(from([1e40, 1.0], Problem::rosenbrock(2)), &choice("l-bfgs"));
        assert_eq!((run.status, run.relative_gradient_norm), (Status::Converged, 1.0));
    }
}
