//! Where the inputs and the target of a data set stand in its files.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::cell::{is_missing, number};
use super::sheet::{self, Row, Sheet};
use super::{CLASSES, arff, separated};
use crate::arff::fields::Separator;
use crate::bytes;
use crate::dataset::Targets;
use crate::error::DataError;
use crate::table::Table;

/// How a file is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    /// As ARFF, or as KEEL writes it.
    Arff,
    /// As a plain table.
    Plain(Separator),
    /// As a plain table whose first line names the columns.
    Headed(Separator),
}

/// Which records are positive; columns are counted from 0.
#[derive(Debug)]
pub(super) enum Positive {
    /// Those that have one of these texts in this column.
    Text(usize, &'static [&'static str]),
    /// Those whose number in this column is such.
    Number(usize, fn(f64) -> bool),
    /// Those that have the number 1 in more than one of these columns.
    Several(Range<usize>),
}

/// What the files of a data set hold.
#[derive(Debug)]
pub(super) struct Layout {
    /// The files, to be put one below the other; those of one list side by side.
    pub files: &'static [&'static [&'static str]],
    /// How each of them is written.
    pub format: Format,
    /// The number of columns.
    pub width: usize,
    /// The columns that are inputs, save those of which more than half is missing.
    pub inputs: Range<usize>,
    /// What is to be told from these.
    pub positive: Positive,
}

impl Layout {
    /// Reads the files in `folder`.
    pub(super) fn read(&self, folder: &Path) -> Result<Table, DataError> {
        let texts = self.texts(folder)?;
        let sheets: Vec<Sheet> = texts
            .iter()
            .filter_map(|texts| self.sheet(texts).transpose())
            .collect::<Result<_, _>>()?;
        let mut labels = Vec::new();
        for sheet in &sheets {
            sheet.check_width(self.width)?;
            for row in &sheet.rows {
                let positive =
                    self.positive.holds(row).map_err(|problem| sheet.at(row, problem))?;
                labels.push(u32::from(positive));
            }
        }
        let columns = self.inputs.clone().filter_map(|index| sheet::column(&sheets, index));
        let classes = CLASSES.map(str::to_owned).to_vec();
        let targets = Targets::Classes { labels, names: classes };
        Ok(Table { path: folder.to_path_buf(), columns: columns.collect(), targets })
    }

    /// The contents of the files.
    fn texts(&self, folder: &Path) -> Result<Vec<Vec<(PathBuf, String)>>, DataError> {
        let read = |name: &&str| {
            let path = folder.join(name);
            bytes::read_text(&path).map(|text| (path, text))
        };
        self.files.iter().map(|side_by_side| side_by_side.iter().map(read).collect()).collect()
    }

    /// The rows of files side by side; nothing where there is no file.
    fn sheet<'a>(&self, texts: &'a [(PathBuf, String)]) -> Result<Option<Sheet<'a>>, DataError> {
        let mut joined: Option<Sheet> = None;
        for (path, text) in texts {
            let next = match self.format {
                Format::Arff => arff::read(path, text),
                Format::Plain(separator) => separated::read(path, text, separator, false),
                Format::Headed(separator) => separated::read(path, text, separator, true),
            }?;
            joined = Some(match joined {
                Some(left) => left.beside(next)?,
                None => next,
            });
        }
        Ok(joined)
    }
}

impl Positive {
    /// Whether a record is positive.
    fn holds(&self, row: &Row) -> Result<bool, String> {
        match self {
            Self::Text(column, _) if is_missing(row.cells[*column]) => {
                Err(format!("the class in column {} is missing", column + 1))
            }
            Self::Text(column, texts) => Ok(texts.contains(&row.cells[*column])),
            Self::Number(column, such) => Ok(such(number_in(row, *column)?)),
            Self::Several(columns) => {
                let mut count = 0;
                for column in columns.clone() {
                    count += usize::from(number_in(row, column)? == 1.0);
                }
                Ok(count > 1)
            }
        }
    }
}

