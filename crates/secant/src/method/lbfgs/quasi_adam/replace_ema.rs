//! The variant of Quasi-Adam in its authors' code of 2024.
//!
//! # Algorithm
//! Step t with gradient g (decay of kind `L2` already added: g + wd theta), for each tensor. The code has no numbers;
//! in brackets is what it takes the place of in the paper.
//! 1. m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2; y = m_new - m_old (y after eq. (6)).
//! 2. If t >= 2 and s.y > 0: gamma = s.y / y.y, H of the pair (s, y) (eq. (8)), and the direction is H m (eq. (9));
//!    otherwise it is Adam's (eq. (5)).
//! 3. theta <- theta - lr / (1 - beta1^t) times H m, or Adam's step (eq. (10)); s <- theta_new - theta_old.
//!
//! It differs from [`QuasiAdam`](super::QuasiAdam), and from the paper, in three ways: the pair's y
//! is a change of the *averaged* gradient, H is applied to that average, and the quasi-Newton step
//! takes Adam's place instead of being added to it. It is here so that figures made with that code
//! can be checked.
//!
//! # Cost
//! 3 vectors of memory; two passes, 8R + 4W; one gradient.
//!
//! # When not to use it
//! For training: H m has the length of a quasi-Newton step and is not bounded.
//!
//! # References
//! `aranganath/Adaptive-quasi-Newton-updates`, single-tensor function, June 2024.
//!
//! # Example
//! A step is Adam's where a tensor's pair fails, and H m where it passes; how many did is in the report:
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{PairOutcome, method::lbfgs::quasi_adam::replace_ema::QuasiAdamEmaConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let x = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &device);
//! # let y = Tensor::<2>::from_floats([[9.0], [3.0], [1.0], [-5.0]], &device);
//! let mut optimizer = QuasiAdamEmaConfig::new().init()?;
//! let mut pairs = Vec::new();
//! for _ in 0..5 {
//!     let report = optimizer.step(1e-2, &mut model, |model: &Linear| {
//!         (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
//!     })?;
//!     pairs.push(report.pair);
//! }
//! assert_eq!(pairs[0], PairOutcome::NotTried);
//! // Weight and bias; the average of gradients grows at first, against the displacement.
//! assert_eq!(pairs[1], PairOutcome::PerTensor { stored: 0, skipped: 2 });
//! # Ok(())
//! # }
//! ```

use secant_core::{
    curvature::{CurvatureTest, PairProducts},
    memory_one::Combination,
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
    /// Configuration of [`QuasiAdamEma`].
    #[derive(Copy)]
    pub struct QuasiAdamEmaConfig {
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

impl QuasiAdamEmaConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> QuasiAdamEma {
        QuasiAdamEma { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<QuasiAdamEma>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// The authors' variant; see the [module](self).
#[derive(Clone, Debug)]
pub struct QuasiAdamEma {
    config: QuasiAdamEmaConfig,
}

/// The state of [`QuasiAdamEma`].
#[derive(Clone, Debug, Default)]
pub struct QuasiAdamEmaState {
    m: Blocks,
    v: Blocks,
    s: Blocks,
    t: u64,
}

record_state!(QuasiAdamEmaState { vectors: [m, v, s], counters: [t], numbers: [] });

burn_optimizer!(QuasiAdamEma);

impl Method for QuasiAdamEma {
    type State = QuasiAdamEmaState;
    const NAME: &'static str = "quasi-adam-ema";

    fn traffic(&self) -> Option<Traffic> {
        Some(Traffic { reads: 8, writes: 4 })
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

    fn init(&self, layout: &Layout) -> QuasiAdamEmaState {
        let zeros = || Blocks::zeros(layout);
        QuasiAdamEmaState { m: zeros(), v: zeros(), s: zeros(), t: 0 }
    }

    step_by_gradient!();
}

impl GradientMethod for QuasiAdamEma {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut QuasiAdamEmaState,
    ) -> Result<PairOutcome, Rejection> {
        let t = state.t + 1;
        let kernel = |tensor: usize| EmaKernel::new(self.config, context.tensors[tensor], t);
        let QuasiAdamEmaState { m, v, s, .. } = state;
        let pairs = for_each_tensor(kernel, [theta, m, v, s], [gradient]);
        state.t = t;
        if t == 1 {
            return Ok(PairOutcome::NotTried);
        }
        let stored = pairs.iter().flatten().count();
        Ok(PairOutcome::PerTensor { stored, skipped: pairs.len() - stored })
    }
}

/// A step, with the coefficients of one tensor.
#[derive(Clone, Copy)]
struct EmaKernel {
    t: u64,
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

impl EmaKernel {
    fn new(
        config: QuasiAdamEmaConfig,
        TensorSettings { lr, decay }: TensorSettings,
        t: u64,
    ) -> Self {
        let QuasiAdamEmaConfig { beta_1, beta_2, epsilon, .. } = config;
        Self {
            t,
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

impl TensorKernel<4, 1, 5> for EmaKernel {
    /// H m of the tensor's pair, as a combination of m, s and y; nothing if s.y <= 0.
    type Decision = Option<Combination>;

    fn is_summed(self) -> bool {
        self.t > 1
    }

    /// s.s, s.y, y.y, s.m and y.m.
    #[inline(always)]
    fn terms<N: Number>(self, [theta, old, _, s]: [N; 4], [g]: [N; 1]) -> [N::Wide; 5] {
        let [theta, old, s, g] = [theta.wide(), old.wide(), s.wide(), g.wide()];
        let g = g + N::Wide::of(self.l2) * theta;
        let m = N::Wide::of(self.beta_1) * old + N::Wide::of(1.0 - self.beta_1) * g;
        let y = m - old;
        [s * s, s * y, y * y, s * m, y * m]
    }

    fn decide(self, [ss, sy, yy, sm, ym]: [f64; 5]) -> Option<Combination> {
        let pair = PairProducts { ss, sy, yy };
        CurvatureTest::Absolute(0.0).check(pair).ok()?;
        Some(Combination::of_pair(pair, sm, ym)).filter(Combination::is_finite)
    }

    #[inline(always)]
    fn apply<N: Number>(
        self,
        pair: Option<Combination>,
        [theta, old, v, s]: [N; 4],
        [g]: [N; 1],
    ) -> [N; 4] {
        let g = g + N::of(self.l2) * theta;
        // 1. The averages.
        let m = N::of(self.beta_1) * old + N::of(1.0 - self.beta_1) * g;
        let v = N::of(self.beta_2) * v + N::of(1.0 - self.beta_2) * (g * g);
        // 2. The direction.
        let direction = match pair {
            Some(q) => N::of(q.gamma) * m + N::of(q.a) * s + N::of(q.b) * (m - old),
            None => m / (v.sqrt() * N::of(self.root) + N::of(self.epsilon)),
        };
        // 3. The step and its displacement.
        let new = N::of(self.shrink) * theta - N::of(self.rate) * direction;
        [new, m, v, new - theta]
    }
}
