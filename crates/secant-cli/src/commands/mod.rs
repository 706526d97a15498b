//! The subcommands: arguments in, exit code out.

mod compare;
mod data;
pub mod data_dir;
mod experiments;
mod lists;
mod manual;
mod minimize;
mod predict;
mod report;
mod run;
mod running;
mod runs;
mod source;
pub mod store;
mod table;
mod train;

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
    Compare(Box<compare::CompareArgs>),
    Run(run::RunArgs),
    Experiments(experiments::ExperimentsArgs),
    Train(train::TrainArgs),
    Eval(train::EvalArgs),
    Predict(predict::PredictArgs),
    Optimizers(lists::OptimizersArgs),
    Problems(lists::ProblemsArgs),
    Runs(runs::RunsArgs),
    Report(report::ReportArgs),
    /// Get data sets, and see how files of your own are understood
    #[command(subcommand)]
    Data(data::DataCommand),
    Minimize(minimize::MinimizeArgs),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

/// Runs the command that the arguments name.
///
/// # Errors
/// One sentence for the user; the exit code is then 1, or 2 for a mistake in the arguments.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Compare(args) => compare::run(*args),
        Command::Run(args) => run::run(&args),
        Command::Experiments(args) => experiments::run(&args),
        Command::Train(args) => train::train(&args),
        Command::Eval(args) => train::eval(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Optimizers(args) => lists::optimizers(&args),
        Command::Problems(args) => lists::problems(&args),
        Command::Runs(args) => runs::run(args),
        Command::Report(args) => report::run(&args),
        Command::Data(command) => data::run(&command),
        Command::Minimize(args) => minimize::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    }
}
