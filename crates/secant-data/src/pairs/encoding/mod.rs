//! Byte-pair encoding: frequent words as one token, rare ones as a few (Sennrich, Haddow and Birch,
//! *Neural Machine Translation of Rare Words with Subword Units*, 2016).
//!
//! A sentence is cut at blanks, and between letters or digits and other marks, into pieces. A piece
//! begins as its characters, a blank before it being the first of them. Then, as often as the
//! vocabulary has room, the two neighbours that are the most frequent pair of neighbours in all
//! pieces become one token; of equally frequent pairs the one of the lower numbers is taken. A new
//! sentence goes through the same merges in the same order.

mod learner;

use std::collections::HashMap;

use crate::error::DataError;
use learner::Learner;

/// Fills up sequences to one length.
pub const PADDING: u32 = 0;

/// Stands before a sentence.
pub const BEGIN: u32 = 1;

/// Stands after a sentence.
pub const END: u32 = 2;

/// Stands for a character that no training sentence has.
pub const UNKNOWN: u32 = 3;

/// The texts of the special tokens, by number. A sentence that contains such a text does not
/// contain the token.
pub const SPECIAL_TOKENS: [&str; 4] = ["<pad>", "<s>", "</s>", "<unk>"];

/// A vocabulary of characters, parts of words and words, and how sentences are cut into them.
#[derive(Debug, Clone)]
pub struct BytePairEncoding {
    tokens: Vec<String>,
    characters: HashMap<char, u32>,
    /// For two neighbours the number of their merge, and the token that they become.
    merges: HashMap<(u32, u32), (usize, u32)>,
}

impl BytePairEncoding {
    /// Learns an encoding of at most `size` tokens, the [`SPECIAL_TOKENS`] among them, from
    /// `sentences`, which may be in several languages; the same ones always give the same. There
    /// are fewer where no neighbours are left, and too few for all characters are refused.
    pub fn train<'a>(
        sentences: impl Iterator<Item = &'a str>,
        size: usize,
    ) -> Result<Self, DataError> {
        let mut pieces = HashMap::<String, usize>::new();
        for sentence in sentences {
            for_pieces(sentence, |piece| *pieces.entry(piece).or_default() += 1);
        }
        let mut alphabet: Vec<char> = pieces.keys().flat_map(|piece| piece.chars()).collect();
        alphabet.sort_unstable();
        alphabet.dedup();
        let least = SPECIAL_TOKENS.len() + alphabet.len();
        if size < least {
            return Err(DataError::EncodingSize { size, least, characters: alphabet.len() });
        }
        let mut encoding = Self::of_characters(&alphabet);
        let mut learner = Learner::new(
            pieces.into_iter().map(|(piece, count)| (encoding.characters(&piece), count)),
        );
        encoding.learn(&mut learner, size);
        Ok(encoding)
    }

    /// The encoding without merges.
    fn of_characters(alphabet: &[char]) -> Self {
        let special = SPECIAL_TOKENS.iter().map(ToString::to_string);
        Self {
            tokens: special.chain(alphabet.iter().map(char::to_string)).collect(),
            characters: alphabet.iter().copied().zip(SPECIAL_TOKENS.len() as u32..).collect(),
            merges: HashMap::new(),
        }
    }

    /// Merges until there are `size` tokens or no neighbours.
    fn learn(&mut self, learner: &mut Learner, size: usize) {
        let mut numbers: HashMap<String, u32> = HashMap::new();
        while self.tokens.len() < size
            && let Some((left, right)) = learner.most_frequent()
        {
            let text = format!("{}{}", self.token(left), self.token(right));
            // Two merges can lead to one text: a + bc and ab + c.
            let token = *numbers.entry(text).or_insert_with_key(|text| {
                self.tokens.push(text.clone());
                self.tokens.len() as u32 - 1
            });
            self.merges.insert((left, right), (self.merges.len(), token));
            learner.merge((left, right), token);
        }
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Never, since there are always the special tokens.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The text of the token `id`; a blank at its beginning parts it from the one before. Panics
    /// where there is none.
    pub fn token(&self, id: u32) -> &str {
        &self.tokens[id as usize]
    }

    /// The tokens of `sentence`, without [`BEGIN`] and [`END`].
    pub fn encode(&self, sentence: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        for_pieces(sentence, |piece| {
            let mut tokens = self.characters(&piece);
            while let Some((_, at, token)) = self.next_merge(&tokens) {
                tokens[at] = token;
                tokens.remove(at + 1);
            }
            ids.append(&mut tokens);
        });
        ids
    }

    /// The earliest merge that `tokens` allow, where it is, and what comes of it.
    fn next_merge(&self, tokens: &[u32]) -> Option<(usize, usize, u32)> {
        let merge = |(at, pair): (usize, &[u32])| {
            self.merges.get(&(pair[0], pair[1])).map(|&(order, token)| (order, at, token))
        };
        tokens.windows(2).enumerate().filter_map(merge).min()
    }

    /// The sentence of the tokens `ids`. What [`encode`](Self::encode) made comes back with single
    /// blanks between its words and none around them; padding, begin and end are left out. Panics
    /// where a number has no token.
    pub fn decode(&self, ids: &[u32]) -> String {
        let silent = [PADDING, BEGIN, END];
        let texts = ids.iter().filter(|id| !silent.contains(id)).map(|&id| self.token(id));
        texts.collect::<String>().trim().to_owned()
    }

    /// The characters of a piece as tokens.
    fn characters(&self, piece: &str) -> Vec<u32> {
        let token = |character| self.characters.get(&character).copied().unwrap_or(UNKNOWN);
        piece.chars().map(token).collect()
    }
}

