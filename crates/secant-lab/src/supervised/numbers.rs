//! What a network that foretells a number is judged by.

use crate::{
    Direction, Metric, Range,
    statistics::{mean, standard_deviation},
};

/// How targets are scaled for training: to mean 0 and deviation 1 of the training records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) mean: f64,
    pub(super) deviation: f64,
}

/// RMSE among [`metrics`].
pub(super) const RANKED_BY: usize = 1;

/// The loss is of scaled targets; the others are in the target's own unit.
pub(super) fn metrics() -> Vec<Metric> {
    vec![
        Metric::loss(),
        Metric::error("RMSE"),
        Metric::error("MAE"),
        Metric::new("R2", Direction::Higher, Range::AtMostOne),
    ]
}

impl Scale {
    /// Of the training records' targets.
    pub(super) fn of(values: &[f64]) -> Self {
        let mean = mean(values).unwrap_or(0.0);
        let deviation = standard_deviation(values).filter(|d| *d > 1e-12 * mean.abs());
        Self { mean, deviation: deviation.unwrap_or(1.0) }
    }

    pub(super) fn scaled(&self, value: f64) -> f64 {
        (value - self.mean) / self.deviation
    }

    /// The metrics of scaled outputs for targets as they are.
    pub(super) fn measure(&self, outputs: &[f64], targets: &[f64]) -> Vec<f64> {
        let count = targets.len() as f64;
        let errors =
            || outputs.iter().zip(targets).map(|(x, y)| x * self.deviation + self.mean - y);
        let squares = errors().map(|error| error * error).sum::<f64>() / count;
        let centre = targets.iter().sum::<f64>() / count;
        let spread = targets.iter().map(|y| (y - centre).powi(2)).sum::<f64>() / count;
        vec![
            squares / self.deviation.powi(2),
            squares.sqrt(),
            errors().map(f64::abs).sum::<f64>() / count,
            1.0 - squares / spread,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_in_the_targets_unit_and_r2_is_the_part_of_the_spread_explained() {
        let scale = Scale::of(&[10.0, 20.0, 30.0]);
        assert_eq!((scale.mean, scale.deviation), (20.0, 10.0));
        // Outputs for 12, 20, 28.
        let found = scale.measure(&[-0.8, 0.0, 0.8], &[10.0, 20.0, 30.0]);
        assert!((found[0] - 8.0 / 300.0).abs() < 1e-12);
        assert!((found[1] - (8.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((found[2] - 4.0 / 3.0).abs() < 1e-12);
        assert!((found[3] - (1.0 - 8.0 / 200.0)).abs() < 1e-12);
    }

    #[test]
    fn the_mean_explains_nothing() {
        let scale = Scale::of(&[1.0, 2.0, 6.0]);
        let found = scale.measure(&[0.0; 3], &[1.0, 2.0, 6.0]);
        assert!(found[3].abs() < 1e-12);
    }
}
