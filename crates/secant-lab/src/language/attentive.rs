//! The transformer language model.

use burn::{
    module::Module,
    nn::{Embedding, EmbeddingConfig, Initializer, transformer::TransformerEncoder},
    tensor::{Device, Int, Tensor},
};
use secant::dual::Dual;

use super::adaptive_softmax::AdaptiveSoftmax;
use crate::attention::{Pass, Stack, later};

/// Embedding, layers in which a place sees itself and those before it, softmax.
#[derive(Module, Debug)]
pub struct AttentiveModel {
    embedding: Embedding,
    encoder: TransformerEncoder,
    softmax: AdaptiveSoftmax,
}

impl AttentiveModel {
    /// A model of so many different tokens, with weights from Burn's generator.
    pub(super) fn new(vocabulary: usize, stack: &Stack, device: &Device) -> Self {
        let width = stack.width;
        let deviation = (width as f64).powf(-0.5);
        Self {
            embedding: EmbeddingConfig::new(vocabulary, width)
                .with_initializer(Initializer::Normal { mean: 0.0, std: deviation })
                .init(device),
            encoder: stack.encoder(device),
            softmax: AdaptiveSoftmax::new(width, vocabulary, &[], device),
        }
    }

    /// The mean cross-entropy of the tokens `wanted` that follow those of `tokens` `[records, places]`: first
    /// of all records those that follow the first place.
    pub(super) fn loss(&self, pass: &Pass<'_>, tokens: Tensor<2, Int>, wanted: &[u32]) -> Dual<1> {
        let outputs = self.forward(pass, tokens).swap_dims(0, 1).flatten(0, 1);
        self.softmax.loss(pass.at, outputs, wanted)
    }

    /// What the last layer makes of every place, `[records, places, width]`.
    fn forward(&self, pass: &Pass<'_>, tokens: Tensor<2, Int>) -> Dual<3> {
        let [_, places] = tokens.dims();
        let later = later(places, &tokens.device());
        let embedded = pass.embed(&self.embedding, tokens, 0);
        let layers = self.encoder.layers.iter();
        layers.fold(embedded, |x, layer| pass.encoder_layer(layer, x, later.clone()))
    }
}

#[cfg(test)]
mod tests {
    use secant::dual::Tangents;

    use super::*;
    use crate::{
        attention::Dropout,
        network::testing::{check, model},
    };

    const WANTED: [u32; 6] = [1, 8, 4, 0, 2, 8];

    fn tiny() -> AttentiveModel {
        // The root of a head's width is 2: Burn's quotients by other roots are of single precision.
        let stack = Stack { width: 8, heads: 2, hidden: 5, layers: 2 };
        model(|device| AttentiveModel::new(9, &stack, device))
    }

    fn tokens() -> Tensor<2, Int> {
        Tensor::from_ints([[0, 8, 3], [3, 5, 1]], &Device::default().autodiff())
    }

    #[test]
    fn gradients_and_hessian_products_are_exact() {
        check(&tiny(), |model, at| {
            model.loss(&Pass { at, dropout: Dropout::of(0.25, 3) }, tokens(), &WANTED)
        });
    }

    #[test]
    fn no_place_sees_a_later_one() {
        let (model, at) = (tiny(), Tangents::none());
        let pass = Pass { at: &at, dropout: Dropout::none() };
        let outputs = |tokens: Tensor<2, Int>| model.forward(&pass, tokens).value.narrow(1, 0, 2);
        let whole = outputs(tokens()).into_data().iter::<f64>().collect::<Vec<_>>();
        let cut = outputs(tokens().narrow(1, 0, 2)).into_data();
        for (whole, cut) in whole.iter().zip(cut.iter::<f64>()) {
            // Sums over places that weigh nothing.
            assert!((whole - cut).abs() < 1e-14, "{whole}, {cut}");
        }
    }

    #[test]
    fn the_loss_of_a_batch_is_the_mean_of_those_of_its_records() {
        let (model, at) = (tiny(), Tangents::none());
        let pass = Pass { at: &at, dropout: Dropout::none() };
        let loss = |tokens: Tensor<2, Int>, wanted: &[u32]| {
            model.loss(&pass, tokens, wanted).value.into_scalar::<f64>()
        };
        let one = |record: usize| {
            let wanted: Vec<u32> = WANTED.iter().copied().skip(record).step_by(2).collect();
            loss(tokens().narrow(0, record, 1), &wanted)
        };
        let both = loss(tokens(), &WANTED);
        assert!((both - (one(0) + one(1)) / 2.0).abs() < 1e-14, "{both}");
    }
}
