//! Where ranks meet: threads or processes that train copies of one model together, each on its share of
//! every batch.

use crate::{blocks::Blocks, error::StepError};

/// What ranks that train one model do together. An [`Optimizer`](crate::Optimizer) that is given one
/// ([`Optimizer::with_collective`](crate::Optimizer::with_collective)) calls it right after each
/// evaluation, before anything is checked, clipped or used. From the same start, with optimizers built
/// alike, equal [`Batches`](crate::Batches) and equal rates, all ranks then make the same decisions, the
/// same draws and the same steps, to the last bit: those that one rank would make on the whole batch, to
/// rounding.
///
/// In [`Optimizer::step_on`](crate::Optimizer::step_on) the ranks share out the records of every mean: of
/// a batch, of all records, of a sample. In [`Optimizer::step`](crate::Optimizer::step) and
/// [`Optimizer::step_with_gradients`](crate::Optimizer::step_with_gradients) each rank brings a batch of
/// its own, and all count alike: bring equally many records. A parameter without a gradient on one rank
/// that has one on another counts as zero there.
/// [`Optimizer::step_function`](crate::Optimizer::step_function) is of one rank.
///
/// What is not shared: running statistics of batch norm, which each rank has of its own records; and
/// masks of dropout, which each rank draws from the same seed.
///
/// Every rank makes the same calls in the same order. An evaluation that fails on one rank (a loss of two
/// numbers, say) fails the step on all: the others say
/// [`OtherRank`](crate::error::StepError::OtherRank). A panic on one rank, or a step that it does not
/// make, leaves the others waiting, unless the implementor ends that.
pub trait Collective: std::fmt::Debug + Send + Sync {
    /// How many ranks there are, at least 1. With 1 the other methods are not called.
    fn ranks(&self) -> usize;

    /// The records that this rank evaluates. The shares of all ranks are all `records`, each once; one
    /// can be empty.
    fn share<'a>(&self, records: &'a [usize]) -> &'a [usize];

    /// Replaces each number by its sum over the ranks, in the same bits on all of them.
    fn sum(&self, numbers: &mut [f64]);

    /// Replaces a gradient by its mean over the ranks, in the same bits on all of them: the sum of
    /// `weight` times each. The weights add up to 1; a rank of weight 0 brings zeros.
    fn mean(&self, gradient: &mut Blocks, weight: f64);
}

/// One rank, which does nothing together with others.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Collective for Alone {
    fn ranks(&self) -> usize {
        1
    }

    fn share<'a>(&self, records: &'a [usize]) -> &'a [usize] {
        records
    }

    fn sum(&self, _: &mut [f64]) {}

    fn mean(&self, _: &mut Blocks, _: f64) {}
}

/// Sums `numbers`, which belong to `local`, over the ranks. An error of one rank is an error of all.
pub(crate) fn meet<T>(
    collective: &dyn Collective,
    local: Result<T, StepError>,
    numbers: &mut [f64],
) -> Result<T, StepError> {
    if collective.ranks() == 1 {
        return local;
    }
    let mut all = numbers.to_vec();
    all.push(f64::from(u8::from(local.is_err())));
    collective.sum(&mut all);
    let failures = all.pop().unwrap_or_default();
    numbers.copy_from_slice(&all);
    if failures > 0.0 { Err(local.err().unwrap_or(StepError::OtherRank)) } else { local }
}
