//! Finding out whether the first row names the columns.

use super::cell::Missing;
use super::notation::{Mark, number};
use super::scan::Rows;

/// Rows below the first one that are looked at.
const LOOKED_AT: usize = 1_000;

/// With fewer rows than this, being outside of all values says nothing.
const ENOUGH_ROWS: usize = 10;

/// Whether there is a header.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    pub is_header: bool,
    /// What is to be said where this is not sure.
    pub doubt: Option<String>,
}

/// Looks at `rows` of `width` cells; `target` is the column that the user has given.
///
/// A first row of texts over a column of numbers is a header, and so is one that holds the
/// target's name. A row of numbers is none, unless they are 0, 1, 2 ... as pandas writes them or
/// whole numbers that fit nowhere into their columns. A row of texts over texts is one where these
/// do not occur again.
pub(crate) fn find(rows: &Rows, width: usize, target: Option<&str>) -> Found {
    let missing = Missing::default();
    let below =
        |column: usize| (1..rows.len().min(LOOKED_AT)).map(move |row| rows.cell(row, column));
    let columns: Vec<Facts> =
        (0..width).map(|column| Facts::of(rows.cell(0, column), below(column), &missing)).collect();
    let named = target.is_some_and(|target| {
        let is_number = target.parse::<usize>().is_ok_and(|number| (1..=width).contains(&number));
        !is_number && (0..width).any(|column| rows.cell(0, column) == target)
    });
    decide(&columns, named, rows.len().saturating_sub(1))
}

fn decide(columns: &[Facts], named: bool, rows: usize) -> Found {
    let count = |is: fn(&Facts) -> bool| columns.iter().filter(|&facts| is(facts)).count();
    let (texts, numbers) = (count(|facts| facts.text), count(|facts| facts.number.is_some()));
    let recurs = columns.iter().any(|facts| facts.text && facts.recurs);
    let over_numbers = columns.iter().any(|facts| facts.text && facts.numeric);
    let new = count(|facts| facts.text && facts.repeats && !facts.recurs);
    let surely_new = columns.iter().any(|facts| facts.text && facts.often && !facts.recurs);
    let holes = count(|facts| facts.number.is_none() && !facts.text && !facts.cell.is_empty());
    let could_be_names = columns.iter().all(Facts::could_be_name) && distinct(columns);
    let outside = count(|facts| facts.number.is_some() && facts.outside);
    let yes = |doubt: Option<&str>| Found { is_header: true, doubt: doubt.map(advice_if_header) };
    let no = |doubt: Option<&str>| Found { is_header: false, doubt: doubt.map(advice_if_record) };
    if named {
        let doubt = (numbers > 0).then_some("it holds the target's name but also numbers");
        return yes(doubt);
    }
    if numbers == 0 {
        return match () {
            () if texts == 0 => no(None),
            () if recurs && over_numbers => {
                no(Some("it holds texts above numbers, but also a text that occurs again"))
            }
            () if over_numbers && holes > 0 => {
                yes(Some("it holds texts above numbers, but also a missing value"))
            }
            () if over_numbers => yes(None),
            () if recurs || !distinct(columns) => no(None),
            () if surely_new && holes == 0 => yes(None),
            () => yes(Some("its texts do not occur again, but there are no numbers below them")),
        };
    }
    if !could_be_names {
        let doubt = over_numbers.then_some("it holds numbers, but also texts above numbers");
        return no(doubt);
    }
    if texts > 0 {
        let strange = new > 0 || outside > 0 && rows >= ENOUGH_ROWS;
        return if over_numbers || strange && !recurs {
            yes(Some("it holds texts that look like names, but also numbers"))
        } else {
            no((!recurs).then_some("it holds numbers, but its texts could be names"))
        };
    }
    let counted = counts_up(columns);
    let over_other = columns.iter().any(|facts| !facts.whole);
    if counted && (numbers >= 3 || over_other) {
        return yes(Some("it counts the columns"));
    }
    if outside == columns.len() && numbers >= 2 && rows >= ENOUGH_ROWS {
        return yes(Some("its whole numbers lie outside of all values below them"));
    }
    no(counted.then_some("it counts the columns, but could be a record"))
}

fn advice_if_header(why: &str) -> String {
    format!(
        "the first line was taken for the names of the columns, which is not sure: {why}; say that \
         there is no header line if it is a record"
    )
}

fn advice_if_record(why: &str) -> String {
    format!(
        "the first line was taken for a record, which is not sure: {why}; say that there is a \
         header line if it names the columns"
    )
}

/// Whether the numbers are 0, 1, 2 ... or 1, 2, 3 ..., perhaps after an empty cell.
fn counts_up(columns: &[Facts]) -> bool {
    let from = usize::from(columns[0].number.is_none());
    let numbers: Vec<Option<f64>> = columns[from..].iter().map(|facts| facts.number).collect();
    let counts = |start: usize| {
        numbers.iter().zip(start..).all(|(number, wanted)| *number == Some(wanted as f64))
    };
    counts(0) || counts(1)
}

fn distinct(columns: &[Facts]) -> bool {
    let mut cells: Vec<&str> =
        columns.iter().map(|facts| facts.cell).filter(|cell| !cell.is_empty()).collect();
    let all = cells.len();
    cells.sort_unstable();
    cells.dedup();
    cells.len() == all
}

