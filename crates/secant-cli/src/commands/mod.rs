//! The subcommands: arguments in, exit code out.

mod bench;
mod trace;

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

Start with `secant compare`: it needs no file and no network, and takes less than two minutes.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Time what an optimizer costs
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Replay a reference trace and print the largest relative deviation
    Trace(trace::TraceArgs),
}

/// Runs the command that the arguments name.
///
/// # Errors
/// One sentence for the user; the exit code is then 1.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Bench(command) => bench::run(&command),
        Command::Trace(args) => trace::run(&args),
    }
}
