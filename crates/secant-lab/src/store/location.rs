//! Where the store is if nobody says otherwise.

use std::path::PathBuf;

use etcetera::base_strategy::{BaseStrategy, choose_native_strategy};
use thiserror::Error;

/// The user has no folder for a store.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("there is no home folder to keep the store in; name a file with --store")]
pub struct NoHome;

/// The store of the user, where the platform keeps data of programs:
/// `~/.local/share/secant/store.sqlite`, or below `$XDG_DATA_HOME`, on Linux.
///
/// # Errors
///
/// When the user has no home folder.
pub fn default_path() -> Result<PathBuf, NoHome> {
    let folders = choose_native_strategy().map_err(|_| NoHome)?;
    Ok(folders.data_dir().join("secant").join("store.sqlite"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_store_is_below_the_users_data() {
        let path = default_path().expect("a home folder");
        assert!(path.is_absolute() && path.ends_with("secant/store.sqlite"), "{}", path.display());
    }
}
