//! The columns of the summary table, the same in every form.

use super::format::{ABSENT, estimate, grouped, short, time};
use super::statistics::Estimate;
use super::summary::{OptimizerSummary, Summary};

/// One column: its heading, and the text of a method in it.
pub struct Column {
    /// The first line of the heading.
    pub heading: &'static str,
    /// The second line of the heading: the unit, or what it is counted to.
    pub unit: &'static str,
    /// The text of one method.
    pub text: fn(&OptimizerSummary) -> String,
}

/// The columns that fit in a terminal; those of two classes come after the accuracy.
pub fn main_columns(summary: &Summary) -> Vec<&'static Column> {
    let two = summary.optimizers.iter().any(|entry| entry.balanced_accuracy.is_some());
    let (first, rest) = MAIN.split_at(3);
    first.iter().chain(if two { &TWO_CLASSES[..] } else { &[] }).chain(rest).collect()
}

static MAIN: [Column; 7] = [
    Column { heading: "optimizer", unit: "", text: |entry| entry.name.clone() },
    Column {
        heading: "best",
        unit: "rate",
        text: |entry| entry.best_rate.map_or(ABSENT.into(), short),
    },
    Column { heading: "test accuracy", unit: "%", text: |entry| in_percent(entry.test_accuracy) },
    Column { heading: "test loss", unit: "", text: test_loss },
    Column { heading: "gradients", unit: "to target", text: gradients_to_target },
    Column {
        heading: "seconds",
        unit: "to target",
        text: |entry| entry.target.map_or(ABSENT.into(), |cost| time(cost.seconds)),
    },
    Column {
        heading: "step",
        unit: "ms",
        text: |entry| entry.step_seconds.map_or(ABSENT.into(), |seconds| time(seconds * 1e3)),
    },
];

static TWO_CLASSES: [Column; 3] = [
    Column { heading: "balanced", unit: "%", text: |entry| in_percent(entry.balanced_accuracy) },
    Column { heading: "F1", unit: "%", text: |entry| in_percent(entry.f1) },
    Column { heading: "AUC", unit: "%", text: |entry| in_percent(entry.auc) },
];

fn in_percent(share: Option<Estimate>) -> String {
    share.map_or(ABSENT.into(), |share| estimate(share.scaled(100.0), 2))
}

/// The columns that only a page has room for.
pub static EXTRA: [Column; 3] = [
    Column {
        heading: "epochs",
        unit: "to target",
        text: |entry| entry.target.map_or(ABSENT.into(), |cost| short(cost.epochs)),
    },
    Column {
        heading: "diverged",
        unit: "runs",
        text: |entry| format!("{} of {}", entry.diverged, entry.runs),
    },
    Column {
        heading: "rejected",
        unit: "steps",
        text: |entry| grouped(entry.rejected_steps as f64),
    },
];

/// The loss; in brackets the runs behind it where some have none.
fn test_loss(entry: &OptimizerSummary) -> String {
    let Some(loss) = entry.test_loss else {
        return ABSENT.into();
    };
    let text = estimate(loss, 4);
    with_share(text, loss.count, entry.runs)
}

/// The gradients; in brackets the runs that reached the target where some did not.
fn gradients_to_target(entry: &OptimizerSummary) -> String {
    let Some(cost) = entry.target else {
        return ABSENT.into();
    };
    with_share(grouped(cost.gradient_evaluations), cost.reached, entry.runs)
}

fn with_share(text: String, part: usize, whole: usize) -> String {
    if part == whole { text } else { format!("{text} ({part}/{whole})") }
}
