//! A module that holds tensors of given shapes, and gradients for it.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor, TensorData},
};

use super::Shapes;

/// Parameters by rank; within a rank in the order of the shapes.
#[derive(Module, Debug)]
pub(super) struct BenchModel {
    kernels: Vec<Param<Tensor<4>>>,
    matrices: Vec<Param<Tensor<2>>>,
    vectors: Vec<Param<Tensor<1>>>,
}

impl BenchModel {
    /// Parameters of the size of a trained network's.
    pub(super) fn new(shapes: Shapes) -> Self {
        let mut model = Self { kernels: Vec::new(), matrices: Vec::new(), vectors: Vec::new() };
        let mut numbers = Numbers::new(1);
        for shape in shapes.list() {
            let data = numbers.tensor(&shape, 0.05);
            match shape.len() {
                4 => model.kernels.push(parameter(data)),
                2 => model.matrices.push(parameter(data)),
                _ => model.vectors.push(parameter(data)),
            }
        }
        model
    }
}

fn parameter<const D: usize>(data: TensorData) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_data(data, &Device::flex().autodiff()))
}

/// Two gradients that take turns, so that no method meets the same one twice in a row.
pub(super) struct Gradients {
    templates: [Vec<TensorData>; 2],
}

impl Gradients {
    /// Gradients of the size that training has.
    pub(super) fn new(model: &BenchModel) -> Self {
        Self { templates: [2, 3].map(|seed| template(model, seed)) }
    }

    /// The gradients of step `step`: tensors that nobody else holds, as after a backward pass.
    pub(super) fn of(&self, model: &BenchModel, step: usize) -> GradientsParams {
        let mut register = Register {
            template: self.templates[step % 2].iter(),
            gradients: GradientsParams::new(),
        };
        model.visit(&mut register);
        register.gradients
    }
}

fn template(model: &BenchModel, seed: u64) -> Vec<TensorData> {
    let mut template = Template { numbers: Numbers::new(seed), data: Vec::new() };
    model.visit(&mut template);
    template.data
}

struct Template {
    numbers: Numbers,
    data: Vec<TensorData>,
}

impl ModuleVisitor for Template {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.data.push(self.numbers.tensor(&param.lazy_shape(), 0.01));
    }
}

struct Register<'a> {
    template: std::slice::Iter<'a, TensorData>,
    gradients: GradientsParams,
}

impl ModuleVisitor for Register<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(data) = self.template.next() {
            let gradient: Tensor<D> = Tensor::from_data(data.clone(), &Device::flex());
            self.gradients.register(param.id, gradient);
        }
    }
}

/// Numbers in [-1, 1) without a pattern (a linear congruential generator's upper bits).
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> f32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn tensor(&mut self, shape: &[usize], scale: f32) -> TensorData {
        let values = (0..shape.iter().product()).map(|_| scale * self.next()).collect::<Vec<_>>();
        TensorData::new(values, shape.to_vec())
    }
}
