//! SdLBFGS: stochastic damped L-BFGS.
//!
//! # Idea
//! L-BFGS on mini-batches, with pairs of one batch, damped so strongly that H stays positive definite on
//! any function, convex or not, and a rate that falls like 1 / sqrt(k).
//!
//! # Algorithm
//! Step k on batch B_k, with gradient g at theta (Wang et al., Section 3):
//! 1. The pair of the step before: s = its displacement, y = the change of B_{k-1}'s gradient over it.
//!    gamma = max(y.y / s.y, delta) if s.y > 0, else max(|y| / |s|, delta) (as printed: delta).
//! 2. ybar = w y + (1 - w) gamma s, where w = 0.75 gamma s.s / (gamma s.s - s.y) if
//!    s.y < 0.25 gamma s.s, else 1. So s.ybar >= 0.25 gamma s.s. Store (s, ybar)
//!    (Powell's damping, Nocedal and Wright's Procedure 18.2, with 0.25 for 0.2 and gamma I for B).
//! 3. theta <- theta - lr / sqrt(k) H g, with the initial matrix I / gamma
//!    (H g: the two-loop recursion, Nocedal and Wright's Algorithm 7.4).
//!
//! The gradient of B_k at the new point is evaluated in step k, where the batch is at hand.
//!
//! # Notation
//! gamma belongs to the *direct* matrix: the inverse of L-BFGS's. w is the paper's theta. The paper's p is m here,
//! `memory`; its batch of size m_k is B_k; its alpha_k is lr / sqrt(k), or as `rate_decay` has it.
//!
//! # Cost
//! 2m vectors of memory (m = `memory`), 2 gradients, 6m R for the matrix: 4m to apply it, 2m for a new pair.
//! With pairs of consecutive batches 1 gradient, and 2 vectors more.
//!
//! # When not to use it
//! Where the rate of 1 / sqrt(k) is too slow: on smooth deterministic problems L-BFGS with a line search
//! is faster by orders of magnitude.
//!
//! # Deviations
//! As printed, gamma = delta where s.y <= 0. With y much longer than delta s the damped pair is then nearly
//! orthogonal: |ybar| |s| can be |y| / (delta |s|) times 4 s.ybar, and H grows by the square of that with every
//! pair. Small networks diverged at every rate tried. With gamma >= |y| / |s| always,
//! |ybar| |s| <= 4 s.ybar. [`SdLBfgsConfig::paper`] is as printed. The authors' code takes y from consecutive
//! batches: [`PairSource::ConsecutiveBatches`]. Its variant with gamma = 1 and normalised directions is not
//! offered.
//!
//! # References
//! Wang, Ma, Goldfarb, Liu, *Stochastic quasi-Newton methods for nonconvex stochastic optimization*,
//! 2017, Section 3; Nocedal, Wright, *Numerical Optimization*, 2nd ed.
//!
//! # Example
//! A pair of negative curvature is damped and not lost:
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{PairOutcome, SdLBfgsConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let x = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0]], &device);
//! # let ones = LinearConfig::new(2, 1).with_initializer(Initializer::Ones);
//! # let mut model: Linear = ones.init(&device);
//! let mut optimizer = SdLBfgsConfig::new().init()?;
//! for _ in 0..3 {
//!     // Concave: s.y < 0 everywhere.
//!     let report = optimizer.step(0.1, &mut model, |model: &Linear| {
//!         model.forward(x.clone()).powi_scalar(2).mean().neg()
//!     })?;
//!     assert!(matches!(report.pair, PairOutcome::Damped { theta } if theta < 0.5));
//!     assert!(report.loss_after < report.loss);
//! }
//! # Ok(())
//! # }
//! ```

use secant_core::{
    curvature::{CurvatureTest, PairProducts, powell_damping},
    report::{Outcome, PairOutcome, Rejection, SkipReason, StepReport},
};

use super::RateDecay;
use crate::objective::{Beginning, Known, Objective, displaced};
use crate::{
    blocks::{Blocks, Layout, add_scaled, dot, make_pair},
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    operator::{InverseLBfgs, Scaling},
    optimizer::Optimizer,
    oracle::Oracle,
    protocol::{Decay, Method, StepContext, record_state},
};

