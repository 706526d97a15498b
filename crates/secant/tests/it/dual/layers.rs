//! The rules of layers.

use super::*;

pub(super) fn linear(inputs: usize, outputs: usize) -> Linear {
    Linear {
        weight: Param::from_tensor(constant([inputs, outputs])),
        bias: Some(Param::from_tensor(constant([outputs]))),
    }
}

/// Checks a layer on an input that moves too, on one that is constant, and with each parameter
/// alone.
pub(super) fn check_layer<L: Module + ModuleDisplay, const D: usize>(
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

pub(super) fn batch_norm(features: usize) -> BatchNorm {
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
