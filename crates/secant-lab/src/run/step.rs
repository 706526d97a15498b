//! One step of a run, with Hessian products of the kind asked for.

use secant::{AnyOptimizer, Batches, Duals, StepReport, dual::Tangents, error::StepError};

use super::{Part, evaluate::cross_entropy, setup::HessianProducts};
use crate::model::Network;

/// One step on the next batch of `part`.
///
/// # Errors
/// A broken contract.
pub(super) fn step(
    optimizer: &mut AnyOptimizer<Network>,
    products: HessianProducts,
    lr: f64,
    network: &mut Network,
    batches: &mut Batches,
    part: Part<'_>,
) -> Result<StepReport, StepError> {
    let loss = |network: &Network, at: &Tangents, records: &[usize]| {
        let (inputs, labels) = part.batch(records);
        cross_entropy(network.forward(at, inputs), labels)
    };
    match products {
        HessianProducts::Exact => optimizer.step_on(lr, network, batches, Duals(loss)),
        HessianProducts::Differences | HessianProducts::AnyDifferences => {
            let none = Tangents::none();
            let loss = |network: &Network, records: &[usize]| loss(network, &none, records).value;
            optimizer.step_on(lr, network, batches, loss)
        }
    }
}
