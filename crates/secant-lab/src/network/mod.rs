//! The networks that can be compared.

mod autoencoder;
mod convolutional;
mod perceptron;
mod residual;
#[cfg(test)]
pub(crate) mod testing;

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use secant::dual::{Dual, Tangents};

use autoencoder::Autoencoder;
use convolutional::Convolutional;
pub use convolutional::ConvolutionalConfig;
use perceptron::Perceptron;
use residual::Residual;
pub use residual::{BlockConfig, ResidualConfig, StemConfig};

/// What a network looks like; [`NetworkConfig::init`] draws its weights.
#[derive(Clone, Debug)]
pub enum NetworkConfig {
    /// Fully connected: the inputs, the hidden units (none: a linear model), the outputs.
    Perceptron(Vec<usize>),
    /// Fully connected with tanh: the inputs, the hidden units, the outputs.
    TanhPerceptron(Vec<usize>),
    /// Two convolutions, each followed by pooling, and fully connected layers.
    Convolutional(ConvolutionalConfig),
    /// The autoencoder of the Quasi-Adam paper, for images of 28 x 28 pixels.
    Autoencoder,
    /// A residual network.
    Residual(ResidualConfig),
}

/// A network with one output for each class, one alone for a number, or its inputs again.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a few networks at a time, and modules are not boxed")]
pub enum Network {
    /// Fully connected.
    Perceptron(Perceptron),
    /// Convolutional.
    Convolutional(Convolutional),
    /// From images to images.
    Autoencoder(Autoencoder),
    /// Residual.
    Residual(Residual),
}

impl NetworkConfig {
    /// A network with weights from Burn's generator.
    pub fn init(&self, device: &Device) -> Network {
        match self {
            Self::Perceptron(widths) => Network::Perceptron(Perceptron::new(widths, device)),
            Self::TanhPerceptron(widths) => {
                Network::Perceptron(Perceptron::new(widths, device).with_tanh())
            }
            Self::Convolutional(config) => Network::Convolutional(config.init(device)),
            Self::Autoencoder => Network::Autoencoder(Autoencoder::new(device)),
            Self::Residual(config) => Network::Residual(config.init(device)),
        }
    }
}

impl Network {
    /// The outputs of a batch, `[records, outputs]`.
    pub fn forward(&self, at: &Tangents, batch: Tensor<2>) -> Dual<2> {
        match self {
            Self::Perceptron(network) => network.forward(at, batch.into()),
            Self::Convolutional(network) => network.forward(at, batch),
            Self::Autoencoder(network) => network.forward(at, batch),
            Self::Residual(network) => network.forward(at, batch),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, TensorData};

    use super::*;
    use crate::{Precision, precision::drawn};

    #[test]
    fn a_tanh_perceptron_is_that_formula() {
        let device = Device::default();
        let config = NetworkConfig::TanhPerceptron(vec![3, 50, 2]);
        let network = drawn(1, Precision::F64, &device, || config.init(&device));
        let options = (&device, DType::F64);
        let input = Tensor::<2>::from_data(TensorData::from([[0.3f64, -1.0, 2.0]]), options);
        let logits = network.forward(&Tangents::none(), input.clone()).value;
        let Network::Perceptron(perceptron) = network else { panic!("a perceptron") };
        let [first, second] = perceptron.layers() else { panic!("two layers") };
        let expected = second.forward(first.forward(input).tanh());
        assert_eq!(logits.into_data(), expected.into_data());
    }
}
