//! Comparisons: begun once, read at any time, deleted when nobody wants them.

use rusqlite::{Transaction, params};

use crate::record::{Design, Run, StepTime, Trial};

use super::{
    Store,
    error::{Fault, StoreError},
    row,
};

/// All that the store has of a comparison, finished or not, in an order that does not depend on
/// who finished what first.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// What was compared.
    pub design: Design,
    /// The finished tuning runs: by method, then by number.
    pub trials: Vec<Trial>,
    /// The finished runs: by method, then by seed, as the comparison has them.
    pub runs: Vec<Run>,
    /// Of every method that has some: the last that were measured on a quiet machine, or else the
    /// last.
    pub step_times: Vec<StepTime>,
}

/// What was deleted with a comparison, because no other has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Tuning runs.
    pub trials: usize,
    /// Runs.
    pub runs: usize,
}

impl Store {
    /// Puts a comparison into the store. One that is there already stays as it is, with the command
    /// and the date of its first beginning.
    ///
    /// # Errors
    ///
    /// When a number is not finite or the store cannot be written.
    pub fn begin(&self, comparison: &Design) -> Result<(), StoreError> {
        self.write(|transaction| {
            let record = row::text(comparison, "a comparison")?;
            transaction.execute(
                "INSERT INTO comparisons (key, record) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
                [&comparison.key, &record],
            )?;
            Ok(())
        })
    }

    /// Adds step times that were measured together; earlier ones are kept.
    ///
    /// # Errors
    ///
    /// When the comparison is not in the store, a number is not finite, or the store cannot be
    /// written.
    pub fn add_step_times(&self, comparison: &str, times: &[StepTime]) -> Result<(), StoreError> {
        self.write(|transaction| {
            if !has_comparison(transaction, comparison)? {
                return Err(Fault::NoComparison { key: comparison.to_string() });
            }
            for time in times {
                let record = row::text(time, "a step time")?;
                let insert = format!(
                    "INSERT INTO step_times (comparison, record, measured) VALUES (?1, ?2, {})",
                    row::NOW
                );
                transaction.execute(&insert, params![comparison, record])?;
            }
            Ok(())
        })
    }

    /// The step times of the comparison with this whole key, as [`Recorded::step_times`] has them, in no
    /// order.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn step_times(&self, comparison: &str) -> Result<Vec<StepTime>, StoreError> {
        self.read(|view| step_times(view, comparison))
    }

    /// The comparison whose key is, or alone begins with, `key`.
    ///
    /// # Errors
    ///
    /// When there is none or more than one, or the store cannot be read.
    pub fn comparison(&self, key: &str) -> Result<Recorded, StoreError> {
        self.read(|view| {
            let comparison = named(view, key)?;
            let mut trials = trials(view, &comparison.key)?;
            let mut runs = runs(view, &comparison.key)?;
            let mut step_times = step_times(view, &comparison.key)?;
            let method = |name: &str| place(&comparison.methods, |method| method == name);
            let seed = |seed: u64| place(&comparison.seeds, |listed| *listed == seed);
            trials.sort_by_key(|trial| (method(&trial.method), trial.number));
            runs.sort_by_key(|run| (method(&run.method), seed(run.seed), run.seed));
            step_times.sort_by_key(|time| method(&time.method));
            Ok(Recorded { design: comparison, trials, runs, step_times })
        })
    }

    /// Deletes the comparison whose key is, or alone begins with, `key`, and those of its runs that
    /// no other comparison has.
    ///
    /// # Errors
    ///
    /// When there is none or more than one, or the store cannot be written.
    pub fn delete(&self, key: &str) -> Result<Deleted, StoreError> {
        self.write(|transaction| {
            let key = full_key(transaction, key)?;
            let own = "SELECT run FROM comparison_runs WHERE comparison = ?1 EXCEPT
                       SELECT run FROM comparison_runs WHERE comparison <> ?1";
            let own: Vec<String> = column(transaction, own, &key)?;
            transaction.execute("DELETE FROM comparisons WHERE key = ?1", [&key])?;
            let mut deleted = Deleted::default();
            for run in own {
                let delete = "DELETE FROM runs WHERE key = ?1 RETURNING kind = 'trial'";
                let is_trial = transaction.query_one(delete, [run], |row| row.get(0))?;
                *(if is_trial { &mut deleted.trials } else { &mut deleted.runs }) += 1;
            }
            Ok(deleted)
        })
    }
}

