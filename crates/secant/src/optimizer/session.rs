//! What the first step fixes, and what steps advance.

use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use secant_core::report::{Outcome, StepReport};

use super::{Group, MissingGradients, Optimizer, advance::require_one_function};
use crate::{
    blocks::{Entry, Layout},
    error::StepError,
    oracle::layout_of_vector,
    protocol::{Decay, HAS_STABLE, Method, State, TensorSettings, extended},
};

/// What the first step fixes, and what steps advance.
#[derive(Clone, Debug)]
pub(crate) struct Session<S> {
    /// At least one; more only where gradients may be missing.
    pub cohorts: Vec<Cohort<S>>,
    pub accepted_steps: u64,
    pub rejected_steps: u64,
    /// Whether the closure was found to be random; known once a step had to know.
    pub random: Option<bool>,
    /// Whether the module has running statistics, so far as a step had to know.
    pub has_statistics: Option<bool>,
    /// Where the batches of [`Optimizer::step_on`](super::Optimizer::step_on) stood after the last step.
    pub batches: Option<Vec<u64>>,
    /// Whether the session was loaded, so that the next batches go on from there.
    pub is_loaded: bool,
}

/// Parameters that were moved in the same steps, and so have one state with one count of steps.
#[derive(Clone, Debug)]
pub(crate) struct Cohort<S> {
    pub layout: Layout,
    pub settings: Settings,
    pub state: S,
}

/// Of each parameter: the factor of its rate, and its decay.
type Settings = Vec<(f64, Decay)>;

fn settings<K: Method>(
    method: &K,
    groups: &[Group],
    layout: &Layout,
) -> Result<Settings, StepError> {
    let of = |entry: &Entry| {
        let group = groups.iter().rfind(|group| group.selects(entry.id, &entry.path));
        let decay = group.and_then(Group::decay).unwrap_or(method.decay_of(entry));
        match decay {
            Decay::Stable(_) if K::NAME != HAS_STABLE => Err(StepError::Decay { method: K::NAME }),
            _ => Ok((group.map_or(1.0, Group::rate_factor), decay)),
        }
    };
    layout.entries().iter().map(of).collect()
}

/// The rate and the decay of every parameter of `layout` in a step.
fn tensor_settings(
    layout: &Layout,
    settings: &Settings,
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
    layout.entries().iter().zip(settings).map(of).collect()
}

impl<K: Method> Optimizer<K> {
    /// Whether it could step on the parameters of `layout` at this rate.
    pub(super) fn check(&self, layout: &Layout, lr: &ModuleLearningRate) -> Result<(), StepError> {
        // Others can follow.
        if self.missing == MissingGradients::Error {
            self.method.check_layout(layout)?;
        }
        let settings = settings(&self.method, &self.groups, layout)?;
        let tensors = tensor_settings(layout, &settings, lr)?;
        if self.method.searches() {
            require_one_function(&self.method, layout, &tensors)?;
        }
        Ok(())
    }
}

impl<S: State> Cohort<S> {
    /// The fresh state and the settings of the parameters of `layout`.
    pub fn new<K: Method<State = S>>(
        method: &K,
        groups: &[Group],
        layout: Layout,
    ) -> Result<Self, StepError> {
        let settings = settings(method, groups, &layout)?;
        let state = method.init(&layout);
        Ok(Self { layout, settings, state })
    }

    /// The parameters that `is_present` says have a gradient, and the others; none where there are none.
    /// Of a method that works tensor by tensor.
    pub fn split(&self, is_present: impl Fn(&Entry) -> bool) -> [Option<Self>; 2] {
        [true, false].map(|wanted| {
            let entries = self.layout.entries().iter().enumerate();
            let chosen: Vec<usize> = entries
                .filter(|(_, entry)| is_present(entry) == wanted)
                .map(|(index, _)| index)
                .collect();
            (!chosen.is_empty()).then(|| self.part(&chosen))
        })
    }

    fn part(&self, chosen: &[usize]) -> Self {
        let all = self.layout.entries();
        let mut state = self.state.clone();
        for (_, vector) in state.vectors_mut() {
            if !vector.is_empty() {
                *vector = vector.select(chosen);
            }
        }
        for (_, numbers) in state.numbers_mut() {
            if numbers.len() == all.len() {
                *numbers = chosen.iter().map(|index| numbers[*index]).collect();
            }
        }
        Self {
            layout: Layout::new(chosen.iter().map(|index| all[*index].clone()).collect()),
            settings: chosen.iter().map(|index| self.settings[*index]).collect(),
            state,
        }
    }
}

impl<S: State> Cohort<S> {
    /// The same state for the parameters of `fresh`, which is before its first step.
    pub fn extended_to(self, fresh: Self) -> Self {
        let state = extended(self.state, fresh.state, &self.layout, &fresh.layout);
        Self { state, ..fresh }
    }
}

impl<S> Cohort<S> {
    /// Checks that it is of a vector of this length.
    pub fn require_length(&self, length: usize) -> Result<(), StepError> {
        if self.layout.matches(&layout_of_vector(length)) {
            return Ok(());
        }
        let what = "the vector has another length".to_string();
        Err(StepError::LayoutChanged { what })
    }

    /// The rate and the decay of every parameter in this step.
    pub fn tensor_settings(
        &self,
        lr: &ModuleLearningRate,
    ) -> Result<Vec<TensorSettings>, StepError> {
        tensor_settings(&self.layout, &self.settings, lr)
    }
}

/// Checks what groups and hyper-parameters say of single parameters: that there are such. `all` is of
/// all parameters, `moved` of those that the first step moves.
pub(super) fn check_names<K: Method>(
    method: &K,
    groups: &[Group],
    missing: MissingGradients,
    all: &Layout,
    moved: &Layout,
) -> Result<(), StepError> {
    groups.iter().try_for_each(|group| group.require_any(all))?;
    // Others can follow.
    method.check_layout(if missing == MissingGradients::Skip { all } else { moved })
}

impl<S: State> Session<S> {
    /// The session before its first step on the parameters of `layout`.
    pub fn new<K: Method<State = S>>(
        method: &K,
        groups: &[Group],
        layout: Layout,
    ) -> Result<Self, StepError> {
        Ok(Self::of(vec![Cohort::new(method, groups, layout)?]))
    }

    /// The session of these cohorts, before any step.
    pub fn of(cohorts: Vec<Cohort<S>>) -> Self {
        Self {
            cohorts,
            accepted_steps: 0,
            rejected_steps: 0,
            random: None,
            has_statistics: None,
            batches: None,
            is_loaded: false,
        }
    }

    pub fn count(&mut self, report: &StepReport) {
        match report.outcome {
            Outcome::Accepted | Outcome::Converged => self.accepted_steps += 1,
            Outcome::Rejected(_) => self.rejected_steps += 1,
        }
    }
}
