//! Quasi-Adam: Adam's step plus a quasi-Newton step from one curvature pair.
//!
//! # Idea
//! Keep the last displacement s and the change of gradient y over it. The inverse L-BFGS matrix of
//! that one pair, applied to the gradient, adds curvature along the last step to Adam's diagonal
//! scaling, for two vectors of memory and no evaluation.
//!
//! # Algorithm
//! Step t with gradient g (decay of kind `L2` already added: g + wd theta). In brackets: the paper's equations, and
//! the three lines of its Algorithm 1.
//! 1. m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2;
//!    mhat = m / (1 - beta1^t); vhat = v / (1 - beta2^t) (eq. (3), (4), as Section V restates them).
//! 2. p = mhat / (sqrt(vhat) + eps) (eq. (5), Algorithm 1, line 1, without its sign).
//! 3. If t >= 2: y = g - g_prev (after eq. (6)); s.s, s.y, y.y, s.g, y.g; accepted when y.y > 0 and
//!    s.y >= eps_c |s| |y| (after eq. (9); Section V, after Theorem 1: s.y >= eps_c).
//! 4. Accepted: gamma = s.y / y.y, rho = 1 / s.y,
//!    q = gamma g + rho [(2 s.g - gamma y.g) s - gamma s.g y] (eq. (8) times g; eq. (9), Algorithm 1, line 2, without
//!    its sign). Otherwise q = 0: Adam's step.
//! 5. theta <- theta - lr p - rate_q q; decoupled decay shrinks theta by 1 - lr wd first (eq. (10); Algorithm 1,
//!    line 3).
//! 6. s <- theta_new - theta_old, after rounding; g_prev <- g (after eq. (6)).
//!
//! # Notation
//! m, v, s: the fields of [`QuasiAdamState`]; g_prev: its `memory`; gamma, the coefficients of s and y:
//! [`Combination`](secant_core::memory_one::Combination); beta1, beta2, eps: `beta_1`, `beta_2`, `epsilon`; eps_c:
//! [`QuasiAdamConfig::with_curvature_test`]; rate_q: [`QuasiAdamConfig::with_curvature_rate`], lr in the paper, whose
//! alpha_t is lr.
//!
//! # Cost
//! 4 vectors of memory; two passes, 9R + 4W: the first reads g, g_prev and s, the second reads
//! them, theta, m and v and writes theta, m, v and s; g_prev takes the gradient's buffer. A cap on
//! |q| reads m and v in the first pass as well. One gradient;
//! [`init_same_batch`](QuasiAdamConfig::init_same_batch) takes two.
//!
//! # When not to use it
//! Small batches: y of consecutive batches is then mostly noise, and the test rejects half of the
//! pairs. As printed (the preset [`QuasiAdamConfig::paper`]) the added term is 0.0005 to 0.005 of
//! Adam's step at usual rates, and the method is Adam for practical purposes.
//!
//! # Deviations
//! - The sign in Algorithm 1, line 3, which steps against the minus signs of (5) and (9), and the recursion of (3),
//!   (4), which would divide by 1 - beta^t in every step, are read as (10): standard Adam minus both steps. g^2 is
//!   element by element, and not the squared norm of the paper's *Notation*.
//! - (8) is right as printed; its corner rho + gamma rho^2 y.y is 2 rho, because gamma y.y = s.y.
//! - eps stands outside the root, as in the authors' code;
//!   [`with_epsilon_inside`](QuasiAdamConfig::with_epsilon_inside) puts it inside as printed.
//! - The curvature test is relative; the paper's absolute one is an option.
//! - The default rate of the quasi-Newton term is its own, with a cap on its length, because the
//!   printed one does next to nothing; [`QuasiAdamConfig::paper`] is as printed.
//! - The authors' 2024 code is another method: see [`replace_ema`].
//!
//! # References
//! Ranganath, Marcia et al., *Quasi-Adam*, 2024, eq. (3)-(10), Algorithm 1.
//!
//! # Example
//! Consecutive gradients of one convex loss: every pair but the first step's, which has none, is accepted.
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{PairOutcome, QuasiAdamConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let x = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &device);
//! # let y = Tensor::<2>::from_floats([[9.0], [3.0], [1.0], [-5.0]], &device);
//! let mut optimizer = QuasiAdamConfig::new().init()?;
//! let mut losses = Vec::new();
//! for step in 0..20 {
//!     let report = optimizer.step(0.1, &mut model, |model: &Linear| {
//!         (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
//!     })?;
//!     match report.pair {
//!         PairOutcome::NotTried => assert_eq!(step, 0),
//!         // The Hessian is 2 I, so y = 2 s.
//!         PairOutcome::Stored { cosine } => assert!((cosine - 1.0).abs() < 1e-4),
//!         other => return Err(format!("{other:?}").into()),
//!     }
//!     losses.extend(report.loss);
//! }
//! assert!(losses[19] < 0.1 * losses[0]);
//! # Ok(())
//! # }
//! ```

