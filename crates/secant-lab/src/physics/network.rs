//! Fully connected layers with tanh between them, and one output.

use burn::{
    module::Module,
    nn::{Initializer, Linear},
    tensor::Device,
};
use secant::dual::Tangents;

use super::jet::Jet;

/// Fully connected layers with tanh between them, and one output.
#[derive(Module, Debug)]
pub struct TanhNetwork {
    layers: Vec<Linear>,
}

impl TanhNetwork {
    /// Layers of these widths, from inputs to output: weights as Glorot and Bengio 2010 draw them (normal,
    /// variance 2 / (inputs + outputs)), biases 0.
    pub(super) fn new(widths: &[usize], device: &Device) -> Self {
        let layer = |pair: &[usize]| {
            let [inputs, outputs] = [pair[0], pair[1]];
            let glorot = Initializer::XavierNormal { gain: 1.0 };
            let shape = [inputs, outputs];
            Linear {
                weight: glorot.init_with(shape, Some(inputs), Some(outputs), device),
                bias: Some(Initializer::Zeros.init([outputs], device)),
            }
        };
        Self { layers: widths.windows(2).map(layer).collect() }
    }

    #[cfg(test)]
    pub(super) fn layer(&self, index: usize) -> &Linear {
        &self.layers[index]
    }

    /// The output `[points, 1]` with its derivatives.
    pub(super) fn forward(&self, at: &Tangents, inputs: Jet) -> Jet {
        self.layers.iter().enumerate().fold(inputs, |jet, (index, layer)| {
            let jet = if index == 0 { jet } else { jet.tanh() };
            jet.linear(layer, at)
        })
    }
}
