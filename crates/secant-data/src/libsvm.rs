//! LIBSVM files: lines of `label index:value ...`, with indices from 1 upwards.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::bytes;
use super::dataset::{Dataset, Splits, Targets};
use super::dense;
use super::description::{Description, Loaded};
use super::error::DataError;
use super::fingerprint::fingerprint;
use super::numbers::{Numbers, Precision};
use super::split::{self, Fractions};
use super::table::cut;
use super::target::{self, Task, canonical, rare_classes};
use super::target_size;

mod test_file;

/// Reads `path` (or `path.gz`) and cuts it into parts. Where the test file `path.t` (or
/// `path.t.gz`) lies beside it, that is the test part and only the validation share is cut from the
/// training file.
///
/// The inputs come dense and as they are written; an index that a line leaves out is 0. Labels that
/// are the same number, such as `1` and `+1`, are one class.
pub fn load(
    path: &Path,
    task: Task,
    precision: Precision,
    fractions: Fractions,
    seed: u64,
) -> Result<Loaded, DataError> {
    let train = read(path, precision)?;
    let test_path = test_file::beside(path)?;
    let test = test_path.as_deref().map(|path| read(path, precision)).transpose()?;
    let width = train.width.max(test.as_ref().map_or(0, |test| test.width));
    let mut warnings = Vec::new();
    let (targets, decision) = targets(path, &train, test.as_ref(), task, &mut warnings)?;
    let rows: Vec<usize> = (0..targets.len()).collect();
    let (train_rows, test_rows) = rows.split_at(train.len());
    let dense = train.dense(path, width, targets.select(train_rows), precision)?;
    let splits = match (&test, &test_path) {
        (Some(test), Some(test_path)) => {
            let test = test.dense(test_path, width, targets.select(test_rows), precision)?;
            split::hold_out(&dense, test, fractions.validation, seed)?
        }
        _ => split::three_ways(&dense, fractions, seed)?,
    };
    warnings.extend(rare_classes(&splits));
    let description = describe(path, test_path.as_deref(), &splits, decision, warnings, seed);
    Ok(Loaded { splits, description, encoding: None })
}

/// What is said of these files.
fn describe(
    path: &Path,
    test_path: Option<&Path>,
    splits: &Splits,
    decision: String,
    warnings: Vec<String>,
    seed: u64,
) -> Description {
    let mut format = vec!["LIBSVM: a label and the inputs that are not 0".to_owned()];
    if let Some(test) = test_path {
        format.push(format!("the test part is {}", test.display()));
    }
    let records: usize = splits.parts().map(|(_, part)| part.len()).iter().sum();
    format.push(format!("{records} records of {} inputs", splits.train.record_len()));
    let mut sizes = super::table::describe_split(splits, seed);
    if test_path.is_some() {
        sizes.push("the test part was not cut but is a file of its own".to_owned());
    }
    Description {
        source: path.display().to_string(),
        format,
        columns: Vec::new(),
        split: sizes,
        preprocessing: vec![decision, "inputs are used as they are written".to_owned()],
        warnings,
        fingerprint: fingerprint(splits),
    }
}

/// The different lines of the files `paths` (or packed ones), in the order in which they first occur,
/// with the inputs as in [`load`]; their two classes, by ascending label, get these names.
pub(crate) fn distinct(paths: &[PathBuf], names: &[&str; 2]) -> Result<Dataset, DataError> {
    let texts = paths.iter().map(|path| bytes::read_text(path)).collect::<Result<Vec<_>, _>>()?;
    let mut sparse = Sparse::new(Precision::F32);
    let mut seen = HashSet::new();
    for (path, text) in paths.iter().zip(&texts) {
        add_lines(&mut sparse, path, text, |line| seen.insert(line))?;
    }
    let path = &paths[0];
    if sparse.len() == 0 {
        return Err(DataError::Empty { path: path.clone() });
    }
    let names = names.map(str::to_owned).to_vec();
    let labels = sparse.signs(path)?.into_iter().map(|sign| u32::from(sign > 0.0)).collect();
    sparse.dense(path, sparse.width, Targets::Classes { labels, names }, Precision::F32)
}

