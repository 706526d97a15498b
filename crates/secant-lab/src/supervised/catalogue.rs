//! The problems known by name.

use std::{borrow::Cow, path::Path, sync::LazyLock};

use thiserror::Error;

use secant_core::nearest::suggestion;
use secant_data::{
    DataError, Description, Fractions, Precision, Splits, Standardization, cifar, digits, housing,
    images,
    imbalanced::{IMBALANCED, ImbalancedSet},
    locate,
};

use super::{Augmentation, ClassWeights, Supervised, outputs, table::steps_in_epochs};
use crate::network::{ConvolutionalConfig, NetworkConfig, ResidualConfig};

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
    epochs: f64,
    augmentation: Option<Augmentation>,
    /// The accuracy that counts as reached; derived from the tuning runs where there is none.
    target: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
enum Data {
    Digits,
    Named(&'static str, Scaling),
    /// CIFAR-10 as the EPFL study has it.
    StudyCifar,
    Imbalanced(&'static ImbalancedSet),
    /// House prices in California.
    Housing,
    /// A folder of images as ImageNet's.
    ImageNet,
}

/// How pixels, which run from 0 to 1, are scaled.
#[derive(Clone, Copy, Debug)]
enum Scaling {
    /// To mean 0 and deviation 1 of all training pixels.
    Standardized,
    /// Each channel by its own numbers.
    Channels(&'static [Standardization]),
    /// Not at all.
    Unit,
}

impl Scaling {
    fn apply(self, splits: &mut Splits) {
        match self {
            Self::Standardized => {
                splits.standardize();
            }
            Self::Channels(fixed) => splits.standardize_channels(fixed),
            Self::Unit => {}
        }
    }
}

/// No problem has this name.
#[derive(Debug, Error)]
#[error(
    "there is no problem `{name}` (`secant problems` lists them, and any table can be one by --csv or --libsvm); {suggestion}"
)]
pub struct UnknownProblem {
    name: String,
    suggestion: String,
}

impl UnknownProblem {
    /// For a name that is none of `known`.
    pub fn new<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Self {
        Self { name: name.to_string(), suggestion: suggestion(name, known) }
    }
}

/// The name of the problem that is compared on unless told otherwise.
pub const DEFAULT_PROBLEM: &str = "digits/cnn";

/// All problems known by name.
pub static CATALOGUE: LazyLock<Vec<CatalogueEntry>> = LazyLock::new(|| {
    let mut entries = Vec::from(pictures());
    entries.push(autoencoder("mnist", "mnist/autoencoder", "MNIST"));
    entries.push(autoencoder("fashion-mnist", "fashion-mnist/autoencoder", "Fashion-MNIST"));
    entries.extend([resnet_20(), resnet_110(), resnet_34()]);
    entries.extend([resnext_50_small(), resnext_50(), cal_housing()]);
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
            epochs: 4.0,
            augmentation: None,
            target: Some(0.95),
        },
        CatalogueEntry {
            name: Cow::Borrowed("digits/mlp"),
            line: Cow::Borrowed("Drawn digits, 16 x 16, embedded; perceptron 256-64-64-10"),
            data: Data::Digits,
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, 64, 64, classes]),
            batch_size: 64,
            epochs: 10.0,
            augmentation: None,
            target: Some(0.9),
        },
        CatalogueEntry {
            name: Cow::Borrowed("digits/logistic"),
            line: Cow::Borrowed("Drawn digits, 16 x 16, embedded; logistic regression"),
            data: Data::Digits,
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, classes]),
            batch_size: 64,
            epochs: 10.0,
            augmentation: None,
            target: Some(0.8),
        },
        CatalogueEntry {
            name: Cow::Borrowed("mnist/cnn"),
            line: Cow::Borrowed("MNIST; the classifier of the Quasi-Adam paper, 44,426 parameters"),
            data: Data::Named("mnist", Scaling::Standardized),
            network: paper_cnn,
            batch_size: 256,
            epochs: 5.0,
            augmentation: None,
            target: Some(0.98),
        },
        CatalogueEntry {
            name: Cow::Borrowed("mnist/mlp"),
            line: Cow::Borrowed("MNIST; perceptron 784-64-64-10"),
            data: Data::Named("mnist", Scaling::Standardized),
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, 64, 64, classes]),
            batch_size: 256,
            epochs: 10.0,
            augmentation: None,
            target: Some(0.96),
        },
        CatalogueEntry {
            name: Cow::Borrowed("mnist/net-dnn"),
            line: Cow::Borrowed(
                "MNIST; NetDNN as the MB-LSR1 paper may mean it, 59,946 parameters",
            ),
            data: Data::Named("mnist", Scaling::Standardized),
            network: net_dnn,
            batch_size: 256,
            epochs: 5.0,
            augmentation: None,
            target: Some(0.98),
        },
        CatalogueEntry {
            name: Cow::Borrowed("fashion-mnist/cnn"),
            line: Cow::Borrowed(
                "Fashion-MNIST; the classifier of the Quasi-Adam paper, 44,426 parameters",
            ),
            data: Data::Named("fashion-mnist", Scaling::Standardized),
            network: paper_cnn,
            batch_size: 256,
            epochs: 5.0,
            augmentation: None,
            target: Some(0.87),
        },
        CatalogueEntry {
            name: Cow::Borrowed("fashion-mnist/mlp"),
            line: Cow::Borrowed("Fashion-MNIST; perceptron 784-64-64-10"),
            data: Data::Named("fashion-mnist", Scaling::Standardized),
            network: |inputs, classes| NetworkConfig::Perceptron(vec![inputs, 64, 64, classes]),
            batch_size: 256,
            epochs: 10.0,
            augmentation: None,
            target: Some(0.86),
        },
        CatalogueEntry {
            name: Cow::Borrowed("cifar-10/study"),
            line: Cow::Borrowed(
                "CIFAR-10; the network and the split of the EPFL study, 413,882 parameters",
            ),
            data: Data::StudyCifar,
            network: study_cnn,
            batch_size: 256,
            epochs: 5.0,
            augmentation: None,
            target: Some(0.5),
        },
    ]
}

