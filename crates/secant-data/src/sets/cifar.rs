//! CIFAR-10 in its binary version: colour images of 32x32 pixels.
//!
//! A file is records of 3,073 bytes: the class, then the 1,024 red, green and blue pixels, each row
//! by row.

use std::path::{Path, PathBuf};

use crate::bytes;
use crate::dataset::{Dataset, Splits, Standardization};
use crate::error::DataError;
use crate::split::{self, Fractions};

/// The files of training images, without `.gz` or `.xz`.
pub const TRAIN_FILES: [&str; 5] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
];

/// The names that the file of test images may have; the second is its first 1,000 images alone.
pub const TEST_FILES: [&str; 2] = ["test_batch.bin", "test_batch_first1000.bin"];

/// The normalisation of the EPFL study, which brings the pixels to between -1 and 1; see
/// [`Splits::standardize_by`].
pub const STUDY: Standardization = Standardization { mean: 0.5, deviation: 0.5 };

/// The normalisation of the Apollo paper, one for each channel; see [`Splits::standardize_channels`].
pub const APOLLO: [Standardization; 3] = [
    Standardization { mean: 0.4914, deviation: 0.2023 },
    Standardization { mean: 0.4822, deviation: 0.1994 },
    Standardization { mean: 0.4465, deviation: 0.2010 },
];

/// Channels, height and width of an image.
const SHAPE: [usize; 3] = [3, 32, 32];

/// Bytes of a record.
const RECORD: usize = 1 + SHAPE[0] * SHAPE[1] * SHAPE[2];

/// The data set in `folder` with its own test part, and with the share `validation` cut from its
/// training part; the pixels run from 0 to 1.
pub fn load(
    folder: &Path,
    classes: &[&str],
    validation: f64,
    seed: u64,
) -> Result<Splits, DataError> {
    let train = Records::train(folder, classes.len())?;
    let fractions = Fractions { validation, test: 0.0 };
    let parts = split::stratified(&train.labels(), fractions, seed)?;
    Ok(Splits {
        train: train.select(&parts.train, classes),
        validation: train.select(&parts.validation, classes),
        test: Records::test(folder, classes.len())?.all(classes),
    })
}

/// The data set in `folder` as in the EPFL study, which trains on all training images and validates
/// on the test images: they are the validation AND the test part.
pub fn load_as_studied(folder: &Path, classes: &[&str]) -> Result<Splits, DataError> {
    let train = Records::train(folder, classes.len())?.all(classes);
    let test = Records::test(folder, classes.len())?.all(classes);
    Ok(Splits { train, validation: test.clone(), test })
}

/// The files that `folder` lacks.
pub(super) fn missing(folder: &Path) -> Vec<&'static str> {
    let mut missing = bytes::missing(folder, TRAIN_FILES);
    if test_file(folder).is_none() {
        missing.push(TEST_FILES[0]);
    }
    missing
}

/// The file of test images in `folder`.
fn test_file(folder: &Path) -> Option<PathBuf> {
    TEST_FILES.into_iter().find_map(|name| bytes::find(&folder.join(name)))
}

/// Whole records as they are in the files, which take a quarter of the memory of their inputs.
struct Records(Vec<u8>);

impl Records {
    fn train(folder: &Path, classes: usize) -> Result<Self, DataError> {
        let mut all = Vec::new();
        for name in TRAIN_FILES {
            all.append(&mut Self::read(&folder.join(name), classes)?.0);
        }
        Ok(Self(all))
    }

    fn test(folder: &Path, classes: usize) -> Result<Self, DataError> {
        let usual = || folder.join(TEST_FILES[0]);
        Self::read(&test_file(folder).unwrap_or_else(usual), classes)
    }

    /// The records of one file, checked to be whole and of `classes` classes.
    fn read(path: &Path, classes: usize) -> Result<Self, DataError> {
        let records = Self(bytes::read(path)?);
        let (path, found) = (path.to_path_buf(), records.0.len());
        if found == 0 {
            return Err(DataError::Empty { path });
        }
        if found % RECORD != 0 {
            return Err(DataError::CifarLength { path, found, record: RECORD });
        }
        let labels = records.labels();
        match labels.iter().position(|&label| label as usize >= classes) {
            None => Ok(records),
            Some(record) => Err(DataError::Label {
                path,
                record: record + 1,
                label: records.0[record * RECORD],
                last: classes.saturating_sub(1),
            }),
        }
    }

    fn labels(&self) -> Vec<u32> {
        self.0.chunks_exact(RECORD).map(|record| u32::from(record[0])).collect()
    }

    fn all(&self, classes: &[&str]) -> Dataset {
        self.select(&(0..self.0.len() / RECORD).collect::<Vec<_>>(), classes)
    }

