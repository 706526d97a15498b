//! The cells of one column, as numbers or as texts.

use std::collections::{BTreeSet, HashMap};

use super::cell::Missing;
use super::grid::{Declared, Grid};
use super::mark_choice::Choice;
use super::notation::{self, Evidence, Mark};
use super::unit::{Unit, Units};
use crate::error::DataError;

/// Fewer numbers than this do not make a column of numbers out of one with other texts.
const A_FEW: usize = 5;

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub name: String,
    pub cells: Cells,
    /// What stands before the fraction of its numbers; `None` where they would be the same with
    /// the other mark, and for texts.
    pub mark: Option<Mark>,
    /// The unit of its numbers; `None` where they have different ones, and for texts.
    pub unit: Option<Unit>,
}

/// How the table that was learned from writes the numbers of a column, as far as is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trained {
    pub mark: Option<Mark>,
    pub unit: Option<Unit>,
}

/// The cells of a column; `None` is an empty cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cells {
    /// Every filled cell is a finite number.
    Numbers(Vec<Option<f64>>),
    /// Any other column.
    Texts(Texts),
}

/// Cells of texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Texts {
    /// The number of each cell's text in `texts`.
    pub cells: Vec<Option<u32>>,
    /// The different texts.
    pub texts: Vec<String>,
    /// Whether these were known beforehand.
    pub known: bool,
}

impl Texts {
    /// Cells of these `texts`; another text is an empty cell.
    pub(crate) fn of<'a>(
        cells: impl Iterator<Item = Option<&'a str>>,
        texts: Vec<String>,
        known: bool,
    ) -> Self {
        let numbers: HashMap<&str, u32> = texts.iter().map(String::as_str).zip(0..).collect();
        let cells = cells.map(|cell| cell.and_then(|text| numbers.get(text).copied())).collect();
        Self { cells, texts, known }
    }

    /// Cells of any texts, which are put in their order.
    pub(crate) fn found<'a>(cells: impl Iterator<Item = Option<&'a str>> + Clone) -> Self {
        let texts: BTreeSet<&str> = cells.clone().flatten().collect();
        Self::of(cells, texts.into_iter().map(str::to_owned).collect(), false)
    }
}

impl Column {
    /// The number of empty cells.
    pub(crate) fn missing(&self) -> usize {
        match &self.cells {
            Cells::Numbers(cells) => cells.iter().filter(|cell| cell.is_none()).count(),
            Cells::Texts(texts) => texts.cells.iter().filter(|cell| cell.is_none()).count(),
        }
    }

    /// The number of different texts, or the least and the largest number.
    pub(crate) fn range(&self) -> String {
        match &self.cells {
            Cells::Numbers(cells) => number_range(cells.iter().flatten().copied()),
            Cells::Texts(texts) => {
                let used: BTreeSet<u32> = texts.cells.iter().flatten().copied().collect();
                match used.len() {
                    0 => String::new(),
                    1 => "1 text".to_owned(),
                    count => format!("{count} different texts"),
                }
            }
        }
    }
}

/// The least and the largest of some numbers.
pub(crate) fn number_range(numbers: impl Iterator<Item = f64> + Clone) -> String {
    let least = numbers.clone().fold(f64::INFINITY, f64::min);
    let most = numbers.fold(f64::NEG_INFINITY, f64::max);
    if least > most {
        String::new()
    } else if least == most {
        short(least)
    } else {
        format!("{} to {}", short(least), short(most))
    }
}

/// A number in at most about ten characters.
fn short(number: f64) -> String {
    let plain = number.to_string();
    if plain.len() <= 10 {
        return plain;
    }
    // Rounded first, so that no zeros follow the digits.
    let rounded: f64 = format!("{number:.4e}").parse().unwrap_or(number);
    let plain = rounded.to_string();
    if plain.len() <= 10 { plain } else { format!("{rounded:e}") }
}