fn number_in(row: &Row, column: usize) -> Result<f64, String> {
    let cell = row.cells[column];
    number(cell).ok_or_else(|| format!("'{cell}' in column {} is not a number", column + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::Numbers;
    use crate::split::Parts;
    use crate::testing::{folder, gzip, write};

    const COMMA: Separator = Separator::Character(',');

    fn layout(format: Format, width: usize, inputs: Range<usize>, positive: Positive) -> Layout {
        Layout { files: &[&["a"], &["b"]], format, width, inputs, positive }
    }

    /// The labels, and the inputs of all records where all of them are for training.
    fn read(layout: &Layout, a: &str, b: &str) -> Result<(Vec<u32>, Vec<f32>), DataError> {
        let folder = folder();
        write(&folder, "a", a.as_bytes());
        write(&folder, "b.gz", &gzip(b.as_bytes()));
        let table = layout.read(folder.path())?;
        let train = (0..table.targets.len()).collect();
        let parts = Parts { train, validation: Vec::new(), test: Vec::new() };
        let Numbers::F32(features) = table.as_published(&parts)?.train.features else {
            panic!("single precision is the rule");
        };
        Ok((table.targets.labels().to_vec(), features))
    }

    #[test]
    fn inputs_are_taken_from_their_columns_and_targets_by_their_texts() {
        let layout = layout(Format::Plain(COMMA), 3, 1..2, Positive::Text(2, &["good", "vgood"]));
        let (labels, features) =
            read(&layout, "id1,1,bad\nid2,3,'good'\n", "id3,2,vgood\n").unwrap();
        assert_eq!(labels, [0, 1, 1]);
        // Of mean 2 and variance 2/3.
        let deviation = (2.0_f32 / 3.0).sqrt();
        let expected = [-1.0 / deviation, 1.0 / deviation, 0.0];
        assert!(features.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6), "{features:?}");
    }

    #[test]
    fn missing_numbers_become_the_mean_and_missing_texts_zeros() {
        let text = "@attribute x real\n@attribute t {u,v}\n@attribute c {0,1}\n@data\n";
        let layout = layout(Format::Arff, 3, 0..2, Positive::Number(2, |x| x > 0.0));
        let (a, b) = (format!("{text}1,u,0\n?,v,1\n"), format!("{text}3,?,0\n"));
        let (labels, features) = read(&layout, &a, &b).unwrap();
        assert_eq!(labels, [0, 1, 0]);
        assert_eq!(features, [[-1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]].concat());
    }

    #[test]
    fn records_with_more_than_one_label_are_told_from_the_others() {
        let layout = layout(Format::Headed(COMMA), 3, 0..1, Positive::Several(1..3));
        let (labels, _) =
            read(&layout, "x,p,q\n1,1,0\n2,1,1\n", "x,p,q\n3,0,0\n4,1.0,1\n").unwrap();
        assert_eq!(labels, [0, 1, 0, 1]);
    }

    #[test]
    fn files_side_by_side_give_one_row() {
        let layout = Layout {
            files: &[&["a", "b"]],
            ..layout(Format::Plain(Separator::Blanks), 2, 0..1, Positive::Text(1, &["1"]))
        };
        let (labels, features) = read(&layout, "3\n5 \n", "0\n1\n").unwrap();
        assert_eq!((labels, features), (vec![0, 1], vec![-1.0, 1.0]));
        let message = read(&layout, "3\n5\n", "0\n").unwrap_err().to_string();
        assert!(message.contains("has 1 records but"), "{message}");
    }

    #[test]
    fn rows_of_another_width_and_targets_that_are_none_are_named_with_their_line() {
        let layout = layout(Format::Plain(COMMA), 2, 0..1, Positive::Number(1, |x| x > 0.5));
        let wide = read(&layout, "1,0\n", "1,0\n\n2,0,0\n").unwrap_err().to_string();
        assert!(wide.starts_with("line 3 of ") && wide.contains("/b: 3 values"), "{wide}");
        let text = read(&layout, "1,0\n2,x\n", "1,0\n").unwrap_err().to_string();
        assert!(text.starts_with("line 2 of ") && text.contains("'x' in column 2"), "{text}");
        let layout = Layout { positive: Positive::Text(1, &["x"]), ..layout };
        let missing = read(&layout, "1,?\n", "1,0\n").unwrap_err().to_string();
        assert!(missing.contains("the class in column 2 is missing"), "{missing}");
    }
}
