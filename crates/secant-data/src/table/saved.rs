//! What was learned of a table's columns, kept so that other tables become inputs in the same way.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::alone::Alone;
use super::cell::Missing;
use super::column::{Cells, Column, Odd, Reader, Texts, Trained, cut, titled};
use super::encode::{Encoder, Encoding};
use super::grid::{Grid, listed};
use super::notation::Mark;
use super::options::{Header, TableOptions};
use super::unit::Unit;
use crate::error::DataError;
use crate::numbers::{Numbers, Precision};

/// How the columns of a table become inputs, as its training records taught it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableEncoding {
    /// The columns that give inputs, in their order.
    columns: Vec<SavedColumn>,
    /// How many columns the table has, where it does not name them; the target is one of them.
    unnamed: Option<usize>,
    /// Texts that stand for a missing value besides the usual ones.
    missing: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedColumn {
    name: String,
    inputs: SavedInputs,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SavedInputs {
    /// One: `(scale x - mean) / deviation`.
    Number {
        scale: f64,
        mean: f64,
        deviation: f64,
        /// What stands before the fraction; `None` where training did not show it.
        #[serde(default)]
        mark: Option<Mark>,
        /// The unit of all its numbers; `None` where they had different ones, and in files of old,
        /// which did not keep it.
        #[serde(default)]
        unit: Option<Unit>,
    },
    /// One for each of these texts.
    Texts(Vec<String>),
}

/// The records of a table as inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodedRecords {
    /// The inputs, one record after the other.
    pub features: Numbers,
    /// How many records there are.
    pub records: usize,
    /// What a reader should know, one sentence each.
    pub warnings: Vec<String>,
}

impl TableEncoding {
    /// Of a table whose columns are read.
    pub(super) fn of(
        grid: &Grid,
        columns: &[Column],
        encoding: &Encoding,
        options: &TableOptions,
    ) -> Self {
        let saved = |(column, encoder): (&Column, &Encoder)| {
            let inputs = match (encoder, &column.cells) {
                (Encoder::Number { scale, mean, deviation }, _) => SavedInputs::Number {
                    scale: *scale,
                    mean: *mean,
                    deviation: *deviation,
                    mark: column.mark,
                    unit: column.unit,
                },
                (Encoder::OneHot { inputs, .. }, Cells::Texts(texts)) => {
                    let kept = texts.texts.iter().zip(inputs).filter(|(_, input)| input.is_some());
                    SavedInputs::Texts(kept.map(|(text, _)| text.clone()).collect())
                }
                _ => return None,
            };
            Some(SavedColumn { name: column.name.clone(), inputs })
        };
        Self {
            columns: columns.iter().zip(encoding.encoders()).filter_map(saved).collect(),
            unnamed: (!grid.named).then_some(grid.width()),
            missing: options.missing.clone(),
        }
    }

    /// How many inputs a record has.
    pub fn width(&self) -> usize {
        let width = |column: &SavedColumn| match &column.inputs {
            SavedInputs::Number { .. } => 1,
            SavedInputs::Texts(texts) => texts.len(),
        };
        self.columns.iter().map(width).sum()
    }

    /// The table in `path`, or in standard input where it is `-`, as inputs. Its columns are found by their
    /// names, in any order; others, such as the target, are not looked at. Where there is only one to
    /// be found, each line may be one cell.
    ///
    /// # Errors
    /// The file cannot be read, lacks a column, or has a number that overflows.
    pub fn read(
        &self,
        path: &Path,
        header: Header,
        precision: Precision,
    ) -> Result<EncodedRecords, DataError> {
        let missing = self.missing.clone();
        let options = TableOptions { header, missing, precision, ..TableOptions::default() };
        self.encode(Grid::read_for(path, &options, self.alone())?, precision)
    }

