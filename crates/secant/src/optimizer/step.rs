//! The entrances: a step on a batch, on drawn batches, along ready gradients, of a function.

use burn::{
    module::Module,
    optim::{GradientsParams, lr_scheduler::module_lr_scheduler::ModuleLearningRate},
    tensor::Tensor,
};
use secant_core::report::{Evals, StepReport};

use super::{Optimizer, Session};
use crate::{
    batches::Batches,
    blocks::Layout,
    error::StepError,
    oracle::{
        Function, FunctionOracle, Loss, ModuleOracle, OfBatch, RunningStatistics, evaluate,
        is_random, layout_of_vector, layout_with_gradients, seed_device,
    },
    protocol::{Decay, GradientMethod, Method, StepContext, TensorSettings},
};

impl<K: Method> Optimizer<K> {
    /// One step on the batch that `loss` refers to: works for every method.
    ///
    /// `loss` returns one number; it is called as often as the method needs, each time with the
    /// model at the point in question. To methods that choose their data (SVRG, SQN, multi-batch
    /// L-BFGS) the batch stands for all records: with mini-batches, use [`Optimizer::step_on`].
    ///
    /// `loss` is a closure `|model: &M| -> Tensor<1>`; for exact Hessian products
    /// [`Duals`](crate::Duals) of a closure on duals, or a closure
    /// [`WithProduct`](crate::WithProduct).
    ///
    /// # Errors
    /// A broken contract; model and state are then as before.
    pub fn step<M: Module>(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        mut loss: impl Loss<M>,
    ) -> Result<StepReport, StepError> {
        self.step_with(&lr.into(), model, &mut OfBatch(&mut loss), None)
    }

    /// One step on the next of `batches`: for methods that also choose their data, and for every
    /// other.
    ///
    /// `loss` gets the numbers of the records that it is to be evaluated on, and returns their
    /// *mean* loss: a closure `|model: &M, records: &[usize]| -> Tensor<1>`, or one of the wrappers
    /// of [`Optimizer::step`]. It is called as often as the method needs. A rejected step has used up
    /// its batch; a failed one has not.
    ///
    /// # Errors
    /// A broken contract; model, state and batches are then as before.
    pub fn step_on<M: Module>(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        batches: &mut Batches,
        mut loss: impl Loss<M, [usize]>,
    ) -> Result<StepReport, StepError> {
        self.step_drawn(&lr.into(), model, batches, &mut loss)
    }

    /// One step on a function of a vector, without a module: all methods and all they promise, in
    /// double precision. Groups select the path `x`.
    ///
    /// # Errors
    /// The learning rate is not usable, or the vector's length has changed.
    pub fn step_function(
        &mut self,
        lr: f64,
        x: &mut Vec<f64>,
        function: &mut dyn Function,
    ) -> Result<StepReport, StepError> {
        let layout = layout_of_vector(x.len());
        match &self.session {
            None => self.session = Some(self.start(layout)?),
            Some(session) if session.layout.matches(&layout) => {}
            Some(_) => {
                let what = "the vector has another length".to_string();
                return Err(StepError::LayoutChanged { what });
            }
        }
        let Some(session) = &mut self.session else { return Err(StepError::NoGradient) };
        let tensors = session.tensor_settings(&lr.into())?;
        if self.method.searches() {
            require_one_function(K::NAME, &session.layout, &tensors)?;
        }
        let context = StepContext { layout: &session.layout, tensors: &tensors };
        let mut oracle = FunctionOracle::new(function, x);
        let report = self.method.step(&context, &mut oracle, &mut session.state)?;
        session.count(&report);
        Ok(report)
    }

    pub(super) fn step_drawn<M: Module>(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        batches: &mut Batches,
        loss: &mut dyn Loss<M, [usize]>,
    ) -> Result<StepReport, StepError> {
        let mut drawn = batches.clone();
        if let Some(Session { batches: Some(saved), is_loaded: true, .. }) = &self.session {
            drawn.restore(saved)?;
        }
        let session = self.session.as_ref();
        if let Some(size) = session.and_then(|session| self.method.batch_size(&session.state)) {
            drawn.resize(size);
        }
        drawn.draw();
        let report = self.step_with(lr, model, loss, Some(&mut drawn))?;
        if let Some(session) = &mut self.session {
            session.batches = Some(drawn.save());
            session.is_loaded = false;
        }
        *batches = drawn;
        Ok(report)
    }

    pub(super) fn step_with<M: Module>(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        loss: &mut dyn Loss<M, [usize]>,
        batches: Option<&mut Batches>,
    ) -> Result<StepReport, StepError> {
        let mut evals = Evals::default();
        let records = batches.as_deref().map_or(&[][..], Batches::batch);
        let random = self.find_randomness(model, loss, records, &mut evals)?;
        let step = self.accepted_steps() + self.rejected_steps();
        let seed = random.then(|| self.seed.wrapping_add(step));
        let statistics = self.keep_statistics(model);
        let report = if self.session.is_some() {
            self.advance(lr, model, Asked { loss: Some(loss), batches, ready: None, seed, evals })
        } else {
            self.first_step(
                lr,
                model,
                Asked { loss: Some(loss), batches, ready: None, seed, evals },
            )
        };
        self.settle(report, model, statistics, random)
    }

