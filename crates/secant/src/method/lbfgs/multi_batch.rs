//! Multi-batch L-BFGS: pairs from what consecutive batches share.
//!
//! # Idea
//! Batches overlap. Both gradients of a pair are taken on the records that this batch shares with the next
//! one, so that the pair is of one function, while each step uses its whole batch.
//!
//! # Algorithm
//! Step k on batch S_k, whose last records O_k are the first of S_{k+1} (Berahas et al., Algorithm 1):
//! 1. d = -H g with the gradient g of S_k; without pairs, d = -g (the two-loop recursion, Nocedal and Wright's
//!    Algorithm 7.4 with (7.20)).
//! 2. theta <- theta + lr d.
//! 3. s = the displacement, y = the change of the gradient of O_k. Store (s, y) if it passes the
//!    curvature test.
//!
//! # Notation
//! S_k, O_k: as in the paper. The overlap is that of [`Batches`](crate::Batches); m: `memory`; alpha_k:
//! lr.
//!
//! # Cost
//! 2m vectors of memory, a gradient of the batch and two of the overlap, 6m R for the matrix. Without
//! overlap, or with [`Optimizer::step`], O_k is the whole batch, and a step costs two gradients.
//!
//! # When not to use it
//! Small batches: the authors use some thousand records, and overlaps of a fifth; below, y is noise. As
//! there is no line search, the rate has to be tuned.
//!
//! # Deviations
//! The gradient of S_k is evaluated on its own, and not put together from those of its parts, which
//! would be wrong for batch norm. The curvature test is relative, on the cosine of the pair, and
//! stricter than that of the full-batch method.
//!
//! # References
//! Berahas, Nocedal, Takac, *A multi-batch L-BFGS method for machine learning*, 2016, Algorithm 1.
//!
//! # Example
//! Batches of 16 records that share 4 with the next:
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{Batches, MultiBatchLBfgsConfig};
//!
//! # fn rows(of: &Tensor<2>, records: &[usize]) -> Tensor<2> {
//! #     let numbers: Vec<i64> = records.iter().map(|record| *record as i64).collect();
//! #     of.clone().select(0, Tensor::from_ints(numbers.as_slice(), &of.device()))
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let numbers: Vec<f32> = (0..128).map(|i| (i as f32).sin()).collect();
//! # let x = Tensor::<1>::from_floats(numbers.as_slice(), &device).reshape([64, 2]);
//! # let y = x.clone().sum_dim(1) * 2.0 + 1.0;
//! let mut batches = Batches::shuffled(64, 16, 0)?.with_overlap(4)?;
//! let mut optimizer = MultiBatchLBfgsConfig::new().init()?;
//! let mut losses = Vec::new();
//! for step in 0..20 {
//!     let report =
//!         optimizer.step_on(0.5, &mut model, &mut batches, |model: &Linear, records: &[usize]| {
//!             (model.forward(rows(&x, records)) - rows(&y, records)).powi_scalar(2).mean()
//!         })?;
//!     // A gradient of the batch, and two of what the next one shares.
//!     assert!(step == 0 || report.evals.gradient_records == 16 + 2 * 4);
//!     losses.extend(report.loss);
//! }
//! assert!(losses[19] < 1e-3 * losses[0]);
//! # Ok(())
//! # }
//! ```

use secant_core::{
    curvature::CurvatureTest,
    report::{Outcome, Rejection, StepReport},
};

use crate::objective::{Beginning, Known, Objective, displaced};
use crate::{
    blocks::{Layout, make_pair},
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    operator::{InverseLBfgs, Scaling},
    optimizer::Optimizer,
    oracle::{Oracle, Records},
    protocol::{Decay, Method, StepContext, record_state},
};

hyper_parameters! {
    /// Configuration of [`MultiBatchLBfgs`].
    #[derive(Copy)]
    pub struct MultiBatchLBfgsConfig {
        /// Pairs.
        #[config(default = 10)]
        #[range(AtLeast1)]
        memory: usize,
        /// Which pairs are stored.
        #[config(default = "CurvatureTest::Relative(1e-2)")]
        curvature_test: CurvatureTest,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl MultiBatchLBfgsConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> MultiBatchLBfgs {
        MultiBatchLBfgs { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<MultiBatchLBfgs>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// Multi-batch L-BFGS; see the [module](self).
#[derive(Clone, Debug)]
pub struct MultiBatchLBfgs {
    config: MultiBatchLBfgsConfig,
}

/// The state of [`MultiBatchLBfgs`].
#[derive(Clone, Debug, Default)]
pub struct MultiBatchLBfgsState {
    matrix: InverseLBfgs,
}

record_state!(MultiBatchLBfgsState { vectors: [], counters: [], numbers: [], matrices: [matrix] });

impl Method for MultiBatchLBfgs {
    type State = MultiBatchLBfgsState;
    const NAME: &'static str = "multi-batch-lbfgs";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn evaluates_again(&self) -> bool {
        true
    }

    fn init(&self, _: &Layout) -> MultiBatchLBfgsState {
        MultiBatchLBfgsState { matrix: InverseLBfgs::new(self.config.memory) }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut MultiBatchLBfgsState,
    ) -> Result<StepReport, StepError> {
        let mut objective = Objective::new(context, oracle);
        let (mut theta, gradient, mut report) = match objective.here()? {
            Ok(Beginning { theta, known, report, .. }) => (theta, known.gradient, report),
            Err(report) => return Ok(report),
        };
        // 1. and 2. The step.
        let mut direction = gradient.zeros_like();
        if state.matrix.apply(-1.0, Scaling::Newest, &gradient, &mut direction).is_none() {
            report.outcome = Outcome::Rejected(Rejection::NonFiniteReduction);
            return Ok(report);
        }
        let mut point = displaced(context, &theta, 1.0, &direction);
        // 3. The gradients of O_k at both points.
        let before = if objective.oracle.is_batch(Records::Shared) {
            Ok(gradient)
        } else {
            objective.of(Records::Shared, &mut theta)?.map(|known| known.gradient)
        };
        let after = objective.of(Records::Shared, &mut point)?;
        report.evals = objective.oracle.evals();
        match (before, after) {
            (Ok(before), Ok(Known { gradient: after, .. })) => {
                let (mut s, mut y) = (theta, before);
                let products = make_pair(&mut s, &mut y, &point, &after);
                report.pair = state.matrix.push(self.config.curvature_test, products, s, y);
                objective.move_to(point);
            }
            (Err(rejection), _) | (_, Err(rejection)) => {
                report.outcome = Outcome::Rejected(rejection);
            }
        }
        Ok(report)
    }
}
