//! The direction: one tensor for each parameter that moves.

use std::{any::Any, cell::RefCell, collections::HashMap};

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
    /// What the loss has marked so far, where it is asked for.
    outputs: Option<RefCell<Vec<Output>>>,
}

/// An output of the network, flat.
#[derive(Debug)]
pub(super) struct Output {
    /// Where the graph of the loss begins.
    pub leaf: Tensor<1>,
    /// Its derivative along the direction; none where it is constant.
    pub tangent: Option<Tensor<1>>,
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

    /// The same numbers, marked as an output of the network: what the loss makes of them is its own
    /// part, whose Hessian a [Gauss-Newton product](super::gauss_newton_form) has in the middle. Logits
    /// are an output, and so are residuals whose squares are summed.
    #[must_use]
    pub fn output<const D: usize>(&self, y: Dual<D>) -> Dual<D> {
        let Some(outputs) = &self.outputs else { return y };
        let (shape, size) = (y.dims(), y.dims().iter().product::<usize>());
        let leaf = y.value.detach().reshape([size]).require_grad();
        let tangent = y.tangent.map(Tensor::detach);
        let value = leaf.clone().reshape(shape);
        let flat = tangent.clone().map(|tangent| tangent.reshape([size]));
        outputs.borrow_mut().push(Output { leaf, tangent: flat });
        Dual { value, tangent }
    }

    /// What has been marked.
    pub(super) fn into_outputs(self) -> Vec<Output> {
        self.outputs.map_or_else(Vec::new, RefCell::into_inner)
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
        Along::new(vector, true).tangents(model)
    }

    /// The direction `vector`, constant to reverse differentiation, for a pass that notes outputs. All
    /// parameters with an entry move, frozen ones too.
    pub(super) fn noting_outputs<M: Module>(
        model: &M,
        vector: &GradientsParams,
    ) -> Result<Self, ProductError> {
        let tangents = Along::new(vector, false).tangents(model)?;
        Ok(Self { outputs: Some(RefCell::default()), ..tangents })
    }
}

struct Along<'a> {
    vector: &'a GradientsParams,
    /// Whether tangents are leaves of a graph, of trainable parameters alone.
    are_leaves: bool,
    path: Vec<String>,
    tangents: Tangents,
    fault: Option<ProductError>,
}

impl<'a> Along<'a> {
    fn new(vector: &'a GradientsParams, are_leaves: bool) -> Self {
        Self { vector, are_leaves, path: Vec::new(), tangents: Tangents::none(), fault: None }
    }

    fn tangents<M: Module>(mut self, model: &M) -> Result<Tangents, ProductError> {
        model.visit(&mut self);
        self.fault.map_or(Ok(self.tangents), Err)
    }
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
        let moves = value.is_require_grad() || !self.are_leaves;
        if !moves || self.tangents.entries.contains_key(&param.id) {
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
        let tangent = if self.are_leaves { tangent.require_grad() } else { tangent };
        self.tangents.insert(param.id, tangent);
    }
}
