//! What the charts show: measures of the runs over what they cost, and the tuning trials.

use crate::run::record::{Point, Run, Trial};

use super::axis::Scale;
use super::statistics::mean;

/// A quantity that is drawn upwards.
pub struct Measure {
    /// Its name.
    pub name: &'static str,
    /// How its axis is spread.
    pub scale: Scale,
    /// Whether the target of the comparison is one of its values.
    pub has_target: bool,
    /// Its value at a point of a run; `None` where there is none.
    pub of_point: fn(&Point) -> Option<f64>,
}

/// A cost that is drawn to the right.
pub struct Cost {
    /// Its name.
    pub name: &'static str,
    /// Its value at a point of a run.
    pub of_point: fn(&Point) -> f64,
}

/// A result of the tuning trials.
pub struct TuningMeasure {
    /// Its name.
    pub name: &'static str,
    /// How its axis is spread.
    pub scale: Scale,
    /// Its value in a trial; `None` where it was not finite.
    pub of_trial: fn(&Trial) -> Option<f64>,
}

/// The quantities that are drawn over every cost.
pub const MEASURES: [Measure; 4] = [
    Measure {
        name: "Test accuracy",
        scale: Scale::Error,
        has_target: false,
        of_point: |point| Some(point.test_accuracy),
    },
    Measure {
        name: "Validation accuracy",
        scale: Scale::Error,
        has_target: true,
        of_point: |point| Some(point.validation_accuracy),
    },
    Measure {
        name: "Training loss",
        scale: Scale::Logarithmic,
        has_target: false,
        of_point: |point| point.train_loss,
    },
    Measure {
        name: "Validation loss",
        scale: Scale::Logarithmic,
        has_target: false,
        of_point: |point| point.validation_loss,
    },
];

/// The costs that every quantity is drawn over.
pub const COSTS: [Cost; 3] = [
    Cost { name: "gradients of a batch", of_point: |point| point.gradient_evaluations as f64 },
    Cost { name: "epochs", of_point: |point| point.epoch },
    Cost { name: "seconds of training", of_point: |point| point.seconds },
];

/// What is drawn of the tuning trials.
pub const TUNING: [TuningMeasure; 2] = [
    TuningMeasure {
        name: "Validation accuracy after tuning trials",
        scale: Scale::Error,
        of_trial: |trial| trial.validation_accuracy,
    },
    TuningMeasure {
        name: "Validation loss after tuning trials",
        scale: Scale::Logarithmic,
        of_trial: |trial| trial.validation_loss,
    },
];

/// One method in a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The method's place in the comparison's list, which fixes its colour.
    pub slot: usize,
    /// The line, from left to right.
    pub points: Vec<CurvePoint>,
    /// Places on the horizontal axis without a finite value.
    pub failures: Vec<f64>,
    /// The place on the horizontal axis that is marked.
    pub marked: Option<f64>,
}

/// One point of a curve: the mean over seeds, and the seeds around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// The cost or the rate.
    pub x: f64,
    /// The mean.
    pub mean: f64,
    /// The least of the seeds.
    pub least: f64,
    /// The largest of the seeds.
    pub most: f64,
}

/// The mean over the runs of one method, where every run has a value.
///
/// A mean over the runs that are left would rise when a bad one ends, so there is none.
pub fn run_curve(slot: usize, runs: &[&Run], measure: &Measure, cost: &Cost) -> Curve {
    let length = runs.iter().map(|run| run.curve.len()).min().unwrap_or(0);
    let place = |point| Some(((cost.of_point)(point), (measure.of_point)(point)?));
    let at = |i: usize| -> Option<Vec<(f64, f64)>> {
        runs.iter().map(|run| place(run.curve.get(i)?)).collect()
    };
    Curve {
        slot,
        points: (0..length).filter_map(|i| mean_point(&at(i)?)).collect(),
        failures: Vec::new(),
        marked: None,
    }
}

/// The tuning trials of one method over the rate, its best rate marked.
pub fn tuning_curve(
    slot: usize,
    trials: &[&Trial],
    measure: &TuningMeasure,
    best_rate: Option<f64>,
) -> Curve {
    let mut sorted = trials.to_vec();
    sorted.sort_by(|a, b| a.lr.total_cmp(&b.lr));
    let (fine, failed): (Vec<&Trial>, Vec<&Trial>) =
        sorted.into_iter().partition(|trial| (measure.of_trial)(trial).is_some());
    let point = |trial: &Trial| mean_point(&[(trial.lr, (measure.of_trial)(trial)?)]);
    Curve {
        slot,
        points: fine.into_iter().filter_map(point).collect(),
        failures: failed.into_iter().map(|trial| trial.lr).collect(),
        marked: best_rate,
    }
}

fn mean_point(pairs: &[(f64, f64)]) -> Option<CurvePoint> {
    let (costs, values): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    Some(CurvePoint {
        x: mean(&costs)?,
        mean: mean(&values)?,
        least: values.iter().copied().fold(f64::INFINITY, f64::min),
        most: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::report::summary::{runs_of, trials_of};

    #[test]
    fn the_band_runs_from_the_least_to_the_largest_seed() {
        let pairs = [(1.0, 0.2), (2.0, 0.4), (3.0, 0.9)];
        let point = mean_point(&pairs).expect("a point");
        assert_eq!((point.x, point.mean), (2.0, 0.5));
        assert_eq!((point.least, point.most), (0.2, 0.9));
    }

    #[test]
    fn a_line_ends_where_a_seed_has_no_finite_loss() {
        let records = samples::nine_methods();
        let runs = runs_of(&records, "rprop");
        let curve = run_curve(8, &runs, &MEASURES[3], &COSTS[1]);
        let epochs: Vec<f64> = curve.points.iter().map(|point| point.x).collect();
        assert_eq!(epochs, [0.0, 1.0, 2.0]);
    }

    #[test]
    fn the_training_loss_begins_after_the_first_point() {
        let records = samples::nine_methods();
        let runs = runs_of(&records, "adam");
        let curve = run_curve(2, &runs, &MEASURES[2], &COSTS[1]);
        assert_eq!(curve.points[0].x, 1.0);
    }

    #[test]
    fn failed_trials_are_kept_apart_and_rates_are_sorted() {
        let records = samples::nine_methods();
        let mut trials = trials_of(&records, "adam");
        trials.reverse();
        let curve = tuning_curve(2, &trials, &TUNING[1], Some(0.001));
        assert!(curve.points.windows(2).all(|pair| pair[0].x < pair[1].x));
        assert_eq!((curve.points.len(), curve.failures.len()), (6, 1));
    }
}
