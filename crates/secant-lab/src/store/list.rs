//! What is in a store, comparison by comparison.

use rusqlite::{Transaction, params};

use crate::record::{Design, Run};

use super::{
    Store,
    check::check_structure,
    error::{Fault, StoreError},
    row,
};

/// Which comparisons are listed: those that pass all that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A part of the problem's name.
    pub problem: Option<String>,
    /// A method, as on the command line, or its name alone for any hyper-parameters.
    pub method: Option<String>,
    /// Begun at this time or later: `2026-11-26`, or up to the second as in
    /// [`Design::created`].
    pub since: Option<String>,
}

/// A comparison in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// When it was first begun, in UTC.
    pub created: String,
    /// The problem's name.
    pub problem: String,
    /// The methods, in the order asked for.
    pub methods: Vec<String>,
    /// Finished tuning runs.
    pub trials: usize,
    /// The tuning runs it has at least when it is finished.
    pub least_trials: usize,
    /// Finished runs.
    pub runs: usize,
    /// The runs it has when it is finished.
    pub all_runs: usize,
    /// The best method of those whose finished runs all trained.
    pub best: Option<Best>,
}

/// The best method so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The method.
    pub method: String,
    /// The metric that ranks the methods.
    pub metric: String,
    /// Its mean over the finished runs, on the test records.
    pub mean: f64,
    /// The finished runs.
    pub runs: usize,
}

impl Store {
    /// The comparisons that pass the filter, the newest first.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or is damaged: what is counted would be less than there is.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Listed>, StoreError> {
        self.read(|view| {
            check_structure(view, "quick_check")?;
            let mut statement = view.prepare(
                "SELECT key, record FROM comparisons
                 WHERE instr(problem, ?1) > 0 AND created >= ?2 ORDER BY created DESC, rowid DESC",
            )?;
            let part = |part: &Option<String>| part.clone().unwrap_or_default();
            let columns = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let wanted = params![part(&filter.problem), part(&filter.since)];
            let mut listed = Vec::new();
            for row in statement.query_map(wanted, columns)? {
                let (key, record): (String, String) = row?;
                let comparison: Design = row::record(&record, &format!("a comparison {key}"))?;
                if filter.has_method(&comparison.methods) {
                    listed.push(summarize(view, comparison)?);
                }
            }
            Ok(listed)
        })
    }
}

impl Store {
    /// The comparisons of an experiment at one size: of each variant the newest, the earliest variant first.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn of_experiment(&self, name: &str, is_small: bool) -> Result<Vec<String>, StoreError> {
        self.read(|view| {
            let mut statement = view.prepare(
                "SELECT key FROM comparisons AS newest
                 WHERE record ->> '$.origin.experiment' = ?1 AND record ->> '$.origin.is_small' = ?2
                 AND rowid = (SELECT max(rowid) FROM comparisons AS other
                     WHERE other.record ->> '$.origin.experiment' = ?1
                     AND other.record ->> '$.origin.is_small' = ?2
                     AND other.problem = newest.problem
                     AND other.record ->> '$.origin.variant' = newest.record ->> '$.origin.variant')
                 ORDER BY rowid",
            )?;
            let keys = statement.query_map(params![name, is_small], |row| row.get(0))?;
            Ok(keys.collect::<Result<_, _>>()?)
        })
    }
}

impl Filter {
    fn has_method(&self, methods: &[String]) -> bool {
        let Some(wanted) = &self.method else { return true };
        let name = |method: &String| method.split('(').next() == Some(wanted);
        methods.iter().any(|method| method == wanted || name(method))
    }
}

fn summarize(view: &Transaction<'_>, comparison: Design) -> Result<Listed, Fault> {
    let runs = outlines(view, &comparison.key)?;
    let trials = view.query_one(
        "SELECT count(*) FROM comparison_runs JOIN runs ON runs.key = run
         WHERE comparison = ?1 AND kind = 'trial'",
        [&comparison.key],
        |row| row.get(0),
    )?;
    Ok(Listed {
        trials,
        least_trials: comparison.methods.len() * comparison.trials * comparison.tuning_seeds,
        runs: runs.len(),
        all_runs: comparison.methods.len() * comparison.seeds.len(),
        best: best(&comparison, &runs),
        key: comparison.key,
        created: comparison.created,
        problem: comparison.problem,
        methods: comparison.methods,
    })
}

/// The runs of a comparison without their details.
fn outlines(view: &Transaction<'_>, comparison: &str) -> Result<Vec<Run>, Fault> {
    let mut statement = view.prepare(
        "SELECT record, linked.method FROM comparison_runs linked JOIN runs ON runs.key = linked.run
         WHERE comparison = ?1 AND kind = 'run' ORDER BY key",
    )?;
    let columns = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let rows = statement.query_map([comparison], columns)?;
    rows.map(|row| {
        let (record, method): (String, String) = row?;
        let run: Run = row::record(&record, &format!("a run of the comparison {comparison}"))?;
        Ok(Run { method, ..run })
    })
    .collect()
}

fn best(comparison: &Design, runs: &[Run]) -> Option<Best> {
    let metric = comparison.metrics.get(comparison.ranked_by)?;
    let of_method = |method: &String| {
        let mut sum = 0.0;
        let mut count = 0;
        for run in runs.iter().filter(|run| run.method == *method) {
            sum += run.test.get(comparison.ranked_by).copied().flatten().filter(|_| run.trained)?;
            count += 1;
        }
        let best =
            |mean| Best { method: method.clone(), metric: metric.name.clone(), mean, runs: count };
        (count > 0).then(|| best(sum / count as f64))
    };
    comparison
        .methods
        .iter()
        .filter_map(of_method)
        .max_by(|a, b| metric.gain(a.mean, b.mean).total_cmp(&0.0))
}