    /// The first step: its gradients say which parameters are in the layout.
    fn first_step<M: Module>(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        mut asked: Asked<'_, M>,
    ) -> Result<StepReport, StepError> {
        if let Some(seed) = asked.seed {
            seed_device(model, seed)?;
        }
        let records = asked.batches.as_deref().map_or(&[][..], Batches::batch);
        let loss = asked.loss.as_deref_mut().ok_or(StepError::NoGradient)?;
        let (value, gradients) = evaluate(model, loss, records)?;
        asked.evals.gradient += 1;
        asked.evals.gradient_records += records.len() as u64;
        self.session = Some(self.start(layout_with_gradients(model, &gradients)?)?);
        asked.ready = Some((Some(value), gradients));
        let report = self.advance(lr, model, asked);
        if report.is_err() {
            self.session = None;
        }
        report
    }

    /// Whether the method evaluates again and the loss is random.
    fn find_randomness<M: Module>(
        &self,
        model: &M,
        loss: &mut dyn Loss<M, [usize]>,
        records: &[usize],
        evals: &mut Evals,
    ) -> Result<bool, StepError> {
        if !self.method.evaluates_again() {
            return Ok(false);
        }
        match self.session.as_ref().and_then(|session| session.random) {
            Some(random) => Ok(random),
            None => is_random(model, loss, records, evals),
        }
    }

    /// Running statistics before the step, where a rejected step would have to restore them.
    fn keep_statistics<M: Module>(&self, model: &M) -> Option<RunningStatistics> {
        let known = self.session.as_ref().and_then(|session| session.has_statistics);
        (self.screen.guard && known != Some(false)).then(|| RunningStatistics::of(model))
    }

    /// After a rejected step, running statistics are as before it.
    fn settle<M: Module>(
        &mut self,
        report: Result<StepReport, StepError>,
        model: &M,
        statistics: Option<RunningStatistics>,
        random: bool,
    ) -> Result<StepReport, StepError> {
        let rejected = !report.as_ref().is_ok_and(StepReport::is_accepted);
        if let Some(statistics) = &statistics
            && rejected
        {
            statistics.restore(model);
        }
        if let Some(session) = &mut self.session {
            // A loss that is not finite is the same NaN with every mask: it does not say.
            if !rejected && self.method.evaluates_again() {
                session.random = Some(random);
            }
            if let Some(statistics) = statistics {
                session.has_statistics = Some(!statistics.is_empty());
            }
        }
        report
    }

    fn advance<M: Module>(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        asked: Asked<'_, M>,
    ) -> Result<StepReport, StepError> {
        let Some(session) = &mut self.session else { return Err(StepError::NoGradient) };
        let tensors = session.tensor_settings(lr)?;
        if self.method.searches() {
            require_one_function(K::NAME, &session.layout, &tensors)?;
        }
        let context = StepContext { layout: &session.layout, tensors: &tensors };
        let Asked { loss, batches, ready, seed, evals } = asked;
        let answered = ready.is_some();
        let mut oracle = ModuleOracle {
            model,
            layout: &session.layout,
            screen: self.screen,
            reads_loss: self.method.searches(),
            loss,
            batches,
            ready,
            seed,
            evals,
            answered,
            allow_differences: self.allow_differences,
        };
        let report = self.method.step(&context, &mut oracle, &mut session.state)?;
        session.count(&report);
        Ok(report)
    }
}

impl<K: Method> Optimizer<K> {
    /// One step along ready gradients, of a method that needs no other evaluation.
    pub(super) fn step_along<M: Module>(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        gradients: GradientsParams,
    ) -> Result<StepReport, StepError> {
        let is_first = self.session.is_none();
        if is_first {
            self.session = Some(self.start(layout_with_gradients(model, &gradients)?)?);
        }
        let ready = Some((None, gradients));
        let evals = Evals::default();
        let asked = Asked { loss: None, batches: None, ready, seed: None, evals };
        let report = self.advance(lr, model, asked);
        if is_first && report.is_err() {
            self.session = None;
        }
        report
    }
}

impl<K: GradientMethod> Optimizer<K> {
    /// One step along gradients that an existing loop has computed. For methods that need no other
    /// evaluation.
    ///
    /// # Errors
    /// A broken contract; model and state are then as before.
    pub fn step_with_gradients<M: Module>(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        gradients: GradientsParams,
    ) -> Result<StepReport, StepError> {
        self.step_along(&lr.into(), model, gradients)
    }
}

/// What a step is given besides rate and model.
struct Asked<'a, M> {
    loss: Option<&'a mut dyn Loss<M, [usize]>>,
    batches: Option<&'a mut Batches>,
    /// Gradients already there.
    ready: Option<(Option<Tensor<1>>, GradientsParams)>,
    /// The seed of every evaluation, where the loss is random.
    seed: Option<u64>,
    /// Evaluations so far.
    evals: Evals,
}

/// A search moves all parameters by one step length, along a function that includes their decay.
fn require_one_function(
    method: &'static str,
    layout: &Layout,
    tensors: &[TensorSettings],
) -> Result<(), StepError> {
    for (entry, tensor) in layout.entries().iter().zip(tensors) {
        let path = || entry.path.clone();
        if tensor.lr != tensors[0].lr {
            return Err(StepError::SeveralRates { method, path: path() });
        }
        if matches!(tensor.decay, Decay::Decoupled(_) | Decay::Stable(_)) {
            return Err(StepError::DecayOutsideObjective { method, path: path() });
        }
    }
    Ok(())
}
