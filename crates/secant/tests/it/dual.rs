//! Exact Hessian-vector products: every rule against differences of Burn's own values and
//! gradients.

use std::{any::Any, collections::HashMap};

use burn::{
    module::{Module, ModuleDisplay, ModuleMapper, ModuleVisitor, Param, ParamId},
    nn::{
        BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Embedding, LayerNorm, LayerNormConfig,
        Linear, PaddingConfig1d, PaddingConfig2d,
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
    dual::{Dual, Product, Tangents, hessian_vector_product},
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

#[test]
fn activations_have_the_derivatives_of_their_values() {
    type Pair = (&'static str, fn(Dual<2>) -> Dual<2>, fn(Tensor<2>) -> Tensor<2>);
    let pairs: [Pair; 12] = [
        ("relu", Dual::relu, activation::relu),
        ("leaky relu", |x| x.leaky_relu(0.1), |x| activation::leaky_relu(x, 0.1)),
        ("tanh", Dual::tanh, Tensor::tanh),
        ("sigmoid", Dual::sigmoid, activation::sigmoid),
        ("log sigmoid", Dual::log_sigmoid, activation::log_sigmoid),
        ("silu", Dual::silu, activation::silu),
        ("gelu", Dual::gelu, activation::gelu),
        ("softplus", |x| x.softplus(2.0), |x| activation::softplus(x, 2.0)),
        // Half of the entries are beyond the threshold, where Burn's value is x.
        ("steep softplus", |x| x.softplus(64.0), |x| activation::softplus(x, 64.0)),
        ("softmax", |x| x.softmax(1), |x| activation::softmax(x, 1)),
        ("softmax of columns", |x| x.softmax(0), |x| activation::softmax(x, 0)),
        ("log softmax", |x| x.log_softmax(1), |x| activation::log_softmax(x, 1)),
    ];
    for (what, dual, plain) in pairs {
        check_function(what, [5, 7], dual, plain);
    }
}

#[test]
fn arithmetic_has_the_derivatives_of_its_values() {
    type Pair = (&'static str, fn(Dual<2>) -> Dual<2>, fn(Tensor<2>) -> Tensor<2>);
    let pairs: [Pair; 16] = [
        ("exp", Dual::exp, Tensor::exp),
        ("log", |x| (x + 2.0).log(), |x| (x + 2.0).log()),
        ("sqrt", |x| x.add_scalar(2.0).sqrt(), |x| x.add_scalar(2.0).sqrt()),
        ("first power", |x| x.powi_scalar(1), |x| x.powi_scalar(1)),
        ("square", |x| x.powi_scalar(2), |x| x.powi_scalar(2)),
        ("fifth power", |x| x.powi_scalar(5), |x| x.powi_scalar(5)),
        ("inverse square", |x| (x + 2.0).powi_scalar(-2), |x| (x + 2.0).powi_scalar(-2)),
        ("numbers", |x| (-x * 3.0 - 1.0) / 8.0, |x| (-x * 3.0 - 1.0) / 8.0),
        ("x + x", |x| x.clone() + x, |x| x.clone() + x),
        ("x - exp x", |x| x.clone() - x.exp(), |x| x.clone() - x.exp()),
        ("x exp x", |x| x.clone() * x.exp(), |x| x.clone() * x.exp()),
        ("x / exp x", |x| x.clone() / x.exp(), |x| x.clone() / x.exp()),
        ("c - x", |x| constant([5, 7]) - x, |x| constant([5, 7]) - x),
        (
            "c + c x",
            |x| constant([5, 7]) + constant([5, 7]) * x,
            |x| constant([5, 7]) + constant([5, 7]) * x,
        ),
        ("c / (x + 2)", |x| constant([5, 7]) / (x + 2.0), |x| constant([5, 7]) / (x + 2.0)),
        ("x / c", |x| x / (constant([5, 7]) + 2.0), |x| x / (constant([5, 7]) + 2.0)),
    ];
    for (what, dual, plain) in pairs {
        check_function(what, [5, 7], dual, plain);
    }
    // Burn's gradient of a quotient by a number that is no power of two has the precision of f32.
    let leaf = Leaf::new(6);
    let loss = |leaf: &Leaf, at: &Tangents| (at.param(&leaf.x) / 7.0).powi_scalar(2).sum();
    let vector = random(&leaf, 1);
    let product = hessian_vector_product(&leaf, &vector, loss).expect("a product");
    let vector = entries(&leaf, &vector);
    let expected = combine(2.0 / 49.0, &vector, 0.0, &vector);
    assert_close(&entries(&leaf, &product.hessian_vector), &expected, 1e-15, "x / 7");
    let zero = Dual { tangent: Some(constant([3])), value: constant([3]) }.powi_scalar(0);
    assert!(zero.tangent.is_none() && numbers(zero.value) == [1.0; 3]);
}

#[test]
fn terms_of_other_shapes_are_broadcast_with_their_tangents() {
    type Pair = (&'static str, fn(Dual<2>) -> Dual<2>, fn(Tensor<2>) -> Tensor<2>);
    let pairs: [Pair; 6] = [
        ("row + matrix", |x| x + constant([5, 7]), |x| x + constant([5, 7])),
        ("matrix - row", |x| constant([5, 7]) - x, |x| constant([5, 7]) - x),
        ("row * matrix", |x| x * constant([5, 7]), |x| x * constant([5, 7])),
        ("row / matrix", |x| x / (constant([5, 7]) + 2.0), |x| x / (constant([5, 7]) + 2.0)),
        ("matrix / row", |x| constant([5, 7]) / (x + 2.0), |x| constant([5, 7]) / (x + 2.0)),
        ("row + column", |x| x.clone() + x.exp().transpose(), |x| x.clone() + x.exp().transpose()),
    ];
    for (what, dual, plain) in pairs {
        check_function(what, [1, 7], dual, plain);
    }
}

#[test]
fn matrices_are_multiplied_by_the_product_rule() {
    check_function(
        "x'x",
        [5, 7],
        |x| x.clone().transpose().matmul(x),
        |x| x.clone().transpose().matmul(x),
    );
    check_function(
        "x c",
        [2, 5, 7],
        |x| x.matmul(constant([1, 7, 3])),
        |x| x.matmul(constant([1, 7, 3])),
    );
    check_function(
        "c x",
        [1, 7, 3],
        |x| Dual::from(constant([2, 5, 7])).matmul(x),
        |x| constant([2, 5, 7]).matmul(x),
    );
}

#[test]
fn what_only_moves_entries_moves_tangents() {
    let s = [2, 3, 4];
    check_function("reshape", s, |x| x.reshape([6, -1]), |x| x.reshape::<2, _>([6, -1]));
    check_function("flatten", s, |x| x.flatten::<2>(1, 2), |x| x.flatten::<2>(1, 2));
    check_function("unsqueeze", s, |x| x.unsqueeze::<4>(), |x| x.unsqueeze::<4>());
    let squeezed = |x: Tensor<3>| x.narrow(1, 1, 1).squeeze_dim::<2>(1).unsqueeze_dim::<3>(0);
    check_function(
        "narrow",
        s,
        |x| x.narrow(1, 1, 1).squeeze_dim::<2>(1).unsqueeze_dim::<3>(0),
        squeezed,
    );
    check_function("swap", s, |x| x.swap_dims(0, 2), |x| x.swap_dims(0, 2));
    check_function("permute", s, |x| x.permute([2, 0, 1]), |x| x.permute([2, 0, 1]));
    check_function("transpose", s, Dual::transpose, Tensor::transpose);
    check_function("sum", s, Dual::sum, Tensor::sum);
    check_function("mean", s, Dual::mean, Tensor::mean);
    check_function("sum over 1", s, |x| x.sum_dim(1), |x| x.sum_dim(1));
    check_function("mean over 0", s, |x| x.mean_dim(0), |x| x.mean_dim(0));
    let rows = || Tensor::<3, Int>::from_ints([[[1, 0, 1, 1]], [[0, 2, 2, 0]]], &device());
    check_function("gather", s, |x| x.gather(1, rows()), |x| x.gather(1, rows()));
    check_function(
        "cat with a constant between",
        s,
        |x| Dual::cat(vec![x.clone(), constant([2, 1, 4]).into(), x.exp()], 1),
        |x| Tensor::cat(vec![x.clone(), constant([2, 1, 4]), x.exp()], 1),
    );
    check_function("a mask", s, |x| x.map_linear(|x| x * constant(s)), |x| x * constant(s));
}

#[test]
fn a_function_with_a_rule_of_its_own_is_differentiated_by_it() {
    check_function(
        "sine",
        [3, 4],
        |x| x.apply(Tensor::sin, |x, _, tangent| tangent * x.cos()),
        Tensor::sin,
    );
}

#[test]
fn what_is_detached_is_constant_in_both_directions() {
    check_function(
        "x detached(tanh x)",
        [6],
        |x| x.clone() * x.detach().tanh(),
        // Numbers: differences of gradients would see x.detach() move.
        |x| x * Leaf::new(6).x.val().detach().tanh(),
    );
}

#[test]
fn average_pooling_is_linear() {
    for padding in [PaddingConfig2d::Valid, PaddingConfig2d::Explicit(1, 0, 1, 0)] {
        let layer = AvgPool2dConfig::new([2, 3]).with_strides([1, 2]).with_padding(padding).init();
        let shape = [2, 3, 6, 7];
        check_function("2d", shape, |x| x.avg_pool2d(&layer), |x| layer.forward(x));
    }
    let layer = AvgPool1dConfig::new(3).with_stride(2).init();
    check_function("1d", [2, 3, 9], |x| x.avg_pool1d(&layer), |x| layer.forward(x));
    let layer = AdaptiveAvgPool2dConfig::new([1, 1]).init();
    check_function("global", [2, 3, 6, 7], |x| x.adaptive_avg_pool2d(&layer), |x| layer.forward(x));
    let layer = AdaptiveAvgPool1dConfig::new(2).init();
    check_function("adaptive", [2, 3, 8], |x| x.adaptive_avg_pool1d(&layer), |x| layer.forward(x));
}

#[test]
fn max_pooling_follows_the_largest_entry_in_overlapping_padded_and_dilated_windows() {
    let layers = [
        MaxPool2dConfig::new([2, 2]),
        MaxPool2dConfig::new([3, 2]).with_strides([1, 2]),
        MaxPool2dConfig::new([3, 3])
            .with_strides([2, 2])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)),
        MaxPool2dConfig::new([3, 2])
            .with_strides([2, 1])
            .with_padding(PaddingConfig2d::Explicit(0, 1, 2, 0)),
        MaxPool2dConfig::new([2, 2]).with_strides([1, 1]).with_padding(PaddingConfig2d::Same),
        MaxPool2dConfig::new([2, 4]).with_strides([2, 3]).with_padding(PaddingConfig2d::Same),
        MaxPool2dConfig::new([2, 3]).with_strides([1, 1]).with_dilation([2, 2]),
        MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_ceil_mode(true),
    ];
    for layer in layers {
        let what = format!("{layer}");
        let layer: MaxPool2d = layer.init();
        check_function(&what, [2, 3, 6, 7], |x| x.max_pool2d(&layer), |x| layer.forward(x));
    }
    let layers = [
        MaxPool1dConfig::new(2),
        MaxPool1dConfig::new(3).with_stride(1).with_padding(PaddingConfig1d::Explicit(1, 1)),
        MaxPool1dConfig::new(4).with_stride(2).with_padding(PaddingConfig1d::Same),
        MaxPool1dConfig::new(3).with_stride(2).with_padding(PaddingConfig1d::Explicit(0, 2)),
    ];
    for layer in layers {
        let what = format!("{layer}");
        let layer = layer.init();
        check_function(&what, [2, 3, 9], |x| x.max_pool1d(&layer), |x| layer.forward(x));
    }
}

#[test]
fn losses_have_the_derivatives_of_their_values() {
    let classes = || Tensor::<1, Int>::from_ints([0, 2, 1, 2, 2], &device());
    let cross_entropy = CrossEntropyLossConfig::new().init(&device());
    check_function(
        "cross entropy",
        [5, 3],
        |x| x.cross_entropy(classes()),
        |x| cross_entropy.forward(x, classes()),
    );
    check_function(
        "mean squared error",
        [5, 3],
        |x| x.mse(constant([5, 3])),
        |x| MseLoss::new().forward(x, constant([5, 3]), Reduction::Mean),
    );
}

fn linear(inputs: usize, outputs: usize) -> Linear {
    Linear {
        weight: Param::from_tensor(constant([inputs, outputs])),
        bias: Some(Param::from_tensor(constant([outputs]))),
    }
}

/// Checks a layer on an input that moves too, on one that is constant, and with each parameter
/// alone.
fn check_layer<L: Module + ModuleDisplay, const D: usize>(
    what: &str,
    layer: L,
    shape: [usize; D],
    dual: impl Fn(&L, &Tangents, Dual<D>) -> Dual<D>,
    plain: impl Fn(&L, Tensor<D>) -> Tensor<D>,
) {
    let fed = Fed::new(layer, shape.iter().product());
    check(
        what,
        &fed,
        |fed, at| dual(&fed.layer, at, at.param(&fed.input.x).reshape(shape)),
        |fed| plain(&fed.layer, fed.input.x.val().reshape(shape)),
    );
    check(
        &format!("{what} on constants"),
        &fed.layer,
        |layer, at| dual(layer, at, constant(shape).into()),
        |layer| plain(layer, constant(shape)),
    );
    check(
        &format!("{what} frozen"),
        &Fed { layer: fed.layer.no_grad(), input: fed.input },
        |fed, at| dual(&fed.layer, at, at.param(&fed.input.x).reshape(shape)),
        |fed| plain(&fed.layer, fed.input.x.val().reshape(shape)),
    );
}

#[test]
fn linear_layers_follow_the_product_rule() {
    let dual = |layer: &Linear, at: &Tangents, x: Dual<2>| at.linear(layer, x);
    check_layer("linear", linear(4, 3), [5, 4], dual, |layer, x| layer.forward(x));
    let layer = Linear { bias: None, ..linear(4, 3) };
    check_layer("no bias", layer, [5, 4], dual, |layer, x| layer.forward(x));
    check_layer(
        "rank 3",
        linear(4, 3),
        [2, 5, 4],
        |layer, at, x: Dual<3>| at.linear(layer, x),
        |layer, x| layer.forward(x),
    );
    let layer = linear(4, 3);
    let bias_alone = Linear { weight: layer.weight.clone().no_grad(), ..layer };
    check_layer("bias alone", bias_alone, [5, 4], dual, |layer, x| layer.forward(x));
}

#[test]
fn convolutions_follow_the_product_rule() {
    let device = device();
    let strided = Conv2dConfig::new([4, 6], [3, 2])
        .with_stride([2, 1])
        .with_padding(PaddingConfig2d::Explicit(1, 0, 1, 2))
        .with_dilation([1, 2])
        .with_groups(2);
    let plain = Conv2dConfig::new([4, 3], [3, 3]).with_bias(false);
    let same = Conv2dConfig::new([4, 3], [2, 2]).with_padding(PaddingConfig2d::Same);
    for config in [strided, plain, same] {
        let layer = config.init(&device);
        check_layer(
            &format!("{layer}"),
            layer,
            [2, 4, 6, 7],
            |layer: &Conv2d, at, x| at.conv2d(layer, x),
            |layer, x| layer.forward(x),
        );
    }
    let strided = Conv1dConfig::new(4, 6, 3)
        .with_stride(2)
        .with_padding(PaddingConfig1d::Explicit(1, 1))
        .with_groups(2);
    let dilated = Conv1dConfig::new(4, 3, 3).with_dilation(2).with_bias(false);
    for config in [strided, dilated] {
        let layer = config.init(&device);
        check_layer(
            &format!("{layer}"),
            layer,
            [2, 4, 9],
            |layer: &Conv1d, at, x| at.conv1d(layer, x),
            |layer, x| layer.forward(x),
        );
    }
}

#[test]
fn transposed_convolutions_follow_the_product_rule() {
    let device = device();
    let layer = ConvTranspose2dConfig::new([4, 6], [3, 2])
        .with_stride([2, 1])
        .with_padding([1, 0])
        .with_padding_out([1, 0])
        .with_groups(2)
        .init(&device);
    check_layer(
        "2d",
        layer,
        [2, 4, 3, 4],
        |layer: &ConvTranspose2d, at, x| at.conv_transpose2d(layer, x),
        |layer, x| layer.forward(x),
    );
    let layer = ConvTranspose1dConfig::new([4, 3], 3).with_stride(2).init(&device);
    check_layer(
        "1d",
        layer,
        [2, 4, 5],
        |layer: &ConvTranspose1d, at, x| at.conv_transpose1d(layer, x),
        |layer, x| layer.forward(x),
    );
}

#[test]
fn layer_norm_reads_the_epsilon_of_its_layer() {
    for (epsilon, bias) in [(1e-5, true), (0.123_456_789_012_345_68, false), (3e-12, true)] {
        let layer = LayerNormConfig::new(6).with_epsilon(epsilon).with_bias(bias).init(&device());
        check_layer(
            &format!("epsilon {epsilon}"),
            layer,
            [2, 3, 6],
            |layer: &LayerNorm, at, x| at.layer_norm(layer, x),
            |layer, x| layer.forward(x),
        );
    }
}

fn batch_norm(features: usize) -> BatchNorm {
    BatchNormConfig::new(features).with_epsilon(1e-3).with_momentum(0.3).init(&device())
}

#[test]
fn batch_norm_in_training_differentiates_the_statistics_of_the_batch() {
    check_layer(
        "images",
        batch_norm(3),
        [2, 3, 4, 5],
        |layer: &BatchNorm, at, x| at.batch_norm(layer, x),
        |layer, x| layer.forward(x),
    );
    check_layer(
        "rows",
        batch_norm(3),
        [8, 3],
        |layer: &BatchNorm, at, x| at.batch_norm(layer, x),
        |layer, x| layer.forward(x),
    );
}

/// A layer that has seen two batches and is set to evaluation.
fn evaluating(features: usize) -> BatchNorm {
    let layer = drawn(batch_norm(features));
    for batch in [1.0, 3.0] {
        layer.forward(constant([8, features]) * batch + batch);
    }
    drop(layer.valid());
    BatchNorm { training: Param::from_bool(false), ..layer }
}

#[test]
fn batch_norm_in_evaluation_uses_the_running_statistics() {
    check_layer(
        "images",
        evaluating(3),
        [2, 3, 4, 5],
        |layer: &BatchNorm, at, x| at.batch_norm(layer, x),
        |layer, x| layer.forward(x),
    );
    // Without autodiff Burn evaluates whatever the layer says; forward derivatives remain.
    let layer = drawn(batch_norm(3));
    layer.forward(constant([8, 3]) + 2.0);
    let layer = layer.valid();
    let x = || constant([8, 3]).inner();
    let moving = Dual { value: x(), tangent: Some(x().ones_like()) };
    let y = Tangents::none().batch_norm(&layer, moving);
    assert_eq!(bits(y.value), bits(layer.forward(x())));
    let difference = (layer.forward(x() + 1.0) - layer.forward(x() - 1.0)).mul_scalar(0.5);
    // The layer is linear then, and a difference has the rounding of numbers of size 1.
    let tangent = y.tangent.expect("it moves");
    assert_close(&[numbers(tangent)], &[numbers(difference)], 1e-14, "derivative");
}

fn statistics(layer: &BatchNorm) -> Vec<u64> {
    drop(layer.valid());
    [layer.running_mean.value(), layer.running_var.value()].into_iter().flat_map(bits).collect()
}

#[test]
fn running_statistics_advance_as_burns_do_and_not_at_all_by_a_product() {
    let layer = drawn(batch_norm(3));
    // Clones share their statistics: another layer of the same numbers.
    let twin = drawn(batch_norm(3));
    let x = || constant([8, 3]) + 0.5;
    let direction = tangents(&layer, &random(&layer, 1));
    let plain = Tangents::none();
    for at in [&plain, &direction, &direction, &plain] {
        let _ = at.batch_norm(&layer, x());
        twin.forward(x());
        assert_eq!(statistics(&layer), statistics(&twin));
    }
    let before = statistics(&layer);
    let loss = |layer: &BatchNorm, at: &Tangents| scalar(at.batch_norm(layer, x()));
    hessian_vector_product(&layer, &random(&layer, 1), loss).expect("a product");
    assert_eq!(statistics(&layer), before);
}

#[test]
fn embeddings_gather_their_tangents() {
    let layer = Embedding { weight: Param::from_tensor(constant([5, 3])) };
    let tokens = || Tensor::<2, Int>::from_ints([[0, 4, 4], [1, 0, 2]], &device());
    check(
        "embedding",
        &layer,
        |layer: &Embedding, at| at.embedding(layer, tokens()),
        |layer| layer.forward(tokens()),
    );
}

#[test]
fn dropout_masks_values_and_tangents_alike_with_burns_numbers() {
    let _guard = GENERATOR.lock();
    let layer: Dropout = DropoutConfig::new(0.4).init();
    let seeded = || device().seed(7);
    check_function(
        "dropout",
        [5, 7],
        |x| {
            seeded();
            Tangents::none().dropout(&layer, x)
        },
        |x| {
            seeded();
            layer.forward(x)
        },
    );
}

/// A network with everything a common one has.
#[derive(Module, Debug)]
struct Images {
    first: Conv2d,
    norm: BatchNorm,
    pool: MaxPool2d,
    second: Conv2d,
    hidden: Linear,
    output: Linear,
}

impl Images {
    fn new() -> Self {
        let device = device();
        let same = PaddingConfig2d::Same;
        drawn(Self {
            first: Conv2dConfig::new([2, 4], [3, 3]).with_padding(same).init(&device),
            norm: batch_norm(4),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            second: Conv2dConfig::new([4, 3], [2, 2]).init(&device),
            hidden: linear(12, 5),
            output: linear(5, 3),
        })
    }

    fn forward(&self, at: &Tangents, x: Tensor<4>) -> Dual<2> {
        let x = at.conv2d(&self.first, x);
        let x = at.batch_norm(&self.norm, x).relu().max_pool2d(&self.pool);
        let x: Dual<2> = at.conv2d(&self.second, x).relu().flatten(1, 3);
        at.linear(&self.output, at.linear(&self.hidden, x).gelu())
    }

    fn plain(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.norm.forward(self.first.forward(x));
        let x = self.pool.forward(activation::relu(x));
        let x: Tensor<2> = activation::relu(self.second.forward(x)).flatten(1, 3);
        self.output.forward(activation::gelu(self.hidden.forward(x)))
    }

    fn loss(&self, at: &Tangents) -> Dual<1> {
        let dtype = self.output.weight.val().dtype();
        let x = vector(&Numbers::new(31).vector(8 * 2 * 6 * 6), dtype).detach();
        self.forward(at, x.reshape([8, 2, 6, 6])).cross_entropy(classes())
    }
}

fn classes() -> Tensor<1, Int> {
    Tensor::from_ints([0, 2, 1, 2, 2, 0, 1, 0], &device())
}

#[test]
fn a_convolutional_network_with_batch_norm_relu_and_max_pooling_is_exact() {
    let x = || constant([8, 2, 6, 6]);
    check("images", &Images::new(), |net, at| net.forward(at, x()), |net| net.plain(x()));
    let loss = CrossEntropyLossConfig::new().init(&device());
    check(
        "images' loss",
        &Images::new(),
        |net, at| net.forward(at, x()).cross_entropy(classes()),
        |net| loss.forward(net.plain(x()), classes()),
    );
}

#[test]
fn in_single_precision_the_product_is_that_of_double_precision_rounded() {
    struct Single;
    impl ModuleMapper for Single {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, value, mapper) = param.consume();
            let active = value.is_require_grad();
            let value = Tensor::from_inner(value.inner().cast(FloatDType::F32));
            Param::from_mapped_value(id, value.set_require_grad(active), mapper)
        }
    }
    // The same parameters and the same vector, rounded.
    let single = Images::new().map(&mut Single);
    let double = Images::new();
    let vectors = [random(&single, 2), random(&double, 2)];
    let product = |net: &Images, vector| {
        let product = hessian_vector_product(net, vector, Images::loss).expect("a product");
        [entries(net, &product.hessian_vector), entries(net, &product.gradient)]
    };
    let [rounded, exact] = [product(&single, &vectors[0]), product(&double, &vectors[1])];
    for (rounded, exact) in rounded.iter().zip(&exact) {
        // Some hundred roundings of 6e-8 in a chain that no kink breaks.
        assert_close(rounded, exact, 2e-5, "f32");
    }
}

/// An autoencoder whose decoder is its encoder transposed, and a layer in two places.
#[derive(Module, Debug)]
struct Tied {
    encoder: Linear,
    middle: Linear,
    again: Linear,
}

impl Tied {
    fn new() -> Self {
        let middle = linear(3, 3);
        drawn(Self { encoder: linear(4, 3), again: middle.clone(), middle })
    }
}

#[test]
fn tied_weights_move_in_all_their_places() {
    check(
        "tied",
        &Tied::new(),
        |net, at| {
            let x = at.linear(&net.encoder, constant([5, 4])).tanh();
            let x = at.linear(&net.again, at.linear(&net.middle, x).tanh());
            x.matmul(at.param(&net.encoder.weight).transpose())
        },
        |net| {
            let x = net.encoder.forward(constant([5, 4])).tanh();
            let x = net.again.forward(net.middle.forward(x).tanh());
            x.matmul(net.encoder.weight.val().transpose())
        },
    );
}

#[test]
fn frozen_parameters_have_neither_tangent_nor_product() {
    let net = Images::new();
    let vector = random(&net, 2);
    let net = Images { first: net.first.no_grad(), norm: net.norm.no_grad(), ..net };
    let product = hessian_vector_product(&net, &vector, Images::loss).expect("a product");
    assert_eq!(product.hessian_vector.len(), 6);
    assert_eq!(product.gradient.len(), 6);
    assert!(product.hessian_vector.get::<4>(net.first.weight.id).is_none());
}

#[test]
fn a_vector_with_entries_for_some_parameters_is_zero_elsewhere() {
    let net = Images::new();
    let mut some = GradientsParams::new();
    let all = random(&net, 2);
    let (weight, bias) = (net.second.weight.id, net.norm.beta.id);
    some.register(weight, all.get::<4>(weight).expect("drawn"));
    some.register(bias, all.get::<1>(bias).expect("drawn"));
    struct Zeros<'a>(&'a GradientsParams, GradientsParams);
    impl ModuleVisitor for Zeros<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.val().is_require_grad() {
                let zeros = param.val().inner().zeros_like();
                self.1.register(param.id, self.0.get::<D>(param.id).unwrap_or(zeros));
            }
        }
    }
    let mut full = Zeros(&some, GradientsParams::new());
    net.visit(&mut full);
    let of = |vector: &GradientsParams| -> Product {
        hessian_vector_product(&net, vector, Images::loss).expect("a product")
    };
    let (sparse, full) = (of(&some), of(&full.1));
    // Rows of all parameters, columns of two.
    assert_eq!(sparse.hessian_vector.len(), 10);
    assert_eq!(sparse.gradient.len(), 2);
    let (sparse, full) = (&sparse.hessian_vector, &full.hessian_vector);
    // The same numbers without the terms that are zero.
    assert_close(&entries(&net, sparse), &entries(&net, full), ROUNDING, "some parameters");
}

