//! Tables as they are in their files, before they are cut and encoded.

use std::path::{Path, PathBuf};

use super::dataset::{Dataset, Splits};
use super::dense;
use super::encode::{Column, Encoding};
use super::error::DataError;
use super::split::Parts;

/// A table as it is in its file, with the target taken out.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    columns: Vec<Column>,
    labels: Vec<u32>,
    classes: Vec<String>,
}

impl Table {
    /// A table of `columns` that are all as long as `labels`; `path` is for messages.
    pub(super) fn new(
        path: &Path,
        columns: Vec<Column>,
        labels: Vec<u32>,
        classes: Vec<String>,
    ) -> Self {
        Self { path: path.to_path_buf(), columns, labels, classes }
    }

    /// The class of each row.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The parts as inputs, encoded by what the training part shows.
    pub fn encode(&self, parts: &Parts) -> Result<Splits, DataError> {
        let encoding = Encoding::fit(&self.columns, &parts.train);
        if encoding.width() == 0 {
            return Err(DataError::CsvNoInputs { path: self.path.clone() });
        }
        dense::check_size(&self.path, self.labels.len(), encoding.width())?;
        let part = |rows: &[usize]| Dataset {
            features: encoding.apply(rows),
            record_shape: vec![encoding.width()],
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            classes: self.classes.clone(),
        };
        Ok(Splits {
            train: part(&parts.train),
            validation: part(&parts.validation),
            test: part(&parts.test),
        })
    }
}
