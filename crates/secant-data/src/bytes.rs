//! Reading whole files, packed with gzip, with xz or not.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::error::DataError;

/// A way of packing a file.
struct Packing {
    name: &'static str,
    suffix: &'static str,
    /// The first bytes of every such file.
    magic: &'static [u8],
    unpack: fn(&[u8], &mut Vec<u8>) -> std::io::Result<usize>,
}

/// The ways of packing that are known.
static PACKINGS: [Packing; 2] = [
    Packing {
        name: "gzip",
        suffix: ".gz",
        magic: b"\x1f\x8b",
        unpack: |raw, to| MultiGzDecoder::new(raw).read_to_end(to),
    },
    Packing {
        name: "xz",
        suffix: ".xz",
        magic: b"\xfd7zXZ\0",
        unpack: |raw, to| XzReader::new(raw, true).read_to_end(to),
    },
];

/// The file `path` where there is one, else `path.gz`, else `path.xz`, where there is one.
pub(crate) fn find(path: &Path) -> Option<PathBuf> {
    candidates(path).find(|file| file.is_file())
}

/// `path`, `path.gz` and `path.xz`.
pub(crate) fn candidates(path: &Path) -> impl Iterator<Item = PathBuf> {
    let packed = PACKINGS.iter().map(|packing| with_suffix(path, packing.suffix));
    std::iter::once(path.to_path_buf()).chain(packed)
}

/// Those of `files` that are not in `folder`, packed or not.
pub(crate) fn missing<'a>(folder: &Path, files: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    files.into_iter().filter(|file| find(&folder.join(file)).is_none()).collect()
}

/// `path` with `suffix` put after its whole name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What stands for standard input in place of a file.
const STANDARD_INPUT: &str = "-";

/// `path` as it is shown in messages.
pub(crate) fn shown(path: &Path) -> PathBuf {
    if path == Path::new(STANDARD_INPUT) {
        PathBuf::from("standard input")
    } else {
        path.to_path_buf()
    }
}

/// The contents of `path`, or of the packed file that [`find`] finds, unpacked where they are
/// packed.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    read_packed(path).map(|(bytes, _)| bytes)
}

/// The contents of `path` as [`read`] gives them, or of standard input where it is `-`, with the
/// name of what they were packed with.
pub(crate) fn read_packed(path: &Path) -> Result<(Vec<u8>, Option<&'static str>), DataError> {
    let found = find(path);
    let path = found.as_deref().unwrap_or(path);
    let raw = if path == Path::new(STANDARD_INPUT) {
        let mut raw = Vec::new();
        std::io::stdin().lock().read_to_end(&mut raw).map(|_| raw)
    } else {
        fs::read(path)
    };
    let path = shown(path);
    let raw = raw.map_err(|reason| DataError::Read { path: path.clone(), reason })?;
    unpack(&path, raw)
}

fn unpack(path: &Path, raw: Vec<u8>) -> Result<(Vec<u8>, Option<&'static str>), DataError> {
    let named = |packing: &&Packing| path.as_os_str().to_string_lossy().ends_with(packing.suffix);
    let begun = |packing: &&Packing| raw.starts_with(packing.magic);
    let Some(packing) = PACKINGS.iter().find(begun).or_else(|| PACKINGS.iter().find(named)) else {
        return Ok((raw, None));
    };
    let mut unpacked = Vec::new();
    match (packing.unpack)(&raw, &mut unpacked) {
        Ok(_) => Ok((unpacked, Some(packing.name))),
        Err(_) => Err(DataError::Packed { path: path.to_path_buf(), packing: packing.name }),
    }
}

/// The contents of `path` as [`read`] gives them, as text without a byte order mark.
pub(crate) fn read_text(path: &Path) -> Result<String, DataError> {
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
    use crate::testing::{folder, gzip, write};

    /// The text "one" and a line end, packed by the program `xz`.
    const XZ: &[u8] =
        b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x1c\x00\x00\x00\
        \x10\xcf\x58\xcc\x01\x00\x03\x6f\x6e\x65\x0a\x00\xf5\x5c\xbb\x56\x1f\xc6\xfd\x86\
        \x00\x01\x1c\x04\x6f\x2c\x9c\xc1\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a";

    #[test]
    fn packed_and_plain_files_read_the_same() {
        let folder = folder();
        let plain = write(&folder, "a.txt", b"one\n");
        // Packed, without saying so in its name.
        let hidden = write(&folder, "b.txt", &gzip(b"one\n"));
        write(&folder, "c.txt.gz", &gzip(b"one\n"));
        write(&folder, "d.txt.xz", XZ);
        let named = ["c.txt", "c.txt.gz", "d.txt", "d.txt.xz"].map(|name| folder.path().join(name));
        for path in named.into_iter().chain([plain, hidden]) {
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
    fn a_damaged_packed_file_is_named_as_such() {
        let folder = folder();
        let whole = gzip(&[7; 10_000]);
        let cut = write(&folder, "cut.gz", &whole[..whole.len() - 6]);
        let fake = write(&folder, "fake.gz", b"not packed at all");
        let mut damaged = XZ.to_vec();
        damaged[32] ^= 1;
        let damaged = write(&folder, "damaged", &damaged);
        let short = write(&folder, "short.xz", &XZ[..XZ.len() - 1]);
        for (path, packing) in [(cut, "gzip"), (fake, "gzip"), (damaged, "xz"), (short, "xz")] {
            let message = read(&path).unwrap_err().to_string();
            assert!(message.contains(&format!("is not a whole {packing} file")), "{message}");
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
