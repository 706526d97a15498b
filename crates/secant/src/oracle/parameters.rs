//! Moves parameters and gradients between a module and [`Blocks`], without a copy where nothing
//! else holds the buffer.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
};

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    optim::GradientsParams,
    tensor::{DType, Device, GradientCheckpointingStrategy, Tensor, TensorData},
};

use crate::{
    blocks::{Blocks, Entry, Layout},
    collective::{Collective, meet},
    error::StepError,
};

/// All trainable float parameters of a module in order; tied weights once. Lazy parameters are
/// initialised by it.
pub(crate) fn trainable_layout<M: Module>(model: &M) -> Result<Layout, StepError> {
    let mut visitor = Visitor::default();
    model.visit(&mut visitor);
    let unsupported = |entry: &&Entry| !matches!(entry.dtype, DType::F32 | DType::F64);
    match visitor.entries.iter().find(unsupported) {
        Some(Entry { path, dtype, .. }) => {
            Err(StepError::Dtype { path: path.clone(), dtype: format!("{dtype:?}").to_lowercase() })
        }
        None => Ok(Layout::new(visitor.entries)),
    }
}

#[derive(Default)]
struct Visitor {
    frozen_too: bool,
    path: Vec<String>,
    seen: HashSet<ParamId>,
    entries: Vec<Entry>,
}

impl ModuleVisitor for Visitor {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if (self.frozen_too || value.is_require_grad()) && self.seen.insert(param.id) {
            let (shape, dtype) = (value.shape(), value.dtype());
            self.entries.push(Entry { id: param.id, path: self.path.join("."), shape, dtype });
        }
    }
}

/// All float parameters of a module in order, also those that are not trained; tied weights once.
pub(crate) fn all_parameters<M: Module>(model: &M) -> Layout {
    let mut visitor = Visitor { frozen_too: true, ..Visitor::default() };
    model.visit(&mut visitor);
    Layout::new(visitor.entries)
}

/// The layout of the trainable parameters that have a gradient, on this rank or on another. On a rank
/// without records there are no gradients.
pub(crate) fn layout_with_gradients<M: Module>(
    model: &M,
    gradients: Result<Option<&GradientsParams>, StepError>,
    collective: &dyn Collective,
) -> Result<Layout, StepError> {
    let trainable = trainable_layout(model)?;
    if trainable.entries().is_empty() {
        return Err(StepError::NoParameters);
    }
    let mut ids = HashSet::new();
    if let Ok(Some(gradients)) = &gradients {
        let mut visitor = HasGradient { gradients, ids };
        model.visit(&mut visitor);
        ids = visitor.ids;
    }
    let has_one = |entry: &Entry| f64::from(u8::from(ids.contains(&entry.id)));
    let mut ranks: Vec<f64> = trainable.entries().iter().map(has_one).collect();
    meet(collective, gradients, &mut ranks)?;
    let used = trainable.entries().iter().zip(&ranks).filter(|(_, ranks)| **ranks > 0.0);
    let entries: Vec<Entry> = used.map(|(entry, _)| entry.clone()).collect();
    if entries.is_empty() { Err(StepError::NoGradient) } else { Ok(Layout::new(entries)) }
}

struct HasGradient<'a> {
    gradients: &'a GradientsParams,
    ids: HashSet<ParamId>,
}

impl ModuleVisitor for HasGradient<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.gradients.get::<D>(param.id).is_some() {
            self.ids.insert(param.id);
        }
    }
}

/// The gradients of the layout's parameters.
pub(super) struct Taken {
    /// Zeros where a parameter has none.
    pub gradient: Blocks,
    /// Which parameters have one.
    pub has_gradient: Vec<bool>,
}

/// Takes the gradients of the layout's parameters.
pub(super) fn take_gradients<M: Module>(
    model: &M,
    layout: &Layout,
    gradients: GradientsParams,
) -> Result<Taken, StepError> {
    let mut visitor = TakeGradients::new(layout, gradients);
    model.visit(&mut visitor);
    visitor.finish()
}

struct TakeGradients<'a> {
    layout: &'a Layout,
    path: Vec<String>,
    gradients: GradientsParams,
    taken: Vec<Option<TensorData>>,
    fault: Option<StepError>,
}

impl<'a> TakeGradients<'a> {
    fn new(layout: &'a Layout, gradients: GradientsParams) -> Self {
        let taken = vec![None; layout.entries().len()];
        Self { layout, path: Vec::new(), gradients, taken, fault: None }
    }

