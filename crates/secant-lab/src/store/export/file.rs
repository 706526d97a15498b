//! Exported files: all of them or none, and none in the place of another unless that is asked for.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use super::ExportError;
use crate::files::write_whole;

/// What to do with a file that has the name of a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it, and say so.
    Refuse,
    /// Put the new one in its place.
    Replace,
}

/// Writes all the files, or none of them where one is in the way; folders are made if need be.
pub(super) fn write_files(
    files: &[(PathBuf, Vec<u8>)],
    existing: Existing,
) -> Result<(), ExportError> {
    if existing == Existing::Refuse
        && let Some((path, _)) = files.iter().find(|(path, _)| path.exists())
    {
        return Err(ExportError::Exists { path: path.clone() });
    }
    files.iter().try_for_each(|(path, content)| write_file(path, content, existing))
}

/// Writes under another name first, then gives the right one.
fn write_file(path: &Path, content: &[u8], existing: Existing) -> Result<(), ExportError> {
    let cannot_write = |reason| ExportError::Write { path: path.to_owned(), reason };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(cannot_write)?;
    }
    let written = write_whole(path, content, |temporary| publish(temporary, path, existing));
    written.map_err(|reason| match reason.kind() {
        ErrorKind::AlreadyExists => ExportError::Exists { path: path.to_owned() },
        _ => cannot_write(reason),
    })
}

fn publish(temporary: &Path, path: &Path, existing: Existing) -> io::Result<()> {
    if existing == Existing::Replace {
        return fs::rename(temporary, path);
    }
    // Unlike a new name, a second one never replaces a file.
    match fs::hard_link(temporary, path) {
        Ok(()) => fs::remove_file(temporary),
        // Not every file system has second names.
        Err(error) if error.kind() != ErrorKind::AlreadyExists && !path.exists() => {
            fs::rename(temporary, path)
        }
        failed => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_if_that_is_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b.csv");
        write_files(&[(path.clone(), b"old".to_vec())], Existing::Refuse).expect("written");
        let other = folder.path().join("a/c.csv");
        let files = [(other.clone(), b"new".to_vec()), (path.clone(), b"new".to_vec())];
        let error = write_files(&files, Existing::Refuse).expect_err("there is one").to_string();
        assert!(error.contains("b.csv exists and was left as it is"), "{error}");
        assert!(!other.exists(), "the other file is not written either");
        assert_eq!(fs::read(&path).expect("a file"), b"old");
        write_files(&files, Existing::Replace).expect("replaced");
        assert_eq!(fs::read(&path).expect("a file"), b"new");
        assert_eq!(names_in(&folder.path().join("a")).len(), 2);
    }

    #[test]
    fn a_file_that_comes_in_between_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        fs::write(&path, "first").expect("a file");
        let error = write_file(&path, b"second", Existing::Refuse).expect_err("there is one");
        assert!(matches!(error, ExportError::Exists { .. }), "{error}");
        assert_eq!(fs::read(&path).expect("a file"), b"first");
        assert_eq!(names_in(folder.path()), ["a.csv"]);
    }

    #[test]
    fn a_failed_write_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        fs::create_dir_all(path.join("in-the-way")).expect("a folder");
        let files = [(path, b"text".to_vec())];
        let error = write_files(&files, Existing::Replace).expect_err("a folder there");
        assert!(matches!(error, ExportError::Write { .. }), "{error}");
        assert_eq!(names_in(folder.path()), ["a.csv"]);
    }
}
