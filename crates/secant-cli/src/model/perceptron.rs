//! Fully connected layers with ReLU between them.

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    tensor::Device,
};
use secant::dual::{Dual, Tangents};

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

    pub(super) fn forward(&self, at: &Tangents, batch: Dual<2>) -> Dual<2> {
        let layers = self.layers.iter().enumerate();
        layers.fold(batch, |x, (index, layer)| {
            at.linear(layer, if index == 0 { x } else { x.relu() })
        })
    }
}
