//! `secant data fetch NAME`.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use crate::data::{Progress, fetch::fetch};

#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    /// Download a data set from its usual public location and verify its checksums
    Fetch {
        /// mnist or fashion-mnist
        name: String,
        /// The folder below which data sets are kept
        #[arg(long, env = "SECANT_DATA", default_value = "data")]
        data_dir: PathBuf,
        /// Another location of the same files, such as a mirror
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
    },
}

pub(super) fn run(command: &DataCommand) -> anyhow::Result<ExitCode> {
    let DataCommand::Fetch { name, data_dir, base_url } = command;
    let fetched = fetch(name, data_dir, base_url.as_deref(), Progress::Shown)?;
    let (new, kept) = (fetched.downloaded.len(), fetched.kept.len());
    println!(
        "{name} is in {}: {new} files downloaded, {kept} were there and right",
        fetched.folder.display()
    );
    Ok(ExitCode::SUCCESS)
}
