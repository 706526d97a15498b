//! Checkpoints: how far runs in progress are, so that a killed one goes on from there.

use rusqlite::{OptionalExtension, params};

use super::{claim::Claimed, error::StoreError, row};

impl Claimed<'_> {
    /// Keeps the state of the run in progress, instead of an earlier one; it goes away when the run is
    /// finished or its comparison deleted.
    ///
    /// # Errors
    ///
    /// When the comparison is not in the store, or it cannot be written.
    pub fn keep(&self, comparison: &str, state: &[u8]) -> Result<(), StoreError> {
        let insert = format!(
            "INSERT INTO checkpoints (run, comparison, saved, state) VALUES (?1, ?2, {}, ?3)
             ON CONFLICT (run) DO UPDATE SET
             comparison = excluded.comparison, saved = excluded.saved, state = excluded.state",
            row::NOW
        );
        self.store.write(|transaction| {
            // Another process may have taken the run over, and be further.
            if self.store.owner.has(transaction, &self.run)? {
                transaction.execute(&insert, params![self.run, comparison, state])?;
            }
            Ok(())
        })
    }

    /// The state that was kept last.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn kept(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let select = "SELECT state FROM checkpoints WHERE run = ?1";
        self.store
            .read(|view| Ok(view.query_one(select, [&self.run], |row| row.get(0)).optional()?))
    }
}
