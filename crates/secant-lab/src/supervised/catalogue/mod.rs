//! The problems known by name.

mod entries;

use std::{borrow::Cow, path::Path};

use thiserror::Error;

use secant_core::nearest::suggestion;
use secant_data::{
    DataError, Description, Fractions, Precision, Splits, Standardization, cifar, digits, housing,
    images, imbalanced::ImbalancedSet, locate,
};

pub use entries::CATALOGUE;

use super::{Augmentation, ClassWeights, Supervised, outputs};
use crate::network::NetworkConfig;

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

/// Final runs where one takes a second.
const MANY_SEEDS: usize = 25;

/// Validation records of a named data set, as a part of its training records.
const VALIDATION: f64 = 1.0 / 12.0;

/// The shares of a table's records that are kept out of training.
const TABLE_FRACTIONS: Fractions = Fractions { validation: 0.2, test: 0.2 };

/// The shares of a folder's images that are kept out of training, where they have no folder of their own.
const IMAGE_FRACTIONS: Fractions = Fractions { validation: 0.1, test: 0.2 };

/// Pixels a side of ImageNet's images.
const IMAGENET_SIDE: usize = 224;

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
        seeds: if matches!(entry.data, Data::Digits) { MANY_SEEDS } else { problem.seeds },
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
