//! How a command ends: its exit code, and the one sentence before it.

use std::{io, process::ExitCode};

use secant_data::DataError;
use secant_lab::{
    TrainingError,
    experiment::ExperimentError,
    store::{Fault, StoreError, export::ExportError},
};

use crate::arguments::UsageError;

/// The exit code of what a command came to: 2 for a mistake in its arguments, 1 for any other failure,
/// each after a sentence on standard error.
pub fn exit_code(result: anyhow::Result<ExitCode>, command: &str) -> ExitCode {
    match result {
        Ok(code) => code,
        // Who reads the output has seen enough: `secant compare | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{command}: {error:#}");
            if is_mistake(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Whether the command line must be changed, whatever else is done: it asks for what the table, the store or the
/// experiment does not have, or for a place that is taken.
fn is_mistake(error: &anyhow::Error) -> bool {
    error.is::<UsageError>()
        || error.downcast_ref().is_some_and(is_of_the_target)
        || error.downcast_ref().is_some_and(is_of_the_store)
        || error.downcast_ref().is_some_and(is_of_the_place)
        || error.downcast_ref().is_some_and(is_of_the_model)
        || matches!(error.downcast_ref(), Some(ExperimentError::NoSmall { .. }))
}

/// Whether the target or the task does not fit the table.
fn is_of_the_target(error: &DataError) -> bool {
    matches!(
        error,
        DataError::CsvNoTarget { .. }
            | DataError::CsvNoHeader { .. }
            | DataError::NoTarget { .. }
            | DataError::TargetNotClasses { .. }
            | DataError::TargetNotNumbers { .. }
    )
}

/// Whether there is no such store, or not one such comparison in it.
fn is_of_the_store(error: &StoreError) -> bool {
    matches!(error.fault, Fault::Absent | Fault::NoComparison { .. } | Fault::Ambiguous { .. })
}

/// Whether the model is of another problem or number type than was said.
fn is_of_the_model(error: &TrainingError) -> bool {
    matches!(error, TrainingError::Problem { .. } | TrainingError::Precision { .. })
}

/// Whether something is where an export is to be.
fn is_of_the_place(error: &ExportError) -> bool {
    matches!(error, ExportError::Exists { .. } | ExportError::NoRegularFile { .. })
}
