//! What the L-SR1 trust-region methods remember from step to step.

use secant_core::trust_region::radius::AveragedRatio;

use crate::{
    blocks::Blocks,
    objective::{Coordinates, Kept, Metric},
    operator::LSr1,
    protocol::record_state,
};

/// What the L-SR1 trust-region methods remember.
#[derive(Clone, Debug, Default)]
pub struct TrustRegionState {
    pub(super) matrix: LSr1,
    /// What momentum carries over to the next step: mu v + (1 - eta) s. Empty where it is zero.
    pub(super) carried: Blocks,
    /// delta and gamma; zeta, T and the two parts of rho_hat.
    pub(super) region: Vec<f64>,
    /// The changes of the batches' losses since the last check, oldest first.
    pub(super) changes: Vec<f64>,
    /// f_K, the loss at the last check; none before the first.
    pub(super) checked: Vec<f64>,
    /// The parameters at the last check, where the next one evaluates them again.
    pub(super) snapshot: Blocks,
    /// Where the next step sees the same function: the gradient of f at the parameters; f, the loss
    /// without decay and the norm of its gradient; and of which parameters and decay they are.
    pub(super) gradient: Blocks,
    pub(super) value: Vec<f64>,
    pub(super) fingerprint: u64,
    /// k: steps so far.
    pub(super) steps: u64,
    /// n_b; 0 where it is that of the user's batches.
    pub(super) batch_size: u64,
    /// In whose coordinates all vectors are.
    pub(super) metric: Metric,
}

record_state!(TrustRegionState {
    vectors: [carried, gradient, snapshot, metric.squares, metric.coordinates.d],
    counters: [steps, batch_size, fingerprint, metric.steps],
    numbers: [region, changes, checked, value],
    matrices: [matrix]
});

impl TrustRegionState {
    /// With room for `memory` pairs.
    pub(super) fn new(memory: usize, region: Region) -> Self {
        let matrix = LSr1::new(memory);
        Self { matrix, region: region.to_numbers(), ..Self::default() }
    }

    pub(super) fn kept(&self) -> Kept<'_> {
        let (gradient, numbers) = (&self.gradient, self.value.as_slice());
        Kept { gradient, numbers, fingerprint: self.fingerprint }
    }

    /// All vectors in new coordinates.
    pub(super) fn change(&mut self, change: &Coordinates) {
        self.matrix.change(change);
        change.multiply(&mut self.carried);
        change.multiply(&mut self.snapshot);
        change.divide(&mut self.gradient);
    }

    /// What momentum begins with; none where that is zero.
    pub(super) fn carried(&self) -> Option<&Blocks> {
        (!self.carried.is_empty()).then_some(&self.carried)
    }

    /// n_b, where the method has chosen it.
    pub(super) fn batch_size(&self) -> Option<usize> {
        (self.batch_size > 0).then_some(self.batch_size as usize)
    }
}

/// The numbers of a trust region.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub delta: f64,
    pub gamma: f64,
    /// rho_hat
    pub average: AveragedRatio,
}

impl Region {
    pub fn new(delta: f64, gamma: f64, zeta: f64) -> Self {
        Self { delta, gamma, average: AveragedRatio::new(zeta) }
    }

    /// delta <- `delta`, unless that overflows.
    pub fn set_delta(&mut self, delta: f64) {
        if delta.is_finite() {
            self.delta = delta;
        }
    }

    pub fn to_numbers(self) -> Vec<f64> {
        let Self { delta, gamma, average } = self;
        let AveragedRatio { zeta, weight, numerator, denominator } = average;
        vec![delta, gamma, zeta, weight, numerator, denominator]
    }

    /// Those of a state.
    pub fn of(state: &TrustRegionState) -> Self {
        let number = |index: usize| state.region.get(index).copied().unwrap_or(f64::NAN);
        let [delta, gamma, zeta, weight, numerator, denominator] = [0, 1, 2, 3, 4, 5].map(number);
        let average = AveragedRatio { zeta, weight, numerator, denominator };
        Self { delta, gamma, average }
    }
}
