//! Tables in text files: parsed as they are, then cut into parts, then encoded by what the training
//! part shows.

mod alone;
mod cell;
mod charset;
mod column;
mod describe;
mod dialect;
mod encode;
mod grid;
mod header;
mod mark_choice;
mod notation;
mod options;
mod saved;
mod scan;
mod target_column;
mod unit;
mod widths;

use std::path::{Path, PathBuf};

use super::dataset::{Dataset, Splits, Targets};
use super::dense;
use super::description::{Description, Loaded};
use super::error::DataError;
use super::fingerprint::{Hash, fingerprint};
use super::numbers::Precision;
use super::split::{self, Fractions, Parts};
use super::target::rare_classes;
use cell::Missing;
use column::Reader;
use encode::{Encoding, Policy};
use grid::{Grid, listed};
use target_column::TargetColumn;

pub(crate) use column::{Cells, Column, Texts, cut};
pub(crate) use describe::split as describe_split;
pub use options::{Header, TableOptions};
pub use saved::{EncodedRecords, TableEncoding};

/// A table as it is in its file, with the target taken out.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// The file, for messages.
    pub path: PathBuf,
    /// The columns apart from the target.
    pub columns: Vec<Column>,
    /// The target of each row.
    pub targets: Targets,
}

impl Table {
    /// The parts as inputs in single precision, every column with the inputs that the publisher of
    /// a data set counts.
    pub(crate) fn as_published(&self, parts: &Parts) -> Result<Splits, DataError> {
        let encoding = Encoding::fit(&self.columns, &parts.train, Policy::AsPublished);
        self.encode(&encoding, parts, Precision::F32)
    }

    /// The parts as inputs.
    fn encode(
        &self,
        encoding: &Encoding,
        parts: &Parts,
        precision: Precision,
    ) -> Result<Splits, DataError> {
        if encoding.width() == 0 {
            return Err(DataError::CsvNoInputs { path: self.path.clone() });
        }
        dense::check_size(&self.path, self.targets.len(), encoding.width(), precision)?;
        let part = |rows: &[usize]| {
            let features = encoding.apply(rows, precision).map_err(|column| {
                let (path, column) = (self.path.clone(), column.to_owned());
                DataError::Overflow { path, column, precision }
            })?;
            let (record_shape, targets) = (vec![encoding.width()], self.targets.select(rows));
            Ok(Dataset { features, record_shape, targets })
        };
        Ok(Splits {
            train: part(&parts.train)?,
            validation: part(&parts.validation)?,
            test: part(&parts.test)?,
        })
    }
}

/// Reads the table in `path`, or from standard input where it is `-`, cuts it and encodes it.
///
/// Encoding, separator, header and kinds of columns are found out from the file, which may be packed
/// with gzip or xz, or be an ARFF file; what was found is in the description.
pub fn load_table(
    path: &Path,
    options: &TableOptions,
    fractions: Fractions,
    seed: u64,
) -> Result<Loaded, DataError> {
    load_understood(understand(path, options)?, options, fractions, seed)
}

/// Cuts and encodes a file whose columns are read.
fn load_understood(
    understood: Understood,
    options: &TableOptions,
    fractions: Fractions,
    seed: u64,
) -> Result<Loaded, DataError> {
    let Understood { grid, columns, target, mut warnings } = understood;
    let Some(target) = target else {
        let columns = listed(&grid.names);
        return Err(DataError::NoTarget { path: grid.path, columns });
    };
    let table = Table { path: grid.path.clone(), columns, targets: target.targets.clone() };
    let parts = split::by_targets(&table.targets, fractions, seed)?;
    let encoding = Encoding::fit(&table.columns, &parts.train, Policy::Informative);
    let columns = describe::columns(
        &grid,
        &table.columns,
        &encoding,
        Some(&target),
        &parts.train,
        &mut warnings,
    );
    let splits = table.encode(&encoding, &parts, options.precision)?;
    let saved = TableEncoding::of(&grid, &table.columns, &encoding, options);
    warnings.extend(rare_classes(&splits));
    let description = Description {
        source: grid.path.display().to_string(),
        format: describe::format(&grid),
        columns,
        split: describe::split(&splits, seed),
        preprocessing: describe::preprocessing(&table.columns, &encoding, Some(&target)),
        warnings,
        fingerprint: fingerprint(&splits),
    };
    Ok(Loaded { splits, description, encoding: Some(saved) })
}

