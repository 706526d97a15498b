//! The data sets known by name: their files, where they are found on disk, and where they come
//! from.

use std::path::{Path, PathBuf};

use super::bytes;
use super::dataset::Splits;
use super::error::DataError;
use super::idx;
use super::split;

/// A data set known by name.
#[derive(Debug)]
pub struct Named {
    /// The name, which is also its folder below the data folder.
    pub name: &'static str,
    /// The usual public address of the files, ending in `/`.
    pub url: &'static str,
    /// The files, as they are at `url`.
    pub files: [RemoteFile; 4],
    /// The class names.
    pub classes: [&'static str; 10],
}

/// One file of a data set, as it is published.
#[derive(Debug, Clone, Copy)]
pub struct RemoteFile {
    /// The file name.
    pub name: &'static str,
    /// The size.
    pub bytes: u64,
    /// The SHA-256 checksum in lower-case hexadecimal digits.
    pub sha256: &'static str,
}

/// A file of the registry below.
const fn file(name: &'static str, bytes: u64, sha256: &'static str) -> RemoteFile {
    RemoteFile { name, bytes, sha256 }
}

/// All data sets known by name.
#[rustfmt::skip]
pub static NAMED: [Named; 2] = [
    Named {
        name: "mnist",
        url: "https://storage.googleapis.com/cvdf-datasets/mnist/",
        files: [
            file("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            file("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            file("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            file("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ],
        classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    },
    Named {
        name: "fashion-mnist",
        url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        files: [
            file("train-images-idx3-ubyte.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            file("train-labels-idx1-ubyte.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            file("t10k-images-idx3-ubyte.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            file("t10k-labels-idx1-ubyte.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ],
        classes: [
            "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
        ],
    },
];

/// The data set called `name`.
pub fn named(name: &str) -> Result<&'static Named, DataError> {
    NAMED.iter().find(|set| set.name == name).ok_or_else(|| DataError::UnknownName {
        name: name.to_owned(),
        known: NAMED.each_ref().map(|set| set.name).join(", "),
    })
}

impl Named {
    /// The folder of this data set below `data_dir`.
    pub fn folder(&self, data_dir: &Path) -> PathBuf {
        data_dir.join(self.name)
    }

    /// The folder of this data set below `data_dir`, once all its files are there, packed or not.
    pub fn locate(&self, data_dir: &Path) -> Result<PathBuf, DataError> {
        let folder = self.folder(data_dir);
        let missing: Vec<&str> = idx::FILES
            .into_iter()
            .filter(|file| bytes::find(&folder.join(file)).is_none())
            .collect();
        if missing.is_empty() {
            return Ok(folder);
        }
        let (data_dir, missing) = (data_dir.to_path_buf(), missing.join(", "));
        Err(DataError::NotFetched { name: self.name, data_dir, missing })
    }

    /// Loads this data set from `data_dir`, with the share `validation` cut from its training part.
    pub fn load(&self, data_dir: &Path, validation: f64, seed: u64) -> Result<Splits, DataError> {
        let (train, test) = idx::load(&self.locate(data_dir)?, &self.classes)?;
        split::hold_out(&train, test, validation, seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{folder, real};
    use std::fs;

    #[test]
    fn an_unknown_name_is_refused_with_the_names_there_are() {
        let message = named("mnits").unwrap_err().to_string();
        assert_eq!(
            message,
            "there is no data set named 'mnits'; the names are mnist, fashion-mnist"
        );
    }

    #[test]
    fn a_data_set_not_on_disk_is_told_with_its_files_folder_and_command() {
        let data_dir = folder();
        let set = named("fashion-mnist").unwrap();
        let message = set.load(data_dir.path(), 0.1, 0).unwrap_err().to_string();
        let folder = data_dir.path().join("fashion-mnist");
        assert!(message.contains(folder.to_str().unwrap()), "{message}");
        assert!(message.contains("`secant data fetch fashion-mnist --data-dir "), "{message}");
        assert!(idx::FILES.iter().all(|file| message.contains(file)), "{message}");
    }

    #[test]
    fn only_the_files_not_there_are_called_missing() {
        let data_dir = folder();
        let set = named("mnist").unwrap();
        fs::create_dir(set.folder(data_dir.path())).unwrap();
        for file in
            ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"]
        {
            fs::write(set.folder(data_dir.path()).join(file), b"").unwrap();
        }
        let message = set.locate(data_dir.path()).unwrap_err().to_string();
        assert!(message.contains("lacks t10k-labels-idx1-ubyte (with or"), "{message}");
    }

    #[test]
    fn every_published_file_is_one_the_reader_looks_for() {
        for set in &NAMED {
            let names = set.files.map(|file| file.name);
            assert_eq!(names, idx::FILES.map(|name| format!("{name}.gz")));
            assert!(set.url.ends_with('/'));
            assert!(set.files.iter().all(|file| file.sha256.len() == 64));
        }
    }

    #[test]
    fn real_fashion_mnist_loads_with_its_own_test_part() {
        let Some(path) = real("fashion-mnist") else { return };
        let splits = named("fashion-mnist").unwrap().load(path.parent().unwrap(), 0.1, 0).unwrap();
        assert_eq!(splits.train.class_counts(), [5_400; 10]);
        assert_eq!(splits.validation.class_counts(), [600; 10]);
        assert_eq!(splits.test.class_counts(), [1_000; 10]);
    }
}
