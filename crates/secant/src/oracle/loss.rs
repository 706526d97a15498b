//! The user's loss, in the forms in which step functions take it.

use burn::{module::Module, optim::GradientsParams, tensor::Tensor};

use super::module::evaluate;
use crate::{
    dual::{Dual, Product, Tangents, product},
    error::StepError,
};

/// A loss that can be evaluated on records by their numbers.
pub(crate) trait Loss<M> {
    /// The loss of `model` on `records`.
    fn of(&mut self, model: &M, records: &[usize]) -> Tensor<1>;

    /// Loss, gradient and exact Hessian product; none where only differences can be had.
    fn product(
        &mut self,
        _model: &M,
        _vector: &GradientsParams,
        _records: &[usize],
    ) -> Option<Result<Product, StepError>> {
        None
    }
}

/// A loss that knows its batch.
pub(crate) struct OfBatch<F>(pub F);

impl<M, F: FnMut(&M) -> Tensor<1>> Loss<M> for OfBatch<F> {
    fn of(&mut self, model: &M, _: &[usize]) -> Tensor<1> {
        (self.0)(model)
    }
}

/// A loss that is told its records.
pub(crate) struct OfRecords<F>(pub F);

impl<M, F: FnMut(&M, &[usize]) -> Tensor<1>> Loss<M> for OfRecords<F> {
    fn of(&mut self, model: &M, records: &[usize]) -> Tensor<1> {
        (self.0)(model, records)
    }
}

/// A loss on duals that is told its records.
pub(crate) struct OnDuals<F>(pub F);

impl<M, F> Loss<M> for OnDuals<F>
where
    M: Module,
    F: FnMut(&M, &Tangents, &[usize]) -> Dual<1>,
{
    fn of(&mut self, model: &M, records: &[usize]) -> Tensor<1> {
        (self.0)(model, &Tangents::none(), records).value
    }

    fn product(
        &mut self,
        model: &M,
        vector: &GradientsParams,
        records: &[usize],
    ) -> Option<Result<Product, StepError>> {
        let tangents = Tangents::along(model, vector);
        let mut loss = |model: &M, at: &Tangents| (self.0)(model, at, records);
        Some(
            tangents
                .and_then(|tangents| product(model, &tangents, &mut loss))
                .map_err(StepError::Product),
        )
    }
}

/// A loss with the user's own Hessian product.
pub(crate) struct WithProduct<F, P>(pub F, pub P);

impl<M, F, P> Loss<M> for WithProduct<F, P>
where
    M: Module,
    F: FnMut(&M) -> Tensor<1>,
    P: FnMut(&M, &GradientsParams) -> GradientsParams,
{
    fn of(&mut self, model: &M, _: &[usize]) -> Tensor<1> {
        (self.0)(model)
    }

    fn product(
        &mut self,
        model: &M,
        vector: &GradientsParams,
        records: &[usize],
    ) -> Option<Result<Product, StepError>> {
        let evaluated = evaluate(model, self, records);
        Some(evaluated.map(|(loss, gradient)| {
            let hessian_vector = (self.1)(model, vector);
            Product { loss, gradient, hessian_vector }
        }))
    }
}
