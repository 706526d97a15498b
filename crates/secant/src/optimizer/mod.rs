//! The type users hold: a method, its state, and what is common to all methods.

mod advance;
mod any;
mod averaged;
mod group;
mod missing;
mod record;
mod session;
mod step;
mod switched;

use std::sync::Arc;

pub use any::{AnyOptimizer, FunctionOptimizer};
pub use group::Group;
pub use missing::MissingGradients;
pub(crate) use session::{Cohort, Session};
pub(crate) use switched::SWITCH;
pub use switched::{Stall, SwitchAt, SwitchConfig};

use crate::{
    collective::{Alone, Collective},
    error::ConfigError,
    oracle::{Clipping, Screen},
    protocol::{Method, State, validate},
};

/// An optimizer of a whole module: a [`Method`] with its state, parameter groups and clipping.
///
/// The first step fixes the layout: the trainable parameters that have a gradient then. Others can
/// follow with [`Optimizer::with_missing_gradients`].
///
/// What every step promises:
/// - it computes, decides, and writes model and state once: after a rejected step or an `Err` the
///   parameters are bit-identical and the state is as before, but for what a method has learnt from a point that it does
///   not go to: a trust region's radius, and a metric's curvature (each method's page says so);
/// - a loss or gradient that is not finite never reaches the parameters: the step is rejected,
///   reported and counted;
/// - all evaluations of one step see the same function: running statistics advance once, and where
///   the loss is random (dropout) and the method evaluates again, every evaluation is seeded alike;
/// - results do not depend on the number of threads;
/// - a panic leaves the model with all its parameters. One in the loss or a search leaves them, and the
///   state, bit-identical. One in the pass that writes them, which only a fault in a method can cause,
///   leaves parameters and state as far as the pass had come: load both from records, or go on with a
///   new optimizer.
#[derive(Clone, Debug)]
pub struct Optimizer<K: Method> {
    method: K,
    groups: Vec<Group>,
    screen: Screen,
    seed: u64,
    allow_differences: bool,
    missing: MissingGradients,
    collective: Arc<dyn Collective>,
    pub(crate) session: Option<Session<K::State>>,
}

impl<K: Method> Optimizer<K> {
    /// An optimizer before its first step.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range; a decay of a kind that the method cannot apply.
    pub fn new(method: K) -> Result<Self, ConfigError> {
        validate(&method)?;
        let screen = Screen { guard: true, clipping: None };
        Ok(Self {
            method,
            groups: Vec::new(),
            screen,
            seed: 0,
            allow_differences: false,
            missing: MissingGradients::Error,
            collective: Arc::new(Alone),
            session: None,
        })
    }

    /// Gives some parameters other settings. Takes effect before the first step, which fails where the
    /// group selects no parameter of the model.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn with_group(mut self, group: Group) -> Result<Self, ConfigError> {
        group.validate()?;
        self.groups.push(group);
        Ok(self)
    }

    /// Clips every gradient before the method sees it.
    ///
    /// # Errors
    /// The threshold is not a positive finite number, or the method searches along the loss.
    pub fn with_clipping(mut self, clipping: Clipping) -> Result<Self, ConfigError> {
        clipping.validate()?;
        if self.method.searches() {
            let reason =
                "it searches along the loss and needs its true gradient; leave out clipping";
            return Err(ConfigError::Conflict { method: K::NAME, reason });
        }
        self.screen.clipping = Some(clipping);
        Ok(self)
    }

    /// Leaves out the test for values that are not finite, which reads the loss, and the gradient
    /// once more before anything is written. A NaN then reaches parameters and state. Methods that
    /// search along the loss keep it.
    #[must_use]
    pub fn without_guard(mut self) -> Self {
        self.screen.guard = self.method.searches();
        self
    }

    /// Seeds evaluations of random losses by methods that evaluate again; 0 unless told.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Lets differences of gradients stand for Hessian products also where the loss has kinks (ReLU,
    /// max-pooling), where they are wrong by 60 to 2000 %. Without it such a step fails.
    #[must_use]
    pub fn allow_differences(mut self) -> Self {
        self.allow_differences = true;
        self
    }

    /// Makes every step together with other ranks; see [`Collective`].
    #[must_use]
    pub fn with_collective(mut self, collective: Arc<dyn Collective>) -> Self {
        self.collective = collective;
        self
    }

    /// Says what happens where a trainable parameter has no gradient in a step. For methods that treat
    /// every tensor by itself: those with one state for all (pairs, averages over epochs) need the same
    /// parameters in every step.
    ///
    /// # Errors
    /// [`MissingGradients::Skip`] and a method, or a scope of it, that treats tensors together.
    pub fn with_missing_gradients(
        mut self,
        missing: MissingGradients,
    ) -> Result<Self, ConfigError> {
        if missing == MissingGradients::Skip && !self.method.is_per_tensor() {
            let reason = "it has one state for all parameters together and cannot leave some alone; \
                          use a method, or a scope, that treats every tensor by itself";
            return Err(ConfigError::Conflict { method: K::NAME, reason });
        }
        self.missing = missing;
        Ok(self)
    }

    /// The method and its hyper-parameters.
    pub fn method(&self) -> &K {
        &self.method
    }

    /// Steps that were accepted.
    pub fn accepted_steps(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| session.accepted_steps)
    }

    /// Steps that were rejected, with parameters and state left alone.
    pub fn rejected_steps(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| session.rejected_steps)
    }

    /// Bytes of memory that the state's vectors take.
    pub fn state_bytes(&self) -> usize {
        let Some(Session { cohorts, .. }) = &self.session else { return 0 };
        let bytes = |Cohort { state, .. }: &Cohort<K::State>| {
            let vectors = state.vectors().into_iter().map(|(_, blocks)| blocks.num_bytes());
            let matrices =
                state.matrices().into_iter().map(|(_, matrix)| matrix.parts().0.num_bytes());
            vectors.chain(matrices).sum::<usize>()
        };
        cohorts.iter().map(bytes).sum()
    }
}
