//! Which store a command works on.

use std::path::PathBuf;

use clap::Args;
use secant_lab::store::{NoHome, Store, default_path};

/// Which store a command works on.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// The file that keeps every run [default: secant/store.sqlite where the system keeps the data of
    /// programs]
    #[arg(long, env = "SECANT_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
}

impl StoreArgs {
    /// Opens it; made if need be.
    ///
    /// # Errors
    /// The file is no store, or cannot be opened.
    pub fn open(&self) -> anyhow::Result<Store> {
        Ok(Store::open(&self.path()?)?)
    }

    /// Opens it where it is there, for a command that makes none.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn open_existing(&self) -> anyhow::Result<Store> {
        Ok(Store::open_existing(&self.path()?)?)
    }

    fn path(&self) -> Result<PathBuf, NoHome> {
        self.store.clone().map_or_else(default_path, Ok)
    }
}
