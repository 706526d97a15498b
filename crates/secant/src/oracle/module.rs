//! The oracle of a module and a closure.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use secant_core::report::{Evals, Rejection};

use super::{
    BatchSizes, Curved, Evaluation, Loss, Oracle, Records, Screen,
    parameters::{copy_parameters, take_gradients, write_parameters},
    probe::Probe,
    running::RunningStatistics,
};
use crate::{
    batches::Batches,
    blocks::{Blocks, Layout},
    error::StepError,
    vectors::add_scaled,
};

/// The loss tensor and the gradients at the model's parameters.
pub(crate) fn evaluate<M: Module, R: ?Sized>(
    model: &M,
    loss: &mut dyn Loss<M, R>,
    records: &R,
) -> Result<(Tensor<1>, GradientsParams), StepError> {
    let loss = value(model, loss, records)?;
    if !loss.is_tracked() {
        return Err(StepError::Untracked);
    }
    let gradients = GradientsParams::from_grads(loss.backward(), model);
    Ok((loss.inner(), gradients))
}

fn value<M: Module, R: ?Sized>(
    model: &M,
    loss: &mut dyn Loss<M, R>,
    records: &R,
) -> Result<Tensor<1>, StepError> {
    let loss = loss.value(model, records);
    match loss.shape().num_elements() {
        1 => Ok(loss),
        elements => Err(StepError::LossShape { elements }),
    }
}

/// The oracle of one step.
pub(crate) struct ModuleOracle<'a, 'c, M> {
    pub model: &'a mut M,
    pub layout: &'a Layout,
    pub screen: Screen,
    /// Whether the method needs the value of every loss.
    pub reads_loss: bool,
    /// The loss; absent where the caller brought the gradients.
    pub loss: Option<&'c mut dyn Loss<M, [usize]>>,
    /// Where the loss is told its records: the batch of the step, and what else can be drawn.
    pub batches: Option<&'c mut Batches>,
    /// Gradients already there for the first question.
    pub ready: Option<(Option<Tensor<1>>, GradientsParams)>,
    /// The seed of every evaluation of this step, where the loss is random.
    pub seed: Option<u64>,
    pub evals: Evals,
    /// Whether this step has been answered a gradient.
    pub answered: bool,
    /// Whether differences of gradients may stand for Hessian products where the loss has kinks.
    pub allow_differences: bool,
}

impl<M: Module> ModuleOracle<'_, '_, M> {
    /// Loss and gradients at `model`, or at the user's model, on `records`, or on the batch. All but
    /// the first leave no trace in running statistics.
    fn evaluate(
        &mut self,
        model: Option<&M>,
        records: Option<&[usize]>,
    ) -> Result<(Tensor<1>, GradientsParams), StepError> {
        let loss = self.loss.as_deref_mut().ok_or(StepError::NoGradient)?;
        let batch = self.batches.as_deref().map_or(&[][..], Batches::batch);
        let before = self.answered.then(|| RunningStatistics::of(self.model));
        if let Some(seed) = self.seed {
            seed_device(self.model, seed)?;
        }
        let model = model.unwrap_or(self.model);
        let records = records.unwrap_or(batch);
        self.evals.gradient_records += records.len() as u64;
        let evaluated = evaluate(model, loss, records);
        if let Some(before) = before {
            before.restore(model);
        }
        self.answered = true;
        self.evals.gradient += 1;
        evaluated
    }

    /// The parts in which `records` are evaluated; none is the batch.
    pub(super) fn parts(&mut self, records: Records) -> Option<Vec<Vec<usize>>> {
        let batches = self.batches.as_deref_mut()?;
        match records {
            Records::Batch => None,
            Records::All => Some(batches.parts()),
            Records::Shared => Some(vec![batches.shared().to_vec()]),
            Records::Sample(size) => Some(vec![batches.sample(size)]),
            Records::SameSample => Some(vec![batches.sampled().to_vec()]),
        }
    }

    /// The mean of loss and gradient over all `records`, at `model`, or at the user's model.
    fn mean(&mut self, records: Records, model: Option<&M>) -> Result<(f64, Blocks), StepError> {
        let Some(parts) = self.parts(records) else { return self.loss_and_gradient(model, None) };
        if let [part] = parts.as_slice() {
            return self.loss_and_gradient(model, Some(part));
        }
        let records: usize = parts.iter().map(Vec::len).sum();
        let (mut mean_loss, mut mean) = (0.0, Blocks::zeros(self.layout));
        for part in parts {
            let weight = part.len() as f64 / records as f64;
            let (loss, gradient) = self.loss_and_gradient(model, Some(&part))?;
            mean_loss += weight * loss;
            add_scaled(&mut mean, weight, &gradient);
        }
        Ok((mean_loss, mean))
    }

    pub(super) fn loss_and_gradient(
        &mut self,
        model: Option<&M>,
        records: Option<&[usize]>,
    ) -> Result<(f64, Blocks), StepError> {
        let (loss, gradients) = self.evaluate(model, records)?;
        let gradient = take_gradients(model.unwrap_or(self.model), self.layout, gradients)?;
        Ok((read(&loss), gradient))
    }

    /// The loss of `model` on `records`, or on the batch, without a trace in running statistics.
    fn value_of(&mut self, model: &M, records: Option<&[usize]>) -> Result<f64, StepError> {
        let loss = self.loss.as_deref_mut().ok_or(StepError::NoGradient)?;
        let batch = self.batches.as_deref().map_or(&[][..], Batches::batch);
        let before = RunningStatistics::of(self.model);
        if let Some(seed) = self.seed {
            seed_device(self.model, seed)?;
        }
        let evaluated = value(model, loss, records.unwrap_or(batch)).map(|loss| read(&loss));
        before.restore(self.model);
        self.evals.loss += 1;
        evaluated
    }

