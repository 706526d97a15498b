//! What the first step fixes, and what steps advance.

use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use secant_core::report::{Outcome, StepReport};

use super::{Group, Optimizer};
use crate::{
    blocks::{Entry, Layout},
    error::StepError,
    protocol::{Decay, Method, State, TensorSettings, extended},
};

/// What the first step fixes, and what steps advance.
#[derive(Clone, Debug)]
pub(crate) struct Session<S> {
    pub layout: Layout,
    /// Of each parameter: the factor of its rate, and its decay.
    pub settings: Vec<(f64, Decay)>,
    pub state: S,
    pub accepted_steps: u64,
    pub rejected_steps: u64,
    /// Whether the closure was found to be random; known once a step had to know.
    pub random: Option<bool>,
    /// Whether the module has running statistics, so far as a step had to know.
    pub has_statistics: Option<bool>,
    /// Where the batches of [`Optimizer::step_on`] stood after the last step.
    pub batches: Option<Vec<u64>>,
    /// Whether the session was loaded, so that the next batches go on from there.
    pub is_loaded: bool,
}

impl<K: Method> Optimizer<K> {
    /// The state and the settings of every parameter.
    pub(crate) fn start(&self, layout: Layout) -> Result<Session<K::State>, StepError> {
        self.method.check_layout(&layout)?;
        let mut settings = Vec::with_capacity(layout.entries().len());
        for entry in layout.entries() {
            let group = self.groups.iter().rfind(|group| group.selects(entry.id, &entry.path));
            let decay = group.and_then(Group::decay).unwrap_or(self.method.decay_of(entry));
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
}

impl<S: State> Session<S> {
    /// The same session for the parameters of `fresh`, which is before its first step.
    pub fn extended_to(self, fresh: Self) -> Self {
        let state = extended(self.state, fresh.state, &self.layout, &fresh.layout);
        Self { layout: fresh.layout, settings: fresh.settings, state, ..self }
    }
}

impl<S> Session<S> {
    pub fn count(&mut self, report: &StepReport) {
        match report.outcome {
            Outcome::Accepted | Outcome::Converged => self.accepted_steps += 1,
            Outcome::Rejected(_) => self.rejected_steps += 1,
        }
    }

    /// The rate and the decay of every parameter in this step.
    pub fn tensor_settings(
        &self,
        lr: &ModuleLearningRate,
    ) -> Result<Vec<TensorSettings>, StepError> {
        let of = |(entry, (factor, decay)): (&Entry, &(f64, Decay))| {
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
