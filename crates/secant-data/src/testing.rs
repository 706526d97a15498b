//! Helpers for the tests of the data module.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::dataset::Dataset;

pub(crate) use real_data::real;

#[path = "../../secant-cli/tests/it/real_data.rs"]
mod real_data;

/// An empty folder which goes away with the value.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes a file into `folder`.
pub(crate) fn write(folder: &TempDir, name: &str, contents: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, contents).unwrap();
    path
}

/// `contents` packed with gzip.
pub(crate) fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}

/// The inputs of one record.
pub(crate) fn record(dataset: &Dataset, index: usize) -> Vec<f32> {
    let width = dataset.record_len();
    (index * width..(index + 1) * width).map(|at| dataset.features.get(at) as f32).collect()
}

/// A small input that went wrong once, in the folder `SECANT_CASES`, or `../shared/cases` beside
/// the workspace. Fails where it is not there.
pub(crate) fn case(name: &str) -> PathBuf {
    let folder = std::env::var_os("SECANT_CASES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases"),
        PathBuf::from,
    );
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is not there; set SECANT_CASES to the folder of cases",
        path.display()
    );
    path
}
