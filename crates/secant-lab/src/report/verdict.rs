//! Which methods are best, and which cannot be told from the best.

use std::cmp::Ordering;

use serde::Serialize;

use super::summary::MethodSummary;
use crate::{
    Direction, Metric, Range,
    record::{Design, Run},
    statistics::{Difference, Interval, seeds_to_decide},
};

/// Where a method stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The best.
    Best,
    /// It cannot be told from the best.
    Tie,
    /// The best is better beyond the interval.
    Worse,
    /// It is no better than what needs no training.
    NotAboveBaseline,
    /// In one of its runs a loss was not finite, or neither the training loss nor the validation loss fell.
    Untrained,
    /// No run has finished.
    NoRuns,
}

/// What the comparison came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The best method, and those that cannot be told from it.
    Winners {
        /// The best.
        best: String,
        /// Its ties.
        ties: Vec<String>,
    },
    /// Every method is no better than what needs no training.
    NoneBeatsBaseline,
    /// No method trained in all its runs.
    NothingTrained,
    /// No run has finished.
    NoRuns,
}

impl Verdict {
    /// Gives every method its standing and its difference to the best, and sorts them, the best first.
    pub(super) fn of(design: &Design, methods: &mut [MethodSummary]) -> Self {
        let metric = &design.metrics[design.ranked_by];
        let baseline = design.baseline.get(design.ranked_by).copied().flatten();
        for method in methods.iter_mut() {
            method.standing = first_standing(metric, method, baseline);
        }
        methods.sort_by(|a, b| order(metric, a, b));
        let is_eligible = |method: &&MethodSummary| method.standing == Standing::Tie;
        let Some(best) = methods.iter().find(is_eligible).cloned() else {
            return Self::without_winner(methods);
        };
        let together = methods.iter().filter(is_eligible).count().saturating_sub(1).max(1);
        let margin = resolution(design, best.ranked);
        for method in methods.iter_mut() {
            let difference = paired(metric, design.ranked_by, method, &best, together);
            method.to_best = difference.filter(|_| method.name != best.name);
            method.standing = match (method.standing, &method.to_best) {
                (Standing::Tie, None) => Standing::Best,
                (Standing::Tie, Some(difference)) if difference.is_below(margin) => Standing::Worse,
                (standing, _) => standing,
            };
        }
        let ties = methods.iter().filter(|method| method.standing == Standing::Tie);
        Self::Winners { best: best.name, ties: ties.map(|method| method.name.clone()).collect() }
    }

    fn without_winner(methods: &[MethodSummary]) -> Self {
        let any = |standing| methods.iter().any(|method| method.standing == standing);
        if any(Standing::NotAboveBaseline) {
            Self::NoneBeatsBaseline
        } else if any(Standing::Untrained) {
            Self::NothingTrained
        } else {
            Self::NoRuns
        }
    }

    /// Whether a method won.
    pub fn has_winner(&self) -> bool {
        matches!(self, Self::Winners { .. })
    }
}

/// What a method is before the differences to the best are known; a tie is one that may win.
fn first_standing(metric: &Metric, method: &MethodSummary, baseline: Option<f64>) -> Standing {
    let Some(value) = method.ranked.filter(|_| method.runs > 0) else {
        return if method.runs == 0 { Standing::NoRuns } else { Standing::Untrained };
    };
    if method.trained < method.runs {
        Standing::Untrained
    } else if baseline.is_some_and(|baseline| !metric.is_better(value.mean, baseline)) {
        Standing::NotAboveBaseline
    } else {
        Standing::Tie
    }
}

/// Those that may win first, by their mean; then the others, by theirs.
fn order(metric: &Metric, a: &MethodSummary, b: &MethodSummary) -> Ordering {
    let group = |method: &MethodSummary| match method.standing {
        Standing::Best | Standing::Tie | Standing::Worse => 0,
        Standing::NotAboveBaseline => 1,
        Standing::Untrained => 2,
        Standing::NoRuns => 3,
    };
    let value = |method: &MethodSummary| {
        method.ranked.map_or(f64::NEG_INFINITY, |value| metric.gain(value.mean, 0.0))
    };
    group(a).cmp(&group(b)).then(value(b).total_cmp(&value(a)))
}

/// How much better `method` is than `other` by the metric at `place`, over the seeds that both have: by how many
/// times where the metric is an error, which is above 0 in all runs.
pub(super) fn paired(
    metric: &Metric,
    place: usize,
    method: &MethodSummary,
    other: &MethodSummary,
    together: usize,
) -> Option<Difference> {
    let value = |run: &Run| run.test.get(place).copied().flatten();
    let pairs: Vec<[f64; 2]> = method
        .records
        .iter()
        .filter_map(|run| {
            let same = other.records.iter().find(|theirs| theirs.seed == run.seed)?;
            Some(better_first(metric, [value(run)?, value(same)?]))
        })
        .collect();
    if metric.range == Range::Positive && pairs.iter().flatten().all(|value| *value > 0.0) {
        return Difference::of_logarithms(&pairs, together);
    }
    let gains: Vec<f64> = pairs.iter().map(|[a, b]| a - b).collect();
    Difference::of(&gains, metric.range, together)
}

/// The difference that counts as none: of shares over the test records the standard error of a difference between
/// two, as other records of the same kind would have moved it as far; of other metrics 0.
pub(super) fn resolution(design: &Design, best: Option<Interval>) -> f64 {
    match (design.metrics[design.ranked_by].range, best) {
        (Range::Share, Some(Interval { mean, .. })) if (0.0..=1.0).contains(&mean) => {
            (2.0 * mean * (1.0 - mean) / design.test_records as f64).sqrt()
        }
        _ => 0.0,
    }
}

/// Ours and theirs in such an order that the first is the larger one if ours is the better.
fn better_first(metric: &Metric, [ours, theirs]: [f64; 2]) -> [f64; 2] {
    match metric.direction {
        Direction::Higher => [ours, theirs],
        Direction::Lower => [theirs, ours],
    }
}

/// The least number of seeds that would tell one of the ties from the best, if means and spreads stay.
pub(super) fn seeds_for_more(methods: &[MethodSummary], margin: f64) -> Option<usize> {
    let rivals = methods.iter().filter(|method| method.to_best.is_some());
    let together = rivals.clone().count().max(1);
    let ties = rivals.filter(|method| method.standing == Standing::Tie);
    ties.filter_map(|method| seeds_to_decide(method.to_best.as_ref()?, margin, together)).min()
}
