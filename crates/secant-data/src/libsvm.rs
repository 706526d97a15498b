//! LIBSVM files: lines of `label index:value ...`, with indices from 1 upwards.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::bytes;
use super::dataset::{Dataset, Splits};
use super::dense;
use super::error::DataError;
use super::number_classes::number_classes;
use super::split::{self, Fractions};

/// Reads `path` (or `path.gz`) and cuts it into parts. Where the test file `path.t` (or
/// `path.t.gz`) lies beside it, that is the test part and only the validation share is cut from the
/// training file.
///
/// The inputs come dense and as they are written; an index that a line leaves out is 0.
pub fn load(path: &Path, fractions: Fractions, seed: u64) -> Result<Splits, DataError> {
    let train = read(path)?;
    let test_path = test_file(path);
    let test = test_path.as_deref().map(read).transpose()?;
    let width = train.width.max(test.as_ref().map_or(0, |test| test.width));
    let (labels, classes) = classes(path, &train, test.as_ref())?;
    let (train_labels, test_labels) = labels.split_at(train.len());
    let train = train.dense(path, width, train_labels, &classes)?;
    match (test, test_path) {
        (Some(test), Some(test_path)) => {
            let test = test.dense(&test_path, width, test_labels, &classes)?;
            split::hold_out(&train, test, fractions.validation, seed)
        }
        _ => split::three_ways(&train, fractions, seed),
    }
}

/// The different lines of the files `paths` (or packed ones), in the order in which they first occur:
/// the label of each, and the inputs as in [`load`].
pub(super) fn distinct(paths: &[PathBuf]) -> Result<Dataset, DataError> {
    let texts = paths.iter().map(|path| bytes::read_text(path)).collect::<Result<Vec<_>, _>>()?;
    let mut sparse = Sparse::new();
    let mut seen = HashSet::new();
    for (path, text) in paths.iter().zip(&texts) {
        add_lines(&mut sparse, path, text, |line| seen.insert(line))?;
    }
    let path = &paths[0];
    if sparse.len() == 0 {
        return Err(DataError::Empty { path: path.clone() });
    }
    let (labels, classes) = classes(path, &sparse, None)?;
    sparse.dense(path, sparse.width, &labels, &classes)
}

