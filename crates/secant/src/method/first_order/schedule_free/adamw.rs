//! Schedule-Free AdamW.
//!
//! # Idea
//! The plain steps of Schedule-Free, which its [page](super) explains, are Adam's without the average of gradients.
//!
//! # Algorithm
//! Steps 0 to 4 of the [page](super#algorithm), with AdamW's step 3.
//!
//! # Notation
//! That of the [page](super#notation); beta is `beta_1`.
//!
//! # Cost
//! 2 vectors of memory, 4R + 3W, one gradient.
//!
//! # When not to use it
//! See [there](super#when-not-to-use-it).
//!
//! # Deviations
//! Those of the [page](super#deviations).
//!
//! # References
//! Defazio et al., *The road less scheduled*, NeurIPS 2024, Algorithm 1.
//!
//! # Example
//! Train, and look at the average:
//!
//! ```
//! # use burn::{nn::LinearConfig, tensor::{Device, Tensor}};
//! use secant::ScheduleFreeAdamWConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! let mut model = LinearConfig::new(3, 2).init(&device);
//! let mut optimizer = ScheduleFreeAdamWConfig::new().with_warmup_steps(10).init()?;
//! # let points = Tensor::<2>::from_floats([[0.1, 0.9, 0.3], [0.8, 0.3, 0.5]], &device);
//! let loss = |model: &burn::nn::Linear| model.forward(points.clone()).powi_scalar(2).mean();
//! let before: f32 = loss(&model).into_scalar();
//! for _ in 0..200 {
//!     assert!(optimizer.step(0.01, &mut model, loss)?.is_accepted());
//! }
//! let evaluated = optimizer.averaged(&model)?;
//! assert!(loss(&evaluated).into_scalar::<f32>() < 0.1 * before);
//! # Ok(())
//! # }
//! ```

use secant_core::{
    moving_average::bias_correction,
    report::{PairOutcome, Rejection},
};

use super::{Averaging, ScheduleFreeState, Step};
use crate::{
    blocks::{Blocks, Layout, Number, TensorKernel, for_each_tensor},
    burn_optim::burn_optimizer,
    error::ConfigError,
    hyper_parameter::{HyperParameters, hyper_parameters},
    optimizer::Optimizer,
    protocol::{Decay, GradientMethod, Method, StepContext, Traffic, step_by_gradient},
};

hyper_parameters! {
    /// Configuration of [`ScheduleFreeAdamW`].
    #[derive(Copy)]
    pub struct ScheduleFreeAdamWConfig {
        /// How far from z to x gradients are taken; 0.9 to 0.98 in long runs.
        #[config(default = 0.9)]
        #[range(Above0To1)]
        beta_1: f64,
        /// Decay rate of the squared gradient's average.
        #[config(default = 0.999)]
        #[range(Below1)]
        beta_2: f64,
        /// Added to the root.
        #[config(default = 1e-8)]
        #[range(Positive)]
        epsilon: f64,
        /// Weight decay; of kind decoupled it is taken at y.
        #[config(default = "Decay::None")]
        decay: Decay,
        /// Steps in which the rate rises to its full height; a twentieth of a run.
        #[config(default = 0)]
        warmup_steps: u64,
        /// The power of a step's number in its weight in the mean.
        #[config(default = 0.0)]
        #[range(Power)]
        r: f64,
        /// The power of the largest rate so far in a step's weight in the mean.
        #[config(default = 2.0)]
        #[range(Power)]
        weight_lr_power: f64,
    }
}

impl ScheduleFreeAdamWConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> ScheduleFreeAdamW {
        ScheduleFreeAdamW { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<ScheduleFreeAdamW>, ConfigError> {
        Optimizer::new(self.build())
    }

    fn averaging(&self) -> Averaging {
        let Self { beta_1, warmup_steps, r, weight_lr_power, .. } = *self;
        Averaging { beta: beta_1, warmup_steps, r, weight_lr_power }
    }
}

/// Schedule-Free AdamW; see the [module](self).
#[derive(Clone, Debug)]
pub struct ScheduleFreeAdamW {
    config: ScheduleFreeAdamWConfig,
}

burn_optimizer!(ScheduleFreeAdamW);

impl Method for ScheduleFreeAdamW {
    type State = ScheduleFreeState;
    const NAME: &'static str = "schedule-free-adamw";

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

    fn averages(&self) -> bool {
        true
    }

    fn average(&self, theta: &mut Blocks, state: &ScheduleFreeState) {
        self.config.averaging().average(theta, state);
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        self.config.averaging().state_settings("beta_1")
    }

    fn init(&self, layout: &Layout) -> ScheduleFreeState {
        ScheduleFreeState::new(layout, Blocks::zeros(layout))
    }

    step_by_gradient!();
}

impl GradientMethod for ScheduleFreeAdamW {
    fn update(
        &self,
        context: &StepContext<'_>,
        y: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut ScheduleFreeState,
    ) -> Result<PairOutcome, Rejection> {
        let steps = self.config.averaging().advance(state, context.tensors);
        let kernel = |tensor: usize| AdamWKernel::new(self.config, steps[tensor]);
        for_each_tensor(kernel, [y, &mut state.z, &mut state.v], [gradient]);
        Ok(PairOutcome::NotTried)
    }
}

/// Steps 3 and 4 for y, z and v, with the coefficients of one tensor.
#[derive(Clone, Copy)]
struct AdamWKernel {
    step: Step,
    l2: f64,
    beta_2: f64,
    /// 1 / sqrt(1 - beta2^t)
    root: f64,
    epsilon: f64,
}

impl AdamWKernel {
    fn new(config: ScheduleFreeAdamWConfig, step: Step) -> Self {
        let ScheduleFreeAdamWConfig { beta_2, epsilon, .. } = config;
        let root = 1.0 / bias_correction(beta_2, step.t as u64).sqrt();
        Self { step, l2: step.decay.l2(), beta_2, root, epsilon }
    }
}

impl TensorKernel<3, 1, 0> for AdamWKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [y, z, v]: [N; 3], [g]: [N; 1]) -> [N; 3] {
        let z = self.step.start(y, z);
        let g = g + N::of(self.l2) * y;
        // 3. Adam's direction without the average of gradients.
        let v = N::of(self.beta_2) * v + N::of(1.0 - self.beta_2) * (g * g);
        let d = g / (v.sqrt() * N::of(self.root) + N::of(self.epsilon));
        // 4. The plain step and the point of the next gradient.
        let [y, z] = self.step.along(d, y, z);
        [y, z, v]
    }
}
