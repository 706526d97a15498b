//! Optimizers of any method behind one type.

use std::{path::Path, sync::Arc};

use burn::{
    module::{Module, Param},
    optim::{GradientsParams, lr_scheduler::module_lr_scheduler::ModuleLearningRate},
    tensor::Tensor,
};
use secant_core::report::{Chosen, StepReport};

use burn_pack::{Scalar, Writer};

use super::{
    Group, MissingGradients, Optimizer,
    record::{Parts, bytes_of, write_file},
    switched::{SwitchConfig, Switched},
};
use crate::{
    batches::Batches,
    blocks::Layout,
    collective::Collective,
    error::{ConfigError, RecordError, StepError},
    oracle::{Clipping, Function, Loss, OfBatch},
    protocol::Method,
};

/// An optimizer of modules `M` whose method is chosen at run time: made from an [`Optimizer`] by
/// `into`, or by [`MethodSpec::init`](crate::spec::MethodSpec::init). It has the functions of an
/// [`Optimizer`].
pub struct AnyOptimizer<M> {
    method: Box<dyn Erased<M>>,
    chosen: Option<Chosen>,
}

/// An optimizer of functions of one vector, for [`AnyOptimizer::step_function`].
pub type FunctionOptimizer = AnyOptimizer<Param<Tensor<1>>>;

impl<M: Module, K: Method> From<Optimizer<K>> for AnyOptimizer<M> {
    fn from(optimizer: Optimizer<K>) -> Self {
        Self { method: Box::new(optimizer), chosen: None }
    }
}

impl<M> Clone for AnyOptimizer<M> {
    fn clone(&self) -> Self {
        Self { method: self.method.boxed(), ..*self }
    }
}

impl<M: Module> AnyOptimizer<M> {
    /// See [`Optimizer::step`].
    ///
    /// # Errors
    /// A broken contract; model and state are then as before.
    pub fn step(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        mut loss: impl Loss<M>,
    ) -> Result<StepReport, StepError> {
        let report = self.method.step_with(&lr.into(), model, &mut OfBatch(&mut loss))?;
        Ok(self.told(report))
    }

    /// See [`Optimizer::step_on`].
    ///
    /// # Errors
    /// A broken contract; model, state and batches are then as before.
    pub fn step_on(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        batches: &mut Batches,
        mut loss: impl Loss<M, [usize]>,
    ) -> Result<StepReport, StepError> {
        let report = self.method.step_drawn(&lr.into(), model, batches, &mut loss)?;
        Ok(self.told(report))
    }

    /// See [`Optimizer::step_with_gradients`].
    ///
    /// # Errors
    /// A broken contract, or a method that evaluates its loss again.
    pub fn step_with_gradients(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        gradients: GradientsParams,
    ) -> Result<StepReport, StepError> {
        let report = self.method.step_along(&lr.into(), model, gradients)?;
        Ok(self.told(report))
    }

    /// See [`Optimizer::averaged`]. Of a switch it is the method at work that averages or does not; one that
    /// averages and is followed leaves the parameters at their average in its last step.
    ///
    /// # Errors
    /// `model` lacks a parameter that the optimizer has moved, or has it in another shape or number type.
    pub fn averaged(&self, model: &M) -> Result<M, StepError> {
        self.method.averaged(model)
    }

