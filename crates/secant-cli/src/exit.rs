//! How a command ends: its exit code, and the one sentence before it.

use std::{io, process::ExitCode};

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
            if error.is::<UsageError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
