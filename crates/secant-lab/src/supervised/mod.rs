//! Problems of records: a network that gives each its class, or its number, or the record again.

mod augmentation;
mod baseline;
mod catalogue;
mod classes;
mod inputs;
mod numbers;
mod prediction;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod two_classes;

use std::{fmt, str::FromStr};

use burn::tensor::{Device, Int, Tensor, TensorData};
use secant::dual::{Dual, Tangents};
use secant_data::{Dataset, Description, Numbers, Splits, TableEncoding, Targets};

pub use augmentation::Augmentation;
pub use catalogue::{CATALOGUE, CatalogueEntry, DEFAULT_PROBLEM, UnknownProblem, load};
pub(crate) use prediction::RECIPE;
pub use prediction::{Prediction, Predictions, predict};
pub use table::{TableModel, TableSource, load_table};

use crate::{
    Baseline, Batch, Metric, Part, Problem,
    network::{Network, NetworkConfig},
    problem::AT_ONCE,
};
use classes::Classes;
use numbers::Scale;

/// How much each class counts in the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClassWeights {
    /// Every record the same.
    #[default]
    None,
    /// Every class the same: a record counts by the inverse of its class's share.
    Balanced,
}

impl FromStr for ClassWeights {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "balanced" => Ok(Self::Balanced),
            _ => Err("the class weights are none and balanced".to_string()),
        }
    }
}

/// Records with a network for them.
#[derive(Clone, Debug)]
pub struct Supervised {
    /// Such as `fashion-mnist/cnn`.
    pub name: String,
    /// One sentence about data and network; that of the loss is added.
    pub description: String,
    /// The records.
    pub splits: Splits,
    /// The network.
    pub network: NetworkConfig,
    /// Records in a batch, unless the user says otherwise.
    pub batch_size: usize,
    /// Passes over the training records, unless the user says otherwise.
    pub epochs: f64,
    /// Final runs of every method, unless the user says otherwise.
    pub seeds: usize,
    /// What is done to the training images of each batch, where anything is.
    pub augmentation: Option<Augmentation>,
    /// The value of the ranking metric that counts as reached, where it is known beforehand.
    pub target: Option<f64>,
    /// What the data were: one line each.
    pub data: Vec<String>,
    /// What a reader should know of the data, one sentence each.
    pub data_warnings: Vec<String>,
    /// What tells these data from all others.
    pub fingerprint: String,
    /// How other tables become inputs in the same way, where the records are of a table.
    pub encoding: Option<TableEncoding>,
    task: Task,
}

/// What the network's outputs are held against.
#[derive(Clone, Debug)]
enum Task {
    Classes(Classes),
    Numbers(Scale),
    /// The inputs themselves, which are from 0 to 1; targets are not looked at.
    Inputs,
}

impl Task {
    /// An autoencoder is to give its inputs back; for other networks the targets decide.
    fn new(targets: &Targets, network: &NetworkConfig, weights: ClassWeights) -> Self {
        match (network, targets) {
            (NetworkConfig::Autoencoder, _) => Self::Inputs,
            (_, Targets::Classes { labels, names }) => {
                Self::Classes(Classes::new(labels, names, weights))
            }
            (_, Targets::Numbers(values)) => Self::Numbers(Scale::of(values)),
        }
    }
}

impl Supervised {
    /// A problem of these records; with the rest as it is for small tables.
    pub fn new(
        name: String,
        splits: Splits,
        network: NetworkConfig,
        weights: ClassWeights,
    ) -> Self {
        let task = Task::new(&splits.train.targets, &network, weights);
        let data_warnings = match task {
            Task::Inputs => Vec::new(),
            _ => secant_data::rare_classes(&splits),
        };
        Self {
            description: name.clone(),
            name,
            network,
            batch_size: 64.min(splits.train.len()),
            epochs: 10.0,
            seeds: 5,
            augmentation: None,
            target: None,
            data: Vec::new(),
            data_warnings,
            fingerprint: secant_data::fingerprint(&splits),
            splits,
            encoding: None,
            task,
        }
    }

    /// The same with what a reader of files found out.
    fn described(self, description: &Description) -> Self {
        let data = description.to_string().lines().map(str::to_owned).collect();
        Self { data, data_warnings: description.warnings.clone(), ..self }
    }

    /// Whether its records have classes.
    pub fn has_classes(&self) -> bool {
        matches!(self.task, Task::Classes(_))
    }

    fn part(&self, part: Part) -> &Dataset {
        match part {
            Part::Train => &self.splits.train,
            Part::Validation => &self.splits.validation,
            Part::Test => &self.splits.test,
        }
    }

    /// The inputs `[records, features]` of a batch: the same tensor whenever it is the same batch.
    pub fn inputs(&self, batch: Batch<'_>) -> Tensor<2> {
        let data = self.part(batch.part);
        let width = data.record_len();
        let shape = [batch.records.len(), width];
        let inputs = data.features.select(batch.records, width);
        let inputs = match (&self.augmentation, batch.part) {
            (Some(augmentation), Part::Train) => {
                augmentation.apply(&inputs, &data.record_shape, batch.seed())
            }
            _ => inputs,
        };
        match inputs {
            Numbers::F32(values) => batch.tensor(values, shape),
            Numbers::F64(values) => batch.tensor(values, shape),
        }
    }

