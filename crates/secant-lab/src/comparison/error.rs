//! Why a comparison did not end.

use thiserror::Error;

use crate::{
    Budget,
    report::ReportError,
    run::{Setting, TrainError},
    store::StoreError,
    tuning::SearchError,
};

/// A comparison that did not end.
#[derive(Debug, Error)]
pub enum CompareError {
    /// The batch is larger than the training part.
    #[error(
        "the batch size {batch_size} is larger than the {records} training records of {problem}; use at most {records} (--batch-size)"
    )]
    BatchTooLarge {
        /// Asked for.
        batch_size: usize,
        /// There.
        records: usize,
        /// The problem.
        problem: String,
    },
    /// A run would be less than one step.
    #[error(
        "a budget of {budget} is less than one batch of {batch_size} records; give a larger --budget or --epochs, or a smaller --batch-size"
    )]
    BudgetBelowBatch {
        /// Asked for.
        budget: Budget,
        /// Of a step.
        batch_size: usize,
    },
    /// A part of the records is empty.
    #[error("{problem} has no {part} records; a comparison needs some in every part")]
    NoRecords {
        /// The problem.
        problem: String,
        /// The part.
        part: &'static str,
    },
    /// No metric has this name.
    #[error("{problem} has no metric `{name}`; {suggestion}")]
    UnknownMetric {
        /// Asked for.
        name: String,
        /// The nearest one, or all.
        suggestion: String,
        /// The problem.
        problem: String,
    },
    /// The metric cannot have the value that counts as reached.
    #[error("the goal {goal:?} is no value that {metric} can have; give {range}")]
    Goal {
        /// Asked for.
        goal: f64,
        /// The metric.
        metric: String,
        /// What it can be.
        range: &'static str,
    },
    /// A method is there twice.
    #[error("the method `{method}` is named twice; name it once")]
    Repeated {
        /// The method.
        method: String,
    },
    /// Ranges are given for a method that is not compared.
    #[error("there are ranges for `{method}`, which is not compared; name it among the optimizers")]
    SearchOfNone {
        /// The method.
        method: String,
    },
    /// Ranges are given twice for one method.
    #[error(
        "there are ranges for `{method}` twice; give all of them at once, as in 'adam(beta_1=0.8|0.9, beta_2=0.99|0.999)'"
    )]
    SearchedTwice {
        /// The method.
        method: String,
    },
    /// Nothing is compared.
    #[error("a comparison needs at least one {what}")]
    Nothing {
        /// What is lacking.
        what: &'static str,
    },
    /// The user stopped it.
    #[error("stopped; every finished run is in the store, so the same command goes on from there")]
    Stopped,
    /// A run cannot be made.
    #[error("{method}: {cause}")]
    Run {
        /// The method.
        method: String,
        /// Why not.
        cause: TrainError,
    },
    /// A search cannot be made.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The report cannot be made.
    #[error(transparent)]
    Report(#[from] ReportError),
}

impl CompareError {
    pub(crate) fn of_run(setting: &Setting, cause: TrainError) -> Self {
        match cause {
            TrainError::Stopped => Self::Stopped,
            cause => Self::Run { method: setting.method.to_string(), cause },
        }
    }
}

impl From<TrainError> for CompareError {
    fn from(cause: TrainError) -> Self {
        match cause {
            TrainError::Stopped => Self::Stopped,
            cause => Self::Run { method: "the time of a step".to_string(), cause },
        }
    }
}
