//! What a model that was trained on a table says of the records of another table.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use secant::dual::Tangents;
use secant_data::{Header, Numbers, Precision, TableEncoding};
use serde::{Deserialize, Serialize};

use super::{Supervised, Task, classes::largest_of, numbers::Scale};
use crate::{
    TrainingError,
    model_file::ModelFile,
    network::NetworkConfig,
    precision::{drawn, dtype},
    problem::AT_ONCE,
    store::export::csv::line,
};

/// What a model's file must say so that the model can be used on other tables.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Recipe {
    columns: TableEncoding,
    /// The widths of the perceptron's layers.
    widths: Vec<usize>,
    precision: String,
    target: Target,
}

/// What the outputs mean.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Target {
    /// Logits of these classes.
    Classes(Vec<String>),
    /// A number, standardised.
    Number { mean: f64, deviation: f64 },
}

/// The name of the recipe in a model's file.
pub(crate) const RECIPE: &str = "table";

/// What a model says of the records of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// The classes; none where a number is foretold.
    pub classes: Vec<String>,
    /// One entry a record, in the table's order.
    pub records: Vec<Prediction>,
    /// What a reader should know of the table, one sentence each.
    pub warnings: Vec<String>,
}

/// What a model says of one record.
#[derive(Clone, Debug, PartialEq)]
pub enum Prediction {
    /// The place of the most probable class, and the probability of each.
    Class(usize, Vec<f64>),
    /// The number, in the target's unit.
    Number(f64),
}

/// What the model in `model`, which was trained on a table, says of the records of `table` (`-`: standard
/// input). Columns are found by their names, and encoded as in training.
///
/// # Errors
/// A file that cannot be read, a model that is of no table, or a table that lacks a column of it.
pub fn predict(model: &Path, table: &Path, header: Header) -> Result<Predictions, TrainingError> {
    let file = ModelFile::read(model)?;
    let Some(recipe) = file.note(RECIPE)? else {
        return Err(TrainingError::NoTable { path: model.to_owned() });
    };
    let recipe: Recipe =
        serde_json::from_str(&recipe).map_err(|reason| file.fault(reason.to_string()))?;
    let precision: Precision =
        recipe.precision.parse().map_err(|reason| file.fault(format!("{reason}")))?;
    let device = Device::default();
    let network = NetworkConfig::Perceptron(recipe.widths.clone());
    let network = file.load_into(drawn(0, precision, &device, || network.init(&device)))?;
    let encoded = recipe.columns.read(table, header, precision)?;
    let width = recipe.columns.width();
    let rows: Vec<usize> = (0..encoded.records).collect();
    let mut records = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(AT_ONCE) {
        let data = match encoded.features.select(chunk, width) {
            Numbers::F32(values) => TensorData::new(values, [chunk.len(), width]),
            Numbers::F64(values) => TensorData::new(values, [chunk.len(), width]),
        };
        let inputs = Tensor::<2>::from_data(data, (&device, dtype(precision)));
        let outputs = network.forward(&Tangents::none(), inputs).value.into_data();
        let outputs: Vec<f64> = outputs.iter::<f64>().collect();
        let per_record = outputs.len() / chunk.len();
        records.extend(outputs.chunks(per_record).map(|outputs| recipe.target.of(outputs)));
    }
    Ok(Predictions { classes: recipe.target.classes(), records, warnings: encoded.warnings })
}

impl Predictions {
    /// As CSV: the prediction of each record and, for classes, the probability of each.
    pub fn csv(&self) -> String {
        let mut header = vec!["prediction".to_string()];
        header.extend(self.classes.iter().map(|class| format!("p({class})")));
        let record = |record: &Prediction| match record {
            Prediction::Number(number) => vec![number.to_string()],
            Prediction::Class(class, shares) => {
                let shares = shares.iter().map(|share| format!("{share:.6}"));
                std::iter::once(self.classes[*class].clone()).chain(shares).collect()
            }
        };
        std::iter::once(header)
            .chain(self.records.iter().map(record))
            .map(|cells| line(&cells))
            .collect()
    }
}

impl Supervised {
    /// What the file of a model for this problem must say so that [`predict`] can use it; none where the
    /// problem is not of a table.
    pub fn recipe(&self, precision: Precision) -> Option<String> {
        let columns = self.encoding.clone()?;
        let NetworkConfig::Perceptron(widths) = &self.network else { return None };
        let target = match &self.task {
            Task::Classes(classes) => Target::Classes(classes.names().to_vec()),
            Task::Numbers(Scale { mean, deviation }) => {
                Target::Number { mean: *mean, deviation: *deviation }
            }
            Task::Inputs => return None,
        };
        let (widths, precision) = (widths.clone(), precision.to_string());
        serde_json::to_string(&Recipe { columns, widths, precision, target }).ok()
    }
}

impl Target {
    fn classes(&self) -> Vec<String> {
        match self {
            Self::Classes(names) => names.clone(),
            Self::Number { .. } => Vec::new(),
        }
    }

    fn of(&self, outputs: &[f64]) -> Prediction {
        match self {
            Self::Classes(_) => Prediction::Class(largest_of(outputs), softmax(outputs)),
            Self::Number { mean, deviation } => Prediction::Number(outputs[0] * deviation + mean),
        }
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<f64> = logits.iter().map(|logit| (logit - top).exp()).collect();
    let sum: f64 = parts.iter().sum();
    parts.into_iter().map(|part| part / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_become_probabilities_or_numbers_in_the_targets_unit() {
        let classes = Target::Classes(vec!["a".into(), "b".into()]);
        let Prediction::Class(1, shares) = classes.of(&[0.0, 3f64.ln()]) else { panic!("b") };
        assert!((shares[0] - 0.25).abs() < 1e-15 && (shares[1] - 0.75).abs() < 1e-15);
        let number = Target::Number { mean: 10.0, deviation: 4.0 };
        assert_eq!(number.of(&[-0.5]), Prediction::Number(8.0));
    }

    #[test]
    fn large_logits_do_not_overflow() {
        assert_eq!(softmax(&[1e4, 0.0]), [1.0, 0.0]);
    }
}
