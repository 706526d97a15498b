//! The trainable numbers of a model: how many there are, and how far a step went.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::Tensor,
};

/// The trainable numbers of a model, one after the other.
pub(crate) fn weights<M: Module>(model: &M) -> Vec<f64> {
    let mut found = Found(Vec::new());
    model.visit(&mut found);
    found.0
}

/// How many there are; the model is on a device with autodiff.
pub(crate) fn count<M: Module>(model: &M) -> usize {
    let mut sum = Count(0);
    model.visit(&mut sum);
    sum.0
}

/// The Euclidean distance of two points.
pub(super) fn distance(from: &[f64], to: &[f64]) -> f64 {
    from.iter().zip(to).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

struct Found(Vec<f64>);

impl ModuleVisitor for Found {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        // Running statistics are parameters to Burn.
        if value.is_require_grad() {
            self.0.extend(value.into_data().iter::<f64>());
        }
    }
}

struct Count(usize);

impl ModuleVisitor for Count {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.0 += param.lazy_shape().num_elements();
        }
    }
}
