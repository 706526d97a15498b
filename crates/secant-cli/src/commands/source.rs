//! Which problem: one known by name, or a file of the user's.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use secant_data::Precision;
use secant_lab::{
    Known, Loaded,
    supervised::{ClassWeights, DEFAULT_PROBLEM, TableModel, TableSource, load_table},
};

use super::table::TableArgs;
use crate::arguments::UsageError;

/// Which problem, and how precisely it is computed.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("file").args(["csv", "libsvm"]))]
pub(super) struct SourceArgs {
    /// The problem; `secant problems` lists them
    #[arg(default_value = DEFAULT_PROBLEM, value_parser = Known::named, conflicts_with_all = ["csv", "libsvm"])]
    problem: Known,
    /// A table of your own instead of a problem: CSV, TSV, ARFF and the like, plain or packed; - is
    /// standard input. `secant data inspect FILE` shows how it is understood
    #[arg(long, visible_alias = "table", value_name = "FILE", requires = "target")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    table: TableArgs,
    /// A LIBSVM file of your own instead of a problem; a file FILE.t beside it is the test part
    #[arg(long, value_name = "FILE")]
    libsvm: Option<PathBuf>,
    /// The network for a file of your own: logistic (or linear), or mlp with two hidden layers of 64
    #[arg(long, default_value = "mlp", requires = "file")]
    model: TableModel,
    /// How much each class counts in the loss: none (every record the same) or balanced (every class
    /// the same)
    #[arg(long, default_value = "none")]
    class_weights: ClassWeights,
    /// The number type of data and weights: f32 or f64 [default: f32; f64 for differential equations]
    #[arg(long)]
    precision: Option<Precision>,
}

impl SourceArgs {
    /// The number type asked for, or the problem's.
    pub(super) fn precision(&self) -> Precision {
        self.precision.unwrap_or(match (&self.csv, &self.libsvm) {
            (None, None) => self.problem.precision(),
            _ => Precision::F32,
        })
    }

    /// The user's file, where it is no problem known by name and no standard input.
    pub(super) fn file(&self) -> Option<&Path> {
        self.csv.as_deref().or(self.libsvm.as_deref()).filter(|path| *path != Path::new("-"))
    }

    /// The problem with its data; those of problems known by name lie below `data_dir`.
    pub(super) fn load(&self, data_dir: &Path) -> anyhow::Result<Loaded> {
        let options = self.table.options(self.precision());
        let (model, weights) = (self.model, self.class_weights);
        if let (None, Some(option)) = (&self.csv, self.table.of_columns()) {
            let reason = format!("{option} is for tables (--csv); leave it out");
            return Err(UsageError(reason).into());
        }
        let of_file = |source| load_table(source, &options, model, weights);
        let loaded = match (&self.csv, &self.libsvm) {
            (Some(path), _) => of_file(TableSource::Table(path))?.into(),
            (_, Some(path)) => of_file(TableSource::Libsvm(path))?.into(),
            _ => self.problem.load(data_dir, self.precision(), weights)?,
        };
        if weights != ClassWeights::None && !loaded.has_classes() {
            let reason = "--class-weights is for classes, and these data have none; leave it out";
            return Err(UsageError(reason.to_string()).into());
        }
        Ok(loaded)
    }
}
