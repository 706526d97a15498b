//! SQN: a stochastic quasi-Newton method with curvature from Hessian products.
//!
//! # Idea
//! Gradients and curvature at different paces: steps on small batches, and every L steps one pair
//! from the averages of the iterates, whose y is the Hessian of a larger sample times s instead of a
//! difference of noisy gradients.
//!
//! # Algorithm
//! Step k (Byrd et al., Algorithm 1):
//! 1. theta <- theta - lr_k H g; without pairs, H = I: the first 2L steps are SGD (H is their Algorithm 2; here H g,
//!    by the two-loop recursion, Nocedal and Wright's Algorithm 7.4 with (7.20)).
//! 2. Every L steps: wbar = the mean of the last L iterates, s = its displacement since the last time,
//!    y = (Hessian of an independent sample of b_H records at wbar) s. Store (s, y) if it passes the
//!    curvature test.
//!
//! # Notation
//! L, b_H, M: the fields `curvature_every`, `hessian_batch` and `memory` of [`SqnConfig`], M being m below;
//! wbar: `mean` of [`SqnState`].
//!
//! # Cost
//! 2m + 2 vectors of memory; a gradient in each step, and a Hessian product of b_H records every L
//! steps; 4m R for the matrix, 2m R more for a new pair.
//!
//! # When not to use it
//! Non-convex problems with many directions of negative curvature: their pairs are left out. It needs
//! [`Optimizer::step_on`], with [`Duals`](crate::Duals) for exact products; with
//! [`Optimizer::step`] the sample is the batch.
//!
//! # Deviations
//! The rate is constant unless told ([`RateDecay::Inverse`] is the paper's beta / k), so that schedules
//! work. The curvature test is relative.
//!
//! # References
//! Byrd, Hansen, Nocedal, Singer, *A stochastic quasi-Newton method for large-scale optimization*, 2016,
//! Algorithms 1 and 2.
//!
//! # Example
//! A pair every 5 steps, from an exact Hessian product on 32 records; the first pair is in the tenth step:
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{Batches, Duals, SqnConfig, dual::Tangents};
//!
//! # fn rows(of: &Tensor<2>, records: &[usize]) -> Tensor<2> {
//! #     let numbers: Vec<i64> = records.iter().map(|record| *record as i64).collect();
//! #     of.clone().select(0, Tensor::from_ints(numbers.as_slice(), &of.device()))
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let numbers: Vec<f32> = (0..128).map(|i| (i as f32).sin()).collect();
//! # let x = Tensor::<1>::from_floats(numbers.as_slice(), &device).reshape([64, 2]);
//! # let y = x.clone().sum_dim(1) * 2.0 + 1.0;
//! let mut batches = Batches::shuffled(64, 8, 0)?;
//! let mut optimizer = SqnConfig::new(32).with_curvature_every(5).init()?;
//! let (mut losses, mut products) = (Vec::new(), Vec::new());
//! for _ in 0..40 {
//!     let loss = Duals(|model: &Linear, at: &Tangents, records: &[usize]| {
//!         at.linear(model, rows(&x, records)).mse(rows(&y, records))
//!     });
//!     let report = optimizer.step_on(0.1, &mut model, &mut batches, loss)?;
//!     losses.extend(report.loss);
//!     products.push(report.evals.hessian_vector);
//! }
//! assert_eq!(products[4..10], [0, 0, 0, 0, 0, 1]);
//! assert!(losses[39] < 1e-2 * losses[0]);
//! # Ok(())
//! # }
//! ```

use secant_core::{
    curvature::{CurvatureTest, PairProducts},
    report::{Outcome, Rejection, StepReport},
};

use super::RateDecay;
use crate::objective::{Beginning, Objective, displaced};
use crate::{
    blocks::{Blocks, Layout, add_scaled, dot},
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    operator::{InverseLBfgs, Scaling},
    optimizer::Optimizer,
    oracle::{Oracle, Records},
    protocol::{Decay, Method, StepContext, record_state},
};

