//! What the charts of trust-region methods show: radius, ratio, eigenvalues and batch size over the
//! run.

use super::{
    chart::{Chart, Section, Series, Spread},
    curves::slot,
    summary::Summary,
};
use crate::record::{RegionStep, Run};

/// A quantity of every step.
struct Measure {
    name: &'static str,
    y: Spread,
    /// Its value in a step; `None` where there is none.
    of_step: fn(&RegionStep) -> Option<f64>,
}

const MEASURES: [Measure; 6] = [
    Measure { name: "Radius", y: Spread::Log, of_step: |step| Some(step.radius) },
    Measure {
        name: "Actual by predicted decrease, cut at -1 and 2",
        y: Spread::Linear,
        of_step: |step| Some(step.ratio.clamp(-1.0, 2.0)),
    },
    Measure {
        name: "Largest eigenvalue",
        y: Spread::Log,
        of_step: |step| Some(step.largest_eigenvalue).filter(|value| *value > 0.0),
    },
    Measure {
        name: "Smallest eigenvalue where positive",
        y: Spread::Log,
        of_step: |step| Some(step.smallest_eigenvalue).filter(|value| *value > 0.0),
    },
    Measure {
        name: "Smallest eigenvalue where negative, without its sign",
        y: Spread::Log,
        of_step: |step| Some(-step.smallest_eigenvalue).filter(|value| *value > 0.0),
    },
    Measure { name: "Batch size", y: Spread::Log, of_step: |step| Some(step.batch_size as f64) },
];

/// The most points of a curve: several steps become one point where there are more.
const MOST_POINTS: usize = 150;

/// The steps of trust-region methods; nothing without such methods.
pub(super) fn trust_region(summary: &Summary) -> Option<Section> {
    let has_region = |run: &Run| !run.trust_region.is_empty();
    let methods: Vec<_> =
        summary.methods.iter().filter(|m| m.records.iter().any(has_region)).collect();
    if methods.is_empty() {
        return None;
    }
    let mut section = Section::new("trust-region", "Trust regions", &["epochs"]);
    section.note = "Where there are many steps, several are one point; the light bands run from the \
                    least to the largest of them and of the seeds. The matrix of the model may have \
                    negative eigenvalues."
        .to_string();
    for measure in &MEASURES {
        let of = |method: &&&super::MethodSummary| {
            let series = region_series(&method.records, measure);
            Series { method: slot(summary, method), ..series }
        };
        let series = methods.iter().map(|method| of(&method)).collect();
        let id = measure.name.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "-");
        let title = measure.name.to_string();
        section.charts.push(Chart { id, title, unit: "", y: measure.y, level: None, series });
    }
    Some(section)
}

/// The mean over the steps and runs of a point, and the least and largest of them.
fn region_series(runs: &[Run], measure: &Measure) -> Series {
    let steps = || runs.iter().flat_map(|run| &run.trust_region);
    let last = steps().map(|step| step.epoch).fold(0.0, f64::max);
    let longest = runs.iter().map(|run| run.trust_region.len()).max().unwrap_or(0);
    let count = longest.clamp(1, MOST_POINTS);
    let mut groups = vec![(Vec::new(), Vec::new()); count];
    for step in steps() {
        if let Some(value) = (measure.of_step)(step) {
            let place = (step.epoch / last * count as f64).ceil() as usize;
            let (epochs, values) = &mut groups[place.clamp(1, count) - 1];
            epochs.push(step.epoch);
            values.push(value);
        }
    }
    let mut series = Series::default();
    for (epochs, values) in groups.iter().filter(|(epochs, _)| !epochs.is_empty()) {
        series.push(&[epochs.iter().sum::<f64>() / epochs.len() as f64], values);
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn series(steps: u64, measure: usize) -> Series {
        let mut recorded = samples::nine_methods();
        samples::add_trust_region(&mut recorded, "adam", steps);
        let runs: Vec<Run> = recorded.runs.into_iter().filter(|run| run.method == "adam").collect();
        region_series(&runs, &MEASURES[measure])
    }

    #[test]
    fn few_steps_are_points_of_their_own_over_all_runs() {
        // The radius of step k is k in every run.
        let found = series(20, 0);
        assert_eq!((found.y.len(), found.y[4]), (20, Some(5.0)));
        assert_eq!((&found.y, &found.y), (&found.low, &found.high));
    }

    #[test]
    fn many_steps_become_few_points_whose_bands_hold_all_of_them() {
        let found = series(1000, 0);
        assert_eq!(found.y.len(), MOST_POINTS);
        let joined = |k: usize| found.high[k - 1].map(|high| high + 1.0) == found.low[k];
        assert!((1..MOST_POINTS).all(joined));
        assert_eq!(found.high.last(), Some(&Some(1000.0)));
    }

    #[test]
    fn where_all_eigenvalues_are_positive_there_is_a_gap() {
        let found = series(20, 4);
        assert_eq!(found.y.len(), 10);
        let epochs = found.x[0].iter().zip(1..);
        assert!(epochs.into_iter().all(|(epoch, k)| (epoch - 0.8 * f64::from(k)).abs() < 1e-12));
    }

    #[test]
    fn without_such_methods_there_is_no_section() {
        assert!(trust_region(&Summary::new(&samples::nine_methods())).is_none());
    }
}
