//! The tables of a store, and how a file is known to be one.
//!
//! Records are JSON as they were given; the columns that a person or a query wants are
//! generated from them, so nothing is there twice. What is long in a run, its curve and its
//! trust-region steps, is in `details`, gzipped JSON.

use rusqlite::{Connection, TransactionBehavior, types::FromSql};

use super::error::Fault;

/// `scnt`, in the header of the file.
const APPLICATION_ID: i32 = 0x7363_6e74;

/// What leads from each format to the next; the first begins with an empty file.
const MIGRATIONS: [&str; 2] = [FORMAT_1, FORMAT_2];

const FORMAT_1: &str = "
CREATE TABLE comparisons (
    key TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL,
    created TEXT GENERATED ALWAYS AS (record ->> '$.created'),
    problem TEXT GENERATED ALWAYS AS (record ->> '$.problem'),
    fingerprint TEXT GENERATED ALWAYS AS (record ->> '$.fingerprint'),
    version TEXT GENERATED ALWAYS AS (record ->> '$.version'),
    command TEXT GENERATED ALWAYS AS (record ->> '$.command')
) STRICT;

CREATE TABLE runs (
    key TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('trial', 'run')),
    record TEXT NOT NULL,
    details BLOB,
    finished TEXT NOT NULL,
    seconds REAL NOT NULL,
    machine TEXT NOT NULL,
    version TEXT NOT NULL,
    code TEXT NOT NULL,
    method TEXT GENERATED ALWAYS AS (record ->> '$.method'),
    settings TEXT GENERATED ALWAYS AS (record ->> '$.settings'),
    lr REAL GENERATED ALWAYS AS (record ->> '$.lr'),
    seed ANY GENERATED ALWAYS AS (record ->> '$.seed')
) STRICT;

-- Which runs a comparison has, and under which name and number: a run has many comparisons.
CREATE TABLE comparison_runs (
    comparison TEXT NOT NULL REFERENCES comparisons (key) ON DELETE CASCADE,
    run TEXT NOT NULL REFERENCES runs (key),
    method TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (comparison, run, method, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX comparisons_of_runs ON comparison_runs (run);

CREATE TABLE step_times (
    id INTEGER PRIMARY KEY,
    comparison TEXT NOT NULL REFERENCES comparisons (key) ON DELETE CASCADE,
    record TEXT NOT NULL,
    measured TEXT NOT NULL,
    method TEXT GENERATED ALWAYS AS (record ->> '$.method')
) STRICT;
CREATE INDEX step_times_of_comparisons ON step_times (comparison);

-- Who works on a run that is not finished.
CREATE TABLE claims (
    run TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    process INTEGER NOT NULL,
    host TEXT NOT NULL,
    place TEXT,
    began INTEGER,
    beat INTEGER NOT NULL,
    seen REAL NOT NULL
) STRICT;
";

const FORMAT_2: &str = "
-- How far runs in progress are.
CREATE TABLE checkpoints (
    run TEXT NOT NULL PRIMARY KEY,
    comparison TEXT NOT NULL REFERENCES comparisons (key) ON DELETE CASCADE,
    saved TEXT NOT NULL,
    state BLOB NOT NULL
) STRICT;
CREATE INDEX checkpoints_of_comparisons ON checkpoints (comparison);
";

/// Makes the tables, or brings them to the present format; nothing is written into a file that is
/// not a store.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Fault> {
    // Not by opening the file here: its closing would end the locks that other connections of this
    // process have on it.
    if !is_empty(connection)? {
        require_store(connection)?;
    }
    if format(connection)? < MIGRATIONS.len() {
        migrate(connection)?;
    }
    // Readers and writers do not wait for each other.
    let set = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", set)?;
    if mode == "wal" {
        Ok(())
    } else {
        Err(Fault::Open("its file system has no write-ahead logging".to_string()))
    }
}

/// Checks that a file is a store, of a format that this program knows.
pub(super) fn require_store(connection: &Connection) -> Result<(), Fault> {
    if pragma::<i32>(connection, "application_id")? != APPLICATION_ID {
        return Err(Fault::Foreign);
    }
    format(connection).map(drop)
}

fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    for script in &MIGRATIONS[format(&transaction)?..] {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    Ok(transaction.commit()?)
}

/// The format of the file; 0 before there is any.
fn format(connection: &Connection) -> Result<usize, Fault> {
    let found = pragma(connection, "user_version")?;
    let known = MIGRATIONS.len();
    if found > known { Err(Fault::Newer { found, known }) } else { Ok(found) }
}

fn is_empty(connection: &Connection) -> Result<bool, Fault> {
    Ok(pragma::<i64>(connection, "page_count")? == 0)
}

fn pragma<T: FromSql>(connection: &Connection, name: &str) -> Result<T, Fault> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}
