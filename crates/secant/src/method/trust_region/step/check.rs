//! Whether the batch is large enough: MB-LSR1 11, L-SSR1-TR 7.

use secant_core::report::BatchCheck;

use super::{Step, TrustRegionState};
use crate::{blocks::Blocks, error::StepError, oracle::Records};

impl Step<'_> {
    /// MB-LSR1 11, L-SSR1-TR 7. Notes how far the batch's loss fell; and K steps after the last time, evaluates
    /// the loss on other records, and doubles a batch that is too small.
    pub(super) fn check(
        &mut self,
        point: &mut Blocks,
        value: f64,
        state: &mut TrustRegionState,
    ) -> Result<Option<BatchCheck>, StepError> {
        let rule = self.common.batch_rule;
        let sizes = self.objective.oracle.batch_sizes();
        let change = value - self.known.value;
        if !rule.is_due(state.steps == 0, state.changes.len() + 1, sizes) {
            state.changes.push(change);
            return Ok(None);
        }
        let (value, last) = self.other_losses(point, value, state)?;
        state.changes.push(change);
        let changes = state.changes.iter().sum();
        let is_too_small = last.is_some_and(|last| rule.is_too_small(value, last, changes));
        if value.is_finite() {
            state.changes.clear();
            state.checked = vec![value];
            if rule.snapshot {
                state.snapshot = point.clone();
            }
        }
        if is_too_small && sizes.can_change {
            let doubled = (2 * sizes.batch).min(sizes.records);
            state.batch_size = doubled as u64;
            if doubled == sizes.records {
                self.region.average.zeta = 0.0;
            }
        }
        Ok(Some(BatchCheck { value, is_too_small }))
    }

    /// The loss on other records at the new point, and that of the last check; none before the first.
    fn other_losses(
        &mut self,
        point: &mut Blocks,
        value: f64,
        state: &TrustRegionState,
    ) -> Result<(f64, Option<f64>), StepError> {
        let records = self.common.batch_rule.sample(self.objective.oracle.batch_sizes());
        let (value, same_records) = if self.objective.oracle.is_batch(records) {
            (value, Records::Batch)
        } else if let Records::Sample(_) = records {
            (self.objective.value_of(records, point)?, Records::SameSample)
        } else {
            (self.objective.value_of(records, point)?, records)
        };
        let last = if state.snapshot.is_empty() {
            state.checked.first().copied()
        } else {
            Some(self.objective.value_of(same_records, &mut state.snapshot.clone())?)
        };
        Ok((value, last))
    }
}
