//! Adam and AdamW.
//!
//! # Idea
//! Divide a moving average of the gradient by the root of a moving average of its square, both
//! corrected for their start at zero: each coordinate moves by about the learning rate.
//!
//! # Algorithm
//! Step t with gradient g (decay of kind `L2` already added: g + wd theta). KB is Kingma and Ba's Algorithm 1, of
//! which the lines have names and no numbers; LH is Loshchilov and Hutter's Algorithm 2.
//! 1. m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2
//!    (KB: biased moment estimates; LH: lines 7 and 8, and 6 for `L2`).
//! 2. theta <- theta - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps);
//!    decoupled decay, as in AdamW, shrinks theta by 1 - lr wd first
//!    (KB: bias-corrected moment estimates, update of the parameters; LH: lines 9, 10 and 12).
//!
//! # Notation
//! m, v: the fields of [`AdamState`]; t: its step counter. beta1, beta2, eps: `beta_1`, `beta_2` and `epsilon` of
//! [`AdamConfig`]; wd: the strength of its `decay`.
//!
//! # Cost
//! 2 vectors of memory, 4R + 3W, one gradient.
//!
//! # When not to use it
//! Convolutional image classifiers trained for long, where SGD with momentum still generalises a
//! little better; convex problems, where quasi-Newton methods are faster by orders of magnitude.
//!
//! # Deviations
//! None: `torch.optim.Adam` and `torch.optim.AdamW` are reproduced. In LH, line 12, decay is multiplied by the
//! schedule's factor alone; here, as in PyTorch, by the rate. AMSGrad is not offered.
//!
//! # References
//! Kingma, Ba, *Adam*, ICLR 2015, Algorithm 1; Loshchilov, Hutter, *Decoupled weight decay
//! regularization*, ICLR 2019, Algorithm 2.
//!
//! # Example
//! AdamW whose decay leaves the biases alone; the gradient of this loss is zero, so that decay is all there is:
//!
//! ```
//! # use burn::{module::ParamGroup, nn::{Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{AdamConfig, Decay, Group};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let x = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0]], &device);
//! let mut model: Linear = LinearConfig::new(2, 1).init(&device);
//! let before = model.clone();
//! let biases = Group::new(ParamGroup::from_predicate("bias")).with_decay(Decay::None);
//! let mut optimizer = AdamConfig::adamw().init()?.with_group(biases)?;
//! for _ in 0..10 {
//!     let report = optimizer.step(0.1, &mut model, |model: &Linear| {
//!         model.forward(x.clone()).sum() * 0.0
//!     })?;
//!     assert!(report.is_accepted());
//! }
//! // 10 times 1 - lr wd = 0.999.
//! let expected = before.weight.val() * 0.999f32.powi(10);
//! assert!((model.weight.val() - expected).abs().max().into_scalar::<f32>() < 1e-6);
//! let moved = model.bias.ok_or("no bias")?.val() - before.bias.ok_or("no bias")?.val();
//! assert_eq!(moved.into_scalar::<f32>(), 0.0);
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
    /// Configuration of [`Adam`].
    #[derive(Copy)]
    pub struct AdamConfig {
        /// Decay rate of the gradient's average.
        #[config(default = 0.9)]
        #[range(Below1)]
        beta_1: f64,
        /// Decay rate of the squared gradient's average.
        #[config(default = 0.999)]
        #[range(Below1)]
        beta_2: f64,
        /// Added to the root.
        #[config(default = 1e-8)]
        #[range(Positive)]
        epsilon: f64,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
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

burn_optimizer!(Adam);

impl Method for Adam {
    type State = AdamState;
    const NAME: &'static str = "adam";

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

    fn init(&self, layout: &Layout) -> AdamState {
        AdamState { m: Blocks::zeros(layout), v: Blocks::zeros(layout), t: 0 }
    }

    step_by_gradient!();
}

impl GradientMethod for Adam {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut AdamState,
    ) -> Result<PairOutcome, Rejection> {
        let t = state.t + 1;
        let kernel = |tensor: usize| AdamKernel::new(self.config, context.tensors[tensor], t);
        for_each_tensor(kernel, [theta, &mut state.m, &mut state.v], [gradient]);
        state.t = t;
        Ok(PairOutcome::NotTried)
    }
}

/// Step t of Adam for theta, m and v, with the coefficients of one tensor.
#[derive(Clone, Copy)]
pub(crate) struct AdamKernel {
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

impl AdamKernel {
    pub fn new(config: AdamConfig, TensorSettings { lr, decay }: TensorSettings, t: u64) -> Self {
        let AdamConfig { beta_1, beta_2, epsilon, .. } = config;
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

impl TensorKernel<3, 1, 0> for AdamKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta, m, v]: [N; 3], [g]: [N; 1]) -> [N; 3] {
        let g = g + N::of(self.l2) * theta;
        // 1. The moving averages.
        let m = N::of(self.beta_1) * m + N::of(1.0 - self.beta_1) * g;
        let v = N::of(self.beta_2) * v + N::of(1.0 - self.beta_2) * (g * g);
        // 2. The step.
        let divisor = v.sqrt() * N::of(self.root) + N::of(self.epsilon);
        let theta = N::of(self.shrink) * theta - N::of(self.rate) * (m / divisor);
        [theta, m, v]
    }
}
