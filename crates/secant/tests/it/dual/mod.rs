//! Exact Hessian-vector products: every rule against differences of Burn's own values and
//! gradients.

mod attention;
mod functions;
mod gauss_newton;
mod layers;
mod networks;
mod recurrent;

use std::{any::Any, collections::HashMap};

use burn::{
    module::{Module, ModuleDisplay, ModuleMapper, ModuleVisitor, Param, ParamId},
    nn::{
        BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Embedding, LayerNorm, LayerNormConfig,
        Linear, LinearConfig, PaddingConfig1d, PaddingConfig2d,
        conv::{
            Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, ConvTranspose1d, ConvTranspose1dConfig,
            ConvTranspose2d, ConvTranspose2dConfig,
        },
        loss::{CrossEntropyLossConfig, MseLoss, Reduction},
        pool::{
            AdaptiveAvgPool1dConfig, AdaptiveAvgPool2dConfig, AvgPool1dConfig, AvgPool2dConfig,
            MaxPool1dConfig, MaxPool2d, MaxPool2dConfig,
        },
    },
    optim::GradientsParams,
    tensor::{DType, Device, FloatDType, Int, Tensor, activation},
};
use secant::{
    dual::{Attended, Dual, Product, Tangents, hessian_vector_product},
    error::ProductError,
};

use crate::support::{GENERATOR, Numbers, Vectors, assert_close, device, numbers, vector};

/// Half the distance of a difference: its own error is 1e-10 times third derivatives, that of the
/// rounding 1e-16 / 1e-5.
const STEP: f64 = 1e-5;

/// Central differences, of third derivatives up to some hundred.
const DIFFERENCES: f64 = 1e-7;

/// Sums of some hundred numbers in two orders.
const ROUNDING: f64 = 1e-12;

/// A leaf of any shape.
#[derive(Module, Debug)]
struct Leaf {
    x: Param<Tensor<1>>,
}

impl Leaf {
    fn new(size: usize) -> Self {
        Self { x: Param::from_tensor(vector(&Numbers::new(3).vector(size), DType::F64)) }
    }
}

/// A layer and its input, which is a parameter as well.
#[derive(Module, Debug)]
struct Fed<L> {
    layer: L,
    input: Leaf,
}

impl<L: Module> Fed<L> {
    /// All parameters are drawn anew, in f64.
    fn new(layer: L, size: usize) -> Self {
        Self { layer: drawn(layer), input: Leaf::new(size) }
    }
}

/// The module with other numbers in its parameters, in f64; other float tensors are cast.
fn drawn<M: Module>(module: M) -> M {
    let mut numbers = Numbers::new(5);
    let mut draw = |value: Tensor<1>| {
        let size = value.dims()[0];
        vector(&numbers.vector(size), DType::F64).detach()
    };
    module.map(&mut Replace { new: &mut draw, replaced: HashMap::new() })
}

/// The module at `distance` along `direction`.
fn moved<M: Module>(module: &M, direction: &GradientsParams, distance: f64) -> M {
    let mut entries = entries(module, direction).into_iter();
    let mut step = |value: Tensor<1>| {
        let entry = entries.next().expect("one for each parameter");
        value.detach() + vector(&entry, DType::F64).detach().mul_scalar(distance)
    };
    module.clone().map(&mut Replace { new: &mut step, replaced: HashMap::new() })
}

/// Replaces trainable parameters, tied ones in all their places by one tensor.
struct Replace<'a> {
    new: &'a mut dyn FnMut(Tensor<1>) -> Tensor<1>,
    replaced: HashMap<ParamId, Box<dyn Any>>,
}

impl ModuleMapper for Replace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = param.consume();
        if !value.is_require_grad() {
            return Param::from_mapped_value(id, value.cast(FloatDType::F64), mapper);
        }
        let shape = value.dims();
        let new = &mut self.new;
        let tensor = self.replaced.entry(id).or_insert_with(|| {
            let flat = value.detach().reshape([shape.iter().product::<usize>()]);
            Box::new(new(flat).reshape(shape).require_grad())
        });
        let tensor: &Tensor<D> = tensor.downcast_ref().expect("one rank");
        Param::from_mapped_value(id, tensor.clone(), mapper)
    }
}