/// Turns the cells of a grid into columns.
pub(crate) struct Reader<'a> {
    grid: &'a Grid,
    missing: &'a Missing,
    evidence: Vec<Evidence>,
    expect_comma: bool,
}

impl<'a> Reader<'a> {
    /// Looks at all columns.
    pub(crate) fn new(grid: &'a Grid, missing: &'a Missing) -> Self {
        let filled = |column| grid.cells(column).filter(|cell| !missing.is(cell));
        let evidence: Vec<_> =
            (0..grid.width()).map(|column| Evidence::of(filled(column))).collect();
        let any = |shows: fn(&Evidence) -> bool| evidence.iter().any(shows);
        let expect_comma =
            any(Evidence::shows_comma) || grid.semicolons && !any(Evidence::shows_point);
        Self { grid, missing, evidence, expect_comma }
    }

    /// The column at `index`, and what is to be said about it.
    pub(crate) fn column(
        &self,
        index: usize,
        warnings: &mut Vec<String>,
    ) -> Result<Column, DataError> {
        let (cells, unit) = match &self.grid.declared[index] {
            Some(Declared::Texts(texts)) if !is_flag(texts) => {
                self.check_declared(index, texts, warnings);
                (Cells::Texts(Texts::of(self.filled(index), texts.clone(), true)), None)
            }
            declared if self.is_numeric(index, *declared == Some(Declared::Number)) => {
                self.numbers(index, Trained::default(), warnings)?
            }
            _ => {
                self.warn_half_numbers(index, warnings);
                (Cells::Texts(Texts::found(self.filled(index))), None)
            }
        };
        let is_settled =
            matches!(cells, Cells::Numbers(_)) && self.evidence[index].depends_on_mark();
        let mark = is_settled.then(|| self.mark(index));
        Ok(Column { name: self.grid.names[index].clone(), cells, mark, unit })
    }

    /// Whether all filled cells of a column are numbers, or nearly all where there are a few.
    pub(crate) fn is_numeric(&self, index: usize, declared: bool) -> bool {
        let evidence = &self.evidence[index];
        let numbers = evidence.point.max(evidence.comma);
        let read = evidence.read(self.mark(index));
        numbers > 0
            && (read == evidence.filled
                || read >= A_FEW && 10 * read >= 9 * evidence.filled
                || declared && 2 * read >= evidence.filled)
    }

    /// What a column has before the fraction.
    pub(crate) fn mark(&self, index: usize) -> Mark {
        self.choice(index, None).mark
    }

    /// The same, with the doubt about it; `trained` is the mark in the table that was learned from.
    pub(super) fn choice(&self, index: usize, trained: Option<Mark>) -> Choice {
        let evidence = &self.evidence[index];
        match trained {
            Some(mark) => Choice::as_trained(mark, evidence, self.expect_comma),
            None => Choice::by(evidence, self.expect_comma),
        }
    }

