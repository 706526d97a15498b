//! Where data sets are kept.

use std::path::PathBuf;

use clap::Args;

/// Where data sets are kept.
#[derive(Debug, Args)]
pub struct DataDirArgs {
    /// The folder below which data sets are kept
    #[arg(long, env = "SECANT_DATA", default_value = "data", value_name = "DIR")]
    pub data_dir: PathBuf,
}
