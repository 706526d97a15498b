//! Cutting text into rows of cells.
//!
//! Blanks around cells are dropped. A cell may stand in double quotes, which may be preceded by
//! blanks; inside them a separator or a line end is a character as any other, and two quotes are
//! one. Lines end with LF, CR LF or CR; blank lines are skipped.

/// What stands between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    /// This character.
    Character(u8),
    /// Any number of spaces and tabs.
    Blanks,
    /// Nothing: each line is one cell.
    None,
}

impl Separator {
    fn is(self, byte: u8) -> bool {
        match self {
            Self::Character(separator) => byte == separator,
            Self::Blanks => matches!(byte, b' ' | b'\t'),
            Self::None => false,
        }
    }
}

/// The cells of a text, row after row.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rows {
    /// All cells, one after the other.
    cells: String,
    /// Where each cell ends in `cells`, and whether it stood in quotes.
    ends: Vec<(usize, bool)>,
    /// Where each row ends in `ends`.
    rows: Vec<usize>,
    /// The line on which each row starts.
    lines: Vec<usize>,
    /// The line of a quote that is never closed.
    pub unclosed: Option<usize>,
    /// The line of each cell in which a text follows a closing quote, such as `"2"3`.
    pub after_quotes: Vec<usize>,
}

impl Rows {
    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The number of cells of a row.
    pub(crate) fn width(&self, row: usize) -> usize {
        self.rows[row] - self.start(row)
    }

    /// The line on which a row starts.
    pub(crate) fn line(&self, row: usize) -> usize {
        self.lines[row]
    }

    /// One cell. Panics where there is none.
    pub(crate) fn cell(&self, row: usize, column: usize) -> &str {
        let at = self.start(row) + column;
        let from = if at == 0 { 0 } else { self.ends[at - 1].0 };
        &self.cells[from..self.ends[at].0]
    }

    /// Whether a cell is empty and did not stand in quotes.
    pub(crate) fn is_blank(&self, row: usize, column: usize) -> bool {
        self.cell(row, column).is_empty() && !self.quoted(row, column)
    }

    /// Whether a cell stood in quotes.
    pub(crate) fn quoted(&self, row: usize, column: usize) -> bool {
        self.ends[self.start(row) + column].1
    }

    fn start(&self, row: usize) -> usize {
        if row == 0 { 0 } else { self.rows[row - 1] }
    }

    /// Adds a cell to the row that is not yet ended.
    pub(crate) fn push(&mut self, cell: &str, quoted: bool) {
        self.cells.push_str(cell);
        self.ends.push((self.cells.len(), quoted));
    }

    /// Ends the row that starts on `line`; a blank line leaves none.
    pub(crate) fn end_row(&mut self, line: usize) {
        let start = self.rows.last().copied().unwrap_or(0);
        let before = if start == 0 { 0 } else { self.ends[start - 1].0 };
        if self.ends[start..] == [(before, false)] {
            self.ends.pop();
        } else if self.ends.len() > start {
            self.rows.push(self.ends.len());
            self.lines.push(line);
        }
    }
}

