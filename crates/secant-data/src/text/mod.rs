//! Texts as sequences of token numbers, for models of language.

mod named;
mod vocabulary;

use std::path::Path;

use crate::bytes;
use crate::error::DataError;

pub use named::{NamedText, ONE_BILLION_WORDS, TINY_SHAKESPEARE, WIKITEXT_2};
pub use vocabulary::Vocabulary;

/// The token at the end of a line.
pub const END_OF_LINE: &str = "<eos>";

/// The names that the files of a text in three parts may have: as they usually lie beside programs,
/// and as those of WikiText-2 are published; training, validation, test.
const PARTS: [[&str; 2]; 3] = [
    ["train.txt", "wiki.train.tokens"],
    ["valid.txt", "wiki.valid.tokens"],
    ["test.txt", "wiki.test.tokens"],
];

/// A text in three parts, each a sequence of token numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    /// All tokens that occur in any part.
    pub vocabulary: Vocabulary,
    /// The part to learn from.
    pub train: Vec<u32>,
    /// The part to choose settings by.
    pub validation: Vec<u32>,
    /// The part to report on.
    pub test: Vec<u32>,
}

/// The text in three parts in `folder`, all of whose files are there.
///
/// The files are `train.txt`, `valid.txt` and `test.txt`, or `wiki.train.tokens` and so on, packed
/// or not. Their words, separated by blanks, are the tokens, `<unk>` for rare words among them; at
/// the end of every line comes [`END_OF_LINE`].
fn load_parts(folder: &Path) -> Result<Corpus, DataError> {
    let text = |names: [&str; 2]| {
        let [usual, published] = names.map(|name| folder.join(name));
        read(&bytes::find(&usual).or_else(|| bytes::find(&published)).unwrap_or(usual))
    };
    let [train, validation, test] = PARTS.map(text);
    let [train, validation, test] = [train?, validation?, test?];
    Ok(Corpus::new(words(&train), words(&validation), words(&test)))
}

/// The text file `path`, such as tiny Shakespeare, with its characters as tokens: the first 90 % are
/// for training, the next 5 % for validation, the last 5 % for testing.
pub fn load_characters(path: &Path) -> Result<Corpus, DataError> {
    let text = read(path)?;
    cut(path, &text.split_inclusive(|_| true).collect::<Vec<_>>())
}

/// The text file `path` with its words, separated by blanks, as tokens, and with [`END_OF_LINE`] at
/// the end of every line; cut as by [`load_characters`].
pub fn load_words(path: &Path) -> Result<Corpus, DataError> {
    let text = read(path)?;
    cut(path, &words(&text))
}

impl Corpus {
    fn new(train: Vec<&str>, validation: Vec<&str>, test: Vec<&str>) -> Self {
        let others = validation.iter().chain(&test).copied();
        let vocabulary = Vocabulary::new(&train, others);
        let numbers = |tokens: Vec<&str>| {
            tokens.into_iter().filter_map(|token| vocabulary.id(token)).collect()
        };
        Self {
            train: numbers(train),
            validation: numbers(validation),
            test: numbers(test),
            vocabulary,
        }
    }
}

/// The text file `path`, which must hold more than blanks.
fn read(path: &Path) -> Result<String, DataError> {
    let text = bytes::read_text(path)?;
    if text.trim().is_empty() {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    Ok(text)
}

/// The words of `text`, with the ends of its lines.
fn words(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split_whitespace().chain([END_OF_LINE])).collect()
}

/// Cuts `tokens` by their position.
fn cut(path: &Path, tokens: &[&str]) -> Result<Corpus, DataError> {
    let count = tokens.len();
    let (train, rest) = tokens.split_at(count * 90 / 100);
    let (validation, test) = rest.split_at(count * 95 / 100 - train.len());
    if [train, validation, test].iter().any(|part| part.is_empty()) {
        return Err(DataError::ShortText { path: path.to_path_buf(), tokens: count });
    }
    Ok(Corpus::new(train.to_vec(), validation.to_vec(), test.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, gzip, write};

    /// The text of token numbers.
    fn text(corpus: &Corpus, tokens: &[u32], between: &str) -> String {
        let tokens: Vec<&str> = tokens.iter().map(|&id| corpus.vocabulary.token(id)).collect();
        tokens.join(between)
    }

    #[test]
    fn words_end_at_blanks_and_lines_with_a_token_of_their_own() {
        let folder = folder();
        write(&folder, "train.txt.gz", &gzip(b" \n = A title = \n \n the <unk> the\n"));
        write(&folder, "wiki.valid.tokens", b"the end\r\n");
        write(&folder, "test.txt", "a title\u{a0}without\tend".as_bytes());
        let corpus = load_parts(folder.path()).unwrap();
        let read = |tokens| text(&corpus, tokens, " ");
        assert_eq!(read(&corpus.train), "<eos> = A title = <eos> <eos> the <unk> the <eos>");
        assert_eq!(read(&corpus.validation), "the end <eos>");
        assert_eq!(read(&corpus.test), "a title without end <eos>");
        let order = text(&corpus, &(0..corpus.vocabulary.len() as u32).collect::<Vec<_>>(), " ");
        assert_eq!(order, "<eos> = the <unk> A title a end without");
    }

    #[test]
    fn characters_are_tokens_and_the_parts_follow_each_other() {
        let folder = folder();
        let whole: String = "To be, or nöt\n".repeat(10);
        let path = write(&folder, "play.txt", whole.as_bytes());
        let corpus = load_characters(&path).unwrap();
        let parts = [&corpus.train, &corpus.validation, &corpus.test];
        assert_eq!(parts.map(Vec::len), [126, 7, 7]);
        assert_eq!(parts.map(|part| text(&corpus, part, "")).concat(), whole);
        assert_eq!(corpus.vocabulary.token(0), " ");
        assert!(corpus.vocabulary.id("ö").is_some());
    }

    #[test]
    fn a_text_of_ones_own_is_cut_into_words_by_position() {
        let folder = folder();
        let path = write(&folder, "own.txt", b"one two\n".repeat(10).as_slice());
        let corpus = load_words(&path).unwrap();
        let sizes = [&corpus.train, &corpus.validation, &corpus.test].map(Vec::len);
        assert_eq!(sizes, [27, 1, 2]);
        assert_eq!(text(&corpus, &corpus.test, " "), "two <eos>");
    }

    #[test]
    fn a_file_that_is_not_utf_8_or_empty_is_named() {
        let folder = folder();
        let path = write(&folder, "latin.txt", b"caf\xe9 one\nna\xefve\n");
        let told = load_characters(&path).unwrap_err().to_string();
        assert!(told.starts_with("line 1 of ") && told.contains("latin.txt is not text"), "{told}");
        for contents in ["", " \n\n "] {
            let path = write(&folder, "empty.txt", contents.as_bytes());
            for load in [load_characters, load_words] {
                let told = load(&path).unwrap_err().to_string();
                assert!(told.contains("empty.txt holds no records"), "{told}");
            }
        }
    }

    #[test]
    fn a_text_too_short_for_three_parts_is_refused() {
        let folder = folder();
        let path = write(&folder, "short.txt", b"ab");
        let told = load_characters(&path).unwrap_err().to_string();
        assert!(told.contains("short.txt holds 2 tokens, too few"), "{told}");
        let path = write(&folder, "short.txt", b"abc def ghij klmnopq");
        assert!(load_characters(&path).is_ok());
        assert!(load_words(&path).is_err());
    }
}
