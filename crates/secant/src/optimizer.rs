//! The type users hold: a method, its state, and what is common to all methods.

use burn::{
    module::Module,
    optim::{GradientsParams, lr_scheduler::module_lr_scheduler::ModuleLearningRate},
    tensor::Tensor,
};
use secant_core::report::{Evals, Outcome, StepReport};

use crate::{
    batches::Batches,
    blocks::Layout,
    dual::{Dual, Tangents},
    error::{ConfigError, StepError},
    group::{Group, require_decay},
    method::{Decay, GradientMethod, Method, State, StepContext, TensorSettings},
    oracle::{
        Clipping, Function, FunctionOracle, Loss, ModuleOracle, OfBatch, OfRecords, OnDuals,
        RunningStatistics, Screen, WithProduct, evaluate, is_random, layout_of_vector,
        layout_with_gradients,
    },
};

/// An optimizer of a whole module: a [`Method`] with its state, parameter groups and clipping.
///
/// The first step fixes the layout: the trainable parameters that have a gradient then.
///
/// What every step promises:
/// - it computes, decides, and writes model and state once: after a rejected step or an `Err` the
///   parameters are bit-identical and the state is as before;
/// - a loss or gradient that is not finite never reaches the parameters: the step is rejected,
///   reported and counted;
/// - all evaluations of one step see the same function: running statistics advance once, and where
///   the loss is random (dropout) and the method evaluates again, every evaluation is seeded alike;
/// - results do not depend on the number of threads.
#[derive(Clone, Debug)]
pub struct Optimizer<K: Method> {
    method: K,
    groups: Vec<Group>,
    screen: Screen,
    seed: u64,
    allow_differences: bool,
    pub(crate) session: Option<Session<K::State>>,
}

/// What the first step fixes, and what steps advance.
#[derive(Clone, Debug)]
pub(crate) struct Session<S> {
    pub layout: Layout,
    /// Of each parameter: the factor of its rate, and its decay.
    settings: Vec<(f64, Decay)>,
    pub state: S,
    pub accepted_steps: u64,
    pub rejected_steps: u64,
    /// Whether the closure was found to be random; known once a step had to know.
    pub random: Option<bool>,
    /// Whether the module has running statistics, so far as a step had to know.
    has_statistics: Option<bool>,
    /// Where the batches of [`Optimizer::step_on`] stood after the last step.
    pub batches: Option<Vec<u64>>,
    /// Whether the session was loaded, so that the next batches go on from there.
    pub is_loaded: bool,
}

/// What a step is given besides rate and model.
struct Asked<'a, M> {
    loss: Option<&'a mut dyn Loss<M>>,
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

