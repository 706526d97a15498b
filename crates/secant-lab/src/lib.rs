//! Finds out, fairly, which optimizer suits a problem.
//!
//! A [`Problem`] is a model of yours with its records, its loss and its metrics. A [`Comparison`] tunes every
//! optimizer with the same number of trials, runs it from several seeds, keeps every run in a [`Store`], and
//! makes the [`report`]. The problems of the command `secant` are in [`supervised`], [`physics`],
//! [`language`] and [`translation`]; [`Known`] has them all by name.

#![deny(missing_docs)]

mod attention;
mod budget;
mod comparison;
pub mod experiment;
mod files;
mod fingerprint;
mod known;
pub mod language;
mod metric;
pub mod minimize;
mod model_file;
pub mod network;
pub mod physics;
mod precision;
mod problem;
pub mod record;
pub mod report;
pub mod run;
pub mod statistics;
pub mod store;
pub mod supervised;
mod training;
mod training_loss;
pub mod translation;
pub mod tuning;

pub use budget::Budget;
pub use comparison::{CompareError, Comparison, Finished, Particulars, Plan, Shown, Trials};
pub use fingerprint::Fingerprint;
pub use known::{Known, Loaded};
pub use metric::{Direction, Metric, Range};
pub use precision::Precision;
pub use problem::{Baseline, Batch, Part, Problem};
pub use store::Store;
pub use training::{Figures, Trained, TrainingError, measure_file, train_to_file};
pub use training_loss::{TRAINING_LOSS, WithTrainingLoss};
