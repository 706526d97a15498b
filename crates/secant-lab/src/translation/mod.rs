//! Translation: pairs of sentences, a transformer, cross-entropy with smoothed labels, and BLEU.
//!
//! Both languages have one vocabulary, learned from the training pairs by byte-pair encoding. The loss is
//! the mean over the target tokens of a batch, each foretold from the source and the tokens before it; where
//! a method puts batches together, a batch counts by its pairs.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use secant_lab::{Comparison, Plan, Store, store::default_path, translation::TranslationEntry};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let problem = TranslationEntry::named("multi30k/transformer")?.load(Path::new("data"))?;
//! let store = Store::open(&default_path()?)?;
//! let plan = Plan::of("adam, apollo, radam")?;
//! let finished = Comparison::new(&problem, plan, &store, &false.into())?.run()?;
//! # Ok(())
//! # }
//! ```

mod beam;
mod catalogue;
mod decoding;
mod sentences;
mod smoothing;
#[cfg(test)]
mod tests;
mod transformer;

use burn::tensor::{Device, Int, Tensor};
use secant::dual::{Dual, Tangents};
use secant_data::{
    DataError,
    bleu::corpus_bleu,
    pairs::{BytePairEncoding, Pair, SentencePairs},
};

pub use catalogue::{PROBLEMS, TranslationEntry};
pub use transformer::{Transformer, TransformerConfig};

use crate::{
    Baseline, Batch, Fingerprint, Metric, Part, Problem,
    attention::{Dropout, Pass},
};
use beam::Beam;
use sentences::Sentences;
use smoothing::Likelihood;

/// Pairs of sentences with a transformer for them.
#[derive(Clone, Debug)]
pub struct Translation {
    /// Such as `multi30k/transformer`.
    pub name: String,
    /// What data and network are.
    pub description: String,
    /// Records in a batch, unless the user says otherwise.
    pub batch_size: usize,
    /// Passes over the training records, unless the user says otherwise.
    pub epochs: f64,
    transformer: TransformerConfig,
    encoding: BytePairEncoding,
    train: Sentences,
    validation: Sentences,
    test: Sentences,
    fingerprint: String,
}

/// The part of a label that is spread over all tokens.
const SMOOTHING: f64 = 0.1;

/// The place of BLEU among the metrics.
const BLEU: usize = 2;

/// How test records are translated, as in fairseq unless told otherwise.
const TESTED: Beam = Beam { size: 5, length_penalty: 1.0 };

/// How others are.
const GREEDY: Beam = Beam { size: 1, length_penalty: 1.0 };

/// Of validation records so many are translated, since a run is looked at about forty times.
const LOOKED_AT: usize = 100;

/// Tokens that a translation may have more than its source.
const LONGER: usize = 50;

/// Sentences that are evaluated at once.
const AT_ONCE: usize = 100;

impl Translation {
    /// A problem of these pairs, of a vocabulary of at most `vocabulary` tokens, and of the transformer for
    /// the vocabulary that there is.
    ///
    /// # Errors
    /// The vocabulary is too small for the characters of the training pairs.
    pub fn new(
        name: String,
        pairs: SentencePairs,
        vocabulary: usize,
        transformer: impl Fn(usize) -> TransformerConfig,
    ) -> Result<Self, DataError> {
        let texts = pairs.train.iter().flat_map(|pair| [&*pair.source, &*pair.target]);
        let encoding = BytePairEncoding::train(texts, vocabulary)?;
        let transformer = transformer(encoding.len());
        let fingerprint = fingerprint(&pairs, &transformer);
        let [train, validation, test] = [pairs.train, pairs.validation, pairs.test]
            .map(|pairs| Sentences::new(pairs, &encoding));
        Ok(Self {
            description: name.clone(),
            name,
            batch_size: 64.min(train.pairs.len()),
            epochs: 5.0,
            transformer,
            encoding,
            train,
            validation,
            test,
            fingerprint,
        })
    }

    fn part(&self, part: Part) -> &Sentences {
        match part {
            Part::Train => &self.train,
            Part::Validation => &self.validation,
            Part::Test => &self.test,
        }
    }

    /// How likely the target tokens of a batch are. In training some numbers are dropped.
    fn likelihood(&self, model: &Transformer, at: &Tangents, batch: Batch<'_>) -> Likelihood {
        let dropout = match batch.part {
            Part::Train => Dropout::of(self.transformer.dropout, batch.seed()),
            Part::Validation | Part::Test => Dropout::none(),
        };
        let pass = Pass { at, dropout };
        let lesson = self.part(batch.part).lesson(batch.records, batch.device);
        let encoded = model.encode(&pass, lesson.sources);
        let states = model.decode(&pass, &encoded, lesson.given).flatten::<2>(0, 1);
        // Padding is left out here, before the widest product.
        Likelihood::new(model.scores(at, states.select(0, lesson.places), lesson.wanted))
    }

    fn dual_loss(&self, model: &Transformer, at: &Tangents, batch: Batch<'_>) -> Dual<1> {
        self.likelihood(model, at, batch).cross_entropy(SMOOTHING)
    }

    /// Which of some records are translated, and how.
    fn translated(&self, part: Part, records: &[usize]) -> (Vec<usize>, Beam) {
        match part {
            Part::Test => (records.to_vec(), TESTED),
            Part::Train | Part::Validation => {
                let every = records.len().div_ceil(LOOKED_AT).max(1);
                (records.iter().copied().step_by(every).collect(), GREEDY)
            }
        }
    }

