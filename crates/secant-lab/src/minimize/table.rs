//! Runs as a table, and as lines of JSON.

use serde::Serialize;

use super::Run;
use crate::report::{ABSENT, short, time};

const HEADINGS: [&str; 9] =
    ["method", "status", "rate", "evaluations", "products", "steps", "seconds", "f", "|g|/|g0|"];
/// Columns of words, which begin at the left.
const WORDS: usize = 2;

/// The table, a line for each run in the order given.
pub fn plain_text(runs: &[Run]) -> String {
    let rows: Vec<[String; HEADINGS.len()]> =
        std::iter::once(HEADINGS.map(str::to_owned)).chain(runs.iter().map(row)).collect();
    let widths: [usize; HEADINGS.len()] =
        std::array::from_fn(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; HEADINGS.len()]| {
        let cells = row.iter().zip(widths).enumerate().map(|(i, (cell, width))| {
            if i < WORDS { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let rule = widths.map(|width| "─".repeat(width)).join("  ");
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.insert(1, rule);
    lines.join("\n") + "\n"
}

fn row(run: &Run) -> [String; HEADINGS.len()] {
    [
        run.method.clone(),
        run.status.name().to_owned(),
        short(run.lr),
        run.evaluations.to_string(),
        run.hessian_products.to_string(),
        run.steps.to_string(),
        time(run.seconds),
        value(run.value),
        if run.relative_gradient_norm.is_finite() {
            format!("{:.1e}", run.relative_gradient_norm)
        } else {
            ABSENT.to_owned()
        },
    ]
}

/// Eight decimals, since methods differ in the last ones; powers of ten for what has no use of them.
fn value(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => ABSENT.to_owned(),
        0.0 => "0".to_owned(),
        1e-3..1e6 => format!("{value:.8}"),
        _ => format!("{value:.2e}"),
    }
}

/// A run as programs read it.
#[derive(Serialize)]
struct Record<'a> {
    problem: &'static str,
    method: &'a str,
    status: &'static str,
    lr: f64,
    evaluations: u64,
    hessian_products: u64,
    steps: u64,
    iterations: u64,
    seconds: f64,
    value: f64,
    f: f64,
    gradient_norm: f64,
    relative_gradient_norm: f64,
}

/// One run as a line of JSON; numbers that are not finite are null.
///
/// # Errors
/// None that is known.
pub fn json_line(problem: &'static str, run: &Run) -> serde_json::Result<String> {
    serde_json::to_string(&Record {
        problem,
        method: &run.method,
        status: run.status.name(),
        lr: run.lr,
        evaluations: run.evaluations,
        hessian_products: run.hessian_products,
        steps: run.steps,
        iterations: run.steps,
        seconds: run.seconds,
        value: run.value,
        f: run.value,
        gradient_norm: run.gradient_norm,
        relative_gradient_norm: run.relative_gradient_norm,
    })
}