/// The images of a set, to be given back by the autoencoder of the Quasi-Adam paper.
fn autoencoder(set: &'static str, name: &'static str, title: &str) -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed(name),
        line: Cow::Owned(format!(
            "{title}; the autoencoder of the Quasi-Adam paper, 87,125 parameters"
        )),
        data: Data::Named(set, Scaling::Unit),
        network: |_, _| NetworkConfig::Autoencoder,
        batch_size: 256,
        epochs: 5.0,
        augmentation: None,
        target: None,
    }
}

fn resnet_20() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("cifar-10/resnet-20"),
        line: Cow::Borrowed("CIFAR-10; the ResNet-20 of the MB-LSR1 paper, 272,474 parameters"),
        network: |_, classes| NetworkConfig::Residual(ResidualConfig::cifar(3, classes)),
        ..resnet_110()
    }
}

/// The images as in the CIFAR-10 experiments of the Apollo paper.
fn resnet_110() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("cifar-10/resnet-110"),
        line: Cow::Borrowed("CIFAR-10; the ResNet-110 of the Apollo paper, 1,730,714 parameters"),
        data: Data::Named("cifar-10", Scaling::Channels(&cifar::APOLLO)),
        network: |_, classes| NetworkConfig::Residual(ResidualConfig::cifar(18, classes)),
        batch_size: 128,
        epochs: 5.0,
        augmentation: Some(border_of(&cifar::APOLLO)),
        target: None,
    }
}

/// The network of the Quasi-Adam author's script.
fn resnet_34() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("svhn/resnet-34"),
        line: Cow::Borrowed("SVHN; the ResNet-34 of the Quasi-Adam author, 21,282,122 parameters"),
        data: Data::Named("svhn", Scaling::Unit),
        network: |_, classes| NetworkConfig::Residual(ResidualConfig::resnet_34(classes)),
        augmentation: None,
        ..resnet_110()
    }
}