    /// An answer whose loss was read.
    pub(super) fn screened(&self, loss: f64, mut gradient: Blocks) -> Evaluation {
        let (gradient_norm, rejection) = if self.screen.guard && !loss.is_finite() {
            (None, Some(Rejection::NonFiniteLoss))
        } else {
            match self.screen.apply(&mut gradient) {
                Ok(norm) => (norm, None),
                Err(rejection) => (None, Some(rejection)),
            }
        };
        Evaluation { loss: Some(loss), gradient, gradient_norm, rejection }
    }
}

impl<M: Module> Oracle for ModuleOracle<'_, '_, M> {
    fn gradient(&mut self) -> Result<Evaluation, StepError> {
        let (loss, gradients) = match self.ready.take() {
            Some(ready) => ready,
            None => self.evaluate(None, None).map(|(loss, gradients)| (Some(loss), gradients))?,
        };
        self.answered = true;
        let gradient = take_gradients(self.model, self.layout, gradients)?;
        // Reading the loss is a decision of the guard.
        match loss.filter(|_| self.screen.guard || self.reads_loss) {
            Some(loss) => Ok(self.screened(read(&loss), gradient)),
            None => {
                let answer = self.screened(0.0, gradient);
                Ok(Evaluation { loss: None, ..answer })
            }
        }
    }

    fn gradient_of(&mut self, records: Records) -> Result<Evaluation, StepError> {
        let (loss, gradient) = self.mean(records, None)?;
        Ok(self.screened(loss, gradient))
    }

    fn gradient_at(
        &mut self,
        records: Records,
        point: &mut Blocks,
    ) -> Result<Evaluation, StepError> {
        let probe = Probe::new(self.model, self.layout, point, true);
        let (loss, gradient) = self.mean(records, Some(probe.model()))?;
        Ok(self.screened(loss, gradient))
    }

    fn hessian_vector(
        &mut self,
        records: Records,
        point: &mut Blocks,
        vector: &Blocks,
    ) -> Result<Curved, StepError> {
        self.curved(records, point, vector)
    }

    fn value_at(&mut self, records: Records, point: &mut Blocks) -> Result<f64, StepError> {
        let parts = self.parts(records);
        let probe = Probe::new(self.model, self.layout, point, false);
        let Some(parts) = parts else { return self.value_of(probe.model(), None) };
        let records: usize = parts.iter().map(Vec::len).sum();
        let mut mean = 0.0;
        for part in parts {
            let weight = part.len() as f64 / records as f64;
            mean += weight * self.value_of(probe.model(), Some(&part))?;
        }
        Ok(mean)
    }

    fn batch_sizes(&self) -> BatchSizes {
        match self.batches.as_deref() {
            None => BatchSizes { batch: 1, records: 1, can_change: false },
            Some(batches) => BatchSizes {
                batch: batches.batch().len(),
                records: batches.records(),
                can_change: batches.can_resize(),
            },
        }
    }

    fn is_batch(&self, records: Records) -> bool {
        let Some(batches) = self.batches.as_deref() else { return true };
        match records {
            Records::Batch => true,
            Records::All => is_all(batches),
            Records::Shared => batches.shared() == batches.batch(),
            Records::SameSample => false,
            Records::Sample(size) => {
                size >= batches.records() && !batches.has_given_samples() && is_all(batches)
            }
        }
    }

    fn parameters(&mut self) -> Result<Blocks, StepError> {
        copy_parameters(self.model, self.layout)
    }

    fn write(&mut self, update: &mut dyn FnMut(&mut Blocks)) {
        write_parameters(self.model, self.layout, update);
    }

    fn evals(&self) -> Evals {
        self.evals
    }
}

/// Whether the batch has every record once.
fn is_all(batches: &Batches) -> bool {
    let batch = batches.batch();
    let mut seen = vec![false; batch.len()];
    batch.len() == batches.records() && {
        batch.iter().for_each(|record| seen[*record] = true);
        seen.into_iter().all(|seen| seen)
    }
}

/// Whether two evaluations of the loss at one point differ: dropout, augmentation.
///
/// Both are forward passes without a graph, and leave no trace in running statistics.
pub(crate) fn is_random<M: Module>(
    model: &M,
    loss: &mut dyn Loss<M, [usize]>,
    records: &[usize],
    evals: &mut Evals,
) -> Result<bool, StepError> {
    let statistics = RunningStatistics::of(model);
    let frozen = model.clone().no_grad();
    let mut bits = || value(&frozen, loss, records).map(|loss| read(&loss).to_bits());
    let answers = (bits(), bits());
    statistics.restore(model);
    evals.loss += 2;
    Ok(answers.0? != answers.1?)
}

pub(super) fn read(loss: &Tensor<1>) -> f64 {
    loss.clone().into_scalar()
}

/// Seeds the device of the first parameter.
pub(crate) fn seed_device<M: Module>(model: &M, seed: u64) -> Result<(), StepError> {
    struct First(Option<Device>);
    impl ModuleVisitor for First {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.is_none() {
                self.0 = Some(param.val().device());
            }
        }
    }
    let mut first = First(None);
    model.visit(&mut first);
    first.0.ok_or(StepError::NoGradient)?.seed(seed);
    Ok(())
}