/// What one column shows.
struct Facts<'a> {
    /// The cell of the first row.
    cell: &'a str,
    /// Its number.
    number: Option<f64>,
    /// Whether it is neither a number nor missing.
    text: bool,
    /// Whether the filled cells below are numbers, or nearly all.
    numeric: bool,
    /// Whether all filled cells below are whole numbers.
    whole: bool,
    /// Whether the number lies outside of the values below, or above texts.
    outside: bool,
    /// Whether the cell occurs again.
    recurs: bool,
    /// Whether the texts below occur twice on average.
    repeats: bool,
    /// Whether the texts below occur eight times on average.
    often: bool,
}

impl<'a> Facts<'a> {
    fn of(cell: &'a str, below: impl Iterator<Item = &'a str> + Clone, missing: &Missing) -> Self {
        let value = |cell: &str| {
            let read = |mark| number(cell, mark).map(|written| written.value);
            read(Mark::Point).or_else(|| read(Mark::Comma))
        };
        let filled: Vec<&str> = below.filter(|cell| !missing.is(cell)).collect();
        let numbers: Vec<f64> = filled.iter().filter_map(|cell| value(cell)).collect();
        let own = if missing.is(cell) { None } else { value(cell) };
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let numeric = !filled.is_empty() && 10 * numbers.len() >= 9 * filled.len();
        let mut different = filled.clone();
        different.sort_unstable();
        different.dedup();
        Self {
            cell,
            number: own,
            text: own.is_none() && !missing.is(cell),
            numeric,
            whole: numbers.len() == filled.len() && numbers.iter().all(|x| x.fract() == 0.0),
            outside: own.is_some_and(|own| !numeric || own < least || own > most),
            recurs: filled.contains(&cell),
            repeats: 2 * different.len() <= filled.len(),
            often: 8 * different.len() <= filled.len(),
        }
    }

    /// Whether the cell is a text, empty, or a number such as a year.
    fn could_be_name(&self) -> bool {
        match self.number {
            Some(_) => self.cell.bytes().all(|byte| byte.is_ascii_digit()),
            None => self.text || self.cell.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::{Separator, rows};
    use super::*;

    fn found(text: &str, target: Option<&str>) -> (bool, bool) {
        let rows = rows(text, 1, Separator::Character(b','), usize::MAX);
        let found = find(&rows, rows.width(0), target);
        (found.is_header, found.doubt.is_some())
    }

    const SURE: bool = false;
    const DOUBTED: bool = true;

    #[test]
    fn texts_over_numbers_are_a_header_and_numbers_over_numbers_are_none() {
        assert_eq!(found("x,y\n1,a\n2,b\n", None), (true, SURE));
        assert_eq!(found("1,a\n2,b\n3,a\n", None), (false, SURE));
        assert_eq!(found("1.5,a\n2.5,b\n3.5,a\n", None), (false, SURE));
        assert_eq!(found("8,2\n3,4\n", None), (false, SURE));
        assert_eq!(found("x,,y\n1,2,3\n", None), (true, SURE));
    }

    #[test]
    fn the_name_of_the_target_makes_a_header() {
        assert_eq!(found("2010,2011,kind\n1,2,a\n3,4,b\n", Some("kind")), (true, DOUBTED));
        assert_eq!(found("2019,class\n-1.0,a\n1.2,b\n", Some("class")), (true, DOUBTED));
    }

    #[test]
    fn years_over_other_numbers_are_names_in_doubt() {
        let rows = "-1.0,a\n1.2,b\n".repeat(6);
        assert_eq!(found(&format!("2019,class\n{rows}"), Some("2")), (true, DOUBTED));
        let rows = "0.1,0.2\n0.3,0.4\n".repeat(6);
        assert_eq!(found(&format!("2019,2020\n{rows}"), None), (true, DOUBTED));
        assert_eq!(found("5,6\n1,2\n3,4\n", None), (false, SURE));
    }

    #[test]
    fn a_row_that_counts_the_columns_is_one_that_pandas_wrote() {
        assert_eq!(found("0,1,2\n-1.0,0,p\n1.2,1,q\n", Some("2")), (true, DOUBTED));
        assert_eq!(found(",0,1\n0,0.5,p\n1,1.5,q\n", None), (true, DOUBTED));
        assert_eq!(found("0,1\n5,1\n7,0\n", None), (false, DOUBTED));
    }

    #[test]
    fn an_odd_cell_in_the_first_record_is_no_header() {
        assert_eq!(found("oops,-6.5,b\n-1.0,4.5,a\n1.0,2.5,b\n", None), (false, DOUBTED));
        assert!(!found("null,6,b\n-1.0,4,a\n1.0,2,b\n2.0,3,b\n", None).0);
    }

    #[test]
    fn texts_over_texts_are_a_header_where_they_do_not_occur_again() {
        let rows = "red,a\nblue,b\nred,b\nblue,a\n";
        assert_eq!(found(&format!("colour,kind\n{rows}"), None), (true, DOUBTED));
        assert_eq!(found(&format!("colour,kind\n{}", rows.repeat(4)), None), (true, SURE));
        assert_eq!(found("red,a\nblue,b\nred,b\nblue,a\n", None), (false, SURE));
        assert_eq!(found("ann,ann\nbob,bob\n", None), (false, SURE));
        assert_eq!(found("red,oops\nred,1\nblue,2\n", None), (false, DOUBTED));
        assert_eq!(found("name,town\nann,rome\nbob,oslo\n", None), (true, DOUBTED));
    }

    #[test]
    fn numbers_that_repeat_are_no_names() {
        assert!(!found("3,3,a\n1,2,b\n2,1,c\n", None).0);
    }
}