hyper_parameters! {
    /// Configuration of [`Sqn`].
    #[derive(Copy)]
    pub struct SqnConfig {
        /// Records of a Hessian product; some hundreds are usual.
        #[range(AtLeast1)]
        hessian_batch: usize,
        /// Pairs.
        #[config(default = 10)]
        #[range(AtLeast1)]
        memory: usize,
        /// Steps between two pairs.
        #[config(default = 10)]
        #[range(AtLeast1)]
        curvature_every: usize,
        /// How the rate falls.
        #[config(default = "RateDecay::None")]
        rate_decay: RateDecay,
        /// Which pairs are stored.
        #[config(default = "CurvatureTest::Relative(1e-8)")]
        curvature_test: CurvatureTest,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl SqnConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> Sqn {
        Sqn { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<Sqn>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// SQN; see the [module](self).
#[derive(Clone, Debug)]
pub struct Sqn {
    config: SqnConfig,
}

/// The state of [`Sqn`].
#[derive(Clone, Debug, Default)]
pub struct SqnState {
    matrix: InverseLBfgs,
    /// The mean of the iterates since the last pair.
    mean: Blocks,
    /// That of the time before; empty before the first.
    last_mean: Blocks,
    steps: u64,
}

record_state!(SqnState {
    vectors: [mean, last_mean],
    counters: [steps],
    numbers: [],
    matrices: [matrix]
});

impl Method for Sqn {
    type State = SqnState;
    const NAME: &'static str = "sqn";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn evaluates_again(&self) -> bool {
        true
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        vec![("curvature_every", self.config.curvature_every.to_string())]
    }

    fn init(&self, layout: &Layout) -> SqnState {
        let matrix = InverseLBfgs::new(self.config.memory);
        SqnState { matrix, mean: Blocks::zeros(layout), ..Default::default() }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut SqnState,
    ) -> Result<StepReport, StepError> {
        let mut objective = Objective::new(context, oracle);
        let (theta, gradient, mut report) = match objective.here()? {
            Ok(Beginning { theta, known, report, .. }) => (theta, known.gradient, report),
            Err(report) => return Ok(report),
        };
        // 1. The step.
        let mut direction = gradient.zeros_like();
        if state.matrix.apply(-1.0, Scaling::Newest, &gradient, &mut direction).is_none() {
            report.outcome = Outcome::Rejected(Rejection::NonFiniteReduction);
            return Ok(report);
        }
        let factor = self.config.rate_decay.factor(state.steps);
        let point = displaced(context, &theta, factor, &direction);
        // 2. The pair.
        let every = self.config.curvature_every as u64;
        let mut mean = state.mean.clone();
        add_scaled(&mut mean, 1.0 / every as f64, &point);
        if (state.steps + 1).is_multiple_of(every) {
            if !state.last_mean.is_empty() {
                match self.curvature(&mut objective, &mut mean, &state.last_mean)? {
                    Ok((products, s, y)) => {
                        report.pair = state.matrix.push(self.config.curvature_test, products, s, y);
                    }
                    Err(rejection) => report.outcome = Outcome::Rejected(rejection),
                }
            }
            if report.is_accepted() {
                state.last_mean = std::mem::replace(&mut mean, theta.zeros_like());
            }
        }
        report.evals = objective.oracle.evals();
        if report.is_accepted() {
            state.mean = mean;
            state.steps += 1;
            objective.move_to(point);
        }
        Ok(report)
    }
}

impl Sqn {
    /// 2. s = `mean` - `last_mean` and y = H s at `mean`, on an independent sample.
    fn curvature(
        &self,
        objective: &mut Objective<'_>,
        mean: &mut Blocks,
        last_mean: &Blocks,
    ) -> Result<Result<(PairProducts, Blocks, Blocks), Rejection>, StepError> {
        let mut s = mean.clone();
        add_scaled(&mut s, -1.0, last_mean);
        if dot(&s, &s) == 0.0 {
            let products = PairProducts { ss: 0.0, sy: 0.0, yy: 0.0 };
            return Ok(Ok((products, s.zeros_like(), s)));
        }
        let sample = Records::Sample(self.config.hessian_batch);
        let curved = objective.oracle.hessian_vector(sample, mean, &s)?;
        if let Some(rejection) = curved.at.rejection {
            return Ok(Err(rejection));
        }
        let mut y = curved.product;
        objective.add_decay_product(&mut y, &s);
        let products = PairProducts { ss: dot(&s, &s), sy: dot(&s, &y), yy: dot(&y, &y) };
        Ok(Ok((products, s, y)))
    }
}
