//! The different tokens of a text, and their numbers.

use std::cmp::Reverse;
use std::collections::HashMap;

/// The different tokens of a corpus, numbered from 0 by falling frequency in its training part, as
/// an adaptive softmax wants them; those of one frequency are in the order of their texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Vocabulary {
    texts: Vec<String>,
    ids: HashMap<String, u32>,
}

impl Vocabulary {
    /// The tokens of `train`, which are counted, and of `others`, which are not.
    pub(super) fn new<'a>(train: &[&'a str], others: impl Iterator<Item = &'a str>) -> Self {
        let mut counts: HashMap<&str, usize> = others.map(|token| (token, 0)).collect();
        for token in train {
            *counts.entry(token).or_default() += 1;
        }
        let mut sorted: Vec<(&str, usize)> = counts.into_iter().collect();
        sorted.sort_unstable_by_key(|&(token, count)| (Reverse(count), token));
        let texts: Vec<String> = sorted.into_iter().map(|(token, _)| token.to_owned()).collect();
        let ids = texts.iter().cloned().zip(0..).collect();
        Self { texts, ids }
    }

    /// The number of different tokens.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The token of number `id`. Panics where there is none.
    pub fn token(&self, id: u32) -> &str {
        &self.texts[id as usize]
    }

    /// The number of the token `text`, where it is one.
    pub fn id(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_are_numbered_by_frequency_in_training_and_then_by_text() {
        let vocabulary = Vocabulary::new(&["b", "a", "c", "c"], ["z", "z", "z", "b"].into_iter());
        let tokens: Vec<&str> = (0..4).map(|id| vocabulary.token(id)).collect();
        assert_eq!(tokens, ["c", "a", "b", "z"]);
        assert_eq!((vocabulary.len(), vocabulary.is_empty()), (4, false));
        assert_eq!((vocabulary.id("b"), vocabulary.id("y")), (Some(2), None));
    }

    proptest! {
        #[test]
        fn numbers_lead_to_their_tokens_and_back_and_frequencies_never_rise(
            train in prop::collection::vec("[a-e]{1,2}", 0..200),
            others in prop::collection::vec("[a-g]{1,2}", 0..50),
        ) {
            let train: Vec<&str> = train.iter().map(String::as_str).collect();
            let vocabulary = Vocabulary::new(&train, others.iter().map(String::as_str));
            let frequency =
                |id| train.iter().filter(|&&token| token == vocabulary.token(id)).count();
            for id in 0..vocabulary.len() as u32 {
                prop_assert_eq!(vocabulary.id(vocabulary.token(id)), Some(id));
                prop_assert!(id == 0 || frequency(id - 1) >= frequency(id));
            }
            for token in train.iter().copied().chain(others.iter().map(String::as_str)) {
                prop_assert!(vocabulary.id(token).is_some());
            }
        }
    }
}
