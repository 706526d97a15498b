//! Finds out, fairly, which optimizer suits a problem.
//!
//! A [`Problem`] is a model of yours with its records, its loss and its metrics. A [`Comparison`] tunes every
//! optimizer with the same number of trials, runs it from several seeds, keeps every run in a [`Store`], and
//! makes the [`report`]. The problems of the command `secant` are in [`supervised`], [`physics`] and
//! [`translation`].

#![deny(missing_docs)]

mod budget;
mod comparison;
pub mod experiment;
mod files;
mod fingerprint;
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
mod statistics;
pub mod store;
pub mod supervised;
mod training;
pub mod translation;
pub mod tuning;

pub use budget::Budget;
pub use comparison::{CompareError, Comparison, Finished, Particulars, Plan, Shown, Trials};
pub use fingerprint::Fingerprint;
pub use metric::{Direction, Metric, Range};
pub use precision::Precision;
pub use problem::{Baseline, Batch, Part, Problem};
pub use store::Store;
pub use training::{Figures, TrainingError, measure_file, train_to_file};
