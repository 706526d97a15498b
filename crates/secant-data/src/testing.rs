//! Helpers for the tests of the data module.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

pub(super) use real_data::real;

#[path = "../../secant-cli/tests/it/real_data.rs"]
mod real_data;

/// An empty folder which goes away with the value.
pub(super) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes a file into `folder`.
pub(super) fn write(folder: &TempDir, name: &str, contents: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, contents).unwrap();
    path
}

/// `contents` packed with gzip.
pub(super) fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}
