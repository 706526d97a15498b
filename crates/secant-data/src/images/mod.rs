//! Folders of images: one folder for each class, with JPEG and PNG files in it.
//!
//! The folders of the classes lie in the folder given, or in the folders `train`, `val` and `test`
//! of it, as for ImageNet. Classes and files are in the order of their names. What a file is says
//! its content and not its name; files whose names begin with a dot are passed over.

mod decode;
mod layout;

use std::path::Path;

use rayon::prelude::*;

use crate::dataset::{Dataset, Splits, Standardization};
use crate::dense::check_size;
use crate::error::DataError;
use crate::numbers::Precision;
use crate::split::{self, Fractions};
use layout::{Files, Layout};

/// Red, green and blue.
const CHANNELS: usize = 3;

/// Mean and deviation of each channel of ImageNet's training images, as they are usually taken.
pub const IMAGENET: [Standardization; CHANNELS] = [
    Standardization { mean: 0.485, deviation: 0.229 },
    Standardization { mean: 0.456, deviation: 0.224 },
    Standardization { mean: 0.406, deviation: 0.225 },
];

/// The images in `folder`, each as its red, green and blue plane of `side` x `side` pixels from 0
/// to 1, row by row.
///
/// An image is scaled so that its shorter side is `side`, and what is too long of the other one is
/// cut off on both ends. It is taken as it is stored: a note of the camera how to turn it is not
/// heeded, and neither are colour profiles; what is transparent is not mixed with anything.
///
/// The parts `train`, `val` and `test` are taken where they are there; of `val` and `test` the one
/// that is not is cut from the training part in its share of `fractions`, by a generator started
/// from `seed`. Without `train` all three are cut.
///
/// Nothing is returned before every file has been decoded: a class without a file, a file that is
/// no image or cut off, and a class of `val` or `test` that `train` lacks are refused by name.
pub fn load(
    folder: &Path,
    side: usize,
    fractions: Fractions,
    seed: u64,
) -> Result<Splits, DataError> {
    if side == 0 {
        return Err(DataError::ImageSide);
    }
    let layout = Layout::find(folder)?;
    let read = |files: &Files| dataset(folder, files, side, &layout.classes);
    let train = read(&layout.train)?;
    let validation = layout.validation.as_ref().map(read).transpose()?;
    let test = layout.test.as_ref().map(read).transpose()?;
    let lacking = |part: &Option<Dataset>, share| if part.is_none() { share } else { 0.0 };
    let fractions = Fractions {
        validation: lacking(&validation, fractions.validation),
        test: lacking(&test, fractions.test),
    };
    let cut = split::three_ways(&train, fractions, seed)?;
    Ok(Splits {
        train: cut.train,
        validation: validation.unwrap_or(cut.validation),
        test: test.unwrap_or(cut.test),
    })
}

/// The images of one part, in the order of `files`.
fn dataset(
    folder: &Path,
    files: &Files,
    side: usize,
    classes: &[String],
) -> Result<Dataset, DataError> {
    let width = CHANNELS * side * side;
    check_size(folder, files.len(), width, Precision::F32)?;
    let images: Vec<_> = files.par_iter().map(|(path, _)| decode::planes(path, side)).collect();
    let mut features = Vec::with_capacity(files.len() * width);
    for image in images {
        features.extend(image?.into_iter().map(|pixel| f32::from(pixel) / 255.0));
    }
    let labels = files.iter().map(|&(_, label)| label).collect();
    Ok(Dataset::of_classes(features, &[CHANNELS, side, side], labels, classes))
}

#[cfg(test)]
mod tests;
