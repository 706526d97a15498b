//! The variant of Quasi-Adam in its authors' code of 2024.
//!
//! # Algorithm
//! Step t with gradient g (decay of kind `L2` already added: g + wd theta), for each tensor:
//! 1. m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2; y = m_new - m_old.
//! 2. If t >= 2 and s.y > 0: gamma = s.y / y.y, H of the pair (s, y), and
//!    theta <- theta - lr / (1 - beta1^t) H m;
//!    otherwise Adam's step.
//! 3. s <- theta_new - theta_old.
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

use secant_core::{
    curvature::{CurvatureTest, PairProducts},
    memory_one::Combination,
    moving_average::bias_correction,
    report::{PairOutcome, Rejection},
};

use crate::{
    blocks::{Blocks, Layout},
    error::ConfigError,
    kernels::{Real, TensorKernel, View, for_each_tensor, in_f64, lane_sums},
    optimizer::Optimizer,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, record_state, step_by_gradient,
    },
    spec::{HyperParameters, hyper_parameters},
};

hyper_parameters! {
    /// Configuration of [`QuasiAdamEma`].
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
        #[words(Decay::WORDS)]
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

impl Method for QuasiAdamEma {
    type State = QuasiAdamEmaState;
    const NAME: &'static str = "quasi-adam-ema";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn init(&self, layout: &Layout) -> QuasiAdamEmaState {
        let zeros = || Blocks::zeros(layout);
        QuasiAdamEmaState { m: zeros(), v: zeros(), s: zeros(), t: 0 }
    }

    step_by_gradient!();
}

impl GradientMethod for QuasiAdamEma {
    fn is_per_tensor(&self) -> bool {
        true
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut QuasiAdamEmaState,
    ) -> Result<PairOutcome, Rejection> {
        let t = state.t + 1;
        let pass = EmaPass { tensors: context.tensors, config: self.config, t };
        let QuasiAdamEmaState { m, v, s, .. } = state;
        let accepted = for_each_tensor(&pass, [theta, m, v, s], [gradient]);
        state.t = t;
        if t == 1 {
            return Ok(PairOutcome::NotTried);
        }
        let stored = accepted.iter().filter(|accepted| **accepted).count();
        Ok(PairOutcome::PerTensor { stored, skipped: accepted.len() - stored })
    }
}

struct EmaPass<'a> {
    tensors: &'a [TensorSettings],
    config: QuasiAdamEmaConfig,
    t: u64,
}

impl EmaPass<'_> {
    /// H m of the tensor's pair, as a combination of m, s and y; nothing if s.y <= 0.
    fn quasi_newton<T: Real>(&self, view: &View<'_, T, 4, 1>, l2: f64) -> Option<Combination> {
        let (beta_1, new1) = (self.config.beta_1, 1.0 - self.config.beta_1);
        let [ss, sy, yy, sm, ym] = view.reduce(
            #[inline(always)]
            move |[theta, m, _, s], [g]| {
                // Without L2 decay theta is not read.
                let theta = if l2 == 0.0 { g } else { theta };
                lane_sums(
                    [theta, m, s, g],
                    #[inline(always)]
                    |elements| {
                        let [theta, old, s, g] = in_f64(elements);
                        let m = beta_1 * old + new1 * (g + l2 * theta);
                        let y = m - old;
                        [s * s, s * y, y * y, s * m, y * m]
                    },
                )
            },
        );
        let pair = PairProducts { ss, sy, yy };
        CurvatureTest::Absolute(0.0).check(pair).ok()?;
        Some(Combination::of_pair(pair, sm, ym)).filter(Combination::is_finite)
    }
}

impl TensorKernel<4, 1> for EmaPass<'_> {
    /// Whether the pair was accepted.
    type Output = bool;

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 4, 1>) -> bool {
        let TensorSettings { lr, decay } = self.tensors[index];
        let QuasiAdamEmaConfig { beta_1, beta_2, epsilon, .. } = self.config;
        let pair = if self.t == 1 { None } else { self.quasi_newton(&view, decay.l2()) };
        let (l2, shrink) = (T::of(decay.l2()), T::of(1.0 - lr * decay.decoupled()));
        let rate = T::of(lr / bias_correction(beta_1, self.t));
        let root2 = T::of(1.0 / bias_correction(beta_2, self.t).sqrt());
        let (new1, new2) = (T::of(1.0 - beta_1), T::of(1.0 - beta_2));
        let (beta_1, beta_2, epsilon) = (T::of(beta_1), T::of(beta_2), T::of(epsilon));
        let coefficients = pair.map(|q| (T::of(q.gamma), T::of(q.a), T::of(q.b)));
        view.apply(
            #[inline(always)]
            move |[theta, m, v, s], [g]| {
                let g = g + l2 * theta;
                // 1. The averages.
                let old = m;
                let m = beta_1 * old + new1 * g;
                let v = beta_2 * v + new2 * (g * g);
                // 2. The direction.
                let direction = match coefficients {
                    Some((gamma, a, b)) => gamma * m + a * s + b * (m - old),
                    None => m / (v.sqrt() * root2 + epsilon),
                };
                // 3. The step and its displacement.
                let new = shrink * theta - rate * direction;
                [new, m, v, new - theta]
            },
        );
        pair.is_some()
    }
}
