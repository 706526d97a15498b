//! What a problem's records allow without training: always the largest class, the mean number, or the
//! mean record.

use secant_data::{Dataset, Targets};

use super::{Supervised, Task, inputs};
use crate::Baseline;

/// The baseline of a problem.
pub(super) fn of(problem: &Supervised) -> Baseline {
    let name = match &problem.task {
        Task::Classes(classes) => format!("always {}", classes.names()[classes.largest()]),
        Task::Numbers(scale) => format!("always {}", crate::report::short(scale.mean)),
        Task::Inputs => "always the mean record".to_string(),
    };
    let splits = &problem.splits;
    Baseline {
        name,
        validation: figures(problem, &splits.validation),
        test: figures(problem, &splits.test),
    }
}

fn figures(problem: &Supervised, data: &Dataset) -> Vec<Option<f64>> {
    let values = match (&problem.task, &data.targets) {
        (Task::Classes(classes), Targets::Classes { labels, .. }) => {
            let mut prior = classes.prior();
            // Weights can make another class the likeliest; the baseline is that of the records.
            let top = prior.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prior[classes.largest()] = top + 1e-9;
            classes.measure(&prior.repeat(labels.len()), labels)
        }
        (Task::Numbers(scale), Targets::Numbers(values)) => {
            scale.measure(&vec![0.0; values.len()], values)
        }
        (Task::Inputs, _) => {
            let mean = inputs::mean_record(&problem.splits.train);
            inputs::measure(&mean.repeat(data.len()), &data.features)
        }
        _ => Vec::new(),
    };
    values.into_iter().map(|value| Some(value).filter(|value| value.is_finite())).collect()
}
