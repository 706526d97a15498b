//! What one step did and cost. A report is returned by every step and never printed by the library.

use serde::{Deserialize, Serialize};

/// What one step did, and what it cost.
#[must_use = "a step can be rejected; the report says so"]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepReport {
    /// Whether the parameters moved.
    pub outcome: Outcome,
    /// The loss before the step, where the step had to read it.
    pub loss: Option<f64>,
    /// The 2-norm of the gradient before clipping, where the step had to compute it.
    pub gradient_norm: Option<f64>,
    /// What became of the curvature pair.
    pub pair: PairOutcome,
    /// Evaluations of the loss, counted by the oracle.
    pub evals: Evals,
}

impl StepReport {
    /// A report of `outcome` after `evals`, everything else unknown.
    pub fn new(outcome: Outcome, evals: Evals) -> Self {
        Self { outcome, loss: None, gradient_norm: None, pair: PairOutcome::NotTried, evals }
    }

    /// Whether the parameters moved.
    pub fn is_accepted(&self) -> bool {
        self.outcome == Outcome::Accepted
    }
}

/// What the step decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The parameters and the state were updated.
    Accepted,
    /// Nothing was written: parameters and state are bit-identical to before.
    Rejected(Rejection),
}

/// Why a step was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Rejection {
    /// The loss was NaN or infinite.
    NonFiniteLoss,
    /// The gradient held a NaN or an infinity, or its squared norm overflows the parameters' type.
    NonFiniteGradient,
    /// A sum the step needs was NaN or infinite.
    NonFiniteReduction,
}

/// What became of the curvature pair (s, y) of the step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PairOutcome {
    /// The method keeps no pairs, or has none yet.
    NotTried,
    /// The pair passed its test; its cosine s.y / (|s| |y|).
    Stored {
        /// s.y / (|s| |y|).
        cosine: f64,
    },
    /// The pair was left out.
    Skipped(SkipReason),
    /// One pair for each tensor.
    PerTensor {
        /// Pairs that passed their test.
        stored: usize,
        /// Pairs that were left out.
        skipped: usize,
    },
}

/// Why a pair was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SkipReason {
    /// s.y is too small, or not positive.
    Curvature,
    /// y is zero.
    ZeroGradientChange,
    /// The inverse Hessian of the pair would be larger than the method's bound.
    TooLarge,
    /// A product was NaN or infinite.
    NonFinite,
}

/// Evaluations of the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evals {
    /// Forward passes alone.
    pub loss: u64,
    /// Forward and backward passes.
    pub gradient: u64,
}

impl std::ops::AddAssign for Evals {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.gradient += other.gradient;
    }
}
