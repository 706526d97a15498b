//! The texts known by name.

use std::path::{Path, PathBuf};

use super::{Corpus, PARTS, load_characters, load_parts};
use crate::bytes;
use crate::error::DataError;

/// A text known by name, which is also its folder below the data folder.
#[derive(Debug)]
pub struct NamedText {
    /// The name.
    pub name: &'static str,
    form: Form,
}

/// How a text lies in its folder.
#[derive(Debug)]
enum Form {
    /// One file, of which characters are the tokens.
    Characters(&'static str),
    /// A file for each part, of which words are the tokens.
    Words,
}

/// Plays of Shakespeare, 1.1 million characters.
pub static TINY_SHAKESPEARE: NamedText =
    NamedText { name: "tinyshakespeare", form: Form::Characters("input.txt") };

/// Articles of Wikipedia, 2 million words (Merity and others, 2016).
pub static WIKITEXT_2: NamedText = NamedText { name: "wikitext-2", form: Form::Words };

/// Sentences of news, 800 million words (Chelba and others, 2013). Its rare words are to be
/// `<UNK>` already.
pub static ONE_BILLION_WORDS: NamedText =
    NamedText { name: "one-billion-words", form: Form::Words };

impl NamedText {
    fn folder(&self, data_dir: &Path) -> PathBuf {
        data_dir.join(self.name)
    }

    /// Whether all its files are in `data_dir`.
    pub fn is_complete(&self, data_dir: &Path) -> bool {
        self.lacks(&self.folder(data_dir)).is_empty()
    }

    /// Those of its files that are not in `folder`.
    fn lacks(&self, folder: &Path) -> Vec<&'static str> {
        match self.form {
            Form::Characters(file) => bytes::missing(folder, [file]),
            Form::Words => {
                let lacks = |names: &[&str; 2]| bytes::missing(folder, names.iter().copied()).len();
                PARTS.iter().filter(|&names| lacks(names) == 2).map(|[usual, _]| *usual).collect()
            }
        }
    }

    /// The text from `data_dir`.
    pub fn load(&self, data_dir: &Path) -> Result<Corpus, DataError> {
        let folder = self.folder(data_dir);
        let lacking = self.lacks(&folder);
        if !lacking.is_empty() {
            let (name, missing) = (self.name, lacking.join(", "));
            return Err(DataError::NotThere { name, data_dir: folder, missing });
        }
        match self.form {
            Form::Characters(file) => load_characters(&folder.join(file)),
            Form::Words => load_parts(&folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, real, write};
    use std::fs;

    #[test]
    fn a_text_is_read_from_the_folder_of_its_name() {
        let folder = folder();
        let below = |name: &str| folder.path().join(name);
        for text in [&TINY_SHAKESPEARE, &ONE_BILLION_WORDS] {
            assert!(!text.is_complete(folder.path()));
            let told = text.load(folder.path()).unwrap_err().to_string();
            assert!(told.contains(text.name) && told.contains("is not complete"), "{told}");
            fs::create_dir(below(text.name)).unwrap();
        }
        write(&folder, "tinyshakespeare/input.txt", "abc".repeat(20).as_bytes());
        for file in ["train.txt", "wiki.valid.tokens", "test.txt"] {
            write(&folder, &format!("one-billion-words/{file}"), b"some words\n");
        }
        let [characters, words] = [&TINY_SHAKESPEARE, &ONE_BILLION_WORDS].map(|text| {
            assert!(text.is_complete(folder.path()));
            text.load(folder.path()).unwrap()
        });
        assert_eq!((characters.vocabulary.len(), characters.train.len()), (3, 54));
        assert_eq!((words.vocabulary.len(), words.test.len()), (3, 3));
    }

    #[test]
    fn files_that_are_not_there_are_named() {
        let folder = folder();
        fs::create_dir(folder.path().join("wikitext-2")).unwrap();
        write(&folder, "wikitext-2/valid.txt", b"a");
        let told = WIKITEXT_2.load(folder.path()).unwrap_err().to_string();
        assert!(told.contains("wikitext-2 is not complete"), "{told}");
        assert!(told.contains("lacks train.txt, test.txt (with or without"), "{told}");
    }

    #[test]
    #[ignore = "needs wikitext-2 in SECANT_DATA"]
    fn real_wikitext_has_the_published_numbers_of_tokens_and_types() {
        let data_dir = real("wikitext-2").parent().unwrap().to_path_buf();
        let corpus = WIKITEXT_2.load(&data_dir).unwrap();
        let sizes = [&corpus.train, &corpus.validation, &corpus.test].map(Vec::len);
        assert_eq!(sizes, [2_088_628, 217_646, 245_569]);
        assert_eq!(corpus.vocabulary.len(), 33_278);
        let first: Vec<&str> = (0..5).map(|id| corpus.vocabulary.token(id)).collect();
        assert_eq!(first, ["the", ",", ".", "of", "<unk>"]);
    }

    #[test]
    #[ignore = "needs tinyshakespeare in SECANT_DATA"]
    fn real_tiny_shakespeare_has_its_characters() {
        let data_dir = real("tinyshakespeare").parent().unwrap().to_path_buf();
        let corpus = TINY_SHAKESPEARE.load(&data_dir).unwrap();
        let sizes = [&corpus.train, &corpus.validation, &corpus.test].map(Vec::len);
        assert_eq!(sizes, [1_003_854, 55_770, 55_770]);
        assert_eq!(corpus.vocabulary.len(), 65);
        let first: String =
            corpus.train[..15].iter().map(|&id| corpus.vocabulary.token(id)).collect();
        assert_eq!(first, "First Citizen:\n");
    }
}
