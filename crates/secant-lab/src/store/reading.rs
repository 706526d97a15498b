//! Stores that are only read: nothing is made, and the file need not be writable.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf, absolute},
};

use rusqlite::{Connection, OpenFlags};

use super::{PATIENCE, error::Fault, open, patiently, schema};

/// Opens a store that is there: as one that is written, so that its log is put in order, or where that cannot be,
/// for reading alone.
pub(super) fn open_existing(path: &Path) -> Result<Connection, Fault> {
    require(path)?;
    match open(path) {
        Err(cannot_write @ (Fault::ReadOnly | Fault::Open(_))) => {
            open_to_read(path).map_err(|fault| match fault {
                Fault::ReadOnly | Fault::Open(_) => cannot_write,
                other => other,
            })
        }
        opened => opened,
    }
}

/// Checks that there is a file with something in it.
fn require(path: &Path) -> Result<(), Fault> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.len() == 0 => Err(Fault::Absent),
        Ok(_) => Ok(()),
        Err(reason) => match reason.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Err(Fault::Absent),
            _ => Err(Fault::Open(reason.to_string())),
        },
    }
}

fn open_to_read(path: &Path) -> Result<Connection, Fault> {
    match patiently(|| open_by_name(path)) {
        // SQLite wants a log beside a file that may be written meanwhile. Where none is there and none can be made,
        // nobody writes.
        Err(Fault::ReadOnly | Fault::Open(_)) if !has_log(path) => {
            open_by_name(Path::new(&unchanging(path)))
        }
        opened => opened,
    }
}

fn open_by_name(name: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(name, flags)?;
    connection.busy_timeout(PATIENCE)?;
    schema::require_store(&connection)?;
    Ok(connection)
}

/// Whether there is a write-ahead log that has something which is not in the file.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(PathBuf::from(log)).is_ok_and(|log| log.len() > 0)
}

/// The name by which SQLite takes a file for one that nobody changes.
fn unchanging(path: &Path) -> String {
    let whole = absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = whole.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file://{name}?immutable=1")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Filter, Store, testing::*},
        *,
    };

    /// A store with one comparison, closed.
    fn filled(name: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        fill(&Store::open(&path).expect("a store"), &recorded(1), "a");
        (folder, path)
    }

    fn count(connection: &Connection) -> i64 {
        let count = "SELECT count(*) FROM comparisons";
        connection.query_one(count, [], |row| row.get(0)).expect("a count")
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_store_that_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("a file");
        for path in [folder.path().join("a/b.sqlite"), file.join("b.sqlite"), file] {
            let told = Store::open_existing(&path).expect_err("none").to_string();
            assert!(told.contains("is not there; name another file with --store"), "{told}");
        }
        assert_eq!(names_in(folder.path()), ["file"]);
        assert_eq!(fs::read(folder.path().join("file")).expect("a file"), b"");
    }

    #[test]
    fn a_store_that_is_there_is_read_and_no_file_stays_beside_it() {
        let (folder, path) = filled("store.sqlite");
        let store = Store::open_existing(&path).expect("a store");
        assert_eq!(store.list(&Filter::default()).expect("a list").len(), 1);
        drop(store);
        assert_eq!(names_in(folder.path()), ["store.sqlite"]);
    }

    #[test]
    fn a_store_that_is_opened_to_read_cannot_be_written() {
        let (_folder, path) = filled("store.sqlite");
        let connection = open_to_read(&path).expect("a store");
        assert_eq!(count(&connection), 1);
        let fault = Fault::from(connection.execute("DELETE FROM claims", []).expect_err("refused"));
        assert!(matches!(fault, Fault::ReadOnly), "{fault}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_nobody_changes_is_read_under_any_name_and_without_a_log() {
        let (folder, path) = filled("50% #1?immutable=0 ä.sqlite");
        let connection = open_by_name(Path::new(&unchanging(&path))).expect("a store");
        assert_eq!(count(&connection), 1);
        assert_eq!(names_in(folder.path()).len(), 1);
        drop(connection);
        // What is in a log only would be overlooked.
        let writer = Store::open(&path).expect("a store");
        writer.begin(&comparison(2)).expect("begun");
        assert!(has_log(&path));
        assert_eq!(count(&open_to_read(&path).expect("a store")), 2);
    }

    #[test]
    fn a_file_of_something_else_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes.txt");
        fs::write(&path, "my notes\n".repeat(100)).expect("a file");
        let fault = open_to_read(&path).expect_err("no store");
        assert!(matches!(fault, Fault::Foreign), "{fault}");
    }
}
