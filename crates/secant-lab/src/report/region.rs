//! What the charts of trust-region methods show: radius, ratio, eigenvalues and batch size over the
//! run.

use crate::run::record::{RegionStep, Run};

use super::axis::Scale;
use super::curves::{Curve, CurvePoint};

/// A quantity of every step.
pub struct RegionMeasure {
    /// Its name.
    pub name: &'static str,
    /// How its axis is spread.
    pub scale: Scale,
    /// Its value in a step; `None` where there is none.
    pub of_step: fn(&RegionStep) -> Option<f64>,
}

/// The quantities that are drawn.
pub const REGION: [RegionMeasure; 6] = [
    RegionMeasure { name: "Radius", scale: Scale::Logarithmic, of_step: |step| Some(step.radius) },
    RegionMeasure {
        name: "Actual by predicted decrease, cut at -1 and 2",
        scale: Scale::Linear,
        of_step: |step| Some(step.ratio.clamp(-1.0, 2.0)),
    },
    RegionMeasure {
        name: "Largest eigenvalue",
        scale: Scale::Logarithmic,
        of_step: |step| Some(step.largest_eigenvalue).filter(|value| *value > 0.0),
    },
    RegionMeasure {
        name: "Smallest eigenvalue where positive",
        scale: Scale::Logarithmic,
        of_step: |step| Some(step.smallest_eigenvalue).filter(|value| *value > 0.0),
    },
    RegionMeasure {
        name: "Smallest eigenvalue where negative, without its sign",
        scale: Scale::Logarithmic,
        of_step: |step| Some(-step.smallest_eigenvalue).filter(|value| *value > 0.0),
    },
    RegionMeasure {
        name: "Batch size",
        scale: Scale::Logarithmic,
        of_step: |step| Some(step.batch_size as f64),
    },
];

/// The most points of a curve: several steps become one point where there are more.
const MOST_POINTS: usize = 150;

/// The mean over the steps and runs of a point, and the least and largest of them.
pub fn region_curve(slot: usize, runs: &[&Run], measure: &RegionMeasure) -> Curve {
    let steps = || runs.iter().flat_map(|run| &run.trust_region);
    let last = steps().map(|step| step.epoch).fold(0.0, f64::max);
    let longest = runs.iter().map(|run| run.trust_region.len()).max().unwrap_or(0);
    let count = longest.clamp(1, MOST_POINTS);
    let mut groups = vec![Vec::new(); count];
    for step in steps() {
        if let Some(value) = (measure.of_step)(step) {
            let place = (step.epoch / last * count as f64).ceil() as usize;
            groups[place.clamp(1, count) - 1].push((step.epoch, value));
        }
    }
    let points = groups.iter().filter(|group| !group.is_empty()).map(|group| point(group));
    Curve { slot, points: points.collect(), failures: Vec::new(), marked: None }
}

fn point(group: &[(f64, f64)]) -> CurvePoint {
    let count = group.len() as f64;
    CurvePoint {
        x: group.iter().map(|(epoch, _)| epoch).sum::<f64>() / count,
        mean: group.iter().map(|(_, value)| value).sum::<f64>() / count,
        least: group.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min),
        most: group.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;
    use crate::report::summary::runs_of;

    #[test]
    fn few_steps_are_points_of_their_own_over_all_runs() {
        let mut records = samples::nine_methods();
        samples::add_trust_region(&mut records, "adam", 20);
        let curve = region_curve(2, &runs_of(&records, "adam"), &REGION[0]);
        assert_eq!(curve.points.len(), 20);
        // The radius of step k is k in every run.
        let exact = |p: &CurvePoint| p.mean == p.least && p.least == p.most;
        assert!(curve.points.iter().all(exact));
        assert_eq!(curve.points[4].mean, 5.0);
    }

    #[test]
    fn many_steps_become_few_points_whose_bands_hold_all_of_them() {
        let mut records = samples::nine_methods();
        samples::add_trust_region(&mut records, "adam", 1000);
        let curve = region_curve(2, &runs_of(&records, "adam"), &REGION[0]);
        assert_eq!(curve.points.len(), MOST_POINTS);
        assert!(curve.points.windows(2).all(|pair| pair[0].most + 1.0 == pair[1].least));
        assert_eq!(curve.points.last().map(|point| point.most), Some(1000.0));
    }

    #[test]
    fn where_all_eigenvalues_are_positive_there_is_a_gap() {
        let mut records = samples::nine_methods();
        samples::add_trust_region(&mut records, "adam", 20);
        let curve = region_curve(2, &runs_of(&records, "adam"), &REGION[4]);
        // Every second step of 20 in 8 epochs.
        let epochs: Vec<f64> = curve.points.iter().map(|point| point.x).collect();
        assert_eq!(epochs.len(), 10);
        assert!(
            epochs.iter().zip(1..).all(|(epoch, k)| (epoch - 0.8 * f64::from(k)).abs() < 1e-12)
        );
    }
}