    /// The translations of these records.
    fn translations(&self, model: &Transformer, beam: Beam, batch: Batch<'_>) -> Vec<String> {
        let sentences = self.part(batch.part);
        let of_chunk = |chunk: Batch<'_>| {
            let sources: Tensor<2, Int> = sentences.sources(chunk.records, chunk.device);
            let longest: Vec<usize> =
                chunk.records.iter().map(|&record| sentences.source_len(record) + LONGER).collect();
            model.translate(sources, &longest, beam)
        };
        batch
            .chunks(AT_ONCE)
            .flat_map(of_chunk)
            .map(|tokens| self.encoding.decode(&tokens))
            .collect()
    }

    /// The BLEU, as a share, of the translations of these records.
    fn bleu(&self, model: &Transformer, batch: Batch<'_>) -> f64 {
        let (mut records, beam) = self.translated(batch.part, batch.records);
        // Sentences of one length need no padding.
        records.sort_by_key(|&record| self.part(batch.part).source_len(record));
        let translations = self.translations(model, beam, Batch { records: &records, ..batch });
        self.score(batch.part, &records, &translations)
    }

    /// The BLEU, as a share, of texts for these records.
    fn score(&self, part: Part, records: &[usize], texts: &[String]) -> f64 {
        let pairs = &self.part(part).pairs;
        let references: Vec<&str> = records.iter().map(|&record| &*pairs[record].target).collect();
        corpus_bleu(texts, &references).map_or(f64::NAN, |bleu| bleu.score / 100.0)
    }

    /// The BLEU of the sources, given as their own translations.
    fn copied(&self, part: Part) -> Option<f64> {
        let all: Vec<usize> = (0..self.records(part)).collect();
        let (records, _) = self.translated(part, &all);
        let pairs = &self.part(part).pairs;
        let sources: Vec<String> = records.iter().map(|&r| pairs[r].source.clone()).collect();
        Some(self.score(part, &records, &sources)).filter(|bleu| bleu.is_finite())
    }
}

fn fingerprint(pairs: &SentencePairs, transformer: &TransformerConfig) -> String {
    let add = |hash: Fingerprint, pair: &Pair| hash.text(&pair.source).text(&pair.target);
    let start = Fingerprint::new().text(&format!("{transformer:?} {SMOOTHING}"));
    [&pairs.train, &pairs.validation, &pairs.test]
        .into_iter()
        .fold(start, |hash, part| part.iter().fold(hash.text("part"), add))
        .finish()
}

impl Problem for Translation {
    type Model = Transformer;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn description(&self) -> String {
        format!(
            "{}; cross-entropy of target tokens with label smoothing {SMOOTHING}, dropout {}.",
            self.description, self.transformer.dropout
        )
    }

    fn model(&self, _: u64, device: &Device) -> Transformer {
        self.transformer.init(device)
    }

    fn records(&self, part: Part) -> usize {
        self.part(part).pairs.len()
    }

    fn loss(&self, model: &Transformer, batch: Batch<'_>) -> Tensor<1> {
        self.dual_loss(model, &Tangents::none(), batch).value
    }

    fn loss_on_duals(
        &self,
        model: &Transformer,
        at: &Tangents,
        batch: Batch<'_>,
    ) -> Option<Dual<1>> {
        Some(self.dual_loss(model, at, batch))
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::loss(), Metric::error("perplexity"), Metric::share("BLEU")]
    }

    /// BLEU is that of beam search on test records, and of greedy translations of at most a hundred
    /// of the others.
    fn measure(&self, model: &Transformer, batch: Batch<'_>) -> Vec<f64> {
        let (mut losses, mut plain, mut tokens) = (0.0, 0.0, 0.0);
        for chunk in batch.chunks(AT_ONCE) {
            let likelihood = self.likelihood(model, &Tangents::none(), chunk);
            let count = likelihood.rows as f64;
            let of = |smoothing| likelihood.cross_entropy(smoothing).value.into_scalar::<f64>();
            losses += of(SMOOTHING) * count;
            plain += of(0.0) * count;
            tokens += count;
        }
        let loss = losses / tokens;
        let bleu = if loss.is_finite() { self.bleu(model, batch) } else { f64::NAN };
        vec![loss, (plain / tokens).exp(), bleu]
    }

    fn ranked_by(&self) -> usize {
        BLEU
    }

    fn baseline(&self) -> Option<Baseline> {
        Some(Baseline {
            name: "the source as its own translation".to_string(),
            validation: vec![None, None, self.copied(Part::Validation)],
            test: vec![None, None, self.copied(Part::Test)],
        })
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn rows_per_record(&self) -> usize {
        self.train.mean_length()
    }

    fn epochs(&self) -> f64 {
        self.epochs
    }

    fn data(&self) -> Vec<String> {
        let [train, validation, test] =
            [Part::Train, Part::Validation, Part::Test].map(|part| self.records(part));
        vec![
            format!(
                "{train} pairs of sentences for training, {validation} for validation, {test} for testing"
            ),
            format!(
                "{} tokens for both languages, learned from the training pairs by byte-pair encoding",
                self.encoding.len()
            ),
            format!(
                "BLEU as SacreBLEU has it: test records by beam search (size {}, length penalty {}), others \
                 greedily, and of validation records at most {LOOKED_AT}",
                TESTED.size, TESTED.length_penalty
            ),
        ]
    }
}
