//! What can be compared: data, a network, and sensible sizes.

mod catalogue;
mod table;

use burn::tensor::DType;

use secant_data::Splits;

use crate::model::NetworkConfig;

pub use catalogue::{CATALOGUE, CatalogueEntry, DEFAULT_PROBLEM, UnknownProblem, load};
pub use table::{TableModel, TableSource, load_table};

/// Data, a network for it, and sensible sizes.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Such as `fashion-mnist/cnn`.
    pub name: String,
    /// One sentence about data, model and loss.
    pub description: String,
    /// The records.
    pub splits: Splits,
    /// The network.
    pub network: NetworkConfig,
    /// Records in a batch, unless the user says otherwise.
    pub batch_size: usize,
    /// Passes over the training records, unless the user says otherwise.
    pub epochs: usize,
    /// The validation accuracy that counts as "reached the target"; derived from the tuning runs
    /// where there is none.
    pub target_accuracy: Option<f64>,
}

/// The number type of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Precision {
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

impl Precision {
    /// Burn's name for it.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F64 => DType::F64,
        }
    }

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }
}
