//! Helpers for the tests of the data module.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

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

/// A file or folder of real data, from the folder `SECANT_DATA` or `../shared/data` beside the
/// workspace. Prints why a test is skipped where it is not there.
pub(super) fn real(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SECANT_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}
