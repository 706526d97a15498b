//! The type users hold: a method, its state, and what is common to all methods.

mod group;
mod record;
mod session;
mod step;

pub use group::Group;
pub(crate) use session::Session;

use crate::{
    error::{ConfigError, require_decay},
    oracle::{Clipping, Screen},
    protocol::{Method, State},
};

/// An optimizer of a whole module: a [`Method`] with its state, parameter groups and clipping.
///
/// The first step fixes the layout: the trainable parameters that have a gradient then.
///
/// What every step promises:
/// - it computes, decides, and writes model and state once: after a rejected step or an `Err` the
///   parameters are bit-identical and the state is as before;
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
    pub(crate) session: Option<Session<K::State>>,
}

impl<K: Method> Optimizer<K> {
    /// An optimizer before its first step.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn new(method: K) -> Result<Self, ConfigError> {
        method.validate()?;
        require_decay(K::NAME, method.decay())?;
        let screen = Screen { guard: true, clipping: None };
        Ok(Self {
            method,
            groups: Vec::new(),
            screen,
            seed: 0,
            allow_differences: false,
            session: None,
        })
    }

    /// Gives some parameters other settings. Takes effect before the first step.
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
        let Some(Session { state, .. }) = &self.session else { return 0 };
        let vectors = state.vectors().into_iter().map(|(_, blocks)| blocks.num_bytes());
        let matrices = state.matrices().into_iter().map(|(_, matrix)| matrix.parts().0.num_bytes());
        vectors.chain(matrices).sum()
    }
}
