//! L-BFGS.
//!
//! # Idea
//! Step along -H g, where H is the inverse of a Hessian that fits the last m pairs of displacement
//! and change of gradient, and search along that line.
//!
//! # Algorithm
//! One iteration, with loss f and gradient g at theta (decay is part of both: f + wd/2 |theta|^2). In brackets:
//! numbers of Nocedal and Wright, whose Algorithm 7.5 this is.
//! 1. d = -H g; without pairs, d = -g (Algorithm 7.4, with (7.20) for the initial matrix).
//! 2. Search along d for a step t with the strong Wolfe conditions (Algorithms 3.5 and 3.6); the first trial is lr,
//!    without pairs min(1, 1/|g|) lr. If none is found, or d is no direction of descent, forget all
//!    pairs and search along -g. If none is found there either: where step 1 promised no more than the
//!    rounding of f, the step has converged, else it is rejected. It has also converged where the first
//!    trial would change f and the parameters by no more than their rounding.
//! 3. theta <- theta + t d; s = the displacement, y = the change of the gradient on the same batch (Algorithm 7.5).
//! 4. Store (s, y) if it passes the curvature test (Algorithm 7.5). With damping, a pair with s.y < `damping` s.Bs
//!    is moved towards B s before that (Procedure 18.2, where it is 0.2; Powell 1978). With self-scaling, H is
//!    multiplied by max(1, s.Bs / s.y) before the update, but for the first pair.
//!
//! A step makes `max_iter` of them. Nothing is written before the last one has ended.
//!
//! # Notation
//! H: the [`InverseLBfgs`] of [`LBfgsState`], with initial matrix s.y / y.y of the newest pair; m: `history_size`.
//! With a `metric` all of this is in the coordinates of an [`AdamMetric`].
//! Filippova, Blinova, Parshikov 2022, Algorithm 1, is H g, and calls it H^-1 g.
//!
//! # Cost
//! 2m vectors of memory. An iteration needs about one gradient and reads the 2m vectors twice and once
//! more for the new pair. With `full_batch` the gradient at the new point is kept for the next
//! step, which looks whether the parameters are still there (two passes over them, for checksums) and
//! evaluates where they are not; otherwise each step evaluates one more. A `metric` costs what it does in
//! [L-SSR1-TR](crate::method::trust_region::l_ssr1_tr).
//!
//! # When not to use it
//! Mini-batches with noisy gradients: H then fits the noise of one batch. Use a method whose pairs are
//! damped or of larger batches,
//! [`SdLBfgs`](super::sd_lbfgs::SdLBfgs) or [`MultiBatchLBfgs`](super::multi_batch::MultiBatchLBfgs),
//! or Adam.
//!
//! # Deviations
//! [`LBfgsConfig::torch`] is `torch.optim.LBFGS` step by step: its absolute curvature test, its stop
//! tests, pairs that mix the batches of two steps. Two things differ, so that a NaN cannot carry
//! the parameters away: a loss or gradient that is not finite never passes the search, and without a
//! search it ends the step at the last good point.
//!
//! # References
//! Nocedal, Wright, *Numerical Optimization*, 2nd ed., Chapters 3, 7, and 18.3; Al-Baali, *Improved Hessian
//! approximations for the limited memory BFGS method*, 1999 (self-scaling); Hager, Zhang, *A
//! new conjugate gradient method with guaranteed descent*, 2005 (the decrease test near the minimum).
//!
//! # Example
//! A function of a vector, without a module. It is the same in every step, so `full_batch`:
//!
//! ```
//! use secant::{Function, LBfgsConfig, Outcome};
//!
//! struct Rosenbrock;
//!
//! impl Function for Rosenbrock {
//!     fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
//!         let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
//!         gradient[0] = -2.0 * a - 400.0 * x[0] * b;
//!         gradient[1] = 200.0 * b;
//!         a * a + 100.0 * b * b
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut optimizer =
//!     LBfgsConfig::new().with_full_batch(true).with_tolerance_grad(1e-9).init()?;
//! let (mut x, mut evaluations) = (vec![-1.2, 1.0], 0);
//! for _ in 0..60 {
//!     let report = optimizer.step_function(1.0, &mut x, &mut Rosenbrock)?;
//!     evaluations += report.evals.gradient;
//!     if report.outcome == Outcome::Converged {
//!         break;
//!     }
//! }
//! assert!((x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8);
//! assert!(evaluations < 60);
//! # Ok(())
//! # }
//! ```