    fn changed(&mut self, what: String) {
        self.fault.get_or_insert(StepError::LayoutChanged { what });
    }

    fn finish(self) -> Result<Taken, StepError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let has_gradient = self.taken.iter().map(Option::is_some).collect();
        let entries = self.layout.entries().iter().zip(self.taken);
        let gradient = entries.map(|(entry, data)| data.unwrap_or_else(|| filled(entry, 0.0)));
        Ok(Taken { gradient: Blocks::new(gradient.collect()), has_gradient })
    }
}

impl ModuleVisitor for TakeGradients<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(index) = self.layout.index_of(param.id) else {
            if self.gradients.get::<D>(param.id).is_some() {
                self.changed(format!(
                    "`{}` had no gradient then and has one now; methods that treat each tensor by itself \
                     let it join, `with_missing_gradients`",
                    self.path.join(".")
                ));
            }
            return;
        };
        // The second occurrence of a tied weight finds no gradient.
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return };
        let entry = &self.layout.entries()[index];
        if gradient.shape() != entry.shape || gradient.dtype() != entry.dtype {
            let what = format!("`{}` has another shape or number type", entry.path);
            return self.changed(what);
        }
        self.taken[index] = Some(gradient.into_data());
    }
}

/// A copy of the layout's parameters.
pub(crate) fn copy_parameters<M: Module>(model: &M, layout: &Layout) -> Result<Blocks, StepError> {
    let mut copy = Copy { layout, taken: vec![None; layout.entries().len()] };
    model.visit(&mut copy);
    let whole = |(data, entry): (Option<TensorData>, &Entry)| {
        data.filter(|data| fits(data, entry)).ok_or_else(|| StepError::LayoutChanged {
            what: format!("`{}` is not there, or has another shape or number type", entry.path),
        })
    };
    let copies = copy.taken.into_iter().zip(layout.entries()).map(whole);
    Ok(Blocks::new(copies.collect::<Result<_, _>>()?))
}

struct Copy<'a> {
    layout: &'a Layout,
    taken: Vec<Option<TensorData>>,
}

impl ModuleVisitor for Copy<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(index) = self.layout.index_of(param.id) {
            self.taken[index].get_or_insert_with(|| param.val().inner().into_data());
        }
    }
}

/// Lends the layout's parameters of `model` to `update` and puts them back, also when it panics.
///
/// # Panics
/// Where the model lacks one of them, or `update` leaves another number of vectors or other shapes.
pub(crate) fn write_parameters<M: Module>(
    model: &mut M,
    layout: &Layout,
    update: &mut dyn FnMut(&mut Blocks),
) {
    let mut lent = Lent::of(model, layout);
    update(&mut lent.theta);
    let fits = lent.theta.fits(layout);
    assert!(fits, "a method keeps the shapes and types of the parameters it is lent");
}

/// A model without its parameters while these are lent. They go back when it is dropped, as they are
/// then: a panic in the middle of a pass leaves some numbers of the new point beside some of the old.
struct Lent<'a, M: Module> {
    model: &'a mut M,
    layout: &'a Layout,
    theta: Blocks,
    contexts: Vec<Option<Context>>,
    places: Vec<usize>,
}

impl<'a, M: Module> Lent<'a, M> {
    fn of(model: &'a mut M, layout: &'a Layout) -> Self {
        let mut take = Take::new(layout);
        let emptied = model.clone().map(&mut take);
        assert!(take.is_complete(), "the model has all parameters of the layout");
        // Only `take` holds the buffers once the emptied clone is in the model's place.
        *model = emptied;
        let (theta, contexts, places) = take.finish();
        Self { model, layout, theta, contexts, places }
    }
}

impl<M: Module> Drop for Lent<'_, M> {
    fn drop(&mut self) {
        let mut lent = std::mem::take(&mut self.theta).into_data().into_iter();
        let whole = |entry: &Entry| {
            let data = lent.next().filter(|data| fits(data, entry));
            // A method threw it away before it panicked: no number that could be taken for a trained one.
            Some(data.unwrap_or_else(|| filled(entry, f64::NAN)))
        };
        let mut put = Put {
            layout: self.layout,
            contexts: std::mem::take(&mut self.contexts),
            data: self.layout.entries().iter().map(whole).collect(),
            places: std::mem::take(&mut self.places),
            tied: HashMap::new(),
        };
        *self.model = self.model.clone().map(&mut put);
    }
}

fn fits(data: &TensorData, entry: &Entry) -> bool {
    *data.shape() == entry.shape && data.dtype() == entry.dtype
}

