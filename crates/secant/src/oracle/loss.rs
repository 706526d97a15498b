//! The user's loss, in the forms in which step functions take it.

use burn::tensor::Tensor;

/// A loss that can be evaluated on records by their numbers.
pub(crate) trait Loss<M> {
    /// The loss of `model` on `records`.
    fn of(&mut self, model: &M, records: &[usize]) -> Tensor<1>;
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
