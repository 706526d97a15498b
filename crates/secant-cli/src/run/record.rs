//! What a comparison writes down: one JSON object a line, the data behind every table and picture.

use serde::{Deserialize, Serialize};

/// One line of a comparison's data file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// Always the first line: what was compared, and how.
    Comparison(Comparison),
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
    /// Records for training, for choosing the rate, and for the final figures.
    pub train_records: usize,
    pub validation_records: usize,
    pub test_records: usize,
    pub batch_size: usize,
    pub epochs: usize,
    /// Tuning trials that every method got.
    pub trials: usize,
    pub seeds: Vec<u64>,
    /// The methods, in the order of the table.
    pub optimizers: Vec<String>,
    /// The validation accuracy that counts as "reached the target".
    pub target_accuracy: f64,
    pub precision: String,
    /// Independent runs side by side, one thread each.
    pub threads: usize,
}

/// One tuning run on the validation split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub optimizer: String,
    pub lr: f64,
    pub epochs: usize,
    pub validation_loss: Option<f64>,
    pub validation_accuracy: Option<f64>,
}

/// One run at the best rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub optimizer: String,
    pub lr: f64,
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
    pub steps: u64,
    /// Gradients evaluated, as counted by the oracle.
    pub gradient_evaluations: u64,
    /// Seconds of training; the time of the evaluations is left out.
    pub seconds: f64,
    /// Mean loss over the batches since the previous point (absent at the first); `None` where not finite.
    pub train_loss: Option<f64>,
    pub validation_loss: Option<f64>,
    pub validation_accuracy: f64,
    pub test_loss: Option<f64>,
    pub test_accuracy: f64,
}

/// The time of a step, measured alone on an otherwise idle program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTime {
    pub optimizer: String,
    /// Median seconds of a whole step: forward, backward and update.
    pub seconds: f64,
    /// Median seconds of the update alone.
    pub update_seconds: f64,
}
