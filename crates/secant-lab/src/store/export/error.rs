//! What can go wrong with a copy.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a copy of comparisons could not be written or read.
#[derive(Debug, Error)]
pub enum ExportError {
    /// A file of this name is there.
    #[error("{} exists and was left as it is; choose another name, or say --force to replace it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A device, a link, a folder or the like has this name.
    #[error("{} is no regular file, so it was left as it is; choose another place with --out", path.display())]
    NoRegularFile {
        /// What is there.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("cannot write {}: {reason}; choose another place with --out", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A file could not be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A line is not a record.
    #[error("line {line} of {} is not a record of a comparison: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}
