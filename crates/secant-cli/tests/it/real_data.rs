//! Where real data sets lie. Tests that need them are ignored by default.

use std::path::{Path, PathBuf};

/// A file or folder of real data, below the folder `SECANT_DATA`, or `../shared/data` beside the
/// workspace. Fails where it is not there.
pub fn real(name: &str) -> PathBuf {
    let data = std::env::var_os("SECANT_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = data.join(name);
    assert!(
        path.exists(),
        "{} is not there; set SECANT_DATA to the folder of the data sets, as an absolute path",
        path.display()
    );
    path
}