    /// The only column that is looked for, where there are no others and it has a name.
    fn alone(&self) -> Option<Alone<'_>> {
        match (&self.columns[..], self.unnamed) {
            ([SavedColumn { name, inputs: SavedInputs::Texts(texts) }], None) => {
                Some(Alone { name, texts })
            }
            ([SavedColumn { name, .. }], None) => Some(Alone { name, texts: &[] }),
            _ => None,
        }
    }

    fn encode(&self, mut grid: Grid, precision: Precision) -> Result<EncodedRecords, DataError> {
        self.check_width(&grid)?;
        let missing = Missing::with(&self.missing);
        let mut warnings = std::mem::take(&mut grid.warnings);
        let reader = Reader::new(&grid, &missing);
        let columns = self
            .columns
            .iter()
            .map(|saved| saved.column(&grid, &reader, &mut warnings))
            .collect::<Result<Vec<_>, _>>()?;
        let encoders = self.columns.iter().map(SavedColumn::encoder);
        let encoding = Encoding::of(columns.iter().zip(encoders).collect());
        let rows: Vec<usize> = (0..grid.len()).collect();
        let features = encoding.apply(&rows, precision).map_err(|column| DataError::Overflow {
            path: grid.path.clone(),
            column: column.to_owned(),
            precision,
        })?;
        Ok(EncodedRecords { features, records: rows.len(), warnings })
    }

    /// Columns without names are known by their places, the target's included.
    fn check_width(&self, grid: &Grid) -> Result<(), DataError> {
        match self.unnamed {
            Some(wanted) if grid.width() != wanted => {
                Err(DataError::OtherWidth { path: grid.path.clone(), found: grid.width(), wanted })
            }
            _ => Ok(()),
        }
    }
}

impl SavedColumn {
    fn encoder(&self) -> Encoder {
        match &self.inputs {
            SavedInputs::Number { scale, mean, deviation, .. } => {
                Encoder::Number { scale: *scale, mean: *mean, deviation: *deviation }
            }
            SavedInputs::Texts(texts) => Encoder::OneHot {
                inputs: (0..).take(texts.len()).map(Some).collect(),
                width: texts.len(),
            },
        }
    }

    /// The column of the same name in another table.
    fn column(
        &self,
        grid: &Grid,
        reader: &Reader,
        warnings: &mut Vec<String>,
    ) -> Result<Column, DataError> {
        let index = grid.names.iter().position(|name| *name == self.name);
        let index = index.ok_or_else(|| self.lacking(grid.path.clone(), &grid.names))?;
        let (mark, unit) = match self.inputs {
            SavedInputs::Number { mark, unit, .. } => (mark, unit),
            SavedInputs::Texts(_) => (None, None),
        };
        let cells = match &self.inputs {
            SavedInputs::Number { .. } => {
                reader.numbers(index, Trained { mark, unit }, warnings)?.0
            }
            SavedInputs::Texts(texts) => {
                warnings.extend(self.unknown(texts, index, grid, reader));
                Cells::Texts(Texts::of(reader.filled(index), texts.clone(), true))
            }
        };
        Ok(Column { name: self.name.clone(), cells, mark, unit })
    }

    fn lacking(&self, path: PathBuf, names: &[String]) -> DataError {
        DataError::LacksColumn { path, column: cut(&self.name), columns: listed(names) }
    }

