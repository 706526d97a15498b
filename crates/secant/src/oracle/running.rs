//! Running statistics of batch norm, so that further evaluations of one step leave no trace.
//!
//! Clones of a module share their running statistics, and updates wait until the module is made
//! ready for validation.

use std::{any::Any, collections::HashMap};

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    tensor::Tensor,
};

/// The values of everything that is a float parameter to a visitor but not trained. Holding them
/// copies nothing: an update replaces a statistic, it does not write into it.
pub(crate) struct RunningStatistics {
    values: HashMap<ParamId, Box<dyn Any>>,
}

impl RunningStatistics {
    /// The statistics of `model`, after all updates that wait.
    pub(crate) fn of<M: Module>(model: &M) -> Self {
        flush(model);
        let mut snapshot = Snapshot { values: HashMap::new() };
        model.visit(&mut snapshot);
        Self { values: snapshot.values }
    }

    /// Whether there is anything to keep.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Writes the statistics back, through every clone of `model`.
    pub(crate) fn restore<M: Module>(&self, model: &M) {
        if !self.is_empty() {
            flush(model);
            drop(model.clone().map(&mut Restore { values: &self.values }));
        }
    }
}

/// Applies the updates that wait.
fn flush<M: Module>(model: &M) {
    drop(model.valid());
}

struct Snapshot {
    values: HashMap<ParamId, Box<dyn Any>>,
}

impl ModuleVisitor for Snapshot {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if !value.is_require_grad() {
            self.values.insert(param.id, Box::new(value));
        }
    }
}

struct Restore<'a> {
    values: &'a HashMap<ParamId, Box<dyn Any>>,
}

impl ModuleMapper for Restore<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.values.get(&param.id).and_then(|value| value.downcast_ref::<Tensor<D>>()) {
            Some(value) => param.map(|_| value.clone()),
            None => param,
        }
    }
}
