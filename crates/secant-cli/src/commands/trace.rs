//! `secant trace FILE`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use crate::trace::{Trace, replay};

/// Checks the optimizers against recorded steps of other implementations (reference traces).
///
/// Repeats the steps of each trace in its number type and prints the largest relative deviation of
/// losses and parameters. The exit code is 1 if one is out of the tolerance in its file.
#[derive(Debug, Args)]
pub(super) struct TraceArgs {
    /// The trace files, in JSON
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the repeated steps as JSON lines (step, loss, params) instead of comparing
    #[arg(long)]
    emit: bool,
}

pub(super) fn run(args: &TraceArgs) -> anyhow::Result<ExitCode> {
    let mut all_within = true;
    for file in &args.files {
        all_within &= run_one(file, args.emit)?;
    }
    Ok(if all_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_one(file: &Path, emit: bool) -> anyhow::Result<bool> {
    let trace = Trace::read(file)?;
    let replay = replay(&trace)?;
    let mut out = std::io::stdout().lock();
    if emit {
        for step in &replay.steps {
            writeln!(out, "{}", serde_json::to_string(step)?)?;
        }
        return Ok(true);
    }
    let within = replay.deviation <= trace.tolerance();
    let verdict = if within { "ok" } else { "OUT OF TOLERANCE" };
    let (name, steps, worst) = (trace.name(), replay.steps.len(), replay.worst_step);
    let (deviation, tolerance) = (replay.deviation, trace.tolerance());
    writeln!(
        out,
        "{verdict:<3} {name}: largest deviation {deviation:.1e} at step {worst} of {steps}, tolerance {tolerance:.1e}"
    )?;
    Ok(within)
}
