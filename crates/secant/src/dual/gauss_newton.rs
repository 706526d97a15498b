//! Products with the Gauss-Newton matrix, by forward passes alone.
//!
//! A loss is l(y) of a network's outputs y(w), J the Jacobian of y and H the Hessian of l in y. The
//! Gauss-Newton matrix G = J'H J is the Hessian of the loss without the curvature of the network: it is
//! never indefinite where l is convex. A forward pass on duals gives u = J v; what is differentiated in
//! reverse is l alone, from the outputs on: d(l'u)/dy = H u. So v'G w = (J v)'H (J w) without a
//! backward pass through the network.

use burn::{module::Module, optim::GradientsParams, tensor::Tensor};

use super::{Dual, Tangents, product::require_one_number, tangents::Output};
use crate::{error::ProductError, oracle::RunningStatistics};

/// The outputs of a network along a direction v, one after the other.
#[derive(Clone, Debug, Default)]
pub struct OutputTangent {
    /// u = J v.
    pub tangent: Vec<f64>,
    /// H u.
    pub curved: Vec<f64>,
}

impl OutputTangent {
    /// v_i'G v_j for the directions v of all these.
    pub(crate) fn form(all: &[Self]) -> Vec<Vec<f64>> {
        let entry = |a: &Self, b: &Self| -> f64 {
            a.tangent.iter().zip(&b.curved).map(|(u, hu)| u * hu).sum()
        };
        // Symmetric to the bit.
        let place = |i: usize, j: usize| entry(&all[i.min(j)], &all[i.max(j)]);
        (0..all.len()).map(|i| (0..all.len()).map(|j| place(i, j)).collect()).collect()
    }
}

/// v_i'G v_j with the Gauss-Newton matrix G of `loss` at `model`, for `vectors` that have an entry for
/// each parameter that is to move. The loss marks the outputs of its network by [`Tangents::output`]; a
/// loss that is a mean over records gives the mean of theirs.
///
/// The loss is evaluated once for each vector, forward only. Running statistics of batch norm are left
/// as they were.
///
/// # Errors
/// The loss is not one number or marks no output; an entry of a vector has another shape or number type
/// than its parameter.
pub fn gauss_newton_form<M: Module>(
    model: &M,
    vectors: &[&GradientsParams],
    mut loss: impl FnMut(&M, &Tangents) -> Dual<1>,
) -> Result<Vec<Vec<f64>>, ProductError> {
    let frozen = model.clone().no_grad();
    let statistics = RunningStatistics::of(model);
    let along = |vector: &&GradientsParams| output_tangent(&frozen, vector, &mut loss);
    let all: Result<Vec<OutputTangent>, ProductError> = vectors.iter().map(along).collect();
    statistics.restore(model);
    Ok(OutputTangent::form(&all?))
}

/// The outputs along `vector`. Without tracked parameters in `model` no graph of the network is kept.
/// Running statistics advance once.
pub(crate) fn output_tangent<M: Module>(
    model: &M,
    vector: &GradientsParams,
    loss: &mut dyn FnMut(&M, &Tangents) -> Dual<1>,
) -> Result<OutputTangent, ProductError> {
    let tangents = Tangents::noting_outputs(model, vector)?;
    let Dual { value, tangent } = loss(model, &tangents);
    require_one_number(&value)?;
    let outputs = tangents.into_outputs();
    if outputs.is_empty() {
        return Err(ProductError::NoOutput);
    }
    // A loss that is linear in its outputs has no graph, and no curvature.
    let gradients = tangent.filter(Tensor::is_tracked).map(|tangent| tangent.backward());
    let mut all = OutputTangent::default();
    for Output { leaf, tangent } in outputs {
        let curved = gradients.as_ref().and_then(|gradients| leaf.grad(gradients));
        let numbers = |tensor: Option<Tensor<1>>| -> Vec<f64> {
            match tensor {
                Some(tensor) => tensor.into_data().iter::<f64>().collect(),
                None => vec![0.0; leaf.dims()[0]],
            }
        };
        all.tangent.extend(numbers(tangent));
        all.curved.extend(numbers(curved));
    }
    Ok(all)
}
