//! Reading whole files, packed with gzip or not.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::error::DataError;

/// The first bytes of every gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The file `path` where there is one, else `path.gz` where there is one.
pub(super) fn find(path: &Path) -> Option<PathBuf> {
    let packed = with_suffix(path, ".gz");
    [path.to_path_buf(), packed].into_iter().find(|file| file.is_file())
}

/// `path` with `suffix` put after its whole name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The contents of `path`, or of `path.gz` where only that exists, unpacked where they are packed.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let found = find(path);
    let path = found.as_deref().unwrap_or(path);
    let raw =
        fs::read(path).map_err(|reason| DataError::Read { path: path.to_path_buf(), reason })?;
    let named_gz = path.extension().is_some_and(|extension| extension == "gz");
    if !named_gz && !raw.starts_with(&GZIP_MAGIC) {
        return Ok(raw);
    }
    let mut unpacked = Vec::new();
    match MultiGzDecoder::new(raw.as_slice()).read_to_end(&mut unpacked) {
        Ok(_) => Ok(unpacked),
        Err(_) => Err(DataError::Gzip { path: path.to_path_buf() }),
    }
}

/// The contents of `path` as [`read`] gives them, as text without a byte order mark.
pub(super) fn read_text(path: &Path) -> Result<String, DataError> {
    let text = String::from_utf8(read(path)?)
        .map_err(|error| not_text(path, error.as_bytes(), error.utf8_error().valid_up_to()))?;
    if let Some(zero) = text.find('\0') {
        return Err(not_text(path, text.as_bytes(), zero));
    }
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// The error for `bytes` that stop being text at byte `at`.
fn not_text(path: &Path, bytes: &[u8], at: usize) -> DataError {
    let line = 1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count();
    DataError::NotText { path: path.to_path_buf(), line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{folder, gzip, write};

    #[test]
    fn packed_and_plain_files_read_the_same() {
        let folder = folder();
        let plain = write(&folder, "a.txt", b"one\n");
        // Packed, without saying so in its name.
        let hidden = write(&folder, "b.txt", &gzip(b"one\n"));
        write(&folder, "c.txt.gz", &gzip(b"one\n"));
        for path in [plain, hidden, folder.path().join("c.txt"), folder.path().join("c.txt.gz")] {
            assert_eq!(read_text(&path).unwrap(), "one\n");
        }
    }

    #[test]
    fn a_plain_file_is_preferred_to_a_packed_one_of_the_same_name() {
        let folder = folder();
        let plain = write(&folder, "a.txt", b"plain");
        write(&folder, "a.txt.gz", &gzip(b"packed"));
        assert_eq!(read(&plain).unwrap(), b"plain");
    }

    #[test]
    fn a_damaged_gzip_file_is_named_as_such() {
        let folder = folder();
        let whole = gzip(&[7; 10_000]);
        let cut = write(&folder, "cut.gz", &whole[..whole.len() - 6]);
        let fake = write(&folder, "fake.gz", b"not packed at all");
        for path in [cut, fake] {
            let message = read(&path).unwrap_err().to_string();
            assert!(message.contains("is not a whole gzip file"), "{message}");
        }
    }

    #[test]
    fn what_is_not_text_is_named_with_its_line() {
        let folder = folder();
        for (bytes, line) in [(b"a,b\n1,2\n\xe9,3\n".as_slice(), 3), (b"a\n\0\n", 2)] {
            let path = write(&folder, "other.csv", bytes);
            let message = read_text(&path).unwrap_err().to_string();
            assert!(message.starts_with(&format!("line {line} of ")), "{message}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_dropped() {
        let folder = folder();
        let path = write(&folder, "bom.csv", "\u{feff}a,b".as_bytes());
        assert_eq!(read_text(&path).unwrap(), "a,b");
    }

    #[test]
    fn a_missing_file_is_named() {
        let folder = folder();
        let message = read(&folder.path().join("none")).unwrap_err().to_string();
        assert!(message.starts_with("cannot read ") && message.contains("none"), "{message}");
    }
}
