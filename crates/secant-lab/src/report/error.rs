//! What can go wrong with a report.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a report could not be read or written.
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
    /// A file could not be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// A line is not a record.
    #[error(
        "line {line} of {} is not a record of a comparison ({reason}); leave out --resume to start anew",
        path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The first record is not a comparison.
    #[error("the data does not begin with a record of kind `comparison`")]
    NoComparison,
    /// A picture could not be drawn.
    #[error("cannot draw the chart of {chart}: {reason}")]
    Chart {
        /// What the chart shows.
        chart: String,
        /// What the drawing library said.
        reason: String,
    },
}
