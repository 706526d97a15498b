//! Language modelling: a network that tells the next token of a text, recurrent or a transformer.
//!
//! A record is a window of the text, and its loss the mean cross-entropy of the tokens that follow each of the
//! window's; models are judged by perplexity, e to that. Methods draw windows in any order and evaluate a batch
//! more than once, so the loss is a function of model and windows alone. Two things are therefore
//! done otherwise than in common loops:
//!
//! - **The state that enters a window** of a recurrent network is not what an earlier step left, but is computed from the window before,
//!   from zeros, with the model as it is; no gradient runs through it. It is never stale, reaches back one
//!   window, and costs a forward pass, about a third more. Gradient and Hessian are those of the loss with this
//!   state held: truncated backpropagation, as in common loops.
//! - **Dropout's masks**, of the training records alone, are drawn from [`Batch::seed`]. The window before has
//!   none.

mod adaptive_softmax;
mod attentive;
mod catalogue;
mod model;
mod recurrent;
#[cfg(test)]
mod tests;
mod unigram;
mod windows;

use burn::{
    module::Module,
    tensor::{Device, Int, Tensor, TensorData},
};
use secant::dual::{Dual, LstmState, Tangents};
use secant_core::rng::SplitMix64;
use secant_data::text::{Corpus, Vocabulary};

pub use attentive::AttentiveModel;
pub use catalogue::{LanguageEntry, PROBLEMS};
pub use model::LanguageModel;
pub use recurrent::RecurrentModel;

use crate::{
    Baseline, Batch, Direction, Fingerprint, Metric, Part, Problem, Range,
    attention::{Dropout, Pass},
};
use model::Shape;
use recurrent::{Masks, States};
use unigram::Unigram;
use windows::Windows;

/// A text with a network that is to tell it.
#[derive(Clone, Debug)]
pub struct Language {
    entry: &'static LanguageEntry,
    corpus: Corpus,
}

/// The place of the perplexity among the metrics.
const PERPLEXITY: usize = 1;

/// The share of entries that dropout sets to 0, of embeddings and of both layers' outputs.
const DROPOUT: f64 = 0.1;

/// Windows that are measured at once.
const AT_ONCE: usize = 64;

impl Language {
    pub(super) fn new(entry: &'static LanguageEntry, corpus: Corpus) -> Self {
        Self { entry, corpus }
    }

    fn windows(&self, part: Part) -> Windows<'_> {
        let tokens = match part {
            Part::Train => &self.corpus.train,
            Part::Validation => &self.corpus.validation,
            Part::Test => &self.corpus.test,
        };
        Windows::new(tokens, self.entry.window)
    }

    /// The tokens `[steps, windows]` of these records of the batch's part.
    fn inputs(&self, batch: Batch<'_>, records: &[usize]) -> Tensor<2, Int> {
        let tokens = self.windows(batch.part).inputs(records);
        let tokens: Vec<i64> = tokens.into_iter().map(i64::from).collect();
        let shape = [self.entry.window, records.len()];
        Tensor::from_data(TensorData::new(tokens, shape), batch.device)
    }

    /// The states after the windows before those of the batch, without a graph; zeros before the first.
    fn states_before(&self, model: &RecurrentModel, batch: Batch<'_>) -> States {
        let before: Vec<usize> = batch.records.iter().map(|r| r.saturating_sub(1)).collect();
        let is_inside = |&record: &usize| if record == 0 { 0.0f32 } else { 1.0 };
        let has_before = batch.records.iter().map(is_inside).collect();
        let has_before: Tensor<2> = batch.tensor(has_before, [before.len(), 1]);
        let inputs = self.inputs(batch, &before);
        let frozen = model.clone().no_grad();
        let (_, states) = frozen.forward(&Tangents::none(), inputs, None, None);
        states.map(|LstmState { cell, hidden }| LstmState {
            cell: cell.detach() * has_before.clone(),
            hidden: hidden.detach() * has_before.clone(),
        })
    }

    /// The masks of a batch for a network of these widths.
    fn masks(&self, widths: [usize; 3], batch: Batch<'_>) -> Masks {
        let mut rng = SplitMix64::new(batch.seed());
        let kept = (1.0 / (1.0 - DROPOUT)) as f32;
        widths.map(|width| {
            let shape = [self.entry.window, batch.records.len(), width];
            let factor = |_| if rng.range(0.0, 1.0) < DROPOUT as f32 { 0.0 } else { kept };
            batch.tensor((0..shape.iter().product()).map(factor).collect::<Vec<f32>>(), shape)
        })
    }

    /// The loss of a batch; some entries are dropped where the batch is one to learn from.
    fn loss_to_learn_from(
        &self,
        model: &LanguageModel,
        at: &Tangents,
        batch: Batch<'_>,
    ) -> Dual<1> {
        self.dual_loss(model, at, batch, batch.part == Part::Train)
    }

    fn dual_loss(
        &self,
        model: &LanguageModel,
        at: &Tangents,
        batch: Batch<'_>,
        drops: bool,
    ) -> Dual<1> {
        let inputs = self.inputs(batch, batch.records);
        let targets = self.windows(batch.part).targets(batch.records);
        match model {
            LanguageModel::Recurrent(model) => {
                let states = self.states_before(model, batch);
                let masks = drops.then(|| self.masks(model.widths(), batch));
                let (outputs, _) = model.forward(at, inputs, Some(states), masks.as_ref());
                model.loss(at, outputs, &targets)
            }
            LanguageModel::Attentive(model) => {
                let rate = if drops { DROPOUT } else { 0.0 };
                let pass = Pass { at, dropout: Dropout::of(rate, batch.seed()) };
                model.loss(&pass, inputs.transpose(), &targets)
            }
        }
    }
}

