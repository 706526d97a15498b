//! What it cost to reach the target.

use super::summary::RunsOf;
use crate::{
    Metric,
    record::{Design, Point, Run, Trial},
    statistics::{median, quantile},
};

/// The cost of the target: medians over the runs that reached it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetCost {
    /// How many runs reached it.
    pub reached: usize,
    /// Gradient evaluations until then, in records.
    pub evaluations: Spread,
    /// Passes over the training records until then.
    pub epochs: Spread,
    /// Seconds of training until then.
    pub seconds: Spread,
}

/// A median with the least and the largest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            median: median(values)?,
            least: quantile(values, 0.0)?,
            most: quantile(values, 1.0)?,
        })
    }
}

/// How much of the way from the baseline to the best trial the target lies.
const SHARE_OF_WAY: f64 = 0.8;

/// The target: the user's or the problem's, else one that the tuning trials suggest, or without trials the
/// runs; none where nothing is better than the baseline.
pub(super) fn target(design: &Design, trials: &[Trial], runs: &[Run]) -> Option<f64> {
    if design.target.is_some() {
        return design.target;
    }
    let (place, metric) = (design.ranked_by, &design.metrics[design.ranked_by]);
    let at = |values: &[Option<f64>]| values.get(place).copied().flatten();
    let better = |a: f64, b: f64| if metric.is_better(b, a) { b } else { a };
    let of_trials = trials.iter().filter(|trial| trial.trained).filter_map(|t| at(&t.validation));
    let of_runs = runs.iter().filter(|run| run.trained).filter_map(|run| at(&run.validation));
    let best = of_trials.reduce(better).or_else(|| of_runs.reduce(better))?;
    let start = runs.iter().find_map(|run| at(&run.curve.first()?.validation));
    let from = at(&design.validation_baseline).or(start)?;
    let target = from + SHARE_OF_WAY * (best - from);
    metric.is_better(target, from).then_some(target)
}

impl TargetCost {
    /// The cost over these runs; none where none reached it.
    pub(super) fn of(metric: &Metric, place: usize, runs: &RunsOf, target: f64) -> Option<Self> {
        let reached: Vec<[f64; 3]> =
            runs.iter().filter_map(|run| crossing(metric, place, &run.curve, target)).collect();
        let spread = |cost: usize| Spread::of(&reached.iter().map(|c| c[cost]).collect::<Vec<_>>());
        Some(Self {
            reached: reached.len(),
            evaluations: spread(0)?,
            epochs: spread(1)?,
            seconds: spread(2)?,
        })
    }
}

/// Evaluations, epochs and seconds at which a curve first reaches the target, between two points in
/// proportion.
fn crossing(metric: &Metric, place: usize, curve: &[Point], target: f64) -> Option<[f64; 3]> {
    let costs = |point: &Point| [point.evaluations, point.epoch, point.seconds];
    let value = |point: &Point| point.validation.get(place).copied().flatten();
    let has_reached = |point: &&Point| value(point).is_some_and(|v| metric.gain(v, target) >= 0.0);
    let at = curve.iter().position(|point| has_reached(&point))?;
    let after = &curve[at];
    let Some(before) = at.checked_sub(1).map(|before| &curve[before]) else {
        return Some(costs(after));
    };
    let part = match (value(before), value(after)) {
        (Some(low), Some(high)) => (target - low) / (high - low),
        _ => 1.0,
    };
    let (from, to) = (costs(before), costs(after));
    Some([0, 1, 2].map(|k| from[k] + part * (to[k] - from[k])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: &[f64]) -> Vec<Point> {
        let point = |(k, value): (usize, &f64)| Point {
            evaluations: 100.0 * k as f64,
            epoch: k as f64,
            steps: k as u64,
            seconds: 2.0 * k as f64,
            train_loss: None,
            validation: vec![Some(1.0 - value), Some(*value)],
            gradient_norm: None,
            step_length: None,
        };
        values.iter().enumerate().map(point).collect()
    }

    #[test]
    fn a_crossing_lies_between_two_points_in_proportion() {
        let metric = Metric::share("accuracy");
        let found = |target| crossing(&metric, 1, &curve(&[0.1, 0.5, 0.9, 0.7]), target);
        assert_eq!(found(0.7), Some([150.0, 1.5, 3.0]));
        assert_eq!(found(0.5), Some([100.0, 1.0, 2.0]));
        assert_eq!(found(0.05), Some([0.0, 0.0, 0.0]));
        assert_eq!(found(0.95), None);
        // Of a loss, less is better.
        let loss = Metric::loss();
        let found = crossing(&loss, 0, &curve(&[0.1, 0.5, 0.9]), 0.3).expect("a crossing");
        assert!((found[0] - 150.0).abs() < 1e-9, "{found:?}");
    }
}
