//! SVHN, street view house numbers: cropped colour images of 32x32 pixels of the ten digits (Netzer
//! and others, 2011).
//!
//! A file is a MATLAB file of version 5 with two variables: `X`, the pixels from 0 to 255 as an
//! array of height x width x colour x image, and `y`, the class of each image from 1 to 10, where 10
//! is the digit 0.

use std::path::Path;

use crate::dataset::Dataset;
use crate::error::DataError;
use crate::mat::{self, Array};

/// The files of training and test images; each may be packed with gzip or xz.
pub const FILES: [&str; 2] = ["train_32x32.mat", "test_32x32.mat"];

/// Width and height of an image.
const SIDE: usize = 32;

/// Red, green and blue.
const CHANNELS: usize = 3;

/// The inputs of an image.
const RECORD: usize = CHANNELS * SIDE * SIDE;

/// The training and the test part in `folder`; a record is its red, green and blue plane, each row
/// by row, and the pixels run from 0 to 1. `classes` names the digits from 0 to 9.
pub fn load(folder: &Path, classes: &[&str; 10]) -> Result<(Dataset, Dataset), DataError> {
    let [train, test] = FILES.map(|name| part(&folder.join(name), classes));
    Ok((train?, test?))
}

fn part(path: &Path, classes: &[&str; 10]) -> Result<Dataset, DataError> {
    let [images, labels] = mat::arrays(path, ["X", "y"])?;
    let pixels = pixels(path, &images)?;
    let labels = digits(path, &labels)?;
    let path = path.to_path_buf();
    let count = pixels.len() / RECORD;
    if count != labels.len() {
        return Err(DataError::SvhnCounts { path, images: count, labels: labels.len() });
    }
    if count == 0 {
        return Err(DataError::Empty { path });
    }
    let mut features = Vec::with_capacity(pixels.len());
    pixels.chunks_exact(RECORD).for_each(|image| planes(image, &mut features));
    Ok(Dataset::of_classes(features, &[CHANNELS, SIDE, SIDE], labels, classes))
}

/// Appends the planes of one image, whose pixels come column by column.
fn planes(image: &[u8], features: &mut Vec<f32>) {
    for plane in image.chunks_exact(SIDE * SIDE) {
        for row in 0..SIDE {
            let pixels = plane.iter().skip(row).step_by(SIDE);
            features.extend(pixels.map(|&pixel| f32::from(pixel) / 255.0));
        }
    }
}

/// The pixels of all images, checked to be bytes of the right shape. MATLAB leaves out the last
/// dimension where there is one image.
fn pixels<'a>(path: &Path, images: &'a Array) -> Result<&'a [u8], DataError> {
    let sound =
        matches!(images.shape.as_slice(), [SIDE, SIDE, CHANNELS] | [SIDE, SIDE, CHANNELS, _]);
    images.bytes().filter(|_| sound).ok_or_else(|| shape(path, "X", "bytes of 32x32x3xN", images))
}

/// The digit of each image.
fn digits(path: &Path, labels: &Array) -> Result<Vec<u32>, DataError> {
    if !matches!(labels.shape.as_slice(), [_, 1] | [1, _]) {
        return Err(shape(path, "y", "numbers of Nx1", labels));
    }
    let digit = |(record, label): (usize, f64)| match label {
        10.0 => Ok(0),
        1.0..=9.0 if label.fract() == 0.0 => Ok(label as u32),
        _ => Err(DataError::SvhnLabel { path: path.to_path_buf(), record: record + 1, label }),
    };
    labels.numbers().into_iter().enumerate().map(digit).collect()
}

