//! The entrances: a step on a batch, on drawn batches, along ready gradients, of a function.

use burn::{
    module::Module,
    optim::{GradientsParams, lr_scheduler::module_lr_scheduler::ModuleLearningRate},
};
use secant_core::report::{Evals, StepReport};

use super::{
    Optimizer, Session,
    advance::{Asked, Setup, require_one_function},
    session::check_names,
};
use crate::{
    batches::Batches,
    error::StepError,
    oracle::{
        Function, FunctionOracle, Loss, OfBatch, Ready, RunningStatistics, Screen, is_random,
        layout_of_vector, share,
    },
    protocol::{GradientMethod, Method, StepContext},
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
    /// double precision. Groups select the path `x`. Where a method averages, the point to evaluate is
    /// [`Optimizer::averaged_vector`].
    ///
    /// # Errors
    /// The learning rate is not usable, or the vector's length has changed.
    pub fn step_function(
        &mut self,
        lr: f64,
        x: &mut Vec<f64>,
        function: &mut dyn Function,
    ) -> Result<StepReport, StepError> {
        let Self { method, groups, screen, missing, session, .. } = self;
        if let Some(session) = session {
            return advance_function(method, *screen, session, lr, x, function);
        }
        let layout = layout_of_vector(x.len());
        check_names(method, groups, *missing, &layout, &layout)?;
        let mut new = Session::new(method, groups, layout)?;
        let report = advance_function(method, *screen, &mut new, lr, x, function)?;
        *session = Some(new);
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
        let size = session.and_then(|session| self.method.batch_size(&session.cohorts[0].state));
        if let Some(size) = size {
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
        let records = share(&*self.collective, batches.is_some(), records).0;
        let random = self.find_randomness(model, loss, records, &mut evals)?;
        let step = self.accepted_steps() + self.rejected_steps();
        let seed = random.then(|| self.seed.wrapping_add(step));
        let statistics = self.keep_statistics(model);
        let asked = Asked { loss: Some(loss), batches, ready: None, seed, evals };
        let report = self.advance_or_start(lr, model, asked);
        self.settle(report, model, statistics, random)
    }

    /// The step; that of a new session where there is none.
    fn advance_or_start<M: Module>(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        mut asked: Asked<'_, M>,
    ) -> Result<StepReport, StepError> {
        let setup = Setup {
            method: &self.method,
            groups: &self.groups,
            screen: self.screen,
            allow_differences: self.allow_differences,
            missing: self.missing,
            collective: &*self.collective,
        };
        if let Some(session) = &mut self.session {
            return setup.advance(session, lr, model, asked);
        }
        let mut session = setup.start(model, &mut asked)?;
        let report = setup.advance(&mut session, lr, model, asked)?;
        self.session = Some(session);
        Ok(report)
    }

    /// Whether the method evaluates again and the loss is random.
    fn find_randomness<M: Module>(
        &self,
        model: &M,
        loss: &mut dyn Loss<M, [usize]>,
        records: Option<&[usize]>,
        evals: &mut Evals,
    ) -> Result<bool, StepError> {
        if !self.method.evaluates_again() {
            return Ok(false);
        }
        match self.session.as_ref().and_then(|session| session.random) {
            Some(random) => Ok(random),
            None => is_random(model, loss, records, &*self.collective, evals),
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
}

/// The next step of a function's session.
fn advance_function<K: Method>(
    method: &K,
    screen: Screen,
    session: &mut Session<K::State>,
    lr: f64,
    x: &mut Vec<f64>,
    function: &mut dyn Function,
) -> Result<StepReport, StepError> {
    let cohort = &mut session.cohorts[0];
    cohort.require_length(x.len())?;
    let tensors = cohort.tensor_settings(&lr.into())?;
    if method.searches() {
        require_one_function(method, &cohort.layout, &tensors)?;
    }
    let context = StepContext { layout: &cohort.layout, tensors: &tensors };
    let mut oracle = FunctionOracle::new(function, screen, x);
    let report = method.step(&context, &mut oracle, &mut cohort.state)?;
    session.count(&report);
    Ok(report)
}

impl<K: Method> Optimizer<K> {
    /// One step along ready gradients, of a method that needs no other evaluation.
    pub(super) fn step_along<M: Module>(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        gradients: GradientsParams,
    ) -> Result<StepReport, StepError> {
        let ready = Some(Ready::Gradients(None, gradients));
        let evals = Evals::default();
        self.advance_or_start(
            lr,
            model,
            Asked { loss: None, batches: None, ready, seed: None, evals },
        )
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
