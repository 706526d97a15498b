//! The column that is to be learned.

use super::cell::{Missing, perhaps_name, told};
use super::column::{Odd, Reader, cut};
use super::grid::{Declared, Grid};
use super::mark_choice::Choice;
use super::notation::number;
use crate::dataset::Targets;
use crate::error::DataError;
use crate::target::{self, Decision, Task};
use crate::target_size;

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
    let column = Target { grid, missing, index, choice: reader.choice(index, None) };
    let nominal = matches!(grid.declared[index], Some(Declared::Texts(_)));
    let numeric = reader.is_numeric(index, false) && !nominal;
    let decision = numeric.then(|| target::decide(column.written()));
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
        (column.numbers(warnings)?, "regression")
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
    choice: Choice,
}

impl<'a> Target<'a> {
    fn cells(&self) -> impl Iterator<Item = &'a str> + Clone {
        self.grid.cells(self.index)
    }

    fn name(&self) -> String {
        format!("'{}'", cut(&self.grid.names[self.index]))
    }

    /// The cells that are numbers, with these, which may be infinite.
    fn written(&self) -> impl Iterator<Item = (&'a str, f64)> {
        let mark = self.choice.mark;
        self.cells().filter_map(move |cell| Some((cell, number(cell, mark)?.value)))
    }

    fn check_filled(&self, is_missing: impl Fn(&str) -> bool) -> Result<(), DataError> {
        let mut missing = self.cells().enumerate().filter(|(_, cell)| is_missing(cell));
        match missing.next() {
            None => Ok(()),
            Some((record, cell)) => Err(DataError::CsvTargetMissing {
                path: self.grid.path.clone(),
                column: self.name(),
                count: 1 + missing.count(),
                line: self.grid.line(record),
                found: told(cell),
            }),
        }
    }

    fn numbers(&self, warnings: &mut Vec<String>) -> Result<Targets, DataError> {
        let path = || self.grid.path.clone();
        self.check_filled(|cell| self.missing.is(cell))?;
        let mut numbers = Vec::with_capacity(self.grid.len());
        let (mut odd, mut first) = (0, None);
        for (record, cell) in self.cells().enumerate() {
            match number(cell, self.choice.mark) {
                Some(written) if written.value.is_finite() => numbers.push(written.value),
                Some(_) => return Err(self.too_large(record, cell)),
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
        target_size::check(&self.grid.path, &self.name(), &numbers)?;
        warnings.extend(self.doubtful_mark());
        Ok(Targets::Numbers(numbers))
    }

    /// Says where it is a guess what stands before the fraction.
    fn doubtful_mark(&self) -> Option<String> {
        let (cell, value) = self.written().find(|(cell, _)| cell.contains([',', '.']))?;
        self.choice.warning(&format!("the target {}", self.name()), cell, value)
    }

    fn too_large(&self, record: usize, cell: &str) -> DataError {
        DataError::TooLargeTarget {
            path: self.grid.path.clone(),
            line: self.grid.line(record),
            column: self.name(),
            cell: cut(cell),
        }
    }

    /// The values that the file lists; none where it does not.
    fn declared(&self) -> &'a [String] {
        match &self.grid.declared[self.index] {
            Some(Declared::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// How many cells hold none of the `declared` values, where there are such.
    fn undeclared(&self, declared: &[String]) -> Option<String> {
        let mut odd = Odd::default();
        for (record, cell) in self.cells().enumerate() {
            if !declared.is_empty() && !declared.iter().any(|text| text == cell) {
                odd.add(cell, record);
            }
        }
        let (cell, record) = odd.first?;
        Some(format!(
            "the target {}: {} of {} cells are none of the declared values, such as '{}' in line \
             {}; their texts were taken for classes of their own, so correct or remove these rows \
             if they are none",
            self.name(),
            odd.count,
            self.grid.len(),
            cut(cell),
            self.grid.line(record)
        ))
    }

    fn classes(&self, warnings: &mut Vec<String>) -> Result<Targets, DataError> {
        let declared = self.declared();
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
        warnings.extend(self.undeclared(declared));
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