/// The network of the Apollo paper's ImageNet experiments on images that are at hand.
fn resnext_50_small() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("cifar-10/resnext-50"),
        line: Cow::Borrowed("CIFAR-10; the ResNeXt-50 of the Apollo paper, 23,000,394 parameters"),
        network: |_, classes| {
            let image = [3, 32, 32];
            NetworkConfig::Residual(ResidualConfig { image, ..ResidualConfig::resnext_50(classes) })
        },
        batch_size: 32,
        ..resnet_110()
    }
}

/// Pixels a side of ImageNet's images.
const IMAGENET_SIDE: usize = 224;

fn resnext_50() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("imagenet/resnext-50"),
        line: Cow::Borrowed(
            "Images in folders, of 224 x 224 pixels, up to 4 GiB; the ResNeXt-50 of the Apollo paper",
        ),
        data: Data::ImageNet,
        network: |_, classes| NetworkConfig::Residual(ResidualConfig::resnext_50(classes)),
        batch_size: 32,
        augmentation: Some(Augmentation { padding: 28, ..border_of(&images::IMAGENET) }),
        ..resnet_110()
    }
}

/// An augmentation whose border is what black has become.
fn border_of(channels: &[Standardization]) -> Augmentation {
    let black = |channel: &Standardization| -channel.mean / channel.deviation;
    Augmentation { padding: 4, border: channels.iter().map(black).collect() }
}

/// The median price of houses in the districts of California.
fn cal_housing() -> CatalogueEntry {
    CatalogueEntry {
        name: Cow::Borrowed("small-tabular/cal_housing"),
        line: Cow::Borrowed("House prices in California, a regression; perceptron 8-64-64-1"),
        data: Data::Housing,
        network: |inputs, outputs| NetworkConfig::Perceptron(vec![inputs, 64, 64, outputs]),
        batch_size: 64,
        epochs: 10.0,
        augmentation: None,
        target: None,
    }
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
        epochs: steps_in_epochs(2_000, 32, set.counts.records),
        augmentation: None,
        target: None,
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

/// The shares of a table's records that are kept out of training.
const TABLE_FRACTIONS: Fractions = Fractions { validation: 0.2, test: 0.2 };

/// The shares of a folder's images that are kept out of training, where they have no folder of their own.
const IMAGE_FRACTIONS: Fractions = Fractions { validation: 0.1, test: 0.2 };

/// The folder of images below the data folder.
const IMAGENET: &str = "imagenet";

/// The split and the drawing of digits do not depend on a run's seed.
const DATA_SEED: u64 = 0;

impl CatalogueEntry {
    /// The problem called `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<&'static Self, UnknownProblem> {
        CATALOGUE.iter().find(|entry| entry.name == name).ok_or_else(|| {
            let usual = CATALOGUE.iter().filter(|entry| !entry.is_imbalanced());
            let known: Vec<&str> = usual.map(|entry| &*entry.name).collect();
            UnknownProblem::new(name, known.iter().copied())
        })
    }

    /// The network for records of this many inputs and classes.
    pub fn network(&self, inputs: usize, classes: usize) -> NetworkConfig {
        (self.network)(inputs, classes)
    }

    /// The data set that it needs in `data_dir` and that is not there; none where all is at hand.
    pub fn lacks(&self, data_dir: &Path) -> Option<&'static str> {
        self.data.set().filter(|set| match self.data {
            Data::ImageNet => !data_dir.join(set).is_dir(),
            _ => !locate::is_complete(set, data_dir),
        })
    }

    fn is_imbalanced(&self) -> bool {
        matches!(self.data, Data::Imbalanced(_))
    }
}

