//! What is said about a table.

use super::column::{Cells, Column, Texts, cut, number_range, titled};
use super::encode::{Encoder, Encoding, MOST, Unused};
use super::grid::Grid;
use super::target_column::TargetColumn;
use crate::dataset::{Splits, Targets};
use crate::description::{ColumnDescription, Kind};

/// A column with a larger share of missing cells is named in a warning.
const MANY_MISSING: f64 = 0.5;

/// Where texts without an input fill a larger share of the cells, a warning says so.
const MANY_WITHOUT: f64 = 0.1;

/// How the file is written.
pub(crate) fn format(grid: &Grid) -> Vec<String> {
    let counted = format!("{} records of {} columns", grid.len(), grid.width());
    grid.format.iter().cloned().chain([counted]).collect()
}

/// What each column of the file is and is used as; the columns that are not used, or not wholly,
/// are named in `warnings`.
pub(crate) fn columns(
    grid: &Grid,
    columns: &[Column],
    encoding: &Encoding,
    target: Option<&TargetColumn>,
    train: &[usize],
    warnings: &mut Vec<String>,
) -> Vec<ColumnDescription> {
    let mut described = Vec::with_capacity(grid.width());
    for (column, encoder) in columns.iter().zip(encoding.encoders()) {
        let cells = grid.len();
        let view = View { column, encoder, train, whole: train.len() == cells };
        let (kind, missing) = (view.kind(), column.missing());
        let name = column.name.clone();
        let description = ColumnDescription {
            name,
            kind,
            range: column.range(),
            missing,
            cells,
            r#use: view.usage(),
        };
        warnings.extend(view.warning());
        if encoder.width() > 0 && description.missing_share() > MANY_MISSING {
            let share = 100.0 * description.missing_share();
            let title = titled(&column.name);
            warnings.push(format!("{title}: {share:.0} % of its cells are missing"));
        }
        described.push(description);
    }
    if let Some(target) = target {
        described.insert(target.index, describe_target(grid, target));
    }
    described
}

fn describe_target(grid: &Grid, target: &TargetColumn) -> ColumnDescription {
    let (kind, range) = match &target.targets {
        Targets::Classes { names, .. } => (Kind::TargetClasses, format!("{} classes", names.len())),
        Targets::Numbers(numbers) => (Kind::TargetNumbers, number_range(numbers.iter().copied())),
    };
    ColumnDescription {
        name: grid.names[target.index].clone(),
        kind,
        range,
        missing: 0,
        cells: grid.len(),
        r#use: "the target".to_owned(),
    }
}

/// How the records were cut.
pub(crate) fn split(splits: &Splits, seed: u64) -> Vec<String> {
    let [train, validation, test] = splits.parts().map(|(_, part)| part.len());
    let how = match splits.train.targets {
        Targets::Classes { .. } => "with every class in its share",
        Targets::Numbers(_) => "at random",
    };
    let mut said = vec![format!(
        "{train} records to train on, {validation} to choose settings by, {test} to test on, cut \
         {how} with seed {seed}"
    )];
    let names = splits.train.targets.class_names();
    const LISTED: usize = 10;
    if !names.is_empty() && names.len() <= LISTED {
        let counts = splits.parts().map(|(_, part)| part.class_counts());
        let count = |class: usize| {
            let [train, validation, test] = [0, 1, 2].map(|part| counts[part][class]);
            format!("'{}' {train} + {validation} + {test}", cut(&names[class]))
        };
        let listed: Vec<String> = (0..names.len()).map(count).collect();
        said.push(format!("records of each class: {}", listed.join(", ")));
    }
    said
}

/// What was done to the values.
pub(crate) fn preprocessing(
    columns: &[Column],
    encoding: &Encoding,
    target: Option<&TargetColumn>,
) -> Vec<String> {
    let mut said: Vec<String> = target.iter().map(|target| target.decision.clone()).collect();
    let any = |is: fn(&Encoder) -> bool| encoding.encoders().any(is);
    if any(|encoder| matches!(encoder, Encoder::Number { .. })) {
        said.push(
            "numbers are standardised by mean and deviation of the training part; a missing number \
             becomes the mean"
                .to_owned(),
        );
    }
    if any(|encoder| matches!(encoder, Encoder::OneHot { .. })) {
        said.push(
            "texts become inputs of 0 and 1, one for each text; a missing or rare text is 0 \
             everywhere"
                .to_owned(),
        );
    }
    let used = encoding.encoders().filter(|encoder| encoder.width() > 0).count();
    said.push(format!("{used} of {} columns used, as {}", columns.len(), inputs(encoding.width())));
    said
}

fn inputs(width: usize) -> String {
    if width == 1 { "1 input".to_owned() } else { format!("{width} inputs") }
}

/// One column and what became of it.
struct View<'a> {
    column: &'a Column,
    encoder: &'a Encoder,
    train: &'a [usize],
    /// Whether all records are for training.
    whole: bool,
}

impl View<'_> {
    fn kind(&self) -> Kind {
        match (self.encoder, &self.column.cells) {
            (Encoder::Unused(Unused::Empty), _) => Kind::Empty,
            (Encoder::Unused(Unused::Constant), _) => Kind::Constant,
            (_, Cells::Numbers(_)) => Kind::Numbers,
            (_, Cells::Texts(_)) => Kind::Texts,
        }
    }

    fn usage(&self) -> String {
        match (self.encoder, &self.column.cells) {
            (Encoder::Unused(why), _) => format!("not used: {}", self.reason(*why)),
            (Encoder::OneHot { inputs: given, width }, Cells::Texts(texts)) => {
                let without = given.iter().filter(|input| input.is_none()).count();
                let each = if texts.known { "each declared text" } else { "each text" };
                match without {
                    0 => format!("{}, one for {each}", inputs(*width)),
                    1 => format!("{}, one for each text but 1 rarer", inputs(*width)),
                    _ => format!("{}, one for each text but {without} rarer", inputs(*width)),
                }
            }
            _ => "1 input, standardised".to_owned(),
        }
    }

    fn reason(&self, why: Unused) -> String {
        let part = if self.whole { "" } else { " in the training part" };
        match why {
            Unused::Empty => format!("no cell is filled{part}"),
            Unused::Constant => format!("constant{part}"),
            Unused::AllDiffer => format!("no text occurs twice{part}"),
        }
    }

    fn warning(&self) -> Option<String> {
        let title = titled(&self.column.name);
        match (self.encoder, &self.column.cells) {
            (Encoder::Unused(why), _) => {
                Some(format!("{title} is not used: {}", self.reason(*why)))
            }
            (Encoder::OneHot { inputs: given, width }, Cells::Texts(texts)) => {
                let (without, share) = self.without_input(given, texts);
                let capped = *width == MOST && given.len() > MOST;
                (capped || share > MANY_WITHOUT).then(|| {
                    let why = if capped {
                        "the most frequent of its texts"
                    } else {
                        "its texts that occur twice"
                    };
                    format!(
                        "{title} has {} for {why}; other texts, {without} in number and in {:.0} % of \
                         the training records, have none",
                        inputs(*width),
                        100.0 * share
                    )
                })
            }
            _ => None,
        }
    }

    /// How many texts have no input, and what share of the training records they fill.
    fn without_input(&self, inputs: &[Option<u32>], texts: &Texts) -> (usize, f64) {
        let without = inputs.iter().filter(|input| input.is_none()).count();
        let filled = self.train.iter().filter_map(|&row| texts.cells[row]);
        let lost = filled.filter(|&text| inputs[text as usize].is_none()).count();
        (without, lost as f64 / self.train.len().max(1) as f64)
    }
}
