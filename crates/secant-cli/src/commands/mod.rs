//! The subcommands: arguments in, exit code out.

mod compare;
mod data;
mod lists;
mod minimize;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Finds out, fairly, which optimizer suits a problem.
#[derive(Debug, Parser)]
#[command(name = "secant", version, about, long_about = LONG_ABOUT, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const LONG_ABOUT: &str = "Finds out, fairly, which optimizer suits a problem.

Start with `secant compare`: it needs no file and no network, and takes a few minutes.
Then try your own data: `secant compare --csv FILE --target COLUMN`.";

// A command without a line here is explained where its arguments are.
#[derive(Debug, Subcommand)]
enum Command {
    Compare(compare::CompareArgs),
    Optimizers(lists::OptimizersArgs),
    /// List the problems that need no file of your own
    Problems,
    /// Get the data of the problems that need some
    #[command(subcommand)]
    Data(data::DataCommand),
    Minimize(minimize::MinimizeArgs),
}

/// Runs the command that the arguments name.
///
/// # Errors
/// One sentence for the user; the exit code is then 1.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Compare(args) => compare::run(args),
        Command::Optimizers(args) => lists::optimizers(&args),
        Command::Problems => lists::problems(),
        Command::Data(command) => data::run(&command),
        Command::Minimize(args) => minimize::run(&args),
    }
}
