//! The oracle of a module and a closure.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use secant_core::report::{Evals, Rejection};

use super::{
    BatchSizes, Curved, Evaluation, Loss, Oracle, Records, Screen, hessian_form,
    parameters::{Taken, copy_parameters, take_gradients, write_parameters},
    probe::Probe,
    running::RunningStatistics,
};
use crate::{
    batches::Batches,
    blocks::{Blocks, Layout, add_scaled},
    collective::{Collective, meet},
    error::StepError,
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

/// What the first question of a step is answered with, where its answer is already there.
#[expect(clippy::large_enum_variant, reason = "there is one in a step, and it is moved once")]
pub(crate) enum Ready {
    /// Gradients of this rank's share of the batch, and their loss where it is known.
    Gradients(Option<Tensor<1>>, GradientsParams),
    /// This rank's share of the batch has no record.
    NoShare,
    /// The answer itself.
    Answer(Evaluation),
}

/// The oracle of one step.
pub(crate) struct ModuleOracle<'a, 'c, M> {
    pub model: &'a mut M,
    pub layout: &'a Layout,
    /// The name of the method that asks.
    pub method: &'static str,
    pub screen: Screen,
    /// Whether the method needs the value of every loss.
    pub reads_loss: bool,
    /// The loss; absent where the caller brought the gradients.
    pub loss: Option<&'c mut dyn Loss<M, [usize]>>,
    /// Where the loss is told its records: the batch of the step, and what else can be drawn.
    pub batches: Option<&'c mut Batches>,
    /// The ranks that share out the records.
    pub collective: &'a dyn Collective,
    /// The answer to the first question, where it is already there.
    pub ready: Option<Ready>,
    /// The seed of every evaluation of this step, where the loss is random.
    pub seed: Option<u64>,
    pub evals: Evals,
    /// Whether this step has been answered a gradient.
    pub answered: bool,
    /// Whether differences of gradients may stand for Hessian products where the loss has kinks.
    pub allow_differences: bool,
}

/// What this rank found out about its share of some records.
pub(super) struct Local {
    pub loss: f64,
    pub taken: Taken,
}

/// The records of `records` that this rank evaluates, none where there is none, and their weight in the
/// mean over all. A loss that is not told its records has a batch of its own on each rank.
pub(crate) fn share<'r>(
    collective: &dyn Collective,
    is_told: bool,
    records: &'r [usize],
) -> (Option<&'r [usize]>, f64) {
    match collective.ranks() {
        1 => (Some(records), 1.0),
        ranks if !is_told => (Some(records), 1.0 / ranks as f64),
        _ => {
            let share = collective.share(records);
            let weight = share.len() as f64 / records.len() as f64;
            (Some(share).filter(|share| !share.is_empty()), weight)
        }
    }
}

impl<M: Module> ModuleOracle<'_, '_, M> {
    /// Loss and gradients at `model`, or at the user's model, of this rank's share of `records`, or of
    /// the batch, and its weight. All but the first leave no trace in running statistics.
    fn evaluate(
        &mut self,
        model: Option<&M>,
        records: Option<&[usize]>,
    ) -> (Result<Option<(Tensor<1>, GradientsParams)>, StepError>, f64) {
        let batch = self.batches.as_deref().map_or(&[][..], Batches::batch);
        let records = records.unwrap_or(batch);
        self.evals.gradient += 1;
        self.evals.gradient_records += records.len() as u64;
        let (share, weight) = share(self.collective, self.batches.is_some(), records);
        let (Some(records), Some(loss)) = (share, self.loss.as_deref_mut()) else {
            return (
                if share.is_some() {
                    Err(StepError::NeedsLoss { method: self.method })
                } else {
                    Ok(None)
                },
                weight,
            );
        };
        let before = self.answered.then(|| RunningStatistics::of(self.model));
        let seeded = self.seed.map_or(Ok(()), |seed| seed_device(self.model, seed));
        let model = model.unwrap_or(self.model);
        let evaluated = seeded.and_then(|()| evaluate(model, loss, records));
        if let Some(before) = before {
            before.restore(model);
        }
        self.answered = true;
        (evaluated.map(Some), weight)
    }

