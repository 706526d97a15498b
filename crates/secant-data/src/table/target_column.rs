//! The column that is to be learned.

use super::cell::{Missing, perhaps_name};
use super::column::{Reader, cut};
use super::grid::{Declared, Grid};
use super::notation::{Mark, number};
use crate::dataset::Targets;
use crate::error::DataError;
use crate::target::{self, Decision, Task};

/// With more classes of texts than this, each must occur twice on average.
const MANY: usize = 50;

/// The target of each record, with what was decided.
#[derive(Debug)]
pub(crate) struct TargetColumn {
    /// Its number, from 0.
    pub index: usize,
    pub targets: Targets,
    /// What is learned and why, in a sentence.
    pub decision: String,
}

/// Reads the column `index` as the target.
pub(crate) fn read(
    grid: &Grid,
    reader: &Reader,
    missing: &Missing,
    index: usize,
    task: Task,
    warnings: &mut Vec<String>,
) -> Result<TargetColumn, DataError> {
    let column = Target { grid, missing, index, mark: reader.mark(index).0 };
    let nominal = matches!(grid.declared[index], Some(Declared::Texts(_)));
    let numeric = reader.is_numeric(index, false) && !nominal;
    let decision = numeric.then(|| target::decide(&column.finite()));
    let name = cut(&grid.names[index]);
    if let (Some(Decision { reason, doubtful: true, regression }), Task::Auto) = (&decision, task) {
        let (taken, other) = if *regression {
            ("numbers to be learned", "classes")
        } else {
            ("classes", "numbers to be learned")
        };
        warnings.push(format!(
            "the target '{name}' could be {other}, but was taken for {taken} ({reason}); give the \
             task if that is wrong"
        ));
    }
    let regression = match (task, &decision) {
        (Task::Regression, _) => true,
        (Task::Classification, _) | (Task::Auto, None) => false,
        (Task::Auto, Some(decision)) => decision.regression,
    };
    let why = match (task, &decision) {
        (Task::Auto, Some(decision)) => decision.reason.clone(),
        (Task::Auto, None) if nominal => "the file lists its values".to_owned(),
        (Task::Auto, None) => "its cells are texts".to_owned(),
        _ => "as asked".to_owned(),
    };
    let (targets, what) = if regression {
        (column.numbers()?, "regression")
    } else {
        (column.classes(warnings)?, "classification")
    };
    let decision = format!("{what} of '{name}': {why}");
    Ok(TargetColumn { index, targets, decision })
}

struct Target<'a> {
    grid: &'a Grid,
    missing: &'a Missing,
    index: usize,
    mark: Mark,
}

impl<'a> Target<'a> {
    fn cells(&self) -> impl Iterator<Item = &'a str> + Clone {
        self.grid.cells(self.index)
    }

    fn name(&self) -> String {
        format!("'{}'", cut(&self.grid.names[self.index]))
    }

    fn finite(&self) -> Vec<f64> {
        let written = self.cells().filter_map(|cell| number(cell, self.mark));
        written.map(|written| written.value).filter(|value| value.is_finite()).collect()
    }

    fn check_filled(&self, is_missing: impl Fn(&str) -> bool) -> Result<(), DataError> {
        let mut missing = self.cells().enumerate().filter(|(_, cell)| is_missing(cell));
        match missing.next() {
            None => Ok(()),
            Some((record, _)) => Err(DataError::CsvTargetMissing {
                path: self.grid.path.clone(),
                column: self.name(),
                count: 1 + missing.count(),
                line: self.grid.line(record),
            }),
        }
    }

    fn numbers(&self) -> Result<Targets, DataError> {
        let path = || self.grid.path.clone();
        self.check_filled(|cell| self.missing.is(cell))?;
        let mut numbers = Vec::with_capacity(self.grid.len());
        let (mut odd, mut first) = (0, None);
        for (record, cell) in self.cells().enumerate() {
            match number(cell, self.mark) {
                Some(written) if written.value.is_finite() => numbers.push(written.value),
                Some(_) => return Err(self.grid.overflow(self.index, record)),
                None => {
                    odd += 1;
                    first.get_or_insert((record, cell));
                }
            }
        }
        if let Some((record, cell)) = first {
            return Err(DataError::TargetNotNumbers {
                path: path(),
                column: self.name(),
                count: odd,
                cell: cut(cell),
                line: self.grid.line(record),
            });
        }
        if numbers.iter().all(|&number| number == numbers[0]) {
            return Err(DataError::OneNumber { path: path(), number: numbers[0] });
        }
        Ok(Targets::Numbers(numbers))
    }

    fn classes(&self, warnings: &mut Vec<String>) -> Result<Targets, DataError> {
        let declared = match &self.grid.declared[self.index] {
            Some(Declared::Texts(texts)) => texts.as_slice(),
            _ => &[],
        };
        let is_declared = |cell: &str| declared.iter().any(|text| text == cell);
        self.check_filled(|cell| self.missing.is_class(cell) && !is_declared(cell))?;
        let targets = target::classes(self.cells());
        let names = targets.class_names();
        if let [class] = names {
            let (path, class) = (self.grid.path.clone(), cut(class));
            return Err(DataError::OneClass { path, class });
        }
        if names.len() > MANY && 2 * names.len() > targets.len() {
            return Err(DataError::TargetNotClasses {
                path: self.grid.path.clone(),
                column: self.name(),
                count: names.len(),
                records: targets.len(),
            });
        }
        warnings.extend(target::same_numbers(names));
        let doubted = names.iter().filter(|name| perhaps_name(name) && !is_declared(name));
        warnings.extend(doubted.map(|name| {
            format!(
                "the target {} has a class '{name}'; give '{name}' as a missing value if it is one",
                self.name()
            )
        }));
        Ok(targets)
    }
}
