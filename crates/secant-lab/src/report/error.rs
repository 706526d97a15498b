//! What can go wrong with a report.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a report could not be written.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A file or folder could not be written.
    #[error("cannot write {}: {reason}; choose another folder with --out", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The folder of the report is something else.
    #[error("{} is a file, not a folder for a report; choose another folder with --out", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A file that is not ours.
    #[error("{} is not of an earlier report, so it is left alone; choose another folder with --out", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to report on.
    #[error("there is no comparison to report on")]
    NoComparison,
    /// The records could not be written as JSON.
    #[error("the records cannot be written: {reason}")]
    Data {
        /// Why not.
        reason: String,
    },
}