/// A vector with an entry for every trainable parameter.
fn random<M: Module>(module: &M, seed: u64) -> GradientsParams {
    struct Random(Numbers, GradientsParams);
    impl ModuleVisitor for Random {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val();
            if value.is_require_grad() && self.1.get::<D>(param.id).is_none() {
                let numbers = self.0.vector(value.shape().num_elements());
                let entry = vector(&numbers, value.dtype()).inner().reshape(value.dims());
                self.1.register(param.id, entry);
            }
        }
    }
    let mut random = Random(Numbers::new(seed), GradientsParams::new());
    module.visit(&mut random);
    random.1
}

/// The entries in the order of the module; tied weights once.
fn entries<M: Module>(module: &M, container: &GradientsParams) -> Vectors {
    struct Entries<'a>(&'a GradientsParams, Vectors, Vec<ParamId>);
    impl ModuleVisitor for Entries<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(entry) = self.0.get::<D>(param.id)
                && !self.2.contains(&param.id)
            {
                self.1.push(numbers(entry));
                self.2.push(param.id);
            }
        }
    }
    let mut entries = Entries(container, Vec::new(), Vec::new());
    module.visit(&mut entries);
    entries.1
}

fn bits<const D: usize>(tensor: Tensor<D>) -> Vec<u64> {
    numbers(tensor).into_iter().map(f64::to_bits).collect()
}

fn dot(a: &Vectors, b: &Vectors) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| a * b).sum()
}

fn combine(a: f64, x: &Vectors, b: f64, y: &Vectors) -> Vectors {
    let one = |(x, y): (&Vec<f64>, &Vec<f64>)| {
        x.iter().zip(y).map(|(x, y)| a * x + b * y).collect::<Vec<f64>>()
    };
    x.iter().zip(y).map(one).collect()
}

/// A loss that sees every entry of `y` and curves: the sum of c (y + y²/2) with fixed c.
fn scalar<const D: usize>(y: impl Into<Dual<D>>) -> Dual<1> {
    let y: Dual<D> = y.into();
    let size = y.dims().iter().product();
    let weights = vector(&Numbers::new(17).vector(size), y.value.dtype()).detach();
    let y: Dual<1> = y.reshape([size]);
    ((y.clone() + (y.clone() * y).mul_scalar(0.5)) * weights).sum()
}

/// Burn's gradient of a loss.
fn gradient<M: Module>(module: &M, loss: &Tensor<1>) -> Vectors {
    entries(module, &GradientsParams::from_grads(loss.backward(), module))
}

/// Everything that holds for a function y of a module: on duals and by Burn.
fn check<M: Module, const D: usize>(
    what: &str,
    module: &M,
    dual: impl Fn(&M, &Tangents) -> Dual<D>,
    plain: impl Fn(&M) -> Tensor<D>,
) {
    let expected = plain(module);
    let ordinary = dual(module, &Tangents::none());
    assert!(ordinary.tangent.is_none(), "{what}: a tangent without a direction");
    assert_eq!(bits(ordinary.value), bits(expected.clone()), "{what}: value");
    let (u, v) = (random(module, 1), random(module, 2));
    check_tangent(what, module, &v, &dual, &plain);
    let loss = |module: &M, at: &Tangents| scalar(dual(module, at));
    let product =
        |vector: &GradientsParams| hessian_vector_product(module, vector, loss).expect(what);
    let burn = |module: &M| gradient(module, &scalar(plain(module)).value);
    let (hu, hv) = (product(&u), product(&v));
    assert_eq!(bits(hv.loss), bits(scalar(expected).value.inner()), "{what}: loss");
    assert_close(&entries(module, &hv.gradient), &burn(module), ROUNDING, what);
    let (hu, hv) = (entries(module, &hu.hessian_vector), entries(module, &hv.hessian_vector));
    let [plus, minus] = [STEP, -STEP].map(|distance| burn(&moved(module, &v, distance)));
    let difference = combine(0.5 / STEP, &plus, -0.5 / STEP, &minus);
    assert_close(&hv, &difference, DIFFERENCES, what);
    let (u, v) = (entries(module, &u), entries(module, &v));
    let (uhv, vhu) = (dot(&u, &hv), dot(&v, &hu));
    let scale = dot(&u, &u).sqrt() * dot(&hv, &hv).sqrt();
    assert!((uhv - vhu).abs() <= ROUNDING * scale, "{what}: u'Hv = {uhv}, v'Hu = {vhu}");
    check_linear(what, module, [&u, &v], [&hu, &hv], &loss);
}