    pub(super) fn filled(&self, index: usize) -> impl Iterator<Item = Option<&'a str>> + Clone {
        let missing = self.missing;
        self.grid.cells(index).map(move |cell| (!missing.is(cell)).then_some(cell))
    }

    /// The numbers of a column, and the unit of all of them.
    pub(super) fn numbers(
        &self,
        index: usize,
        trained: Trained,
        warnings: &mut Vec<String>,
    ) -> Result<(Cells, Option<Unit>), DataError> {
        let choice = self.choice(index, trained.mark);
        let mut numbers = Vec::with_capacity(self.grid.len());
        let (mut units, mut odd) = (Units::after(trained.unit), Odd::default());
        let mut example = None;
        for (row, cell) in self.grid.cells(index).enumerate() {
            let written =
                if self.missing.is(cell) { None } else { notation::number(cell, choice.mark) };
            match written {
                Some(written) if !written.value.is_finite() => {
                    return Err(self.grid.overflow(index, row));
                }
                Some(written) => {
                    units.add(cell, written, row);
                    if choice.doubt.is_some() && example.is_none() && cell.contains([',', '.']) {
                        example = Some((cell, written.value));
                    }
                }
                None if !cell.is_empty() && !self.missing.is_extra(cell) => odd.add(cell, row),
                None => {}
            }
            numbers.push(written.map(|written| written.value));
        }
        self.warn_odd(index, &odd, warnings);
        let column = titled(&self.grid.names[index]);
        warnings.extend(units.warnings(&column, |row| self.grid.line(row)));
        warnings.extend(example.and_then(|(cell, value)| choice.warning(&column, cell, value)));
        Ok((Cells::Numbers(numbers), units.only()))
    }

    fn warn_odd(&self, index: usize, odd: &Odd, warnings: &mut Vec<String>) {
        let Some((cell, row)) = odd.first else { return };
        let (column, all) = (titled(&self.grid.names[index]), self.grid.len());
        let line = self.grid.line(row);
        let (verb, were) = if odd.count == 1 { ("is", "it was") } else { ("are", "they were") };
        warnings.push(format!(
            "{column}: {} of {all} cells {verb} not a number, such as '{}' in line {line}; \
             {were} treated as missing",
            odd.count,
            cut(cell)
        ));
    }

    /// Says where a column of texts holds many numbers.
    fn warn_half_numbers(&self, index: usize, warnings: &mut Vec<String>) {
        let evidence = &self.evidence[index];
        let mark = self.mark(index);
        let read = evidence.read(mark);
        if 2 * read < evidence.filled || read == 0 {
            return;
        }
        let no_number =
            |cell: &str| !self.missing.is(cell) && notation::number(cell, mark).is_none();
        let found = self.grid.cells(index).enumerate().find(|(_, cell)| no_number(cell));
        if let Some((row, cell)) = found {
            warnings.push(format!(
                "{} was read as texts: {read} of its {} filled cells are numbers, but \
                 others such as '{}' in line {} are not; if that stands for a missing value, give \
                 it as one",
                titled(&self.grid.names[index]),
                evidence.filled,
                cut(cell),
                self.grid.line(row)
            ));
        }
    }

    fn check_declared(&self, index: usize, texts: &[String], warnings: &mut Vec<String>) {
        let known: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
        let mut odd = Odd::default();
        for (row, cell) in self.grid.cells(index).enumerate() {
            if !self.missing.is(cell) && !known.contains(cell) {
                odd.add(cell, row);
            }
        }
        if let Some((cell, row)) = odd.first {
            warnings.push(format!(
                "{}: {} of {} cells are none of the declared values, such as '{}' in line \
                 {}; they were treated as missing",
                titled(&self.grid.names[index]),
                odd.count,
                self.grid.len(),
                cut(cell),
                self.grid.line(row)
            ));
        }
    }
}

/// A declared list of just 0 and 1 says whether something holds, so it is a number.
fn is_flag(texts: &[String]) -> bool {
    texts.len() == 2 && ["0", "1"].iter().all(|flag| texts.iter().any(|text| text == flag))
}

/// Cells that are not what the column is.
#[derive(Default)]
pub(super) struct Odd<'a> {
    pub(super) count: usize,
    pub(super) first: Option<(&'a str, usize)>,
}

impl<'a> Odd<'a> {
    pub(super) fn add(&mut self, cell: &'a str, row: usize) {
        self.count += 1;
        self.first.get_or_insert((cell, row));
    }
}

/// A column in a sentence: its name in quotes, unless that is its number.
pub(crate) fn titled(name: &str) -> String {
    let number = name.strip_prefix("column ").and_then(|number| number.parse::<usize>().ok());
    if number.is_some() { name.to_owned() } else { format!("column '{}'", cut(name)) }
}

/// The beginning of a text for a message.
pub(crate) fn cut(text: &str) -> String {
    const LONGEST: usize = 40;
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if one_line.chars().count() <= LONGEST {
        return one_line;
    }
    one_line.chars().take(LONGEST - 3).collect::<String>() + "..."
}
