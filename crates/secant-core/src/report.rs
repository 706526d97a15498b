//! What one step did and cost. A report is returned by every step and never printed by the library.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::trust_region::subproblem::Case;

/// What one step did, and what it cost.
#[must_use = "a step can be rejected; the report says so"]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepReport {
    /// Whether the step was made.
    pub outcome: Outcome,
    /// The user's loss before the step, where the step had to read it; decay is no part of it.
    pub loss: Option<f64>,
    /// The 2-norm of that loss's gradient before clipping, where the step had to compute it.
    pub gradient_norm: Option<f64>,
    /// The user's loss after the step on the same batch, where the step had to read it.
    pub loss_after: Option<f64>,
    /// In methods that search: what they search along, the loss with its L2 decay
    /// (sum of wd/2 |theta|^2), before the step.
    #[serde(default)]
    pub objective: Option<f64>,
    /// The same after the step, on the same batch.
    #[serde(default)]
    pub objective_after: Option<f64>,
    /// The step size, where the method chose it itself.
    pub step_size: Option<f64>,
    /// What became of the curvature pair.
    pub pair: PairOutcome,
    /// What the line search did, in methods that have one; the last one where a step has several.
    pub line_search: Option<LineSearchReport>,
    /// What the model of the loss said and how it fared, in trust-region methods.
    #[serde(default)]
    pub trust_region: Option<TrustRegionReport>,
    /// What `auto` chose for the run, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Chosen>,
    /// Evaluations of the loss, counted by the oracle.
    pub evals: Evals,
}

/// What `auto` chose for a run, and why: its text is both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Chosen {
    /// SOAP, because every step sees another batch.
    SoapForBatches,
    /// SOAP and then self-scaled Broyden, because every step sees the same function, which is small.
    DenseMatrix,
    /// SOAP and then L-BFGS, because every step sees the same function, which is large.
    PairsForMany,
    /// SOAP and then L-BFGS, because every step sees the same function in single precision.
    PairsForSingle,
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SoapForBatches => "soap, because every step sees another batch",
            Self::DenseMatrix => {
                "soap and then ss-broyden, because every step sees the same function, of few enough parameters \
                 for a dense matrix"
            }
            Self::PairsForMany => {
                "soap and then l-bfgs, because every step sees the same function, of too many parameters for a \
                 dense matrix"
            }
            Self::PairsForSingle => {
                "soap and then l-bfgs, because every step sees the same function in single precision, in which a \
                 dense matrix learns rounding"
            }
        })
    }
}

impl StepReport {
    /// A report of `outcome` after `evals`, everything else unknown.
    pub fn new(outcome: Outcome, evals: Evals) -> Self {
        Self {
            outcome,
            loss: None,
            gradient_norm: None,
            loss_after: None,
            objective: None,
            objective_after: None,
            step_size: None,
            pair: PairOutcome::NotTried,
            line_search: None,
            trust_region: None,
            chosen: None,
            evals,
        }
    }

    /// Whether the step was not rejected.
    pub fn is_accepted(&self) -> bool {
        !matches!(self.outcome, Outcome::Rejected(_))
    }
}

/// What the step decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The step was made: parameters and state are those after it. A method that searches along a line
    /// says so only where the parameters moved. One that does not search does not look: its update can be
    /// below the rounding of every parameter. At a learning rate of 0, which is a pause, nothing moves
    /// (but that subnormal numbers become zero).
    Accepted,
    /// There was nothing to do, and the parameters stay: the gradient is within the method's tolerance
    /// of zero; or a search found no other point, and all the decrease that the method's model
    /// promised is within the rounding of the loss.
    Converged,
    /// The parameters are bit-identical to before. So is the state, but after
    /// [`Rejection::NoDecrease`].
    Rejected(Rejection),
}

/// Why a step was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Rejection {
    /// The loss was NaN or infinite.
    NonFiniteLoss,
    /// The gradient held a NaN or an infinity, or its squared norm, after clipping by norm, overflows
    /// the parameters' type.
    NonFiniteGradient,
    /// A sum the step needs was NaN or infinite.
    NonFiniteReduction,
    /// A search found no step with a smaller loss, along the method's direction and, in L-BFGS, along
    /// the gradient's. Trust-region methods go on from another radius, so that the next step is another
    /// one; L-BFGS with PyTorch's rules counts the iteration and keeps what it has learnt.
    NoDecrease,
}

