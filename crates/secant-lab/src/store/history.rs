//! Where and when the runs of a comparison were made.

use rusqlite::Row;

use super::{Store, comparison::full_key, error::StoreError};

/// What the store knows about a finished run beside its record.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its key.
    pub run: String,
    /// What it was for.
    pub kind: Kind,
    /// The method, as the comparison names it.
    pub method: String,
    /// When it was finished, in UTC: `2026-11-26T12:34:56Z`.
    pub finished: String,
    /// Seconds it took, measuring included.
    pub seconds: f64,
    /// The machine it ran on.
    pub machine: String,
    /// The version of `secant`.
    pub version: String,
    /// The hash of the program.
    pub code: String,
}

/// What a run was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Tuning.
    Trial,
    /// The final figures.
    Run,
}

impl Store {
    /// The finished runs of the comparison whose key is, or alone begins with, `key`: the first
    /// finished first.
    ///
    /// # Errors
    ///
    /// When there is none or more than one, or the store cannot be read.
    pub fn history(&self, key: &str) -> Result<Vec<Entry>, StoreError> {
        self.read(|view| {
            let mut statement = view.prepare(
                "SELECT runs.*, kind = 'trial' AS is_trial, linked.method AS name
                 FROM comparison_runs linked JOIN runs ON runs.key = linked.run
                 WHERE comparison = ?1 ORDER BY finished, runs.rowid",
            )?;
            let rows = statement.query_map([full_key(view, key)?], entry)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        run: row.get("key")?,
        kind: if row.get("is_trial")? { Kind::Trial } else { Kind::Run },
        method: row.get("name")?,
        finished: row.get("finished")?,
        seconds: row.get("seconds")?,
        machine: row.get("machine")?,
        version: row.get("version")?,
        code: row.get("code")?,
    })
}
