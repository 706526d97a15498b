//! Finding out what separates the cells of a text.

use super::notation::{Mark, number};
use super::scan::{self, Rows, Separator};

/// What is tried; the first wins a draw.
const CANDIDATES: [Separator; 5] = [
    Separator::Character(b','),
    Separator::Character(b';'),
    Separator::Character(b'\t'),
    Separator::Character(b'|'),
    Separator::Blanks,
];

/// Rows that are looked at.
const LOOKED_AT: usize = 200;

/// The separator that a first line `sep=;` gives, as spreadsheets write it, and what follows the
/// line.
pub(crate) fn given(text: &str) -> Option<(Separator, &str)> {
    let end = text.find(['\n', '\r'])?;
    let (line, rest) = text.split_at(end);
    let separator = line.trim_matches('"').strip_prefix("sep=")?;
    let &[separator] = separator.as_bytes() else { return None };
    let rest = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
    let sound = separator == b'\t' || separator.is_ascii_punctuation() && separator != b'"';
    sound.then_some((Separator::Character(separator), rest))
}

/// The separator that cuts the first rows of `text` into cells which are alike in number and hold
/// no other separator; nothing where no separator cuts them into several cells.
pub(crate) fn separator(text: &str) -> Option<Separator> {
    let mut best = None;
    for candidate in CANDIDATES {
        let rows = scan::rows(text, 1, candidate, LOOKED_AT);
        let Some(score) = score(&rows) else { continue };
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((candidate, score));
        }
    }
    best.map(|(separator, _)| separator)
}

/// The share of rows of the usual width, times the share of cells that look like one value.
fn score(rows: &Rows) -> Option<f64> {
    let mut widths: Vec<usize> = (0..rows.len()).map(|row| rows.width(row)).collect();
    widths.sort_unstable();
    let runs = widths.chunk_by(|a, b| a == b);
    let usual = runs.max_by_key(|run| (run.len(), run[0]))?;
    if usual[0] < 2 {
        return None;
    }
    let cells =
        (0..rows.len()).flat_map(|row| (0..rows.width(row)).map(move |column| (row, column)));
    let looks = cells.map(|(row, column)| {
        if rows.quoted(row, column) { 1.0 } else { like_one_value(rows.cell(row, column)) }
    });
    let clean = looks.sum::<f64>() / widths.iter().sum::<usize>() as f64;
    let unclosed = if rows.unclosed.is_some() { 0.5 } else { 1.0 };
    Some(usual.len() as f64 / widths.len() as f64 * clean * unclosed)
}

/// How much a cell without quotes looks like one value: blanks may stand in it, other separators
/// and quotes hardly.
pub(crate) fn like_one_value(cell: &str) -> f64 {
    if [Mark::Point, Mark::Comma].iter().any(|&mark| number(cell, mark).is_some()) {
        1.0
    } else if cell.contains([',', ';', '\t', '|', '"']) {
        0.0
    } else if cell.contains(' ') {
        0.8
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_separator_is_found_in_a_simple_table() {
        for (between, expected) in [",", ";", "\t", "|", "   "].into_iter().zip(CANDIDATES) {
            let text = ["x,y,z", "1,2,a", "3,4,b"].join("\n").replace(',', between);
            assert_eq!(separator(&text), Some(expected));
        }
    }

    #[test]
    fn decimal_commas_do_not_hide_semicolons_or_tabs() {
        assert_eq!(separator("1,5;2,5;3\n2,5;3,5;4\n"), Some(Separator::Character(b';')));
        assert_eq!(separator("1,5\t2,5\n2,5\t3,5\n"), Some(Separator::Character(b'\t')));
        assert_eq!(separator("1,5 2,5\n2,5 3,5\n"), Some(Separator::Blanks));
    }

    #[test]
    fn separators_in_quotes_do_not_count() {
        let text = "a,b\n\"t\n;;;;\",1\n\"t\n;;;;\",2\n";
        assert_eq!(separator(text), Some(Separator::Character(b',')));
        let text = "\"a,b,c\";x;y\n\"1,1,1\";2;p\n";
        assert_eq!(separator(text), Some(Separator::Character(b';')));
    }

    #[test]
    fn commas_and_blanks_in_texts_do_not_hide_a_pipe() {
        let text = "city|n\nNew York, NY|5\nLos Angeles, CA|6\n";
        assert_eq!(separator(text), Some(Separator::Character(b'|')));
    }

    #[test]
    fn one_ragged_line_does_not_change_the_separator() {
        let text = "x,y\n1,a b\n2,b c,c\n3,d e\n";
        assert_eq!(separator(text), Some(Separator::Character(b',')));
    }

    #[test]
    fn a_line_of_a_spreadsheet_gives_the_separator() {
        let semicolon = Separator::Character(b';');
        assert_eq!(given("sep=;\r\na;b\n"), Some((semicolon, "a;b\n")));
        assert_eq!(given("\"sep=;\"\na;b\n"), Some((semicolon, "a;b\n")));
        assert_eq!(given("sep=\t\na\tb\n"), Some((Separator::Character(b'\t'), "a\tb\n")));
        assert_eq!(given("sep=ab\n"), None);
        assert_eq!(given("separate,x\n"), None);
    }

    #[test]
    fn a_single_column_has_none() {
        assert_eq!(separator("a\nb\nc\n"), None);
        assert_eq!(separator(""), None);
    }
}
