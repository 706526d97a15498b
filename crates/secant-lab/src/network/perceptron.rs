//! Fully connected layers with ReLU or tanh between them.

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    tensor::Device,
};
use secant::dual::{Dual, Tangents};

/// Fully connected layers with ReLU or tanh between them; one layer alone is logistic regression.
#[derive(Module, Debug)]
pub struct Perceptron {
    layers: Vec<Linear>,
    has_tanh: bool,
}

impl Perceptron {
    /// Layers of these widths, from inputs to classes.
    pub(super) fn new(widths: &[usize], device: &Device) -> Self {
        let layer = |pair: &[usize]| LinearConfig::new(pair[0], pair[1]).init(device);
        Self { layers: widths.windows(2).map(layer).collect(), has_tanh: false }
    }

    /// The same with tanh instead of ReLU.
    pub(super) fn with_tanh(self) -> Self {
        Self { has_tanh: true, ..self }
    }

    #[cfg(test)]
    pub(super) fn layers(&self) -> &[Linear] {
        &self.layers
    }

    pub(super) fn forward(&self, at: &Tangents, batch: Dual<2>) -> Dual<2> {
        let layers = self.layers.iter().enumerate();
        layers.fold(batch, |x, (index, layer)| {
            let x = match (index, self.has_tanh) {
                (0, _) => x,
                (_, true) => x.tanh(),
                (_, false) => x.relu(),
            };
            at.linear(layer, x)
        })
    }
}