    /// The outputs of the network for a batch, and their loss.
    fn dual_loss(&self, network: &Network, at: &Tangents, batch: Batch<'_>) -> Dual<1> {
        let inputs = self.inputs(batch);
        let outputs = at.output(network.forward(at, inputs.clone()));
        let count = batch.records.len();
        match (&self.task, &self.part(batch.part).targets) {
            (Task::Classes(classes), Targets::Classes { labels, .. }) => {
                let labels: Vec<u32> = batch.records.iter().map(|&r| labels[r]).collect();
                let places: Vec<i64> = labels.iter().map(|&label| i64::from(label)).collect();
                let places = TensorData::new(places, [count, 1]);
                let places = Tensor::<2, Int>::from_data(places, batch.device);
                let chosen = outputs.log_softmax(1).gather(1, places);
                match classes.weights_of(&labels) {
                    None => -chosen.mean(),
                    Some(weights) => -(chosen * batch.tensor(weights, [count, 1])).mean(),
                }
            }
            (Task::Numbers(scale), Targets::Numbers(values)) => {
                let targets: Vec<f64> =
                    batch.records.iter().map(|&r| scale.scaled(values[r])).collect();
                outputs.mse(batch.tensor(targets, [count, 1]))
            }
            (Task::Inputs, _) => outputs.mse(inputs),
            // All parts of a problem have targets of one kind.
            _ => outputs.mse(batch.tensor(vec![f64::NAN; count], [count, 1])),
        }
    }
}

/// How many outputs a network for these records has.
fn outputs(splits: &Splits) -> usize {
    match &splits.train.targets {
        Targets::Classes { names, .. } => names.len(),
        Targets::Numbers(_) => 1,
    }
}

impl Problem for Supervised {
    type Model = Network;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn description(&self) -> String {
        let loss = match &self.task {
            Task::Classes(classes) if classes.is_weighted() => {
                "softmax cross-entropy, every class with the same weight"
            }
            Task::Classes(_) => "softmax cross-entropy",
            Task::Numbers(_) => "mean squared error of the standardised target",
            Task::Inputs => "mean squared error of the inputs as the network gives them back",
        };
        let augmentation = self.augmentation.as_ref().map_or_else(String::new, |augmentation| {
            let padding = augmentation.padding;
            format!("; training images moved by up to {padding} pixels, and half of them mirrored")
        });
        format!("{}{augmentation}; {loss}.", self.description)
    }

    fn model(&self, _: u64, device: &Device) -> Network {
        self.network.init(device)
    }

    fn records(&self, part: Part) -> usize {
        self.part(part).len()
    }

    fn loss(&self, network: &Network, batch: Batch<'_>) -> Tensor<1> {
        self.dual_loss(network, &Tangents::none(), batch).value
    }

    fn loss_on_duals(&self, network: &Network, at: &Tangents, batch: Batch<'_>) -> Option<Dual<1>> {
        Some(self.dual_loss(network, at, batch))
    }

    fn metrics(&self) -> Vec<Metric> {
        match &self.task {
            Task::Classes(classes) => classes.metrics(),
            Task::Numbers(_) => numbers::metrics(),
            Task::Inputs => inputs::metrics(),
        }
    }

    fn measure(&self, network: &Network, batch: Batch<'_>) -> Vec<f64> {
        let mut outputs = Vec::new();
        for chunk in batch.chunks(AT_ONCE) {
            let of_chunk = network.forward(&Tangents::none(), self.inputs(chunk)).value;
            outputs.extend(of_chunk.into_data().iter::<f64>());
        }
        let data = self.part(batch.part);
        match (&self.task, &data.targets) {
            (Task::Classes(classes), Targets::Classes { labels, .. }) => {
                let labels: Vec<u32> = batch.records.iter().map(|&r| labels[r]).collect();
                classes.measure(&outputs, &labels)
            }
            (Task::Numbers(scale), Targets::Numbers(values)) => {
                let values: Vec<f64> = batch.records.iter().map(|&r| values[r]).collect();
                scale.measure(&outputs, &values)
            }
            (Task::Inputs, _) => {
                inputs::measure(&outputs, &data.features.select(batch.records, data.record_len()))
            }
            // All parts of a problem have targets of one kind.
            _ => vec![f64::NAN; self.metrics().len()],
        }
    }

    fn ranked_by(&self) -> usize {
        match &self.task {
            Task::Classes(classes) => classes.ranked_by(),
            Task::Numbers(_) => numbers::RANKED_BY,
            Task::Inputs => inputs::RANKED_BY,
        }
    }

    fn baseline(&self) -> Option<Baseline> {
        Some(baseline::of(self))
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn epochs(&self) -> f64 {
        self.epochs
    }

    fn seeds(&self) -> usize {
        self.seeds
    }

    fn target(&self) -> Option<f64> {
        self.target
    }

    fn data(&self) -> Vec<String> {
        self.data.clone()
    }

    fn data_warnings(&self) -> Vec<String> {
        self.data_warnings.clone()
    }
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Balanced => "balanced",
        })
    }
}
