//! Running statistics at the average of a method that averages: those that training leaves are of the points
//! where gradients were taken.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Tensor},
};
use secant_core::rng::SplitMix64;

use super::Setting;
use crate::{Batch, Part, Problem, precision::dtype};

/// Batches that they are taken from. At Burn's usual momentum, 0.1, an eighth of the old ones is left, and the old
/// ones are of a point nearby.
const BATCHES: usize = 20;

/// A model, which is without autodiff, with the running statistics of its own parameters, if it has any.
/// Other copies of it keep theirs.
pub(super) fn with_own_statistics<P: Problem>(
    problem: &P,
    model: P::Model,
    setting: &Setting,
    device: &Device,
) -> P::Model {
    // In training again, a module has statistics that no other shares.
    let training = model.clone().train();
    if !has_statistics(&training) {
        return model;
    }
    let training = training.no_grad();
    let mut records: Vec<usize> = (0..problem.records(Part::Train)).collect();
    SplitMix64::new(0).shuffle(&mut records);
    let dtype = dtype(setting.precision);
    for records in records.chunks_exact(setting.batch_size).cycle().take(BATCHES) {
        drop(problem.loss(&training, Batch { part: Part::Train, records, device, dtype }));
    }
    training.valid()
}

/// Whether there is a float parameter that is not trained: a running statistic, or one that is frozen.
fn has_statistics<M: Module>(model: &M) -> bool {
    struct Found(bool);
    impl ModuleVisitor for Found {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 |= !param.is_require_grad();
        }
    }
    let mut found = Found(false);
    model.visit(&mut found);
    found.0
}
