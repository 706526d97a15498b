//! The problems known by name.

use std::{borrow::Cow, path::Path, sync::LazyLock};

use thiserror::Error;

use secant_data::{
    DataError, Fractions, Splits, cifar, digits,
    imbalanced::{IMBALANCED, ImbalancedSet},
    locate,
};

use super::Problem;
use crate::model::{ConvolutionalConfig, NetworkConfig};

/// A problem known by name.
#[derive(Debug)]
pub struct CatalogueEntry {
    /// The name.
    pub name: Cow<'static, str>,
    /// One line about it.
    pub line: Cow<'static, str>,
    data: Data,
    network: fn(inputs: usize, classes: usize) -> NetworkConfig,
    batch_size: usize,
    epochs: usize,
    /// Derived from the tuning runs where there is none.
    target_accuracy: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
enum Data {
    Digits,
    Named(&'static str),
    /// CIFAR-10 as the EPFL study has it.
    StudyCifar,
    Imbalanced(&'static ImbalancedSet),
}

/// No problem has this name.
#[derive(Debug, Error)]
#[error(
    "there is no problem `{name}`; known are {known}, those of `secant problems` that begin with imbalanced/, and any CSV or LIBSVM file by --csv or --libsvm"
)]
pub struct UnknownProblem {
    name: String,
    known: String,
}

/// The name of the problem that is compared on unless told otherwise.
pub const DEFAULT_PROBLEM: &str = "digits/cnn";

/// All problems known by name.
pub static CATALOGUE: LazyLock<Vec<CatalogueEntry>> = LazyLock::new(|| {
    let mut entries = Vec::from(pictures());
    entries.extend(IMBALANCED.iter().map(imbalanced));
    entries
});

fn pictures() -> [CatalogueEntry; 9] {
    [
        CatalogueEntry {
            name: Cow::Borrowed("digits/cnn"),
            line: Cow::Borrowed(
                "Drawn digits, 16 x 16, embedded; convolutional network, 18,346 parameters",
            ),
            data: Data::Digits,
            network: digits_cnn,
            batch_size: 64,
            epochs: 8,
            target_accuracy: Some(0.95),
        },
        CatalogueEntry {
            name: Cow::Borrowed("digits/mlp"),
            line: Cow::Borrowed("Drawn digits, 16 x 16, embedded; perceptron 256-64-64-10"),
            data: Data::Digits,
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, 64, 64, classes]),
            batch_size: 64,
            epochs: 10,
            target_accuracy: Some(0.9),
        },
        CatalogueEntry {
            name: Cow::Borrowed("digits/logistic"),
            line: Cow::Borrowed("Drawn digits, 16 x 16, embedded; logistic regression"),
            data: Data::Digits,
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, classes]),
            batch_size: 64,
            epochs: 10,
            target_accuracy: Some(0.8),
        },
        CatalogueEntry {
            name: Cow::Borrowed("mnist/cnn"),
            line: Cow::Borrowed("MNIST; the classifier of the Quasi-Adam paper, 44,426 parameters"),
            data: Data::Named("mnist"),
            network: paper_cnn,
            batch_size: 256,
            epochs: 5,
            target_accuracy: Some(0.98),
        },
        CatalogueEntry {
            name: Cow::Borrowed("mnist/mlp"),
            line: Cow::Borrowed("MNIST; perceptron 784-64-64-10"),
            data: Data::Named("mnist"),
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, 64, 64, classes]),
            batch_size: 256,
            epochs: 10,
            target_accuracy: Some(0.96),
        },
        CatalogueEntry {
            name: Cow::Borrowed("mnist/net-dnn"),
            line: Cow::Borrowed(
                "MNIST; NetDNN as the MB-LSR1 paper may mean it, 59,946 parameters",
            ),
            data: Data::Named("mnist"),
            network: net_dnn,
            batch_size: 256,
            epochs: 5,
            target_accuracy: Some(0.98),
        },
        CatalogueEntry {
            name: Cow::Borrowed("fashion-mnist/cnn"),
            line: Cow::Borrowed(
                "Fashion-MNIST; the classifier of the Quasi-Adam paper, 44,426 parameters",
            ),
            data: Data::Named("fashion-mnist"),
            network: paper_cnn,
            batch_size: 256,
            epochs: 5,
            target_accuracy: Some(0.87),
        },
        CatalogueEntry {
            name: Cow::Borrowed("fashion-mnist/mlp"),
            line: Cow::Borrowed("Fashion-MNIST; perceptron 784-64-64-10"),
            data: Data::Named("fashion-mnist"),
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, 64, 64, classes]),
            batch_size: 256,
            epochs: 10,
            target_accuracy: Some(0.86),
        },
        CatalogueEntry {
            name: Cow::Borrowed("cifar-10/study"),
            line: Cow::Borrowed(
                "CIFAR-10; the network and the split of the EPFL study, 413,882 parameters",
            ),
            data: Data::StudyCifar,
            network: study_cnn,
            batch_size: 256,
            epochs: 5,
            target_accuracy: Some(0.5),
        },
    ]
}

