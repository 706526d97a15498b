//! The model to evaluate, for methods that take gradients at another point.

use burn::module::Module;

use super::{Cohort, Optimizer};
use crate::{
    blocks::{Blocks, Entry},
    error::StepError,
    oracle::{all_parameters, write_parameters},
    protocol::{Method, State},
};

impl<K: Method> Optimizer<K> {
    /// The model to evaluate: where a loop says `model.valid()`, it can say `optimizer.averaged(&model)?` for
    /// every method. With most methods that is the same; a method that averages (Schedule-Free, Subspace Newton) takes its
    /// gradients at the parameters of `model`, and promises something of their average, which the copy holds.
    ///
    /// `model` stays as it is, and the next step goes on from it. The copy is as `valid()` gives: without
    /// automatic differentiation, with dropout off. Batch norm's running statistics are copied as they stand,
    /// so of an average they are those of the parameters that were trained. Where that matters, take
    /// them at the average, in training, before evaluating: `optimizer.averaged(&model)?.train()` has statistics
    /// of its own, some forward passes on training records move them there, and `valid()` follows. Those of
    /// `model` see nothing of it.
    ///
    /// To go on training from files, save `model` and the optimizer, not the copy.
    ///
    /// # Errors
    /// `model` lacks a parameter that the optimizer has moved, or has it in another shape or number type.
    pub fn averaged<M: Module>(&self, model: &M) -> Result<M, StepError> {
        let mut copy = model.clone();
        if self.method.averages() {
            self.cohorts().iter().try_for_each(|cohort| require_parameters(cohort, model))?;
            self.move_to_average(&mut copy);
        }
        Ok(copy.valid())
    }

    /// Whether [`Optimizer::averaged`] gives another point than the parameters of the model.
    pub fn averages(&self) -> bool {
        self.method.averages()
    }

    /// Moves the parameters themselves, which the model has all of.
    pub(super) fn move_to_average<M: Module>(&self, model: &mut M) {
        if self.method.averages() {
            for Cohort { layout, state, .. } in self.cohorts() {
                let average = &mut |theta: &mut _| self.method.average(theta, state);
                write_parameters(model, layout, average);
            }
        }
    }

    /// The vector to evaluate, for steps on a function ([`Optimizer::step_function`]): x itself, or where the
    /// method averages that of its average. The next step goes on from x.
    ///
    /// # Errors
    /// The optimizer has stepped on a vector of another length, or on a module.
    pub fn averaged_vector(&self, x: &[f64]) -> Result<Vec<f64>, StepError> {
        let mut point = Blocks::of_vector(x.to_vec());
        if self.method.averages() {
            for cohort in self.cohorts() {
                cohort.require_length(x.len())?;
                self.method.average(&mut point, &cohort.state);
            }
        }
        Ok(point.vector().to_vec())
    }

    fn cohorts(&self) -> &[Cohort<K::State>] {
        self.session.as_ref().map_or(&[], |session| &session.cohorts)
    }
}

fn require_parameters<S: State, M: Module>(cohort: &Cohort<S>, model: &M) -> Result<(), StepError> {
    let all = all_parameters(model);
    let is_there = |entry: &Entry| {
        let found = all.index_of(entry.id).map(|index| &all.entries()[index]);
        found.is_some_and(|found| found.shape == entry.shape && found.dtype == entry.dtype)
    };
    match cohort.layout.entries().iter().find(|entry| !is_there(entry)) {
        None => Ok(()),
        Some(Entry { path, .. }) => Err(StepError::LayoutChanged {
            what: format!("`{path}` is not there, or has another shape or number type"),
        }),
    }
}
