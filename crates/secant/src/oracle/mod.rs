//! Answers a method's questions about the loss, and counts every answer.

mod curvature;
mod function;
mod gauss_newton;
mod loss;
mod module;
mod parameters;
mod probe;
mod running;
mod screen;

pub use function::Function;
pub(crate) use function::{FunctionOracle, layout_of_vector};
pub(crate) use loss::OfBatch;
pub use loss::{Duals, Loss, WithProduct};
pub(crate) use module::{ModuleOracle, Ready, evaluate, is_random, seed_device, share};
pub(crate) use parameters::{
    all_parameters, layout_with_gradients, trainable_layout, write_parameters,
};
pub(crate) use running::RunningStatistics;
pub use screen::Clipping;
pub(crate) use screen::Screen;

use secant_core::report::{Evals, Outcome, Rejection, StepReport};

use crate::{
    blocks::{Blocks, dot},
    error::StepError,
};

/// The records that a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// The batch of the step.
    Batch,
    /// The first so many of the batch.
    Part(usize),
    /// All there are.
    All,
    /// Those that this batch shares with the next.
    Shared,
    /// This many, drawn independently.
    Sample(usize),
    /// Those of the sample drawn last.
    SameSample,
}

/// How many records there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSizes {
    /// In the batch of the step.
    pub batch: usize,
    /// In all.
    pub records: usize,
    /// Whether batches of another size can be drawn.
    pub can_change: bool,
}

/// What a method may ask during one step. In [`Optimizer::step`](crate::Optimizer::step), whose
/// closure stands for all data there are, all [`Records`] are the batch.
pub trait Oracle {
    /// The gradient of the batch at the current parameters, screened and clipped. Asked first.
    ///
    /// # Errors
    /// A broken contract: a gradient that is missing, a loss that is not one number.
    fn gradient(&mut self) -> Result<Evaluation, StepError>;

    /// The gradient at the current parameters; its loss is read.
    ///
    /// # Errors
    /// As [`Oracle::gradient`].
    fn gradient_of(&mut self, records: Records) -> Result<Evaluation, StepError>;

    /// The gradient at `point`, which is lent and comes back; its loss is read.
    ///
    /// # Errors
    /// As [`Oracle::gradient`].
    fn gradient_at(
        &mut self,
        records: Records,
        point: &mut Blocks,
    ) -> Result<Evaluation, StepError>;

    /// Loss, gradient and H `vector` at `point`, which is lent and comes back: exact where the loss
    /// was given on duals or with a product of its own, else by differences of gradients. Neither
    /// screened nor clipped is H `vector`.
    ///
    /// # Errors
    /// As [`Oracle::gradient`]; differences of a loss that has kinks; a product over records that
    /// have to be evaluated in parts.
    fn hessian_vector(
        &mut self,
        records: Records,
        point: &mut Blocks,
        vector: &Blocks,
    ) -> Result<Curved, StepError>;

    /// v_i'C v_j for the `vectors` v, with the curvature C of the loss at `point`, which is lent and comes
    /// back: the Gauss-Newton matrix where the loss is on duals, by forward passes; else the Hessian, by
    /// [`Oracle::hessian_vector`]. Numbers can be NaN or infinite.
    ///
    /// # Errors
    /// As [`Oracle::hessian_vector`]; a loss on duals that marks no output.
    fn curvature_form(
        &mut self,
        records: Records,
        point: &mut Blocks,
        vectors: &[&Blocks],
    ) -> Result<Vec<Vec<f64>>, StepError> {
        hessian_form(self, records, point, vectors)
    }

    /// The loss at `point`, which is lent and comes back; it can be NaN or infinite.
    ///
    /// # Errors
    /// A loss that is not one number.
    fn value_at(&mut self, records: Records, point: &mut Blocks) -> Result<f64, StepError>;

    /// How many records the batch has, and could have.
    fn batch_sizes(&self) -> BatchSizes;

    /// Whether `records` are those of the batch, so that its gradient answers for them.
    fn is_batch(&self, records: Records) -> bool;

    /// A copy of the parameters.
    ///
    /// # Errors
    /// The model's parameters are no longer those of the layout.
    fn parameters(&mut self) -> Result<Blocks, StepError>;

    /// Lends the parameters to be written; they are back in the model when it returns, and when
    /// `update` panics: as they are then.
    fn write(&mut self, update: &mut dyn FnMut(&mut Blocks));

    /// Evaluations so far in this step.
    fn evals(&self) -> Evals;
}

/// The same with the Hessian, whose products by differences are symmetric to their error alone.
fn hessian_form<O: Oracle + ?Sized>(
    oracle: &mut O,
    records: Records,
    point: &mut Blocks,
    vectors: &[&Blocks],
) -> Result<Vec<Vec<f64>>, StepError> {
    let product = |vector: &&Blocks| oracle.hessian_vector(records, point, vector);
    let products: Vec<Curved> = vectors.iter().map(product).collect::<Result<_, _>>()?;
    let entry = |i: usize, j: usize| dot(vectors[i], &products[j].product);
    let row = |i| (0..vectors.len()).map(|j| 0.5 * (entry(i, j) + entry(j, i))).collect();
    Ok((0..vectors.len()).map(row).collect())
}

/// The answer to [`Oracle::hessian_vector`].
#[derive(Clone, Debug)]
pub struct Curved {
    /// Loss and gradient.
    pub at: Evaluation,
    /// H v.
    pub product: Blocks,
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