/// A set of the imbalanced collection with the network of the MB-LSR1 paper.
fn imbalanced(set: &'static ImbalancedSet) -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Owned(format!("imbalanced/{}", set.name)),
        line: Cow::Owned(format!("{}; perceptron with 50 tanh units", set.line)),
        data: Data::Imbalanced(set),
        network: |inputs, classes| NetworkConfig::TanhPerceptron(vec![inputs, 50, classes]),
        batch_size: 32,
        // About 2,000 steps, however many records there are.
        epochs: (2_000 * 32 / set.counts.records).clamp(3, 50),
        target_accuracy: None,
    }
}

fn digits_cnn(_: usize, classes: usize) -> NetworkConfig {
    NetworkConfig::Convolutional(ConvolutionalConfig {
        image: [1, digits::SIDE, digits::SIDE],
        channels: [8, 16],
        kernel: 3,
        padding: 1,
        hidden: vec![64],
        classes,
    })
}

/// Two convolutions of 5 x 5 without padding, each followed by pooling and ReLU, and fully connected
/// layers.
fn cnn(image: [usize; 3], channels: [usize; 2], hidden: &[usize], classes: usize) -> NetworkConfig {
    let (kernel, padding, hidden) = (5, 0, hidden.to_vec());
    let config = ConvolutionalConfig { image, channels, kernel, padding, hidden, classes };
    NetworkConfig::Convolutional(config)
}

/// The classifier of the Quasi-Adam paper.
fn paper_cnn(_: usize, classes: usize) -> NetworkConfig {
    cnn([1, 28, 28], [6, 16], &[120, 84], classes)
}

/// The network of the EPFL study.
fn study_cnn(_: usize, classes: usize) -> NetworkConfig {
    cnn([3, 32, 32], [6, 16], &[1000], classes)
}

/// NetDNN; its paper names 4 layers and 59.9 thousand parameters and no more.
fn net_dnn(_: usize, classes: usize) -> NetworkConfig {
    cnn([1, 28, 28], [32, 32], &[64], classes)
}

/// Validation records of a named data set, as a part of its training records.
const VALIDATION: f64 = 1.0 / 12.0;

/// The shares of the imbalanced collection's records that are kept out of training.
const IMBALANCED_FRACTIONS: Fractions = Fractions { validation: 0.2, test: 0.2 };

/// The split and the drawing of digits do not depend on a run's seed.
const DATA_SEED: u64 = 0;

impl CatalogueEntry {
    /// The problem called `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<&'static Self, UnknownProblem> {
        CATALOGUE.iter().find(|entry| entry.name == name).ok_or_else(|| {
            let of_pictures = CATALOGUE.iter().filter(|entry| !entry.is_imbalanced());
            let known: Vec<&str> = of_pictures.map(|entry| &*entry.name).collect();
            UnknownProblem { name: name.to_string(), known: known.join(", ") }
        })
    }

    /// The network for records of this many inputs and classes.
    pub fn network(&self, inputs: usize, classes: usize) -> NetworkConfig {
        (self.network)(inputs, classes)
    }

    fn is_imbalanced(&self) -> bool {
        matches!(self.data, Data::Imbalanced(_))
    }
}

/// The problem with its data; the files are looked for in `data_dir`.
///
/// # Errors
/// The files are not there or not right.
pub fn load(entry: &CatalogueEntry, data_dir: &Path) -> Result<Problem, DataError> {
    let mut splits: Splits = match entry.data {
        Data::Digits => digits::splits(DATA_SEED),
        Data::Named(set) => locate::named(set)?.load(data_dir, VALIDATION, DATA_SEED)?,
        Data::StudyCifar => {
            let set = locate::named("cifar-10")?;
            cifar::load_as_studied(&data_dir.join(set.name), &set.classes)?
        }
        Data::Imbalanced(set) => set.load(data_dir, IMBALANCED_FRACTIONS, DATA_SEED)?,
    };
    match entry.data {
        Data::StudyCifar => splits.standardize_by(cifar::STUDY),
        Data::Digits | Data::Named(_) => {
            splits.standardize();
        }
        // Columns are standardised one by one as they are read.
        Data::Imbalanced(_) => {}
    }
    let (inputs, classes) = (splits.train.record_len(), splits.train.classes.len());
    Ok(Problem {
        name: entry.name.to_string(),
        description: format!("{}; softmax cross-entropy.", entry.line),
        network: entry.network(inputs, classes),
        splits,
        batch_size: entry.batch_size,
        epochs: entry.epochs,
        target_accuracy: entry.target_accuracy,
    })
}