#[test]
fn where_the_loss_is_linear_the_product_is_zero_and_has_entries() {
    let layer = linear(4, 3);
    let loss = |layer: &Linear, at: &Tangents| at.linear(layer, constant([5, 4])).mean();
    let vector = random(&layer, 1);
    let product = hessian_vector_product(&layer, &vector, loss).expect("a product");
    let zeros = vec![vec![0.0; 12], vec![0.0; 3]];
    assert_eq!(entries(&layer, &product.hessian_vector), zeros);
    let plain = layer.forward(constant([5, 4])).mean();
    let expected = gradient(&layer, &plain);
    assert_close(&entries(&layer, &product.gradient), &expected, ROUNDING, "gradient");
}

#[test]
fn a_loss_that_cannot_be_differentiated_is_refused_in_a_sentence() {
    let layer = linear(4, 3);
    let vector = random(&layer, 1);
    let loss = |layer: &Linear, at: &Tangents| at.linear(layer, constant([5, 4])).mean();
    let refused = |vector: &GradientsParams, loss: &dyn Fn(&Linear, &Tangents) -> Dual<1>| {
        hessian_vector_product(&layer, vector, loss).expect_err("refused")
    };
    let constant_loss =
        |layer: &Linear, _: &Tangents| layer.forward(constant([5, 4])).mean().into();
    assert_eq!(refused(&vector, &constant_loss), ProductError::Constant);
    assert_eq!(refused(&GradientsParams::new(), &loss), ProductError::Constant);
    let rows = |layer: &Linear, at: &Tangents| -> Dual<1> {
        at.linear(layer, constant([5, 4])).sum_dim(1).squeeze_dim(1)
    };
    assert_eq!(refused(&vector, &rows), ProductError::LossShape { elements: 5 });
    let mut misshapen = GradientsParams::new();
    misshapen.register(layer.weight.id, constant([3, 4]).inner());
    let fault = ProductError::Vector { path: "weight".to_string() };
    assert_eq!(refused(&misshapen, &loss), fault);
    assert_eq!(
        fault.to_string(),
        "the vector's entry for `weight` has another shape or number type than the parameter"
    );
}

