//! Quasi-Adam whose pairs come from one batch.
//!
//! After the step from theta_t to theta_{t+1} the gradient of *the same batch* is evaluated again,
//! so that y = grad f(theta_{t+1}) - grad f(theta_t) is a change of one function: what Theorem 1 of
//! the paper assumes. Everything else is [`QuasiAdam`].

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
    /// y = grad f(theta_new) - memory. Where that gradient is not finite, or cannot be had, there is
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
