//! The classifier of the Quasi-Adam paper: two convolutions and fully connected layers.

use burn::{
    module::Module,
    nn::{
        PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{Device, Tensor, activation::relu, module::max_pool2d, ops::MaxPoolOptions},
};

use super::perceptron::Perceptron;

/// The shape of a [`Convolutional`] network.
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
    head: Perceptron,
    image: [usize; 3],
}

impl Convolutional {
    pub(super) fn forward(&self, batch: Tensor<2>) -> Tensor<2> {
        let [records, _] = batch.dims();
        let [channels, rows, columns] = self.image;
        let x = batch.reshape([records, channels, rows, columns]);
        let x = relu(pool(self.first.forward(x)));
        let x = relu(pool(self.second.forward(x)));
        self.head.forward(x.flatten(1, 3))
    }
}

/// The largest of every 2 x 2 window.
fn pool(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([2, 2]))
}
