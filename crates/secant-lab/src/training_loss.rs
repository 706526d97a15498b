//! A problem whose models are judged by the loss on training records as well.

use burn::tensor::{Device, Tensor};
use secant::dual::{Dual, Tangents};

use crate::{Baseline, Batch, Fingerprint, Metric, Part, Problem};

/// A problem with one more metric, the last: [`TRAINING_LOSS`], the loss without dropout and the like on
/// training records, as many as there are records to be measured on, evenly spread over all.
///
/// It says how far an optimizer has come with what it was given to minimise; what that is worth on other
/// records is another question.
#[derive(Clone, Copy, Debug)]
pub struct WithTrainingLoss<'a, P>(pub &'a P);

/// The name of the metric.
pub const TRAINING_LOSS: &str = "training loss";

impl<P: Problem> Problem for WithTrainingLoss<'_, P> {
    type Model = P::Model;

    fn metrics(&self) -> Vec<Metric> {
        let mut metrics = self.0.metrics();
        metrics.push(Metric::error(TRAINING_LOSS));
        metrics
    }

    fn measure(&self, model: &Self::Model, batch: Batch<'_>) -> Vec<f64> {
        let all = self.0.records(Part::Train);
        let count = batch.records.len().min(all);
        let records: Vec<usize> = (0..count).map(|k| k * all / count).collect();
        let training = Batch { part: Part::Train, records: &records, ..batch };
        let mut values = self.0.measure(model, batch);
        values.extend(self.0.measure(model, training).first());
        values
    }

    fn baseline(&self) -> Option<Baseline> {
        self.0.baseline().map(|mut baseline| {
            baseline.validation.push(None);
            baseline.test.push(None);
            baseline
        })
    }

    fn fingerprint(&self) -> String {
        Fingerprint::new().text(&self.0.fingerprint()).text(TRAINING_LOSS).finish()
    }

    fn name(&self) -> String {
        self.0.name()
    }

    fn description(&self) -> String {
        self.0.description()
    }

    fn model(&self, seed: u64, device: &Device) -> Self::Model {
        self.0.model(seed, device)
    }

    fn records(&self, part: Part) -> usize {
        self.0.records(part)
    }

    fn loss(&self, model: &Self::Model, batch: Batch<'_>) -> Tensor<1> {
        self.0.loss(model, batch)
    }

    fn loss_on_duals(
        &self,
        model: &Self::Model,
        at: &Tangents,
        batch: Batch<'_>,
    ) -> Option<Dual<1>> {
        self.0.loss_on_duals(model, at, batch)
    }

    fn ranked_by(&self) -> usize {
        self.0.ranked_by()
    }

    fn batch_size(&self) -> usize {
        self.0.batch_size()
    }

    fn rows_per_record(&self) -> usize {
        self.0.rows_per_record()
    }

    fn epochs(&self) -> f64 {
        self.0.epochs()
    }

    fn seeds(&self) -> usize {
        self.0.seeds()
    }

    fn target(&self) -> Option<f64> {
        self.0.target()
    }

    fn data(&self) -> Vec<String> {
        self.0.data()
    }

    fn data_warnings(&self) -> Vec<String> {
        self.0.data_warnings()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;
    use crate::{Precision, precision::drawn, supervised::testing::autoencoder_of_noise};

    #[test]
    fn the_training_loss_is_that_of_training_records_and_the_other_metrics_stay() {
        let (problem, device) = (autoencoder_of_noise(), Device::default());
        let model = drawn(1, Precision::F32, &device, || problem.model(1, &device));
        let all: Vec<usize> = (0..problem.records(Part::Train)).collect();
        let batch = |part, records| Batch { part, records, device: &device, dtype: DType::F32 };
        // As many records as there are to learn from, so that all of these are looked at.
        let validation: Vec<usize> =
            all.iter().map(|k| k % problem.records(Part::Validation)).collect();
        let measured =
            WithTrainingLoss(&problem).measure(&model, batch(Part::Validation, &validation));
        let (training, others) = measured.split_last().expect("metrics");
        assert_eq!(others, problem.measure(&model, batch(Part::Validation, &validation)));
        assert_eq!(*training, problem.measure(&model, batch(Part::Train, &all))[0]);
        assert_ne!(*training, others[0]);
    }
}
