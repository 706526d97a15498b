//! The test file beside a LIBSVM file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bytes;
use crate::error::DataError;

/// The file `path.t`, or a packed one, where there is one. What is no file in its place is refused.
pub(super) fn beside(path: &Path) -> Result<Option<PathBuf>, DataError> {
    let base = match path.extension() {
        Some(extension) if extension == "gz" || extension == "xz" => path.with_extension(""),
        _ => path.to_path_buf(),
    };
    for candidate in bytes::candidates(&bytes::with_suffix(&base, ".t")) {
        if candidate.is_file() {
            return Ok(Some(candidate));
        }
        if let Some(found) = found_instead(&candidate) {
            let beside = path.to_path_buf();
            return Err(DataError::TestPart { path: candidate, beside, found });
        }
    }
    Ok(None)
}

/// What there is where no file is; nothing where there is nothing.
fn found_instead(path: &Path) -> Option<&'static str> {
    let kind = fs::symlink_metadata(path).ok()?.file_type();
    Some(if path.is_dir() {
        "a folder"
    } else if kind.is_symlink() && !path.exists() {
        "a link to a file that is not there"
    } else {
        "no file"
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, write};

    #[test]
    fn a_folder_in_place_of_the_test_file_is_refused() {
        let folder = folder();
        let path = write(&folder, "data.gz", b"");
        assert_eq!(beside(&path).unwrap(), None);
        let test = folder.path().join("data.t");
        fs::create_dir(&test).unwrap();
        let said = beside(&path).unwrap_err().to_string();
        assert!(said.contains("data.t stands where") && said.contains("is a folder"), "{said}");
        fs::remove_dir(&test).unwrap();
        write(&folder, "data.t", b"");
        assert_eq!(beside(&path).unwrap(), Some(test));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nothing_in_place_of_the_test_file_is_refused() {
        let folder = folder();
        let path = write(&folder, "data", b"");
        let link = folder.path().join("data.t.xz");
        std::os::unix::fs::symlink(folder.path().join("gone"), link).unwrap();
        let said = beside(&path).unwrap_err().to_string();
        assert!(said.contains("is a link to a file that is not there"), "{said}");
        write(&folder, "gone", b"");
        assert!(beside(&path).unwrap().is_some());
    }
}
