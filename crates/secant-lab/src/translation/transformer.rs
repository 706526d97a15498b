//! The encoder and decoder of Vaswani and others, *Attention Is All You Need*, 2017.

use burn::{
    module::Module,
    nn::{
        Embedding, EmbeddingConfig, Initializer,
        transformer::{TransformerDecoder, TransformerDecoderLayer, TransformerEncoder},
    },
    tensor::{Bool, Device, Int, Tensor},
};
use secant::dual::{Attended, Dual, Tangents};
use secant_data::pairs::PADDING;

use super::smoothing::Scores;
use crate::attention::{Dropout, Pass, Stack, later};

/// The shape of a transformer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransformerConfig {
    /// Tokens, of both languages.
    pub vocabulary: usize,
    /// Numbers for a token, an even number.
    pub width: usize,
    /// Heads of an attention, which divide the width.
    pub heads: usize,
    /// Hidden units for a token between two attentions.
    pub hidden: usize,
    /// Layers of the encoder, and of the decoder.
    pub layers: usize,
    /// The share of embeddings and of layers' outputs that is dropped in training.
    pub dropout: f64,
}

impl TransformerConfig {
    /// Transformer-base of the paper.
    pub fn base(vocabulary: usize) -> Self {
        Self { vocabulary, width: 512, heads: 8, hidden: 2048, layers: 6, dropout: 0.1 }
    }

    /// A transformer with weights from Burn's generator: Glorot's uniform ones, embeddings of variance
    /// 1 / width, biases 0.
    pub fn init(&self, device: &Device) -> Transformer {
        let Self { width, heads, hidden, layers, .. } = *self;
        let stack = Stack { width, heads, hidden, layers };
        let deviation = (width as f64).powf(-0.5);
        let embedding = EmbeddingConfig::new(self.vocabulary, width)
            .with_initializer(Initializer::Normal { mean: 0.0, std: deviation });
        Transformer {
            embedding: embedding.init(device),
            encoder: stack.encoder(device),
            decoder: stack.decoder(device),
        }
    }
}

/// An encoder and a decoder with one embedding for source, target and output.
#[derive(Module, Debug)]
pub struct Transformer {
    embedding: Embedding,
    encoder: TransformerEncoder,
    decoder: TransformerDecoder,
}

/// What the encoder makes of sentences.
pub(super) struct Encoded {
    /// What every layer of the decoder sees of them.
    pub memories: Vec<Attended>,
    /// True at padding, `[sentences, 1, 1, places]`.
    pub mask: Tensor<4, Bool>,
}

impl Transformer {
    /// Sentences `[sentences, places]`, filled up with padding.
    pub(super) fn encode(&self, pass: &Pass<'_>, sentences: Tensor<2, Int>) -> Encoded {
        let [count, places] = sentences.dims();
        let mask = sentences.clone().equal_elem(PADDING).reshape([count, 1, 1, places]);
        let embedded = pass.embed(&self.embedding, sentences, 0);
        let layers = self.encoder.layers.iter();
        let encoded = layers.fold(embedded, |x, layer| pass.encoder_layer(layer, x, mask.clone()));
        let memory =
            |layer: &TransformerDecoderLayer| pass.at.attended(&layer.cross_attn, encoded.clone());
        Encoded { memories: self.decoder.layers.iter().map(memory).collect(), mask }
    }

    /// What the decoder makes of every place of `targets` `[sentences, places]` from the tokens up to
    /// it: `[sentences, places, width]`.
    pub(super) fn decode(
        &self,
        pass: &Pass<'_>,
        encoded: &Encoded,
        targets: Tensor<2, Int>,
    ) -> Dual<3> {
        let [_, places] = targets.dims();
        let later = later(places, &targets.device());
        let embedded = pass.embed(&self.embedding, targets, 0);
        self.decoder.layers.iter().zip(&encoded.memories).fold(embedded, |x, (layer, memory)| {
            let own = pass.at.attended(&layer.self_attn, x.clone());
            let masks = [Some(later.clone()), Some(encoded.mask.clone())];
            pass.decoder_layer(layer, x, [&own, memory], masks)
        })
    }

    /// The same for the place `place` alone, whose tokens are `tokens` `[sentences, 1]`. `seen` is what
    /// each layer has seen of the places before, empty at the first, and is added to.
    pub(super) fn decode_next(
        &self,
        encoded: &Encoded,
        seen: &mut Vec<Attended>,
        (place, tokens): (usize, Tensor<2, Int>),
    ) -> Dual<3> {
        let at = Tangents::none();
        let pass = Pass { at: &at, dropout: Dropout::none() };
        let embedded = pass.embed(&self.embedding, tokens, place);
        let layers = self.decoder.layers.iter().zip(&encoded.memories).enumerate();
        layers.fold(embedded, |x, (number, (layer, memory))| {
            let new = at.attended(&layer.self_attn, x.clone());
            match seen.get_mut(number) {
                Some(seen) => {
                    seen.keys = Dual::cat(vec![seen.keys.clone(), new.keys], 2);
                    seen.values = Dual::cat(vec![seen.values.clone(), new.values], 2);
                }
                None => seen.push(new),
            }
            let masks = [None, Some(encoded.mask.clone())];
            pass.decoder_layer(layer, x, [&seen[number], memory], masks)
        })
    }

    /// The logits of the tokens that follow states `[places, width]`: `[places, tokens]`.
    pub(super) fn logits(&self, at: &Tangents, states: Dual<2>) -> Dual<2> {
        states.matmul(at.param(&self.embedding.weight).transpose())
    }

    /// What is said of the tokens `wanted` `[places, 1]` that follow states `[places, width]`.
    ///
    /// A logit is the product of a state and a token's embedding. So those of the wanted tokens, and the
    /// mean ones, need no look-ups in the widest tensor, whose gradients would be as wide.
    pub(super) fn scores(&self, at: &Tangents, states: Dual<2>, wanted: Tensor<2, Int>) -> Scores {
        let embedded = at.embedding(&self.embedding, wanted).flatten(0, 1);
        let mean = at.param(&self.embedding.weight).mean_dim(0).transpose();
        Scores {
            right: at.output((states.clone() * embedded).sum_dim(1)),
            mean: at.output(states.clone().matmul(mean)),
            all: at.output(self.logits(at, states)),
        }
    }

    /// What the first layer gets of tokens.
    #[cfg(test)]
    pub(super) fn embedded(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let at = Tangents::none();
        Pass { at: &at, dropout: Dropout::none() }.embed(&self.embedding, tokens, 0).value
    }

    #[cfg(test)]
    pub(super) fn encoder(&self) -> &TransformerEncoder {
        &self.encoder
    }

    #[cfg(test)]
    pub(super) fn decoder(&self) -> &TransformerDecoder {
        &self.decoder
    }
}