    /// How many cells hold a text without an input.
    fn unknown(
        &self,
        texts: &[String],
        index: usize,
        grid: &Grid,
        reader: &Reader,
    ) -> Option<String> {
        let mut unknown = Odd::default();
        for (row, cell) in reader.filled(index).enumerate() {
            if let Some(cell) = cell.filter(|cell| !texts.iter().any(|text| text == cell)) {
                unknown.add(cell, row);
            }
        }
        let (cell, row) = unknown.first?;
        Some(format!(
            "{}: {} of {} cells hold a text that has no input, such as '{}' in line {}; they \
             were treated as missing",
            titled(&self.name),
            unknown.count,
            grid.len(),
            cut(cell),
            grid.line(row)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::Fractions;
    use crate::table::{Understood, understand_grid};
    use crate::{Loaded, Task};

    const TRAINING: &str = "size,colour,rank\n1,red,a\n2,blue,b\n3,red,a\n4,blue,b\n5,red,a\n\
                            6,blue,b\n,red,a\n8,blue,b\n9,red,a\n10,blue,b\n11,red,a\n12,blue,b\n";

    fn grid(text: &str) -> Grid {
        let options = TableOptions::default();
        Grid::of("new.csv".into(), text.as_bytes().to_vec(), None, &options, None).expect("a grid")
    }

    fn options() -> TableOptions {
        let target = Some("rank".to_owned());
        TableOptions { target, task: Task::Classification, ..TableOptions::default() }
    }

    fn trained() -> Loaded {
        let understood: Understood =
            understand_grid(grid(TRAINING), &options()).expect("an understood table");
        let fractions = Fractions { validation: 0.25, test: 0.25 };
        crate::table::load_understood(understood, &options(), fractions, 1).expect("a table")
    }

    fn encoding() -> TableEncoding {
        trained().encoding.expect("an encoding")
    }

    fn encoded(text: &str) -> EncodedRecords {
        encoding().encode(grid(text), Precision::F64).expect("records")
    }

    fn refused(text: &str) -> String {
        encoding().encode(grid(text), Precision::F64).expect_err("an error").to_string()
    }

    #[test]
    fn the_training_records_read_again_are_the_same_inputs() {
        let loaded = trained();
        let again = encoded(TRAINING);
        assert_eq!((again.records, encoding().width()), (12, 3));
        let rows: Vec<f64> = again.features.iter().collect();
        for part in loaded.splits.parts().map(|(_, part)| part) {
            let features: Vec<f64> = part.features.iter().collect();
            for record in features.chunks(3) {
                let same = |row: &[f64]| row.iter().zip(record).all(|(a, b)| (a - b).abs() < 1e-6);
                assert!(rows.chunks(3).any(same), "{record:?}");
            }
        }
    }

    #[test]
    fn columns_are_found_by_name_in_any_order_and_the_target_may_be_absent() {
        let usual = encoded("size,colour,rank\n3,red,a\n7,blue,b\n");
        let turned = encoded("colour,more,size\nred,?,3\nblue,?,7\n");
        assert_eq!(usual.features, turned.features);
    }

    #[test]
    fn missing_cells_are_the_mean_and_unknown_texts_nothing_with_a_word() {
        let found = encoded("size,colour\nNA,red\n?,green\nodd,green\n");
        let rows: Vec<f64> = found.features.iter().collect();
        assert_eq!([rows[0], rows[3], rows[6]], [0.0; 3]);
        assert_eq!(rows[4..6], [0.0, 0.0]);
        assert!(found.warnings.iter().any(|said| said.contains("'green' in line 3")
            && said.contains("column 'colour': 2 of 3 cells")));
        let odd = |said: &String| said.contains("column 'size': 3 of 3 cells are not a number");
        assert!(found.warnings.iter().any(odd), "{:?}", found.warnings);
    }

    #[test]
    fn a_lacking_column_is_named() {
        let said = refused("size,rank\n1,a\n2,b\n");
        assert!(said.contains("no column 'colour'") && said.contains("'size', 'rank'"), "{said}");
    }

    /// What a table of prices in groups of three digits, separated by semicolons, taught.
    fn of_prices() -> TableEncoding {
        let price = |i: usize| if i == 3 { "1,234,567".into() } else { format!("{},874", 1 + i) };
        let rows: String =
            (0..24).map(|i| format!("{};{}\n", price(i), ["a", "b"][i % 2])).collect();
        let text = format!("price;rank\n{rows}");
        let understood = understand_grid(grid(&text), &options()).expect("an understood table");
        let fractions = Fractions { validation: 0.25, test: 0.25 };
        let loaded = crate::table::load_understood(understood, &options(), fractions, 1);
        loaded.expect("a table").encoding.expect("an encoding")
    }

    /// The inputs of one price.
    fn input(encoding: &TableEncoding, price: &str) -> EncodedRecords {
        let table = grid(&format!("price;rank\n{price};a\n"));
        encoding.encode(table, Precision::F64).expect("records")
    }

    #[test]
    fn numbers_are_read_as_training_showed_that_they_are_written() {
        let encoding = of_prices();
        let found = input(&encoding, "8,874");
        assert_eq!(found.features, input(&encoding, "8874").features);
        let said = "column 'price' was read with a point before the fraction, as in the training \
                    table: '8,874' was read as 8874";
        assert_eq!(found.warnings, [said]);
    }

    #[test]
    fn a_column_that_shows_another_notation_than_training_is_read_by_it_with_a_word() {
        let encoding = of_prices();
        let found = input(&encoding, "8874,5");
        assert_eq!(found.features, input(&encoding, "8874.5").features);
        let said = "has a comma before the fraction, unlike in the training table";
        assert!(found.warnings[0].contains(said), "{:?}", found.warnings);
    }

    #[test]
    fn where_training_did_not_show_the_notation_a_table_shows_its_own() {
        let text = serde_json::to_string(&encoding()).expect("text");
        assert!(text.contains("\"mark\":null"), "{text}");
        let european = encoded("size;colour\n1,5;red\n2,5;red\n");
        let english = encoded("size;colour\n1.5;red\n2.5;red\n");
        assert_eq!(european, english);
    }

    #[test]
    fn an_encoding_kept_without_notation_is_still_read_and_guesses_it() {
        let text = serde_json::to_string(&of_prices()).expect("text");
        let old = text.replace(",\"mark\":\"point\"", "");
        assert_ne!(old, text);
        let old: TableEncoding = serde_json::from_str(&old).expect("an encoding");
        assert_eq!(input(&old, "8,874").features, input(&old, "8.874").features);
    }

    /// What a table of one input with this header, and these cells for its records, taught.
    fn of_one(header: &str, cell: impl Fn(usize) -> String) -> TableEncoding {
        let rows: String =
            (0..24).map(|i| format!("{};{}\n", cell(i), ["a", "b"][i % 2])).collect();
        let understood = understand_grid(grid(&format!("{header}{rows}")), &options());
        let understood = understood.expect("an understood table");
        let fractions = Fractions { validation: 0.25, test: 0.25 };
        let loaded = crate::table::load_understood(understood, &options(), fractions, 1);
        loaded.expect("a table").encoding.expect("an encoding")
    }

    #[test]
    fn another_unit_than_in_training_is_told_both_ways() {
        let plain = of_one("price;rank\n", |i| format!("{}", 0.01 * (1 + i) as f64));
        let percent = of_one("price;rank\n", |i| format!("{}%", 1 + i));
        let said = input(&plain, "50%").warnings.join("\n");
        let expected = "column 'price' has cells with the unit %, but had no sign of unit in the \
                        training table: '50%' in line 2 was read as 50";
        assert!(said.contains(expected), "{said}");
        let said = input(&percent, "0.5").warnings.join("\n");
        assert!(said.contains("no sign of unit, but had the unit % in the training"), "{said}");
        assert!(input(&plain, "0.5").warnings.is_empty());
        assert!(input(&percent, "50 %").warnings.is_empty());
    }

    #[test]
    fn an_encoding_kept_without_units_is_still_read_and_says_nothing_of_them() {
        let percent = of_one("price;rank\n", |i| format!("{}%", 1 + i));
        let text = serde_json::to_string(&percent).expect("text");
        assert_eq!(serde_json::from_str::<TableEncoding>(&text).expect("an encoding"), percent);
        let old = text.replace(",\"unit\":{\"sign\":\"%\"}", "");
        assert_ne!(old, text);
        let old: TableEncoding = serde_json::from_str(&old).expect("an encoding");
        assert!(input(&old, "0.5").warnings.is_empty());
    }

    /// The records of a file with this text, or what is said of it.
    fn read(encoding: &TableEncoding, text: &str) -> Result<EncodedRecords, String> {
        let folder = crate::testing::folder();
        let path = crate::testing::write(&folder, "new.csv", text.as_bytes());
        encoding.read(&path, Header::Auto, Precision::F64).map_err(|error| error.to_string())
    }

    #[test]
    fn a_table_of_the_only_column_needs_no_other() {
        let number = of_one("price;rank\n", |i| format!("{}", 0.5 * i as f64));
        for text in ["price\n1.5\n7\n", "\"price\"\n1,5\n7,0\n", "# new\nprice\n1.5,\n7,\n"] {
            let found = read(&number, text).expect("records");
            let both = read(&number, "rank;price\na;1.5\nb;7\n").expect("records");
            assert_eq!(found.features, both.features, "{text}");
        }
        let text = of_one("colour;rank\n", |i| ["dark red", "blue"][i % 2].to_owned());
        let found = read(&text, "colour\nblue\ndark red\n").expect("records");
        assert_eq!(found.features, Numbers::F64(vec![1.0, 0.0, 0.0, 1.0]));
        assert!(found.warnings.is_empty(), "{:?}", found.warnings);
        let other = read(&number, "size\n1\n2\n").expect_err("another column");
        assert!(other.contains("no column 'price'") && other.contains("'size'"), "{other}");
    }

    #[test]
    fn one_column_is_refused_where_more_are_needed() {
        let said = read(&encoding(), "size\n1\n2\n").expect_err("two columns are looked at");
        assert!(said.contains("has only one column"), "{said}");
    }

    #[test]
    fn kept_as_text_it_is_the_same() {
        let text = serde_json::to_string(&encoding()).expect("text");
        assert_eq!(serde_json::from_str::<TableEncoding>(&text).expect("an encoding"), encoding());
    }
}
