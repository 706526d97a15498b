//! The texts known by name, each with its network.

use std::path::Path;

use secant_data::{
    DataError,
    text::{NamedText, ONE_BILLION_WORDS, TINY_SHAKESPEARE, WIKITEXT_2},
};

use super::{Language, model::Shape};
use crate::attention::Stack;

/// A text with a network for it.
#[derive(Debug)]
pub struct LanguageEntry {
    /// The name, such as `wikitext-2/lstm`.
    pub name: &'static str,
    /// One line about it.
    pub line: &'static str,
    pub(super) text: &'static NamedText,
    /// Tokens of a record.
    pub(super) window: usize,
    pub(super) shape: Shape,
    pub(super) batch_size: usize,
    pub(super) epochs: f64,
}

/// All of them.
pub static PROBLEMS: [LanguageEntry; 4] = [
    LanguageEntry {
        name: "tiny-shakespeare/lstm",
        line: "Tiny Shakespeare by characters; two-layer LSTM, 225,440 parameters",
        text: &TINY_SHAKESPEARE,
        window: 32,
        shape: Shape::Recurrent { embedding: 32, hidden: 128, cutoffs: &[] },
        batch_size: 32,
        epochs: 2.0,
    },
    LanguageEntry {
        name: "tiny-shakespeare/transformer",
        line: "Tiny Shakespeare by characters; two-layer transformer, 108,288 parameters",
        text: &TINY_SHAKESPEARE,
        window: 32,
        shape: Shape::Attentive(Stack { width: 64, heads: 4, hidden: 256, layers: 2 }),
        batch_size: 32,
        epochs: 2.0,
    },
    LanguageEntry {
        name: "wikitext-2/lstm",
        line: "WikiText-2 by words; two-layer LSTM, adaptive softmax, 3,064,816 parameters",
        text: &WIKITEXT_2,
        window: 20,
        // 77 % of the training words are before the first cut-off, 93 % before the second.
        shape: Shape::Recurrent { embedding: 64, hidden: 128, cutoffs: &[2_000, 10_000] },
        batch_size: 32,
        epochs: 1.0,
    },
    LanguageEntry {
        name: "one-billion-words/lstm",
        line: "One Billion Words; the LSTM of the Apollo paper, 509,636,788 parameters",
        text: &ONE_BILLION_WORDS,
        window: 20,
        shape: Shape::Recurrent {
            embedding: 300,
            hidden: 2048,
            cutoffs: &[60_000, 100_000, 640_000],
        },
        batch_size: 128,
        epochs: 20.0,
    },
];

impl LanguageEntry {
    /// The text that it needs in `data_dir` and that is not there; none where all is at hand.
    pub fn lacks(&self, data_dir: &Path) -> Option<&'static str> {
        (!self.text.is_complete(data_dir)).then_some(self.text.name)
    }

    /// The problem with its text, which is looked for in `data_dir`.
    ///
    /// # Errors
    /// The files are not there or not right.
    pub fn load(&'static self, data_dir: &Path) -> Result<Language, DataError> {
        Ok(Language::new(self, self.text.load(data_dir)?))
    }
}

#[cfg(test)]
mod tests {
    use burn::{module::Module, tensor::Device};

    use super::*;

    #[test]
    fn networks_have_the_parameters_that_their_lines_name() {
        for (entry, vocabulary) in PROBLEMS.iter().zip([65, 65, 33_278, 793_471]) {
            let (text, _) = entry.line.split_once(" parameters").expect("parameters");
            let number = text.split_whitespace().last().expect("a number").replace(',', "");
            let model = entry.shape.init(vocabulary, &Device::default());
            assert_eq!(model.num_params().to_string(), number, "{}", entry.name);
        }
    }

    #[test]
    fn cut_offs_beyond_the_vocabulary_are_left_out() {
        let parameters = |vocabulary, cutoffs: &'static [usize]| {
            let shape = Shape::Recurrent { embedding: 4, hidden: 16, cutoffs };
            shape.init(vocabulary, &Device::default()).num_params()
        };
        assert_eq!(parameters(100, &[60, 100]), parameters(100, &[60]));
        assert_ne!(parameters(101, &[60, 100]), parameters(101, &[60]));
    }
}
