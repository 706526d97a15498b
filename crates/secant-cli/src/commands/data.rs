//! `secant data fetch NAME` and `secant data inspect FILE`.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::Subcommand;

use secant_data::{Precision, Progress, fetch::fetch, inspect, locate::named};

use super::table::TableArgs;

#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    /// Download a data set from its usual public location and verify its checksums
    Fetch {
        /// The data set: mnist, fashion-mnist, cifar-10 or svhn
        #[arg(value_parser = parse_name)]
        name: String,
        /// The folder below which data sets are kept; made if need be
        #[arg(long, env = "SECANT_DATA", default_value = "data", value_name = "DIR")]
        data_dir: PathBuf,
        /// Another address of the same files, such as a mirror [default: the publisher's]
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
    },
    /// Show how a table of your own is understood: how it is written, what every column is and what it
    /// is used as
    Inspect {
        /// The table: CSV, TSV, ARFF and the like, plain or packed; - is standard input
        file: PathBuf,
        #[command(flatten)]
        table: TableArgs,
        /// The number type of the inputs: f32 or f64
        #[arg(long, default_value = "f32")]
        precision: Precision,
    },
}

fn parse_name(name: &str) -> Result<String, String> {
    named(name).map(|set| set.name.to_string()).map_err(|error| error.to_string())
}

pub(super) fn run(command: &DataCommand) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match command {
        DataCommand::Fetch { name, data_dir, base_url } => {
            let fetched = fetch(name, data_dir, base_url.as_deref(), Progress::Shown)?;
            let (new, kept) = (fetched.downloaded.len(), fetched.kept.len());
            let folder = fetched.folder.display();
            writeln!(
                out,
                "{name} is in {folder}: {new} files downloaded, {kept} were there and right"
            )?;
        }
        DataCommand::Inspect { file, table, precision } => {
            write!(out, "{}", inspect(file, &table.options(*precision))?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