impl Problem for Language {
    type Model = LanguageModel;

    fn name(&self) -> String {
        self.entry.name.to_string()
    }

    fn description(&self) -> String {
        let LanguageEntry { line, window, shape, .. } = self.entry;
        let state = match shape {
            Shape::Recurrent { .. } => " that begin with the state after the window before",
            Shape::Attentive(_) => "",
        };
        format!(
            "{line}, dropout {DROPOUT}; mean cross-entropy of the next token, over windows of {window} tokens\
             {state}."
        )
    }

    fn model(&self, _: u64, device: &Device) -> LanguageModel {
        self.entry.shape.init(self.corpus.vocabulary.len(), device)
    }

    fn records(&self, part: Part) -> usize {
        self.windows(part).count()
    }

    fn loss(&self, model: &LanguageModel, batch: Batch<'_>) -> Tensor<1> {
        self.loss_to_learn_from(model, &Tangents::none(), batch).value
    }

    fn loss_on_duals(
        &self,
        model: &LanguageModel,
        at: &Tangents,
        batch: Batch<'_>,
    ) -> Option<Dual<1>> {
        Some(self.loss_to_learn_from(model, at, batch))
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::loss(), Metric::new("perplexity", Direction::Lower, Range::AtLeastOne)]
    }

    fn measure(&self, model: &LanguageModel, batch: Batch<'_>) -> Vec<f64> {
        let loss = |chunk: Batch<'_>| {
            let loss = self.dual_loss(model, &Tangents::none(), chunk, false);
            loss.value.into_scalar::<f64>() * chunk.records.len() as f64
        };
        let sum: f64 = batch.chunks(AT_ONCE).map(loss).sum();
        figures(sum / batch.records.len() as f64)
    }

    fn ranked_by(&self) -> usize {
        PERPLEXITY
    }

    fn baseline(&self) -> Option<Baseline> {
        let unigram = Unigram::new(&self.corpus.train, self.corpus.vocabulary.len());
        let of = |part| figures(unigram.loss(self.windows(part))).into_iter().map(Some).collect();
        Some(Baseline {
            name: "frequencies of single tokens, each counted once more".to_string(),
            validation: of(Part::Validation),
            test: of(Part::Test),
        })
    }

    fn fingerprint(&self) -> String {
        let Corpus { vocabulary, train, validation, test } = &self.corpus;
        let hash = texts(vocabulary).fold(Fingerprint::new(), |hash, token| hash.text(token));
        let bytes =
            |part: &Vec<u32>| part.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<u8>>();
        [train, validation, test]
            .into_iter()
            .fold(hash, |hash, part| hash.bytes(&bytes(part)))
            .text(&self.entry.window.to_string())
            .finish()
    }

    fn batch_size(&self) -> usize {
        self.entry.batch_size
    }

    fn rows_per_record(&self) -> usize {
        self.entry.window
    }

    fn epochs(&self) -> f64 {
        self.entry.epochs
    }

    fn data(&self) -> Vec<String> {
        let Corpus { vocabulary, train, validation, test } = &self.corpus;
        let [train, validation, test] = [train, validation, test].map(Vec::len);
        vec![format!(
            "{} different tokens; {train} to learn from, {validation} for validation, {test} for the test",
            vocabulary.len()
        )]
    }
}

/// The tokens of a vocabulary in their order.
fn texts(vocabulary: &Vocabulary) -> impl Iterator<Item = &str> {
    (0..vocabulary.len() as u32).map(|id| vocabulary.token(id))
}

/// The metrics of a mean loss.
fn figures(loss: f64) -> Vec<f64> {
    vec![loss, loss.exp()]
}
