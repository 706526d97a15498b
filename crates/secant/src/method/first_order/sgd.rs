//! Stochastic gradient descent, with momentum in PyTorch's form or as a moving average.
//!
//! # Algorithm
//! Step t with gradient g (decay of kind `L2` already added: g + wd theta). Equations are those of Sutskever et al.;
//! their velocity is -lr b.
//! 1. *PyTorch form*: b = g in the first step, later b <- mu b + (1 - dampening) g (eq. (1)).
//!    *EMA form*: m <- mu m + (1 - mu) g, from m = 0 (Filippova et al., Section 2.1, momentum).
//! 2. u = g + mu b with Nesterov's momentum (eq. (3), at the point that looks ahead), else u = b; u = m.
//! 3. theta <- theta - lr u; decoupled decay shrinks theta by 1 - lr wd first
//!    (eq. (2) and (4); Filippova et al., eq. (1) with v_t = 1).
//!
//! The EMA form equals the PyTorch form without dampening at a rate lr (1 - mu).
//!
//! # Notation
//! b, m: the vector of [`SgdState`]; mu: `momentum` of [`Momentum`].
//!
//! # Cost
//! 0 vectors of memory and 2R + 1W without momentum, 1 vector and 3R + 2W with it; one gradient.
//!
//! # When not to use it
//! Where nobody has the time to tune the rate: SGD is the most sensitive method here.
//!
//! # Deviations
//! None: `torch.optim.SGD` is reproduced.
//!
//! # References
//! Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964; Sutskever,
//! Martens, Dahl, Hinton, *On the importance of initialization and momentum in deep learning*, 2013;
//! Filippova, Blinova, Parshikov, *Second-order optimization methods in deep neural networks training*,
//! 2022 (the EMA form; their code has PyTorch's).
//!
//! # Example
//! Nesterov's momentum, with gradients clipped to a length of 1:
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{Clipping, Momentum, SgdConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let x = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &device);
//! # let y = Tensor::<2>::from_floats([[9.0], [3.0], [1.0], [-5.0]], &device);
//! let mut optimizer = SgdConfig::new()
//!     .with_momentum(Momentum::nesterov(0.5))
//!     .init()?
//!     .with_clipping(Clipping::GlobalNorm(1.0))?;
//! let (mut losses, mut norms) = (Vec::new(), Vec::new());
//! for _ in 0..50 {
//!     let report = optimizer.step(0.1, &mut model, |model: &Linear| {
//!         (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
//!     })?;
//!     losses.extend(report.loss);
//!     norms.extend(report.gradient_norm);
//! }
//! // Reported before clipping.
//! assert!(norms[0] > 10.0);
//! assert!(losses[49] < 1e-2 * losses[0]);
//! # Ok(())
//! # }
//! ```

use secant_core::report::{PairOutcome, Rejection};

use crate::{
    blocks::{Blocks, Layout, Number, TensorKernel, for_each_tensor},
    burn_optim::burn_optimizer,
    error::{ConfigError, require_in},
    hyper_parameter::{Range, hyper_parameters},
    optimizer::Optimizer,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, Traffic, record_state,
        step_by_gradient,
    },
};

