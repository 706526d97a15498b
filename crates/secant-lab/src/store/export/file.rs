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

/// Writes all the files, or none of them where something is in the way; folders are made if need be.
pub(super) fn write_files(
    files: &[(PathBuf, Vec<u8>)],
    existing: Existing,
) -> Result<(), ExportError> {
    files.iter().try_for_each(|(path, _)| require_free(path, existing))?;
    files.iter().try_for_each(|(path, content)| write_file(path, content, existing))
}

/// Checks that nothing is lost by writing to `path`: a device, a pipe or a link never is replaced.
fn require_free(path: &Path, existing: Existing) -> Result<(), ExportError> {
    let path = path.to_owned();
    match fs::symlink_metadata(&path) {
        // Nothing is there, or what is wrong is said by who writes.
        Err(_) => Ok(()),
        Ok(found) if !found.is_file() => Err(ExportError::NoRegularFile { path }),
        Ok(_) if existing == Existing::Refuse => Err(ExportError::Exists { path }),
        Ok(_) => Ok(()),
    }
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
        let error = write_file(&path, b"text", Existing::Replace).expect_err("a folder there");
        assert!(matches!(error, ExportError::Write { .. }), "{error}");
        assert_eq!(names_in(folder.path()), ["a.csv"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_never_replaced() {
        use std::os::unix::{fs::symlink, net::UnixListener};

        let folder = tempfile::tempdir().expect("a folder");
        let named = |name: &str| folder.path().join(name);
        fs::write(named("file"), "mine").expect("a file");
        symlink("file", named("link")).expect("a link");
        symlink("nowhere", named("dangling")).expect("a link");
        fs::create_dir(named("folder")).expect("a folder");
        let _socket = UnixListener::bind(named("socket")).expect("a socket");
        for name in ["link", "dangling", "folder", "socket"] {
            let before = fs::symlink_metadata(named(name)).expect("there").file_type();
            let files = [(named("new"), b"text".to_vec()), (named(name), b"text".to_vec())];
            for existing in [Existing::Refuse, Existing::Replace] {
                let told = write_files(&files, existing).expect_err("in the way").to_string();
                assert!(told.contains(&format!("{name} is no regular file")), "{told}");
            }
            let after = fs::symlink_metadata(named(name)).expect("there").file_type();
            assert_eq!(after, before, "{name}");
        }
        assert!(!named("new").exists(), "the other file is not written either");
        assert_eq!(fs::read(named("file")).expect("a file"), b"mine");
    }
}
