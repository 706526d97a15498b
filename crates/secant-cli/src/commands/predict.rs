//! `secant predict MODEL FILE`.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::Args;
use secant_data::Header;
use secant_lab::supervised::predict;

/// Says what a model that was trained on a table foretells for the records of another table.
///
/// The columns are found by their names and become inputs as in training; the target need not be there.
/// Prints CSV, one line a record in the table's order: the prediction and, for classes, the probability
/// of each. What is odd about the table is said on standard error.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct PredictArgs {
    /// The model, from `secant train --csv`
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// The table: CSV, TSV, ARFF and the like, plain or packed; - is standard input
    #[arg(value_name = "FILE")]
    table: PathBuf,
    /// Whether the table's first line names the columns: auto, yes or no
    #[arg(long, default_value = "auto")]
    header: Header,
}

const EXAMPLE: &str = "Example:
  secant train --csv wine.csv --target quality --out wine.safetensors
  secant predict wine.safetensors new-wines.csv > predictions.csv";

pub(super) fn run(args: &PredictArgs) -> anyhow::Result<ExitCode> {
    let predictions = predict(&args.model, &args.table, args.header)?;
    for warning in &predictions.warnings {
        eprintln!("secant: data: {warning}");
    }
    std::io::stdout().lock().write_all(predictions.csv().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