mod kernels;
mod pair;
pub mod replace_ema;
pub mod same_batch;

use secant_core::{
    curvature::CurvatureTest,
    report::{PairOutcome, Rejection},
};

use crate::{
    blocks::{Blocks, Layout, Number, for_each_tensor},
    burn_optim::burn_optimizer,
    error::{ConfigError, require_in},
    hyper_parameter::{HyperParameters, Range, hyper_parameters},
    optimizer::Optimizer,
    protocol::{
        Decay, GradientMethod, Method, StepContext, Traffic, add_l2, record_state, step_by_gradient,
    },
};

use kernels::{AdamRates, Plan, StepKernel};
use same_batch::QuasiAdamSameBatch;

hyper_parameters! {
    /// Configuration of [`QuasiAdam`].
    #[derive(Copy)]
    pub struct QuasiAdamConfig {
        /// Decay rate of the gradient's average.
        #[config(default = 0.9)]
        #[range(Below1)]
        beta_1: f64,
        /// Decay rate of the squared gradient's average.
        #[config(default = 0.999)]
        #[range(Below1)]
        beta_2: f64,
        /// Added to the root, or inside it; above 0.
        #[config(default = 1e-8)]
        #[range(Positive)]
        epsilon: f64,
        /// Add eps to v, inside the root, as the paper prints it.
        #[config(default = false)]
        epsilon_inside: bool,
        /// One pair for all parameters, or one for each tensor.
        #[config(default = "Scope::Global")]
        scope: Scope,
        /// Which pairs are accepted; relative with 1e-8 (`f64`) or 1e-6 (`f32`) if not given.
        #[config(default = "None")]
        curvature_test: Option<CurvatureTest>,
        /// What takes the place of q when the pair is rejected.
        #[config(default = "OnRejection::Adam")]
        on_rejection: OnRejection,
        /// Pairs whose inverse matrix has a 2-norm above this are rejected.
        #[config(default = "None")]
        #[range(Positive)]
        inverse_bound: Option<f64>,
        /// The rate of the quasi-Newton term, a quasi-Newton method's full step unless told; `None`: the
        /// learning rate.
        #[config(default = "Some(1.0)")]
        #[range(NotNegative)]
        curvature_rate: Option<f64>,
        /// Cap on the length of the quasi-Newton term, in lengths of Adam's; `None`: no cap.
        #[config(default = "Some(1.0)")]
        #[range(Positive)]
        max_ratio: Option<f64>,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

/// What belongs to one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Scope {
    /// All parameters are one vector.
    Global,
    /// Every tensor is its own vector.
    PerTensor,
}

/// What takes the place of q when a pair is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OnRejection {
    /// Nothing: Adam's step.
    Adam,
    /// H of the last accepted pair. Keeps that pair: two more vectors.
    KeepPair,
    /// gamma g with the gamma of the last accepted pair.
    ScaledGradient,
}

impl QuasiAdamConfig {
    /// As the paper prints it: the quasi-Newton term has the learning rate, and no cap.
    pub fn paper() -> Self {
        Self { curvature_rate: None, max_ratio: None, ..Self::new() }
    }

    /// The method without an optimizer around it; y is taken from consecutive batches.
    pub fn build(&self) -> QuasiAdam {
        QuasiAdam { config: *self }
    }

    /// The optimizer; y is taken from consecutive batches, as in the authors' codes.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<QuasiAdam>, ConfigError> {
        Optimizer::new(self.build())
    }

    /// The optimizer whose y is the change of the gradient *of one batch*: a second gradient in
    /// every step.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init_same_batch(&self) -> Result<Optimizer<QuasiAdamSameBatch>, ConfigError> {
        Optimizer::new(QuasiAdamSameBatch::new(self.build()))
    }
}

/// Quasi-Adam with pairs from consecutive batches; see the [module](self).
#[derive(Clone, Debug)]
pub struct QuasiAdam {
    config: QuasiAdamConfig,
}

