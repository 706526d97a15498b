//! Who works on which run.
//!
//! A claim is a row that its owner keeps alive with heartbeats. It is void at once when its process
//! is seen to have ended. Otherwise a heartbeat must be old by the clock *and* fail to come while
//! the claim is watched: a clock that jumps or a machine that slept takes nobody's run away.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{Store, error::Fault, error::StoreError, process::Process};

/// The age of a heartbeat by the clock, in seconds, from which on a claim is watched.
const OLD: f64 = 15.0;

/// How long a watched claim must be without a heartbeat to be void; more than two of them.
const WATCHED: Duration = Duration::from_secs(5);

/// What became of asking for a run.
#[derive(Debug)]
pub enum Claim<'store> {
    /// It is finished; there is nothing to do.
    Finished,
    /// Somebody works on it; do another, or ask again.
    Held(Holder),
    /// It is yours.
    Yours(Claimed<'store>),
}

/// Who works on a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The number of the process.
    pub process: u32,
    /// Its machine.
    pub host: String,
}

/// A run that nobody else works on. Without being finished, it is given back when this is dropped.
#[derive(Debug)]
pub struct Claimed<'store> {
    pub(super) store: &'store Store,
    pub(super) run: String,
    pub(super) since: Instant,
    pub(super) given_back: bool,
}

/// One open store among those that claim runs.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) id: String,
    process: Process,
    sightings: Mutex<HashMap<String, Sighting>>,
}

/// A claim as its row has it.
struct Found {
    owner: String,
    process: Process,
    beat: i64,
    /// Seconds since the last heartbeat, by the clock.
    age: f64,
}

/// A claim under watch.
#[derive(Debug)]
struct Sighting {
    owner: String,
    beat: i64,
    since: Instant,
}

impl Store {
    /// Asks for a run, which is then this store's alone until it is finished or given back.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn claim(&self, run: &str) -> Result<Claim<'_>, StoreError> {
        let refused = self.write(|transaction| {
            if is_finished(transaction, run)? {
                return Ok(Some(Claim::Finished));
            }
            if let Some(found) = find(transaction, run)?
                && self.owner.respects(run, &found)
            {
                let Process { id: process, host, .. } = found.process;
                return Ok(Some(Claim::Held(Holder { process, host })));
            }
            self.owner.take(transaction, run)?;
            Ok(None)
        })?;
        if let Some(claim) = refused {
            return Ok(claim);
        }
        // Only now: one that is dropped gives the run back, which is another transaction.
        let (run, since) = (run.to_string(), Instant::now());
        let claimed = Claimed { store: self, run, since, given_back: false };
        self.beat();
        Ok(Claim::Yours(claimed))
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        if !self.given_back {
            // Where this fails, the claim ends with the process or its heartbeats.
            let _ =
                self.store.write(|transaction| self.store.owner.give_back(transaction, &self.run));
        }
    }
}

impl Owner {
    pub(super) fn new(connection: &Connection) -> Result<Self, Fault> {
        let id = connection.query_one("SELECT hex(randomblob(16))", [], |row| row.get(0))?;
        Ok(Self { id, process: Process::this(), sightings: Mutex::default() })
    }

    fn take(&self, transaction: &Transaction<'_>, run: &str) -> Result<(), Fault> {
        let Process { id, host, place, began } = &self.process;
        transaction.execute(
            "REPLACE INTO claims (run, owner, process, host, place, began, beat, seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, unixepoch('subsec'))",
            params![run, self.id, id, host, place, began],
        )?;
        Ok(())
    }

    /// Whether the claim is still this owner's.
    pub(super) fn has(&self, transaction: &Transaction<'_>, run: &str) -> Result<bool, Fault> {
        let select = "SELECT 1 FROM claims WHERE run = ?1 AND owner = ?2";
        Ok(transaction.prepare(select)?.exists(params![run, self.id])?)
    }

    /// Ends the claim, unless somebody else has it by now.
    pub(super) fn give_back(&self, transaction: &Transaction<'_>, run: &str) -> Result<(), Fault> {
        transaction
            .execute("DELETE FROM claims WHERE run = ?1 AND owner = ?2", params![run, self.id])?;
        Ok(())
    }

    /// Whether a claim stands.
    fn respects(&self, run: &str, found: &Found) -> bool {
        if found.owner == self.id {
            return true;
        }
        if self.process.sees_the_end_of(&found.process) {
            return false;
        }
        (0.0..OLD).contains(&found.age) || self.watch(run, found) < WATCHED
    }

