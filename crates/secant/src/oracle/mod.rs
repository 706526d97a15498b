//! Answers a method's questions about the loss, and counts every answer.

mod module;
mod parameters;
mod running;
mod screen;

pub(crate) use module::{Closure, ModuleOracle, evaluate, is_random, seed_device};
pub(crate) use parameters::{layout_with_gradients, trainable_layout};
pub(crate) use running::RunningStatistics;
pub use screen::Clipping;
pub(crate) use screen::Screen;

use secant_core::report::{Evals, Outcome, Rejection, StepReport};

use crate::{blocks::Blocks, error::StepError};

/// What a method may ask during one step. All answers of a step refer to the same batch.
pub trait Oracle {
    /// The gradient at the current parameters, screened and clipped.
    ///
    /// # Errors
    /// A broken contract: a gradient that is missing, a loss that is not one number.
    fn gradient(&mut self) -> Result<Evaluation, StepError>;

    /// Lends the parameters to be written; they are back in the model when it returns.
    fn write(&mut self, update: &mut dyn FnMut(&mut Blocks));

    /// Evaluations so far in this step.
    fn evals(&self) -> Evals;
}

/// The answer to [`Oracle::gradient`].
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The loss, where it was read.
    pub loss: Option<f64>,
    /// The gradient after clipping; not to be used if `rejection` is set.
    pub gradient: Blocks,
    /// The 2-norm of the gradient before clipping, where it was computed.
    pub gradient_norm: Option<f64>,
    /// Why the step must not use this answer.
    pub rejection: Option<Rejection>,
}

impl Evaluation {
    /// The report of a step that ends with what is known here.
    pub fn report(&self, evals: Evals) -> StepReport {
        let mut report =
            StepReport::new(self.rejection.map_or(Outcome::Accepted, Outcome::Rejected), evals);
        report.loss = self.loss;
        report.gradient_norm = self.gradient_norm;
        report
    }
}
