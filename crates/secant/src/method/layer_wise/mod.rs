//! Methods that read the weights of a layer as a matrix.

pub mod muon;
pub mod shampoo;
pub mod soap;
pub mod subspace_newton;

/// Records in a batch from which a rate for large batches is right.
const LARGE_BATCH: f64 = 256.0;

/// A rate for batches of so many records, from one that is right for large batches. The gradient's noise grows as
/// a batch shrinks, and a step through noise does best at a length that falls with the root of the batch.
pub(crate) fn for_batches(rate: f64, batch_size: usize) -> f64 {
    let exact = rate * (batch_size as f64 / LARGE_BATCH).sqrt().min(1.0);
    // Four digits after the point say all there is to say.
    (1e4 * exact).round().max(1.0) / 1e4
}
