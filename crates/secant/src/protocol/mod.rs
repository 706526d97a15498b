//! What a method is, and how a step of it is made: the traits that methods implement and optimizers
//! rely on.

mod decay;
mod fit;
mod settings;
mod state;
mod traffic;

pub use decay::Decay;
pub(crate) use decay::{HAS_STABLE, add_l2, refuse_stable, shrink, validate};
pub(crate) use fit::{extended, misfit};
pub(crate) use settings::own_rate;
pub use settings::{StepContext, TensorSettings};
pub use state::State;
pub(crate) use state::record_state;
pub use traffic::Traffic;

use secant_core::report::{PairOutcome, Rejection, StepReport};

use crate::{
    blocks::{Blocks, Entry, Layout},
    error::{ConfigError, StepError},
    oracle::Oracle,
};

/// An optimizer: immutable hyper-parameters, and a step that advances a [`State`].
pub trait Method: Clone + Send + Sync + 'static {
    /// What it remembers from step to step.
    type State: State;

    /// Its name, as in records and in the command.
    const NAME: &'static str;

    /// Checks every hyper-parameter.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    fn validate(&self) -> Result<(), ConfigError>;

    /// The decay of parameters whose group does not say otherwise.
    fn decay(&self) -> Decay;

    /// The decay of one parameter whose group does not say otherwise.
    fn decay_of(&self, _: &Entry) -> Decay {
        self.decay()
    }

    /// Checks what hyper-parameters say of single parameters.
    ///
    /// # Errors
    /// They name a parameter that is not there.
    fn check_layout(&self, _: &Layout) -> Result<(), StepError> {
        Ok(())
    }

    /// What a step moves beyond its evaluations, where that has been counted.
    fn traffic(&self) -> Option<Traffic> {
        None
    }

    /// Whether a step asks for more than one evaluation, which must then see the same function.
    fn evaluates_again(&self) -> bool {
        false
    }

    /// Whether a step searches along the loss. It is then told every loss's value, gradients are not
    /// clipped, all parameters have one step length, and decay is part of the loss.
    fn searches(&self) -> bool {
        false
    }

    /// Whether a method that searches also takes decoupled decay, which is then no part of the loss.
    fn decays_apart(&self) -> bool {
        false
    }

    /// Whether a step is one gradient and an update that treats every tensor by itself, so that the method
    /// also works one parameter at a time, as Burn's own optimizers do, and can leave some alone. A list
    /// of numbers in the state then has one number for each tensor, and an update of a finite gradient
    /// never fails.
    fn is_per_tensor(&self) -> bool {
        false
    }

    /// Whether gradients are taken at another point than the one to evaluate the model at, which is an
    /// average. It has the part of a schedule: the rate is to stay.
    fn averages(&self) -> bool {
        false
    }

    /// Moves the parameters of the next gradient, `theta`, to the point to evaluate the model at. Asked
    /// only of a method that averages.
    fn average(&self, _theta: &mut Blocks, _state: &Self::State) {}

    /// How many records the next batch shall have; none where the method leaves that to its user. The
    /// batches of [`Optimizer::step_on`](crate::Optimizer::step_on) follow.
    fn batch_size(&self, _: &Self::State) -> Option<usize> {
        None
    }

    /// The hyper-parameters that decide what the state holds and what its numbers stand for, with their
    /// values. A record is loaded only where all of them agree; the others can change between saving
    /// and loading. The size of a memory is none of them: of too many pairs the newest are kept.
    fn state_settings(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The state before the first step.
    fn init(&self, layout: &Layout) -> Self::State;

    /// One step: asks the oracle, decides, and writes parameters and state once.
    ///
    /// # Errors
    /// A broken contract, such as a gradient that is missing. Nothing is written then.
    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut Self::State,
    ) -> Result<StepReport, StepError>;
}

/// A method that needs one gradient and no other evaluation.
pub trait GradientMethod: Method {
    /// Whether parameters can join a state of fewer, with entries as before the first step: not where
    /// a vector is a point, which zeros would move.
    fn can_be_extended(&self) -> bool {
        true
    }

    /// Moves `theta` along a finite `gradient`, which it may take.
    ///
    /// # Errors
    /// The reason for which it wrote neither parameters nor state.
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut Self::State,
    ) -> Result<PairOutcome, Rejection>;
}

/// The step of every [`GradientMethod`]: one gradient, one update.
///
/// # Errors
/// What the oracle says.
pub fn gradient_step<G: GradientMethod>(
    method: &G,
    context: &StepContext<'_>,
    oracle: &mut dyn Oracle,
    state: &mut G::State,
) -> Result<StepReport, StepError> {
    let mut at = oracle.gradient()?;
    if at.rejection.is_some() {
        return Ok(at.report(oracle.evals()));
    }
    let mut update = Err(Rejection::NonFiniteReduction);
    oracle.write(&mut |theta| update = method.update(context, theta, &mut at.gradient, state));
    at.rejection = update.err();
    let mut report = at.report(oracle.evals());
    report.pair = update.unwrap_or(report.pair);
    Ok(report)
}

/// Implements [`Method::step`] for a [`GradientMethod`].
macro_rules! step_by_gradient {
    () => {
        fn step(
            &self,
            context: &$crate::protocol::StepContext<'_>,
            oracle: &mut dyn $crate::oracle::Oracle,
            state: &mut Self::State,
        ) -> Result<secant_core::report::StepReport, $crate::error::StepError> {
            $crate::protocol::gradient_step(self, context, oracle, state)
        }
    };
}
pub(crate) use step_by_gradient;
