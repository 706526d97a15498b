//! Makes a reference's Hessian-vector product and compares.

use secant::dual::hessian_vector_product;
use serde::Serialize;

use super::{
    file::{ProductTrace, TraceError},
    model::TraceProblem,
    replay::{larger, relative},
};

/// Our product, in the format of the reference.
#[derive(Clone, Debug, Serialize)]
pub struct ProductRecord {
    /// The loss of the batch.
    pub loss: f64,
    /// Its gradient, one list a tensor.
    pub grad: Vec<Vec<f64>>,
    /// Its Hessian times the vector.
    pub hvp: Vec<Vec<f64>>,
}

/// A replayed product.
#[derive(Clone, Debug)]
pub struct ProductReplay {
    /// What we computed.
    pub record: ProductRecord,
    /// The largest relative deviation, over the loss, the gradient and the product.
    pub deviation: f64,
}

impl ProductTrace {
    /// The trace's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The largest deviation that passes.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }
}

/// Makes the product of `trace`.
///
/// # Errors
/// The trace is not consistent.
pub fn replay_product(trace: &ProductTrace) -> Result<ProductReplay, TraceError> {
    let problem = TraceProblem::new(&trace.name, trace.dtype, &trace.problem, &trace.init)?;
    let model = problem.model(&trace.init);
    let vector = problem.vector_at(&model, &trace.vector);
    let rows = trace.batch.as_deref();
    let product =
        hessian_vector_product(&model, &vector, |model, at| problem.loss(model, at, rows))?;
    let record = ProductRecord {
        loss: product.loss.into_scalar(),
        grad: problem.entries(&model, &product.gradient),
        hvp: problem.entries(&model, &product.hessian_vector),
    };
    let grad = record.grad.iter().zip(&trace.grad);
    let tensors = grad.chain(record.hvp.iter().zip(&trace.hvp));
    let deviation = tensors
        .map(|(ours, theirs)| relative(ours, theirs))
        .fold(relative(&[record.loss], &[trace.loss]), larger);
    Ok(ProductReplay { record, deviation })
}
