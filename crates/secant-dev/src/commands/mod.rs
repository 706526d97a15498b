//! The subcommands: arguments in, exit code out.

mod bench;
mod suite;
mod trace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The developers' tools of secant.
#[derive(Debug, Parser)]
#[command(name = "secant-dev", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

// A command without a line here is explained where its arguments are.
#[derive(Debug, Subcommand)]
enum Command {
    /// Time what an optimizer costs
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    Suite(suite::SuiteArgs),
    Trace(trace::TraceArgs),
}

/// Runs the command that the arguments name.
///
/// # Errors
/// One sentence for the user.
pub fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    match &cli.command {
        Command::Bench(command) => bench::run(command),
        Command::Suite(args) => suite::run(args),
        Command::Trace(args) => trace::run(args),
    }
}
