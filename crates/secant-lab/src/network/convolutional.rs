//! The classifier of the Quasi-Adam paper: two convolutions and fully connected layers.

use burn::{
    module::Module,
    nn::{
        PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    tensor::{Device, Tensor},
};
use secant::dual::{Dual, Tangents};

use super::perceptron::Perceptron;

/// The shape of a convolutional network.
#[derive(Clone, Debug)]
pub struct ConvolutionalConfig {
    /// Channels, rows and columns of an image.
    pub image: [usize; 3],
    /// Output channels of the two convolutions.
    pub channels: [usize; 2],
    /// Rows and columns of a kernel.
    pub kernel: usize,
    /// Zeros around the image before each convolution.
    pub padding: usize,
    /// Units of the fully connected layers between the convolutions and the classes.
    pub hidden: Vec<usize>,
    /// Classes.
    pub classes: usize,
}

impl ConvolutionalConfig {
    pub(super) fn init(&self, device: &Device) -> Convolutional {
        let convolution = |inputs, outputs| {
            Conv2dConfig::new([inputs, outputs], [self.kernel; 2])
                .with_padding(PaddingConfig2d::Explicit(
                    self.padding,
                    self.padding,
                    self.padding,
                    self.padding,
                ))
                .init(device)
        };
        let [inputs, rows, columns] = self.image;
        let [first, second] = self.channels;
        let features = second * self.side(self.side(rows)) * self.side(self.side(columns));
        let widths = [vec![features], self.hidden.clone(), vec![self.classes]].concat();
        Convolutional {
            first: convolution(inputs, first),
            second: convolution(first, second),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            head: Perceptron::new(&widths, device),
            image: self.image,
        }
    }

    /// The side of an image after one convolution and one pooling.
    fn side(&self, side: usize) -> usize {
        (side + 2 * self.padding + 1 - self.kernel) / 2
    }
}

/// Convolution, pooling, ReLU, twice; then fully connected layers.
#[derive(Module, Debug)]
pub struct Convolutional {
    first: Conv2d,
    second: Conv2d,
    /// The largest of every 2 x 2 window.
    pool: MaxPool2d,
    head: Perceptron,
    image: [usize; 3],
}

impl Convolutional {
    pub(super) fn forward(&self, at: &Tangents, batch: Tensor<2>) -> Dual<2> {
        let [records, _] = batch.dims();
        let [channels, rows, columns] = self.image;
        let x = batch.reshape([records, channels, rows, columns]);
        let x = at.conv2d(&self.first, x).max_pool2d(&self.pool).relu();
        let x = at.conv2d(&self.second, x).max_pool2d(&self.pool).relu();
        self.head.forward(at, x.flatten(1, 3))
    }
}
