//! What can go wrong with a store.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a store could not do what it was asked.
#[derive(Debug, Error)]
#[error("the store {} {fault}", path.display())]
pub struct StoreError {
    /// The store's file.
    pub path: PathBuf,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a store.
#[derive(Debug, Error)]
pub enum Fault {
    /// There is no such file, and it is not to be made.
    #[error("is not there; name another file with --store, or make one by `secant compare`")]
    Absent,
    /// Its folder could not be made.
    #[error("cannot be made: {0}; choose another file with --store")]
    Folder(io::Error),
    /// The file could not be opened.
    #[error("cannot be opened: {0}; choose another file with --store")]
    Open(String),
    /// The file is something else.
    #[error("is a file of something else, and was left as it is; choose another with --store")]
    Foreign,
    /// Its tables are those of a later version.
    #[error(
        "was written by a newer secant (its format is {found}, this one knows {known}); \
         update secant, or choose another file with --store"
    )]
    Newer {
        /// The format of the file.
        found: usize,
        /// The format of this program.
        known: usize,
    },
    /// It cannot be written.
    #[error(
        "cannot be written: it is read-only, or was moved while in use; \
        change that, or choose another file with --store"
    )]
    ReadOnly,
    /// There is no room.
    #[error(
        "cannot grow: the disk is full; make room and give the command again, what was finished is kept"
    )]
    Full,
    /// Others did not let go of it.
    #[error("is locked by another program; give the command again when that has ended")]
    Busy,
    /// The disk failed.
    #[error("cannot be read or written: {0}; check the disk")]
    Disk(String),
    /// What is in the file is not what was written.
    #[error("is damaged: {0}; take a copy from a backup, or choose another file with --store")]
    Damaged(String),
    /// A record cannot be read.
    #[error("has {what} that this secant cannot read ({reason}); update secant, or delete it")]
    Unreadable {
        /// The record, such as `a run 3f…`.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A record would not read back as it is.
    #[error("cannot keep {what}: a number in it is not finite; report this as a defect")]
    NotFinite {
        /// The record.
        what: &'static str,
    },
    /// No comparison has this key.
    #[error("has no comparison `{key}`; `secant runs` lists those it has")]
    NoComparison {
        /// What was asked for.
        key: String,
    },
    /// Several comparisons have a key that begins like this.
    #[error("has {} comparisons whose key begins with `{key}`, {} and {}; give more digits",
        found.len(), found[0], found[1])]
    Ambiguous {
        /// What was asked for.
        key: String,
        /// The keys.
        found: Vec<String>,
    },
    /// No finished run has this key.
    #[error("has no finished run `{key}`; report this as a defect")]
    NoRun {
        /// What was asked for.
        key: String,
    },
    /// Anything else that SQLite says.
    #[error("failed: {0}; report this as a defect")]
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Busy,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure) => Self::Disk(error.to_string()),
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(error.to_string()),
            Some(ErrorCode::NotADatabase) => Self::Foreign,
            Some(ErrorCode::CannotOpen) => Self::Open("the system refuses it".to_string()),
            _ => Self::Sql(error),
        }
    }
}
