//! The number type of a comparison.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{DType, Device, Tensor},
};
pub use secant_data::Precision;

/// Burn's name for a number type.
pub(crate) fn dtype(precision: Precision) -> DType {
    match precision {
        Precision::F32 => DType::F32,
        Precision::F64 => DType::F64,
    }
}

/// A model drawn from `seed`, in the number type.
///
/// Burn has one random generator for the whole process, so models are drawn one at a time.
pub(crate) fn drawn<M: Module>(
    seed: u64,
    precision: Precision,
    device: &Device,
    init: impl FnOnce() -> M,
) -> M {
    static GENERATOR: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _drawing = GENERATOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    device.seed(seed);
    let model = init();
    model.visit(&mut Draw);
    match precision {
        Precision::F32 => model,
        Precision::F64 => model.map(&mut Cast(DType::F64)),
    }
}

/// The number type of a model's parameters; none where it has none of these.
pub(crate) fn precision_of<M: Module>(model: &M) -> Option<Precision> {
    let mut types = Types(Vec::new());
    model.visit(&mut types);
    types.0.into_iter().find_map(|dtype| match dtype {
        DType::F32 => Some(Precision::F32),
        DType::F64 => Some(Precision::F64),
        _ => None,
    })
}

struct Types(Vec<DType>);

impl ModuleVisitor for Types {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().dtype());
    }
}

/// Draws parameters that wait for their first use.
struct Draw;

impl ModuleVisitor for Draw {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        drop(param.val());
    }
}

/// Changes the number type; a plain cast would lose the parameter's place in the graph.
struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|value| {
            let require_grad = value.is_require_grad();
            Tensor::from_inner(value.inner().cast(self.0)).set_require_grad(require_grad)
        })
    }
}