pub(super) fn has_comparison(view: &Transaction<'_>, key: &str) -> Result<bool, Fault> {
    Ok(view.prepare("SELECT 1 FROM comparisons WHERE key = ?1")?.exists([key])?)
}

/// The key that is `key`, or the only one that begins with it.
pub(super) fn full_key(view: &Transaction<'_>, key: &str) -> Result<String, Fault> {
    let wanted = key.to_ascii_lowercase();
    let begins = "SELECT key FROM comparisons WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key";
    let mut found: Vec<String> = column(view, begins, &wanted)?;
    match found.len() {
        0 => Err(Fault::NoComparison { key: key.to_string() }),
        1 => Ok(found.remove(0)),
        _ if found[0] == wanted => Ok(found.remove(0)),
        _ => Err(Fault::Ambiguous { key: key.to_string(), found }),
    }
}

fn named(view: &Transaction<'_>, key: &str) -> Result<Design, Fault> {
    let key = full_key(view, key)?;
    let select = "SELECT record FROM comparisons WHERE key = ?1";
    let record: String = view.query_one(select, [&key], |row| row.get(0))?;
    row::record(&record, &format!("a comparison {key}"))
}

fn trials(view: &Transaction<'_>, comparison: &str) -> Result<Vec<Trial>, Fault> {
    let mut statement = view.prepare(
        "SELECT key, record, linked.method, linked.number
         FROM comparison_runs linked JOIN runs ON runs.key = linked.run
         WHERE comparison = ?1 AND kind = 'trial' ORDER BY key",
    )?;
    let columns =
        |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let rows = statement.query_map([comparison], columns)?;
    rows.map(|row| {
        let (key, record, method, number): (String, String, String, usize) = row?;
        let trial: Trial = row::record(&record, &format!("a trial {key}"))?;
        Ok(Trial { method, number, ..trial })
    })
    .collect()
}

fn runs(view: &Transaction<'_>, comparison: &str) -> Result<Vec<Run>, Fault> {
    let mut statement = view.prepare(
        "SELECT key, record, details, linked.method
         FROM comparison_runs linked JOIN runs ON runs.key = linked.run
         WHERE comparison = ?1 AND kind = 'run' ORDER BY key",
    )?;
    let columns =
        |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let rows = statement.query_map([comparison], columns)?;
    rows.map(|row| {
        let (key, record, details, method): (String, String, Vec<u8>, String) = row?;
        let run = row::join(&record, &details, &format!("a run {key}"))?;
        Ok(Run { method, ..run })
    })
    .collect()
}

fn step_times(view: &Transaction<'_>, comparison: &str) -> Result<Vec<StepTime>, Fault> {
    let select = "SELECT record FROM step_times WHERE comparison = ?1 ORDER BY id DESC";
    let records: Vec<String> = column(view, select, comparison)?;
    let mut times = Vec::<StepTime>::new();
    for record in records {
        let time: StepTime = row::record(&record, "a step time")?;
        match times.iter_mut().find(|later| later.method == time.method) {
            Some(later) if later.busy && !time.busy => *later = time,
            Some(_) => {}
            None => times.push(time),
        }
    }
    Ok(times)
}

fn column(view: &Transaction<'_>, select: &str, key: &str) -> Result<Vec<String>, Fault> {
    let mut statement = view.prepare(select)?;
    let rows = statement.query_map([key], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Where something is in a list, or after its end.
fn place<T>(list: &[T], is_it: impl Fn(&T) -> bool) -> usize {
    list.iter().position(is_it).unwrap_or(list.len())
}