/// The tangent of y is the difference of its values.
fn check_tangent<M: Module, const D: usize>(
    what: &str,
    module: &M,
    direction: &GradientsParams,
    dual: &impl Fn(&M, &Tangents) -> Dual<D>,
    plain: &impl Fn(&M) -> Tensor<D>,
) {
    let y = dual(module, &tangents(module, direction));
    assert_eq!(bits(y.value), bits(plain(module)), "{what}: value along a direction");
    let [plus, minus] = [STEP, -STEP].map(|distance| plain(&moved(module, direction, distance)));
    let tangent = y.tangent.expect("a function of the parameters");
    assert_eq!(tangent.dims(), plus.dims(), "{what}: shape of the tangent");
    let difference = numbers((plus - minus).mul_scalar(0.5 / STEP));
    assert_close(&[numbers(tangent)], &[difference], DIFFERENCES, what);
}

/// Tangents without gradients.
fn tangents<M: Module>(module: &M, vector: &GradientsParams) -> Tangents {
    struct Insert<'a>(&'a GradientsParams, Tangents);
    impl ModuleVisitor for Insert<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(entry) = self.0.get::<D>(param.id) {
                self.1.insert(param.id, Tensor::from_inner(entry));
            }
        }
    }
    let mut insert = Insert(vector, Tangents::none());
    module.visit(&mut insert);
    insert.1
}

/// H(2u - 3v) = 2 Hu - 3 Hv.
fn check_linear<M: Module>(
    what: &str,
    module: &M,
    [u, v]: [&Vectors; 2],
    [hu, hv]: [&Vectors; 2],
    loss: &impl Fn(&M, &Tangents) -> Dual<1>,
) {
    struct Fill(std::vec::IntoIter<Vec<f64>>, GradientsParams);
    impl ModuleVisitor for Fill {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let value = param.val();
            if value.is_require_grad() && self.1.get::<D>(param.id).is_none() {
                let entry = self.0.next().expect("one for each parameter");
                let entry = vector(&entry, value.dtype()).inner().reshape(value.dims());
                self.1.register(param.id, entry);
            }
        }
    }
    let mut fill = Fill(combine(2.0, u, -3.0, v).into_iter(), GradientsParams::new());
    module.visit(&mut fill);
    let combined = hessian_vector_product(module, &fill.1, loss).expect(what);
    let combined = entries(module, &combined.hessian_vector);
    assert_close(&combined, &combine(2.0, hu, -3.0, hv), ROUNDING, what);
}

/// Checks a function of a leaf of this shape.
fn check_function<const D: usize, const E: usize>(
    what: &str,
    shape: [usize; D],
    dual: impl Fn(Dual<D>) -> Dual<E>,
    plain: impl Fn(Tensor<D>) -> Tensor<E>,
) {
    check(
        what,
        &Leaf::new(shape.iter().product()),
        |leaf, at| dual(at.param(&leaf.x).reshape(shape)),
        |leaf| plain(leaf.x.val().reshape(shape)),
    );
}

/// Numbers that do not depend on the parameters.
fn constant<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    vector(&Numbers::new(23).vector(shape.iter().product()), DType::F64).detach().reshape(shape)
}
