//! Apollo: a diagonal quasi-Newton method, parameter by parameter.
//!
//! # Idea
//! Keep a diagonal B that satisfies the *weak* secant equation d' B d = d' y for each tensor, and
//! divide the averaged gradient by its absolute value, bounded from below. B may be negative: only
//! its absolute value is used, so directions of negative curvature are left, not entered.
//!
//! # Algorithm
//! Step t (from 1) with gradient g, for each tensor; *code* is the authors'.
//! 1. lr_t = init_lr + (lr - init_lr)(t - 1) / warmup while t - 1 < warmup, then lr (Section 3.4; code).
//! 2. `L2`: g <- g + wd theta (code).
//! 3. alpha = (1 - beta) / (1 - beta^t); delta_g = g - m; m <- m + alpha delta_g; y = alpha delta_g
//!    (eq. (9), rearranged; y is the change of m).
//! 4. q = |d|_4 + eps' with eps' = eps / sigma (constant) or eps (belief); u = d / q
//!    (the denominator of eq. (8); eps: code).
//! 5. B <- B - [u'y / q + u'(B u)] u*u (eq. (8), with the old d, arranged so that d^4 does not underflow).
//! 6. D = max(|B|, sigma) (constant; eq. (10)), or max(|B|, |delta_g|_inf) + eps / alpha (belief; code).
//! 7. d <- m / D (after eq. (10)); `Decoupled`: d <- d + wd theta; `Stable`: d <- d + wd / mean(D) theta (code).
//! 8. theta <- theta - lr_t d (eq. (4), with m and D in the place of g and B).
//!
//! # Notation
//! m, B, d: the fields of [`ApolloState`]; t: its step counter. beta, eps: `beta` and `epsilon` of [`ApolloConfig`];
//! sigma, belief: [`Rebound`]; |.|_4: the 4-norm. The paper's eta_t is lr_t.
//!
//! # Cost
//! 3 vectors of memory; two passes, 9R + 4W (the first reads g, m, d, B; the second reads them and
//! theta and writes m, B, d, theta). One more reads g and m for belief, and one reads B and d for the `Stable`
//! decay; with `L2` decay theta is read with g. One gradient.
//!
//! # When not to use it
//! With Adam's learning rates: Apollo's are 10 times larger, and the first step is lr_1 g / sigma,
//! so the warm-up (at least 100 updates) is part of the method. Tensors with |d|_4 far below
//! eps' barely update B: there Apollo is momentum SGD with rate lr / sigma.
//!
//! # Deviations
//! Decay that enters d in step 7 stays there and is part of the next step 5, though its gradient is not in y: so the
//! code has it. Where a coefficient of step 5 is not finite, B is kept and the pair is counted as skipped.
//! Otherwise the official code is reproduced in all six combinations of rebound and decay; eps' is
//! computed once (one port divides eps again for every tensor and so loses B).
//!
//! # References
//! Ma, *Apollo: an adaptive parameter-wise diagonal quasi-Newton method for nonconvex stochastic
//! optimization*, 2020, arXiv 2009.13586, eq. (6)-(10), Theorem 1.
//!
//! # Example
//! The warm-up is part of the method: at first B = 0, so that a step is the gradient times lr_t / sigma.
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::ApolloConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let x = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &device);
//! # let y = Tensor::<2>::from_floats([[9.0], [3.0], [1.0], [-5.0]], &device);
//! let mut optimizer = ApolloConfig::new().with_warmup(100).with_init_lr(Some(1e-5)).init()?;
//! let mut losses = Vec::new();
//! for step in 0..200 {
//!     let report = optimizer.step(1e-2, &mut model, |model: &Linear| {
//!         (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
//!     })?;
//!     losses.extend(report.loss);
//!     if step == 0 {
//!         // The bias' gradient is -4: twice the mean of -y. sigma is 0.01.
//!         let bias: f32 = model.bias.as_ref().ok_or("no bias")?.val().into_scalar();
//!         assert!((bias - 1e-5 / 0.01 * 4.0).abs() < 1e-7);
//!     }
//! }
//! assert!(losses[199] < 1e-3 * losses[0]);
//! # Ok(())
//! # }
//! ```

