//! Fully connected layers with ReLU between them.

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    tensor::{Device, Tensor, activation::relu},
};

/// Fully connected layers with ReLU between them; one layer alone is logistic regression.
#[derive(Module, Debug)]
pub struct Perceptron {
    layers: Vec<Linear>,
}

impl Perceptron {
    /// Layers of these widths, from inputs to classes.
    pub(super) fn new(widths: &[usize], device: &Device) -> Self {
        let layer = |pair: &[usize]| LinearConfig::new(pair[0], pair[1]).init(device);
        Self { layers: widths.windows(2).map(layer).collect() }
    }

    pub(super) fn forward(&self, batch: Tensor<2>) -> Tensor<2> {
        self.layers
            .iter()
            .enumerate()
            .fold(batch, |x, (index, layer)| layer.forward(if index == 0 { x } else { relu(x) }))
    }
}