/// What a line search did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LineSearchReport {
    /// The step length, in times of the direction.
    pub step_length: f64,
    /// Points it asked for.
    pub trials: u32,
    /// Whether a value or slope that is not finite was met on the way.
    pub met_non_finite: bool,
    /// Whether it began again along the gradient, with an empty memory.
    pub restarted: bool,
}

impl LineSearchReport {
    /// With what earlier searches of the same step asked for and met.
    #[must_use]
    pub fn after(self, earlier: Option<Self>) -> Self {
        earlier.map_or(self, |earlier| Self {
            trials: earlier.trials + self.trials,
            met_non_finite: earlier.met_non_finite | self.met_non_finite,
            ..self
        })
    }
}

/// What the quadratic model Q(p) = g'p + p'Bp / 2 of a trust-region method said of its minimiser p*
/// within the radius, and how the loss fared. Decay is part of the loss here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustRegionReport {
    /// Q(p*), never positive.
    pub model_change: f64,
    /// The change of the loss that is held against it; NaN where it was not found out.
    pub actual_change: f64,
    /// Their ratio rho; 0 where it cannot be told.
    pub ratio: f64,
    /// What the radius went by: rho or an average.
    pub averaged_ratio: f64,
    /// The radius of the step.
    pub radius: f64,
    /// The radius of the next step.
    pub next_radius: f64,
    /// The length of the step taken.
    pub step_norm: f64,
    /// The multiplier of |p| <= radius.
    pub sigma: f64,
    /// Where p* lies.
    pub case: Case,
    /// The smallest eigenvalue of B.
    pub smallest_eigenvalue: f64,
    /// The largest eigenvalue of B.
    pub largest_eigenvalue: f64,
    /// Stored pairs that B is built from.
    pub pairs_kept: usize,
    /// Stored pairs that failed the skipping rule.
    pub pairs_skipped: usize,
    /// Pairs in memory after the step.
    pub pairs_stored: usize,
    /// Whether momentum pointed uphill and the direction was turned.
    pub flipped: bool,
    /// Records in the batch of the step.
    pub batch_size: usize,
    /// The comparison that decides on the batch size, in steps that made one.
    pub check: Option<BatchCheck>,
}

/// Whether the loss fell enough, on other records than the batch's, for the batch to stay as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchCheck {
    /// The loss there.
    pub value: f64,
    /// Whether the batch is too small: it is doubled, where it can be.
    pub is_too_small: bool,
}

/// What became of the curvature pair (s, y) of the step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PairOutcome {
    /// There was none to test: the method keeps no pairs, has seen only one point yet, did not move, or
    /// discarded the pair because its model was wrong.
    NotTried,
    /// The pair is in memory: it passed its test, or, for L-SR1, is tested whenever B is built.
    Stored {
        /// s.y / (|s| |y|).
        cosine: f64,
    },
    /// The pair was moved towards positive curvature, and stored: theta y + (1 - theta) B s instead
    /// of y.
    Damped {
        /// The part of y that was kept.
        theta: f64,
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
    /// Exact Hessian-vector products; products by differences count as gradients.
    #[serde(default)]
    pub hessian_vector: u64,
    /// Products with the Jacobian of a network's outputs: forward passes on duals.
    #[serde(default)]
    pub jacobian_vector: u64,
    /// Records that the gradients are means over, added up; 0 where a step is not told records.
    #[serde(default)]
    pub gradient_records: u64,
    /// The same of Hessian-vector products.
    #[serde(default)]
    pub hessian_vector_records: u64,
    /// The same of products with the Jacobian.
    #[serde(default)]
    pub jacobian_vector_records: u64,
    /// The same of forward passes alone.
    #[serde(default)]
    pub loss_records: u64,
}

impl std::ops::AddAssign for Evals {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.gradient += other.gradient;
        self.hessian_vector += other.hessian_vector;
        self.jacobian_vector += other.jacobian_vector;
        self.gradient_records += other.gradient_records;
        self.hessian_vector_records += other.hessian_vector_records;
        self.jacobian_vector_records += other.jacobian_vector_records;
        self.loss_records += other.loss_records;
    }
}
