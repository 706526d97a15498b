//! One step of a module: of all parameters together, or of those that have a gradient in it.

use burn::{module::Module, optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate};
use secant_core::report::{Evals, PairOutcome, StepReport};

use super::{Cohort, Group, MissingGradients, Session, session::check_names};
use crate::{
    batches::Batches,
    blocks::{Blocks, Entry, Layout},
    collective::Collective,
    error::StepError,
    oracle::{
        Evaluation, Loss, ModuleOracle, Oracle, Ready, Screen, all_parameters, evaluate,
        layout_with_gradients, seed_device, share,
    },
    protocol::{Decay, Method, StepContext, TensorSettings},
};

/// What a step is given besides rate and model.
pub(super) struct Asked<'a, M> {
    pub loss: Option<&'a mut dyn Loss<M, [usize]>>,
    pub batches: Option<&'a mut Batches>,
    /// Gradients already there.
    pub ready: Option<Ready>,
    /// The seed of every evaluation, where the loss is random.
    pub seed: Option<u64>,
    /// Evaluations so far.
    pub evals: Evals,
}

/// What holds for all steps of an optimizer.
pub(super) struct Setup<'a, K> {
    pub method: &'a K,
    pub groups: &'a [Group],
    pub screen: Screen,
    pub allow_differences: bool,
    pub missing: MissingGradients,
    pub collective: &'a dyn Collective,
}