/// Calls `each` with all pieces of a sentence, in order.
fn for_pieces(sentence: &str, mut each: impl FnMut(String)) {
    for word in sentence.split_whitespace() {
        let mut piece = String::from(" ");
        let mut last: Option<bool> = None;
        for character in word.chars() {
            let kind = character.is_alphanumeric();
            if last.is_some_and(|last| last != kind) {
                each(std::mem::take(&mut piece));
            }
            piece.push(character);
            last = Some(kind);
        }
        each(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn train(sentences: &[&str], size: usize) -> BytePairEncoding {
        BytePairEncoding::train(sentences.iter().copied(), size).unwrap()
    }

    fn texts<'a>(encoding: &'a BytePairEncoding, sentence: &str) -> Vec<&'a str> {
        encoding.encode(sentence).into_iter().map(|id| encoding.token(id)).collect()
    }

    /// The words of the paper's example, as often as they occur there.
    fn paper() -> Vec<&'static str> {
        [vec!["low"; 5], vec!["lower"; 2], vec!["newest"; 6], vec!["widest"; 3]].concat()
    }

    #[test]
    fn the_most_frequent_neighbours_become_tokens() {
        // Four special tokens, and the eleven characters " deilnorstw".
        let encoding = train(&paper(), 15 + 5);
        let merged: Vec<&str> = (15..20).map(|id| encoding.token(id)).collect();
        // 9 times es, then est; 7 times each the neighbours in low, of which o and w have lower
        // numbers than the token " l".
        assert_eq!(merged, ["es", "est", " l", "ow", " low"]);
        assert_eq!(texts(&encoding, "lowest"), [" low", "est"]);
        assert_eq!(texts(&encoding, "slow low"), [" ", "s", "l", "ow", " low"]);
    }

    #[test]
    fn learning_ends_where_no_neighbours_are_left() {
        let encoding = train(&paper(), 1_000);
        for word in ["low", "lower", "newest", "widest"] {
            assert_eq!(texts(&encoding, word), [format!(" {word}")]);
        }
        assert!(encoding.len() < 50, "{}", encoding.len());
    }

    #[test]
    fn words_are_cut_from_marks_and_blanks_are_kept() {
        let encoding = train(&["a dog, a dog. A dog's 3 dogs (two)"; 4], 100);
        assert_eq!(texts(&encoding, " a\tdog's dog,"), [" a", " dog", "'", "s", " dog", ","]);
        assert_eq!(encoding.decode(&encoding.encode("  a dog ,\n(a dog)")), "a dog , (a dog)");
    }

    #[test]
    fn characters_that_training_lacks_are_unknown_and_special_tokens_are_silent() {
        let encoding = train(&["ab ab <s>"], 50);
        let ids = encoding.encode("ab äb");
        assert_eq!(ids.iter().filter(|&&id| id == UNKNOWN).count(), 1);
        let framed = [&[BEGIN], ids.as_slice(), &[END, PADDING, PADDING]].concat();
        assert_eq!(encoding.decode(&framed), "ab <unk>b");
        assert!(!encoding.encode("<s>").contains(&BEGIN));
        assert_eq!((0..4).map(|id| encoding.token(id)).collect::<Vec<_>>(), SPECIAL_TOKENS);
    }

    #[test]
    fn a_vocabulary_too_small_for_the_characters_is_refused() {
        assert_eq!(train(&["ab"], 7).len(), 7);
        let told = BytePairEncoding::train(["ab"].into_iter(), 6).unwrap_err().to_string();
        assert!(told.contains("6 tokens") && told.contains("at least 7"), "{told}");
    }

    proptest! {
        #[test]
        fn every_training_sentence_comes_back_with_single_blanks(
            sentences in prop::collection::vec("[a-c.,<ß ]{0,12}", 1..20), size in 12..60_usize,
        ) {
            let encoding =
                BytePairEncoding::train(sentences.iter().map(String::as_str), size).unwrap();
            prop_assert!(encoding.len() <= size);
            for sentence in &sentences {
                let ids = encoding.encode(sentence);
                prop_assert!(!ids.contains(&UNKNOWN));
                let blanks = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
                prop_assert_eq!(encoding.decode(&ids), blanks);
            }
        }
    }
}
