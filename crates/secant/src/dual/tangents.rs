//! The direction: one tensor for each parameter that moves.

use std::{any::Any, collections::HashMap};

use burn::{
    module::{Module, ModuleVisitor, Param, ParamId},
    optim::GradientsParams,
    tensor::Tensor,
};

use super::Dual;
use crate::error::ProductError;

/// The direction along which a forward pass is differentiated.
///
/// Without entries ([`Tangents::none`]) the pass is an ordinary one.
#[derive(Debug, Default)]
pub struct Tangents {
    entries: HashMap<ParamId, Box<dyn Any + Send>>,
}

impl Tangents {
    /// No direction: values only, by Burn's own operations.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether there is no direction.
    pub fn is_none(&self) -> bool {
        self.entries.is_empty()
    }

    /// Moves the parameter `id` along `tangent`, which has the parameter's shape.
    pub fn insert<const D: usize>(&mut self, id: ParamId, tangent: Tensor<D>) {
        self.entries.insert(id, Box::new(tangent));
    }

    /// The parameter, with its part of the direction.
    ///
    /// # Panics
    /// The tangent that was inserted for it is of another rank.
    pub fn param<const D: usize>(&self, param: &Param<Tensor<D>>) -> Dual<D> {
        Dual { value: param.val(), tangent: self.get(param.id).cloned() }
    }

    pub(super) fn get<const D: usize>(&self, id: ParamId) -> Option<&Tensor<D>> {
        let tangent = self.entries.get(&id)?.downcast_ref();
        Some(tangent.expect("a tangent has the rank of its parameter"))
    }

    /// The direction `vector` for the trainable parameters of `model`, as tracked leaves: after a
    /// backward pass of the loss's tangent they hold the gradient.
    pub(crate) fn along<M: Module>(
        model: &M,
        vector: &GradientsParams,
    ) -> Result<Self, ProductError> {
        let mut along = Along { vector, path: Vec::new(), tangents: Self::none(), fault: None };
        model.visit(&mut along);
        match along.fault {
            Some(fault) => Err(fault),
            None => Ok(along.tangents),
        }
    }
}

struct Along<'a> {
    vector: &'a GradientsParams,
    path: Vec<String>,
    tangents: Tangents,
    fault: Option<ProductError>,
}

impl ModuleVisitor for Along<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if !value.is_require_grad() || self.tangents.entries.contains_key(&param.id) {
            return;
        }
        let Some(vector) = self.vector.get::<D>(param.id) else { return };
        if vector.dims() != value.dims() || vector.dtype() != value.dtype() {
            let path = self.path.join(".");
            self.fault.get_or_insert(ProductError::Vector { path });
            return;
        }
        let vector = if vector.is_autodiff() { vector.inner() } else { vector };
        let mut tangent = Tensor::from_inner(vector);
        // Tensors of two strategies cannot be combined.
        if let Some(strategy) = value.gradient_checkpointing_strategy() {
            tangent = tangent.with_gradient_checkpointing_strategy(strategy);
        }
        self.tangents.insert(param.id, tangent.require_grad());
    }
}
