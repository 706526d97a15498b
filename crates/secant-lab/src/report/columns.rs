//! The columns of the summary table, the same in every form.

use super::{
    format::{ABSENT, difference_cell, grouped, interval_cell, short, time},
    summary::{MethodSummary, Summary},
    target::Spread,
    verdict::Standing,
};

/// One column: its heading, and the text of a method in it.
pub struct Column {
    /// The first line of the heading.
    pub heading: String,
    /// The second line of the heading: the unit, or what it is counted to.
    pub unit: String,
    /// Columns of a high number are the first to be left out where there is no room.
    pub rank: u8,
    /// The texts of the methods, in the summary's order.
    pub cells: Vec<String>,
    /// The text of the baseline.
    pub baseline: String,
}

/// All columns, in their order.
pub fn columns(summary: &Summary) -> Vec<Column> {
    let mut all = vec![
        name(summary),
        of(summary, "", "", 0, |method| sign(method.standing).to_string()),
        metric(summary, summary.design.ranked_by, 1),
    ];
    all[1].baseline = String::new();
    all.push(of(summary, "to the best", unit(summary), 2, |method| {
        difference_cell(summary.metric(), method.to_best.as_ref())
    }));
    if summary.methods.iter().any(|method| method.to_adam.is_some()) {
        all.push(of(summary, "to adam", unit(summary), 8, |method| {
            difference_cell(summary.metric(), method.to_adam.as_ref())
        }));
    }
    all.push(of(summary, "best", "rate", 3, |method| {
        method.best_rate.map_or(ABSENT.into(), short)
    }));
    if summary.design.ranked_by != 0 {
        all.push(metric(summary, 0, 6));
    }
    if summary.target.is_some() {
        all.push(of(summary, "evaluations", "to target", 4, evaluations_to_target));
        all.push(of(summary, "seconds", "to target", 7, |method| {
            method.target.map_or(ABSENT.into(), |cost| time(cost.seconds.median))
        }));
    }
    all.push(of(summary, "step", "ms", 5, step_time));
    let others = (1..summary.design.metrics.len()).filter(|&m| m != summary.design.ranked_by);
    all.extend(others.map(|place| metric(summary, place, 9)));
    if summary.methods.iter().any(|method| method.trained < method.runs) {
        all.push(of(summary, "trained", "runs", 3, |method| {
            format!("{} of {}", method.trained, method.runs)
        }));
    }
    all
}

/// How a method stands, as a sign after its name.
pub fn sign(standing: Standing) -> &'static str {
    match standing {
        Standing::Best => "*",
        Standing::Tie => "=",
        Standing::Worse => "",
        Standing::NotAboveBaseline | Standing::Untrained | Standing::NoRuns => "!",
    }
}

fn name(summary: &Summary) -> Column {
    let column = of(summary, "optimizer", "", 0, |method| method.settings.clone());
    Column { baseline: format!("({})", summary.design.baseline_name), ..column }
}

fn metric(summary: &Summary, place: usize, rank: u8) -> Column {
    let metric = &summary.design.metrics[place];
    let unit = if metric.is_in_percent() { "%" } else { "" };
    let cell = |method: &MethodSummary| interval_cell(metric, method.metrics[place]);
    let column = of(summary, &format!("test {}", metric.name), unit, rank, cell);
    let baseline = summary.design.baseline.get(place).copied().flatten();
    let baseline = baseline.map_or(ABSENT.into(), |value| super::format::cell(metric, value));
    Column { baseline, ..column }
}

fn of(
    summary: &Summary,
    heading: &str,
    unit: &str,
    rank: u8,
    cell: impl Fn(&MethodSummary) -> String,
) -> Column {
    Column {
        heading: heading.to_string(),
        unit: unit.to_string(),
        rank,
        cells: summary.methods.iter().map(cell).collect(),
        baseline: ABSENT.to_string(),
    }
}

fn unit(summary: &Summary) -> &'static str {
    if summary.metric().is_in_percent() { "points" } else { "" }
}

/// The evaluations; in brackets the runs that reached the target where some did not.
fn evaluations_to_target(method: &MethodSummary) -> String {
    let Some(cost) = &method.target else { return ABSENT.into() };
    let Spread { median, .. } = cost.evaluations;
    if cost.reached == method.runs {
        grouped(median)
    } else {
        format!("{} ({}/{})", grouped(median), cost.reached, method.runs)
    }
}

/// The time of a step; with a sign where the machine was busy.
fn step_time(method: &MethodSummary) -> String {
    let Some(step) = &method.step else { return ABSENT.into() };
    format!("{}{}", time(1e3 * step.seconds), if step.busy { "?" } else { "" })
}
