//! Comparisons as JSON lines: each begins with a line of kind `comparison`, and its trials, runs
//! and step times follow.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::record::{Design, Run, StepTime, Trial};

use super::{
    super::Recorded,
    ExportError,
    file::{Existing, write_files},
};

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Record {
    /// What the lines that follow belong to.
    Comparison(Box<Design>),
    /// A tuning run.
    Trial(Trial),
    /// A run.
    Run(Box<Run>),
    /// The time of a step.
    StepTime(StepTime),
}

/// Writes the records into a file.
///
/// # Errors
///
/// When the file is there, or cannot be written.
pub fn write(path: &Path, recorded: &[Recorded], existing: Existing) -> Result<(), ExportError> {
    let text = text(recorded)
        .map_err(|reason| ExportError::Write { path: path.to_owned(), reason: reason.into() })?;
    write_files(&[(path.to_owned(), text.into_bytes())], existing)
}

/// The lines.
///
/// # Errors
///
/// None for what a store holds.
pub fn text(recorded: &[Recorded]) -> serde_json::Result<String> {
    let mut text = String::new();
    for one in recorded {
        for record in records(one) {
            text += &serde_json::to_string(&record)?;
            text.push('\n');
        }
    }
    Ok(text)
}

/// Reads what [`write()`] wrote.
///
/// # Errors
///
/// When the file cannot be read, or a line is not a record or belongs to no comparison; the line
/// is named.
pub fn read(path: &Path) -> Result<Vec<Recorded>, ExportError> {
    let cannot_read = |reason| ExportError::Read { path: path.to_owned(), reason };
    let file = File::open(path).map_err(cannot_read)?;
    let mut recorded = Vec::new();
    for (i, line) in BufReader::new(file).lines().enumerate() {
        add(&mut recorded, &line.map_err(cannot_read)?).map_err(|reason| ExportError::Line {
            path: path.to_owned(),
            line: i + 1,
            reason,
        })?;
    }
    Ok(recorded)
}

fn records(one: &Recorded) -> impl Iterator<Item = Record> {
    let first = Record::Comparison(Box::new(one.design.clone()));
    let trials = one.trials.iter().cloned().map(Record::Trial);
    let runs = one.runs.iter().cloned().map(|run| Record::Run(Box::new(run)));
    let step_times = one.step_times.iter().cloned().map(Record::StepTime);
    std::iter::once(first).chain(trials).chain(runs).chain(step_times)
}

fn add(recorded: &mut Vec<Recorded>, line: &str) -> Result<(), String> {
    // The parser sees one line only, so its own line number is always one.
    let record = serde_json::from_str(line)
        .map_err(|reason| reason.to_string().replace(" at line 1 column ", " at column "))?;
    if let Record::Comparison(comparison) = record {
        let (trials, runs, step_times) = Default::default();
        recorded.push(Recorded { design: *comparison, trials, runs, step_times });
        return Ok(());
    }
    let last = recorded.last_mut().ok_or("no comparison is before it")?;
    match record {
        Record::Trial(trial) => last.trials.push(trial),
        Record::Run(run) => last.runs.push(*run),
        Record::StepTime(time) => last.step_times.push(time),
        Record::Comparison(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::super::testing::recorded, *};

    #[test]
    fn comparisons_read_back_as_they_were() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data.jsonl");
        let recorded = [recorded(1), recorded(2)];
        write(&path, &recorded, Existing::Refuse).expect("written");
        assert_eq!(read(&path).expect("records"), recorded);
        let text = fs::read_to_string(&path).expect("a file");
        assert_eq!(text.lines().count(), 2 * (1 + 3 + 3 + 2));
        assert!(text.starts_with(r#"{"kind":"comparison","key":""#), "{text}");
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data.jsonl");
        let good = text(&[recorded(1)]).expect("lines");
        let lines: Vec<&str> = good.lines().collect();
        let cut = format!("{}\n{}\n{{\"kind\":\"tri", lines[0], lines[1]);
        fs::write(&path, cut).expect("a file");
        let error = read(&path).expect_err("a bad line").to_string();
        assert!(error.starts_with("line 3 of ") && error.contains("at column 12"), "{error}");
        fs::write(&path, lines[1]).expect("a file");
        let error = read(&path).expect_err("no comparison").to_string();
        assert!(error.ends_with("no comparison is before it"), "{error}");
    }
}
