//! MNIST-type IDX files: grey images of 28x28 pixels and their labels.

use std::path::Path;

use crate::bytes;
use crate::dataset::Dataset;
use crate::error::DataError;

/// The four files of a data set, as they are called without `.gz`: training images and labels, test
/// images and labels.
pub const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Width and height of an image.
const SIDE: u32 = 28;

/// The first number of a file of images.
const IMAGES_MAGIC: u32 = 2051;

/// The first number of a file of labels.
const LABELS_MAGIC: u32 = 2049;

/// The training and the test part in `folder`; the pixels run from 0 to 1. Each file may be packed
/// with gzip.
pub fn load(folder: &Path, classes: &[&str]) -> Result<(Dataset, Dataset), DataError> {
    let [train_images, train_labels, test_images, test_labels] =
        FILES.map(|name| folder.join(name));
    let train = pair(&train_images, &train_labels, classes)?;
    let test = pair(&test_images, &test_labels, classes)?;
    Ok((train, test))
}

/// One file of images and the file of their labels.
fn pair(images_path: &Path, labels_path: &Path, classes: &[&str]) -> Result<Dataset, DataError> {
    let pixels = images(images_path)?;
    let labels = labels(labels_path, classes.len())?;
    let record_len = (SIDE * SIDE) as usize;
    let count = pixels.len() / record_len;
    if count != labels.len() {
        return Err(DataError::IdxCounts {
            images_path: images_path.to_path_buf(),
            images: count,
            labels_path: labels_path.to_path_buf(),
            labels: labels.len(),
        });
    }
    let features = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    Ok(Dataset::of_classes(features, &[1, SIDE as usize, SIDE as usize], labels, classes))
}

/// The pixels of a file of images.
fn images(path: &Path) -> Result<Vec<u8>, DataError> {
    let bytes = bytes::read(path)?;
    check_magic(path, &bytes, IMAGES_MAGIC)?;
    let [count, rows, columns] = [4, 8, 12].map(|at| number_at(path, &bytes, at, 16));
    let (count, rows, columns) = (count?, rows?, columns?);
    if (rows, columns) != (SIDE, SIDE) {
        return Err(DataError::IdxShape { path: path.to_path_buf(), rows, columns });
    }
    body(path, bytes, 16, count, SIDE * SIDE)
}

/// The labels of a file of labels, checked to be below `classes`.
fn labels(path: &Path, classes: usize) -> Result<Vec<u32>, DataError> {
    let bytes = bytes::read(path)?;
    check_magic(path, &bytes, LABELS_MAGIC)?;
    let count = number_at(path, &bytes, 4, 8)?;
    let labels = body(path, bytes, 8, count, 1)?;
    if let Some(record) = labels.iter().position(|&label| usize::from(label) >= classes) {
        return Err(DataError::Label {
            path: path.to_path_buf(),
            record: record + 1,
            label: labels[record],
            last: classes.saturating_sub(1),
        });
    }
    Ok(labels.into_iter().map(u32::from).collect())
}

/// Checks that `bytes` starts with the number `expected`.
fn check_magic(path: &Path, bytes: &[u8], expected: u32) -> Result<(), DataError> {
    let name = |magic| if magic == IMAGES_MAGIC { "images" } else { "labels" };
    let found = number_at(path, bytes, 0, 4)?;
    if found == expected {
        return Ok(());
    }
    let path = path.to_path_buf();
    let wanted = name(expected);
    Err(if found == IMAGES_MAGIC || found == LABELS_MAGIC {
        let found = name(found);
        DataError::IdxExchanged { path, wanted, found }
    } else {
        DataError::IdxMagic { path, wanted, expected, found }
    })
}

/// The big-endian number at byte `at` of a header that is `header` bytes long.
fn number_at(path: &Path, bytes: &[u8], at: usize, header: u64) -> Result<u32, DataError> {
    match bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(&chunk) => Ok(u32::from_be_bytes(chunk)),
        None => Err(DataError::IdxTruncated {
            path: path.to_path_buf(),
            wanted: header,
            found: bytes.len() as u64,
        }),
    }
}