    /// See [`Optimizer::save`].
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        write_file(self.method.writer(Vec::new())?, path.as_ref())
    }

    /// See [`Optimizer::load`].
    ///
    /// # Errors
    /// The file is damaged, or of another method or model. The optimizer is then as before.
    pub fn load(&mut self, path: impl AsRef<Path>, model: &M) -> Result<(), RecordError> {
        self.method.read(&Parts::open(path.as_ref())?, model)
    }

    /// See [`Optimizer::to_bytes`].
    ///
    /// # Errors
    /// A tensor cannot be read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        bytes_of(self.method.writer(Vec::new())?)
    }

    /// See [`Optimizer::load_bytes`].
    ///
    /// # Errors
    /// The record is damaged, or of another method or model. The optimizer is then as before.
    pub fn load_bytes(&mut self, bytes: &[u8], model: &M) -> Result<(), RecordError> {
        self.method.read(&Parts::of_bytes(bytes)?, model)
    }

    /// See [`Optimizer::with_group`].
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn with_group(self, group: Group) -> Result<Self, ConfigError> {
        Ok(Self { method: self.method.with_group(group)?, ..self })
    }

    /// See [`Optimizer::with_clipping`].
    ///
    /// # Errors
    /// The threshold is not a positive finite number, or the method searches along the loss.
    pub fn with_clipping(self, clipping: Clipping) -> Result<Self, ConfigError> {
        Ok(Self { method: self.method.with_clipping(clipping)?, ..self })
    }

    /// See [`Optimizer::with_missing_gradients`].
    ///
    /// # Errors
    /// [`MissingGradients::Skip`] and a method, or a scope of it, that treats tensors together.
    pub fn with_missing_gradients(self, missing: MissingGradients) -> Result<Self, ConfigError> {
        Ok(Self { method: self.method.with_missing_gradients(missing)?, ..self })
    }

    /// See [`Optimizer::with_collective`].
    #[must_use]
    pub fn with_collective(self, collective: Arc<dyn Collective>) -> Self {
        Self { method: self.method.with_collective(collective), ..self }
    }

    /// See [`Optimizer::without_guard`].
    #[must_use]
    pub fn without_guard(self) -> Self {
        Self { method: self.method.without_guard(), ..self }
    }

    /// See [`Optimizer::with_seed`].
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { method: self.method.with_seed(seed), ..self }
    }

    /// See [`Optimizer::allow_differences`].
    #[must_use]
    pub fn allow_differences(self) -> Self {
        Self { method: self.method.allow_differences(), ..self }
    }
}

impl<M: Module + 'static> AnyOptimizer<M> {
    /// Lets `second` go on from where this one is at a step, or when its loss stalls.
    ///
    /// The steps' rates are the first's. The second has a rate of its own, which no schedule changes and
    /// which only groups' factors make different for some parameters. It begins where the model is to be evaluated
    /// (a first method that averages moves it there in its last step), with a fresh state; that
    /// of the first is dropped, and a record has the state of the one at work. What the functions below
    /// set, they set for both. [`AnyOptimizer::method`] says which one made the last step.
    ///
    /// # Errors
    /// A number out of its range, one of the two is a switch already, the second has made steps, or the first
    /// averages and has made all of its own.
    pub fn then(self, second: Self, switch: SwitchConfig) -> Result<Self, ConfigError> {
        let method = Box::new(Switched::new(self.method, second.method, switch)?);
        Ok(Self { method, chosen: None })
    }
}

impl<M> AnyOptimizer<M> {
    /// The same, whose reports say what `auto` chose.
    pub(crate) fn chosen(self, chosen: Chosen) -> Self {
        Self { chosen: Some(chosen), ..self }
    }

    fn told(&self, mut report: StepReport) -> StepReport {
        report.chosen = self.chosen;
        report
    }

    /// See [`Optimizer::step_function`].
    ///
    /// # Errors
    /// The learning rate is not usable, or the vector's length has changed.
    pub fn step_function(
        &mut self,
        lr: f64,
        x: &mut Vec<f64>,
        function: &mut dyn Function,
    ) -> Result<StepReport, StepError> {
        let report = self.method.step_function(lr, x, function)?;
        Ok(self.told(report))
    }

    /// See [`Optimizer::averaged_vector`]; of a switch, of the method at work.
    ///
    /// # Errors
    /// As there.
    pub fn averaged_vector(&self, x: &[f64]) -> Result<Vec<f64>, StepError> {
        self.method.averaged_vector(x)
    }