/// One number all over the shape of a parameter.
fn filled(entry: &Entry, number: f64) -> TensorData {
    let (elements, shape) = (entry.shape.num_elements(), entry.shape.clone());
    match entry.dtype {
        DType::F64 => TensorData::new(vec![number; elements], shape),
        _ => TensorData::new(vec![number as f32; elements], shape),
    }
}

/// The autodiff state of a parameter, which a new value does not have by itself.
#[derive(Clone, Debug)]
pub(super) struct Context {
    device: Device,
    require_grad: bool,
    distributed: bool,
    checkpointing: Option<GradientCheckpointingStrategy>,
}

impl Context {
    pub fn of<const D: usize>(value: &Tensor<D>) -> Self {
        Self {
            device: value.device(),
            require_grad: value.is_require_grad(),
            // Asked of a tensor without autodiff, Burn panics.
            distributed: value.is_autodiff() && value.is_distributed(),
            checkpointing: value.gradient_checkpointing_strategy(),
        }
    }

    /// The same, tracked or not.
    pub fn tracked(self, require_grad: bool) -> Self {
        Self { require_grad, ..self }
    }

    /// The parameter's new value, on its device with its autodiff state.
    pub fn restore<const D: usize>(&self, id: ParamId, data: TensorData) -> Tensor<D> {
        let dtype = data.dtype();
        let mut value = Tensor::from_data(data, (&self.device, dtype));
        if let Some(strategy) = self.checkpointing {
            value = value.with_gradient_checkpointing_strategy(strategy);
        }
        if self.require_grad {
            value = value.require_grad();
        }
        if self.distributed { value.set_distributed(id) } else { value }
    }
}

/// Takes the layout's parameters out and leaves empty ones.
pub(super) struct Take<'a> {
    layout: &'a Layout,
    values: Vec<Option<Tensor<1>>>,
    contexts: Vec<Option<Context>>,
    /// In how many places of the module the parameter stands.
    places: Vec<usize>,
}

impl<'a> Take<'a> {
    pub fn new(layout: &'a Layout) -> Self {
        let count = layout.entries().len();
        Self {
            layout,
            values: vec![None; count],
            contexts: vec![None; count],
            places: vec![0; count],
        }
    }

    /// Whether every parameter of the layout was found.
    fn is_complete(&self) -> bool {
        self.values.iter().all(Option::is_some)
    }

    /// The values, now that nothing else holds them, and what is needed to put them back.
    pub fn finish(self) -> (Blocks, Vec<Option<Context>>, Vec<usize>) {
        let shaped = |(value, entry): (Option<Tensor<1>>, &Entry)| {
            let (bytes, _, dtype) =
                value.expect("the module has all parameters").into_data().into_parts();
            TensorData::from_bytes(bytes, entry.shape.clone(), dtype)
        };
        let data = self.values.into_iter().zip(self.layout.entries()).map(shaped).collect();
        (Blocks::new(data), self.contexts, self.places)
    }
}

impl ModuleMapper for Take<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(index) = self.layout.index_of(param.id) else { return param };
        let (id, value, mapper) = param.consume();
        self.places[index] += 1;
        let context = Context::of(&value);
        let value = value.inner();
        let empty = Tensor::empty([0; D], &value.device());
        if self.places[index] == 1 {
            self.contexts[index] = Some(context);
            let elements = self.layout.entries()[index].shape.num_elements();
            self.values[index] = Some(value.reshape([elements]));
        }
        Param::from_mapped_value(id, empty, mapper)
    }
}

/// Puts the layout's parameters back, in every place of a tied weight.
struct Put<'a> {
    layout: &'a Layout,
    contexts: Vec<Option<Context>>,
    data: Vec<Option<TensorData>>,
    places: Vec<usize>,
    /// The values of tied weights, to be put in their other places.
    tied: HashMap<ParamId, Box<dyn Any>>,
}

impl ModuleMapper for Put<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(index) = self.layout.index_of(param.id) else { return param };
        let (id, _, mapper) = param.consume();
        let value: Tensor<D> = match (self.data[index].take(), self.contexts[index].take()) {
            (Some(data), Some(context)) => context.restore(id, data),
            _ => {
                let tied = self.tied[&id].downcast_ref::<Tensor<D>>();
                tied.expect("the places of a tied weight have one rank").clone()
            }
        };
        if self.places[index] > 1 {
            self.tied.entry(id).or_insert_with(|| Box::new(value.clone()));
        }
        Param::from_mapped_value(id, value, mapper)
    }
}
