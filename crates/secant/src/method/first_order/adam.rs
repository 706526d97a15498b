//! Adam and AdamW.
//!
//! # Idea
//! Divide a moving average of the gradient by the root of a moving average of its square, both
//! corrected for their start at zero: each coordinate moves by about the learning rate.
//!
//! # Algorithm
//! Step t with gradient g (decay of kind `L2` already added: g + wd theta):
//! 1. m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2.
//! 2. theta <- theta - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
//!    (decoupled decay, as in AdamW, shrinks theta by 1 - lr wd first).
//!
//! # Notation
//! m, v: the fields of [`AdamState`]; t: its step counter.
//!
//! # Cost
//! 2 vectors of memory, 4R + 3W, one gradient.
//!
//! # When not to use it
//! Convolutional image classifiers trained for long, where SGD with momentum still generalises a
//! little better; convex problems, where quasi-Newton methods are faster by orders of magnitude.
//!
//! # Deviations
//! None: `torch.optim.Adam` and `torch.optim.AdamW` are reproduced. AMSGrad is not offered.
//!
//! # References
//! Kingma, Ba, *Adam*, ICLR 2015, Algorithm 1; Loshchilov, Hutter, *Decoupled weight decay
//! regularization*, ICLR 2019, Algorithm 2.

use burn::config::Config;
use secant_core::{
    moving_average::bias_correction,
    report::{PairOutcome, Rejection},
};

use crate::{
    blocks::{Blocks, Layout},
    error::{ConfigError, require_beta, require_positive},
    kernels::{Real, TensorKernel, View, for_each_tensor},
    optimizer::Optimizer,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, record_state, step_by_gradient,
    },
};

/// Configuration of [`Adam`].
#[derive(Config, Debug, Copy)]
pub struct AdamConfig {
    /// Decay rate of the gradient's average, in [0, 1).
    #[config(default = 0.9)]
    beta_1: f64,
    /// Decay rate of the squared gradient's average, in [0, 1).
    #[config(default = 0.999)]
    beta_2: f64,
    /// Added to the root, above 0.
    #[config(default = 1e-8)]
    epsilon: f64,
    /// Weight decay.
    #[config(default = "Decay::None")]
    decay: Decay,
}

impl AdamConfig {
    /// AdamW: decoupled decay of strength 0.01, PyTorch's default.
    pub fn adamw() -> Self {
        Self::new().with_decay(Decay::Decoupled(1e-2))
    }

    /// The method without an optimizer around it.
    pub fn build(&self) -> Adam {
        Adam { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<Adam>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// Adam; see the [module](self).
#[derive(Clone, Debug)]
pub struct Adam {
    config: AdamConfig,
}

/// The state of [`Adam`].
#[derive(Clone, Debug, Default)]
pub struct AdamState {
    m: Blocks,
    v: Blocks,
    t: u64,
}

record_state!(AdamState { vectors: [m, v], counters: [t], numbers: [] });

impl Method for Adam {
    type State = AdamState;
    const NAME: &'static str = "adam";

    fn validate(&self) -> Result<(), ConfigError> {
        require_beta(Self::NAME, "beta_1", self.config.beta_1)?;
        require_beta(Self::NAME, "beta_2", self.config.beta_2)?;
        require_positive(Self::NAME, "epsilon", self.config.epsilon)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn init(&self, layout: &Layout) -> AdamState {
        AdamState { m: Blocks::zeros(layout), v: Blocks::zeros(layout), t: 0 }
    }

    step_by_gradient!();
}

impl GradientMethod for Adam {
    fn is_per_tensor(&self) -> bool {
        true
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut AdamState,
    ) -> Result<PairOutcome, Rejection> {
        let t = state.t + 1;
        let pass = AdamPass::new(self.config, context.tensors, t);
        for_each_tensor(&pass, [theta, &mut state.m, &mut state.v], [gradient]);
        state.t = t;
        Ok(PairOutcome::NotTried)
    }
}

/// Step t of Adam for theta, m and v.
pub(crate) struct AdamPass<'a> {
    tensors: &'a [TensorSettings],
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    correction1: f64,
    correction2: f64,
}

impl<'a> AdamPass<'a> {
    pub fn new(config: AdamConfig, tensors: &'a [TensorSettings], t: u64) -> Self {
        let AdamConfig { beta_1, beta_2, epsilon, .. } = config;
        let (correction1, correction2) = (bias_correction(beta_1, t), bias_correction(beta_2, t));
        Self { tensors, beta_1, beta_2, epsilon, correction1, correction2 }
    }
}

impl TensorKernel<3, 1> for AdamPass<'_> {
    type Output = ();

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 3, 1>) {
        let TensorSettings { lr, decay } = self.tensors[index];
        let (l2, shrink) = (T::of(decay.l2()), T::of(1.0 - lr * decay.decoupled()));
        let (beta_1, new1) = (T::of(self.beta_1), T::of(1.0 - self.beta_1));
        let (beta_2, new2) = (T::of(self.beta_2), T::of(1.0 - self.beta_2));
        let (epsilon, rate) = (T::of(self.epsilon), T::of(lr / self.correction1));
        let root2 = T::of(1.0 / self.correction2.sqrt());
        view.apply(
            #[inline(always)]
            move |[theta, m, v], [g]| {
                let g = g + l2 * theta;
                // 1. The moving averages.
                let m = beta_1 * m + new1 * g;
                let v = beta_2 * v + new2 * (g * g);
                // 2. The step.
                let theta = shrink * theta - rate * (m / (v.sqrt() * root2 + epsilon));
                [theta, m, v]
            },
        );
    }
}