/// The records of `path` (or `path.gz`), which must be of two classes, without zeros and in double
/// precision.
pub fn load_two_classes(path: &Path) -> Result<SparseRows, DataError> {
    let sparse = read(path, Precision::F64)?;
    let signs = sparse.signs(path)?;
    let Sparse { starts, entries, width, .. } = sparse;
    if width == 0 {
        return Err(DataError::NoInputs { path: path.to_path_buf() });
    }
    // Indices were read as `u32`.
    let columns = entries.iter().map(|&(column, _)| column as u32).collect();
    let values = entries.iter().map(|&(_, value)| value).collect();
    Ok(SparseRows { signs, starts, columns, values, width })
}

/// Records of two classes: the entries of row i are those of `starts[i]..starts[i + 1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseRows {
    /// 1 where the label is the larger number, else -1.
    pub signs: Vec<f64>,
    /// Where rows begin; one more than there are rows.
    pub starts: Vec<usize>,
    /// The column of each entry, from 0, ascending in a row.
    pub columns: Vec<u32>,
    /// The value of each entry.
    pub values: Vec<f64>,
    /// Columns.
    pub width: usize,
}

/// The target of every training and then every test record, and what was decided.
fn targets(
    path: &Path,
    train: &Sparse,
    test: Option<&Sparse>,
    task: Task,
    warnings: &mut Vec<String>,
) -> Result<(Targets, String), DataError> {
    let names = train.names.iter().map(String::as_str);
    let decision = target::decide(names.zip(train.labels.iter().copied()));
    if task == Task::Auto && decision.doubtful {
        let taken = if decision.regression { "numbers to be learned" } else { "classes" };
        warnings.push(format!(
            "the labels were taken for {taken}, which is not sure ({}); give the task if that is \
             wrong",
            decision.reason
        ));
    }
    let regression = match task {
        Task::Auto => decision.regression,
        Task::Classification => false,
        Task::Regression => true,
    };
    let why = if task == Task::Auto { decision.reason } else { "as asked".to_owned() };
    train.check_differ(path, regression)?;
    if regression {
        let labels = train.labels.iter().chain(test.iter().flat_map(|test| &test.labels));
        let labels: Vec<f64> = labels.copied().collect();
        target_size::check(path, "label", &labels)?;
        return Ok((Targets::Numbers(labels), format!("regression: {why}")));
    }
    let names = train.names.iter().chain(test.iter().flat_map(|test| &test.names));
    let targets = target::classes(names.map(String::as_str));
    if 2 * targets.class_names().len() > targets.len() && targets.class_names().len() > MANY {
        return Err(DataError::TargetNotClasses {
            path: path.to_path_buf(),
            column: "label".to_owned(),
            count: targets.class_names().len(),
            records: targets.len(),
        });
    }
    Ok((targets, format!("classification: {why}")))
}

/// With more classes than this, each must occur twice on average.
const MANY: usize = 50;

/// The rows of a file as they are written; `starts[row]..starts[row + 1]` are its
/// entries.
struct Sparse {
    precision: Precision,
    /// The label of each row as a number.
    labels: Vec<f64>,
    /// The label of each row as a text, the same for the same number.
    names: Vec<String>,
    starts: Vec<usize>,
    /// Columns, from 0, with values that are exact in the precision.
    entries: Vec<(usize, f64)>,
    width: usize,
}