    /// The parts in which `records` are evaluated; none is the batch.
    pub(super) fn parts(&mut self, records: Records) -> Option<Vec<Vec<usize>>> {
        let batches = self.batches.as_deref_mut()?;
        match records {
            Records::Batch => None,
            Records::Part(size) => {
                let batch = batches.batch();
                Some(vec![batch[..size.min(batch.len())].to_vec()])
            }
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
        let sum = self.weighted_sum(&parts, model);
        self.meet(sum.map(Some), 1.0)
    }

    /// This rank's part of the mean over the records of all `parts`.
    fn weighted_sum(
        &mut self,
        parts: &[Vec<usize>],
        model: Option<&M>,
    ) -> Result<Local, StepError> {
        let records: usize = parts.iter().map(Vec::len).sum();
        let has_gradient = vec![false; self.layout.entries().len()];
        let mut sum = Taken { gradient: Blocks::zeros(self.layout), has_gradient };
        let mut sum_loss = 0.0;
        for part in parts {
            let (local, share) = self.local(model, Some(part));
            let Some(Local { loss, taken }) = local? else { continue };
            let weight = share * part.len() as f64 / records as f64;
            sum_loss += weight * loss;
            add_scaled(&mut sum.gradient, weight, &taken.gradient);
            sum.has_gradient.iter_mut().zip(taken.has_gradient).for_each(|(all, has)| *all |= has);
        }
        Ok(Local { loss: sum_loss, taken: sum })
    }

    /// What this rank finds out about its share of `records`, or of the batch, and the weight of that.
    fn local(
        &mut self,
        model: Option<&M>,
        records: Option<&[usize]>,
    ) -> (Result<Option<Local>, StepError>, f64) {
        let (evaluated, weight) = self.evaluate(model, records);
        let local = evaluated.and_then(|evaluated| {
            let take = |(loss, gradients)| {
                let taken = take_gradients(model.unwrap_or(self.model), self.layout, gradients)?;
                Ok(Local { loss: read(&loss), taken })
            };
            evaluated.map(take).transpose()
        });
        (local, weight)
    }

    /// The mean over the ranks of what each of them found out: the one place where they meet, before
    /// anything is checked, clipped or used.
    pub(super) fn meet(
        &self,
        local: Result<Option<Local>, StepError>,
        weight: f64,
    ) -> Result<(f64, Blocks), StepError> {
        let entries = self.layout.entries();
        // The loss; on how many ranks each parameter has a gradient.
        let mut numbers = vec![0.0; 1 + entries.len()];
        if let Ok(Some(Local { loss, taken })) = &local {
            numbers[0] = weight * loss;
            for (number, has) in numbers[1..].iter_mut().zip(&taken.has_gradient) {
                *number = f64::from(u8::from(*has));
            }
        }
        let local = meet(self.collective, local, &mut numbers)?;
        if let Some((entry, _)) =
            entries.iter().zip(&numbers[1..]).find(|(_, ranks)| **ranks == 0.0)
        {
            return Err(StepError::MissingGradient { path: entry.path.clone() });
        }
        let zeros = || Blocks::zeros(self.layout);
        let mut gradient = local.map_or_else(zeros, |local| local.taken.gradient);
        if self.collective.ranks() > 1 {
            self.collective.mean(&mut gradient, weight);
        }
        Ok((numbers[0], gradient))
    }

    pub(super) fn loss_and_gradient(
        &mut self,
        model: Option<&M>,
        records: Option<&[usize]>,
    ) -> Result<(f64, Blocks), StepError> {
        let (local, weight) = self.local(model, records);
        self.meet(local, weight)
    }

    /// The mean loss of `model` over `parts`, or over the batch, without a trace in running statistics.
    fn mean_value(&mut self, model: &M, parts: Option<&[Vec<usize>]>) -> Result<f64, StepError> {
        let batch = self.batches.as_deref().map_or(&[][..], Batches::batch).to_vec();
        let batch = [batch];
        let parts = parts.unwrap_or(&batch);
        let local = self.weighted_value(model, parts);
        let mut mean = [*local.as_ref().unwrap_or(&f64::NAN)];
        meet(self.collective, local, &mut mean)?;
        Ok(mean[0])
    }

    /// This rank's part of the mean loss over the records of all `parts`.
    fn weighted_value(&mut self, model: &M, parts: &[Vec<usize>]) -> Result<f64, StepError> {
        let records: usize = parts.iter().map(Vec::len).sum();
        let mut sum = 0.0;
        for part in parts {
            self.evals.loss += 1;
            self.evals.loss_records += part.len() as u64;
            let (share, weight) = share(self.collective, self.batches.is_some(), part);
            let Some(share) = share else { continue };
            let loss =
                self.loss.as_deref_mut().ok_or(StepError::NeedsLoss { method: self.method })?;
            let before = RunningStatistics::of(self.model);
            let seeded = self.seed.map_or(Ok(()), |seed| seed_device(self.model, seed));
            let evaluated = seeded.and_then(|()| value(model, loss, share));
            before.restore(self.model);
            // One part is all of it, also where no record is told.
            let of_part = if parts.len() == 1 { 1.0 } else { part.len() as f64 / records as f64 };
            sum += weight * of_part * read(&evaluated?);
        }
        Ok(sum)
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
        let is_told = self.batches.is_some();
        let (evaluated, weight) = match self.ready.take() {
            Some(Ready::Answer(answer)) => return Ok(answer),
            Some(ready) => {
                let batch = self.batches.as_deref().map_or(&[][..], Batches::batch);
                let weight = share(self.collective, is_told, batch).1;
                let evaluated = match ready {
                    Ready::Gradients(loss, gradients) => Some((loss, gradients)),
                    Ready::NoShare | Ready::Answer(_) => None,
                };
                (Ok(evaluated), weight)
            }
            None => {
                let (evaluated, weight) = self.evaluate(None, None);
                (evaluated.map(|one| one.map(|(loss, gradients)| (Some(loss), gradients))), weight)
            }
        };
        self.answered = true;
        // Reading the loss is a decision of the guard; ranks average it.
        let reads = self.screen.guard || self.reads_loss || self.collective.ranks() > 1;
        let is_known = !matches!(&evaluated, Ok(Some((None, _))));
        let local = evaluated.and_then(|evaluated| {
            let take = |(loss, gradients): (Option<Tensor<1>>, GradientsParams)| {
                let taken = take_gradients(self.model, self.layout, gradients)?;
                let loss = loss.filter(|_| reads).map_or(0.0, |loss| read(&loss));
                Ok(Local { loss, taken })
            };
            evaluated.map(take).transpose()
        });
        let (loss, gradient) = self.meet(local, weight)?;
        let answer = self.screened(loss, gradient);
        Ok(Evaluation { loss: answer.loss.filter(|_| reads && is_known), ..answer })
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

    fn curvature_form(
        &mut self,
        records: Records,
        point: &mut Blocks,
        vectors: &[&Blocks],
    ) -> Result<Vec<Vec<f64>>, StepError> {
        match self.gauss_newton_form(records, point, vectors)? {
            Some(form) => Ok(form),
            None => hessian_form(self, records, point, vectors),
        }
    }

    fn value_at(&mut self, records: Records, point: &mut Blocks) -> Result<f64, StepError> {
        let parts = self.parts(records);
        let probe = Probe::new(self.model, self.layout, point, false);
        self.mean_value(probe.model(), parts.as_deref())
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
            Records::Part(size) => size >= batches.batch().len(),
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

/// Whether two evaluations of the loss at one point differ: dropout, augmentation. `records` are this
/// rank's; without any, what other ranks find out counts.
///
/// Both are forward passes without a graph, and leave no trace in running statistics.
pub(crate) fn is_random<M: Module>(
    model: &M,
    loss: &mut dyn Loss<M, [usize]>,
    records: Option<&[usize]>,
    collective: &dyn Collective,
    evals: &mut Evals,
) -> Result<bool, StepError> {
    evals.loss += 2;
    let local = records.map_or(Ok(false), |records| {
        let statistics = RunningStatistics::of(model);
        let frozen = model.clone().no_grad();
        let mut bits = || value(&frozen, loss, records).map(|loss| read(&loss).to_bits());
        let answers = (bits(), bits());
        statistics.restore(model);
        Ok(answers.0? != answers.1?)
    });
    let mut ranks = [f64::from(u8::from(matches!(local, Ok(true))))];
    meet(collective, local, &mut ranks)?;
    Ok(ranks[0] > 0.0)
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
    first.0.ok_or(StepError::NoParameters)?.seed(seed);
    Ok(())
}
