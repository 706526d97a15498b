//! RMSprop: plain, centred, with momentum.
//!
//! # Algorithm
//! Step with gradient g (decay of kind `L2` already added: g + wd theta). Equations are those of Graves; the lecture
//! has step 1 without centring and the division.
//! 1. v <- alpha v + (1 - alpha) g^2 (eq. (38)); centred: gbar <- alpha gbar + (1 - alpha) g (eq. (39)).
//! 2. a = sqrt(v) + eps; centred: a = sqrt(v - gbar^2) + eps (the root of eq. (40), where eps is inside).
//! 3. Without momentum theta <- theta - lr g / a; with it b <- mu b + g / a, theta <- theta - lr b
//!    (eq. (40) and (41), where b holds the rate).
//!
//! All averages start at zero and are not corrected for it.
//!
//! # Notation
//! v, gbar, b: the fields of [`RmsPropState`]; alpha, mu, eps: `alpha`, `momentum`, `epsilon` of [`RmsPropConfig`].
//!
//! # Cost
//! 1 vector of memory and 3R + 2W, one vector and 1R + 1W more for each of centring and momentum;
//! one gradient.
//!
//! # When not to use it
//! Adam is RMSprop with a corrected start and momentum in a better place; prefer it.
//!
//! # Deviations
//! `torch.optim.RMSprop` is reproduced, except that v - gbar^2 is cut at zero, where rounding can
//! make PyTorch take the root of a negative number.
//!
//! # References
//! Tieleman, Hinton, *Lecture 6.5*, Coursera 2012; Graves, *Generating sequences with recurrent
//! neural networks*, 2013, eq. (38)-(45).
//!
//! # Example
//! Centred and with momentum, in a loop that has its gradients already:
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, optim::GradientsParams, tensor::{Device, Tensor}};
//! use secant::RmsPropConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let x = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &device);
//! # let y = Tensor::<2>::from_floats([[9.0], [3.0], [1.0], [-5.0]], &device);
//! let mut optimizer = RmsPropConfig::new().with_centered(true).with_momentum(0.5).init()?;
//! let mut losses = Vec::new();
//! for _ in 0..60 {
//!     let loss = (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean();
//!     losses.push(loss.clone().into_scalar::<f32>());
//!     let gradients = GradientsParams::from_grads(loss.backward(), &model);
//!     let report = optimizer.step_with_gradients(0.02, &mut model, gradients)?;
//!     assert!(report.is_accepted());
//! }
//! assert!(losses[59] < 0.1 * losses[0]);
//! # Ok(())
//! # }
//! ```

use secant_core::report::{PairOutcome, Rejection};

use crate::{
    blocks::{Blocks, Layout, Number, TensorKernel, for_each_tensor},
    burn_optim::burn_optimizer,
    error::ConfigError,
    hyper_parameter::{HyperParameters, hyper_parameters},
    optimizer::Optimizer,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, Traffic, record_state,
        step_by_gradient,
    },
};

