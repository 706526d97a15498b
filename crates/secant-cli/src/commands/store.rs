//! Which store a command works on.

use std::path::PathBuf;

use clap::Args;
use secant_lab::store::{Store, default_path};

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
        let path = match &self.store {
            Some(path) => path.clone(),
            None => default_path()?,
        };
        Ok(Store::open(&path)?)
    }
}
