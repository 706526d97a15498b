//! `secant data fetch NAME`.

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use secant_data::{Progress, fetch::fetch, locate::named};

#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    /// Download a data set from its usual public location and verify its checksums
    Fetch {
        /// The data set: mnist or fashion-mnist
        #[arg(value_parser = parse_name)]
        name: String,
        /// The folder below which data sets are kept; made if need be
        #[arg(long, env = "SECANT_DATA", default_value = "data", value_name = "DIR")]
        data_dir: PathBuf,
        /// Another address of the same files, such as a mirror [default: the publisher's]
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
    },
}

fn parse_name(name: &str) -> Result<String, String> {
    named(name).map(|set| set.name.to_string()).map_err(|error| error.to_string())
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
