//! What can be minimised: a function, where to start, and where its minimum is.

use secant::Function;
use secant_core::nearest::suggestion;
use thiserror::Error;

use super::{Beale, FullBatch, Logistic, Quadratic, Rastrigin, Rosenbrock};
use crate::physics::{self, Equation, Physics};

/// A function with a start.
pub struct Problem {
    /// Its name.
    pub name: &'static str,
    /// The function.
    pub function: Box<dyn Function + Send>,
    /// Where every method starts.
    pub start: Vec<f64>,
    /// Where the function is least, if that is known.
    pub minimum: Option<Vec<f64>>,
}

/// A kind of problem known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// Rosenbrock's valley.
    Rosenbrock,
    /// Beale's function.
    Beale,
    /// Rastrigin's function.
    Rastrigin,
    /// A quadratic.
    Quadratic,
    /// Logistic regression.
    Logistic,
    /// A physics-informed network, at all its points.
    Physics(&'static Equation),
}

/// No problem has this name.
#[derive(Debug, Error)]
#[error("there is no problem `{name}` to minimize; {suggestion}")]
pub struct UnknownProblem {
    name: String,
    suggestion: String,
}

impl ProblemKind {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        [Self::Rosenbrock, Self::Beale, Self::Rastrigin, Self::Quadratic, Self::Logistic]
            .into_iter()
            .chain(physics::PROBLEMS.iter().map(|equation| Self::Physics(equation)))
    }

    /// The kind called `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, UnknownProblem> {
        Self::all().find(|kind| kind.name() == name).ok_or_else(|| UnknownProblem {
            name: name.to_string(),
            suggestion: suggestion(name, Self::all().map(Self::name)),
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rosenbrock => "rosenbrock",
            Self::Beale => "beale",
            Self::Rastrigin => "rastrigin",
            Self::Quadratic => "quadratic",
            Self::Logistic => "logistic",
            Self::Physics(equation) => equation.name,
        }
    }
}

impl Problem {
    /// Rosenbrock's valley from (-1.2, 1, -1.2, 1, ..).
    pub fn rosenbrock(dimension: usize) -> Self {
        Self {
            name: "rosenbrock",
            function: Box::new(Rosenbrock),
            start: alternating(dimension, [-1.2, 1.0]),
            minimum: Some(vec![1.0; dimension]),
        }
    }

    /// Beale's function from (1, 1).
    pub fn beale() -> Self {
        Self {
            name: "beale",
            function: Box::new(Beale),
            start: vec![1.0; 2],
            minimum: Some(vec![3.0, 0.5]),
        }
    }

    /// Rastrigin's function from (2.2, -1.6, 2.2, -1.6, ..).
    pub fn rastrigin(dimension: usize) -> Self {
        Self {
            name: "rastrigin",
            function: Box::new(Rastrigin),
            start: alternating(dimension, [2.2, -1.6]),
            minimum: Some(vec![0.0; dimension]),
        }
    }

    /// A quadratic from 0.
    pub fn quadratic(dimension: usize, condition: f64, seed: u64) -> Self {
        Self {
            name: "quadratic",
            function: Box::new(Quadratic::new(dimension, condition, seed)),
            start: vec![0.0; dimension],
            minimum: Some(vec![1.0; dimension]),
        }
    }

    /// Logistic regression from 0.
    pub fn logistic(logistic: Logistic) -> Self {
        let start = vec![0.0; logistic.dimension()];
        Self { name: "logistic", function: Box::new(logistic), start, minimum: None }
    }

    /// The loss of a physics-informed network at all its points, from weights drawn from `seed`.
    pub fn physics(equation: &'static Equation, seed: u64) -> Self {
        let function = FullBatch::new(Physics::new(equation), seed);
        let start = function.start();
        Self { name: equation.name, function: Box::new(function), start, minimum: None }
    }
}

fn alternating(dimension: usize, numbers: [f64; 2]) -> Vec<f64> {
    (0..dimension).map(|i| numbers[i % 2]).collect()
}
