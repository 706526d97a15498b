//! The autoencoder of the Quasi-Adam paper, for images of 28 x 28 pixels.

use burn::{
    module::Module,
    nn::{
        BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig},
    },
    tensor::{Device, Tensor},
};
use secant::dual::{Dual, Tangents};

/// Three convolutions and two fully connected layers down to four numbers, and the same way back to pixels
/// from 0 to 1; 87,125 parameters.
#[derive(Module, Debug)]
pub struct Autoencoder {
    encoder: Encoder,
    decoder: Decoder,
}

impl Autoencoder {
    pub(super) fn new(device: &Device) -> Self {
        Self { encoder: Encoder::new(device), decoder: Decoder::new(device) }
    }

    /// The images `[records, 784]` as they come back.
    pub(super) fn forward(&self, at: &Tangents, batch: Tensor<2>) -> Dual<2> {
        let [records, _] = batch.dims();
        let code = self.encoder.forward(at, batch.reshape([records, 1, SIDE, SIDE]));
        self.decoder.forward(at, code).flatten(1, 3)
    }
}

/// Rows and columns of an image.
const SIDE: usize = 28;

/// Channels after each convolution, from the image inwards.
const CHANNELS: [usize; 4] = [1, 8, 16, 32];

/// Rows and columns of the innermost image.
const INNER: usize = 3;

/// Units of the innermost image, of the layer next to it, and of the code.
const UNITS: [usize; 3] = [CHANNELS[3] * INNER * INNER, 128, 4];

/// Convolutions of stride 2, 28 to 14 to 7 to 3 pixels a side, and fully connected layers.
#[derive(Module, Debug)]
struct Encoder {
    first: Conv2d,
    second: Conv2d,
    norm: BatchNorm,
    third: Conv2d,
    hidden: Linear,
    code: Linear,
}

impl Encoder {
    fn new(device: &Device) -> Self {
        let halving = |layer: usize, padding| {
            Conv2dConfig::new([CHANNELS[layer], CHANNELS[layer + 1]], [3, 3])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                .init(device)
        };
        Self {
            first: halving(0, 1),
            second: halving(1, 1),
            norm: BatchNormConfig::new(CHANNELS[2]).init(device),
            third: halving(2, 0),
            hidden: LinearConfig::new(UNITS[0], UNITS[1]).init(device),
            code: LinearConfig::new(UNITS[1], UNITS[2]).init(device),
        }
    }

    fn forward(&self, at: &Tangents, images: Tensor<4>) -> Dual<2> {
        let x = at.conv2d(&self.first, images).relu();
        let x = at.conv2d(&self.second, x);
        let x = at.batch_norm(&self.norm, x).relu();
        let x: Dual<2> = at.conv2d(&self.third, x).relu().flatten(1, 3);
        let x = at.linear(&self.hidden, x).relu();
        at.linear(&self.code, x)
    }
}

/// The encoder's layers transposed, in the opposite order.
#[derive(Module, Debug)]
struct Decoder {
    hidden: Linear,
    inner: Linear,
    third: ConvTranspose2d,
    third_norm: BatchNorm,
    second: ConvTranspose2d,
    second_norm: BatchNorm,
    first: ConvTranspose2d,
}

impl Decoder {
    fn new(device: &Device) -> Self {
        // The padding of the output makes up for the odd row and column that halving leaves out.
        let doubling = |layer: usize, padding| {
            ConvTranspose2dConfig::new([CHANNELS[layer + 1], CHANNELS[layer]], [3, 3])
                .with_stride([2, 2])
                .with_padding([padding, padding])
                .with_padding_out([padding, padding])
                .init(device)
        };
        Self {
            hidden: LinearConfig::new(UNITS[2], UNITS[1]).init(device),
            inner: LinearConfig::new(UNITS[1], UNITS[0]).init(device),
            third: doubling(2, 0),
            third_norm: BatchNormConfig::new(CHANNELS[2]).init(device),
            second: doubling(1, 1),
            second_norm: BatchNormConfig::new(CHANNELS[1]).init(device),
            first: doubling(0, 1),
        }
    }

    fn forward(&self, at: &Tangents, code: Dual<2>) -> Dual<4> {
        let [records, _] = code.dims();
        let x = at.linear(&self.hidden, code).relu();
        let x = at.linear(&self.inner, x).relu();
        let x: Dual<4> = x.reshape([records, CHANNELS[3], INNER, INNER]);
        let x = at.conv_transpose2d(&self.third, x);
        let x = at.batch_norm(&self.third_norm, x).relu();
        let x = at.conv_transpose2d(&self.second, x);
        let x = at.batch_norm(&self.second_norm, x).relu();
        at.conv_transpose2d(&self.first, x).sigmoid()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::{relu, sigmoid};

    use super::*;
    use crate::{
        network::{
            Network, NetworkConfig,
            testing::{check, images, model},
        },
        run::count,
    };

    /// The network without duals.
    fn plain(network: &Autoencoder, batch: Tensor<2>) -> Tensor<2> {
        let Autoencoder { encoder, decoder } = network;
        let records = batch.dims()[0];
        let x = relu(encoder.first.forward(batch.reshape([records, 1, 28, 28])));
        let x = relu(encoder.norm.forward(encoder.second.forward(x)));
        let x = relu(encoder.third.forward(x));
        assert_eq!(x.dims(), [records, 32, 3, 3]);
        let x = relu(encoder.hidden.forward(x.flatten::<2>(1, 3)));
        let code = encoder.code.forward(x);
        assert_eq!(code.dims(), [records, 4]);
        let x = relu(decoder.inner.forward(relu(decoder.hidden.forward(code))));
        let x = decoder.third.forward(x.reshape([records, 32, 3, 3]));
        assert_eq!(x.dims(), [records, 16, 7, 7]);
        let x = decoder.second.forward(relu(decoder.third_norm.forward(x)));
        assert_eq!(x.dims(), [records, 8, 14, 14]);
        let x = sigmoid(decoder.first.forward(relu(decoder.second_norm.forward(x))));
        assert_eq!(x.dims(), [records, 1, 28, 28]);
        x.flatten(1, 3)
    }

    #[test]
    fn it_has_the_parameters_and_the_values_of_the_paper_and_exact_products() {
        let network = model(|device| NetworkConfig::Autoencoder.init(device));
        assert_eq!(count(&network), 87_125);
        let Network::Autoencoder(inner) = &network else { panic!("an autoencoder") };
        assert_eq!((count(&inner.encoder), count(&inner.decoder)), (43_428, 43_697));
        let batch = || images(5, 28 * 28);
        let values = inner.forward(&Tangents::none(), batch()).value.into_data();
        assert_eq!(values, plain(inner, batch()).into_data());
        check(&network, |network, at| network.forward(at, batch()).mse(batch()));
    }
}
