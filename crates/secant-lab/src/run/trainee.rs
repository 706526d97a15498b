//! A model and the optimizer that trains it.

use burn::{
    module::Module,
    tensor::{Device, TensorData},
};
use secant::{AnyOptimizer, Batches, Duals, StepReport, dual::Tangents};

use super::{
    CheckpointError, HessianProducts, Setting, TrainError,
    checkpoint::{tensors, with_tensors},
    count,
    own_statistics::with_own_statistics,
};
use crate::{
    Batch, Part, Precision, Problem,
    precision::{drawn, dtype},
};

/// A model and the optimizer that trains it, with the batches that they see.
pub(super) struct Trainee<'a, P: Problem> {
    pub problem: &'a P,
    pub setting: &'a Setting,
    pub model: P::Model,
    pub batches: Batches,
    optimizer: AnyOptimizer<P::Model>,
    device: Device,
    /// Whether Hessian products are on duals.
    is_exact: bool,
}

impl<'a, P: Problem> Trainee<'a, P> {
    /// A new model, drawn from the setting's seed.
    pub fn new(problem: &'a P, setting: &'a Setting) -> Result<Self, TrainError> {
        let device = Device::default().autodiff();
        let batches = setting.batches(problem.records(Part::Train))?;
        let seed = setting.seed;
        let model = drawn(seed, setting.precision, &device, || problem.model(seed, &device));
        let has_duals = has_duals(problem, &model, setting.precision);
        Ok(Self {
            optimizer: setting.optimizer(&batches, problem.rows_per_record(), count(&model))?,
            is_exact: setting.products == HessianProducts::Exact && has_duals,
            problem,
            setting,
            model,
            batches,
            device,
        })
    }

    /// The optimizer's record, with the place in the batches, and the tensors of the model.
    pub fn state(&self) -> Result<(Vec<u8>, Vec<TensorData>), CheckpointError> {
        let optimizer = self.optimizer.to_bytes().map_err(CheckpointError::new)?;
        Ok((optimizer, tensors(&self.model)))
    }

    /// The same in the state that [`Trainee::state`] gave.
    pub fn restored(
        mut self,
        optimizer: &[u8],
        model: Vec<TensorData>,
    ) -> Result<Self, CheckpointError> {
        self.model = with_tensors(self.model, model)?;
        self.optimizer.load_bytes(optimizer, &self.model).map_err(CheckpointError::new)?;
        Ok(self)
    }

    /// One step at the rate `lr` on the next batch.
    ///
    /// # Errors
    /// A broken contract.
    pub fn step(&mut self, lr: f64) -> Result<StepReport, TrainError> {
        let (problem, device) = (self.problem, &self.device);
        let number = dtype(self.setting.precision);
        let (optimizer, model, batches) = (&mut self.optimizer, &mut self.model, &mut self.batches);
        let report = if self.is_exact {
            let loss = |model: &P::Model, at: &Tangents, records: &[usize]| {
                let batch = Batch { part: Part::Train, records, device, dtype: number };
                let loss = problem.loss_on_duals(model, at, batch);
                loss.unwrap_or_else(|| problem.loss(model, batch).into())
            };
            optimizer.step_on(lr, model, batches, Duals(loss))
        } else {
            let loss = |model: &P::Model, records: &[usize]| {
                problem.loss(model, Batch { part: Part::Train, records, device, dtype: number })
            };
            optimizer.step_on(lr, model, batches, loss)
        };
        Ok(report?)
    }

    /// The model to evaluate and to keep, without autodiff: where the method averages, at the average, with
    /// running statistics taken there.
    ///
    /// # Errors
    /// The model is not the optimizer's.
    pub fn evaluated(&self) -> Result<P::Model, TrainError> {
        let model = self.optimizer.averaged(&self.model)?;
        Ok(if self.optimizer.averages() {
            with_own_statistics(self.problem, model, self.setting, &self.device)
        } else {
            model
        })
    }

    /// The metrics of the model to evaluate on these records; `None` where one is not finite.
    ///
    /// # Errors
    /// The problem does not measure one number for each of its metrics.
    pub fn measure(
        &self,
        evaluated: &P::Model,
        part: Part,
        records: &[usize],
    ) -> Result<Vec<Option<f64>>, TrainError> {
        let (device, precision) = (self.device.clone().inner(), self.setting.precision);
        measure(self.problem, evaluated, precision, &device, part, records)
    }
}

/// The metrics of a model without autodiff on these records; `None` where one is not finite.
///
/// # Errors
/// The problem does not measure one number for each of its metrics.
pub(crate) fn measure<P: Problem>(
    problem: &P,
    model: &P::Model,
    precision: Precision,
    device: &Device,
    part: Part,
    records: &[usize],
) -> Result<Vec<Option<f64>>, TrainError> {
    let values = problem.measure(model, Batch { part, records, device, dtype: dtype(precision) });
    let (wanted, found) = (problem.metrics().len(), values.len());
    if wanted != found {
        return Err(TrainError::Measures { wanted, found });
    }
    Ok(values.into_iter().map(|value| Some(value).filter(|value| value.is_finite())).collect())
}

/// Whether the loss is written on duals. A model in evaluation says it too, and without a trace in running
/// statistics.
fn has_duals<P: Problem>(problem: &P, model: &P::Model, precision: Precision) -> bool {
    let (device, dtype) = (&Device::default(), dtype(precision));
    let first = Batch { part: Part::Train, records: &[0], device, dtype };
    problem.loss_on_duals(&model.valid(), &Tangents::none(), first).is_some()
}

#[cfg(test)]
mod tests {
    use burn::{
        module::{ModuleVisitor, Param},
        tensor::{DType, Tensor, TensorData},
    };

    use super::*;
    use crate::supervised::testing::autoencoder_of_noise;

    /// All running statistics of a model.
    fn statistics<M: Module>(model: &M) -> Vec<TensorData> {
        struct Found(Vec<TensorData>);
        impl ModuleVisitor for Found {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if !param.is_require_grad() {
                    self.0.push(param.val().into_data());
                }
            }
        }
        // Updates wait until then.
        drop(model.valid());
        let mut found = Found(Vec::new());
        model.visit(&mut found);
        found.0
    }

    #[test]
    fn looking_for_duals_leaves_no_trace_in_running_statistics() {
        let (problem, device) = (autoencoder_of_noise(), Device::default().autodiff());
        let model = drawn(1, Precision::F32, &device, || problem.model(1, &device));
        let before = statistics(&model);
        assert!(has_duals(&problem, &model, Precision::F32));
        assert_eq!(statistics(&model), before);
        // A loss in training leaves one.
        let batch =
            Batch { part: Part::Train, records: &[0, 1], device: &device, dtype: DType::F32 };
        let _ = problem.loss(&model, batch);
        assert_ne!(statistics(&model), before);
    }
}