use burn::tensor::DType;
use secant_core::{
    moving_average::bias_correction,
    report::{PairOutcome, Rejection},
};

use crate::{
    blocks::{
        Blocks, Entry, Layout, Number, One, Passes, Reduction, TensorKernel, pass_over_each_tensor,
    },
    burn_optim::burn_optimizer,
    error::{ConfigError, require_in},
    hyper_parameter::{HyperParameters, Range, hyper_parameters},
    optimizer::Optimizer,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, Traffic, record_state,
        step_by_gradient,
    },
};

hyper_parameters! {
    /// Configuration of [`Apollo`].
    #[derive(Copy)]
    pub struct ApolloConfig {
        /// Decay rate of the gradient's average.
        #[config(default = 0.9)]
        #[range(Below1)]
        beta: f64,
        /// Keeps the division by |d|_4 safe.
        #[config(default = 1e-4)]
        #[range(NotNegative)]
        epsilon: f64,
        /// How |B| is bounded from below.
        #[config(default = "Rebound::Constant { sigma: 0.01 }")]
        rebound: Rebound,
        /// Updates of linear warm-up.
        #[config(default = 500)]
        warmup: u64,
        /// The rate of the first update; a thousandth of the rate if not given.
        #[config(default = "None")]
        #[range(NotNegative)]
        init_lr: Option<f64>,
        /// Weight decay. The papers' default is `L2` with a constant rebound and `Decoupled` with
        /// belief.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

/// How |B| is bounded from below.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rebound {
    /// max(|B|, sigma).
    Constant {
        /// The bound, above 0; it only matters relative to the rate (Theorem 1).
        sigma: f64,
    },
    /// max(|B|, |delta_g|_inf) + eps / alpha.
    Belief,
}

impl ApolloConfig {
    /// ApolloW: decoupled decay with the constant rebound, at the strength of the paper's CIFAR-10
    /// runs.
    pub fn apollow() -> Self {
        Self::new().with_decay(Decay::Decoupled(2.5e-2))
    }

    /// The method without an optimizer around it.
    pub fn build(&self) -> Apollo {
        Apollo { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<Apollo>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// Apollo; see the [module](self).
#[derive(Clone, Debug)]
pub struct Apollo {
    config: ApolloConfig,
}

/// The state of [`Apollo`].
#[derive(Clone, Debug, Default)]
pub struct ApolloState {
    /// The bias-corrected average of gradients.
    m: Blocks,
    /// The diagonal of the Hessian estimate, unbounded.
    b: Blocks,
    /// The last direction, decay included.
    d: Blocks,
    t: u64,
}

record_state!(ApolloState { vectors: [m, b, d], counters: [t], numbers: [] });

burn_optimizer!(Apollo);

impl Method for Apollo {
    type State = ApolloState;
    const NAME: &'static str = "apollo";

    fn traffic(&self) -> Option<Traffic> {
        Some(Traffic { reads: 9, writes: 4 })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)?;
        match self.config.rebound {
            Rebound::Constant { sigma } => require_in(Self::NAME, "sigma", Range::Positive, sigma),
            // Without epsilon the bound of belief can be 0.
            Rebound::Belief => {
                require_in(Self::NAME, "epsilon", Range::Positive, self.config.epsilon)
            }
        }
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn is_per_tensor(&self) -> bool {
        true
    }

    fn init(&self, layout: &Layout) -> ApolloState {
        let zeros = || Blocks::zeros(layout);
        ApolloState { m: zeros(), b: zeros(), d: zeros(), t: 0 }
    }

    step_by_gradient!();
}

impl GradientMethod for Apollo {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut ApolloState,
    ) -> Result<PairOutcome, Rejection> {
        let t = state.t + 1;
        let passes = |tensor: usize| {
            let c = Coefficients::new(self, context, tensor, t);
            One(Surprise(c))
                .then(move |surprise| One(Products { c, surprise }))
                .then(move |update| One(Move { c, update }))
        };
        let ApolloState { m, b, d, .. } = state;
        let updates = pass_over_each_tensor(passes, [theta, m, b, d], [gradient]);
        state.t = t;
        if t == 1 {
            return Ok(PairOutcome::NotTried);
        }
        let stored = updates.iter().filter(|step| step.changes).count();
        Ok(PairOutcome::PerTensor { stored, skipped: updates.len() - stored })
    }
}

impl Apollo {
    /// Step 1: the rate of step t.
    fn warm_rate(&self, lr: f64, t: u64) -> f64 {
        let ApolloConfig { warmup, init_lr, .. } = self.config;
        if t > warmup {
            return lr;
        }
        let first = init_lr.unwrap_or(lr / 1000.0);
        first + (lr - first) * (t - 1) as f64 / warmup as f64
    }

    /// eps' of step 4.
    fn scaled_eps(&self) -> f64 {
        match self.config.rebound {
            Rebound::Constant { sigma } => self.config.epsilon / sigma,
            Rebound::Belief => self.config.epsilon,
        }
    }
}

/// The coefficients of one tensor.
#[derive(Clone, Copy)]
struct Coefficients {
    /// Numbers in the tensor.
    count: f64,
    /// The largest number of its type.
    largest: f64,
    rebound: Rebound,
    decay: Decay,
    l2: f64,
    /// lr_t of step 1.
    lr: f64,
    alpha: f64,
    epsilon: f64,
    /// eps' of step 4.
    scaled_epsilon: f64,
}

impl Coefficients {
    fn new(method: &Apollo, context: &StepContext<'_>, tensor: usize, t: u64) -> Self {
        let ApolloConfig { beta, epsilon, rebound, .. } = method.config;
        let TensorSettings { lr, decay } = context.tensors[tensor];
        let Entry { shape, dtype, .. } = &context.layout.entries()[tensor];
        Self {
            count: shape.num_elements() as f64,
            largest: if *dtype == DType::F64 { f64::MAX } else { f64::from(f32::MAX) },
            rebound,
            decay,
            l2: decay.l2(),
            lr: method.warm_rate(lr, t),
            alpha: (1.0 - beta) / bias_correction(beta, t),
            epsilon,
            scaled_epsilon: method.scaled_eps(),
        }
    }

    /// Steps 2 and 3: delta_g = g + wd theta - m.
    #[inline(always)]
    fn delta<N: Number>(self, theta: N, m: N, g: N) -> N {
        g + N::of(self.l2) * theta - m
    }
}

/// |delta_g|_inf, for the belief of step 6.
#[derive(Clone, Copy)]
struct Surprise(Coefficients);

impl TensorKernel<4, 1, 1> for Surprise {
    type Decision = f64;

    const REDUCTION: Reduction = Reduction::Maximum;

    fn is_summed(self) -> bool {
        self.0.rebound == Rebound::Belief
    }

    #[inline(always)]
    fn terms<N: Number>(self, [theta, m, _, _]: [N; 4], [g]: [N; 1]) -> [N::Wide; 1] {
        [self.0.delta(theta.wide(), m.wide(), g.wide()).abs()]
    }

    fn decide(self, [largest]: [f64; 1]) -> f64 {
        largest
    }

    fn is_applied(self, _: f64) -> bool {
        false
    }
}

/// The change of B, from |d|_4^4, d'delta_g and d'(B d).
#[derive(Clone, Copy)]
struct Products {
    c: Coefficients,
    surprise: f64,
}

/// Steps 4 to 6 of one tensor.
#[derive(Clone, Copy)]
struct Update {
    /// Whether B changes.
    changes: bool,
    /// The factor of u*u in step 5.
    factor: f64,
    /// 1 / q in step 4.
    inverse_q: f64,
    /// D = max(|B|, floor) + extra.
    floor: f64,
    extra: f64,
}

impl Update {
    /// The new B, and D.
    #[inline(always)]
    fn diagonal<N: Number>(self, b: N, d: N) -> (N, N) {
        let u = d * N::of(self.inverse_q);
        let b = b + N::of(self.factor) * (u * u);
        (b, b.abs().max(N::of(self.floor)) + N::of(self.extra))
    }
}

impl TensorKernel<4, 1, 3> for Products {
    type Decision = Update;

    #[inline(always)]
    fn terms<N: Number>(self, [theta, m, b, d]: [N; 4], [g]: [N; 1]) -> [N::Wide; 3] {
        let (b, d) = (b.wide(), d.wide());
        let delta = self.c.delta(theta.wide(), m.wide(), g.wide());
        let square = d * d;
        [square * square, d * delta, b * square]
    }

    fn decide(self, [fourth, d_delta, d_b_d]: [f64; 3]) -> Update {
        let Self { c, surprise } = self;
        // 4. and 5. The change of B.
        let q = fourth.sqrt().sqrt() + c.scaled_epsilon;
        let curvature = c.alpha * d_delta / q / q + d_b_d / q / q;
        // d = 0 in the first step; 0 / 0 only if eps = 0 as well.
        let changes = fourth > 0.0 && curvature.is_finite() && 1.0 / q <= c.largest;
        let (factor, inverse_q) = if changes { (-curvature, 1.0 / q) } else { (0.0, 0.0) };
        // 6. The bound.
        let (floor, extra) = match c.rebound {
            Rebound::Constant { sigma } => (sigma, 0.0),
            Rebound::Belief => (surprise, c.epsilon / c.alpha),
        };
        Update { changes, factor, inverse_q, floor, extra }
    }

    fn is_applied(self, _: Update) -> bool {
        false
    }
}

/// Steps 3 and 5 to 8.
#[derive(Clone, Copy)]
struct Move {
    c: Coefficients,
    update: Update,
}

/// What became of a tensor.
#[derive(Clone, Copy)]
struct Step {
    /// Whether B changed.
    changes: bool,
    /// The factor of theta in step 7.
    pull: f64,
}

impl TensorKernel<4, 1, 1> for Move {
    type Decision = Step;

    fn is_summed(self) -> bool {
        matches!(self.c.decay, Decay::Stable(_))
    }

    /// D, for its mean.
    #[inline(always)]
    fn terms<N: Number>(self, [_, _, b, d]: [N; 4], _: [N; 1]) -> [N::Wide; 1] {
        let (_, bound) = self.update.diagonal(b.wide(), d.wide());
        [bound]
    }

    fn decide(self, [sum]: [f64; 1]) -> Step {
        // 7. The decay in d.
        let pull = match self.c.decay {
            Decay::Decoupled(strength) => strength,
            Decay::Stable(strength) => strength / (sum / self.c.count),
            Decay::None | Decay::L2(_) => 0.0,
        };
        Step { changes: self.update.changes, pull }
    }

    #[inline(always)]
    fn apply<N: Number>(self, step: Step, [theta, m, b, d]: [N; 4], [g]: [N; 1]) -> [N; 4] {
        let Self { c, update } = self;
        // 3. The average.
        let g = g + N::of(c.l2) * theta;
        let m = m + N::of(c.alpha) * (g - m);
        // 5. and 6. The diagonal and its bound.
        let (b, bound) = update.diagonal(b, d);
        // 7. and 8. The direction and the step.
        let d = m / bound + N::of(step.pull) * theta;
        [theta - N::of(c.lr) * d, m, b, d]
    }
}
