//! Files that are no experiments.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file that is no experiment.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ExperimentError {
    /// It cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Something in it is wrong.
    #[error("{}, line {line}: {reason}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, with the key.
        reason: String,
    },
    /// It has one size.
    #[error("the experiment {name} has no small variant; run it without --small")]
    NoSmall {
        /// The experiment.
        name: String,
    },
}

/// What is wrong, and where in the text.
#[derive(Debug)]
pub(super) struct Fault {
    pub line: usize,
    pub reason: String,
}

impl Fault {
    pub fn of_file(self, path: &Path) -> ExperimentError {
        let Self { line, reason } = self;
        ExperimentError::Schema { path: path.to_owned(), line, reason }
    }
}
