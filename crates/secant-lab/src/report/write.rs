//! Files: the page and the data, each written as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::run::record::Record;

use super::error::ReportError;
use super::html::page;

/// Where a report was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The page.
    pub page: PathBuf,
    /// The records, one a line.
    pub data: PathBuf,
}

/// Writes `report.html` and `data.jsonl` into `folder`, which is made if need be.
///
/// # Errors
///
/// When the records do not begin with a comparison, or something cannot be written.
pub fn write_report(folder: &Path, records: &[Record]) -> Result<Paths, ReportError> {
    let paths = Paths { page: folder.join("report.html"), data: data_path(folder) };
    let page = page(records)?;
    write_data(folder, records)?;
    replace(&paths.page, &page)?;
    Ok(paths)
}

/// Where the records of the report in `folder` are.
pub fn data_path(folder: &Path) -> PathBuf {
    folder.join("data.jsonl")
}

/// Writes the records alone into `folder`, which is made if need be.
///
/// # Errors
///
/// When something cannot be written.
pub fn write_data(folder: &Path, records: &[Record]) -> Result<(), ReportError> {
    let path = data_path(folder);
    let lines = lines(records).map_err(|reason| cannot_write(&path, reason.into()))?;
    if folder.is_file() {
        return Err(ReportError::NotAFolder { path: folder.to_owned() });
    }
    fs::create_dir_all(folder).map_err(|reason| cannot_write(folder, reason))?;
    replace(&path, &lines)
}

/// Reads the records that [`write_report`] wrote.
///
/// # Errors
///
/// When the file cannot be read, or a line is not a record; the line is named.
pub fn read_records(path: &Path) -> Result<Vec<Record>, ReportError> {
    let cannot_read = |reason| ReportError::Read { path: path.to_owned(), reason };
    let file = File::open(path).map_err(cannot_read)?;
    let mut records = Vec::new();
    for (i, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(cannot_read)?;
        let record = serde_json::from_str(&line).map_err(|reason| ReportError::Line {
            path: path.to_owned(),
            line: i + 1,
            // The parser saw one line only, so its own line number is always one.
            reason: reason.to_string().replace(" at line 1 column ", " at column "),
        })?;
        records.push(record);
    }
    Ok(records)
}

fn lines(records: &[Record]) -> serde_json::Result<String> {
    let mut text = String::new();
    for record in records {
        text += &serde_json::to_string(record)?;
        text.push('\n');
    }
    Ok(text)
}

/// Writes the text under another name, then gives it the right one.
pub(crate) fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", process::id()));
    let written = write_durably(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    written.inspect_err(|_| {
        // The first failure is the one to report; the leftover may not even exist.
        let _ = fs::remove_file(&temporary);
    })
}

fn replace(path: &Path, text: &str) -> Result<(), ReportError> {
    replace_file(path, text).map_err(|reason| cannot_write(path, reason))
}

fn write_durably(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn cannot_write(path: &Path, reason: io::Error) -> ReportError {
    ReportError::Write { path: path.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> =
            entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_report_is_two_files_and_the_data_reads_back_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let records = samples::nine_methods();
        let paths = write_report(folder.path(), &records).expect("a report");
        assert_eq!(names_in(folder.path()), ["data.jsonl", "report.html"]);
        assert_eq!(read_records(&paths.data).expect("records"), records);
    }

    #[test]
    fn a_report_is_written_into_a_new_folder_and_over_an_old_report() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("a/b");
        write_report(&inner, &samples::nine_methods()).expect("a report");
        let paths = write_report(&inner, &samples::one_seed()).expect("a report");
        assert_eq!(read_records(&paths.data).expect("records"), samples::one_seed());
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data.jsonl");
        let good = lines(&samples::one_seed()[..2]).expect("lines");
        fs::write(&path, good + "{\"kind\":\"tri").expect("a file");
        let error = read_records(&path).expect_err("a bad line").to_string();
        assert!(
            error.starts_with("line 3 of ") && error.contains("data.jsonl is not a record"),
            "{error}"
        );
        assert!(error.contains("(EOF while parsing a string at column 12)"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = read_records(&folder.path().join("none.jsonl")).expect_err("no file");
        assert!(error.to_string().starts_with("cannot read "), "{error}");
        assert!(error.to_string().contains("none.jsonl"), "{error}");
    }

    #[test]
    fn a_failed_write_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("data.jsonl/in-the-way")).expect("a folder");
        let error = write_report(folder.path(), &samples::one_seed()).expect_err("a folder there");
        assert!(error.to_string().contains("data.jsonl"), "{error}");
        assert_eq!(names_in(folder.path()), ["data.jsonl"]);
    }

    #[test]
    fn nothing_is_written_without_a_comparison() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = write_report(folder.path(), &[]).expect_err("no records");
        assert!(matches!(error, ReportError::NoComparison));
        assert!(names_in(folder.path()).is_empty());
    }
}
