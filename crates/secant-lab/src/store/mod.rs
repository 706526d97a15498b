//! The store: every comparison and every run that was ever made, in one SQLite file.
//!
//! Any number of processes and threads may work on one store. A finished run is on disk before the
//! call that finishes it returns; one that was killed is begun anew by whoever comes next. Nothing
//! is ever overwritten. The file has to be on a disk of the machine: SQLite's write-ahead log does
//! not work over a network.
//!
//! ```text
//! comparison --< comparison_runs >-- run      a run serves every comparison that asks for it
//!      '------< step_times            claim   who works on a run that is not finished
//! ```

mod check;
mod checkpoint;
mod claim;
mod comparison;
mod error;
pub mod export;
mod finish;
mod heartbeat;
mod history;
mod list;
mod location;
mod process;
mod reading;
mod row;
mod schema;
#[cfg(test)]
mod testing;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use self::{claim::Owner, heartbeat::Heartbeat};
pub use self::{
    claim::{Claim, Claimed, Holder},
    comparison::{Deleted, Recorded},
    error::{Fault, StoreError},
    finish::Finish,
    history::{Entry, Kind},
    list::{Best, Filter, Listed},
    location::{NoHome, default_path},
};

/// How long a locked file is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open store.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Mutex<Connection>,
    owner: Owner,
    heartbeat: Mutex<Option<Heartbeat>>,
}

impl Store {
    /// Opens the store in the file, which is made with its folder if need be.
    ///
    /// # Errors
    ///
    /// When the file is something else, is of a newer version or cannot be written; it is left as
    /// it was then.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::opened(path, open(path))
    }

    /// Opens the store in the file, which is not made; where it cannot be written, to be read alone.
    ///
    /// # Errors
    ///
    /// When there is none, or the file is something else, is of a newer version or cannot be read.
    pub fn open_existing(path: &Path) -> Result<Self, StoreError> {
        Self::opened(path, reading::open_existing(path))
    }

    fn opened(path: &Path, connection: Result<Connection, Fault>) -> Result<Self, StoreError> {
        let opened = connection.and_then(|connection| {
            let owner = Owner::new(&connection)?;
            Ok((connection, owner))
        });
        let (connection, owner) =
            opened.map_err(|fault| StoreError { path: path.to_owned(), fault })?;
        Ok(Self {
            path: path.to_owned(),
            connection: Mutex::new(connection),
            owner,
            heartbeat: Mutex::new(None),
        })
    }

    /// The store's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The time now, as records have it: `2026-11-26T12:34:56Z`.
    ///
    /// # Errors
    ///
    /// When SQLite fails.
    pub fn now(&self) -> Result<String, StoreError> {
        self.read(|view| Ok(view.query_one(&format!("SELECT {}", row::NOW), [], |row| row.get(0))?))
    }

    /// One consistent view of the store.
    fn read<R>(
        &self,
        work: impl FnMut(&Transaction<'_>) -> Result<R, Fault>,
    ) -> Result<R, StoreError> {
        self.transact(TransactionBehavior::Deferred, work)
    }

    /// All of `work` is written, or nothing.
    fn write<R>(
        &self,
        work: impl FnMut(&Transaction<'_>) -> Result<R, Fault>,
    ) -> Result<R, StoreError> {
        self.transact(TransactionBehavior::Immediate, work)
    }

    fn transact<R>(
        &self,
        behavior: TransactionBehavior,
        mut work: impl FnMut(&Transaction<'_>) -> Result<R, Fault>,
    ) -> Result<R, StoreError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = patiently(|| {
            let transaction = connection.transaction_with_behavior(behavior)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        ended.map_err(|fault| self.error(fault))
    }

    fn error(&self, fault: Fault) -> StoreError {
        StoreError { path: self.path.clone(), fault }
    }
}

fn open(path: &Path) -> Result<Connection, Fault> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Fault::Folder)?;
    }
    let opened = patiently(|| {
        let mut connection = connect(path)?;
        schema::prepare(&mut connection)?;
        Ok(connection)
    });
    opened.map_err(|fault| match fault {
        Fault::Open(reason) => Fault::Open(why_not(path).unwrap_or(reason)),
        other => other,
    })
}

/// Why a file could not be opened, which SQLite does not tell.
fn why_not(path: &Path) -> Option<String> {
    if path.is_dir() {
        return Some("it is a folder".to_string());
    }
    let probe = path.with_extension(format!("{}.probe", std::process::id()));
    let made = File::create_new(&probe);
    // Where it was not made, there is none.
    let _ = fs::remove_file(&probe);
    made.err().map(|reason| reason.to_string())
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    // A finished run is on the disk, not on its way there.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    if connection.is_readonly("main")? { Err(Fault::ReadOnly) } else { Ok(connection) }
}

/// Tries again while others hold the file: SQLite itself does not wait in every case.
fn patiently<R>(mut attempt: impl FnMut() -> Result<R, Fault>) -> Result<R, Fault> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(Fault::Busy) if begun.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(20))
            }
            ended => return ended,
        }
    }
}

#[cfg(test)]
mod tests;
