//! The collection of imbalanced data sets: two classes, of which one is rare.
//!
//! These are the sets of Ding, "Diversified Ensemble Classifiers for Highly Imbalanced Data
//! Learning" (2011), as imbalanced-learn's `fetch_datasets` lists them. They are read from the files
//! of their publishers, which lie in `imbalanced/` below the data folder, those of `webpage` in
//! `libsvm/`. Their counts are known, so other files than these are refused.
//!
//! - A column of which more than half is missing is left out.
//! - Nominal columns become one input of 0 or 1 for each of their values; a missing value is 0
//!   everywhere. Columns of 0 and 1 are numbers.
//! - Numbers are standardised by the mean and deviation of the training part; a missing one becomes
//!   this mean. How imbalanced-learn filled them is not told.
//! - The inputs of `webpage`, all 0 or 1 and few of them 1, stay as they are, as those of every
//!   LIBSVM file do.

mod arff;
mod catalogue;
mod cell;
mod layout;
mod separated;
mod sheet;

use std::path::{Path, PathBuf};

use super::counts::Counts;
use crate::bytes;
use crate::dataset::{Dataset, Splits};
use crate::error::DataError;
use crate::libsvm;
use crate::split::{self, Fractions, Parts};
use layout::Layout;

pub use catalogue::IMBALANCED;

/// The class names; the second is the rare one.
pub const CLASSES: [&str; 2] = ["negative", "positive"];

/// The folder of the tables below the data folder.
const FOLDER: &str = "imbalanced";

/// One of the imbalanced data sets.
#[derive(Debug)]
pub struct ImbalancedSet {
    /// Its name in imbalanced-learn.
    pub name: &'static str,
    /// One line about it, which ends with the rare class.
    pub line: &'static str,
    /// What it consists of.
    pub counts: Counts,
    source: Source,
}

/// What a data set is read from.
#[derive(Debug)]
enum Source {
    /// Tables in [`FOLDER`].
    Table(Layout),
    /// The different lines of these LIBSVM files below the data folder.
    Sparse(&'static [&'static str]),
}

/// Loads the imbalanced data set called `name`; see [`ImbalancedSet::load`].
pub fn load(
    name: &str,
    data_dir: &Path,
    fractions: Fractions,
    seed: u64,
) -> Result<Splits, DataError> {
    named(name)?.load(data_dir, fractions, seed)
}

/// The imbalanced data set called `name`.
pub fn named(name: &str) -> Result<&'static ImbalancedSet, DataError> {
    IMBALANCED.iter().find(|set| set.name == name).ok_or_else(|| DataError::UnknownName {
        name: name.to_owned(),
        known: IMBALANCED.each_ref().map(|set| set.name).join(", "),
    })
}

impl ImbalancedSet {
    /// Loads this data set from `data_dir` and cuts it so that both classes have their share of
    /// every part. A part with a share above 0 that would lack a class is refused.
    pub fn load(
        &self,
        data_dir: &Path,
        fractions: Fractions,
        seed: u64,
    ) -> Result<Splits, DataError> {
        self.check_files(data_dir)?;
        let splits = match &self.source {
            Source::Table(layout) => {
                let table = layout.read(&data_dir.join(FOLDER))?;
                table.as_published(&self.cut(table.targets.labels(), fractions, seed)?)?
            }
            Source::Sparse(files) => {
                let paths: Vec<PathBuf> = files.iter().map(|file| data_dir.join(file)).collect();
                let all = libsvm::distinct(&paths, &CLASSES)?;
                self.cut(all.targets.labels(), fractions, seed)?.select(&all)
            }
        };
        let (found, wanted) = (Counts::of(&splits), self.counts);
        if found == wanted {
            Ok(splits)
        } else {
            Err(DataError::OtherCounts { name: self.name, found, wanted })
        }
    }

    /// Whether all files are in `data_dir`.
    pub(crate) fn is_complete(&self, data_dir: &Path) -> bool {
        self.check_files(data_dir).is_ok()
    }

    /// Checks that all files are there, packed or not.
    fn check_files(&self, data_dir: &Path) -> Result<(), DataError> {
        let names: Vec<String> = match &self.source {
            Source::Table(layout) => {
                layout.files.concat().iter().map(|file| format!("{FOLDER}/{file}")).collect()
            }
            Source::Sparse(files) => files.iter().map(|&file| file.to_owned()).collect(),
        };
        let missing = bytes::missing(data_dir, names.iter().map(String::as_str));
        if missing.is_empty() {
            return Ok(());
        }
        Err(DataError::NotThere {
            name: self.name,
            data_dir: data_dir.to_path_buf(),
            missing: missing.join(", "),
        })
    }

    /// Cuts records with these labels, and checks that every part has both classes.
    fn cut(&self, labels: &[u32], fractions: Fractions, seed: u64) -> Result<Parts, DataError> {
        let parts = split::stratified(labels, fractions, seed)?;
        let Fractions { validation, test } = fractions;
        for (part, share) in [(&parts.validation, validation), (&parts.test, test)] {
            for (class, name) in (0..).zip(CLASSES) {
                if share > 0.0 && part.iter().all(|&record| labels[record] != class) {
                    let (name, class) = (self.name, name.to_owned());
                    return Err(DataError::ClassAbsent { name, class, validation, test });
                }
            }
        }
        Ok(parts)
    }
}

impl Counts {
    fn of(splits: &Splits) -> Self {
        let parts = [&splits.train, &splits.validation, &splits.test];
        Self {
            records: parts.map(Dataset::len).iter().sum(),
            inputs: splits.train.record_len(),
            positives: parts.map(|part| part.class_counts()[1]).iter().sum(),
        }
    }
}

#[cfg(test)]
mod tests;
