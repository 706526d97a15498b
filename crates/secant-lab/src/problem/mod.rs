//! What optimizers can be compared on: records, a model, a loss, and what the model is judged by.

use burn::{
    module::Module,
    tensor::{DType, Device, Element, Tensor, TensorData},
};
use secant::dual::{Dual, Tangents};
use secant_core::rng::SplitMix64;

use crate::Metric;

/// One of the three parts of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Records to learn from.
    Train,
    /// Records to choose settings by, and to watch a run by.
    Validation,
    /// Records for the final figures; nothing is chosen by them.
    Test,
}

/// Some records of a part, and the tensors that they become.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The part.
    pub part: Part,
    /// The numbers of the records in their part.
    pub records: &'a [usize],
    /// Where tensors go.
    pub device: &'a Device,
    /// The number type of tensors.
    pub dtype: DType,
}

impl<'a> Batch<'a> {
    /// The records in batches of at most `size`.
    pub fn chunks(self, size: usize) -> impl Iterator<Item = Batch<'a>> {
        self.records.chunks(size).map(move |records| Batch { records, ..self })
    }

    /// A number that depends on nothing but the records in their order, for what is drawn in a loss, such as
    /// masks: so a batch is one function to an optimizer, however often a step evaluates it, and records meet
    /// other draws in the next epoch, whose batches are others.
    pub fn seed(&self) -> u64 {
        let next = |hash: u64, record: &usize| SplitMix64::new(hash ^ *record as u64).next_u64();
        self.records.iter().fold(self.records.len() as u64, next)
    }

    /// A tensor of these numbers, the last dimension running fastest, of the batch's number type and on its
    /// device.
    ///
    /// # Panics
    /// If there are more or fewer numbers than the shape has places.
    pub fn tensor<const D: usize, E: Element>(
        &self,
        numbers: Vec<E>,
        shape: [usize; D],
    ) -> Tensor<D> {
        let data = TensorData::new(numbers, shape).convert_dtype(self.dtype);
        Tensor::from_data(data, (self.device, self.dtype))
    }
}

/// What reaches the figures of a [`Problem`] without training.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// Such as `always the class 0`.
    pub name: String,
    /// The metrics on the validation records; `None` where one is not defined.
    pub validation: Vec<Option<f64>>,
    /// The same on the test records.
    pub test: Vec<Option<f64>>,
}

/// Records, a model for them, its loss and its metrics.
///
/// Only [`name`](Self::name), [`model`](Self::model), [`records`](Self::records), [`loss`](Self::loss) and
/// [`fingerprint`](Self::fingerprint) must be written; the metric is then the loss.
pub trait Problem: Sync {
    /// The model.
    type Model: Module + 'static;

    /// A short name, such as `wine/mlp`.
    fn name(&self) -> String;

    /// One sentence about data, model and loss.
    fn description(&self) -> String {
        format!("{}.", self.name())
    }

    /// A new model on `device`. Burn's generator has been started from `seed`, so `init` draws from it.
    fn model(&self, seed: u64, device: &Device) -> Self::Model;

    /// How many records a part has.
    fn records(&self, part: Part) -> usize;

    /// The mean loss of the records, a tensor of one number.
    fn loss(&self, model: &Self::Model, batch: Batch<'_>) -> Tensor<1>;

    /// The same loss on duals, for exact Hessian products; mark what the network gives by
    /// [`Tangents::output`], for Gauss-Newton products too. Without it, methods that need products take
    /// differences of gradients, which are right on smooth models only and refused on others.
    fn loss_on_duals(&self, _: &Self::Model, _: &Tangents, _: Batch<'_>) -> Option<Dual<1>> {
        None
    }

    /// What [`measure`](Self::measure) gives, in its order; the first is the loss.
    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::loss()]
    }

    /// The metrics of the model, without autodiff, on these records.
    fn measure(&self, model: &Self::Model, batch: Batch<'_>) -> Vec<f64> {
        let sum: f64 = batch
            .chunks(AT_ONCE)
            .map(|chunk| self.loss(model, chunk).into_scalar::<f64>() * chunk.records.len() as f64)
            .sum();
        vec![sum / batch.records.len() as f64]
    }

    /// The metric that ranks methods unless the user says otherwise: its place in
    /// [`metrics`](Self::metrics).
    fn ranked_by(&self) -> usize {
        0
    }

    /// What needs no training, if there is such a thing; a method that is no better is no winner.
    fn baseline(&self) -> Option<Baseline> {
        None
    }

    /// What tells these records from all others, such as their [`Fingerprint`](crate::Fingerprint).
    fn fingerprint(&self) -> String;

    /// Records in a batch unless the user says otherwise.
    fn batch_size(&self) -> usize {
        self.records(Part::Train).min(32)
    }

    /// How often a record passes through a dense layer: once, in a model of sequences once for each item.
    fn rows_per_record(&self) -> usize {
        1
    }

    /// Passes over the training records, of a method with one gradient a step, unless the user says
    /// otherwise.
    fn epochs(&self) -> f64 {
        10.0
    }

    /// Final runs of every method, each from another seed, unless the user says otherwise: more where they are
    /// cheap.
    fn seeds(&self) -> usize {
        5
    }

    /// The value of the ranking metric that counts as "reached the target"; chosen from the tuning trials
    /// where there is none.
    fn target(&self) -> Option<f64> {
        None
    }

    /// What the data are, for the report: one line each.
    fn data(&self) -> Vec<String> {
        Vec::new()
    }

    /// What a reader should know of the data, one sentence each.
    fn data_warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Records that are evaluated at once.
pub(crate) const AT_ONCE: usize = 500;
