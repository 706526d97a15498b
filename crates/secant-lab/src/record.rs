//! What a comparison writes down: the data behind every table and picture.

use secant::{Case, Chosen, StepReport};
use serde::{Deserialize, Serialize};

use crate::{Budget, Metric};

/// What was compared, and how: the design of the experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// The hash of everything that can change its numbers, 64 hexadecimal digits.
    pub key: String,
    /// The command line that repeats it.
    pub command: String,
    /// The version of `secant`.
    pub version: String,
    /// The hash of the program.
    pub code: String,
    /// When it was first begun, in UTC: `2026-11-26T12:34:56Z`.
    pub created: String,
    /// The machine: processor, cores, system.
    pub machine: String,
    /// The problem's name, such as `fashion-mnist/cnn`.
    pub problem: String,
    /// One sentence about data, model and loss.
    pub description: String,
    /// Trainable numbers in the model.
    pub parameters: usize,
    /// Records for training.
    pub train_records: usize,
    /// Records for choosing the settings.
    pub validation_records: usize,
    /// Records for the final figures.
    pub test_records: usize,
    /// What the data were: one line each (format, columns, split, preprocessing).
    pub data: Vec<String>,
    /// What a reader should know about the data, one sentence each.
    pub data_warnings: Vec<String>,
    /// The hash of the data.
    pub fingerprint: String,
    /// Records in a batch.
    pub batch_size: usize,
    /// How long every run is.
    pub budget: Budget,
    /// How every rate falls during a run.
    pub schedule: String,
    /// `f32` or `f64`.
    pub precision: String,
    /// How Hessian products were computed, for the methods that need them.
    pub hessian_products: String,
    /// The metrics of every evaluation, in this order; the first is the loss.
    pub metrics: Vec<Metric>,
    /// The metric that ranks the methods: its place among `metrics`.
    pub ranked_by: usize,
    /// The metric that tuning goes by: its place among `metrics`.
    pub tuned_by: usize,
    /// What needs no training reaches on the test records (majority class, mean), for each of
    /// `metrics`; `None` where that is not defined.
    pub baseline: Vec<Option<f64>>,
    /// The same on the validation records.
    pub validation_baseline: Vec<Option<f64>>,
    /// What the baseline is, such as `always the class 0`.
    pub baseline_name: String,
    /// The value of the ranking metric on validation records that counts as "reached the target".
    pub target: Option<f64>,
    /// Tuning trials that every method got at least.
    pub trials: usize,
    /// Runs of every trial, from as many seeds.
    #[serde(default = "one")]
    pub tuning_seeds: usize,
    /// The seeds of the final runs.
    pub seeds: Vec<u64>,
    /// The methods, in the order asked for, as on the command line.
    pub methods: Vec<String>,
    /// Independent runs side by side, one thread each.
    pub threads: usize,
    /// The experiment that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

fn one() -> usize {
    1
}

/// The experiment of a paper that a comparison belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Its name: `quasi-adam/5-fashion-mnist-autoencoder`.
    pub experiment: String,
    /// What it is, in a line.
    pub title: String,
    /// The paper, and the table or figure there.
    pub source: String,
    /// Whether this is the small variant.
    pub is_small: bool,
    /// What tells the comparison from the others of the experiment.
    pub variant: String,
    /// What is done differently than in the paper, or not known of it.
    pub notes: Vec<String>,
    /// What the paper says.
    pub claims: Vec<Claim>,
    /// The paper's numbers.
    pub reported: Vec<Reported>,
}

/// Something that a paper says: one method is better than another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Claim {
    /// The claim in words.
    pub text: String,
    /// The method that is better.
    pub better: String,
    /// The method that it is better than.
    pub than: String,
    /// The metric, on test records; the one that ranks the methods unless it is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A number that a paper reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Reported {
    /// The method.
    pub method: String,
    /// The metric; shares from 0 to 1.
    pub metric: String,
    /// The value.
    pub value: f64,
    /// Its spread, as the paper gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<f64>,
    /// The variant of the experiment that it belongs to; all where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The table or figure.
    pub place: String,
}

/// One run of a tuning trial, judged on the validation records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The method; one of [`Design::methods`].
    pub method: String,
    /// Which trial of the method, from 0; its runs from several seeds share the number.
    pub number: usize,
    /// The seed of the weights and of the order of the records.
    #[serde(default)]
    pub seed: u64,
    /// The method with the hyper-parameters of this trial, as on the command line.
    pub settings: String,
    /// Its learning rate.
    pub lr: f64,
    /// The metrics on the validation records at the end; `None` where not finite.
    pub validation: Vec<Option<f64>>,
    /// Whether every validation loss was finite, and that or the training loss fell.
    pub trained: bool,
}

/// One run with the best settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The method; one of [`Design::methods`].
    pub method: String,
    /// The method with its tuned hyper-parameters, as on the command line.
    pub settings: String,
    /// Its learning rate.
    pub lr: f64,
    /// The seed of the weights and of the order of the records.
    pub seed: u64,
    /// The metrics on all validation records at the end; `None` where not finite.
    pub validation: Vec<Option<f64>>,
    /// The metrics on the test records at the end.
    pub test: Vec<Option<f64>>,
    /// The state of the run at about 40 moments, the first before any step.
    pub curve: Vec<Point>,
    /// Whether every validation loss was finite, and that or the training loss fell.
    pub trained: bool,
    /// Steps that were rejected because something was not finite.
    pub rejected_steps: u64,
    /// What `auto` chose, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Chosen>,
    /// Of trust-region methods: every step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trust_region: Vec<RegionStep>,
}

/// The state of a run at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Gradient evaluations until then, in records.
    pub evaluations: f64,
    /// Passes over the training records until then.
    pub epoch: f64,
    /// Steps made.
    pub steps: u64,
    /// Seconds of training; the time of measuring is left out.
    pub seconds: f64,
    /// Mean loss over the batches since the previous point; `None` at the first, and where not finite.
    pub train_loss: Option<f64>,
    /// The metrics on a fixed part of the validation records; `None` where not finite.
    pub validation: Vec<Option<f64>>,
    /// The norm of the last step's gradient.
    pub gradient_norm: Option<f64>,
    /// The length of the last step.
    pub step_length: Option<f64>,
}

/// The time of a step, measured alone, in turns with the other methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTime {
    /// The method; one of [`Design::methods`].
    pub method: String,
    /// Median seconds of a whole step: forward, backward and update.
    pub seconds: f64,
    /// The first and the third quartile.
    pub quartiles: [f64; 2],
    /// Whether the machine was busy with something else.
    pub busy: bool,
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
    /// What the report of step `step` says, which ends at `epoch`; `None` of other methods, of steps
    /// without a model, and of those in which a number is not finite (they are rejected, and counted).
    pub fn of(step: u64, epoch: f64, report: &StepReport) -> Option<Self> {
        let region = report.trust_region?;
        let numbers = [
            region.model_change,
            region.ratio,
            region.averaged_ratio,
            region.radius,
            region.next_radius,
            region.step_norm,
            region.sigma,
            region.smallest_eigenvalue,
            region.largest_eigenvalue,
        ];
        if numbers.iter().any(|number| !number.is_finite()) {
            return None;
        }
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
