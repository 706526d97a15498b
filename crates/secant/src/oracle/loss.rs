//! The user's loss, in the forms in which a step takes it.

use burn::{module::Module, optim::GradientsParams, tensor::Tensor};

use super::module::evaluate;
use crate::{
    dual::{Dual, OutputTangent, Product, Tangents, output_tangent, product},
    error::StepError,
};

/// A loss that a step can evaluate as often as it needs, at any model `M`: one number.
///
/// `R` is what it is told of its records: nothing where it knows its batch
/// ([`Optimizer::step`](crate::Optimizer::step)), or their numbers, `[usize]`
/// ([`Optimizer::step_on`](crate::Optimizer::step_on)). Closures are losses; write the types of their
/// arguments: `|model: &Net| ...`, `|model: &Net, records: &[usize]| ...`.
pub trait Loss<M, R: ?Sized = ()> {
    /// The loss of `model` on `records`.
    fn value(&mut self, model: &M, records: &R) -> Tensor<1>;

    /// Loss, gradient and exact Hessian product with `vector`; none where only differences of gradients
    /// can be had.
    ///
    /// # Errors
    /// A broken contract, such as a loss that is not one number.
    fn product(
        &mut self,
        _model: &M,
        _vector: &GradientsParams,
        _records: &R,
    ) -> Option<Result<Product, StepError>> {
        None
    }

    /// What the network gives along `vector`, forward only, for products with the Gauss-Newton matrix;
    /// none where the loss is not on duals.
    ///
    /// # Errors
    /// A broken contract, such as a loss that does not mark its network's outputs.
    fn output_tangent(
        &mut self,
        _model: &M,
        _vector: &GradientsParams,
        _records: &R,
    ) -> Option<Result<OutputTangent, StepError>> {
        None
    }
}

impl<M, F: FnMut(&M) -> Tensor<1>> Loss<M> for F {
    fn value(&mut self, model: &M, (): &()) -> Tensor<1> {
        self(model)
    }
}

impl<M, F: FnMut(&M, &[usize]) -> Tensor<1>> Loss<M, [usize]> for F {
    fn value(&mut self, model: &M, records: &[usize]) -> Tensor<1> {
        self(model, records)
    }
}

/// A loss on duals, whose Hessian products are exact: of a closure
/// `|model: &M, at: &Tangents| -> Dual<1>`, or, told its records,
/// `|model: &M, at: &Tangents, records: &[usize]| -> Dual<1>`. Methods that use the Gauss-Newton matrix
/// ask that it marks its network's outputs ([`Tangents::output`]).
pub struct Duals<F>(pub F);

impl<M: Module, F: FnMut(&M, &Tangents) -> Dual<1>> Loss<M> for Duals<F> {
    fn value(&mut self, model: &M, (): &()) -> Tensor<1> {
        (self.0)(model, &Tangents::none()).value
    }

    fn product(
        &mut self,
        model: &M,
        vector: &GradientsParams,
        (): &(),
    ) -> Option<Result<Product, StepError>> {
        Some(product_along(model, vector, &mut self.0))
    }

    fn output_tangent(
        &mut self,
        model: &M,
        vector: &GradientsParams,
        (): &(),
    ) -> Option<Result<OutputTangent, StepError>> {
        Some(output_tangent(model, vector, &mut self.0).map_err(Into::into))
    }
}

impl<M: Module, F: FnMut(&M, &Tangents, &[usize]) -> Dual<1>> Loss<M, [usize]> for Duals<F> {
    fn value(&mut self, model: &M, records: &[usize]) -> Tensor<1> {
        (self.0)(model, &Tangents::none(), records).value
    }

    fn product(
        &mut self,
        model: &M,
        vector: &GradientsParams,
        records: &[usize],
    ) -> Option<Result<Product, StepError>> {
        let mut loss = |model: &M, at: &Tangents| (self.0)(model, at, records);
        Some(product_along(model, vector, &mut loss))
    }

    fn output_tangent(
        &mut self,
        model: &M,
        vector: &GradientsParams,
        records: &[usize],
    ) -> Option<Result<OutputTangent, StepError>> {
        let mut loss = |model: &M, at: &Tangents| (self.0)(model, at, records);
        Some(output_tangent(model, vector, &mut loss).map_err(Into::into))
    }
}

fn product_along<M: Module>(
    model: &M,
    vector: &GradientsParams,
    loss: &mut dyn FnMut(&M, &Tangents) -> Dual<1>,
) -> Result<Product, StepError> {
    let tangents = Tangents::along(model, vector)?;
    Ok(product(model, &tangents, loss)?)
}

/// A loss with the user's own Hessian product: a closure that is a loss, and one that gives the
/// Hessian of that loss at the model times a vector, `|model: &M, vector: &GradientsParams|`, or, told
/// its records, `|model: &M, vector: &GradientsParams, records: &[usize]|`.
pub struct WithProduct<F, P>(pub F, pub P);

impl<M, F, P> Loss<M> for WithProduct<F, P>
where
    M: Module,
    F: FnMut(&M) -> Tensor<1>,
    P: FnMut(&M, &GradientsParams) -> GradientsParams,
{
    fn value(&mut self, model: &M, (): &()) -> Tensor<1> {
        (self.0)(model)
    }

    fn product(
        &mut self,
        model: &M,
        vector: &GradientsParams,
        (): &(),
    ) -> Option<Result<Product, StepError>> {
        let evaluated = evaluate(model, &mut self.0, &());
        Some(evaluated.map(|(loss, gradient)| {
            let hessian_vector = (self.1)(model, vector);
            Product { loss, gradient, hessian_vector }
        }))
    }
}

impl<M, F, P> Loss<M, [usize]> for WithProduct<F, P>
where
    M: Module,
    F: FnMut(&M, &[usize]) -> Tensor<1>,
    P: FnMut(&M, &GradientsParams, &[usize]) -> GradientsParams,
{
    fn value(&mut self, model: &M, records: &[usize]) -> Tensor<1> {
        (self.0)(model, records)
    }

    fn product(
        &mut self,
        model: &M,
        vector: &GradientsParams,
        records: &[usize],
    ) -> Option<Result<Product, StepError>> {
        let evaluated = evaluate(model, &mut self.0, records);
        Some(evaluated.map(|(loss, gradient)| {
            let hessian_vector = (self.1)(model, vector, records);
            Product { loss, gradient, hessian_vector }
        }))
    }
}

/// A loss that knows its batch, where one is asked for that is told its records.
pub(crate) struct OfBatch<'a, M>(pub &'a mut dyn Loss<M>);

impl<M> Loss<M, [usize]> for OfBatch<'_, M> {
    fn value(&mut self, model: &M, _: &[usize]) -> Tensor<1> {
        self.0.value(model, &())
    }

    fn product(
        &mut self,
        model: &M,
        vector: &GradientsParams,
        _: &[usize],
    ) -> Option<Result<Product, StepError>> {
        self.0.product(model, vector, &())
    }

    fn output_tangent(
        &mut self,
        model: &M,
        vector: &GradientsParams,
        _: &[usize],
    ) -> Option<Result<OutputTangent, StepError>> {
        self.0.output_tangent(model, vector, &())
    }
}
