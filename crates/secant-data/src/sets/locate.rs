//! The data sets known by name: their files, where they are found on disk, and where they come
//! from.

use std::path::{Path, PathBuf};

use super::cifar;
use super::housing;
use super::idx;
use super::imbalanced;
use super::svhn;
use crate::bytes;
use crate::dataset::Splits;
use crate::error::DataError;
use crate::split;

/// A data set known by name.
#[derive(Debug)]
pub struct Named {
    /// The name, which is also its folder below the data folder.
    pub name: &'static str,
    /// How its files are published.
    pub published: Published,
    /// The class names.
    pub classes: [&'static str; 10],
}

/// How the files of a data set are published.
#[derive(Debug)]
pub enum Published {
    /// Four files of the MNIST type.
    Idx {
        /// The usual public address of the files, ending in `/`.
        url: &'static str,
        /// The files, as they are at `url`.
        files: [RemoteFile; 4],
    },
    /// The CIFAR-10 files in one archive.
    Cifar {
        /// The usual public address of the archive, ending in `/`.
        url: &'static str,
        /// The archive, as it is at `url`.
        archive: RemoteFile,
        /// The files in it that are wanted, by name and size.
        members: [(&'static str, u64); 7],
    },
    /// The two files of SVHN's cropped digits.
    Svhn {
        /// The usual public address of the files, ending in `/`.
        url: &'static str,
        /// The files, as they are at `url`.
        files: [RemoteFile; 2],
    },
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
pub static NAMED: [Named; 4] = [
    Named {
        name: "mnist",
        published: Published::Idx {
            url: "https://storage.googleapis.com/cvdf-datasets/mnist/",
            files: [
                file("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
                file("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
                file("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
                file("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
            ],
        },
        classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    },
    Named {
        name: "fashion-mnist",
        published: Published::Idx {
            url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            files: [
                file("train-images-idx3-ubyte.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
                file("train-labels-idx1-ubyte.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
                file("t10k-images-idx3-ubyte.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
                file("t10k-labels-idx1-ubyte.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
            ],
        },
        classes: [
            "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
        ],
    },
    Named {
        name: "cifar-10",
        published: Published::Cifar {
            url: "https://www.cs.toronto.edu/~kriz/",
            archive: file("cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
            members: [
                ("data_batch_1.bin", 30_730_000),
                ("data_batch_2.bin", 30_730_000),
                ("data_batch_3.bin", 30_730_000),
                ("data_batch_4.bin", 30_730_000),
                ("data_batch_5.bin", 30_730_000),
                ("test_batch.bin", 30_730_000),
                ("batches.meta.txt", 61),
            ],
        },
        classes: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    },
    Named {
        name: "svhn",
        published: Published::Svhn {
            url: "http://ufldl.stanford.edu/housenumbers/",
            files: [
                file("train_32x32.mat", 182_040_794, "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
                file("test_32x32.mat", 64_275_384, "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
            ],
        },
        classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    },
];

/// The data set called `name`.
pub fn named(name: &str) -> Result<&'static Named, DataError> {
    NAMED.iter().find(|set| set.name == name).ok_or_else(|| DataError::UnknownName {
        name: name.to_owned(),
        known: NAMED.each_ref().map(|set| set.name).join(", "),
    })
}

/// Whether all files of the data set called `name` are in `data_dir`. It may be one known by name,
/// one of the imbalanced sets with or without `imbalanced/` before it, `cal_housing`, or `digits`,
/// which needs none; of no other name is anything at hand.
pub fn is_complete(name: &str, data_dir: &Path) -> bool {
    let imbalanced = imbalanced::named(name.strip_prefix("imbalanced/").unwrap_or(name));
    match (NAMED.iter().find(|set| set.name == name), imbalanced) {
        (Some(set), _) => set.locate(data_dir).is_ok(),
        (None, Ok(set)) => set.is_complete(data_dir),
        (None, Err(_)) if name == housing::NAME => housing::is_complete(data_dir),
        _ => name == "digits",
    }
}

impl Named {
    /// The folder of this data set below `data_dir`.
    pub fn folder(&self, data_dir: &Path) -> PathBuf {
        data_dir.join(self.name)
    }

    /// The folder of this data set below `data_dir`, once all its files are there, packed or not.
    pub fn locate(&self, data_dir: &Path) -> Result<PathBuf, DataError> {
        let folder = self.folder(data_dir);
        let missing = match self.published {
            Published::Idx { .. } => bytes::missing(&folder, idx::FILES),
            Published::Cifar { .. } => cifar::missing(&folder),
            Published::Svhn { .. } => bytes::missing(&folder, svhn::FILES),
        };
        if missing.is_empty() {
            return Ok(folder);
        }
        Err(DataError::NotFetched {
            name: self.name,
            data_dir: data_dir.to_path_buf(),
            missing: missing.join(", "),
        })
    }

    /// Loads this data set from `data_dir`, with the share `validation` cut from its training part.
    pub fn load(&self, data_dir: &Path, validation: f64, seed: u64) -> Result<Splits, DataError> {
        let folder = self.locate(data_dir)?;
        match self.published {
            Published::Idx { .. } => {
                let (train, test) = idx::load(&folder, &self.classes)?;
                split::hold_out(&train, test, validation, seed)
            }
            Published::Cifar { .. } => cifar::load(&folder, &self.classes, validation, seed),
            Published::Svhn { .. } => {
                let (train, test) = svhn::load(&folder, &self.classes)?;
                split::hold_out(&train, test, validation, seed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, real};
    use std::fs;

    #[test]
    fn an_unknown_name_is_refused_with_the_names_there_are() {
        let message = named("mnits").unwrap_err().to_string();
        assert_eq!(
            message,
            "there is no data set named 'mnits'; the names are mnist, fashion-mnist, cifar-10, svhn"
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
            let (url, files) = match &set.published {
                Published::Idx { url, files } => {
                    let packed = idx::FILES.map(|name| format!("{name}.gz"));
                    assert_eq!(files.map(|file| file.name), packed);
                    (url, files.as_slice())
                }
                Published::Svhn { url, files } => {
                    assert_eq!(files.map(|file| file.name), svhn::FILES);
                    (url, files.as_slice())
                }
                Published::Cifar { .. } => continue,
            };
            assert!(url.ends_with('/'));
            assert!(files.iter().all(|file| file.sha256.len() == 64));
        }
    }

    #[test]
    fn cifar_not_on_disk_is_told_with_its_archive_and_the_test_file_by_its_usual_name() {
        let data_dir = folder();
        let set = named("cifar-10").unwrap();
        fs::create_dir(set.folder(data_dir.path())).unwrap();
        for batch in ["data_batch_1.bin", "data_batch_2.bin.gz", "data_batch_4.bin.xz"] {
            fs::write(set.folder(data_dir.path()).join(batch), b"").unwrap();
        }
        let message = set.load(data_dir.path(), 0.1, 0).unwrap_err().to_string();
        let missing = "lacks data_batch_3.bin, data_batch_5.bin, test_batch.bin (with or without";
        assert!(message.contains(missing), "{message}");
        assert!(message.contains("`secant data fetch cifar-10 --data-dir "), "{message}");
    }

    #[test]
    fn what_is_at_hand_is_known_without_reading_it() {
        let data_dir = folder();
        let at_hand = |name| is_complete(name, data_dir.path());
        assert!(at_hand("digits"));
        for name in
            ["mnist", "cifar-10", "svhn", "cal_housing", "ecoli", "imbalanced/ecoli", "other"]
        {
            assert!(!at_hand(name), "{name}");
        }
        for (folder, file) in
            [("imbalanced", "ecoli.data.gz"), ("small-tabular", "cal_housing.arff.gz")]
        {
            fs::create_dir(data_dir.path().join(folder)).unwrap();
            fs::write(data_dir.path().join(folder).join(file), b"").unwrap();
        }
        assert!(at_hand("ecoli") && at_hand("imbalanced/ecoli") && at_hand("cal_housing"));
    }

    #[test]
    #[ignore = "needs fashion-mnist in SECANT_DATA"]
    fn real_fashion_mnist_loads_with_its_own_test_part() {
        let path = real("fashion-mnist");
        let splits = named("fashion-mnist").unwrap().load(path.parent().unwrap(), 0.1, 0).unwrap();
        assert_eq!(splits.train.class_counts(), [5_400; 10]);
        assert_eq!(splits.validation.class_counts(), [600; 10]);
        assert_eq!(splits.test.class_counts(), [1_000; 10]);
    }
}
