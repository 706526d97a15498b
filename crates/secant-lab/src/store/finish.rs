//! Finished runs: how they come into the store, and how they are found again.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::record::{Design, Run, Trial};

use super::{
    Store,
    claim::Claimed,
    comparison::has_comparison,
    error::{Fault, StoreError},
    row,
};

/// What became of a run that was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It is in the store.
    Kept,
    /// Another process, which had taken the run over, was first. That one's numbers stay.
    AlreadyThere,
}

/// A finished run as the tables take it.
struct Work<'a> {
    kind: &'static str,
    record: String,
    details: Option<Vec<u8>>,
    method: &'a str,
    number: usize,
}

impl Claimed<'_> {
    /// Puts the trial into the store and into the comparison, which has begun, and ends the claim.
    /// Machine and version are those of `comparison`.
    ///
    /// # Errors
    ///
    /// When the comparison is not in the store, a number is not finite, or the store cannot be
    /// written; nothing is written then, and the claim is given back.
    pub fn finish_trial(self, comparison: &Design, trial: &Trial) -> Result<Finish, StoreError> {
        let record = row::text(trial, "a trial").map_err(|fault| self.store.error(fault))?;
        let (method, number) = (&trial.method, trial.number);
        self.finish(comparison, &Work { kind: "trial", record, details: None, method, number })
    }

    /// Puts the run into the store and into the comparison, as [`Claimed::finish_trial`] does.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn finish_run(self, comparison: &Design, run: &Run) -> Result<Finish, StoreError> {
        let (record, details) = row::split(run).map_err(|fault| self.store.error(fault))?;
        let (details, method) = (Some(details), &run.method);
        self.finish(comparison, &Work { kind: "run", record, details, method, number: 0 })
    }

    fn finish(mut self, comparison: &Design, work: &Work<'_>) -> Result<Finish, StoreError> {
        let finish = self.store.write(|transaction| {
            let finish = self.insert(transaction, comparison, work)?;
            link(transaction, &comparison.key, &self.run, (work.method, work.number))?;
            self.store.owner.give_back(transaction, &self.run)?;
            transaction.execute("DELETE FROM checkpoints WHERE run = ?1", [&self.run])?;
            Ok(finish)
        })?;
        self.given_back = true;
        Ok(finish)
    }

    fn insert(
        &self,
        transaction: &Transaction<'_>,
        comparison: &Design,
        Work { kind, record, details, .. }: &Work<'_>,
    ) -> Result<Finish, Fault> {
        let Design { machine, version, code, .. } = comparison;
        let seconds = self.since.elapsed().as_secs_f64();
        let insert = format!(
            "INSERT INTO runs
             (key, kind, record, details, finished, seconds, machine, version, code)
             VALUES (?1, ?2, ?3, ?4, {}, ?5, ?6, ?7, ?8) ON CONFLICT (key) DO NOTHING",
            row::NOW
        );
        let values = params![self.run, kind, record, details, seconds, machine, version, code];
        let inserted = transaction.execute(&insert, values)?;
        Ok(if inserted == 1 { Finish::Kept } else { Finish::AlreadyThere })
    }
}

impl Store {
    /// The finished trial of this key.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn trial(&self, run: &str) -> Result<Option<Trial>, StoreError> {
        let select = "SELECT record FROM runs WHERE key = ?1 AND kind = 'trial'";
        self.read(|view| {
            let record: Option<String> =
                view.query_one(select, [run], |row| row.get(0)).optional()?;
            record.map(|record| row::record(&record, &format!("a trial {run}"))).transpose()
        })
    }

    /// The finished run of this key.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn run(&self, run: &str) -> Result<Option<Run>, StoreError> {
        let select = "SELECT record, details FROM runs WHERE key = ?1 AND kind = 'run'";
        self.read(|view| {
            let columns = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let found: Option<(String, Vec<u8>)> =
                view.query_one(select, [run], columns).optional()?;
            let what = format!("a run {run}");
            found.map(|(record, details)| row::join(&record, &details, &what)).transpose()
        })
    }

    /// Says that a finished trial is the comparison's too, as this method's trial of this number.
    ///
    /// # Errors
    ///
    /// When the comparison or the trial is not in the store, or it cannot be written.
    pub fn link_trial(
        &self,
        comparison: &str,
        run: &str,
        method: &str,
        number: usize,
    ) -> Result<(), StoreError> {
        self.write(|transaction| link(transaction, comparison, run, (method, number)))
    }

    /// Says that a finished run is the comparison's too, as one of this method.
    ///
    /// # Errors
    ///
    /// When the comparison or the run is not in the store, or it cannot be written.
    pub fn link_run(&self, comparison: &str, run: &str, method: &str) -> Result<(), StoreError> {
        self.write(|transaction| link(transaction, comparison, run, (method, 0)))
    }
}

fn link(
    transaction: &Transaction<'_>,
    comparison: &str,
    run: &str,
    (method, number): (&str, usize),
) -> Result<(), Fault> {
    if !has_comparison(transaction, comparison)? {
        return Err(Fault::NoComparison { key: comparison.to_string() });
    }
    if !transaction.prepare("SELECT 1 FROM runs WHERE key = ?1")?.exists([run])? {
        return Err(Fault::NoRun { key: run.to_string() });
    }
    transaction.execute(
        "INSERT INTO comparison_runs (comparison, run, method, number) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
        params![comparison, run, method, number],
    )?;
    Ok(())
}
