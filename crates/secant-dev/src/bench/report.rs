//! Measurements as a table and as JSON.

use std::fmt::Write;

use serde_json::json;

use super::Measurement;

/// One line of JSON; keys do not change their meaning.
pub fn json_line(m: &Measurement, threads: usize) -> String {
    let traffic = m.method.traffic(m.guard);
    json!({
        "method": m.method.to_string(),
        "shapes": m.shapes.name(),
        "guard": m.guard,
        "threads": threads,
        "rounds": m.rounds,
        "median_seconds": m.median_seconds,
        "minimum_seconds": m.minimum_seconds,
        "reads": traffic.map(|traffic| traffic.reads),
        "writes": traffic.map(|traffic| traffic.writes),
        "bytes": m.bytes,
        "bandwidth_bytes_per_second": m.bandwidth,
        "fraction": m.fraction,
        "by_adam": m.by_adam,
        "by_burn_adam": m.by_burn_adam,
        "state_bytes": m.state_bytes,
    })
    .to_string()
}

const HEADINGS: [&str; 8] =
    ["method", "guard", "ms", "GB/s", "of memory", "x Adam", "x Burn's Adam", "state MB"];

/// A table for people.
pub fn table(measurements: &[Measurement], threads: usize) -> String {
    let mut text = String::new();
    let Some(first) = measurements.first() else { return text };
    let (tensors, numbers) = (first.shapes.list().len(), first.shapes.num_elements());
    let gigabytes = first.bandwidth * 1e-9;
    let rows: Vec<[String; 8]> = measurements.iter().map(row).collect();
    let head = HEADINGS.map(str::to_string);
    let lines = std::iter::once(&head).chain(&rows);
    let width = |column: usize| {
        lines.clone().map(|line| line[column].chars().count()).max().unwrap_or_default()
    };
    let widths: [usize; 8] = std::array::from_fn(width);
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{}: tensors {tensors}, numbers {numbers}, threads {threads}, memory {gigabytes:.1} GB/s",
        first.shapes.name(),
    );
    for line in lines {
        let _ = write!(text, "{:<width$}  {:<5}", line[0], line[1], width = widths[0]);
        for (cell, width) in line.iter().zip(widths).skip(2) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
    }
    text
}

fn row(m: &Measurement) -> [String; 8] {
    let digits = |number: Option<f64>, decimals: usize| {
        number.map_or_else(|| "-".into(), |number| format!("{number:.decimals$}"))
    };
    let guard = match (m.method.has_guard(), m.guard) {
        (false, _) => "-",
        (true, true) => "on",
        (true, false) => "off",
    };
    [
        m.method.to_string(),
        guard.into(),
        format!("{:.3}", m.median_seconds * 1e3),
        digits(m.bytes.map(|bytes| bytes as f64 / m.median_seconds * 1e-9), 1),
        digits(m.fraction, 2),
        digits(m.by_adam, 3),
        digits(m.by_burn_adam, 3),
        digits(m.state_bytes.map(|bytes| bytes as f64 * 1e-6), 1),
    ]
}
