//! What Subspace Newton remembers from step to step.

use secant_core::plane::{Averaged, Growth};

use crate::{blocks::Blocks, protocol::record_state};

/// The state of [`SubspaceNewton`](super::SubspaceNewton).
#[derive(Clone, Debug, Default)]
pub struct SubspaceNewtonState {
    /// M', in the basis.
    pub(super) m: Blocks,
    pub(super) v: Blocks,
    /// P_k of all dimensions with a basis, one after the other.
    pub(super) factors: Blocks,
    /// Q_k likewise.
    pub(super) bases: Blocks,
    /// Zero where there is none.
    pub(super) p: Blocks,
    /// Of no entries without an average.
    pub(super) x: Blocks,
    /// K_11, K_12 and K_22, averaged from zero.
    pub(super) curvature: Vec<f64>,
    /// What the weights in each of them add up to.
    pub(super) weights: Vec<f64>,
    /// lambda alone.
    pub(super) damping: Vec<f64>,
    /// a and h.
    pub(super) growth: Vec<f64>,
    /// Gradients seen.
    pub(super) steps: u64,
}

record_state!(SubspaceNewtonState {
    vectors: [m, v, factors, bases, p, x],
    counters: [steps],
    numbers: [curvature, weights, damping, growth]
});

impl SubspaceNewtonState {
    pub(super) fn averaged(&self) -> Averaged {
        let three = |list: &[f64]| [0, 1, 2].map(|i| list.get(i).copied().unwrap_or(0.0));
        Averaged { sums: three(&self.curvature), weights: three(&self.weights) }
    }

    pub(super) fn growth(&self) -> Growth {
        match self.growth[..] {
            [slope_ratio, factor] => Growth { slope_ratio, factor },
            _ => Growth::default(),
        }
    }

    pub(super) fn lambda(&self) -> f64 {
        self.damping.first().copied().unwrap_or(f64::NAN)
    }
}