/// What is understood of the table in `path`, which may be `-` for standard input; it is not cut,
/// and a target need not be given. The encoding described is the one that all records would give.
pub fn inspect(path: &Path, options: &TableOptions) -> Result<Description, DataError> {
    understand(path, options).map(describe_whole)
}

/// Describes a file whose columns are read, without cutting it.
fn describe_whole(understood: Understood) -> Description {
    let Understood { grid, columns, target, mut warnings } = understood;
    let rows: Vec<usize> = (0..grid.len()).collect();
    let encoding = Encoding::fit(&columns, &rows, Policy::Informative);
    let described =
        describe::columns(&grid, &columns, &encoding, target.as_ref(), &rows, &mut warnings);
    Description {
        source: grid.path.display().to_string(),
        format: describe::format(&grid),
        columns: described,
        split: Vec::new(),
        preprocessing: describe::preprocessing(&columns, &encoding, target.as_ref()),
        warnings,
        fingerprint: fingerprint_of(&columns, target.as_ref()),
    }
}

/// A file whose columns are read.
struct Understood {
    grid: Grid,
    /// The columns apart from the target.
    columns: Vec<Column>,
    target: Option<TargetColumn>,
    warnings: Vec<String>,
}

fn understand(path: &Path, options: &TableOptions) -> Result<Understood, DataError> {
    understand_grid(Grid::read(path, options)?, options)
}

fn understand_grid(mut grid: Grid, options: &TableOptions) -> Result<Understood, DataError> {
    let missing = Missing::with(&options.missing);
    let index = options.target.as_deref().map(|target| grid.target(target)).transpose()?;
    let mut warnings = std::mem::take(&mut grid.warnings);
    let reader = Reader::new(&grid, &missing);
    let target = index
        .map(|index| {
            target_column::read(&grid, &reader, &missing, index, options.task, &mut warnings)
        })
        .transpose()?;
    let inputs = (0..grid.width()).filter(|&column| Some(column) != index);
    let columns: Vec<Column> =
        inputs.map(|column| reader.column(column, &mut warnings)).collect::<Result<_, _>>()?;
    warnings.extend(unused_tokens(&grid, &missing));
    Ok(Understood { grid, columns, target, warnings })
}

/// Says which of the extra texts for missing values stand nowhere.
fn unused_tokens(grid: &Grid, missing: &Missing) -> Vec<String> {
    let unused = missing.extra().iter().filter(|token| {
        let one = Missing::with(std::slice::from_ref(token));
        !(0..grid.width()).any(|column| grid.cells(column).any(|cell| one.is_extra(cell)))
    });
    unused.map(|token| format!("the text '{token}' for missing values stands in no cell")).collect()
}

/// A hash of all cells as they were understood.
fn fingerprint_of(columns: &[Column], target: Option<&TargetColumn>) -> String {
    let mut hash = Hash::new();
    for column in columns {
        hash.text(&column.name);
        match &column.cells {
            Cells::Numbers(cells) => {
                hash.text("numbers");
                hash.length(cells.len());
                cells.iter().for_each(|cell| hash.number(cell.unwrap_or(f64::NAN)));
            }
            Cells::Texts(texts) => {
                hash.text("texts");
                hash.length(texts.cells.len());
                for cell in &texts.cells {
                    hash.text(cell.map_or("", |text| &texts.texts[text as usize]));
                }
            }
        }
    }
    if let Some(target) = target {
        hash.targets(&target.targets);
    }
    hash.finish()
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