/// At most `limit` rows of `text`, whose first line has the number `line`.
pub(crate) fn rows(text: &str, line: usize, separator: Separator, limit: usize) -> Rows {
    let mut scanner = Scanner { text, at: 0, line, separator, rows: Rows::default() };
    while scanner.at < text.len() && scanner.rows.len() < limit {
        scanner.row();
    }
    scanner.rows
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    separator: Separator,
    rows: Rows,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn at_line_end(&self) -> bool {
        matches!(self.peek(), None | Some(b'\n' | b'\r'))
    }

    fn row(&mut self) {
        let line = self.line;
        loop {
            self.skip_blanks();
            // With blanks as separators no cell follows the last ones.
            if self.separator != Separator::Blanks || !self.at_line_end() {
                self.cell();
            }
            if self.at_line_end() {
                break;
            }
            self.at += 1;
        }
        self.line_end();
        self.rows.end_row(line);
    }

    fn skip_blanks(&mut self) {
        let tab = self.separator != Separator::Character(b'\t');
        while matches!(self.peek(), Some(b' ')) || tab && self.peek() == Some(b'\t') {
            self.at += 1;
        }
    }

    /// Goes past a line end where there is one.
    fn line_end(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += if rest.starts_with(b"\r\n") { 2 } else { rest.len().min(1) };
        self.line += 1;
    }

    fn cell(&mut self) {
        if self.peek() == Some(b'"') {
            let mut cell = self.quoted();
            let after = self.plain();
            if !after.is_empty() {
                self.rows.after_quotes.push(self.line);
            }
            cell.push_str(after);
            self.rows.push(cell.trim(), after.is_empty());
        } else {
            let plain = self.plain();
            self.rows.push(plain, false);
        }
    }

    /// What comes up to the next separator or line end.
    fn plain<'b>(&mut self) -> &'b str
    where
        Self: 'b,
    {
        let from = self.at;
        while !self.at_line_end() && !self.peek().is_some_and(|byte| self.separator.is(byte)) {
            self.at += 1;
        }
        self.text[from..self.at].trim()
    }

    /// What stands in the quotes that open here.
    fn quoted(&mut self) -> String {
        let opened = self.line;
        let mut cell = String::new();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let Some(close) = rest.find('"') else {
                self.rows.unclosed.get_or_insert(opened);
                self.take(rest.len(), &mut cell);
                return cell;
            };
            self.take(close, &mut cell);
            self.at += 1;
            if self.peek() != Some(b'"') {
                return cell;
            }
            cell.push('"');
            self.at += 1;
        }
    }

    /// Moves the next bytes into `cell` and counts their lines.
    fn take(&mut self, bytes: usize, cell: &mut String) {
        let taken = &self.text[self.at..self.at + bytes];
        self.line += line_ends(taken);
        self.at += bytes;
        cell.push_str(taken);
    }
}

/// How many lines end in `text`.
pub(crate) fn line_ends(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |(at, &byte): (usize, &u8)| {
        byte == b'\n' || byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')
    };
    bytes.iter().enumerate().filter(|&pair| ends(pair)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Separator = Separator::Character(b',');

    fn cells(text: &str, separator: Separator) -> Vec<(usize, Vec<String>)> {
        let rows = rows(text, 1, separator, usize::MAX);
        let row = |row: usize| {
            (rows.line(row), (0..rows.width(row)).map(|at| rows.cell(row, at).to_owned()).collect())
        };
        (0..rows.len()).map(row).collect()
    }

    #[test]
    fn lines_end_in_three_ways_and_blank_ones_are_counted_but_skipped() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a, b", "", "  ", "1 ,2", "3,"].join(end);
            let expected = [(1, vec!["a", "b"]), (4, vec!["1", "2"]), (5, vec!["3", ""])];
            let expected: Vec<_> = expected
                .map(|(line, cells)| (line, cells.into_iter().map(str::to_owned).collect()))
                .into();
            assert_eq!(cells(&text, COMMA), expected, "{end:?}");
        }
    }

    #[test]
    fn quotes_hide_separators_and_line_ends_and_two_are_one() {
        let found = cells("\"a,\n;b\", \"c \"\"d\"\"\"\n\"\",x\"y\n", COMMA);
        assert_eq!(found[0], (1, vec!["a,\n;b".to_owned(), "c \"d\"".to_owned()]));
        assert_eq!(found[1], (3, vec![String::new(), "x\"y".to_owned()]));
    }

    #[test]
    fn a_quote_that_is_not_closed_is_told_with_its_line() {
        assert_eq!(rows("a\nb,\"c\nd\n", 1, COMMA, usize::MAX).unclosed, Some(2));
    }

    #[test]
    fn a_text_after_a_closing_quote_is_told_with_its_line() {
        let found = rows("a,b\n\"1\" ,\"2\"3\n\"4\n\"5,x\"y\n", 1, COMMA, usize::MAX);
        assert_eq!(found.cell(1, 1), "23");
        assert_eq!(found.after_quotes, [2, 4]);
        let blanks = rows("1 \"2 3\" 4\n", 1, Separator::Blanks, usize::MAX);
        assert!(blanks.after_quotes.is_empty());
    }

    #[test]
    fn runs_of_blanks_separate_cells() {
        let found = cells("  1 \t2  3 \n4 \"5 6\" 7\n", Separator::Blanks);
        assert_eq!(found[0].1, ["1", "2", "3"]);
        assert_eq!(found[1].1, ["4", "5 6", "7"]);
    }

    #[test]
    fn empty_cells_between_tabs_are_kept() {
        assert_eq!(cells("a\t\tb\n\t\t\n", Separator::Character(b'\t'))[1].1, ["", "", ""]);
    }
}