/// The records of `path` (or `path.gz`), which must be of two classes, without zeros and in double
/// precision.
pub fn load_two_classes(path: &Path) -> Result<SparseRows, DataError> {
    let Sparse { labels, starts, entries, width } = read::<f64>(path)?;
    let larger = labels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let smaller = labels.iter().copied().fold(f64::INFINITY, f64::min);
    let path = path.to_path_buf();
    if larger == smaller {
        return Err(DataError::OneClass { path, class: larger.to_string() });
    }
    if labels.iter().any(|&label| label != larger && label != smaller) {
        return Err(DataError::NotTwoClasses { path });
    }
    if width == 0 {
        return Err(DataError::NoInputs { path });
    }
    let sign = |&label: &f64| if label == larger { 1.0 } else { -1.0 };
    // Indices were read as `u32`.
    let columns = entries.iter().map(|&(column, _)| column as u32).collect();
    let values = entries.iter().map(|&(_, value)| value).collect();
    Ok(SparseRows { signs: labels.iter().map(sign).collect(), starts, columns, values, width })
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

/// The test file beside `path`.
fn test_file(path: &Path) -> Option<PathBuf> {
    let base = match path.extension() {
        Some(extension) if extension == "gz" => path.with_extension(""),
        _ => path.to_path_buf(),
    };
    bytes::find(&bytes::with_suffix(&base, ".t"))
}

/// The class of every training and then every test record, and the class names.
fn classes(
    path: &Path,
    train: &Sparse<f32>,
    test: Option<&Sparse<f32>>,
) -> Result<(Vec<u32>, Vec<String>), DataError> {
    let mut labels = train.labels.clone();
    if labels.iter().all(|&label| label == labels[0]) {
        return Err(DataError::OneClass { path: path.to_path_buf(), class: labels[0].to_string() });
    }
    labels.extend(test.iter().flat_map(|test| &test.labels));
    number_classes(&labels).map_err(|count| DataError::TargetNotClasses {
        path: path.to_path_buf(),
        column: "label".to_owned(),
        count,
        kind: "numbers",
    })
}

/// The rows of a file as they are written; `starts[row]..starts[row + 1]` are its
/// entries.
struct Sparse<V> {
    labels: Vec<f64>,
    starts: Vec<usize>,
    entries: Vec<(usize, V)>,
    width: usize,
}

impl<V> Sparse<V> {
    fn new() -> Self {
        Self { labels: Vec::new(), starts: vec![0], entries: Vec::new(), width: 0 }
    }

    fn len(&self) -> usize {
        self.labels.len()
    }
}

impl Sparse<f32> {
    fn dense(
        &self,
        path: &Path,
        width: usize,
        labels: &[u32],
        classes: &[String],
    ) -> Result<Dataset, DataError> {
        dense::check_size(path, self.len(), width)?;
        let mut features = vec![0.0; self.len() * width];
        for (row, ends) in self.starts.windows(2).enumerate() {
            for &(column, value) in &self.entries[ends[0]..ends[1]] {
                features[row * width + column] = value;
            }
        }
        Ok(Dataset {
            features,
            record_shape: vec![width],
            labels: labels.to_vec(),
            classes: classes.to_vec(),
        })
    }
}

/// A number type of values.
trait Number: FromStr + Copy + Into<f64> {}

impl<V: FromStr + Copy + Into<f64>> Number for V {}

/// Reads one file.
fn read<V: Number>(path: &Path) -> Result<Sparse<V>, DataError> {
    let text = bytes::read_text(path)?;
    let mut sparse = Sparse::new();
    add_lines(&mut sparse, path, &text, |_| true)?;
    if sparse.len() == 0 {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    Ok(sparse)
}

/// Adds the records of those lines of `text` that are `wanted`.
fn add_lines<'a, V: Number>(
    sparse: &mut Sparse<V>,
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
fn add_line<V: Number>(sparse: &mut Sparse<V>, line: &str) -> Result<(), String> {
    let record = line.split_once('#').map_or(line, |(record, _)| record);
    let mut fields = record.split_ascii_whitespace();
    let Some(label) = fields.next() else {
        return Ok(());
    };
    let label = match label.parse::<f64>() {
        Ok(label) if label.is_finite() => label,
        _ => return Err(format!("the label '{label}' is not a number")),
    };
    let mut last = 0;
    for field in fields {
        let (index, value) = entry(field)?;
        if index <= last {
            return Err(format!("the index {index} follows {last}, but indices must ascend"));
        }
        last = index;
        sparse.entries.push((index - 1, value));
    }
    sparse.width = sparse.width.max(last);
    sparse.labels.push(label);
    sparse.starts.push(sparse.entries.len());
    Ok(())
}

/// The index, counted from 1, and the value of `index:value`.
fn entry<V: Number>(field: &str) -> Result<(usize, V), String> {
    let (index, value) = field.split_once(':').ok_or_else(|| format!("'{field}' has no colon"))?;
    let index = match index.parse::<u32>() {
        Ok(0) => return Err("the index 0 was found, but indices start at 1".to_owned()),
        Ok(index) => index as usize,
        Err(_) => return Err(format!("the index '{index}' is not a whole number")),
    };
    match value.parse::<V>() {
        Ok(value) if value.into().is_finite() => Ok((index, value)),
        _ => Err(format!("the value '{value}' is not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{folder, gzip, real, write};

    const SHARES: Fractions = Fractions { validation: 0.25, test: 0.25 };

    fn message(text: &str) -> String {
        let folder = folder();
        let path = write(&folder, "data", text.as_bytes());
        load(&path, SHARES, 0).unwrap_err().to_string()
    }

    #[test]
    fn two_classes_become_signs_and_zeros_are_left_out() {
        let folder = folder();
        let path = write(&folder, "data.gz", &gzip(b"2 2:0.1\n1\n2 1:3 4:1e2\n"));
        let rows = load_two_classes(&path).unwrap();
        let expected = SparseRows {
            signs: vec![1.0, -1.0, 1.0],
            starts: vec![0, 1, 1, 3],
            columns: vec![1, 0, 3],
            values: vec![0.1, 3.0, 100.0],
            width: 4,
        };
        assert_eq!(rows, expected);
    }

    #[test]
    fn other_than_two_classes_with_inputs_are_told() {
        let folder = folder();
        let said = |text: &str| {
            let path = write(&folder, "data", text.as_bytes());
            load_two_classes(&path).unwrap_err().to_string()
        };
        assert!(said("1 1:1\n1 1:2\n").contains("belong to the class '1'"));
        assert!(said("1 1:1\n2 1:2\n3 1:1\n").contains("has labels of more than two classes"));
        assert!(said("1\n2\n").contains("has no inputs"));
    }

    #[test]
    fn a_file_without_test_file_is_cut_three_ways() {
        let folder = folder();
        let path = write(&folder, "data", "+1 2:0.5\n-1 1:3 4:1e2 # note\n\n".repeat(8).as_bytes());
        let splits = load(&path, SHARES, 0).unwrap();
        assert_eq!(splits.train.classes, ["-1", "1"]);
        let sizes = [&splits.train, &splits.validation, &splits.test].map(Dataset::len);
        assert_eq!(sizes, [8, 4, 4]);
        for (record, &label) in splits.train.labels.iter().enumerate() {
            let expected = [[3.0, 0.0, 0.0, 100.0], [0.0, 0.5, 0.0, 0.0]][label as usize];
            assert_eq!(splits.train.record(record), expected);
        }
    }

    #[test]
    fn the_test_file_beside_it_is_the_test_part_and_may_be_wider() {
        let folder = folder();
        write(&folder, "data.gz", &gzip("1 1:1\n2 2:1\n".repeat(8).as_bytes()));
        write(&folder, "data.t.gz", &gzip(b"2 3:7\n1 1:1\n"));
        for name in ["data", "data.gz"] {
            let splits = load(&folder.path().join(name), SHARES, 0).unwrap();
            assert_eq!(splits.train.record_shape, [3]);
            assert_eq!(splits.train.len() + splits.validation.len(), 16);
            assert_eq!(splits.test.features, [0.0, 0.0, 7.0, 1.0, 0.0, 0.0]);
            assert_eq!(splits.test.labels, [1, 0]);
        }
    }

    #[test]
    fn equal_lines_of_several_files_are_read_once() {
        let folder = folder();
        let first = write(&folder, "a", b"1 1:2 3:1\n-1 2:5 \n1 1:2 3:1\n");
        let second = write(&folder, "b.gz", &gzip(b"-1 2:5\n-1\n\n"));
        let all = distinct(&[first.clone(), second]).unwrap();
        assert_eq!(all.features, [2.0, 0.0, 1.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(all.labels, [1, 0, 0]);
        let wrong = write(&folder, "c", b"1 1:2 3:1\n-1 x\n");
        let message = distinct(&[first, wrong]).unwrap_err().to_string();
        assert!(message.starts_with("line 2 of ") && message.contains("'x'"), "{message}");
    }

    #[test]
    fn indices_that_do_not_ascend_from_one_are_refused_with_their_line() {
        let zero = message("1 1:1\n-1 0:1 1:2\n");
        assert!(zero.starts_with("line 2 of ") && zero.contains("the index 0 was found"), "{zero}");
        let descending = message("1 1:1\n\n-1 5:1 3:2\n");
        assert!(descending.starts_with("line 3 of "), "{descending}");
        assert!(descending.contains("the index 3 follows 5"), "{descending}");
        let twice = message("1 2:1 2:1\n");
        assert!(twice.contains("the index 2 follows 2"), "{twice}");
    }

    #[test]
    fn fields_that_are_not_numbers_are_named() {
        for (text, part) in [
            ("yes 1:1\n", "the label 'yes' is not a number"),
            ("1 qid:3 1:1\n", "the index 'qid' is not a whole number"),
            ("1 17\n", "'17' has no colon"),
            ("1 1:nan\n", "the value 'nan' is not a number"),
            ("1 -1:1\n", "the index '-1' is not a whole number"),
        ] {
            let message = message(text);
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_file_too_large_when_dense_is_refused_before_memory_is_taken() {
        let message = message("1 4000000000:1\n2 1:1\n");
        assert!(message.contains("would need 29.8 GiB"), "{message}");
    }

    #[test]
    fn one_class_many_numbers_and_no_record_are_refused() {
        assert!(message("3 1:1\n3 1:2\n").contains("belong to the class '3'"));
        let many: String = (0..60).map(|i| format!("{i}.5 1:1\n")).collect();
        assert!(message(&many).contains("has 60 different numbers"));
        assert!(message("\n# nothing\n").contains("holds no records"));
    }

    #[test]
    #[ignore = "needs libsvm/a9a.gz and libsvm/a9a.t.gz in SECANT_DATA"]
    fn real_a9a_has_the_known_counts() {
        let path = real("libsvm/a9a.gz");
        let splits = load(&path, SHARES, 0).unwrap();
        assert_eq!(splits.train.record_shape, [123]);
        assert_eq!(splits.train.classes, ["-1", "1"]);
        let counts = [splits.train.class_counts(), splits.validation.class_counts()];
        assert_eq!([counts[0][0] + counts[1][0], counts[0][1] + counts[1][1]], [24_720, 7_841]);
        assert_eq!(splits.test.class_counts(), [12_435, 3_846]);
    }
}
