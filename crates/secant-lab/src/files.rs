//! Files that are written as a whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    time::Duration,
};

/// Writes the contents under another name, then gives them the right one.
pub(crate) fn replace_file(path: &Path, contents: impl AsRef<[u8]>) -> io::Result<()> {
    write_whole(path, contents.as_ref(), |temporary| fs::rename(temporary, path))
}

/// Writes the contents under another name in the same folder, syncs them, and lets `publish` give them the
/// right one; nothing stays behind where that fails.
pub(crate) fn write_whole(
    path: &Path,
    contents: &[u8],
    publish: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", process::id()));
    let temporary = PathBuf::from(temporary);
    let written = write_durably(&temporary, contents).and_then(|()| publish(&temporary));
    written.inspect_err(|_| {
        // The first failure is the one to report; the leftover may not even exist.
        let _ = fs::remove_file(&temporary);
    })
}

/// Removes what processes left that were killed while they wrote `path`: temporary files beside it that nobody has
/// written to for a minute.
pub(crate) fn remove_leftovers(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return };
    let begins = format!("{}.", name.to_string_lossy());
    for entry in entries.flatten() {
        let found = entry.file_name().to_string_lossy().into_owned();
        let process = found.strip_prefix(&begins).and_then(|rest| rest.strip_suffix(".tmp"));
        let is_temporary = process
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|d| d.is_ascii_digit()));
        let age = entry.metadata().and_then(|data| data.modified()).map(|time| time.elapsed());
        if is_temporary && age.is_ok_and(|age| age.is_ok_and(|age| age > ABANDONED)) {
            // Another process may have been quicker.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writing takes less.
const ABANDONED: Duration = Duration::from_secs(60);

fn write_durably(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn old_temporary_files_of_the_same_name_are_removed_and_no_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, age: u64| {
            let written = File::create(folder.path().join(name)).expect("a file");
            let then = SystemTime::now() - Duration::from_secs(age);
            written.set_modified(then).expect("a time");
        };
        for (name, age) in [
            ("model", 900),
            ("model.123.tmp", 900),
            ("model.124.tmp", 1),
            ("model.x.tmp", 900),
            ("model.123.tmp.more", 900),
            ("other.123.tmp", 900),
        ] {
            file(name, age);
        }
        remove_leftovers(&folder.path().join("model"));
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 5);
        assert!(!folder.path().join("model.123.tmp").exists());
    }
}