    /// The name of the method; of a switch, that of the one that made the last step.
    pub fn method(&self) -> &'static str {
        self.method.method()
    }

    /// See [`Optimizer::averages`]; of a switch, of the method at work.
    pub fn averages(&self) -> bool {
        self.method.averages()
    }

    /// See [`Optimizer::accepted_steps`].
    pub fn accepted_steps(&self) -> u64 {
        self.method.accepted_steps()
    }

    /// See [`Optimizer::rejected_steps`].
    pub fn rejected_steps(&self) -> u64 {
        self.method.rejected_steps()
    }

    /// See [`Optimizer::state_bytes`].
    pub fn state_bytes(&self) -> usize {
        self.method.state_bytes()
    }
}

/// The functions of an optimizer, whatever its method.
pub(super) trait Erased<M>: Send + Sync {
    fn boxed(&self) -> Box<dyn Erased<M>>;

    fn step_with(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        loss: &mut dyn Loss<M, [usize]>,
    ) -> Result<StepReport, StepError>;

    fn step_drawn(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        batches: &mut Batches,
        loss: &mut dyn Loss<M, [usize]>,
    ) -> Result<StepReport, StepError>;

    fn step_along(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        gradients: GradientsParams,
    ) -> Result<StepReport, StepError>;

    fn step_function(
        &mut self,
        lr: f64,
        x: &mut Vec<f64>,
        function: &mut dyn Function,
    ) -> Result<StepReport, StepError>;

    fn averaged(&self, model: &M) -> Result<M, StepError>;

    fn averages(&self) -> bool;

    /// Moves the model that a step was made of to where it is to be evaluated.
    fn move_to_average(&self, model: &mut M);

    fn averaged_vector(&self, x: &[f64]) -> Result<Vec<f64>, StepError>;

    /// The parameters that steps move, once there was one.
    fn layout(&self) -> Option<&Layout>;

    /// Whether it could step along ready gradients.
    fn check_ready(&self) -> Result<(), StepError>;

    /// Whether it could step on these parameters at this rate.
    fn check(&self, layout: &Layout, lr: &ModuleLearningRate) -> Result<(), StepError>;

    /// A record that has these scalars besides.
    fn writer(&self, more: Vec<(String, Scalar)>) -> Result<Writer, RecordError>;

    fn read(&mut self, parts: &Parts, model: &M) -> Result<(), RecordError>;

    /// Where batches stood when the state was saved, until a step on batches goes on from there.
    fn loaded_batches(&self) -> Option<&[u64]>;

    /// Whether another optimizer follows it, or it followed one.
    fn is_switched(&self) -> bool;

    fn with_group(self: Box<Self>, group: Group) -> Result<Box<dyn Erased<M>>, ConfigError>;

    fn with_clipping(
        self: Box<Self>,
        clipping: Clipping,
    ) -> Result<Box<dyn Erased<M>>, ConfigError>;

    fn with_missing_gradients(
        self: Box<Self>,
        missing: MissingGradients,
    ) -> Result<Box<dyn Erased<M>>, ConfigError>;

    fn with_collective(self: Box<Self>, collective: Arc<dyn Collective>) -> Box<dyn Erased<M>>;

    fn without_guard(self: Box<Self>) -> Box<dyn Erased<M>>;

    fn with_seed(self: Box<Self>, seed: u64) -> Box<dyn Erased<M>>;

    fn allow_differences(self: Box<Self>) -> Box<dyn Erased<M>>;

    fn method(&self) -> &'static str;

    fn accepted_steps(&self) -> u64;

    fn rejected_steps(&self) -> u64;

    fn state_bytes(&self) -> usize;
}

impl<M: Module, K: Method> Erased<M> for Optimizer<K> {
    fn boxed(&self) -> Box<dyn Erased<M>> {
        Box::new(self.clone())
    }

