//! RAdam: Adam with a rectified start.
//!
//! # Idea
//! In the first steps the average of squared gradients has too high a variance to divide by. RAdam
//! steps along the gradient's average until the variance is known to be finite, and scales the
//! adaptive step down by how uncertain it still is.
//!
//! # Algorithm
//! Step t with gradient g (decay of kind `L2` already added: g + wd theta; decoupled decay shrinks theta by
//! 1 - lr wd first). In brackets: the lines of Liu et al.'s Algorithm 2, by name.
//! 1. m, v as Adam; rho_inf = 2 / (1 - beta2) - 1; rho = rho_inf - 2 t beta2^t / (1 - beta2^t)
//!    (moving moments; length of the approximated SMA and its maximum).
//! 2. If rho > 5 (there: 4): r = sqrt((rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho)),
//!    theta <- theta - lr r sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps);
//!    else theta <- theta - lr / (1 - beta1^t) m
//!    (bias-corrected moving averages; variance rectification; update with adaptive momentum, or un-adapted).
//!
//! With beta2 = 0.999 the adaptive step begins at t = 6; with beta2 up to 2/3, where rho_inf is at most 5,
//! it never does, and RAdam is gradient descent along m.
//!
//! # Notation
//! m, v: the fields of [`RAdamState`]; t: its step counter. beta1, beta2, eps: `beta_1`, `beta_2`, `epsilon`.
//!
//! # Cost
//! 2 vectors of memory, 4R + 3W, one gradient.
//!
//! # When not to use it
//! With a learning-rate warm-up, which does the same; the first steps then need no other care.
//!
//! # Deviations
//! `torch.optim.RAdam` is reproduced: its steps are adaptive from rho > 5 on, those of the paper from rho > 4,
//! those of the authors' code from rho >= 5.
//!
//! # References
//! Liu, Jiang, He, Chen, Liu, Gao, Han, *On the variance of the adaptive learning rate and beyond*,
//! ICLR 2020, Algorithm 2.
//!
//! # Example
//! The first steps are as long as the gradient tells; Adam's would be as long as the rate:
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::RAdamConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let x = Tensor::<2>::zeros([1, 2], &device);
//! let mut optimizer = RAdamConfig::new().init()?;
//! for _ in 0..5 {
//!     // The bias times 3: its gradient is 3 everywhere.
//!     let report =
//!         optimizer.step(1e-2, &mut model, |model: &Linear| model.forward(x.clone()).sum() * 3.0)?;
//!     assert!(report.is_accepted());
//! }
//! let bias: f32 = model.bias.as_ref().ok_or("no bias")?.val().into_scalar();
//! assert!((bias + 5.0 * 1e-2 * 3.0).abs() < 1e-6);
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
    /// Configuration of [`RAdam`].
    #[derive(Copy)]
    pub struct RAdamConfig {
        /// Decay rate of the gradient's average.
        #[config(default = 0.9)]
        #[range(Below1)]
        beta_1: f64,
        /// Decay rate of the squared gradient's average; up to 2/3 no step is ever adaptive.
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

impl RAdamConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> RAdam {
        RAdam { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<RAdam>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// RAdam; see the [module](self).
#[derive(Clone, Debug)]
pub struct RAdam {
    config: RAdamConfig,
}

/// The state of [`RAdam`].
#[derive(Clone, Debug, Default)]
pub struct RAdamState {
    m: Blocks,
    v: Blocks,
    t: u64,
}

record_state!(RAdamState { vectors: [m, v], counters: [t], numbers: [] });

burn_optimizer!(RAdam);

impl Method for RAdam {
    type State = RAdamState;
    const NAME: &'static str = "radam";

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

    fn init(&self, layout: &Layout) -> RAdamState {
        RAdamState { m: Blocks::zeros(layout), v: Blocks::zeros(layout), t: 0 }
    }

    step_by_gradient!();
}

/// The length rho of the average's memory after t steps, and the rectification r once rho > 5.
fn rectification(beta_2: f64, t: u64) -> Option<f64> {
    let longest = 2.0 / (1.0 - beta_2) - 1.0;
    let correction = bias_correction(beta_2, t);
    let rho = longest - 2.0 * t as f64 * (1.0 - correction) / correction;
    let square = || (rho - 4.0) * (rho - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * rho);
    (rho > 5.0).then(|| square().sqrt())
}

impl GradientMethod for RAdam {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut RAdamState,
    ) -> Result<PairOutcome, Rejection> {
        let t = state.t + 1;
        let kernel = |tensor: usize| RAdamKernel::new(self.config, context.tensors[tensor], t);
        for_each_tensor(kernel, [theta, &mut state.m, &mut state.v], [gradient]);
        state.t = t;
        Ok(PairOutcome::NotTried)
    }
}

/// RAdam's step, with the coefficients of one tensor.
#[derive(Clone, Copy)]
struct RAdamKernel {
    l2: f64,
    shrink: f64,
    beta_1: f64,
    beta_2: f64,
    rate: f64,
    /// The step divides by `by_root` sqrt(v) + `floor`; the plain step by 1.
    by_root: f64,
    floor: f64,
}

impl RAdamKernel {
    fn new(config: RAdamConfig, TensorSettings { lr, decay }: TensorSettings, t: u64) -> Self {
        let RAdamConfig { beta_1, beta_2, epsilon, .. } = config;
        let rate = lr / bias_correction(beta_1, t);
        let (rate, by_root, floor) = match rectification(beta_2, t) {
            Some(r) => (rate * (r * bias_correction(beta_2, t).sqrt()), 1.0, epsilon),
            None => (rate, 0.0, 1.0),
        };
        let (l2, shrink) = (decay.l2(), 1.0 - lr * decay.decoupled());
        Self { l2, shrink, beta_1, beta_2, rate, by_root, floor }
    }
}

impl TensorKernel<3, 1, 0> for RAdamKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta, m, v]: [N; 3], [g]: [N; 1]) -> [N; 3] {
        let g = g + N::of(self.l2) * theta;
        // 1. The moving averages.
        let m = N::of(self.beta_1) * m + N::of(1.0 - self.beta_1) * g;
        let v = N::of(self.beta_2) * v + N::of(1.0 - self.beta_2) * (g * g);
        // 2. The step.
        let divisor = N::of(self.by_root) * v.sqrt() + N::of(self.floor);
        let theta = N::of(self.shrink) * theta - N::of(self.rate) * (m / divisor);
        [theta, m, v]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_the_usual_beta2_the_sixth_step_is_the_first_adaptive_one() {
        assert_eq!(rectification(0.999, 5), None);
        assert!(rectification(0.999, 6).is_some_and(|r| r > 0.0 && r < 0.1));
        // rho tends to rho_inf and r to 1.
        assert!(rectification(0.999, 100_000).is_some_and(|r| (r - 1.0).abs() < 1e-12));
    }
}
