//! The rules of functions of tensors.

use super::*;

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
    let some = || Tensor::<1, Int>::from_ints([2, 0, 2], &device());
    check_function("select", s, |x| x.select(1, some()), |x| x.select(1, some()));
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
