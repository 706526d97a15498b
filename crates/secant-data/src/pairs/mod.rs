//! Pairs of sentences that mean the same in two languages, for translation.

mod encoding;

use std::path::{Path, PathBuf};

use crate::bytes;
use crate::error::DataError;

pub use encoding::{BEGIN, BytePairEncoding, END, PADDING, SPECIAL_TOKENS, UNKNOWN};

/// A sentence in two languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The sentence to translate.
    pub source: String,
    /// Its translation.
    pub target: String,
}

/// Pairs of sentences in three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentencePairs {
    /// Pairs to learn from.
    pub train: Vec<Pair>,
    /// Pairs to choose settings by.
    pub validation: Vec<Pair>,
    /// Pairs to report on.
    pub test: Vec<Pair>,
}

/// The files of Multi30k for training, validation and testing, without the language.
const MULTI30K_FILES: [&str; 3] = ["train", "val", "test_2016_flickr"];

/// The languages of Multi30k, which end the names of its files: source, target.
const MULTI30K_LANGUAGES: [&str; 2] = ["en", "de"];

/// Multi30k, 31,014 descriptions of pictures in English with their German translations (Elliott and
/// others, 2016), from `folder`.
///
/// The files are `train`, `val` and `test_2016_flickr`, each with `.en` and `.de`, packed or not, as
/// they are published; they are read by [`read`].
pub fn load_multi30k(folder: &Path) -> Result<SentencePairs, DataError> {
    let names =
        MULTI30K_FILES.map(|part| MULTI30K_LANGUAGES.map(|tongue| format!("{part}.{tongue}")));
    let missing = bytes::missing(folder, names.iter().flatten().map(String::as_str));
    if !missing.is_empty() {
        let (data_dir, missing) = (folder.to_path_buf(), missing.join(", "));
        return Err(DataError::NotThere { name: "multi30k", data_dir, missing });
    }
    let [train, validation, test] =
        names.map(|[source, target]| read(&folder.join(source), &folder.join(target)));
    Ok(SentencePairs { train: train?, validation: validation?, test: test? })
}

/// The pairs of two text files with one sentence in each line: line `i` of `target` translates line
/// `i` of `source`. Files of different length and empty lines are refused.
pub fn read(source: &Path, target: &Path) -> Result<Vec<Pair>, DataError> {
    let [sources, targets] = [sentences(source)?, sentences(target)?];
    if sources.len() != targets.len() {
        return Err(DataError::SentenceCounts {
            source_path: source.to_path_buf(),
            sources: sources.len(),
            target_path: target.to_path_buf(),
            targets: targets.len(),
        });
    }
    let pair = |(source, target)| Pair { source, target };
    Ok(sources.into_iter().zip(targets).map(pair).collect())
}

/// The lines of a file, without blanks around them.
fn sentences(path: &Path) -> Result<Vec<String>, DataError> {
    let path: PathBuf = path.to_path_buf();
    let text = bytes::read_text(&path)?;
    let sentences: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    if sentences.is_empty() {
        return Err(DataError::Empty { path });
    }
    match sentences.iter().position(String::is_empty) {
        Some(at) => Err(DataError::EmptySentence { path, line: at + 1 }),
        None => Ok(sentences),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, gzip, real, write};
    use tempfile::TempDir;

    /// A sound data set with two pairs for training.
    fn sound() -> TempDir {
        let folder = folder();
        write(&folder, "train.en.gz", &gzip(b"A dog.\nTwo cats. \n"));
        write(&folder, "train.de", "Ein Hund.\r\nZwei Kätzchen.".as_bytes());
        for part in ["val", "test_2016_flickr"] {
            write(&folder, &format!("{part}.en"), format!("{part} here\n").as_bytes());
            write(&folder, &format!("{part}.de"), format!("{part} hier\n").as_bytes());
        }
        folder
    }

    fn message(folder: &TempDir) -> String {
        load_multi30k(folder.path()).unwrap_err().to_string()
    }

    #[test]
    fn lines_of_two_files_are_pairs() {
        let pairs = load_multi30k(sound().path()).unwrap();
        let pair =
            |source: &str, target: &str| Pair { source: source.into(), target: target.into() };
        assert_eq!(pairs.train, [pair("A dog.", "Ein Hund."), pair("Two cats.", "Zwei Kätzchen.")]);
        assert_eq!(pairs.validation, [pair("val here", "val hier")]);
        assert_eq!(pairs.test, [pair("test_2016_flickr here", "test_2016_flickr hier")]);
    }

    #[test]
    fn files_of_different_length_are_named_with_both_counts() {
        let folder = sound();
        write(&folder, "val.de", b"eins\nzwei\ndrei\n");
        let told = message(&folder);
        assert!(told.contains("val.en has 1 sentences but "), "{told}");
        assert!(told.contains("val.de has 3;"), "{told}");
    }

    #[test]
    fn files_that_are_not_there_not_text_or_empty_are_named() {
        let lacking = sound();
        std::fs::remove_file(lacking.path().join("train.de")).unwrap();
        let told = message(&lacking);
        assert!(
            told.contains("multi30k is not complete") && told.contains("lacks train.de "),
            "{told}"
        );
        let folder = sound();
        write(&folder, "val.en", b"one\ntw\xff\n");
        assert!(message(&folder).starts_with("line 2 of "));
        write(&folder, "val.en", b"");
        assert!(message(&folder).contains("val.en holds no records"));
        write(&folder, "val.en", b"one\n \ntwo\n");
        let told = message(&folder);
        assert!(told.starts_with("line 2 of ") && told.contains("val.en is empty"), "{told}");
    }

    #[test]
    #[ignore = "needs multi30k in SECANT_DATA"]
    fn every_sentence_of_real_multi30k_can_be_encoded_and_decoded() {
        let pairs = load_multi30k(&real("multi30k")).unwrap();
        let sizes = [&pairs.train, &pairs.validation, &pairs.test].map(Vec::len);
        assert_eq!(sizes, [29_000, 1_014, 1_000]);
        let sentences = |pairs| {
            let pairs: &Vec<Pair> = pairs;
            pairs.iter().flat_map(|pair| [pair.source.as_str(), pair.target.as_str()])
        };
        let encoding = BytePairEncoding::train(sentences(&pairs.train), 8_000).unwrap();
        assert_eq!(encoding.len(), 8_000);
        let (mut tokens, mut unknown) = (0, 0);
        for sentence in sentences(&pairs.train) {
            let ids = encoding.encode(sentence);
            let blanks = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(encoding.decode(&ids), blanks);
            tokens += ids.len();
        }
        for sentence in sentences(&pairs.test) {
            unknown += encoding.encode(sentence).iter().filter(|&&id| id == UNKNOWN).count();
        }
        // About a token for each word or mark, of which there are 14 in a sentence.
        assert!(tokens < 58_000 * 18, "{tokens}");
        assert!(unknown < 5, "{unknown}");
    }
}
