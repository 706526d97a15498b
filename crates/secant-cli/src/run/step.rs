//! One step of a run, with Hessian products of the kind asked for.

use secant::{
    Batches, StepReport,
    dual::Tangents,
    error::{ConfigError, StepError},
};

use super::{Part, Setup, evaluate::cross_entropy, train::horizon};
use crate::{model::Network, optimizer::BoxedOptimizer};

/// How Hessian products are computed, for the methods that need them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HessianProducts {
    /// On dual numbers.
    Exact,
    /// As differences of gradients; an error where the loss has kinks.
    Differences,
    /// As differences of gradients, whatever they are.
    AnyDifferences,
}

impl HessianProducts {
    /// As in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Differences => "differences",
            Self::AnyDifferences => "differences, also across kinks",
        }
    }
}

/// The optimizer of a run.
///
/// # Errors
/// A hyper-parameter out of its range.
pub(super) fn optimizer(
    setup: &Setup,
    batches: &Batches,
) -> Result<BoxedOptimizer<Network>, ConfigError> {
    let optimizer: BoxedOptimizer<Network> = setup.optimizer.build(horizon(setup, batches))?;
    Ok(match setup.products {
        HessianProducts::AnyDifferences => optimizer.allow_differences(),
        HessianProducts::Exact | HessianProducts::Differences => optimizer,
    })
}

/// One step on the next batch of `part`.
///
/// # Errors
/// A broken contract.
pub(super) fn step(
    optimizer: &mut BoxedOptimizer<Network>,
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
        HessianProducts::Exact => optimizer.step_dual_on(lr, network, batches, &mut { loss }),
        HessianProducts::Differences | HessianProducts::AnyDifferences => {
            let none = Tangents::none();
            let mut loss =
                |network: &Network, records: &[usize]| loss(network, &none, records).value;
            optimizer.step_on(lr, network, batches, &mut loss)
        }
    }
}
