//! Schedule-Free SGD.
//!
//! # Idea
//! The plain steps of Schedule-Free, which its [page](super) explains, are those of gradient descent.
//!
//! # Algorithm
//! Steps 0 to 4 of the [page](super#algorithm), with SGD's step 3.
//!
//! # Notation
//! That of the [page](super#notation); beta is `momentum`.
//!
//! # Cost
//! 1 vector of memory, 3R + 2W, one gradient.
//!
//! # When not to use it
//! See [there](super#when-not-to-use-it). Rates are 10 to 50 times those of SGD with momentum.
//!
//! # Deviations
//! Those of the [page](super#deviations). Decay of kind `L2` and of kind decoupled are the same here.
//!
//! # References
//! Defazio et al., *The road less scheduled*, NeurIPS 2024.
//!
//! # Example
//! See the [page](super#example).

use secant_core::report::{PairOutcome, Rejection};

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
    /// Configuration of [`ScheduleFreeSgd`].
    #[derive(Copy)]
    pub struct ScheduleFreeSgdConfig {
        /// How far from z to x gradients are taken; 0.9 to 0.98 in long runs.
        #[config(default = 0.9)]
        #[range(Above0To1)]
        momentum: f64,
        /// Weight decay, taken at y.
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

impl ScheduleFreeSgdConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> ScheduleFreeSgd {
        ScheduleFreeSgd { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<ScheduleFreeSgd>, ConfigError> {
        Optimizer::new(self.build())
    }

    fn averaging(&self) -> Averaging {
        let Self { momentum, warmup_steps, r, weight_lr_power, .. } = *self;
        Averaging { beta: momentum, warmup_steps, r, weight_lr_power }
    }
}

/// Schedule-Free SGD; see the [module](self).
#[derive(Clone, Debug)]
pub struct ScheduleFreeSgd {
    config: ScheduleFreeSgdConfig,
}

burn_optimizer!(ScheduleFreeSgd);

impl Method for ScheduleFreeSgd {
    type State = ScheduleFreeState;
    const NAME: &'static str = "schedule-free-sgd";

    fn traffic(&self) -> Option<Traffic> {
        Some(Traffic { reads: 3, writes: 2 })
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
        self.config.averaging().state_settings("momentum")
    }

    fn init(&self, layout: &Layout) -> ScheduleFreeState {
        ScheduleFreeState::new(layout, Blocks::empty())
    }

    step_by_gradient!();
}

impl GradientMethod for ScheduleFreeSgd {
    fn update(
        &self,
        context: &StepContext<'_>,
        y: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut ScheduleFreeState,
    ) -> Result<PairOutcome, Rejection> {
        let steps = self.config.averaging().advance(state, context.tensors);
        let kernel = |tensor: usize| SgdKernel(steps[tensor]);
        for_each_tensor(kernel, [y, &mut state.z], [gradient]);
        Ok(PairOutcome::NotTried)
    }
}

/// Steps 3 and 4 for y and z, with the coefficients of one tensor.
#[derive(Clone, Copy)]
struct SgdKernel(Step);

impl TensorKernel<2, 1, 0> for SgdKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [y, z]: [N; 2], [g]: [N; 1]) -> [N; 2] {
        let Self(step) = self;
        let z = step.start(y, z);
        // 3. The gradient itself.
        let d = g + N::of(step.decay.l2()) * y;
        // 4. The plain step and the point of the next gradient.
        step.along(d, y, z)
    }
}
