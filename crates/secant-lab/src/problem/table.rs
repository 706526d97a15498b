//! Problems from the user's own CSV and LIBSVM files.

use std::path::Path;

use secant_data::{DataError, Fractions, csv, libsvm};

use super::Problem;
use crate::model::NetworkConfig;

/// A file of the user's.
#[derive(Clone, Copy, Debug)]
pub enum TableSource<'a> {
    /// A CSV file and its target column.
    Csv {
        /// The file.
        path: &'a Path,
        /// The column's name, or its number from 1.
        target: &'a str,
    },
    /// A LIBSVM file.
    Libsvm(&'a Path),
}

/// The network for a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TableModel {
    /// One linear layer
    Logistic,
    /// Two hidden layers of 64 units
    Mlp,
}

const FRACTIONS: Fractions = Fractions { validation: 0.15, test: 0.2 };
const SPLIT_SEED: u64 = 0;

/// The problem of a file.
///
/// # Errors
/// The file cannot be read, or is no classification problem.
pub fn load_table(source: TableSource<'_>, model: TableModel) -> Result<Problem, DataError> {
    let (path, splits) = match source {
        TableSource::Csv { path, target } => {
            (path, csv::load(path, target, FRACTIONS, SPLIT_SEED)?)
        }
        TableSource::Libsvm(path) => (path, libsvm::load(path, FRACTIONS, SPLIT_SEED)?),
    };
    let (inputs, classes) = (splits.train.record_len(), splits.train.classes.len());
    let (widths, model_name) = match model {
        TableModel::Logistic => (vec![inputs, classes], "logistic regression".to_string()),
        TableModel::Mlp => {
            (vec![inputs, 64, 64, classes], format!("perceptron {inputs}-64-64-{classes}"))
        }
    };
    let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    let kind = if model == TableModel::Logistic { "logistic" } else { "mlp" };
    let records = splits.train.len();
    Ok(Problem {
        name: format!("{stem}/{kind}"),
        description: format!(
            "{} with {inputs} inputs and {classes} classes; {model_name}; softmax cross-entropy.",
            path.display()
        ),
        network: NetworkConfig::Perceptron(widths),
        splits,
        batch_size: 64.min(records),
        // About 2,000 steps, however many records there are.
        epochs: (2_000 * 64 / records.max(1)).clamp(3, 50),
        target_accuracy: None,
    })
}