hyper_parameters! {
    /// Configuration of [`Sgd`].
    #[derive(Copy)]
    pub struct SgdConfig {
        /// Momentum; `Momentum::None` keeps no vector.
        #[config(default = "Momentum::None")]
        momentum: Momentum,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

/// The form of the momentum.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Momentum {
    /// theta <- theta - lr g.
    None,
    /// b <- mu b + (1 - dampening) g, b = g in the first step.
    Torch {
        /// mu, in [0, 1).
        momentum: f64,
        /// In [0, 1]; 0 in most uses.
        #[serde(default)]
        dampening: f64,
        /// Look ahead: step along g + mu b.
        #[serde(default)]
        nesterov: bool,
    },
    /// m <- mu m + (1 - mu) g.
    Ema {
        /// mu, in [0, 1).
        momentum: f64,
    },
}

impl Momentum {
    /// The usual momentum `mu`, without dampening and without Nesterov's look-ahead.
    pub fn torch(mu: f64) -> Self {
        Self::Torch { momentum: mu, dampening: 0.0, nesterov: false }
    }

    /// Nesterov's momentum `mu`.
    pub fn nesterov(mu: f64) -> Self {
        Self::Torch { momentum: mu, dampening: 0.0, nesterov: true }
    }
}

impl SgdConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> Sgd {
        Sgd { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<Sgd>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// Stochastic gradient descent; see the [module](self).
#[derive(Clone, Debug)]
pub struct Sgd {
    config: SgdConfig,
}

/// The state of [`Sgd`].
#[derive(Clone, Debug, Default)]
pub struct SgdState {
    /// The momentum b or m; empty without momentum.
    momentum: Blocks,
    /// Steps made.
    t: u64,
}

record_state!(SgdState { vectors: [momentum], counters: [t], numbers: [] });

burn_optimizer!(Sgd);

impl Method for Sgd {
    type State = SgdState;
    const NAME: &'static str = "sgd";

    fn traffic(&self) -> Option<Traffic> {
        Some(match self.config.momentum {
            Momentum::None => Traffic { reads: 2, writes: 1 },
            Momentum::Torch { .. } | Momentum::Ema { .. } => Traffic { reads: 3, writes: 2 },
        })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        match self.config.momentum {
            Momentum::None => Ok(()),
            Momentum::Ema { momentum } => {
                require_in(Self::NAME, "momentum", Range::Below1, momentum)
            }
            Momentum::Torch { momentum, dampening, nesterov } => {
                require_in(Self::NAME, "momentum", Range::Below1, momentum)?;
                require_in(Self::NAME, "dampening", Range::Unit, dampening)?;
                if nesterov && dampening != 0.0 {
                    let reason = "Nesterov's momentum needs dampening 0";
                    return Err(ConfigError::Conflict { method: Self::NAME, reason });
                }
                Ok(())
            }
        }
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn is_per_tensor(&self) -> bool {
        true
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let form = match self.config.momentum {
            Momentum::None => "None",
            Momentum::Torch { .. } => "Torch",
            Momentum::Ema { .. } => "Ema",
        };
        vec![("momentum", form.to_string())]
    }

    fn init(&self, layout: &Layout) -> SgdState {
        let momentum = match self.config.momentum {
            Momentum::None => Blocks::empty(),
            _ => Blocks::zeros(layout),
        };
        SgdState { momentum, t: 0 }
    }

    step_by_gradient!();
}

impl GradientMethod for Sgd {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut SgdState,
    ) -> Result<PairOutcome, Rejection> {
        let momentum = MomentumRule::new(self.config.momentum, state.t == 0);
        let kernel = |tensor: usize| SgdKernel::new(momentum, context.tensors[tensor]);
        if state.momentum.is_empty() {
            for_each_tensor(kernel, [theta], [gradient]);
        } else {
            for_each_tensor(kernel, [theta, &mut state.momentum], [gradient]);
        }
        state.t += 1;
        Ok(PairOutcome::NotTried)
    }
}

/// SGD's step, with the coefficients of one tensor.
#[derive(Clone, Copy)]
struct SgdKernel {
    lr: f64,
    l2: f64,
    shrink: f64,
    momentum: MomentumRule,
}

/// b <- `keep` b + `add` g, and a step along `ahead` g + `from_b` b.
#[derive(Clone, Copy)]
struct MomentumRule {
    keep: f64,
    add: f64,
    ahead: f64,
    from_b: f64,
}

impl MomentumRule {
    /// The first step of PyTorch's form takes g itself.
    fn new(momentum: Momentum, is_first: bool) -> Self {
        let (keep, add, ahead, from_b) = match momentum {
            Momentum::None => (0.0, 0.0, 1.0, 0.0),
            Momentum::Ema { momentum: mu } => (mu, 1.0 - mu, 0.0, 1.0),
            Momentum::Torch { momentum: mu, dampening, nesterov } => {
                let add = if is_first { 1.0 } else { 1.0 - dampening };
                if nesterov { (mu, add, 1.0, mu) } else { (mu, add, 0.0, 1.0) }
            }
        };
        Self { keep, add, ahead, from_b }
    }
}

impl SgdKernel {
    fn new(momentum: MomentumRule, TensorSettings { lr, decay }: TensorSettings) -> Self {
        Self { lr, l2: decay.l2(), shrink: 1.0 - lr * decay.decoupled(), momentum }
    }
}

/// Without momentum.
impl TensorKernel<1, 1, 0> for SgdKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta]: [N; 1], [g]: [N; 1]) -> [N; 1] {
        let g = g + N::of(self.l2) * theta;
        [N::of(self.shrink) * theta - N::of(self.lr) * g]
    }
}

/// With momentum.
impl TensorKernel<2, 1, 0> for SgdKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta, b]: [N; 2], [g]: [N; 1]) -> [N; 2] {
        let MomentumRule { keep, add, ahead, from_b } = self.momentum;
        let g = g + N::of(self.l2) * theta;
        // 1. The momentum.
        let b = N::of(keep) * b + N::of(add) * g;
        // 2. and 3. The direction and the step.
        let direction = N::of(ahead) * g + N::of(from_b) * b;
        [N::of(self.shrink) * theta - N::of(self.lr) * direction, b]
    }
}
