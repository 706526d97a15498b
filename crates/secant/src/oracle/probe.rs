//! A copy of a module at a trial point. The user's module is not written before a step is accepted.

use std::{any::Any, collections::HashMap};

use burn::{
    module::{Module, ModuleMapper, Param, ParamId},
    tensor::{Tensor, TensorData},
};

use super::parameters::{Context, Take};
use crate::blocks::{Blocks, Layout};

/// A copy of a module whose parameters are a point's vectors. They go back when it is dropped, also
/// by a panic in the user's loss.
pub(crate) struct Probe<'a, M: Module> {
    /// There until it is dropped.
    model: Option<M>,
    layout: &'a Layout,
    point: &'a mut Blocks,
}

impl<'a, M: Module> Probe<'a, M> {
    /// `model` at `point`; with `tracked`, gradients can be taken.
    pub(crate) fn new(model: &M, layout: &'a Layout, point: &'a mut Blocks, tracked: bool) -> Self {
        let data = std::mem::take(point).into_data().into_iter().map(Some).collect();
        let model = model.clone().map(&mut Lend { layout, data, tracked, tied: HashMap::new() });
        let model = if tracked { model } else { model.no_grad() };
        Self { model: Some(model), layout, point }
    }

    pub(crate) fn model(&self) -> &M {
        self.model.as_ref().expect("there until the end")
    }
}

impl<M: Module> Drop for Probe<'_, M> {
    fn drop(&mut self) {
        if let Some(model) = self.model.take() {
            let mut take = Take::new(self.layout);
            drop(model.map(&mut take));
            *self.point = take.finish().0;
        }
    }
}

/// Puts vectors in the layout's parameters.
struct Lend<'a> {
    layout: &'a Layout,
    data: Vec<Option<TensorData>>,
    tracked: bool,
    /// The values so far, for other places of tied weights.
    tied: HashMap<ParamId, Box<dyn Any>>,
}

impl ModuleMapper for Lend<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(index) = self.layout.index_of(param.id) else { return param };
        let (id, value, mapper) = param.consume();
        let value = match self.data[index].take() {
            Some(data) => Context::of(&value).tracked(self.tracked).restore(id, data),
            None => {
                let tied = self.tied[&id].downcast_ref::<Tensor<D>>();
                tied.expect("the places of a tied weight have one rank").clone()
            }
        };
        self.tied.entry(id).or_insert_with(|| Box::new(value.clone()));
        Param::from_mapped_value(id, value, mapper)
    }
}