/// The error for a variable that is not what is `wanted`.
fn shape(path: &Path, name: &'static str, wanted: &'static str, found: &Array) -> DataError {
    let sides: Vec<String> = found.shape.iter().map(ToString::to_string).collect();
    let kind = if found.bytes().is_some() { "bytes" } else { "numbers" };
    DataError::SvhnShape {
        path: path.to_path_buf(),
        name,
        wanted,
        found: format!("{kind} of {}", sides.join("x")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::locate::{is_complete, named};
    use super::*;
    use crate::mat::writer::{self, Values};
    use crate::testing::{folder, record, write};
    use std::fs;
    use tempfile::TempDir;

    const CLASSES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    /// The pixel of each row, column, channel and image, which tells them all apart.
    fn pixel(row: usize, column: usize, channel: usize, image: usize) -> u8 {
        (row + 3 * column + 50 * channel + 7 * image) as u8
    }

    /// The variable `X` with `count` images.
    fn images(count: usize) -> Vec<u8> {
        let mut values = Vec::new();
        for image in 0..count {
            for channel in 0..CHANNELS {
                for column in 0..SIDE {
                    values.extend((0..SIDE).map(|row| pixel(row, column, channel, image)));
                }
            }
        }
        let shape = [SIDE, SIDE, CHANNELS, count];
        let shape = if count == 1 { &shape[..3] } else { &shape };
        writer::variable("X", shape, &Values::Bytes(values))
    }

    fn labels(labels: &[u8]) -> Vec<u8> {
        writer::variable("y", &[labels.len(), 1], &Values::Bytes(labels.to_vec()))
    }

    fn file(variables: &[Vec<u8>]) -> Vec<u8> {
        let packed: Vec<_> =
            variables.iter().map(|variable| writer::compressed(variable)).collect();
        writer::file(&packed.concat())
    }

    /// A sound data set of three training images and one test image.
    fn sound() -> TempDir {
        let folder = folder();
        write(&folder, FILES[0], &file(&[images(3), labels(&[1, 10, 9])]));
        let double = writer::variable("y", &[1, 1], &Values::Doubles(vec![10.0]));
        write(&folder, FILES[1], &file(&[images(1), double]));
        folder
    }

    /// The message for a data set whose training file holds these variables.
    fn message_with(variables: &[Vec<u8>]) -> String {
        let folder = sound();
        write(&folder, FILES[0], &file(variables));
        let message = load(folder.path(), &CLASSES).unwrap_err().to_string();
        assert!(message.contains(FILES[0]), "{message}");
        message
    }

    #[test]
    fn images_are_planes_of_rows_from_0_to_1_and_label_10_is_the_digit_0() {
        let (train, test) = load(sound().path(), &CLASSES).unwrap();
        assert_eq!(train.record_shape, [3, 32, 32]);
        assert_eq!(train.targets.labels(), [1, 0, 9]);
        assert_eq!((test.len(), test.targets.labels()), (1, [0].as_slice()));
        assert_eq!(test.targets.class_names(), CLASSES);
        for image in 0..3 {
            for (at, &feature) in record(&train, image).iter().enumerate() {
                let (channel, row, column) = (at / 1024, at / 32 % 32, at % 32);
                let expected = f32::from(pixel(row, column, channel, image)) / 255.0;
                assert_eq!(feature, expected, "{channel} {row} {column}");
            }
        }
    }

    #[test]
    fn the_data_set_is_found_and_loaded_by_its_name() {
        let data_dir = folder();
        let set = named("svhn").unwrap();
        let told = set.load(data_dir.path(), 0.5, 0).unwrap_err().to_string();
        assert!(told.contains("lacks train_32x32.mat, test_32x32.mat (with or without"), "{told}");
        fs::create_dir(set.folder(data_dir.path())).unwrap();
        for name in FILES {
            assert!(!is_complete("svhn", data_dir.path()));
            let labels = labels(&[1, 10, 10, 1]);
            fs::write(set.folder(data_dir.path()).join(name), file(&[images(4), labels])).unwrap();
        }
        assert!(is_complete("svhn", data_dir.path()));
        let splits = set.load(data_dir.path(), 0.5, 0).unwrap();
        let counts = splits.parts().map(|(_, part)| part.class_counts()[..2].to_vec());
        assert_eq!(counts, [[1, 1], [1, 1], [2, 2]]);
    }

    #[test]
    fn arrays_of_other_shapes_or_numbers_are_refused() {
        let grey = writer::variable("X", &[32, 32, 2], &Values::Bytes(vec![0; 2048]));
        let told = message_with(&[grey, labels(&[1, 2])]);
        assert!(told.contains("'X'") && told.contains("bytes of 32x32x2"), "{told}");
        let double = writer::variable("X", &[32, 32, 3], &Values::Doubles(vec![0.5; 3072]));
        let told = message_with(&[double, labels(&[1])]);
        assert!(told.contains("numbers of 32x32x3, not bytes of 32x32x3xN"), "{told}");
        let square = writer::variable("y", &[2, 2], &Values::Bytes(vec![1; 4]));
        let told = message_with(&[images(4), square]);
        assert!(
            told.contains("'y'") && told.contains("bytes of 2x2, not numbers of Nx1"),
            "{told}"
        );
    }

    #[test]
    fn unequal_counts_of_images_and_labels_are_refused() {
        let told = message_with(&[images(3), labels(&[1, 2])]);
        assert!(told.contains("holds 3 images but 2 labels"), "{told}");
    }

    #[test]
    fn labels_that_are_no_digits_are_named_with_their_record() {
        for label in [0.0, 11.0, 1.5, f64::NAN] {
            let values = Values::Doubles(vec![3.0, label]);
            let told = message_with(&[images(2), writer::variable("y", &[2, 1], &values)]);
            assert!(
                told.contains("record 2 of") && told.contains(&format!("label {label},")),
                "{told}"
            );
        }
    }

    #[test]
    fn a_file_without_images_labels_or_records_is_refused() {
        assert!(message_with(&[labels(&[1])]).contains("no array of numbers called 'X'"));
        assert!(message_with(&[images(2)]).contains("no array of numbers called 'y'"));
        assert!(message_with(&[images(0), labels(&[])]).contains("holds no records"));
    }

    #[test]
    fn a_cut_file_is_refused() {
        let folder = sound();
        let path = folder.path().join(FILES[1]);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let told = load(folder.path(), &CLASSES).unwrap_err().to_string();
        assert!(told.contains("test_32x32.mat ends in the middle of its data"), "{told}");
    }
}
