//! Optimizers of one module, or of functions, behind one type.

use burn::{module::Module, tensor::Tensor};
use secant::{
    Batches, Duals, Function, Optimizer, StepReport,
    dual::{Dual, Tangents},
    error::{ConfigError, StepError},
    protocol::Method,
};

/// The loss of one batch.
pub type Loss<'a, M> = &'a mut dyn FnMut(&M) -> Tensor<1>;

/// The mean loss of some records.
pub type LossOn<'a, M> = &'a mut dyn FnMut(&M, &[usize]) -> Tensor<1>;

/// The mean loss of some records, on duals.
pub type DualLossOn<'a, M> = &'a mut dyn FnMut(&M, &Tangents, &[usize]) -> Dual<1>;

/// Any optimizer of modules `M`.
pub trait ModelOptimizer<M>: Send {
    /// One step; see [`Optimizer::step`].
    ///
    /// # Errors
    /// A broken contract.
    fn step(&mut self, lr: f64, model: &mut M, loss: Loss<'_, M>) -> Result<StepReport, StepError>;

    /// One step on the next batch; see [`Optimizer::step_on`].
    ///
    /// # Errors
    /// A broken contract.
    fn step_on(
        &mut self,
        lr: f64,
        model: &mut M,
        batches: &mut Batches,
        loss: LossOn<'_, M>,
    ) -> Result<StepReport, StepError>;

    /// One step on the next batch, with exact Hessian products; see [`Optimizer::step_on`].
    ///
    /// # Errors
    /// A broken contract.
    fn step_dual_on(
        &mut self,
        lr: f64,
        model: &mut M,
        batches: &mut Batches,
        loss: DualLossOn<'_, M>,
    ) -> Result<StepReport, StepError>;

    /// See [`Optimizer::allow_differences`].
    fn allow_differences(self: Box<Self>) -> BoxedOptimizer<M>;

    /// See [`Optimizer::rejected_steps`].
    fn rejected_steps(&self) -> u64;
}

/// Any optimizer of modules `M`, boxed.
pub type BoxedOptimizer<M> = Box<dyn ModelOptimizer<M>>;

impl<M: Module + 'static, K: Method> ModelOptimizer<M> for Optimizer<K> {
    fn step(&mut self, lr: f64, model: &mut M, loss: Loss<'_, M>) -> Result<StepReport, StepError> {
        Self::step(self, lr, model, |model: &M| loss(model))
    }

    fn step_on(
        &mut self,
        lr: f64,
        model: &mut M,
        batches: &mut Batches,
        loss: LossOn<'_, M>,
    ) -> Result<StepReport, StepError> {
        Self::step_on(self, lr, model, batches, |model: &M, records: &[usize]| loss(model, records))
    }

    fn step_dual_on(
        &mut self,
        lr: f64,
        model: &mut M,
        batches: &mut Batches,
        loss: DualLossOn<'_, M>,
    ) -> Result<StepReport, StepError> {
        let loss = Duals(|model: &M, at: &Tangents, records: &[usize]| loss(model, at, records));
        Self::step_on(self, lr, model, batches, loss)
    }

    fn allow_differences(self: Box<Self>) -> BoxedOptimizer<M> {
        Box::new(Self::allow_differences(*self))
    }

    fn rejected_steps(&self) -> u64 {
        Self::rejected_steps(self)
    }
}

/// Any optimizer of functions of a vector.
pub trait FunctionOptimizer: Send {
    /// One step; see [`Optimizer::step_function`].
    ///
    /// # Errors
    /// A broken contract.
    fn step_function(
        &mut self,
        lr: f64,
        x: &mut Vec<f64>,
        function: &mut dyn Function,
    ) -> Result<StepReport, StepError>;
}

/// Any optimizer of functions, boxed.
pub type BoxedFunctionOptimizer = Box<dyn FunctionOptimizer>;

impl<K: Method> FunctionOptimizer for Optimizer<K> {
    fn step_function(
        &mut self,
        lr: f64,
        x: &mut Vec<f64>,
        function: &mut dyn Function,
    ) -> Result<StepReport, StepError> {
        Self::step_function(self, lr, x, function)
    }
}

/// The boxes that hold any optimizer.
pub trait OfAnyMethod {
    /// Boxes an optimizer.
    fn of<K: Method>(optimizer: Optimizer<K>) -> Self;
}

impl<M: Module + 'static> OfAnyMethod for BoxedOptimizer<M> {
    fn of<K: Method>(optimizer: Optimizer<K>) -> Self {
        Box::new(optimizer)
    }
}

impl OfAnyMethod for BoxedFunctionOptimizer {
    fn of<K: Method>(optimizer: Optimizer<K>) -> Self {
        Box::new(optimizer)
    }
}

/// Boxes an optimizer.
///
/// # Errors
/// None; the type fits the functions that build one.
pub(crate) fn boxed<B: OfAnyMethod, K: Method>(optimizer: Optimizer<K>) -> Result<B, ConfigError> {
    Ok(B::of(optimizer))
}