impl<K: Method> Optimizer<K> {
    /// An optimizer before its first step.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn new(method: K) -> Result<Self, ConfigError> {
        method.validate()?;
        require_decay(K::NAME, method.decay())?;
        let screen = Screen { guard: true, clipping: None };
        Ok(Self {
            method,
            groups: Vec::new(),
            screen,
            seed: 0,
            allow_differences: false,
            session: None,
        })
    }

    /// Gives some parameters other settings. Takes effect before the first step.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn with_group(mut self, group: Group) -> Result<Self, ConfigError> {
        group.validate()?;
        self.groups.push(group);
        Ok(self)
    }

    /// Clips every gradient before the method sees it.
    ///
    /// # Errors
    /// The threshold is not a positive finite number, or the method searches along the loss.
    pub fn with_clipping(mut self, clipping: Clipping) -> Result<Self, ConfigError> {
        clipping.validate()?;
        if self.method.searches() {
            let reason =
                "it searches along the loss and needs its true gradient; leave out clipping";
            return Err(ConfigError::Conflict { method: K::NAME, reason });
        }
        self.screen.clipping = Some(clipping);
        Ok(self)
    }

    /// Leaves out the test for values that are not finite, which reads the loss, and the gradient
    /// once more before anything is written. A NaN then reaches parameters and state. Methods that
    /// search along the loss keep it.
    #[must_use]
    pub fn without_guard(mut self) -> Self {
        self.screen.guard = self.method.searches();
        self
    }

    /// Seeds evaluations of random losses by methods that evaluate again; 0 unless told.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Lets differences of gradients stand for Hessian products also where the loss has kinks (ReLU,
    /// max-pooling), where they are wrong by 60 to 2000 %. Without it such a step fails.
    #[must_use]
    pub fn allow_differences(mut self) -> Self {
        self.allow_differences = true;
        self
    }

    /// The method and its hyper-parameters.
    pub fn method(&self) -> &K {
        &self.method
    }

    /// Steps that were accepted.
    pub fn accepted_steps(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| session.accepted_steps)
    }

    /// Steps that were rejected, with parameters and state left alone.
    pub fn rejected_steps(&self) -> u64 {
        self.session.as_ref().map_or(0, |session| session.rejected_steps)
    }

    /// Bytes of memory that the state's vectors take.
    pub fn state_bytes(&self) -> usize {
        let Some(Session { state, .. }) = &self.session else { return 0 };
        let vectors = state.vectors().into_iter().map(|(_, blocks)| blocks.num_bytes());
        let matrices = state.matrices().into_iter().map(|(_, matrix)| matrix.parts().0.num_bytes());
        vectors.chain(matrices).sum()
    }

    /// One step on the batch that `loss` refers to: works for every method.
    ///
    /// `loss` returns one number; it is called as often as the method needs, each time with the
    /// model at the point in question. To methods that choose their data (SVRG, SQN, multi-batch
    /// L-BFGS) the batch stands for all records: with mini-batches, use [`Optimizer::step_on`].
    ///
    /// # Errors
    /// A broken contract; model and state are then as before.
    pub fn step<M: Module>(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        loss: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<StepReport, StepError> {
        self.step_with(&lr.into(), model, &mut OfBatch(loss), None)
    }

    /// One step on the next of `batches`: for methods that also choose their data, and for every
    /// other.
    ///
    /// `loss` gets the numbers of the records that it is to be evaluated on, and returns their
    /// *mean* loss. It is called as often as the method needs. A rejected step has used up its
    /// batch; a failed one has not.
    ///
    /// # Errors
    /// A broken contract; model, state and batches are then as before.
    pub fn step_on<M: Module>(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        batches: &mut Batches,
        loss: impl FnMut(&M, &[usize]) -> Tensor<1>,
    ) -> Result<StepReport, StepError> {
        self.step_drawn(lr.into(), model, batches, &mut OfRecords(loss))
    }

    /// One step on the batch that `loss` refers to, which is written on duals: Hessian products are
    /// then exact. For methods that need none it is [`Optimizer::step`].
    ///
    /// # Errors
    /// A broken contract; model and state are then as before.
    pub fn step_dual<M: Module>(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        mut loss: impl FnMut(&M, &Tangents) -> Dual<1>,
    ) -> Result<StepReport, StepError> {
        let loss = |model: &M, at: &Tangents, _: &[usize]| loss(model, at);
        self.step_with(&lr.into(), model, &mut OnDuals(loss), None)
    }

    /// [`Optimizer::step_on`] with a loss on duals: Hessian products are then exact.
    ///
    /// # Errors
    /// A broken contract; model, state and batches are then as before.
    pub fn step_dual_on<M: Module>(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        batches: &mut Batches,
        loss: impl FnMut(&M, &Tangents, &[usize]) -> Dual<1>,
    ) -> Result<StepReport, StepError> {
        self.step_drawn(lr.into(), model, batches, &mut OnDuals(loss))
    }

    /// One step on the batch that `loss` refers to, with the user's own Hessian product: the
    /// Hessian of the loss at the model times a vector.
    ///
    /// # Errors
    /// A broken contract; model and state are then as before.
    pub fn step_with_product<M: Module>(
        &mut self,
        lr: impl Into<ModuleLearningRate>,
        model: &mut M,
        loss: impl FnMut(&M) -> Tensor<1>,
        product: impl FnMut(&M, &GradientsParams) -> GradientsParams,
    ) -> Result<StepReport, StepError> {
        self.step_with(&lr.into(), model, &mut WithProduct(loss, product), None)
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

    fn step_drawn<M: Module>(
        &mut self,
        lr: ModuleLearningRate,
        model: &mut M,
        batches: &mut Batches,
        loss: &mut dyn Loss<M>,
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
        let report = self.step_with(&lr, model, loss, Some(&mut drawn))?;
        if let Some(session) = &mut self.session {
            session.batches = Some(drawn.save());
            session.is_loaded = false;
        }
        *batches = drawn;
        Ok(report)
    }

    fn step_with<M: Module>(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        loss: &mut dyn Loss<M>,
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
            crate::oracle::seed_device(model, seed)?;
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
        loss: &mut dyn Loss<M>,
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

    /// The state and the settings of every parameter.
    pub(crate) fn start(&self, layout: Layout) -> Result<Session<K::State>, StepError> {
        let mut settings = Vec::with_capacity(layout.entries().len());
        for entry in layout.entries() {
            let group = self.groups.iter().rfind(|group| group.selects(entry.id, &entry.path));
            let decay = group.and_then(Group::decay).unwrap_or(self.method.decay());
            if matches!(decay, Decay::Stable(_)) && K::NAME != "apollo" {
                return Err(StepError::Decay { method: K::NAME });
            }
            settings.push((group.map_or(1.0, Group::rate_factor), decay));
        }
        let state = self.method.init(&layout);
        Ok(Session {
            layout,
            settings,
            state,
            accepted_steps: 0,
            rejected_steps: 0,
            random: None,
            has_statistics: None,
            batches: None,
            is_loaded: false,
        })
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
        let is_first = self.session.is_none();
        if is_first {
            self.session = Some(self.start(layout_with_gradients(model, &gradients)?)?);
        }
        let ready = Some((None, gradients));
        let evals = Evals::default();
        let asked = Asked { loss: None, batches: None, ready, seed: None, evals };
        let report = self.advance(&lr.into(), model, asked);
        if is_first && report.is_err() {
            self.session = None;
        }
        report
    }
}

impl<S> Session<S> {
    fn count(&mut self, report: &StepReport) {
        match report.outcome {
            Outcome::Accepted | Outcome::Converged => self.accepted_steps += 1,
            Outcome::Rejected(_) => self.rejected_steps += 1,
        }
    }

    /// The rate and the decay of every parameter in this step.
    fn tensor_settings(&self, lr: &ModuleLearningRate) -> Result<Vec<TensorSettings>, StepError> {
        let of = |(entry, (factor, decay)): (&crate::blocks::Entry, &(f64, Decay))| {
            let lr = factor * lr.lr_from_param(entry.id, Some(&entry.path));
            if lr >= 0.0 && lr.is_finite() {
                Ok(TensorSettings { lr, decay: *decay })
            } else {
                Err(StepError::LearningRate { path: entry.path.clone(), lr })
            }
        };
        self.layout.entries().iter().zip(&self.settings).map(of).collect()
    }
}