    fn step_with(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        loss: &mut dyn Loss<M, [usize]>,
    ) -> Result<StepReport, StepError> {
        Self::step_with(self, lr, model, loss, None)
    }

    fn step_drawn(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        batches: &mut Batches,
        loss: &mut dyn Loss<M, [usize]>,
    ) -> Result<StepReport, StepError> {
        Self::step_drawn(self, lr, model, batches, loss)
    }

    fn step_along(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        gradients: GradientsParams,
    ) -> Result<StepReport, StepError> {
        Erased::<M>::check_ready(self)?;
        Self::step_along(self, lr, model, gradients)
    }

    fn step_function(
        &mut self,
        lr: f64,
        x: &mut Vec<f64>,
        function: &mut dyn Function,
    ) -> Result<StepReport, StepError> {
        Self::step_function(self, lr, x, function)
    }

    fn averaged(&self, model: &M) -> Result<M, StepError> {
        Self::averaged(self, model)
    }

    fn averages(&self) -> bool {
        Self::averages(self)
    }

    fn move_to_average(&self, model: &mut M) {
        Self::move_to_average(self, model);
    }

    fn averaged_vector(&self, x: &[f64]) -> Result<Vec<f64>, StepError> {
        Self::averaged_vector(self, x)
    }

    fn layout(&self) -> Option<&Layout> {
        self.session.as_ref().map(|session| &session.cohorts[0].layout)
    }

    fn check_ready(&self) -> Result<(), StepError> {
        match self.method.evaluates_again() {
            true => Err(StepError::NeedsLoss { method: K::NAME }),
            false => Ok(()),
        }
    }

    fn check(&self, layout: &Layout, lr: &ModuleLearningRate) -> Result<(), StepError> {
        Self::check(self, layout, lr)
    }

    fn writer(&self, more: Vec<(String, Scalar)>) -> Result<Writer, RecordError> {
        Self::writer(self, more)
    }

    fn read(&mut self, parts: &Parts, model: &M) -> Result<(), RecordError> {
        self.session = Self::read(self, parts, model)?;
        Ok(())
    }

    fn loaded_batches(&self) -> Option<&[u64]> {
        let session = self.session.as_ref().filter(|session| session.is_loaded)?;
        session.batches.as_deref()
    }

    fn is_switched(&self) -> bool {
        false
    }

    fn with_group(self: Box<Self>, group: Group) -> Result<Box<dyn Erased<M>>, ConfigError> {
        Ok(Box::new(Self::with_group(*self, group)?))
    }

    fn with_clipping(
        self: Box<Self>,
        clipping: Clipping,
    ) -> Result<Box<dyn Erased<M>>, ConfigError> {
        Ok(Box::new(Self::with_clipping(*self, clipping)?))
    }

    fn with_missing_gradients(
        self: Box<Self>,
        missing: MissingGradients,
    ) -> Result<Box<dyn Erased<M>>, ConfigError> {
        Ok(Box::new(Self::with_missing_gradients(*self, missing)?))
    }

    fn with_collective(self: Box<Self>, collective: Arc<dyn Collective>) -> Box<dyn Erased<M>> {
        Box::new(Self::with_collective(*self, collective))
    }

    fn without_guard(self: Box<Self>) -> Box<dyn Erased<M>> {
        Box::new(Self::without_guard(*self))
    }

    fn with_seed(self: Box<Self>, seed: u64) -> Box<dyn Erased<M>> {
        Box::new(Self::with_seed(*self, seed))
    }

    fn allow_differences(self: Box<Self>) -> Box<dyn Erased<M>> {
        Box::new(Self::allow_differences(*self))
    }

    fn method(&self) -> &'static str {
        K::NAME
    }

    fn accepted_steps(&self) -> u64 {
        Self::accepted_steps(self)
    }

    fn rejected_steps(&self) -> u64 {
        Self::rejected_steps(self)
    }

    fn state_bytes(&self) -> usize {
        Self::state_bytes(self)
    }
}
