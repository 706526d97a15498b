//! When a batch is too small: MB-LSR1 11, L-SSR1-TR 7.

use crate::oracle::{BatchSizes, Records};

/// When the batch is doubled: every K steps, if the loss on other records fell too little since the
/// last time.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchRule {
    /// K; none is max(20, N / n_b).
    pub every: Option<usize>,
    /// The other records: a sample of this size, or all there are.
    pub sample: Option<SampleSize>,
    pub gamma1: f64,
    pub gamma2: f64,
    /// Whether a fall by exactly the bound is too little.
    pub bound_is_too_little: bool,
    /// Whether the loss at the last check is evaluated again, on the records of this one.
    pub snapshot: bool,
}

/// nhat = min(growth n_b, most, N).
#[derive(Clone, Copy, Debug)]
pub(super) struct SampleSize {
    pub growth: f64,
    pub most: usize,
}

impl BatchRule {
    /// At the first step, and then K steps after the check before, whatever K was then.
    pub fn is_due(&self, is_first: bool, since_check: usize, sizes: BatchSizes) -> bool {
        let usual = sizes.records.div_ceil(sizes.batch.max(1)).max(20);
        is_first || since_check >= self.every.unwrap_or(usual)
    }

    pub fn sample(&self, BatchSizes { batch, records, .. }: BatchSizes) -> Records {
        self.sample.map_or(Records::All, |SampleSize { growth, most }| {
            Records::Sample(((growth * batch as f64) as usize).min(most).min(records))
        })
    }

    /// Whether `value` is too little below `last`, after steps that changed the loss of their batches
    /// by `changes`.
    pub fn is_too_small(&self, value: f64, last: f64, changes: f64) -> bool {
        let (change, bound) = (value - last, self.gamma2 * changes - self.gamma1);
        if self.bound_is_too_little { change >= bound } else { change > bound }
    }
}
