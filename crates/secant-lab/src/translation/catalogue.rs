//! The translations known by name.

use std::path::Path;

use secant_data::{
    DataError,
    pairs::{MULTI30K, PairSet, WMT14_EN_DE},
};

use super::{TransformerConfig, Translation};
use crate::supervised::UnknownProblem;

/// A translation known by name.
#[derive(Debug)]
pub struct TranslationEntry {
    /// The name.
    pub name: &'static str,
    /// One line about it.
    pub line: &'static str,
    set: &'static PairSet,
    vocabulary: usize,
    transformer: fn(vocabulary: usize) -> TransformerConfig,
    batch_size: usize,
    epochs: f64,
}

/// All translations known by name.
pub static PROBLEMS: [TranslationEntry; 2] = [
    TranslationEntry {
        name: "multi30k/transformer",
        line: "Multi30k, English to German; a transformer of 2 + 2 layers, 1,046,528 parameters",
        set: &MULTI30K,
        vocabulary: 3_000,
        transformer: small,
        batch_size: 64,
        epochs: 5.0,
    },
    TranslationEntry {
        name: "wmt14-en-de/transformer-base",
        line: "WMT14, English to German; Transformer-base, 63,082,496 parameters",
        set: &WMT14_EN_DE,
        vocabulary: 37_000,
        transformer: TransformerConfig::base,
        // About 8,192 tokens.
        batch_size: 300,
        epochs: 30.0,
    },
];

/// Small enough for two cores.
fn small(vocabulary: usize) -> TransformerConfig {
    TransformerConfig { vocabulary, width: 128, heads: 4, hidden: 256, layers: 2, dropout: 0.1 }
}

impl TranslationEntry {
    /// The translation called `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<&'static Self, UnknownProblem> {
        let found = PROBLEMS.iter().find(|entry| entry.name == name);
        let names = PROBLEMS.iter().map(|entry| entry.name);
        found.ok_or_else(|| UnknownProblem::new(name, names))
    }

    /// The data set that it needs in `data_dir` and that is not there; none where all is at hand.
    pub fn lacks(&self, data_dir: &Path) -> Option<&'static str> {
        Some(self.set.name).filter(|_| !self.set.is_complete(data_dir))
    }

    /// The problem with its data; the files are looked for in `data_dir`.
    ///
    /// # Errors
    /// The files are not there or not right.
    pub fn load(&self, data_dir: &Path) -> Result<Translation, DataError> {
        let pairs = self.set.load(data_dir)?;
        let translation =
            Translation::new(self.name.to_string(), pairs, self.vocabulary, self.transformer)?;
        Ok(Translation {
            description: self.line.to_string(),
            batch_size: self.batch_size,
            epochs: self.epochs,
            ..translation
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::run::count;

    #[test]
    fn transformers_have_the_parameters_of_the_formula_and_of_their_lines() {
        // Nothing is allocated: parameters wait for their first use.
        let device = Device::default().autodiff();
        for entry in &PROBLEMS {
            let config = (entry.transformer)(entry.vocabulary);
            let TransformerConfig { vocabulary, width: d, hidden, layers, .. } = config;
            let attention = 4 * (d * d + d);
            let feed_forward = d * hidden + hidden + hidden * d + d;
            let encoder = attention + feed_forward + 2 * 2 * d;
            let decoder = 2 * attention + feed_forward + 3 * 2 * d;
            let expected = vocabulary * d + layers * (encoder + decoder);
            assert_eq!(count(&config.init(&device)), expected, "{}", entry.name);
            let (text, _) = entry.line.split_once(" parameters").expect("a number");
            let number = text.split_whitespace().last().expect("a number").replace(',', "");
            assert_eq!(number, expected.to_string(), "{}", entry.name);
        }
    }

    #[test]
    fn a_misspelt_name_and_missing_data_are_told_in_a_sentence() {
        let told = TranslationEntry::named("multi30k/transformr").expect_err("no such name");
        let told = told.to_string();
        assert!(told.starts_with("there is no problem `multi30k/transformr`"), "{told}");
        assert!(told.ends_with("; did you mean `multi30k/transformer`?"), "{told}");
        let nowhere = Path::new("nowhere");
        assert_eq!(PROBLEMS[1].lacks(nowhere), Some("wmt14-en-de"));
        let told = PROBLEMS[1].load(nowhere).expect_err("no data").to_string();
        assert!(told.contains("wmt14-en-de is not complete") && told.contains("newstest2013.de"));
    }
}
