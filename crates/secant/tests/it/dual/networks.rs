//! Products of whole networks.

use super::{
    layers::{batch_norm, linear},
    *,
};

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