    /// How long a claim has been seen without a new heartbeat; by a clock that does not jump.
    fn watch(&self, run: &str, found: &Found) -> Duration {
        let mut sightings = self.sightings.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |seen: &Sighting| seen.owner == found.owner && seen.beat == found.beat;
        match sightings.get(run) {
            Some(seen) if same(seen) => seen.since.elapsed(),
            _ => {
                let (owner, beat) = (found.owner.clone(), found.beat);
                sightings.insert(run.to_string(), Sighting { owner, beat, since: Instant::now() });
                Duration::ZERO
            }
        }
    }
}

fn is_finished(transaction: &Transaction<'_>, run: &str) -> Result<bool, Fault> {
    let mut statement = transaction.prepare("SELECT 1 FROM runs WHERE key = ?1")?;
    Ok(statement.exists([run])?)
}

fn find(transaction: &Transaction<'_>, run: &str) -> Result<Option<Found>, Fault> {
    let read = |row: &Row<'_>| {
        Ok(Found {
            owner: row.get("owner")?,
            process: Process {
                id: row.get("process")?,
                host: row.get("host")?,
                place: row.get("place")?,
                began: row.get("began")?,
            },
            beat: row.get("beat")?,
            age: row.get("age")?,
        })
    };
    let found = transaction.query_one(
        "SELECT *, unixepoch('subsec') - seen AS age FROM claims WHERE run = ?1",
        [run],
        read,
    );
    Ok(found.optional()?)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::{
        super::testing::{claimed, new_store},
        *,
    };

    const RUN: &str = "a run";

    /// A claim of another open store, whose process cannot be seen from here.
    fn found(age: f64, beat: i64) -> Found {
        let elsewhere = Process { place: None, ..Process::this() };
        Found { owner: "another".to_string(), process: elsewhere, beat, age }
    }

    fn owner() -> Owner {
        let connection = Connection::open_in_memory().expect("a database");
        Owner::new(&connection).expect("an owner")
    }

    /// Lets time pass for the watch.
    fn wait(owner: &Owner, time: Duration) {
        for sighting in owner.sightings.lock().expect("not poisoned").values_mut() {
            sighting.since -= time;
        }
    }

    #[test]
    fn a_claim_with_an_old_heartbeat_is_void_when_none_comes_while_it_is_watched() {
        let owner = owner();
        assert!(owner.respects(RUN, &found(16.0, 3)));
        wait(&owner, WATCHED - Duration::from_secs(1));
        assert!(owner.respects(RUN, &found(20.0, 3)));
        wait(&owner, Duration::from_secs(1));
        assert!(!owner.respects(RUN, &found(21.0, 3)));
    }

    #[test]
    fn a_clock_that_jumps_takes_no_claim_away_from_who_lives() {
        for jump in [1e6, -1e6] {
            let owner = owner();
            for beat in 0..10 {
                assert!(owner.respects(RUN, &found(jump, beat)), "{jump} {beat}");
                wait(&owner, WATCHED);
            }
        }
    }

    #[test]
    fn a_claim_with_a_heartbeat_from_the_future_is_void_when_none_comes() {
        let owner = owner();
        assert!(owner.respects(RUN, &found(-1e6, 3)));
        wait(&owner, WATCHED);
        assert!(!owner.respects(RUN, &found(-1e6, 3)));
    }

    #[test]
    fn a_young_claim_stands_however_long_it_was_watched() {
        let owner = owner();
        for _ in 0..3 {
            assert!(owner.respects(RUN, &found(14.0, 3)));
            wait(&owner, WATCHED * 10);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_claim_of_a_process_that_ended_is_void_at_once() {
        let owner = owner();
        let gone = Process { began: Some(0), ..Process::this() };
        assert!(!owner.respects(RUN, &Found { process: gone, ..found(0.0, 3) }));
    }

    #[test]
    fn a_claim_has_heartbeats_while_it_lasts() {
        let (_folder, store) = new_store();
        let held = claimed(&store, RUN);
        let beat = || {
            let found = store.read(|view| find(view, RUN)).expect("read").expect("a claim");
            assert!(found.age < OLD);
            found.beat
        };
        let begun = Instant::now();
        while beat() < 2 {
            assert!(begun.elapsed() < Duration::from_secs(60), "no heartbeat came");
            thread::sleep(Duration::from_millis(50));
        }
        drop(held);
        assert!(store.read(|view| find(view, RUN)).expect("read").is_none());
    }
}
