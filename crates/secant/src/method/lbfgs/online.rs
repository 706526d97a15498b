//! oLBFGS: online L-BFGS.
//!
//! # Idea
//! L-BFGS on mini-batches with two changes that make it live with noise: both gradients of a pair are of
//! one batch, and the initial matrix averages the curvature of all pairs.
//!
//! # Algorithm
//! Step t = 0, 1, ... with gradient g at theta (Schraudolph et al., the limited-memory variant of their online
//! BFGS):
//! 1. d = -H g with the initial matrix (mean over pairs of s.y / y.y) I; without pairs, d = -eps g
//!    (the two-loop recursion, Nocedal and Wright's Algorithm 7.4, with another initial matrix).
//! 2. theta <- theta + lr tau / (tau + t) d (their schedule of the gain).
//! 3. s = the displacement, y = the change of the same batch's gradient + lambda s (as in their online BFGS).
//!    Store (s, y) if it passes the curvature test.
//!
//! # Notation
//! tau, lambda, eps: the fields `rate_offset`, `lambda` and `first_scale` of [`OnlineLBfgsConfig`]; m: `memory`; the
//! paper's eta_0 is lr.
//!
//! # Cost
//! 2m vectors of memory, 2 gradients, 6m R for the matrix, 2R + 1W more with lambda.
//!
//! # When not to use it
//! Non-convex problems, for which it has no theory: pairs of negative curvature are left out, and what
//! stays can be a bad picture. [`SdLBfgs`](super::sd_lbfgs::SdLBfgs) is the safe choice.
//!
//! # Deviations
//! The paper's first step has the length 1e-10 |g|, so that the first pair sets the scale. In single
//! precision that is no step at all: there eps is 1e-4 unless told. Its constant c is 1.
//!
//! # References
//! Schraudolph, Yu, Guenter, *A stochastic quasi-Newton method for online convex optimization*, 2007.
//!
//! # Example
//! The first step is next to none. Its pair sets the scale: the Hessian of this loss is 2 I, and the second step
//! reaches the minimum.
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::OnlineLBfgsConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let y = Tensor::<2>::from_floats([[9.0], [3.0], [1.0], [-5.0]], &device);
//! let x = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &device);
//! let mut optimizer = OnlineLBfgsConfig::new().init()?;
//! let mut shares = Vec::new();
//! for _ in 0..2 {
//!     let report = optimizer.step(1.0, &mut model, |model: &Linear| {
//!         (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
//!     })?;
//!     let (before, after) = (report.loss.ok_or("unread")?, report.loss_after.ok_or("unread")?);
//!     shares.push(after / before);
//! }
//! assert!(shares[0] > 0.999 && shares[1] < 1e-5);
//! # Ok(())
//! # }
//! ```

use burn::tensor::DType;
use secant_core::{
    curvature::{CurvatureTest, PairProducts},
    report::{Outcome, Rejection, StepReport},
};

use crate::objective::{Beginning, Known, Objective, displaced};
use crate::{
    blocks::{Blocks, Layout, add_scaled, dot, make_pair},
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    operator::{InverseLBfgs, Scaling},
    optimizer::Optimizer,
    oracle::Oracle,
    protocol::{Decay, Method, StepContext, record_state},
};

hyper_parameters! {
    /// Configuration of [`OnlineLBfgs`].
    #[derive(Copy)]
    pub struct OnlineLBfgsConfig {
        /// Pairs.
        #[config(default = 10)]
        #[range(AtLeast1)]
        memory: usize,
        /// Added to the curvature of every pair, at least 0: bounds H by its inverse.
        #[config(default = 0.0)]
        #[range(NotNegative)]
        lambda: f64,
        /// Steps after which the rate has halved.
        #[config(default = 1e4)]
        #[range(Positive)]
        rate_offset: f64,
        /// The length of the first direction in times of the gradient. None: 1e-10 in double and
        /// 1e-4 in single precision.
        #[config(default = "None")]
        #[range(Positive)]
        first_scale: Option<f64>,
        /// Which pairs are stored.
        #[config(default = "CurvatureTest::Relative(1e-8)")]
        curvature_test: CurvatureTest,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl OnlineLBfgsConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> OnlineLBfgs {
        OnlineLBfgs { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<OnlineLBfgs>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// oLBFGS; see the [module](self).
#[derive(Clone, Debug)]
pub struct OnlineLBfgs {
    config: OnlineLBfgsConfig,
}

/// The state of [`OnlineLBfgs`].
#[derive(Clone, Debug, Default)]
pub struct OnlineLBfgsState {
    matrix: InverseLBfgs,
    steps: u64,
}

record_state!(OnlineLBfgsState { vectors: [], counters: [steps], numbers: [], matrices: [matrix] });

impl Method for OnlineLBfgs {
    type State = OnlineLBfgsState;
    const NAME: &'static str = "o-lbfgs";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn evaluates_again(&self) -> bool {
        true
    }

    fn init(&self, _: &Layout) -> OnlineLBfgsState {
        OnlineLBfgsState { matrix: InverseLBfgs::new(self.config.memory), steps: 0 }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut OnlineLBfgsState,
    ) -> Result<StepReport, StepError> {
        let mut objective = Objective::new(context, oracle);
        let (theta, gradient, mut report) = match objective.here()? {
            Ok(Beginning { theta, known, report, .. }) => (theta, known.gradient, report),
            Err(report) => return Ok(report),
        };
        // 1. The direction.
        let mut direction = gradient.zeros_like();
        let scaling = if state.matrix.is_empty() {
            Scaling::Fixed(self.first_scale(context.layout))
        } else {
            Scaling::Mean
        };
        if state.matrix.apply(-1.0, scaling, &gradient, &mut direction).is_none() {
            report.outcome = Outcome::Rejected(Rejection::NonFiniteReduction);
            return Ok(report);
        }
        // 2. The step.
        let offset = self.config.rate_offset;
        let mut point =
            displaced(context, &theta, offset / (offset + state.steps as f64), &direction);
        let known = objective.at(&mut point)?;
        report.evals = objective.oracle.evals();
        match known {
            Ok(Known { loss, gradient: after, .. }) => {
                // 3. The pair.
                let (mut s, mut y) = (theta, gradient);
                let products = make_pair(&mut s, &mut y, &point, &after);
                let products = self.regularise(products, &s, &mut y);
                report.pair = state.matrix.push(self.config.curvature_test, products, s, y);
                report.loss_after = Some(loss);
                state.steps += 1;
                objective.move_to(point);
            }
            Err(rejection) => report.outcome = Outcome::Rejected(rejection),
        }
        Ok(report)
    }
}

impl OnlineLBfgs {
    fn first_scale(&self, layout: &Layout) -> f64 {
        let double = layout.entries().iter().all(|entry| entry.dtype == DType::F64);
        self.config.first_scale.unwrap_or(if double { 1e-10 } else { 1e-4 })
    }

    /// 3. y <- y + lambda s.
    fn regularise(&self, products: PairProducts, s: &Blocks, y: &mut Blocks) -> PairProducts {
        if self.config.lambda == 0.0 {
            return products;
        }
        add_scaled(y, self.config.lambda, s);
        PairProducts { ss: products.ss, sy: dot(s, y), yy: dot(y, y) }
    }
}
