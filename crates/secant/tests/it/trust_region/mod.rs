//! The L-SR1 matrix against the dense recursion, and what the trust-region methods promise.

mod batches;
mod matrix;
mod minimisation;
mod steps;

use std::fs;

use burn::tensor::{DType, Tensor, TensorData};
use secant::{
    ArmijoSettings, AveragedRule, BatchCheck, Batches, Case, CurvatureTest, Function,
    InitialMatrix, LBfgsConfig, LSsr1TrConfig, MbLsr1Config, Momentum, Optimizer, Outcome,
    PairOutcome, Rejection, Restart, Sampling, Search, SgdConfig, StepReport, Tolerances,
    TrustRegionReport, TwoSidedRule, WolfeSettings,
    blocks::{Blocks, Real},
    error::ConfigError,
    operator::{InverseLBfgs, LSr1},
    protocol::Method,
};
use secant_core::curvature::PairProducts;

use crate::support::{Many, Net, Numbers, largest, vector};

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// A vector as two tensors.
fn blocks<T: Real>(values: &[f64]) -> Blocks {
    let tensor = |values: &[f64]| {
        let length = values.len();
        TensorData::new(values.iter().map(|x| T::of(*x)).collect::<Vec<T>>(), [length])
    };
    let (a, b) = values.split_at(2);
    Blocks::new(vec![tensor(a), tensor(b)])
}

fn numbers(blocks: &Blocks) -> Vec<f64> {
    blocks.data().flat_map(|data| data.iter::<f64>().collect::<Vec<f64>>()).collect()
}

/// x'Ax/2 - b'x, A = Q diag(values) Q with a reflection Q.
struct Quadratic {
    values: Vec<f64>,
    b: Vec<f64>,
    /// Q = I - 2 u u'.
    u: Vec<f64>,
}

impl Quadratic {
    fn new(values: &[f64]) -> Self {
        let mut draws = Numbers::new(3);
        let (b, u) = (draws.vector(values.len()), draws.vector(values.len()));
        let length = norm(&u);
        Self { values: values.to_vec(), b, u: u.iter().map(|x| x / length).collect() }
    }

    fn reflect(&self, x: &[f64]) -> Vec<f64> {
        let along = 2.0 * dot(&self.u, x);
        x.iter().zip(&self.u).map(|(x, u)| x - along * u).collect()
    }

    fn product(&self, x: &[f64]) -> Vec<f64> {
        let turned = self.reflect(x);
        let scaled: Vec<f64> = turned.iter().zip(&self.values).map(|(x, a)| a * x).collect();
        self.reflect(&scaled)
    }
}

impl Function for Quadratic {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let ax = self.product(x);
        gradient.copy_from_slice(&minus(&ax, &self.b));
        0.5 * dot(x, &ax) - dot(&self.b, x)
    }
}

/// The sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2.
struct Rosenbrock;

impl Function for Rosenbrock {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let mut sum = 0.0;
        for i in 0..x.len() - 1 {
            let (a, b) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
            sum += 100.0 * a * a + b * b;
            gradient[i + 1] += 200.0 * a;
            gradient[i] -= 400.0 * a * x[i] + 2.0 * b;
        }
        sum
    }
}

/// x^2/2 - y^2/2 + y^4/4: a saddle at 0, minima at (0, 1) and (0, -1), where it is -1/4.
struct Saddle;

impl Function for Saddle {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let y = x[1];
        gradient.copy_from_slice(&[x[0], y * y * y - y]);
        0.5 * x[0] * x[0] - 0.5 * y * y + 0.25 * y.powi(4)
    }

    fn hessian_vector(&mut self, x: &[f64], v: &[f64], product: &mut [f64]) -> bool {
        product.copy_from_slice(&[v[0], (3.0 * x[1] * x[1] - 1.0) * v[1]]);
        true
    }
}

struct Plain<F>(F);

impl<F: FnMut(&[f64], &mut [f64]) -> f64> Function for Plain<F> {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        (self.0)(x, gradient)
    }
}

fn region(report: &StepReport) -> TrustRegionReport {
    report.trust_region.expect("a trust-region method")
}

/// One step, and the displacement and gradient of it.
fn advance<K: Method>(
    optimizer: &mut Optimizer<K>,
    x: &mut Vec<f64>,
    function: &mut dyn Function,
) -> (StepReport, Vec<f64>, Vec<f64>) {
    let before = x.clone();
    let mut gradient = vec![0.0; x.len()];
    function.gradient(&before, &mut gradient);
    let report = optimizer.step_function(1.0, x, function).expect("the contract is kept");
    (report, minus(x, &before), gradient)
}

/// A search that finds nothing leaves another radius to the next step.
fn is_made_or_found_nothing(report: &StepReport) -> bool {
    report.is_accepted() || report.outcome == Outcome::Rejected(Rejection::NoDecrease)
}

const ARMIJO: Search = Search::Armijo(ArmijoSettings { c1: 1e-4, shrink: 0.5, max_trials: 15 });

fn plain() -> MbLsr1Config {
    MbLsr1Config::new().with_restart(Restart::Never).with_eta(0.0).with_mu(0.0).with_zeta(0.0)
}
