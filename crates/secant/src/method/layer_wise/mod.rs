//! Methods that read the weights of a layer as a matrix.

pub mod muon;
pub mod shampoo;
pub mod soap;
pub mod subspace_newton;

use burn::tensor::Shape;

/// A narrow layer moves at most so many times as fast.
const MOST_FOR_NARROW: f64 = 4.0;

/// How many times as fast a tensor moves where its fan-in is smaller than `below`. That of a matrix `[in, out]`, as Burn's
/// linear layer has it, is its rows, of a kernel `[out, in, h, w]` in h w; a vector has none.
pub(crate) fn narrow(shape: &Shape, below: Option<usize>) -> f64 {
    let fan_in = match shape[..] {
        [rows, _] => rows,
        [_, ref inputs @ ..] if inputs.len() > 1 => inputs.iter().product(),
        _ => return 1.0,
    };
    (below.unwrap_or(0) as f64 / fan_in as f64).clamp(1.0, MOST_FOR_NARROW)
}

/// Multiplications for each number and step that a layer's bases may take: four times those of its gradient, which are 3 for
/// each row that passes through it.
pub(crate) fn pays(rows: usize) -> f64 {
    4.0 * 3.0 * rows as f64
}

/// Records in a batch from which a rate for large batches is right.
const LARGE_BATCH: f64 = 256.0;

/// A rate for batches of so many records, from one that is right for large batches. The gradient's noise grows as
/// a batch shrinks, and a step through noise does best at a length that falls with the root of the batch.
pub(crate) fn for_batches(rate: f64, batch_size: usize) -> f64 {
    let exact = rate * (batch_size as f64 / LARGE_BATCH).sqrt().min(1.0);
    // Four digits after the point say all there is to say.
    (1e4 * exact).round().max(1.0) / 1e4
}
