//! Layers of transformers (Vaswani and others, *Attention Is All You Need*, 2017).
//!
//! The layers are Burn's, as what holds the parameters; the pass through them is on duals.

mod dropout;
mod positions;

use burn::{
    nn::{
        Embedding, Initializer, LayerNorm, Linear,
        activation::ActivationConfig,
        attention::MultiHeadAttention,
        transformer::{
            PositionWiseFeedForward, TransformerDecoder, TransformerDecoderConfig,
            TransformerDecoderLayer, TransformerEncoder, TransformerEncoderConfig,
            TransformerEncoderLayer,
        },
    },
    tensor::{Bool, Device, Int, Tensor},
};
use secant::dual::{Attended, Dual, Tangents};

pub(crate) use dropout::Dropout;
use positions::positions;

/// The shape of a stack of layers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    /// Numbers for a token, an even number.
    pub width: usize,
    /// Heads of an attention, which divide the width.
    pub heads: usize,
    /// Hidden units for a token between two attentions.
    pub hidden: usize,
    /// Layers.
    pub layers: usize,
}

impl Stack {
    /// Layers with one attention each; weights are Glorot's uniform ones, biases 0.
    pub fn encoder(&self, device: &Device) -> TransformerEncoder {
        let Self { width, hidden, heads, layers } = *self;
        // Dropout is ours.
        let mut encoder = TransformerEncoderConfig::new(width, hidden, heads, layers)
            .with_dropout(0.0)
            .with_initializer(GLOROT)
            .with_activation(ActivationConfig::Relu)
            .init(device);
        for layer in &mut encoder.layers {
            reset_attention(&mut layer.mha, device);
            reset_feed_forward(&mut layer.pwff, device);
        }
        encoder
    }

    /// Layers with two attentions each, to themselves and to a memory.
    pub fn decoder(&self, device: &Device) -> TransformerDecoder {
        let Self { width, hidden, heads, layers } = *self;
        let mut decoder = TransformerDecoderConfig::new(width, hidden, heads, layers)
            .with_dropout(0.0)
            .with_initializer(GLOROT)
            .with_activation(ActivationConfig::Relu)
            .init(device);
        for layer in &mut decoder.layers {
            reset_attention(&mut layer.self_attn, device);
            reset_attention(&mut layer.cross_attn, device);
            reset_feed_forward(&mut layer.pwff, device);
        }
        decoder
    }
}

const GLOROT: Initializer = Initializer::XavierUniform { gain: 1.0 };

fn reset_attention(attention: &mut MultiHeadAttention, device: &Device) {
    let MultiHeadAttention { query, key, value, output, .. } = attention;
    [query, key, value, output].into_iter().for_each(|linear| reset_bias(linear, device));
}

fn reset_feed_forward(layer: &mut PositionWiseFeedForward, device: &Device) {
    reset_bias(&mut layer.linear_inner, device);
    reset_bias(&mut layer.linear_outer, device);
}

fn reset_bias(linear: &mut Linear, device: &Device) {
    let outputs = linear.weight.lazy_shape().dims::<2>()[1];
    linear.bias = Some(Initializer::Zeros.init([outputs], device));
}

/// True where a place of `places` would look at a later one, `[1, 1, places, places]`.
pub(crate) fn later(places: usize, device: &Device) -> Tensor<4, Bool> {
    let later = Tensor::<2, Bool>::tril_mask([places, places], 0, device);
    later.reshape([1, 1, places, places])
}

/// A pass: the direction it is differentiated along, and what it drops.
pub(crate) struct Pass<'a> {
    pub at: &'a Tangents,
    pub dropout: Dropout,
}

impl Pass<'_> {
    /// Tokens `[records, places]` with their places, of which the first is `first`.
    pub fn embed(&self, layer: &Embedding, tokens: Tensor<2, Int>, first: usize) -> Dual<3> {
        let [_, count] = tokens.dims();
        let embedded = self.at.embedding(layer, tokens);
        let [_, _, width] = embedded.dims();
        let (device, dtype) = (embedded.value.device(), embedded.value.dtype());
        let places = positions(first, count, width, &device, dtype);
        self.dropout.apply(embedded.mul_scalar((width as f64).sqrt()) + places)
    }

    /// `mask` is true where a place must not look.
    pub fn encoder_layer(
        &self,
        layer: &TransformerEncoderLayer,
        x: Dual<3>,
        mask: Tensor<4, Bool>,
    ) -> Dual<3> {
        let looked = self.at.multi_head_attention(&layer.mha, x.clone(), x.clone(), Some(mask));
        let x = self.added(&layer.norm_1, x, looked);
        let fed = self.feed_forward(&layer.pwff, x.clone());
        self.added(&layer.norm_2, x, fed)
    }

    /// `seen` and `masks` are those of the attention to the layer's own places, and to the memory.
    pub fn decoder_layer(
        &self,
        layer: &TransformerDecoderLayer,
        x: Dual<3>,
        [own, memory]: [&Attended; 2],
        [own_mask, memory_mask]: [Option<Tensor<4, Bool>>; 2],
    ) -> Dual<3> {
        let looked = self.at.attend(&layer.self_attn, x.clone(), own, own_mask);
        let x = self.added(&layer.norm_1, x, looked);
        let looked = self.at.attend(&layer.cross_attn, x.clone(), memory, memory_mask);
        let x = self.added(&layer.norm_2, x, looked);
        let fed = self.feed_forward(&layer.pwff, x.clone());
        self.added(&layer.norm_3, x, fed)
    }

    fn feed_forward(&self, layer: &PositionWiseFeedForward, x: Dual<3>) -> Dual<3> {
        self.at.linear(&layer.linear_outer, self.at.linear(&layer.linear_inner, x).relu())
    }

    /// A sublayer's output, some of it dropped, added to its input and normalised.
    fn added(&self, norm: &LayerNorm, x: Dual<3>, output: Dual<3>) -> Dual<3> {
        self.at.layer_norm(norm, x + self.dropout.apply(output))
    }
}
