//! The networks that can tell the next token.

use burn::{module::Module, tensor::Device};

use super::{
    attentive::AttentiveModel,
    recurrent::{RecurrentConfig, RecurrentModel},
};
use crate::attention::Stack;

/// A network of one kind or the other.
#[derive(Module, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one model at a time, and modules cannot be boxed"
)]
pub enum LanguageModel {
    /// Two layers of LSTM.
    Recurrent(RecurrentModel),
    /// A transformer.
    Attentive(AttentiveModel),
}

/// The shape of a network but for the vocabulary.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Two layers of LSTM.
    Recurrent {
        /// The width of a token's vector.
        embedding: usize,
        /// Units of each layer.
        hidden: usize,
        /// Where the clusters of the adaptive softmax begin, as far as the vocabulary reaches.
        cutoffs: &'static [usize],
    },
    /// A transformer.
    Attentive(Stack),
}

impl Shape {
    /// A network for so many tokens, with weights from Burn's generator.
    pub fn init(&self, vocabulary: usize, device: &Device) -> LanguageModel {
        match *self {
            Self::Recurrent { embedding, hidden, cutoffs } => {
                let is_inside = |&cutoff: &usize| cutoff < vocabulary;
                let cutoffs = cutoffs.iter().copied().filter(is_inside).collect();
                let config = RecurrentConfig { vocabulary, embedding, hidden, cutoffs };
                LanguageModel::Recurrent(config.init(device))
            }
            Self::Attentive(stack) => {
                LanguageModel::Attentive(AttentiveModel::new(vocabulary, &stack, device))
            }
        }
    }
}