/// What follows the header, checked to be exactly `count` records of `record_len` bytes.
fn body(
    path: &Path,
    mut bytes: Vec<u8>,
    header: usize,
    count: u32,
    record_len: u32,
) -> Result<Vec<u8>, DataError> {
    let path = path.to_path_buf();
    let wanted = header as u64 + u64::from(count) * u64::from(record_len);
    let found = bytes.len() as u64;
    if count == 0 {
        return Err(DataError::Empty { path });
    }
    if found < wanted {
        return Err(DataError::IdxTruncated { path, wanted, found });
    }
    if found > wanted {
        let extra = found - wanted;
        return Err(DataError::IdxTrailing { path, extra });
    }
    bytes.drain(..header);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::Numbers;
    use crate::testing::{folder, gzip, real, write};
    use tempfile::TempDir;

    const CLASSES: [&str; 3] = ["a", "b", "c"];

    fn image_file(count: u32, value: u8) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            [2051, count, 28, 28].iter().flat_map(|n: &u32| n.to_be_bytes()).collect();
        bytes.resize(16 + 784 * count as usize, value);
        bytes
    }

    fn label_file(labels: &[u8]) -> Vec<u8> {
        let header = [2049, labels.len() as u32];
        let mut bytes: Vec<u8> = header.iter().flat_map(|n| n.to_be_bytes()).collect();
        bytes.extend_from_slice(labels);
        bytes
    }

    /// A sound data set of three training records and one test record.
    fn sound() -> TempDir {
        let folder = folder();
        write(&folder, FILES[0], &image_file(3, 255));
        write(&folder, FILES[1], &label_file(&[2, 0, 1]));
        write(&folder, "t10k-images-idx3-ubyte.gz", &gzip(&image_file(1, 51)));
        write(&folder, "t10k-labels-idx1-ubyte.gz", &gzip(&label_file(&[1])));
        folder
    }

    /// The message for a data set whose file number `file` has been replaced.
    fn message_with(file: usize, contents: &[u8]) -> String {
        let folder = sound();
        write(&folder, FILES[file], contents);
        let message = load(folder.path(), &CLASSES).unwrap_err().to_string();
        assert!(message.contains(FILES[file]), "{message}");
        message
    }

    #[test]
    fn plain_and_packed_files_give_scaled_images_and_their_labels() {
        let (train, test) = load(sound().path(), &CLASSES).unwrap();
        assert_eq!(train.targets.labels(), [2, 0, 1]);
        assert_eq!(train.record_shape, [1, 28, 28]);
        assert_eq!(train.features, Numbers::F32(vec![1.0; 3 * 784]));
        assert_eq!(test.features, Numbers::F32(vec![0.2; 784]));
        assert_eq!(test.targets.class_names(), CLASSES);
    }

    #[test]
    fn a_cut_file_is_named_with_both_sizes() {
        let whole = image_file(3, 0);
        let message = message_with(0, &whole[..whole.len() - 1]);
        assert!(message.contains("should have 2368 bytes when unpacked and has 2367"), "{message}");
    }

    #[test]
    fn a_file_cut_in_its_header_is_cut_off_too() {
        for length in [0, 3, 7, 15] {
            let message = message_with(0, &image_file(3, 0)[..length]);
            assert!(message.contains("is cut off"), "{message}");
        }
        let message = message_with(1, &label_file(&[1])[..6]);
        assert!(message.contains("should have 8 bytes"), "{message}");
    }

    #[test]
    fn bytes_after_the_last_record_are_refused() {
        let message = message_with(1, &[label_file(&[0, 1, 2]), vec![0, 0]].concat());
        assert!(message.contains("goes on for 2 bytes after its last record"), "{message}");
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let message = message_with(0, b"PK\x03\x04 this is a zip file");
        assert!(message.contains("is not an IDX file of images"), "{message}");
    }

    #[test]
    fn exchanged_files_are_told_as_such() {
        let labels = message_with(0, &label_file(&[0, 1, 2]));
        assert!(labels.contains("holds labels where images are wanted"), "{labels}");
        let images = message_with(1, &image_file(3, 0));
        assert!(images.contains("holds images where labels are wanted"), "{images}");
    }

    #[test]
    fn images_of_another_size_are_refused() {
        let mut small = image_file(3, 0);
        small[11] = 14;
        let message = message_with(0, &small);
        assert!(message.contains("images of 14x28 pixels"), "{message}");
    }

    #[test]
    fn unequal_counts_of_images_and_labels_are_refused() {
        let message = message_with(1, &label_file(&[0, 1]));
        assert!(message.contains("holds 3 images but"), "{message}");
        assert!(message.contains("holds 2 labels"), "{message}");
    }

    #[test]
    fn a_label_beyond_the_classes_is_named_with_its_record() {
        let message = message_with(1, &label_file(&[0, 3, 1]));
        assert!(message.contains("record 2 of") && message.contains("the label 3"), "{message}");
    }

    #[test]
    fn a_file_without_records_is_refused() {
        let message = message_with(0, &image_file(0, 0));
        assert!(message.contains("holds no records"), "{message}");
    }

    #[test]
    #[ignore = "needs mnist in SECANT_DATA"]
    fn real_mnist_has_the_known_class_counts() {
        let folder = real("mnist");
        let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let (train, test) = load(&folder, &digits).unwrap();
        let known = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
        assert_eq!(train.class_counts(), known);
        assert_eq!(test.class_counts(), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
        let mean = train.features.iter().sum::<f64>() / train.features.len() as f64;
        assert!((mean - 0.1307).abs() < 5e-5, "{mean}");
    }
}