mod run;
mod torch;

use secant_core::{
    curvature::CurvatureTest,
    report::{Outcome, PairOutcome, StepReport},
};

use crate::{
    blocks::{Blocks, Layout},
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    objective::{AdamMetric, Beginning, Kept, Metric, Objective},
    operator::InverseLBfgs,
    optimizer::Optimizer,
    oracle::Oracle,
    protocol::{Decay, Method, StepContext, record_state},
};

use run::{NO_DECREASE, Run};

/// How a step length is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LineSearch {
    /// The learning rate is the step length.
    None,
    /// Sufficient decrease alone, from lr downwards by halves: fewer gradients, more pairs that fail
    /// the curvature test.
    Armijo,
    /// Strong Wolfe conditions; near the minimum, where values cannot tell two points apart, the
    /// approximate ones of Hager and Zhang.
    StrongWolfe,
}

/// Whose rules a step follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rules {
    /// Ours; see the [module](self).
    Safe,
    /// PyTorch's; see [`LBfgsConfig::torch`].
    Torch,
}

hyper_parameters! {
    /// Configuration of [`LBfgs`].
    #[derive(Copy)]
    pub struct LBfgsConfig {
        /// Pairs.
        #[config(default = 10)]
        #[range(AtLeast1)]
        history_size: usize,
        /// Iterations in a step.
        #[config(default = 1)]
        #[range(AtLeast1)]
        max_iter: usize,
        /// Evaluations in a step after which no iteration begins.
        #[config(default = 50)]
        #[range(AtLeast1)]
        max_eval: usize,
        /// The line search.
        #[config(default = "LineSearch::StrongWolfe")]
        line_search: LineSearch,
        /// Which pairs are stored; `Rules::Torch` has its own test. None: relative, 1e-8.
        #[config(default = "None")]
        curvature_test: Option<CurvatureTest>,
        /// Powell's damping of pairs with s.y below this part of s.Bs; 0.2 is usual.
        #[config(default = "None")]
        #[range(Inside1)]
        damping: Option<f64>,
        /// Whether H is scaled before each update where it is too small along the last displacement: Al-Baali's
        /// tau = min(1, s.y / s.Bs), as in self-scaled Broyden.
        #[config(default = false)]
        self_scaling: bool,
        /// Adam's diagonal in the initial matrix, gamma D^-1 in the place of gamma I; `tolerance_grad` is then of its
        /// coordinates.
        #[config(default = "None")]
        metric: Option<AdamMetric>,
        /// The loss is the same function in every step, so that its gradient at the end of a step is not
        /// evaluated again by the next. Not for models with batch norm.
        #[config(default = false)]
        full_batch: bool,
        /// A gradient without a component above this ends a step.
        #[config(default = 0.0)]
        #[range(NotNegative)]
        tolerance_grad: f64,
        /// `Rules::Torch`: a change of loss or parameters below this ends a step.
        #[config(default = 1e-9)]
        #[range(Positive)]
        tolerance_change: f64,
        /// Whose rules a step follows.
        #[config(default = "Rules::Safe")]
        rules: Rules,
        /// Weight decay, of kind `L2`.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl LBfgsConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> LBfgs {
        LBfgs { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<LBfgs>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// L-BFGS; see the [module](self).
#[derive(Clone, Debug)]
pub struct LBfgs {
    config: LBfgsConfig,
}

/// The state of [`LBfgs`].
#[derive(Clone, Debug, Default)]
pub struct LBfgsState {
    matrix: InverseLBfgs,
    /// The gradient at the parameters, where the next step may rely on it; with PyTorch's rules,
    /// that before the last displacement.
    gradient: Blocks,
    /// PyTorch's rules: the parameters before the last displacement.
    theta: Blocks,
    /// The numbers that belong to `gradient`: f, the loss without decay, the norm of its gradient.
    value: Vec<f64>,
    iterations: u64,
    /// Of the parameters that `gradient` and `value` belong to, and of their decay.
    fingerprint: u64,
    /// In whose coordinates all vectors are.
    metric: Metric,
}

record_state!(LBfgsState {
    vectors: [gradient, theta, metric.squares, metric.coordinates.d],
    counters: [iterations, fingerprint, metric.steps],
    numbers: [value],
    matrices: [matrix]
});

impl Method for LBfgs {
    type State = LBfgsState;
    const NAME: &'static str = "l-bfgs";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)?;
        let LBfgsConfig { damping, full_batch, rules, self_scaling, metric, .. } = self.config;
        let conflict = |reason| Err(ConfigError::Conflict { method: Self::NAME, reason });
        if rules == Rules::Torch && (damping.is_some() || full_batch) {
            return conflict(
                "PyTorch's rules have no damping and know no full batch; leave them out",
            );
        }
        if rules == Rules::Torch && (self_scaling || metric.is_some()) {
            return conflict(
                "PyTorch's rules have neither self-scaling nor a metric; leave them out",
            );
        }
        if damping.is_some() && self_scaling {
            return conflict("damping and self-scaling both mend a pair; leave one of them out");
        }
        AdamMetric::validate(metric, Self::NAME)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn evaluates_again(&self) -> bool {
        true
    }

    fn searches(&self) -> bool {
        true
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let LBfgsConfig { rules, full_batch, metric, .. } = self.config;
        vec![
            ("rules", format!("{rules:?}")),
            ("full_batch", full_batch.to_string()),
            ("metric", metric.is_some().to_string()),
        ]
    }

    fn init(&self, _: &Layout) -> LBfgsState {
        LBfgsState { matrix: InverseLBfgs::new(self.config.history_size), ..LBfgsState::default() }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut LBfgsState,
    ) -> Result<StepReport, StepError> {
        let mut objective =
            Objective::new(context, oracle).in_coordinates(state.metric.coordinates.clone());
        let beginning = objective.begin(self.config.full_batch, state.kept())?;
        let Beginning { theta, known, mut report, .. } = match beginning {
            Ok(beginning) => beginning,
            Err(report) => return Ok(report),
        };
        // The matrix is a list of shared vectors: a copy costs next to nothing, and is dropped where
        // the step fails or is rejected.
        let mut run = Run {
            config: &self.config,
            lr: context.tensors.first().map_or(0.0, |tensor| tensor.lr),
            matrix: state.matrix.clone(),
            theta,
            known,
            pending: None,
            iterations: state.iterations,
            moved: false,
            stride: f64::NAN,
            s_b_s: f64::NAN,
            restarted: false,
            promise: None,
            otherwise: NO_DECREASE,
            pair: PairOutcome::NotTried,
            search: None,
        };
        if self.config.rules == Rules::Torch && !state.theta.is_empty() {
            // The state is needed again if the step fails.
            run.pending = Some((state.theta.clone(), state.gradient.clone()));
        }
        report.outcome = run.iterate(&mut objective)?;
        report.evals = objective.oracle.evals();
        report.pair = run.pair;
        report.line_search = run.search;
        if report.is_accepted() {
            report.loss_after = Some(run.known.loss);
            report.objective_after = Some(run.known.value);
        }
        // Where its search finds nothing, PyTorch's optimizer makes a step of length 0: what it has learnt
        // is part of the next one.
        let is_of_length_0 = self.config.rules == Rules::Torch
            && run.iterations > state.iterations
            && matches!(report.outcome, Outcome::Converged | NO_DECREASE);
        if report.outcome == Outcome::Accepted || is_of_length_0 {
            run.finish(&mut objective, state);
        }
        Ok(report)
    }
}

impl LBfgsState {
    fn kept(&self) -> Kept<'_> {
        let (gradient, numbers) = (&self.gradient, self.value.as_slice());
        Kept { gradient, numbers, fingerprint: self.fingerprint }
    }
}
