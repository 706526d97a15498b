//! Whether a store is what it should be.

use rusqlite::{Row, Transaction};

use crate::record::{Design, StepTime, Trial};

use super::{
    Store,
    error::{Fault, StoreError},
    row,
};

impl Store {
    /// Reads everything: the file's structure, what belongs to what, and every record.
    ///
    /// # Errors
    ///
    /// Where something is wrong, with the first of it.
    pub fn check(&self) -> Result<(), StoreError> {
        self.read(|view| {
            check_structure(view, "integrity_check")?;
            check_references(view)?;
            each(view, "SELECT key, record FROM comparisons", |row| {
                let (key, text): (String, String) = (row.get(0)?, row.get(1)?);
                let what = format!("a comparison {key}");
                row::record::<Design>(&text, &what).map(drop)
            })?;
            each(view, "SELECT key, record FROM runs WHERE kind = 'trial'", |row| {
                let (key, text): (String, String) = (row.get(0)?, row.get(1)?);
                row::record::<Trial>(&text, &format!("a trial {key}")).map(drop)
            })?;
            each(view, "SELECT key, record, details FROM runs WHERE kind = 'run'", |row| {
                let (key, text): (String, String) = (row.get(0)?, row.get(1)?);
                let details: Vec<u8> = row.get(2)?;
                row::join(&text, &details, &format!("a run {key}")).map(drop)
            })?;
            each(view, "SELECT record FROM step_times", |row| {
                let text: String = row.get(0)?;
                row::record::<StepTime>(&text, "a step time").map(drop)
            })
        })
    }
}

/// Looks at every page, by one of SQLite's checks: `quick_check` does not hold the indices against their tables.
pub(super) fn check_structure(view: &Transaction<'_>, check: &str) -> Result<(), Fault> {
    let said: String = view.query_one(&format!("PRAGMA {check}(1)"), [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(Fault::Damaged(said)) }
}

fn check_references(view: &Transaction<'_>) -> Result<(), Fault> {
    each(view, "PRAGMA foreign_key_check", |row| {
        let (from, to): (String, String) = (row.get(0)?, row.get(2)?);
        Err(Fault::Damaged(format!("one of its {from} belongs to none of its {to}")))
    })
}

fn each(
    view: &Transaction<'_>,
    select: &str,
    mut check: impl FnMut(&Row<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement = view.prepare(select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        check(row)?;
    }
    Ok(())
}
