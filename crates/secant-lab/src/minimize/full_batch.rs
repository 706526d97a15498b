//! A problem's loss over all its training records, as a function of the model's trainable numbers.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{DType, Device, Gradients, Tensor, TensorData},
};
use secant::Function;

use crate::{
    Batch, Part, Precision, Problem,
    precision::{drawn, dtype},
    run::weights,
};

/// The loss over all training records, in double precision.
pub struct FullBatch<P: Problem> {
    problem: P,
    model: P::Model,
    records: Vec<usize>,
    device: Device,
}

/// Functions are minimised in double precision.
const DTYPE: Precision = Precision::F64;

impl<P: Problem> FullBatch<P> {
    /// With weights drawn from `seed`.
    pub fn new(problem: P, seed: u64) -> Self {
        let device = Device::default().autodiff();
        let model = drawn(seed, DTYPE, &device, || problem.model(seed, &device));
        let records = (0..problem.records(Part::Train)).collect();
        Self { problem, model, records, device }
    }

    /// The trainable numbers that were drawn: where every method starts.
    pub fn start(&self) -> Vec<f64> {
        weights(&self.model)
    }
}

impl<P: Problem> Function for FullBatch<P>
where
    P::Model: Send,
{
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let device = self.device.clone();
        let model = self.model.clone().map(&mut Put { rest: x, device: &device });
        let dtype = dtype(DTYPE);
        let (part, records) = (Part::Train, self.records.as_slice());
        let loss = self.problem.loss(&model, Batch { part, records, device: &device, dtype });
        let value = loss.clone().into_scalar::<f64>();
        let gradients = loss.backward();
        model.visit(&mut Gradient { of: &gradients, rest: gradient });
        self.model = model;
        value
    }
}

/// Puts numbers in their place.
struct Put<'a> {
    rest: &'a [f64],
    device: &'a Device,
}

impl ModuleMapper for Put<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param;
        }
        param.map(|old| {
            let shape = old.shape();
            let (own, rest) = self.rest.split_at(shape.num_elements());
            self.rest = rest;
            let data = TensorData::new(own.to_vec(), shape);
            Tensor::from_data(data, (self.device, DType::F64)).require_grad()
        })
    }
}

/// Reads gradients; zeros where the loss does not depend on a parameter.
struct Gradient<'a> {
    of: &'a Gradients,
    rest: &'a mut [f64],
}

impl ModuleVisitor for Gradient<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        let value = param.val();
        let rest = std::mem::take(&mut self.rest);
        let (own, rest) = rest.split_at_mut(value.shape().num_elements());
        self.rest = rest;
        match value.grad(self.of) {
            None => own.fill(0.0),
            Some(gradient) => {
                let data = gradient.into_data();
                own.iter_mut().zip(data.iter::<f64>()).for_each(|(to, from)| *to = from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{minimize::testing::gradient_of, physics::Physics};

    #[test]
    fn the_gradient_is_that_of_the_value() {
        let problem = Physics::named("physics/poisson-1d").expect("an equation");
        let mut function = FullBatch::new(problem, 1);
        let start = function.start();
        let (_, gradient) = gradient_of(&mut function, &start);
        let v: Vec<f64> = (0..start.len()).map(|i| (i as f64).sin()).collect();
        let mut value = |step: f64| {
            let there: Vec<f64> = start.iter().zip(&v).map(|(x, v)| x + step * v).collect();
            gradient_of(&mut function, &there).0
        };
        let slope = (value(1e-5) - value(-1e-5)) / 2e-5;
        let expected: f64 = gradient.iter().zip(&v).map(|(g, v)| g * v).sum();
        assert!((slope - expected).abs() < 1e-6 * expected.abs(), "{slope} is not {expected}");
    }

    #[test]
    fn the_start_follows_from_the_seed_and_evaluations_leave_no_trace() {
        let new =
            |seed| FullBatch::new(Physics::named("physics/poisson-1d").expect("an equation"), seed);
        let (mut function, other) = (new(1), new(2));
        let start = function.start();
        assert_ne!(start, other.start());
        let mut gradient = vec![0.0; start.len()];
        let first = function.gradient(&start, &mut gradient);
        function.gradient(&other.start(), &mut gradient);
        assert_eq!(function.gradient(&start, &mut gradient), first);
    }
}