/// The whole Hessian of a function of three numbers, worked out by hand.
#[test]
fn products_with_unit_vectors_are_the_columns_of_the_hessian() {
    let leaf = Leaf { x: Param::from_tensor(vector(&[1.0, 2.0, -1.0], DType::F64)) };
    // f = x² y + z³ y: gradient (2xy, x² + z³, 3z²y), at (1, 2, -1): (4, 0, 6).
    let loss = |leaf: &Leaf, at: &Tangents| {
        let x = at.param(&leaf.x);
        let [x, y, z] = [0, 1, 2].map(|index| x.clone().narrow(0, index, 1));
        x.powi_scalar(2) * y.clone() + z.powi_scalar(3) * y
    };
    let hessian = [[4.0, 2.0, 0.0], [2.0, 0.0, 3.0], [0.0, 3.0, -12.0]];
    for (column, expected) in hessian.iter().enumerate() {
        let mut unit = GradientsParams::new();
        let mut entry = vec![0.0; 3];
        entry[column] = 1.0;
        unit.register(leaf.x.id, vector(&entry, DType::F64).inner());
        let product = hessian_vector_product(&leaf, &unit, loss).expect("a product");
        assert_eq!(entries(&leaf, &product.hessian_vector), [expected.to_vec()]);
        assert_eq!(entries(&leaf, &product.gradient), [[4.0, 0.0, 6.0]]);
        assert_eq!(numbers(product.loss), [0.0]);
    }
}

#[test]
fn on_a_device_that_recomputes_activations_the_product_is_the_same() {
    let product = |device: &Device| {
        let on = |shape: [usize; 2]| {
            Tensor::<2>::from_data(constant(shape).into_data(), (device, DType::F64))
        };
        let layer = Linear { weight: Param::from_tensor(on([4, 3])), bias: None };
        let loss = |layer: &Linear, at: &Tangents| {
            at.linear(layer, on([5, 4])).tanh().softmax(1).powi_scalar(2).sum()
        };
        let product = hessian_vector_product(&layer, &random(&layer, 2), loss).expect("a product");
        entries(&layer, &product.hessian_vector)
    };
    assert_eq!(product(&device().gradient_checkpointing()), product(&device()));
}