/// Where the two gradients of a pair come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PairSource {
    /// One batch, at both points: a second gradient in each step.
    SameBatch,
    /// Each from the batch of its step, as in the authors' code.
    ConsecutiveBatches,
}

hyper_parameters! {
    /// Configuration of [`SdLBfgs`].
    #[derive(Copy)]
    pub struct SdLBfgsConfig {
        /// Pairs.
        #[config(default = 10)]
        #[range(AtLeast1)]
        memory: usize,
        /// The least curvature of the initial matrix.
        #[config(default = 1e-3)]
        #[range(Positive)]
        delta: f64,
        /// Whether it is at least |y| / |s| where s.y is not positive; else it is delta there.
        #[config(default = true)]
        bounded: bool,
        /// Where the gradients of a pair come from.
        #[config(default = "PairSource::SameBatch")]
        pairs: PairSource,
        /// How the rate falls.
        #[config(default = "RateDecay::InverseRoot")]
        rate_decay: RateDecay,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl SdLBfgsConfig {
    /// As the paper prints it: nothing but delta bounds the damped pairs.
    pub fn paper() -> Self {
        Self::new().with_bounded(false)
    }

    /// The method without an optimizer around it.
    pub fn build(&self) -> SdLBfgs {
        SdLBfgs { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<SdLBfgs>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// SdLBFGS; see the [module](self).
#[derive(Clone, Debug)]
pub struct SdLBfgs {
    config: SdLBfgsConfig,
}

/// The state of [`SdLBfgs`].
#[derive(Clone, Debug, Default)]
pub struct SdLBfgsState {
    matrix: InverseLBfgs,
    /// Consecutive batches: the parameters and the gradient of the step before.
    theta: Blocks,
    gradient: Blocks,
    steps: u64,
    /// The newest pair's gamma.
    gamma: Vec<f64>,
}

record_state!(SdLBfgsState {
    vectors: [theta, gradient],
    counters: [steps],
    numbers: [gamma],
    matrices: [matrix]
});

impl Method for SdLBfgs {
    type State = SdLBfgsState;
    const NAME: &'static str = "sd-lbfgs";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn evaluates_again(&self) -> bool {
        self.config.pairs == PairSource::SameBatch
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        vec![("pairs", format!("{:?}", self.config.pairs))]
    }

    fn init(&self, _: &Layout) -> SdLBfgsState {
        SdLBfgsState { matrix: InverseLBfgs::new(self.config.memory), ..Default::default() }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut SdLBfgsState,
    ) -> Result<StepReport, StepError> {
        let mut objective = Objective::new(context, oracle);
        let (theta, gradient, mut report) = match objective.here()? {
            Ok(Beginning { theta, known, report, .. }) => (theta, known.gradient, report),
            Err(report) => return Ok(report),
        };
        // Changed only when the step can no longer fail.
        let mut curvature = Curvature { matrix: state.matrix.clone(), gamma: state.gamma.clone() };
        if self.config.pairs == PairSource::ConsecutiveBatches && state.steps > 0 {
            let before = (state.theta.clone(), state.gradient.clone());
            report.pair = self.add_pair(&mut curvature, before, &theta, &gradient);
        }
        // 3. The step.
        let mut direction = gradient.zeros_like();
        let scaling = Scaling::Fixed(curvature.gamma.first().map_or(1.0, |gamma| 1.0 / gamma));
        if curvature.matrix.apply(-1.0, scaling, &gradient, &mut direction).is_none() {
            report.outcome = Outcome::Rejected(Rejection::NonFiniteReduction);
            return Ok(report);
        }
        let factor = self.config.rate_decay.factor(state.steps);
        let mut point = displaced(context, &theta, factor, &direction);
        match self.config.pairs {
            // Nothing can fail any more.
            PairSource::ConsecutiveBatches => (state.theta, state.gradient) = (theta, gradient),
            PairSource::SameBatch => match objective.at(&mut point)? {
                Ok(Known { gradient: after, loss, .. }) => {
                    let before = (theta, gradient);
                    report.pair = self.add_pair(&mut curvature, before, &point, &after);
                    report.loss_after = Some(loss);
                }
                Err(rejection) => report.outcome = Outcome::Rejected(rejection),
            },
        }
        report.evals = objective.oracle.evals();
        if report.is_accepted() {
            objective.move_to(point);
            (state.matrix, state.gamma) = (curvature.matrix, curvature.gamma);
            state.steps += 1;
        }
        Ok(report)
    }
}

/// What a step learns of the curvature.
struct Curvature {
    matrix: InverseLBfgs,
    gamma: Vec<f64>,
}

impl SdLBfgs {
    /// 1. and 2. The pair from `before` to `theta`, damped.
    fn add_pair(
        &self,
        curvature: &mut Curvature,
        (mut s, mut y): (Blocks, Blocks),
        theta: &Blocks,
        gradient: &Blocks,
    ) -> PairOutcome {
        let products = make_pair(&mut s, &mut y, theta, gradient);
        let PairProducts { ss, sy, yy } = products;
        let test = CurvatureTest::Absolute(0.0);
        if ss <= 0.0 {
            return PairOutcome::Skipped(SkipReason::Curvature);
        }
        let SdLBfgsConfig { delta, bounded, .. } = self.config;
        // 1. gamma.
        let gamma = match (sy > 0.0, bounded) {
            (true, _) => (yy / sy).max(delta),
            (false, true) => (yy / ss).sqrt().max(delta),
            (false, false) => delta,
        };
        // 2. ybar.
        let Some(theta) = powell_damping(sy, gamma * ss, LEAST) else {
            curvature.gamma = vec![gamma];
            return curvature.matrix.push(test, products, s, y);
        };
        let mut damped = y.zeros_like();
        add_scaled(&mut damped, theta, &y);
        add_scaled(&mut damped, (1.0 - theta) * gamma, &s);
        let products = PairProducts { ss, sy: dot(&s, &damped), yy: dot(&damped, &damped) };
        match curvature.matrix.push(test, products, s, damped) {
            PairOutcome::Stored { .. } => {
                curvature.gamma = vec![gamma];
                PairOutcome::Damped { theta }
            }
            skipped => skipped,
        }
    }
}

/// s.ybar is at least this part of gamma s.s.
const LEAST: f64 = 0.25;

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use secant_core::rng::SplitMix64;

    use super::*;
    use crate::blocks::norm;

    /// A pair (s, y) in any directions, y up to 1,000 times longer or shorter than s.
    fn pair(random: &mut SplitMix64) -> (Blocks, Blocks) {
        let vector = |random: &mut SplitMix64, scale: f64| {
            let numbers: Vec<f64> = (0..6).map(|_| scale * f64::from(random.bell())).collect();
            Blocks::new(vec![TensorData::new(numbers, [6])])
        };
        let scale = 10f64.powf(f64::from(random.range(-3.0, 3.0)));
        (vector(random, 1.0), vector(random, scale))
    }

    /// H = (I - s ybar' / c) (I / gamma) (I - ybar s' / c) + s s' / c with c = s.ybar. With
    /// gamma >= |y| / |s|, |ybar| <= gamma |s| <= 4 c / |s|, so |H| <= (25 + 4) / gamma.
    #[test]
    fn the_matrix_of_a_pair_is_bounded_whatever_the_pair() {
        let mut random = SplitMix64::new(5);
        let method = SdLBfgsConfig::new().with_memory(1).with_delta(1e-6).build();
        for _ in 0..2000 {
            let (s, y) = pair(&mut random);
            let mut known = Curvature { matrix: InverseLBfgs::new(1), gamma: Vec::new() };
            let zeros = s.zeros_like();
            let _ = method.add_pair(&mut known, (zeros.clone(), zeros.clone()), &s, &y);
            let gamma = known.gamma[0];
            assert!(gamma >= norm(&y) / norm(&s) * (1.0 - 1e-12));
            let mut out = zeros;
            let scaling = Scaling::Fixed(1.0 / gamma);
            known.matrix.apply(1.0, scaling, &y, &mut out).expect("finite");
            assert!(norm(&out) <= 29.0 * norm(&y) / gamma * (1.0 + 1e-12));
        }
    }
}
