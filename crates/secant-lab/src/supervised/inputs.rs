//! What a network that gives its inputs back is judged by.

use secant_data::{Dataset, Numbers};

use crate::Metric;

/// The loss alone.
pub(super) const RANKED_BY: usize = 0;

pub(super) fn metrics() -> Vec<Metric> {
    vec![Metric::loss()]
}

/// The mean squared difference of outputs to the inputs that they stand for.
pub(super) fn measure(outputs: &[f64], inputs: &Numbers) -> Vec<f64> {
    let squares = outputs.iter().zip(inputs.iter()).map(|(output, input)| (output - input).powi(2));
    vec![squares.sum::<f64>() / outputs.len() as f64]
}

/// The mean record: the best output of a network that does not look at its inputs.
pub(super) fn mean_record(data: &Dataset) -> Vec<f64> {
    let width = data.record_len();
    let mut sums = vec![0.0; width];
    for (place, input) in data.features.iter().enumerate() {
        sums[place % width] += input;
    }
    sums.into_iter().map(|sum| sum / data.len() as f64).collect()
}

#[cfg(test)]
mod tests {
    use burn::{
        module::Module,
        tensor::{DType, Device},
    };
    use secant_data::Targets;

    use super::*;
    use crate::{
        Batch, Part, Precision, Problem, precision::drawn,
        supervised::testing::autoencoder_of_noise,
    };

    #[test]
    fn the_mean_record_errs_by_the_variance_of_each_input() {
        let data = Dataset {
            features: Numbers::F32(vec![0.0, 1.0, 0.5, 0.0]),
            record_shape: vec![2],
            targets: Targets::Numbers(vec![0.0; 2]),
        };
        let mean = mean_record(&data);
        assert_eq!(mean, [0.25, 0.5]);
        assert_eq!(measure(&mean.repeat(2), &data.features), [(0.0625 + 0.25) / 2.0]);
    }

    #[test]
    fn an_autoencoder_is_judged_by_how_well_it_gives_its_inputs_back() {
        let problem = autoencoder_of_noise();
        let device = Device::default();
        let network = drawn(1, Precision::F64, &device, || problem.model(1, &device)).valid();
        let records = [4, 0, 2];
        let batch =
            Batch { part: Part::Validation, records: &records, device: &device, dtype: DType::F64 };
        let [measured] = problem.measure(&network, batch)[..] else { panic!("one metric") };
        let loss: f64 = problem.loss(&network, batch).into_scalar();
        // Sums of 2,352 squares in two orders.
        assert!((measured - loss).abs() < 1e-12, "{measured}, {loss}");
        // Noise comes back no better than its mean, 1/2: an error of at least 1/12 or so.
        assert!(measured > 0.07 && problem.metrics()[problem.ranked_by()] == Metric::loss());
        assert!(problem.data_warnings.is_empty(), "{:?}", problem.data_warnings);
    }

    #[test]
    fn its_baseline_is_the_mean_of_the_training_records() {
        let problem = autoencoder_of_noise();
        let baseline = problem.baseline().expect("a baseline");
        assert_eq!(baseline.name, "always the mean record");
        let train = &problem.splits.train.features;
        let of = |part: &Dataset| {
            let error = |place: usize| {
                let mean = (0..8).map(|record| train.get(784 * record + place % 784)).sum::<f64>();
                (part.features.get(place) - mean / 8.0).powi(2)
            };
            (0..part.features.len()).map(error).sum::<f64>() / part.features.len() as f64
        };
        for (found, part) in [
            (&baseline.validation, &problem.splits.validation),
            (&baseline.test, &problem.splits.test),
        ] {
            let [Some(found)] = found[..] else { panic!("one figure") };
            // Sums of some thousand squares in two orders.
            assert!((found - of(part)).abs() < 1e-12);
        }
    }
}