impl<K: Method> Setup<'_, K> {
    /// The session of the parameters that have a gradient in the first step.
    pub fn start<M: Module>(
        &self,
        model: &M,
        asked: &mut Asked<'_, M>,
    ) -> Result<Session<K::State>, StepError> {
        let layout = self.present(model, asked)?;
        check_names(self.method, self.groups, self.missing, &all_parameters(model), &layout)?;
        Session::new(self.method, self.groups, layout)
    }

    /// The parameters that have a gradient in this step; its evaluation is kept in `asked`.
    fn present<M: Module>(&self, model: &M, asked: &mut Asked<'_, M>) -> Result<Layout, StepError> {
        let ready = match asked.ready.take() {
            Some(ready) => Ok(ready),
            None => self.evaluate(model, asked),
        };
        let gradients = match &ready {
            Ok(Ready::Gradients(_, gradients)) => Ok(Some(gradients)),
            Ok(Ready::NoShare | Ready::Answer(_)) => Ok(None),
            Err(error) => Err(error.clone()),
        };
        let layout = layout_with_gradients(model, gradients, self.collective)?;
        asked.ready = ready.ok();
        Ok(layout)
    }

    /// Loss and gradients of this rank's share of the batch.
    fn evaluate<M: Module>(&self, model: &M, asked: &mut Asked<'_, M>) -> Result<Ready, StepError> {
        let records = asked.batches.as_deref().map_or(&[][..], Batches::batch);
        asked.evals.gradient += 1;
        asked.evals.gradient_records += records.len() as u64;
        let Some(records) = share(self.collective, asked.batches.is_some(), records).0 else {
            return Ok(Ready::NoShare);
        };
        if let Some(seed) = asked.seed {
            seed_device(model, seed)?;
        }
        let loss = asked.loss.as_deref_mut().ok_or(StepError::NeedsLoss { method: K::NAME })?;
        let (loss, gradients) = evaluate(model, loss, records)?;
        Ok(Ready::Gradients(Some(loss), gradients))
    }

    pub fn advance<M: Module>(
        &self,
        session: &mut Session<K::State>,
        lr: &ModuleLearningRate,
        model: &mut M,
        asked: Asked<'_, M>,
    ) -> Result<StepReport, StepError> {
        let report = match self.missing {
            MissingGradients::Error => self.advance_all(&mut session.cohorts[0], lr, model, asked),
            MissingGradients::Skip => self.advance_present(session, lr, model, asked),
        }?;
        session.count(&report);
        Ok(report)
    }

    fn advance_all<M: Module>(
        &self,
        cohort: &mut Cohort<K::State>,
        lr: &ModuleLearningRate,
        model: &mut M,
        asked: Asked<'_, M>,
    ) -> Result<StepReport, StepError> {
        let tensors = cohort.tensor_settings(lr)?;
        let Cohort { layout, state, .. } = cohort;
        if self.method.searches() {
            require_one_function(self.method, layout, &tensors)?;
        }
        let context = StepContext { layout, tensors: &tensors };
        self.method.step(&context, &mut self.oracle(model, layout, asked), state)
    }

    /// One evaluation, and a step of each cohort that has gradients. The gradient is checked and clipped
    /// as a whole; what follows cannot fail in methods that work tensor by tensor.
    fn advance_present<M: Module>(
        &self,
        session: &mut Session<K::State>,
        lr: &ModuleLearningRate,
        model: &mut M,
        mut asked: Asked<'_, M>,
    ) -> Result<StepReport, StepError> {
        let layout = self.present(model, &mut asked)?;
        self.regroup(session, &layout)?;
        let is_present = |cohort: &&mut Cohort<K::State>| {
            cohort.layout.entries().iter().all(|entry| layout.index_of(entry.id).is_some())
        };
        let mut present: Vec<_> = session.cohorts.iter_mut().filter(is_present).collect();
        let settings: Vec<Vec<TensorSettings>> =
            present.iter().map(|cohort| cohort.tensor_settings(lr)).collect::<Result<_, _>>()?;
        let mut oracle = self.oracle(model, &layout, asked);
        let Evaluation { loss, gradient, gradient_norm, rejection } = oracle.gradient()?;
        let evals = oracle.evals();
        let answer = |gradient| Evaluation { loss, gradient, gradient_norm, rejection };
        let mut report = answer(Blocks::empty()).report(evals);
        if rejection.is_some() {
            return Ok(report);
        }
        let places = |cohort: &&mut Cohort<K::State>| {
            let entries = cohort.layout.entries().iter();
            entries.filter_map(|entry| layout.index_of(entry.id)).collect()
        };
        let parts = gradient.split(&present.iter().map(places).collect::<Vec<_>>());
        for ((cohort, tensors), part) in present.iter_mut().zip(&settings).zip(parts) {
            let Cohort { layout: of_cohort, state, .. } = &mut **cohort;
            let ready = Some(Ready::Answer(answer(part)));
            let asked = Asked { loss: None, batches: None, ready, seed: None, evals };
            let context = StepContext { layout: of_cohort, tensors };
            let mut oracle = self.oracle(model, of_cohort, asked);
            let of_cohort = self.method.step(&context, &mut oracle, state)?;
            report.pair = together(report.pair, of_cohort.pair);
        }
        Ok(report)
    }

    /// Lets every cohort have gradients for all of its parameters or for none, and new parameters join.
    fn regroup(&self, session: &mut Session<K::State>, present: &Layout) -> Result<(), StepError> {
        let mut known = vec![false; present.entries().len()];
        for entry in session.cohorts.iter().flat_map(|cohort| cohort.layout.entries()) {
            let Some(index) = present.index_of(entry.id) else { continue };
            known[index] = true;
            let now = &present.entries()[index];
            if now.shape != entry.shape || now.dtype != entry.dtype {
                let what = format!("`{}` has another shape or number type", entry.path);
                return Err(StepError::LayoutChanged { what });
            }
        }
        let entries = present.entries().iter().zip(&known);
        let new: Vec<Entry> =
            entries.filter(|(_, known)| !**known).map(|(entry, _)| entry.clone()).collect();
        let joined = if new.is_empty() {
            None
        } else {
            Some(Cohort::new(self.method, self.groups, Layout::new(new))?)
        };
        let has_gradient = |entry: &Entry| present.index_of(entry.id).is_some();
        let is_mixed = |cohort: &Cohort<K::State>| {
            let entries = cohort.layout.entries();
            entries.iter().any(has_gradient) && !entries.iter().all(has_gradient)
        };
        if session.cohorts.iter().any(is_mixed) {
            let parts = |cohort: &Cohort<K::State>| cohort.split(has_gradient);
            session.cohorts = session.cohorts.iter().flat_map(parts).flatten().collect();
        }
        session.cohorts.extend(joined);
        Ok(())
    }

    fn oracle<'o, 'c, M: Module>(
        &'o self,
        model: &'o mut M,
        layout: &'o Layout,
        asked: Asked<'c, M>,
    ) -> ModuleOracle<'o, 'c, M> {
        let Asked { loss, batches, ready, seed, evals } = asked;
        ModuleOracle {
            model,
            layout,
            method: K::NAME,
            screen: self.screen,
            reads_loss: self.method.searches(),
            loss,
            batches,
            collective: self.collective,
            answered: ready.is_some(),
            ready,
            seed,
            evals,
            allow_differences: self.allow_differences,
        }
    }
}

/// What became of the pairs of two cohorts.
fn together(one: PairOutcome, other: PairOutcome) -> PairOutcome {
    match (one, other) {
        (
            PairOutcome::PerTensor { stored: a, skipped: b },
            PairOutcome::PerTensor { stored: c, skipped: d },
        ) => PairOutcome::PerTensor { stored: a + c, skipped: b + d },
        (PairOutcome::NotTried, other) => other,
        (one, _) => one,
    }
}

/// A search moves all parameters by one step length, along a function that includes their decay, unless the method
/// has decoupled decay beside it.
pub(super) fn require_one_function<K: Method>(
    method: &K,
    layout: &Layout,
    tensors: &[TensorSettings],
) -> Result<(), StepError> {
    let is_outside = |decay: Decay| match decay {
        Decay::None | Decay::L2(_) => false,
        Decay::Decoupled(_) => !method.decays_apart(),
        Decay::Stable(_) => true,
    };
    let method = K::NAME;
    for (entry, tensor) in layout.entries().iter().zip(tensors) {
        let path = || entry.path.clone();
        if tensor.lr != tensors[0].lr {
            return Err(StepError::SeveralRates { method, path: path() });
        }
        if is_outside(tensor.decay) {
            return Err(StepError::DecayOutsideObjective { method, path: path() });
        }
    }
    Ok(())
}
