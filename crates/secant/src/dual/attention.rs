//! Multi-head attention: softmax(q k' / sqrt(d)) v, in several heads side by side (Vaswani and others,
//! *Attention Is All You Need*, 2017).

use burn::{
    nn::{Linear, attention::MultiHeadAttention},
    tensor::{Bool, Tensor, activation::quiet_softmax},
};

use super::{Dual, Tangents};

/// What queries look at, in heads: `[records, heads, positions, width of a head]`.
#[derive(Clone, Debug)]
pub struct Attended {
    /// What queries are compared with.
    pub keys: Dual<4>,
    /// What they get.
    pub values: Dual<4>,
}

impl Tangents {
    /// The context of [`MultiHeadAttention::forward`], where keys and values are of the same `memory`:
    /// `[records, positions, width]`, like `query`.
    ///
    /// `mask` is true where a query must not look. It has the shape of the scores, `[records, heads,
    /// positions of the query, positions of the memory]`, with 1 where all are alike.
    pub fn multi_head_attention(
        &self,
        layer: &MultiHeadAttention,
        query: impl Into<Dual<3>>,
        memory: impl Into<Dual<3>>,
        mask: Option<Tensor<4, Bool>>,
    ) -> Dual<3> {
        let attended = self.attended(layer, memory);
        self.attend(layer, query, &attended, mask)
    }

    /// The keys and values of a memory, for [`attend`](Self::attend): to look at it more than once, or
    /// to add positions to it.
    pub fn attended(&self, layer: &MultiHeadAttention, memory: impl Into<Dual<3>>) -> Attended {
        let memory: Dual<3> = memory.into();
        Attended {
            keys: self.heads(layer, &layer.key, memory.clone()),
            values: self.heads(layer, &layer.value, memory),
        }
    }

    /// [`multi_head_attention`](Self::multi_head_attention) to a memory of which keys and values are
    /// known.
    pub fn attend(
        &self,
        layer: &MultiHeadAttention,
        query: impl Into<Dual<3>>,
        attended: &Attended,
        mask: Option<Tensor<4, Bool>>,
    ) -> Dual<3> {
        let query: Dual<3> = query.into();
        let dims = query.dims();
        let Attended { keys, values } = attended.clone();
        let query = self.heads(layer, &layer.query, query);
        // The root is in single precision in Burn.
        let scores = query.matmul(keys.transpose()) / f64::from((layer.d_k as f32).sqrt());
        let scores = match mask {
            Some(mask) => scores.mask_fill(&mask, layer.min_float),
            None => scores,
        };
        let weights = if layer.quiet_softmax { scores.quiet_softmax(3) } else { scores.softmax(3) };
        let context = self.dropout(&layer.dropout, weights).matmul(values);
        self.linear(&layer.output, context.swap_dims(1, 2).reshape(dims))
    }

    /// After a layer, cut into heads.
    fn heads(&self, layer: &MultiHeadAttention, linear: &Linear, x: Dual<3>) -> Dual<4> {
        let [records, positions, _] = x.dims();
        let cut = [records, positions, layer.n_heads, layer.d_k];
        self.linear(linear, x).reshape(cut).swap_dims(1, 2)
    }
}

impl<const D: usize> Dual<D> {
    /// With `number` where the mask is true.
    pub fn mask_fill(self, mask: &Tensor<D, Bool>, number: f64) -> Self {
        self.apply(
            |x| x.mask_fill(mask.clone(), number),
            |_, _, tangent| tangent.mask_fill(mask.clone(), 0.0),
        )
    }

    /// e^x / (1 + the sum of e^x) over the dimension `dim`; derivative y (ẋ - y'ẋ), as of softmax.
    pub fn quiet_softmax(self, dim: usize) -> Self {
        self.apply(
            |x| quiet_softmax(x, dim),
            |_, y, tangent| {
                let mean = (y.clone() * tangent.clone()).sum_dim(dim);
                y * (tangent - mean)
            },
        )
    }
}
