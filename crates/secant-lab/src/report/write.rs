//! Files: the page and the data, each written as a whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::{
    files::replace_file,
    store::{Recorded, export::json_lines},
};

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

/// Writes `report.html` and `data.jsonl` into `folder`, which is made if need be; copies of what the store
/// has. Files of the same names are replaced only where they are an earlier report's.
///
/// # Errors
///
/// When there is no comparison, something cannot be written, or a file of another origin is in the way.
pub fn write_report(folder: &Path, recorded: &[Recorded]) -> Result<Paths, ReportError> {
    let paths = Paths { page: folder.join("report.html"), data: folder.join("data.jsonl") };
    let page = page(recorded)?;
    check_folder(folder)?;
    let data = json_lines::text(recorded)
        .map_err(|reason| ReportError::Data { reason: reason.to_string() })?;
    replace(&paths.data, &data)?;
    replace(&paths.page, &page)?;
    Ok(paths)
}

/// Checks that a report can be written into `folder`, which is made if need be.
///
/// # Errors
///
/// When it cannot be made, or a file of another origin is in the way.
pub fn check_folder(folder: &Path) -> Result<(), ReportError> {
    if folder.is_file() {
        return Err(ReportError::NotAFolder { path: folder.to_owned() });
    }
    let marks = [("report.html", "<!DOCTYPE html>"), ("data.jsonl", "{\"kind\":\"comparison\"")];
    for (name, mark) in marks {
        let path = folder.join(name);
        if path.exists() && !begins_with(&path, mark) {
            return Err(ReportError::InTheWay { path });
        }
    }
    fs::create_dir_all(folder).map_err(|reason| cannot_write(folder, reason))
}

/// Whether a file begins as one of a report does.
fn begins_with(path: &Path, mark: &str) -> bool {
    use io::Read;
    let mut start = vec![0; mark.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == mark.as_bytes()
}

fn replace(path: &Path, text: &str) -> Result<(), ReportError> {
    replace_file(path, text).map_err(|reason| cannot_write(path, reason))
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
    fn a_report_is_two_files_in_a_new_folder_or_over_an_old_report() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("a/b");
        write_report(&inner, &[samples::nine_methods()]).expect("a report");
        let paths = write_report(&inner, &[samples::one_seed()]).expect("a report");
        assert_eq!(names_in(&inner), ["data.jsonl", "report.html"]);
        let read = json_lines::read(&paths.data).expect("records");
        assert_eq!(read, [samples::one_seed()]);
    }

    #[test]
    fn a_file_of_another_origin_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["report.html", "data.jsonl"] {
            fs::write(folder.path().join(name), "mine").expect("a file");
            let error =
                write_report(folder.path(), &[samples::one_seed()]).expect_err("in the way");
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(names_in(folder.path()), [name]);
            fs::remove_file(folder.path().join(name)).expect("removed");
        }
    }

    #[test]
    fn a_failed_write_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("data.jsonl/in-the-way")).expect("a folder");
        let error =
            write_report(folder.path(), &[samples::one_seed()]).expect_err("a folder there");
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
