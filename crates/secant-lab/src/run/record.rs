//! What a comparison writes down: one JSON object a line, the data behind every table and picture.

use secant::{Case, StepReport};
use serde::{Deserialize, Serialize};

/// One line of a comparison's data file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// Always the first line: what was compared, and how.
    Comparison(Box<Comparison>),
    /// One tuning run on the validation split.
    Trial(Trial),
    /// One run at the best rate, measured on the test split.
    Run(Run),
    /// The time of a step, measured alone.
    StepTime(StepTime),
}

/// What was compared, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The command line that repeats it.
    pub command: String,
    /// The version of `secant`.
    pub version: String,
    /// The problem's name, such as `fashion-mnist/cnn`.
    pub problem: String,
    /// One sentence about data, model and loss.
    pub description: String,
    /// Trainable numbers in the model.
    pub parameters: usize,
    /// Records for training.
    pub train_records: usize,
    /// Records for choosing the rate.
    pub validation_records: usize,
    /// Records for the final figures.
    pub test_records: usize,
    /// Records in a batch.
    pub batch_size: usize,
    /// Passes over the training records.
    pub epochs: usize,
    /// How every rate falls during a run.
    pub schedule: String,
    /// Tuning trials that every method got.
    pub trials: usize,
    /// The seeds of the final runs.
    pub seeds: Vec<u64>,
    /// The methods, in the order of the table.
    pub optimizers: Vec<String>,
    /// The validation accuracy that counts as "reached the target".
    pub target_accuracy: f64,
    /// `f32` or `f64`.
    pub precision: String,
    /// How Hessian products were computed, for the methods that need them.
    pub hessian_products: String,
    /// Independent runs side by side, one thread each.
    pub threads: usize,
}

/// One tuning run on the validation split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The method; one of [`Comparison::optimizers`].
    pub optimizer: String,
    /// Its learning rate.
    pub lr: f64,
    /// Passes over the training records.
    pub epochs: usize,
    /// At the end; `None` where not finite.
    pub validation_loss: Option<f64>,
    /// At the end.
    pub validation_accuracy: Option<f64>,
}

/// One run at the best rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The method; one of [`Comparison::optimizers`].
    pub optimizer: String,
    /// Its learning rate.
    pub lr: f64,
    /// The seed of the weights and of the order of the records.
    pub seed: u64,
    /// The state of the run after each evaluation, the first before any step.
    pub curve: Vec<Point>,
    /// Steps that were rejected because something was not finite.
    pub rejected_steps: u64,
    /// Of trust-region methods: every step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trust_region: Vec<RegionStep>,
}

/// One step of a trust-region method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionStep {
    /// Which step, from 1.
    pub step: u64,
    /// Passes over the training records after it.
    pub epoch: f64,
    /// What the model promised: its change at its minimizer.
    pub model_change: f64,
    /// The change of the loss that is held against it; `None` where not finite.
    pub actual_change: Option<f64>,
    /// Their ratio.
    pub ratio: f64,
    /// What the radius went by: the ratio or an average.
    pub averaged_ratio: f64,
    /// The radius of the step.
    pub radius: f64,
    /// The radius of the next step.
    pub next_radius: f64,
    /// The length of the step.
    pub step_norm: f64,
    /// The multiplier of the radius.
    pub sigma: f64,
    /// Where the model's minimizer lies.
    pub case: Case,
    /// The smallest eigenvalue of B.
    pub smallest_eigenvalue: f64,
    /// The largest eigenvalue of B.
    pub largest_eigenvalue: f64,
    /// Stored pairs that B is built from.
    pub pairs_kept: usize,
    /// Stored pairs that B leaves out.
    pub pairs_skipped: usize,
    /// Records in the batch.
    pub batch_size: usize,
    /// Forward passes alone.
    pub losses: u64,
    /// Forward and backward passes.
    pub gradients: u64,
    /// Hessian products.
    pub hessian_products: u64,
}

impl RegionStep {
    /// What the report of step `step` says, which ends at `epoch`; `None` of other methods, and of steps without a model.
    pub fn of(step: u64, epoch: f64, report: &StepReport) -> Option<Self> {
        let region = report.trust_region?;
        Some(Self {
            step,
            epoch,
            model_change: region.model_change,
            actual_change: Some(region.actual_change).filter(|change| change.is_finite()),
            ratio: region.ratio,
            averaged_ratio: region.averaged_ratio,
            radius: region.radius,
            next_radius: region.next_radius,
            step_norm: region.step_norm,
            sigma: region.sigma,
            case: region.case,
            smallest_eigenvalue: region.smallest_eigenvalue,
            largest_eigenvalue: region.largest_eigenvalue,
            pairs_kept: region.pairs_kept,
            pairs_skipped: region.pairs_skipped,
            batch_size: region.batch_size,
            losses: report.evals.loss,
            gradients: report.evals.gradient,
            hessian_products: report.evals.hessian_vector,
        })
    }
}

/// The state of a run at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Passes over the training records; fractions are possible.
    pub epoch: f64,
    /// Steps made.
    pub steps: u64,
    /// Gradients evaluated, in batches of the comparison's size; Hessian products count as two.
    pub gradient_evaluations: u64,
    /// Seconds of training; the time of the evaluations is left out.
    pub seconds: f64,
    /// Mean loss over the batches since the previous point (absent at the first); `None` where not finite.
    pub train_loss: Option<f64>,
    /// `None` where not finite.
    pub validation_loss: Option<f64>,
    /// From 0 to 1.
    pub validation_accuracy: f64,
    /// `None` where not finite.
    pub test_loss: Option<f64>,
    /// From 0 to 1.
    pub test_accuracy: f64,
    /// With two classes: the mean of the shares of both that are recognised.
    pub test_balanced_accuracy: Option<f64>,
    /// With two classes: F1 of the second one.
    pub test_f1: Option<f64>,
    /// With two classes: the area under the receiver operating characteristic; `None` where a logit
    /// is NaN.
    pub test_auc: Option<f64>,
}

/// The time of a step, measured alone on an otherwise idle program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTime {
    /// The method; one of [`Comparison::optimizers`].
    pub optimizer: String,
    /// Median seconds of a whole step: forward, backward and update.
    pub seconds: f64,
}