impl Data {
    /// The records, scaled, and what was understood of a file of people's.
    fn read(
        self,
        data_dir: &Path,
        precision: Precision,
    ) -> Result<(Splits, Option<Description>), DataError> {
        let scaled = |mut splits: Splits, scaling: Scaling| {
            scaling.apply(&mut splits);
            Ok((splits, None))
        };
        match self {
            Self::Digits => scaled(digits::splits(DATA_SEED), Scaling::Standardized),
            Self::Named(set, scaling) => {
                scaled(locate::named(set)?.load(data_dir, VALIDATION, DATA_SEED)?, scaling)
            }
            Self::StudyCifar => {
                let set = locate::named("cifar-10")?;
                let mut splits = cifar::load_as_studied(&set.folder(data_dir), &set.classes)?;
                splits.standardize_by(cifar::STUDY);
                Ok((splits, None))
            }
            Self::Imbalanced(set) => Ok((set.load(data_dir, TABLE_FRACTIONS, DATA_SEED)?, None)),
            Self::Housing => {
                let loaded = housing::load(data_dir, precision, TABLE_FRACTIONS, DATA_SEED)?;
                Ok((loaded.splits, Some(loaded.description)))
            }
            Self::ImageNet => {
                let (folder, side) = (data_dir.join(IMAGENET), IMAGENET_SIDE);
                let images = images::load(&folder, side, IMAGE_FRACTIONS, DATA_SEED)?;
                scaled(images, Scaling::Channels(&images::IMAGENET))
            }
        }
    }

    /// The name of the data set; none where it is embedded.
    fn set(self) -> Option<&'static str> {
        match self {
            Self::Digits => None,
            Self::Named(set, _) => Some(set),
            Self::StudyCifar => Some("cifar-10"),
            Self::Imbalanced(set) => Some(set.name),
            Self::Housing => Some(housing::NAME),
            Self::ImageNet => Some(IMAGENET),
        }
    }
}

/// The problem with its data; the files are looked for in `data_dir`.
///
/// # Errors
/// The files are not there or not right.
pub fn load(
    entry: &CatalogueEntry,
    data_dir: &Path,
    precision: Precision,
    weights: ClassWeights,
) -> Result<Supervised, DataError> {
    let (splits, description) = entry.data.read(data_dir, precision)?;
    let network = entry.network(splits.train.record_len(), outputs(&splits));
    let problem = Supervised::new(entry.name.to_string(), splits, network, weights);
    Ok(Supervised {
        description: entry.line.to_string(),
        batch_size: entry.batch_size,
        epochs: entry.epochs,
        augmentation: entry.augmentation.clone(),
        target: entry.target,
        ..match description {
            Some(description) => problem.described(&description),
            None => problem,
        }
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::run::count;

    #[test]
    fn networks_have_the_parameters_that_their_lines_name() {
        let device = Device::default().autodiff();
        let named = CATALOGUE.iter().filter_map(|entry| {
            let (text, _) = entry.line.split_once(" parameters")?;
            let number = text.split_whitespace().last()?.replace(',', "");
            Some((entry, number.parse::<usize>().ok()?))
        });
        let named: Vec<_> = named.collect();
        assert_eq!(named.len(), 11);
        for (entry, parameters) in named {
            let network = entry.network(0, 10).init(&device);
            assert_eq!(count(&network), parameters, "{}", entry.name);
        }
    }

    #[test]
    fn the_border_of_augmented_images_is_black() {
        for entry in CATALOGUE.iter() {
            let Some(augmentation) = &entry.augmentation else { continue };
            let channels: &[Standardization] = match entry.data {
                Data::Named(_, Scaling::Channels(channels)) => channels,
                Data::ImageNet => &images::IMAGENET,
                _ => panic!("{}: scaled by channel", entry.name),
            };
            assert_eq!(augmentation.border.len(), channels.len());
            for (border, channel) in augmentation.border.iter().zip(channels) {
                // Pixels run from 0, and one rounding separates the two ways to compute it.
                let black = border * channel.deviation + channel.mean;
                assert!(black.abs() < 1e-6, "{}: {black}", entry.name);
            }
        }
    }
}
