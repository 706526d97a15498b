//! The problems of the suite.

use std::path::Path;

use secant_data::{DataError, Precision, TableOptions};
use secant_lab::{
    Known, Loaded,
    supervised::{ClassWeights, TableModel, TableSource, load_table},
};

/// A problem, and how long a run on it is.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Such as `mnist/mlp`.
    pub name: &'static str,
    source: Source,
    /// Records in a batch; the problem's where there is none.
    pub batch_size: Option<usize>,
    /// Gradients of a batch that Adam gets.
    pub gradients: u64,
    /// Whether a default of SOAP or of `auto` was chosen with a look at it.
    pub is_known: bool,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    /// A problem of the command.
    Named,
    /// A LIBSVM file below the data folder, with a network.
    Libsvm(&'static str, TableModel),
}

/// All of them.
pub const SUITE: [Entry; 19] = [
    named("digits/mlp", 400).known(),
    named("digits/cnn", 200).known(),
    named("mnist/mlp", 400).known(),
    named("mnist/mlp", 1000).with_batch_size(32).known(),
    named("fashion-mnist/mlp", 400),
    named("fashion-mnist/cnn", 200).known(),
    named("mnist/autoencoder", 400).known(),
    named("fashion-mnist/autoencoder", 400),
    named("tiny-shakespeare/transformer", 400).known(),
    named("tiny-shakespeare/lstm", 250),
    named("imbalanced/letter_img", 1000).known(),
    named("imbalanced/pen_digits", 1000),
    named("imbalanced/satimage", 1000),
    named("imbalanced/isolet", 1000),
    named("small-tabular/cal_housing", 600).known(),
    libsvm("a9a/logistic", "libsvm/a9a.gz", TableModel::Logistic, 400).known(),
    libsvm("w7a/mlp", "libsvm/w7a.gz", TableModel::Mlp, 400).known(),
    named("physics/helmholtz", 2000).known(),
    named("physics/poisson-2d", 2000),
];

const fn named(name: &'static str, gradients: u64) -> Entry {
    Entry { name, source: Source::Named, batch_size: None, gradients, is_known: false }
}

const fn libsvm(
    name: &'static str,
    path: &'static str,
    model: TableModel,
    gradients: u64,
) -> Entry {
    Entry { source: Source::Libsvm(path, model), batch_size: Some(256), ..named(name, gradients) }
}

impl Entry {
    const fn with_batch_size(self, size: usize) -> Self {
        Self { batch_size: Some(size), ..self }
    }

    const fn known(self) -> Self {
        Self { is_known: true, ..self }
    }

    /// What it is called in the table.
    pub fn label(&self) -> String {
        let batch = self.batch_size.filter(|_| matches!(self.source, Source::Named));
        match batch {
            Some(size) => format!("{}, batch {size}", self.name),
            None => self.name.to_string(),
        }
    }

    /// The number type that it wants.
    pub fn precision(&self) -> Precision {
        match (self.source, Known::named(self.name)) {
            (Source::Named, Ok(known)) => known.precision(),
            _ => Precision::F32,
        }
    }

    /// The problem with its data, which are looked for in `data_dir`.
    ///
    /// # Errors
    /// There is no such problem, or its files are not there or not right.
    pub fn load(&self, data_dir: &Path) -> anyhow::Result<Loaded> {
        let weights = ClassWeights::None;
        match self.source {
            Source::Named => {
                Ok(Known::named(self.name)?.load(data_dir, self.precision(), weights)?)
            }
            Source::Libsvm(path, model) => Ok(self.load_file(&data_dir.join(path), model)?),
        }
    }

    fn load_file(&self, path: &Path, model: TableModel) -> Result<Loaded, DataError> {
        let options = TableOptions::default();
        let problem = load_table(TableSource::Libsvm(path), &options, model, ClassWeights::None)?;
        Ok(problem.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_least_twelve_problems_exist_and_half_of_them_were_not_looked_at() {
        for entry in SUITE.iter().filter(|entry| matches!(entry.source, Source::Named)) {
            assert!(Known::named(entry.name).is_ok(), "{}", entry.name);
        }
        let unseen = SUITE.iter().filter(|entry| !entry.is_known).count();
        assert!(SUITE.len() >= 12 && unseen >= 6, "{unseen} of {}", SUITE.len());
    }
}