    /// The records at `indices`, in that order.
    fn select(&self, indices: &[usize], classes: &[&str]) -> Dataset {
        let record = |index: usize| &self.0[index * RECORD..(index + 1) * RECORD];
        let mut features = Vec::with_capacity(indices.len() * (RECORD - 1));
        for &index in indices {
            features.extend(record(index)[1..].iter().map(|&pixel| f32::from(pixel) / 255.0));
        }
        let labels = indices.iter().map(|&index| u32::from(record(index)[0])).collect();
        Dataset::of_classes(features, &SHAPE, labels, classes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::locate::named;
    use super::*;
    use crate::numbers::Numbers;
    use crate::testing::{folder, gzip, real, record as record_of, write};
    use tempfile::TempDir;

    const CLASSES: [&str; 2] = ["cat", "dog"];

    /// One record whose pixels are `red`, 0 and 255.
    fn record(label: u8, red: u8) -> Vec<u8> {
        [vec![label], vec![red; 1024], vec![0; 1024], vec![255; 1024]].concat()
    }

    /// A sound data set: in each training file a cat and then a dog; one dog to test on.
    fn sound() -> TempDir {
        let folder = folder();
        for (batch, name) in TRAIN_FILES.iter().enumerate() {
            let (cat, dog) = (record(0, batch as u8), record(1, 100 + batch as u8));
            write(&folder, name, &[cat, dog].concat());
        }
        write(&folder, "test_batch_first1000.bin.gz", &gzip(&record(1, 51)));
        folder
    }

    /// The message for a data set whose second training file has been replaced.
    fn message_with(contents: &[u8]) -> String {
        let folder = sound();
        write(&folder, TRAIN_FILES[1], contents);
        let message = load(folder.path(), &CLASSES, 0.2, 0).unwrap_err().to_string();
        assert!(message.contains(TRAIN_FILES[1]), "{message}");
        message
    }

    #[test]
    fn images_are_three_planes_from_0_to_1_in_the_order_of_the_files() {
        let splits = load_as_studied(sound().path(), &CLASSES).unwrap();
        assert_eq!(splits.train.record_shape, [3, 32, 32]);
        assert_eq!(splits.train.targets.labels(), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
        let reds = (0..10).map(|index| record_of(&splits.train, index)[1023] * 255.0);
        let expected = [0.0, 100.0, 1.0, 101.0, 2.0, 102.0, 3.0, 103.0, 4.0, 104.0];
        assert!(reds.zip(expected).all(|(red, expected)| (red - expected).abs() < 1e-4));
        let planes = [[0.2; 1024], [0.0; 1024], [1.0; 1024]].concat();
        assert_eq!(splits.test.features, Numbers::F32(planes));
        assert_eq!(splits.validation, splits.test);
    }

    #[test]
    fn the_normalisation_of_the_study_brings_the_pixels_to_between_minus_1_and_1() {
        let mut splits = load_as_studied(sound().path(), &CLASSES).unwrap();
        splits.standardize_by(STUDY);
        assert_eq!(record_of(&splits.test, 0)[1024..1026], [-1.0, -1.0]);
        assert_eq!(record_of(&splits.test, 0)[3071], 1.0);
    }

    #[test]
    fn validation_is_cut_from_the_training_files_and_labels_go_with_their_images() {
        let splits = load(sound().path(), &CLASSES, 0.2, 3).unwrap();
        assert_eq!(splits.train.class_counts(), [4, 4]);
        assert_eq!(splits.validation.class_counts(), [1, 1]);
        assert_eq!(splits.test.class_counts(), [0, 1]);
        for part in [&splits.train, &splits.validation] {
            let dogs = (0..part.len()).map(|index| u32::from(record_of(part, index)[0] > 0.1));
            assert_eq!(dogs.collect::<Vec<_>>(), part.targets.labels());
        }
    }

    #[test]
    fn the_whole_test_file_is_preferred_to_the_first_1000_images_of_it() {
        let folder = sound();
        write(&folder, "test_batch.bin", &[record(0, 1), record(1, 2)].concat());
        assert_eq!(load(folder.path(), &CLASSES, 0.2, 0).unwrap().test.len(), 2);
    }

    #[test]
    fn files_that_are_cut_off_empty_or_of_other_classes_are_refused() {
        let cut = message_with(&record(1, 0)[1..]);
        assert!(cut.contains("has 3072 bytes when unpacked, which are no whole records"), "{cut}");
        assert!(message_with(b"").contains("holds no records"));
        let label = message_with(&[record(1, 0), record(2, 0)].concat());
        assert!(label.contains("record 2 of") && label.contains("the label 2"), "{label}");
    }

    #[test]
    #[ignore = "needs cifar-10 in SECANT_DATA"]
    fn real_cifar_has_the_published_counts_means_and_class_names() {
        let folder = real("cifar-10");
        let set = named("cifar-10").unwrap();
        let names = bytes::read_text(&folder.join("batches.meta.txt")).unwrap();
        assert_eq!(names.split_whitespace().collect::<Vec<_>>(), set.classes);
        let splits = set.load(folder.parent().unwrap(), 0.1, 0).unwrap();
        assert_eq!(splits.train.class_counts(), [4_500; 10]);
        assert_eq!(splits.validation.class_counts(), [500; 10]);
        assert_eq!(splits.test.class_counts().iter().sum::<usize>() % 1_000, 0);
        let train = [&splits.train, &splits.validation];
        for (plane, published) in [0.491_399_68, 0.482_158_41, 0.446_530_91].into_iter().enumerate()
        {
            let pixels = |part: &&Dataset| -> f64 {
                let Numbers::F32(pixels) = &part.features else { panic!("images are single") };
                let planes = pixels.chunks_exact(1024).skip(plane).step_by(3);
                planes.flatten().map(|&pixel| f64::from(pixel)).sum()
            };
            let mean = train.iter().map(pixels).sum::<f64>() / (50_000.0 * 1_024.0);
            // The pixels are single precision, the published means have eight digits.
            assert!((mean - published).abs() < 1e-7, "{plane}: {mean}");
        }
    }
}
