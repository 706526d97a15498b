//! From a loss on duals to H v and the gradient.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Gradients, Tensor},
};

use super::{Dual, Tangents};
use crate::{error::ProductError, oracle::RunningStatistics};

/// What one forward and one backward pass on duals give.
#[derive(Debug)]
pub struct Product {
    /// The loss, of one element, without a graph.
    pub loss: Tensor<1>,
    /// The gradient, for the parameters with an entry in the vector that the loss depends on.
    pub gradient: GradientsParams,
    /// H v, for these parameters and for all others where it is not identically zero.
    pub hessian_vector: GradientsParams,
}

/// The Hessian of `loss` at `model` times `vector`, which has an entry for each parameter that is to
/// move: a gradient, for example. A trainable parameter without one counts as zero.
///
/// The loss is evaluated once, on the parameters and on the tangents that it is given. Running
/// statistics of batch norm are left as they were.
///
/// # Errors
/// The loss is not one number or does not depend on the direction; an entry of the vector has
/// another shape or number type than its parameter.
pub fn hessian_vector_product<M: Module>(
    model: &M,
    vector: &GradientsParams,
    mut loss: impl FnMut(&M, &Tangents) -> Dual<1>,
) -> Result<Product, ProductError> {
    let tangents = Tangents::along(model, vector)?;
    let statistics = RunningStatistics::of(model);
    let product = product(model, &tangents, &mut loss);
    statistics.restore(model);
    product
}

/// The product along `tangents`, made by [`Tangents::along`]. Running statistics advance once.
pub(crate) fn product<M: Module>(
    model: &M,
    tangents: &Tangents,
    loss: &mut dyn FnMut(&M, &Tangents) -> Dual<1>,
) -> Result<Product, ProductError> {
    let Dual { value, tangent } = loss(model, tangents);
    require_one_number(&value)?;
    let tangent = tangent.filter(Tensor::is_tracked).ok_or(ProductError::Constant)?;
    let mut gradients = tangent.backward();
    let hessian_vector = GradientsParams::from_module(&mut gradients, model);
    let gradient = GradientsParams::new();
    let mut collect = Collect { tangents, gradients: &gradients, gradient, hessian_vector };
    model.visit(&mut collect);
    let Collect { gradient, hessian_vector, .. } = collect;
    Ok(Product { loss: value.inner(), gradient, hessian_vector })
}

pub(super) fn require_one_number(loss: &Tensor<1>) -> Result<(), ProductError> {
    match loss.shape().num_elements() {
        1 => Ok(()),
        elements => Err(ProductError::LossShape { elements }),
    }
}

/// Collects the gradient from the tangents, and writes the zeros of H v out.
struct Collect<'a> {
    tangents: &'a Tangents,
    gradients: &'a Gradients,
    gradient: GradientsParams,
    hessian_vector: GradientsParams,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let id = param.id;
        let Some(tangent) = self.tangents.get::<D>(id) else { return };
        let Some(gradient) = tangent.grad(self.gradients) else { return };
        if self.hessian_vector.get::<D>(id).is_none() {
            self.hessian_vector.register(id, gradient.zeros_like());
        }
        self.gradient.register(id, gradient);
    }
}
