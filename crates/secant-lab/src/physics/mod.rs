//! Physics-informed networks: a network that is to solve a differential equation.
//!
//! The records are the points at which the equation is to hold; a point's part of the loss is the square of
//! what the network leaves of the equation there. The boundary and the beginning are part of every batch's
//! loss, whole. A batch of all points, the default, is one and the same function in every step, and a smaller
//! one draws some points in each. Networks are judged by the relative L2 error, |u - solution| / |solution|
//! over a grid of points; 1 is what u = 0 has.
//!
//! The losses are smooth and badly conditioned, and want double precision:
//!
//! ```no_run
//! use secant_lab::{Comparison, Plan, Precision, Store, physics::Physics, store::default_path};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let plan = Plan { precision: Precision::F64, ..Plan::of("adam, l-bfgs, mb-lsr1")? };
//! let store = Store::open(&default_path()?)?;
//! let problem = Physics::named("physics/helmholtz")?;
//! let finished = Comparison::new(&problem, plan, &store, &false.into())?.run()?;
//! # Ok(())
//! # }
//! ```

mod allen_cahn;
mod burgers;
mod equation;
mod helmholtz;
mod jet;
mod network;
mod points;
mod poisson;
#[cfg(test)]
mod tests;

use burn::tensor::{Device, Tensor};
use secant::dual::{Dual, Tangents};
use secant_core::nearest::suggestion;
use thiserror::Error;

pub use equation::Equation;
pub use network::TanhNetwork;

use crate::{Baseline, Batch, Fingerprint, Metric, Part, Problem, problem::AT_ONCE};
use equation::Place;
use points::Points;

/// All equations.
pub static PROBLEMS: &[&Equation] = &[
    &poisson::ONE,
    &poisson::TWO,
    &helmholtz::HELMHOLTZ,
    &burgers::BURGERS,
    &allen_cahn::ALLEN_CAHN,
];

/// No equation has this name.
#[derive(Debug, Error)]
#[error("there is no problem `{name}`; {suggestion}")]
pub struct UnknownEquation {
    name: String,
    suggestion: String,
}

/// An equation with the points at which it is to hold.
#[derive(Clone, Debug)]
pub struct Physics {
    equation: &'static Equation,
    train: Points,
    validation: Points,
    test: Points,
    edge: Vec<(Place, f64)>,
}

/// The place of the relative L2 error among the metrics.
const RELATIVE_ERROR: usize = 1;

/// Gradients of a run, unless the user says otherwise.
const GRADIENTS: f64 = 2000.0;

impl Physics {
    /// The problem called `name`; [`PROBLEMS`] has them all.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, UnknownEquation> {
        let unknown = || UnknownEquation {
            name: name.to_string(),
            suggestion: suggestion(name, PROBLEMS.iter().map(|equation| equation.name)),
        };
        let equation = PROBLEMS.iter().find(|equation| equation.name == name);
        Ok(Self::new(equation.ok_or_else(unknown)?))
    }

    /// The problem of an equation.
    pub fn new(equation: &'static Equation) -> Self {
        let [validation, test] = equation.cells;
        Self {
            equation,
            train: Points::scattered(equation),
            validation: Points::grid(equation, validation),
            test: Points::grid(equation, test),
            edge: (equation.edge)(),
        }
    }

    fn part(&self, part: Part) -> &Points {
        match part {
            Part::Train => &self.train,
            Part::Validation => &self.validation,
            Part::Test => &self.test,
        }
    }

    /// u at a batch's records, and the mean square of what it leaves of the equation.
    fn residual(&self, network: &TanhNetwork, at: &Tangents, batch: Batch<'_>) -> [Dual<2>; 2] {
        let (equation, points) = (self.equation, self.part(batch.part));
        let inputs = equation.inputs_at(&points.places(batch), batch, equation.orders);
        let u = network.forward(at, inputs);
        let residual = (equation.residual)(&u, points.source(batch));
        [u.value, residual]
    }

    /// The weighted mean squared error on the boundary and at the beginning.
    fn edge_loss(&self, network: &TanhNetwork, at: &Tangents, batch: Batch<'_>) -> Dual<1> {
        let (places, values): (Vec<Place>, Vec<f64>) = self.edge.iter().copied().unzip();
        let inputs = self.equation.inputs_at(&places, batch, &[]);
        let values = batch.tensor(values, [places.len(), 1]);
        let error = network.forward(at, inputs).value - values;
        mean_square(at, error).mul_scalar(self.equation.edge_weight)
    }

    fn dual_loss(&self, network: &TanhNetwork, at: &Tangents, batch: Batch<'_>) -> Dual<1> {
        let [_, residual] = self.residual(network, at, batch);
        mean_square(at, residual) + self.edge_loss(network, at, batch)
    }
}

