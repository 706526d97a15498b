//! The thread that keeps an open store's claims alive.

use std::{
    path::Path,
    sync::{
        PoisonError,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::Store;

const PERIOD: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Heartbeat {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Begins the heartbeats, unless they have begun.
    pub(super) fn beat(&self) {
        let mut heartbeat = self.heartbeat.lock().unwrap_or_else(PoisonError::into_inner);
        heartbeat.get_or_insert_with(|| Heartbeat::new(&self.path, &self.owner.id));
    }
}

impl Heartbeat {
    fn new(path: &Path, owner: &str) -> Self {
        let (end, ended) = mpsc::channel();
        let (path, owner) = (path.to_owned(), owner.to_owned());
        let thread = thread::spawn(move || {
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                // One that fails is missed; the next may come.
                let _ = beat_once(&path, &owner);
            }
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has ended too.
            let _ = thread.join();
        }
    }
}

/// A connection of its own, so that no long reading holds it up.
fn beat_once(path: &Path, owner: &str) -> rusqlite::Result<()> {
    // A store that was moved away is not made anew.
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(PERIOD)?;
    // It need not outlive the machine.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute(
        "UPDATE claims SET beat = beat + 1, seen = unixepoch('subsec') WHERE owner = ?1",
        [owner],
    )?;
    Ok(())
}
