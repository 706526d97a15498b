//! Files that are written as a whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
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

fn write_durably(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    file.sync_all()
}