/// Of residuals, which are the outputs that the loss is a sum of squares of.
fn mean_square(at: &Tangents, x: Dual<2>) -> Dual<1> {
    let x = at.output(x);
    (x.clone() * x).mean()
}

fn sum_of_squares(x: Tensor<2>) -> f64 {
    x.into_data().iter::<f64>().map(|x| x * x).sum()
}

impl Problem for Physics {
    type Model = TanhNetwork;

    fn name(&self) -> String {
        self.equation.name.to_string()
    }

    fn description(&self) -> String {
        let Equation { line, edge_weight, .. } = self.equation;
        let (points, edge) = (self.train.len(), self.edge.len());
        format!(
            "{line}; mean squared residual at {points} points and {edge_weight} times the mean squared \
             error at {edge} of the boundary."
        )
    }

    fn model(&self, _: u64, device: &Device) -> TanhNetwork {
        TanhNetwork::new(&self.equation.widths(), device)
    }

    fn records(&self, part: Part) -> usize {
        self.part(part).len()
    }

    fn loss(&self, network: &TanhNetwork, batch: Batch<'_>) -> Tensor<1> {
        self.dual_loss(network, &Tangents::none(), batch).value
    }

    fn loss_on_duals(
        &self,
        network: &TanhNetwork,
        at: &Tangents,
        batch: Batch<'_>,
    ) -> Option<Dual<1>> {
        Some(self.dual_loss(network, at, batch))
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::loss(), Metric::error("relative L2 error")]
    }

    fn measure(&self, network: &TanhNetwork, batch: Batch<'_>) -> Vec<f64> {
        let at = Tangents::none();
        let (mut residuals, mut errors, mut norm) = (0.0, 0.0, 0.0);
        for chunk in batch.chunks(AT_ONCE) {
            let [u, residual] = self.residual(network, &at, chunk).map(|dual| dual.value);
            residuals += sum_of_squares(residual);
            let u = u.into_data();
            for (u, solution) in u.iter::<f64>().zip(self.part(batch.part).solution(chunk)) {
                errors += (u - solution) * (u - solution);
                norm += solution * solution;
            }
        }
        let edge = self.edge_loss(network, &at, batch).value.into_scalar::<f64>();
        vec![residuals / batch.records.len() as f64 + edge, (errors / norm).sqrt()]
    }

    fn ranked_by(&self) -> usize {
        RELATIVE_ERROR
    }

    fn baseline(&self) -> Option<Baseline> {
        let figures = vec![None, Some(1.0)];
        let name = "u = 0".to_string();
        Some(Baseline { name, validation: figures.clone(), test: figures })
    }

    fn fingerprint(&self) -> String {
        let places = |points: &Points| format!("{points:?}");
        let edge = format!("{:?} {:?}", self.edge, self.equation.edge_weight);
        [&self.train, &self.validation, &self.test]
            .into_iter()
            .fold(Fingerprint::new().text(&edge), |hash, points| hash.text(&places(points)))
            .finish()
    }

    fn batch_size(&self) -> usize {
        self.train.len()
    }

    fn epochs(&self) -> f64 {
        GRADIENTS
    }
}
