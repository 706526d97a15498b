//! Quasi-Adam whose pairs come from one batch.
//!
//! # Idea
//! After the step from theta_t to theta_{t+1} the gradient of *the same batch* is evaluated again,
//! so that y = grad f(theta_{t+1}) - grad f(theta_t) is a change of one function: what Theorem 1 of
//! the paper assumes. Everything else is [`QuasiAdam`].
//!
//! # Algorithm
//! Step t with gradient g of the batch:
//! 1. Steps 1 to 5 of [`QuasiAdam`](super), with the pair (s, y) that the step before left; none at t = 1.
//! 2. s <- theta_new - theta_old; y <- the same batch's gradient at theta_new, minus g (the pair of Theorem 1). Where
//!    that gradient cannot be used, the next step has no pair.
//!
//! # Notation
//! y: `memory` of [`QuasiAdamState`].
//!
//! # Cost
//! 4 vectors of memory; 13R + 5W, as printed 11R + 5W: those of [`QuasiAdam`](super), and 2R + 1W for y. Two
//! gradients.
//!
//! # When not to use it
//! Where the second gradient buys more as a step of its own: in our runs the pairs were not worth it.
//!
//! # Deviations
//! Those of [`QuasiAdam`](super) but one: the authors' codes take y from consecutive batches.
//!
//! # References
//! Ranganath, Romero, Singhal, Marcia, *Quasi-Adam: accelerating Adam using quasi-Newton approximations*, 2024,
//! Theorem 1.
//!
//! # Example
//! Noise cannot spoil the sign of a pair: on a convex loss all are accepted, whatever the batches.
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{Batches, PairOutcome, QuasiAdamConfig};
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
//! # let y = x.clone().sum_dim(1).sin() * 5.0;
//! let mut batches = Batches::shuffled(64, 4, 0)?;
//! let mut optimizer = QuasiAdamConfig::new().init_same_batch()?;
//! for step in 0..20 {
//!     let report =
//!         optimizer.step_on(0.05, &mut model, &mut batches, |model: &Linear, records: &[usize]| {
//!             (model.forward(rows(&x, records)) - rows(&y, records)).powi_scalar(2).mean()
//!         })?;
//!     assert!(step == 0 || report.evals.gradient == 2);
//!     assert!(step == 0 || matches!(report.pair, PairOutcome::Stored { .. }));
//! }
//! # Ok(())
//! # }
//! ```

use secant_core::report::{Rejection, StepReport};

use super::{Memory, QuasiAdam, QuasiAdamState};
use crate::{
    blocks::{Layout, Number, TensorKernel, for_each_tensor},
    error::{ConfigError, StepError},
    oracle::Oracle,
    protocol::{Decay, Method, StepContext, add_l2},
};

/// Quasi-Adam with two gradients of one batch in each step; see the [module](self).
#[derive(Clone, Debug)]
pub struct QuasiAdamSameBatch {
    inner: QuasiAdam,
}

impl QuasiAdamSameBatch {
    /// Takes the hyper-parameters of `inner`.
    pub fn new(inner: QuasiAdam) -> Self {
        Self { inner }
    }
}

impl Method for QuasiAdamSameBatch {
    type State = QuasiAdamState;
    const NAME: &'static str = "quasi-adam-same-batch";

    fn validate(&self) -> Result<(), ConfigError> {
        self.inner.validate()
    }

    fn decay(&self) -> Decay {
        self.inner.decay()
    }

    fn evaluates_again(&self) -> bool {
        true
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        self.inner.state_settings()
    }

    fn init(&self, layout: &Layout) -> QuasiAdamState {
        self.inner.init(layout)
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut QuasiAdamState,
    ) -> Result<StepReport, StepError> {
        let mut before = oracle.gradient()?;
        if before.rejection.is_some() {
            return Ok(before.report(oracle.evals()));
        }
        // 1. The step.
        let mut update = Err(Rejection::NonFiniteReduction);
        oracle.write(&mut |theta| {
            update = self.inner.advance(context, theta, &mut before.gradient, state, Memory::Y);
        });
        before.rejection = update.err();
        if update.is_ok() {
            self.finish_pair(context, oracle, state);
        }
        let mut report = before.report(oracle.evals());
        report.pair = update.unwrap_or(report.pair);
        Ok(report)
    }
}

impl QuasiAdamSameBatch {
    /// Step 2: y = grad f(theta_new) - memory. Where that gradient is not finite, or cannot be had, there is
    /// no pair: the step is made, and what is broken meets the next one.
    fn finish_pair(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut QuasiAdamState,
    ) {
        // A panic in the closure must not leave a displacement beside another step's y.
        let s = std::mem::take(&mut state.s);
        let after = oracle.gradient().ok().filter(|after| after.rejection.is_none());
        let Some(mut after) = after else { return };
        if context.tensors.iter().any(|tensor| tensor.decay.l2() != 0.0) {
            oracle.write(&mut |theta| add_l2(context, theta, &mut after.gradient));
        }
        for_each_tensor(|_| Change, [&mut state.memory], [&after.gradient]);
        state.s = s;
    }
}

/// memory <- g - memory.
#[derive(Clone, Copy)]
struct Change;

impl TensorKernel<1, 1, 0> for Change {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [memory]: [N; 1], [g]: [N; 1]) -> [N; 1] {
        [g - memory]
    }
}
