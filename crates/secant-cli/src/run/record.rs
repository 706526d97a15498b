//! What a comparison writes down: one JSON object a line, the data behind every table and picture.

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
}

/// The state of a run at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Passes over the training records; fractions are possible.
    pub epoch: f64,
    /// Steps made.
    pub steps: u64,
    /// Gradients evaluated, as counted by the oracle.
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
}

/// The time of a step, measured alone on an otherwise idle program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTime {
    /// The method; one of [`Comparison::optimizers`].
    pub optimizer: String,
    /// Median seconds of a whole step: forward, backward and update.
    pub seconds: f64,
}