hyper_parameters! {
    /// Configuration of [`RmsProp`].
    #[derive(Copy)]
    pub struct RmsPropConfig {
        /// Decay rate of the averages.
        #[config(default = 0.99)]
        #[range(Below1)]
        alpha: f64,
        /// Added to the root.
        #[config(default = 1e-8)]
        #[range(Positive)]
        epsilon: f64,
        /// Momentum; 0 keeps no vector.
        #[config(default = 0.0)]
        #[range(Below1)]
        momentum: f64,
        /// Subtract the squared average of the gradient.
        #[config(default = false)]
        centered: bool,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl RmsPropConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> RmsProp {
        RmsProp { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<RmsProp>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// RMSprop; see the [module](self).
#[derive(Clone, Debug)]
pub struct RmsProp {
    config: RmsPropConfig,
}

/// The state of [`RmsProp`].
#[derive(Clone, Debug, Default)]
pub struct RmsPropState {
    v: Blocks,
    /// Empty unless centred.
    gbar: Blocks,
    /// Empty without momentum.
    b: Blocks,
}

record_state!(RmsPropState { vectors: [v, gbar, b], counters: [], numbers: [] });

burn_optimizer!(RmsProp);

impl Method for RmsProp {
    type State = RmsPropState;
    const NAME: &'static str = "rmsprop";

    fn traffic(&self) -> Option<Traffic> {
        let vectors = usize::from(self.config.centered) + usize::from(self.config.momentum > 0.0);
        Some(Traffic { reads: 3 + vectors, writes: 2 + vectors })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn is_per_tensor(&self) -> bool {
        true
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let RmsPropConfig { momentum, centered, .. } = self.config;
        let momentum = if momentum > 0.0 { "above 0" } else { "0" };
        vec![("centered", centered.to_string()), ("momentum", momentum.to_string())]
    }

    fn init(&self, layout: &Layout) -> RmsPropState {
        let zeros_if = |used: bool| if used { Blocks::zeros(layout) } else { Blocks::empty() };
        RmsPropState {
            v: Blocks::zeros(layout),
            gbar: zeros_if(self.config.centered),
            b: zeros_if(self.config.momentum > 0.0),
        }
    }

    step_by_gradient!();
}

impl GradientMethod for RmsProp {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut RmsPropState,
    ) -> Result<PairOutcome, Rejection> {
        let kernel = |tensor: usize| RmsPropKernel::new(self.config, context.tensors[tensor]);
        let RmsPropState { v, gbar, b } = state;
        let read = [&*gradient];
        match (gbar.is_empty(), b.is_empty()) {
            (true, true) => drop(for_each_tensor(kernel, [theta, v], read)),
            (true, false) => drop(for_each_tensor(kernel, [theta, v, b], read)),
            (false, true) => drop(for_each_tensor(kernel, [theta, v, gbar], read)),
            (false, false) => drop(for_each_tensor(kernel, [theta, v, gbar, b], read)),
        }
        Ok(PairOutcome::NotTried)
    }
}

/// RMSprop's step, with the coefficients of one tensor.
#[derive(Clone, Copy)]
struct RmsPropKernel {
    config: RmsPropConfig,
    lr: f64,
    l2: f64,
    shrink: f64,
}

impl RmsPropKernel {
    fn new(config: RmsPropConfig, TensorSettings { lr, decay }: TensorSettings) -> Self {
        Self { config, lr, l2: decay.l2(), shrink: 1.0 - lr * decay.decoupled() }
    }

    /// The new theta, v, gbar and b; those that are not kept go in as zero.
    #[inline(always)]
    fn step<N: Number>(self, [theta, v, gbar, b]: [N; 4], g: N, centered: bool) -> [N; 4] {
        let (alpha, new) = (N::of(self.config.alpha), N::of(1.0 - self.config.alpha));
        let g = g + N::of(self.l2) * theta;
        // 1. The averages.
        let v = alpha * v + new * (g * g);
        let gbar = alpha * gbar + new * g;
        // 2. The divisor.
        let square = if centered { (v - gbar * gbar).max(N::of(0.0)) } else { v };
        // 3. The step.
        let b = N::of(self.config.momentum) * b + g / (square.sqrt() + N::of(self.config.epsilon));
        [N::of(self.shrink) * theta - N::of(self.lr) * b, v, gbar, b]
    }
}

/// v alone is kept.
impl TensorKernel<2, 1, 0> for RmsPropKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta, v]: [N; 2], [g]: [N; 1]) -> [N; 2] {
        let zero = N::of(0.0);
        let [theta, v, ..] = self.step([theta, v, zero, zero], g, false);
        [theta, v]
    }
}

/// v is kept, and gbar or b.
impl TensorKernel<3, 1, 0> for RmsPropKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta, v, third]: [N; 3], [g]: [N; 1]) -> [N; 3] {
        let zero = N::of(0.0);
        if self.config.centered {
            let [theta, v, gbar, _] = self.step([theta, v, third, zero], g, true);
            [theta, v, gbar]
        } else {
            let [theta, v, _, b] = self.step([theta, v, zero, third], g, false);
            [theta, v, b]
        }
    }
}

/// All are kept.
impl TensorKernel<4, 1, 0> for RmsPropKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), vectors: [N; 4], [g]: [N; 1]) -> [N; 4] {
        self.step(vectors, g, true)
    }
}
