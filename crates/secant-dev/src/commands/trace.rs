//! `secant-dev trace FILE`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde::Serialize;

use crate::trace::{
    Optimality, ProductTrace, Reference, SubproblemTrace, Trace, replay, replay_product,
    replay_subproblem,
};

/// Checks the optimizers against recorded steps of other implementations (reference traces).
///
/// Repeats the steps of each trace in its number type and prints the largest relative deviation of
/// losses and parameters; of a Hessian product (kind `hvp`), that of loss, gradient and product; of a
/// trust-region subproblem (kind `trust_region`), that of step, multiplier and model value, and how far
/// the step is from meeting the conditions of a solution.
///
/// The exit code is 1 if one is out of the tolerance in its file.
#[derive(Debug, Args)]
pub(super) struct TraceArgs {
    /// The trace files, in JSON
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the repeated steps as JSON lines (step, loss, params) instead of comparing, the
    /// product (loss, grad, hvp), or the solution (p, sigma, model_value, accepted, solution,
    /// residual, complementarity, feasibility)
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
    match Reference::read(file)? {
        Reference::Steps(trace) => steps(&trace, emit),
        Reference::Product(trace) => product(&trace, emit),
        Reference::Subproblem(trace) => subproblem(&trace, emit),
    }
}

fn steps(trace: &Trace, emit: bool) -> anyhow::Result<bool> {
    let replay = replay(trace)?;
    if emit {
        return print_lines(&replay.steps);
    }
    let (steps, worst) = (replay.steps.len(), replay.worst_step);
    let place = format!(" at step {worst} of {steps}");
    print_verdict(trace.name(), replay.deviation, &place, trace.tolerance())
}

fn product(trace: &ProductTrace, emit: bool) -> anyhow::Result<bool> {
    let replay = replay_product(trace)?;
    if emit {
        return print_lines(&[replay.record]);
    }
    print_verdict(trace.name(), replay.deviation, "", trace.tolerance())
}

fn subproblem(trace: &SubproblemTrace, emit: bool) -> anyhow::Result<bool> {
    let replay = replay_subproblem(trace)?;
    if emit {
        return print_lines(&[replay.record]);
    }
    let Optimality { residual, complementarity, feasibility } = replay.record.optimality;
    let conditions = format!(
        " (residual {residual:.0e}, complementarity {complementarity:.0e}, feasibility {feasibility:.0e})"
    );
    print_verdict(trace.name(), replay.deviation, &conditions, trace.tolerance())
}

fn print_lines<T: Serialize>(records: &[T]) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    for record in records {
        writeln!(out, "{}", serde_json::to_string(record)?)?;
    }
    Ok(true)
}

fn print_verdict(name: &str, deviation: f64, place: &str, tolerance: f64) -> anyhow::Result<bool> {
    let within = deviation <= tolerance;
    let verdict = if within { "ok" } else { "OUT OF TOLERANCE" };
    writeln!(
        std::io::stdout().lock(),
        "{verdict:<3} {name}: largest deviation {deviation:.1e}{place}, tolerance {tolerance:.1e}"
    )?;
    Ok(within)
}