/// The state of [`QuasiAdam`] and [`QuasiAdamSameBatch`].
#[derive(Clone, Debug, Default)]
pub struct QuasiAdamState {
    m: Blocks,
    v: Blocks,
    /// The last displacement; empty before the first step.
    s: Blocks,
    /// The last gradient, or the pair's y itself with pairs from one batch.
    memory: Blocks,
    /// The last accepted pair, kept for [`OnRejection::KeepPair`] alone.
    kept_s: Blocks,
    kept_y: Blocks,
    t: u64,
    /// gamma of the last accepted pair, one for each scope; 0 before.
    gamma: Vec<f64>,
}

record_state!(QuasiAdamState {
    vectors: [m, v, s, memory, kept_s, kept_y],
    counters: [t],
    numbers: [gamma]
});

burn_optimizer!(QuasiAdam);

/// Where the pair's y comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// The memory is the last gradient: y = g - memory.
    LastGradient,
    /// The memory is y.
    Y,
}

impl Memory {
    /// y = c g + d memory.
    fn coefficients(self) -> (f64, f64) {
        match self {
            Self::LastGradient => (1.0, -1.0),
            Self::Y => (0.0, 1.0),
        }
    }

    /// y
    #[inline(always)]
    fn y<N: Number>(self, g: N, memory: N) -> N {
        let (c, d) = self.coefficients();
        N::of(c) * g + N::of(d) * memory
    }
}

impl Method for QuasiAdam {
    type State = QuasiAdamState;
    const NAME: &'static str = "quasi-adam";

    fn traffic(&self) -> Option<Traffic> {
        // A cap reads m and v in the first pass too.
        let reads = if self.config.max_ratio.is_some() { 11 } else { 9 };
        let is_counted = self.config.on_rejection != OnRejection::KeepPair;
        is_counted.then_some(Traffic { reads, writes: 4 })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)?;
        match self.config.curvature_test {
            None => Ok(()),
            Some(CurvatureTest::Relative(c)) => {
                require_in(Self::NAME, "the relative curvature test", Range::Unit, c)
            }
            Some(CurvatureTest::Absolute(c)) => {
                require_in(Self::NAME, "the absolute curvature test", Range::NotNegative, c)
            }
        }
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn is_per_tensor(&self) -> bool {
        self.config.scope == Scope::PerTensor
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let QuasiAdamConfig { scope, on_rejection, .. } = self.config;
        let keeps = on_rejection == OnRejection::KeepPair;
        let on_rejection = if keeps { "KeepPair" } else { "another than KeepPair" };
        vec![("scope", format!("{scope:?}")), ("on_rejection", on_rejection.to_string())]
    }

    fn init(&self, layout: &Layout) -> QuasiAdamState {
        let scopes = match self.config.scope {
            Scope::Global => 1,
            Scope::PerTensor => layout.entries().len(),
        };
        QuasiAdamState {
            m: Blocks::zeros(layout),
            v: Blocks::zeros(layout),
            gamma: vec![0.0; scopes],
            ..QuasiAdamState::default()
        }
    }

    step_by_gradient!();
}

impl GradientMethod for QuasiAdam {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut QuasiAdamState,
    ) -> Result<PairOutcome, Rejection> {
        self.advance(context, theta, gradient, state, Memory::LastGradient)
    }
}

impl QuasiAdam {
    /// One step; the gradient's buffer becomes the memory.
    fn advance(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut QuasiAdamState,
        memory: Memory,
    ) -> Result<PairOutcome, Rejection> {
        add_l2(context, theta, gradient);
        let rates = AdamRates::new(&self.config, state.t + 1);
        // 3. and 4. The pair and its coefficients.
        let (plans, outcome) = if state.s.is_empty() {
            state.s = Blocks::zeros(context.layout);
            (vec![Plan::default(); context.tensors.len()], PairOutcome::NotTried)
        } else {
            self.plan(context, gradient, state, rates, memory)
        };
        // 1., 2., 5. and 6. The step.
        let QuasiAdamState { m, v, s, memory: stored, kept_s, kept_y, .. } = &mut *state;
        let kept = self.config.on_rejection == OnRejection::KeepPair && !kept_s.is_empty();
        let memory = if kept { Memory::Y } else { memory };
        let kernel =
            |tensor: usize| StepKernel::new(rates, context.tensors[tensor], plans[tensor], memory);
        if kept {
            for_each_tensor(kernel, [theta, m, v, s], [gradient, kept_y, kept_s]);
        } else {
            let memory = if stored.is_empty() { &*gradient } else { &*stored };
            for_each_tensor(kernel, [theta, m, v, s], [gradient, memory]);
        }
        std::mem::swap(&mut state.memory, gradient);
        state.t += 1;
        Ok(outcome)
    }
}
