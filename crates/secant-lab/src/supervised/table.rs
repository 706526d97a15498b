//! Problems from the user's own tables and LIBSVM files.

use std::{path::Path, str::FromStr};

use secant_data::{DataError, Fractions, Loaded, TableEncoding, TableOptions, Targets};

use super::{ClassWeights, Supervised, outputs};
use crate::{Fingerprint, network::NetworkConfig};

/// A file of the user's.
#[derive(Clone, Copy, Debug)]
pub enum TableSource<'a> {
    /// A table in text: CSV, TSV, ARFF and the like; `-` is standard input.
    Table(&'a Path),
    /// A LIBSVM file; a file of the same name and `.t` beside it is the test part.
    Libsvm(&'a Path),
}

/// The network for a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableModel {
    /// One linear layer.
    Logistic,
    /// Two hidden layers of 64 units.
    #[default]
    Mlp,
}

impl FromStr for TableModel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "logistic" | "linear" => Ok(Self::Logistic),
            "mlp" => Ok(Self::Mlp),
            _ => Err("the models are logistic (or linear) and mlp".to_string()),
        }
    }
}

const FRACTIONS: Fractions = Fractions { validation: 0.15, test: 0.2 };
const SPLIT_SEED: u64 = 0;

/// The problem of a file.
///
/// # Errors
/// The file cannot be read, or is no problem.
pub fn load_table(
    source: TableSource<'_>,
    options: &TableOptions,
    model: TableModel,
    weights: ClassWeights,
) -> Result<Supervised, DataError> {
    let (path, loaded) = match source {
        TableSource::Table(path) => {
            (path, secant_data::load_table(path, options, FRACTIONS, SPLIT_SEED)?)
        }
        TableSource::Libsvm(path) => {
            let (task, precision) = (options.task, options.precision);
            (path, secant_data::load_libsvm(path, task, precision, FRACTIONS, SPLIT_SEED)?)
        }
    };
    let Loaded { splits, description, encoding } = loaded;
    let (inputs, outputs) = (splits.train.record_len(), outputs(&splits));
    let is_regression = matches!(splits.train.targets, Targets::Numbers(_));
    let (widths, kind, model) = match (model, is_regression) {
        (TableModel::Logistic, true) => {
            (vec![inputs, 1], "linear", "linear regression".to_string())
        }
        (TableModel::Logistic, false) => {
            (vec![inputs, outputs], "logistic", "logistic regression".to_string())
        }
        (TableModel::Mlp, _) => {
            let text = format!("perceptron {inputs}-64-64-{outputs}");
            (vec![inputs, 64, 64, outputs], "mlp", text)
        }
    };
    let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    let records = splits.train.len();
    let what = if is_regression {
        "a number to foretell".to_string()
    } else {
        format!("{outputs} classes")
    };
    let network = NetworkConfig::Perceptron(widths);
    let problem = Supervised::new(format!("{stem}/{kind}"), splits, network, weights);
    let described = problem.described(&description);
    let fingerprint = with_texts(&described.fingerprint, &encoding, &description.warnings);
    Ok(Supervised {
        fingerprint,
        description: format!("{} with {inputs} inputs and {what}; {model}", path.display()),
        batch_size: 64.min(records),
        epochs: steps_in_epochs(2_000, 64, records),
        encoding,
        ..described
    })
}

/// What tells a table from others with the same numbers: the names of its columns, the texts in them, and what was
/// odd about it. A LIBSVM file has none of these.
fn with_texts(records: &str, encoding: &Option<TableEncoding>, warnings: &[String]) -> String {
    let Some(encoding) = encoding else { return records.to_owned() };
    let columns = serde_json::to_string(encoding).unwrap_or_default();
    Fingerprint::new().text(records).text(&columns).text(&warnings.join("\n")).finish()
}

/// About so many steps, however many records there are; not fewer than 3 and not more than 50 epochs.
pub(super) fn steps_in_epochs(steps: usize, batch_size: usize, records: usize) -> f64 {
    ((steps * batch_size / records.max(1)) as f64).clamp(3.0, 50.0)
}