impl Sparse {
    fn new(precision: Precision) -> Self {
        let (labels, names, entries) = (Vec::new(), Vec::new(), Vec::new());
        Self { precision, labels, names, starts: vec![0], entries, width: 0 }
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    /// Checks that there are two labels: numbers for regression, and classes as they are written,
    /// which whole numbers beyond double precision are too.
    fn check_differ(&self, path: &Path, regression: bool) -> Result<(), DataError> {
        let path = path.to_path_buf();
        let (number, class) = (self.labels[0], &self.names[0]);
        if regression && self.labels.iter().all(|&label| label == number) {
            return Err(DataError::OneNumber { path, number });
        }
        if !regression && self.names.iter().all(|name| name == class) {
            return Err(DataError::OneClass { path, class: class.clone() });
        }
        Ok(())
    }

    /// 1 for the larger of two labels, else -1.
    fn signs(&self, path: &Path) -> Result<Vec<f64>, DataError> {
        self.check_differ(path, false)?;
        let classes = target::classes(self.names.iter().map(String::as_str));
        if classes.class_names().len() > 2 {
            return Err(DataError::NotTwoClasses { path: path.to_path_buf() });
        }
        Ok(classes.labels().iter().map(|&class| if class == 1 { 1.0 } else { -1.0 }).collect())
    }

    fn dense(
        &self,
        path: &Path,
        width: usize,
        targets: Targets,
        precision: Precision,
    ) -> Result<Dataset, DataError> {
        if width == 0 {
            return Err(DataError::NoInputs { path: path.to_path_buf() });
        }
        dense::check_size(path, self.len(), width, precision)?;
        let features = match precision {
            Precision::F32 => Numbers::F32(self.filled(width, |value| value as f32)),
            Precision::F64 => Numbers::F64(self.filled(width, |value| value)),
        };
        Ok(Dataset { features, record_shape: vec![width], targets })
    }

    fn filled<T: Copy + Default>(&self, width: usize, cast: fn(f64) -> T) -> Vec<T> {
        let mut features = vec![T::default(); self.len() * width];
        for (row, ends) in self.starts.windows(2).enumerate() {
            for &(column, value) in &self.entries[ends[0]..ends[1]] {
                features[row * width + column] = cast(value);
            }
        }
        features
    }
}

/// Reads one file.
fn read(path: &Path, precision: Precision) -> Result<Sparse, DataError> {
    let text = bytes::read_text(path)?;
    let mut sparse = Sparse::new(precision);
    add_lines(&mut sparse, path, &text, |_| true)?;
    if sparse.len() == 0 {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    Ok(sparse)
}

/// Adds the records of those lines of `text` that are `wanted`.
fn add_lines<'a>(
    sparse: &mut Sparse,
    path: &Path,
    text: &'a str,
    mut wanted: impl FnMut(&'a str) -> bool,
) -> Result<(), DataError> {
    for (number, line) in text.lines().enumerate() {
        if wanted(line.trim_end()) {
            add_line(sparse, line).map_err(|problem| DataError::LibsvmLine {
                path: path.to_path_buf(),
                line: number + 1,
                problem,
            })?;
        }
    }
    Ok(())
}

/// Adds the record of one line; a line may be blank, and end with a comment after `#`.
fn add_line(sparse: &mut Sparse, line: &str) -> Result<(), String> {
    let record = line.split_once('#').map_or(line, |(record, _)| record);
    let mut fields = record.split_ascii_whitespace();
    let Some(label) = fields.next() else {
        return Ok(());
    };
    let number = match label.parse::<f64>() {
        Ok(number) if number.is_finite() => number,
        Ok(_) if has_digit(label) => {
            return Err(format!(
                "the label {} is beyond the largest number of double precision",
                cut(label)
            ));
        }
        _ => return Err(format!("the label '{label}' is not a number")),
    };
    let mut last = 0;
    for field in fields {
        let (index, value) = entry(field, sparse.precision)?;
        if index <= last {
            return Err(format!("the index {index} follows {last}, but indices must ascend"));
        }
        last = index;
        sparse.entries.push((index - 1, value));
    }
    sparse.width = sparse.width.max(last);
    sparse.labels.push(number);
    sparse.names.push(canonical(label, number));
    sparse.starts.push(sparse.entries.len());
    Ok(())
}

/// The index, counted from 1, and the value of `index:value`.
fn entry(field: &str, precision: Precision) -> Result<(usize, f64), String> {
    let (index, value) = field.split_once(':').ok_or_else(|| format!("'{field}' has no colon"))?;
    let index = match index.parse::<u32>() {
        Ok(0) => return Err("the index 0 was found, but indices start at 1".to_owned()),
        Ok(index) => index as usize,
        Err(_) if !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Err(format!(
                "the index {} is too large; the largest that can be is {}",
                cut(index),
                u32::MAX
            ));
        }
        Err(_) => return Err(format!("the index '{index}' is not a whole number")),
    };
    let number = match precision {
        Precision::F32 => value.parse::<f32>().map(f64::from),
        Precision::F64 => value.parse::<f64>(),
    };
    match number {
        Ok(number) if number.is_finite() => Ok((index, number)),
        Ok(_) if has_digit(value) => Err(format!(
            "the value {value} of feature {index} is beyond the largest number of {precision}"
        )),
        _ => Err(format!("the value '{value}' is not a number")),
    }
}

/// Whether a text that is read as infinite is a number that is too large, and not the word.
fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
