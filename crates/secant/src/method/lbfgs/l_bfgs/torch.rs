//! Where `torch.optim.LBFGS` (PyTorch 2.15) goes its own way.
//!
//! - The first step of all is min(1, 1/|g|_1) lr, and each later one lr, also where no pair is stored.
//! - A pair is made at the beginning of the iteration after its displacement, also across two steps, and so
//!   of two batches; it is stored where y.s > 1e-10, and never damped.
//! - A step ends where g.d > -`tolerance_change`, where the largest change of a parameter is within
//!   `tolerance_change`, or the change of the loss is below it. Without a search the point that it ends at
//!   is not evaluated.
//! - The search's low point is that of the lower value, whether that is a sufficient decrease or not; where
//!   it finds nothing, the step has length 0.

use secant_core::{curvature::CurvatureTest, line_search::WolfeSettings};

use super::{LBfgsConfig, LineSearch, Rules};
use crate::blocks::{Blocks, absolute_sum};

/// y.s above 1e-10, and never 1e-10 itself.
pub(super) const CURVATURE_TEST: CurvatureTest = CurvatureTest::Absolute(1e-10f64.next_up());

impl LBfgsConfig {
    /// `torch.optim.LBFGS` with its defaults: 20 iterations in a step, 100 pairs, no search.
    pub fn torch() -> Self {
        Self::new()
            .with_history_size(100)
            .with_max_iter(20)
            .with_max_eval(25)
            .with_line_search(LineSearch::None)
            .with_tolerance_grad(1e-7)
            .with_rules(Rules::Torch)
    }
}

/// The first step of all, at a rate of 1.
pub(super) fn first_step(gradient: &Blocks) -> f64 {
    (1.0 / absolute_sum(gradient)).min(1.0)
}

/// Its search, of at most `most` evaluations.
pub(super) fn search(config: &LBfgsConfig, most: u32) -> WolfeSettings {
    let tolerance_change = config.tolerance_change;
    WolfeSettings { tolerance_change, ..WolfeSettings::torch(most) }
}

/// Whether parameters, of which the one that moved furthest did so by `largest`, or the loss stand still.
pub(super) fn is_still(config: &LBfgsConfig, largest: f64, change: f64) -> bool {
    change < config.tolerance_change || largest <= config.tolerance_change
}
