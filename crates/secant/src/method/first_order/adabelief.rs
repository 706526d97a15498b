//! AdaBelief: Adam that divides by how far the gradient is from its prediction.
//!
//! # Algorithm
//! Step t with gradient g (decay of kind `L2` already added: g + wd theta). In brackets: what the step is in
//! Zhuang et al.'s Algorithm 2.
//! 1. m <- beta1 m + (1 - beta1) g; e = g - m (m_t).
//! 2. s <- beta2 s + (1 - beta2) e^2 + eps, in the stored state (s_t).
//! 3. theta <- theta - lr / (1 - beta1^t) m / (sqrt(s) / sqrt(1 - beta2^t) + eps); decoupled decay shrinks
//!    theta by 1 - lr wd first (bias correction and update, without the projection).
//!
//! # Notation
//! m, s: the fields of [`AdaBeliefState`]; t: its step counter. beta1, beta2, eps: `beta_1`, `beta_2`, `epsilon`.
//!
//! # Cost
//! 2 vectors of memory, 4R + 3W, one gradient.
//!
//! # When not to use it
//! Without looking at eps: it accumulates in s, so 1e-8 and 1e-16 are two different methods. The
//! authors use 1e-16 for large models and 1e-8 for CIFAR.
//!
//! # Deviations
//! None: the authors' `adabelief-pytorch` without rectification is reproduced. eps accumulates in
//! the stored state there (and in the paper's text it does not).
//!
//! # References
//! Zhuang, Tang, Ding, Tatikonda, Dvornek, Papademetris, Duncan, *AdaBelief optimizer: adapting
//! stepsizes by the belief in observed gradients*, NeurIPS 2020, Algorithm 2.
//!
//! # Example
//! A gradient that does not change does not surprise: the steps grow, where Adam's stay at the rate:
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::AdaBeliefConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let x = Tensor::<2>::zeros([1, 2], &device);
//! let mut optimizer = AdaBeliefConfig::new().init()?;
//! for _ in 0..50 {
//!     // The bias itself: its gradient is 1 everywhere.
//!     let report =
//!         optimizer.step(1e-2, &mut model, |model: &Linear| model.forward(x.clone()).sum())?;
//!     assert!(report.is_accepted());
//! }
//! let bias: f32 = model.bias.as_ref().ok_or("no bias")?.val().into_scalar();
//! assert!(bias < -2.0 * 50.0 * 1e-2);
//! # Ok(())
//! # }
//! ```

use secant_core::{
    moving_average::bias_correction,
    report::{PairOutcome, Rejection},
};

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
    /// Configuration of [`AdaBelief`].
    #[derive(Copy)]
    pub struct AdaBeliefConfig {
        /// Decay rate of the gradient's average.
        #[config(default = 0.9)]
        #[range(Below1)]
        beta_1: f64,
        /// Decay rate of the average of squared surprises.
        #[config(default = 0.999)]
        #[range(Below1)]
        beta_2: f64,
        /// Added to s in every step and to the root.
        #[config(default = 1e-16)]
        #[range(Positive)]
        epsilon: f64,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl AdaBeliefConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> AdaBelief {
        AdaBelief { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<AdaBelief>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// AdaBelief; see the [module](self).
#[derive(Clone, Debug)]
pub struct AdaBelief {
    config: AdaBeliefConfig,
}

/// The state of [`AdaBelief`].
#[derive(Clone, Debug, Default)]
pub struct AdaBeliefState {
    m: Blocks,
    s: Blocks,
    t: u64,
}

record_state!(AdaBeliefState { vectors: [m, s], counters: [t], numbers: [] });

burn_optimizer!(AdaBelief);

impl Method for AdaBelief {
    type State = AdaBeliefState;
    const NAME: &'static str = "adabelief";

    fn traffic(&self) -> Option<Traffic> {
        Some(Traffic { reads: 4, writes: 3 })
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

    fn init(&self, layout: &Layout) -> AdaBeliefState {
        AdaBeliefState { m: Blocks::zeros(layout), s: Blocks::zeros(layout), t: 0 }
    }

    step_by_gradient!();
}

impl GradientMethod for AdaBelief {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut AdaBeliefState,
    ) -> Result<PairOutcome, Rejection> {
        let t = state.t + 1;
        let kernel = |tensor: usize| AdaBeliefKernel::new(self.config, context.tensors[tensor], t);
        for_each_tensor(kernel, [theta, &mut state.m, &mut state.s], [gradient]);
        state.t = t;
        Ok(PairOutcome::NotTried)
    }
}

/// AdaBelief's step, with the coefficients of one tensor.
#[derive(Clone, Copy)]
struct AdaBeliefKernel {
    l2: f64,
    shrink: f64,
    beta_1: f64,
    beta_2: f64,
    /// lr / (1 - beta1^t)
    rate: f64,
    /// 1 / sqrt(1 - beta2^t)
    root: f64,
    epsilon: f64,
}

impl AdaBeliefKernel {
    fn new(config: AdaBeliefConfig, TensorSettings { lr, decay }: TensorSettings, t: u64) -> Self {
        let AdaBeliefConfig { beta_1, beta_2, epsilon, .. } = config;
        Self {
            l2: decay.l2(),
            shrink: 1.0 - lr * decay.decoupled(),
            beta_1,
            beta_2,
            rate: lr / bias_correction(beta_1, t),
            root: 1.0 / bias_correction(beta_2, t).sqrt(),
            epsilon,
        }
    }
}

impl TensorKernel<3, 1, 0> for AdaBeliefKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta, m, s]: [N; 3], [g]: [N; 1]) -> [N; 3] {
        let epsilon = N::of(self.epsilon);
        let g = g + N::of(self.l2) * theta;
        // 1. The prediction and how far the gradient is from it.
        let m = N::of(self.beta_1) * m + N::of(1.0 - self.beta_1) * g;
        let e = g - m;
        // 2. The squared surprise.
        let s = (N::of(self.beta_2) * s + N::of(1.0 - self.beta_2) * (e * e)) + epsilon;
        // 3. The step.
        let divisor = s.sqrt() * N::of(self.root) + epsilon;
        let theta = N::of(self.shrink) * theta - N::of(self.rate) * (m / divisor);
        [theta, m, s]
    }
}
