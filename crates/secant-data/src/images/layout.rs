//! Which files there are in a folder of images, and of which class and part they are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::DataError;

/// The folders of the parts.
const PARTS: [&str; 3] = ["train", "val", "test"];

/// Files with the number of the class of each.
pub(super) type Files = Vec<(PathBuf, u32)>;

/// The files of each part.
pub(super) struct Layout {
    /// The names of the classes, in their order.
    pub classes: Vec<String>,
    /// All files where there are no parts.
    pub train: Files,
    pub validation: Option<Files>,
    pub test: Option<Files>,
}

impl Layout {
    /// The files in `folder` and its folders.
    pub(super) fn find(folder: &Path) -> Result<Self, DataError> {
        let [train, validation, test] = PARTS.map(|part| folder.join(part));
        let parted = train.is_dir() && !folders(&train)?.is_empty();
        let train = if parted { train } else { folder.to_path_buf() };
        let classes = folders(&train)?;
        match classes.as_slice() {
            [] => return Err(DataError::NoImageFolders { path: train }),
            [class] => return Err(DataError::OneClass { path: train, class: class.clone() }),
            _ => {}
        }
        let part =
            |path: PathBuf| (parted && path.is_dir()).then(|| files(&path, &classes)).transpose();
        Ok(Self {
            train: files(&train, &classes)?,
            validation: part(validation)?,
            test: part(test)?,
            classes,
        })
    }
}

/// The files of all classes in the folder `part`.
fn files(part: &Path, classes: &[String]) -> Result<Files, DataError> {
    let mut files = Vec::new();
    for class in folders(part)? {
        let path = part.join(&class);
        let Some(label) = classes.iter().position(|known| *known == class) else {
            return Err(DataError::ImageClass { path, class });
        };
        let names = names(&path)?;
        if names.is_empty() {
            return Err(DataError::NoImages { path });
        }
        files.extend(names.into_iter().map(|name| (path.join(name), label as u32)));
    }
    if files.is_empty() {
        return Err(DataError::NoImageFolders { path: part.to_path_buf() });
    }
    Ok(files)
}

/// The names of the folders in `folder`, in alphabetical order.
fn folders(folder: &Path) -> Result<Vec<String>, DataError> {
    let mut names = names(folder)?;
    names.retain(|name| folder.join(name).is_dir());
    Ok(names)
}

/// The names of everything in `folder`, in alphabetical order; hidden files are left out.
fn names(folder: &Path) -> Result<Vec<String>, DataError> {
    let failed = |reason| DataError::Read { path: folder.to_path_buf(), reason };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let Some(name) = name.to_str() else {
            return Err(DataError::ImageName { path: folder.join(name) });
        };
        if !name.starts_with('.') {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
