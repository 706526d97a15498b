//! Numbers as people write them: with groups of three digits, currency and percent signs, and a
//! point or a comma before the fraction.

use serde::{Deserialize, Serialize};

/// What stands before the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mark {
    /// `1,234.5`
    Point,
    /// `1.234,5`
    Comma,
}

const CURRENCIES: [char; 4] = ['$', '€', '£', '¥'];

/// What groups of three digits may be divided by, besides the other mark.
const DIVIDERS: [char; 6] = [' ', '\u{a0}', '\u{2009}', '\u{202f}', '\'', '’'];

/// A number, with the sign of its unit where it has one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Written {
    /// Infinite where it is beyond double precision.
    pub value: f64,
    /// A currency or percent sign.
    pub unit: Option<char>,
}

/// The number that `cell` is; nothing where it is none.
pub(crate) fn number(cell: &str, mark: Mark) -> Option<Written> {
    if mark == Mark::Point && plain(cell) {
        return cell.parse().ok().map(|value| Written { value, unit: None });
    }
    let cell = cell.trim();
    if let Some(inside) = cell.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        // As accountants write negative numbers.
        let inside = Some(inside).filter(|inside| !inside.starts_with('('))?;
        let written = number(inside, mark).filter(|written| written.value >= 0.0)?;
        return Some(Written { value: -written.value, ..written });
    }
    let (negative, body) = sign(cell);
    let (prefix, body) = match body.chars().next().filter(|first| CURRENCIES.contains(first)) {
        Some(currency) => (Some(currency), body[currency.len_utf8()..].trim_start()),
        None => (None, body),
    };
    let (negative_inside, body) =
        if prefix.is_some() && !negative { sign(body) } else { (false, body) };
    let is_unit = |last: &char| *last == '%' || CURRENCIES.contains(last);
    let (suffix, body) = match body.chars().next_back().filter(is_unit) {
        Some(unit) if prefix.is_none() => {
            (Some(unit), body[..body.len() - unit.len_utf8()].trim_end())
        }
        _ => (None, body),
    };
    let value: f64 = digits(body, mark)?.parse().ok()?;
    let value = if negative || negative_inside { -value } else { value };
    Some(Written { value, unit: prefix.or(suffix) })
}

/// Whether a cell is written with the characters of plain numbers alone.
pub(crate) fn plain(cell: &str) -> bool {
    let character = |byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    cell.bytes().all(character) && cell.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether there is a minus, and what follows a sign.
fn sign(text: &str) -> (bool, &str) {
    let after = |sign| text.strip_prefix(sign).map(str::trim_start);
    match after('-').or_else(|| after('−')) {
        Some(rest) => (true, rest),
        None => (false, after('+').unwrap_or(text)),
    }
}

/// `body` without dividers and with a point before the fraction.
fn digits(body: &str, mark: Mark) -> Option<String> {
    let (decimal, other) = match mark {
        Mark::Point => ('.', ','),
        Mark::Comma => (',', '.'),
    };
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => body.split_at(at),
        None => (body, ""),
    };
    let (whole, fraction) = match mantissa.split_once(decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let only_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut plain = ungrouped(whole, other)?;
    if let Some(fraction) = fraction {
        if !only_digits(fraction) || plain.is_empty() && fraction.is_empty() {
            return None;
        }
        plain.push('.');
        plain.push_str(fraction);
    } else if plain.is_empty() {
        return None;
    }
    plain.push_str(exponent);
    Some(plain)
}

/// The digits of `whole`, which may stand in groups of three.
fn ungrouped(whole: &str, other: char) -> Option<String> {
    if whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(whole.to_owned());
    }
    let divider = whole.chars().find(|character| !character.is_ascii_digit())?;
    if divider != other && !DIVIDERS.contains(&divider) {
        return None;
    }
    let groups: Vec<&str> = whole.split(divider).collect();
    let (first, rest) = groups.split_first()?;
    let all_digits = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    let good = all_digits
        && (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && rest.iter().all(|group| group.len() == 3);
    good.then(|| groups.concat())
}

/// How a column of cells is to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Evidence {
    /// Filled cells.
    pub filled: usize,
    /// Cells that are numbers with a point.
    pub point: usize,
    /// Cells that are numbers with a comma.
    pub comma: usize,
    /// Cells that are numbers with a comma alone, such as `1,5`.
    pub only_comma: usize,
    /// Cells that are numbers with a point alone, such as `1.5`.
    pub only_point: usize,
    /// Cells that are two different numbers and hold a comma, such as `1,234`.
    pub either_comma: usize,
    /// Cells that are two different numbers and hold a point, such as `1.234`.
    pub either_point: usize,
}

impl Evidence {
    /// What the filled cells of a column show.
    pub(crate) fn of<'a>(filled: impl Iterator<Item = &'a str>) -> Self {
        let mut evidence = Self {
            filled: 0,
            point: 0,
            comma: 0,
            only_comma: 0,
            only_point: 0,
            either_comma: 0,
            either_point: 0,
        };
        for cell in filled {
            evidence.add(cell);
        }
        evidence
    }

    fn add(&mut self, cell: &str) {
        self.filled += 1;
        let point = number(cell, Mark::Point);
        let comma = number(cell, Mark::Comma);
        self.point += usize::from(point.is_some());
        self.comma += usize::from(comma.is_some());
        match (point, comma) {
            (Some(_), None) => self.only_point += 1,
            (None, Some(_)) => self.only_comma += 1,
            (Some(a), Some(b)) if a.value != b.value => {
                self.either_comma += usize::from(cell.contains(','));
                self.either_point += usize::from(cell.contains('.'));
            }
            _ => {}
        }
    }

    /// Cells that are numbers with `mark`.
    pub(crate) fn read(&self, mark: Mark) -> usize {
        match mark {
            Mark::Point => self.point,
            Mark::Comma => self.comma,
        }
    }

    /// Whether any cell is another number, or none, with the other mark.
    pub(crate) fn depends_on_mark(&self) -> bool {
        [self.only_comma, self.only_point, self.either_comma, self.either_point] != [0; 4]
    }

    /// Whether the column shows that its numbers have decimal commas.
    pub(crate) fn shows_comma(&self) -> bool {
        self.only_comma > 0 && self.only_point == 0 && 10 * self.comma >= 9 * self.filled
    }

    /// Whether the column shows that its numbers have decimal points.
    pub(crate) fn shows_point(&self) -> bool {
        self.only_point > 0 && self.only_comma == 0 && 10 * self.point >= 9 * self.filled
    }

    /// The mark of the column, where `expect_comma` is what the rest of the table suggests, and
    /// whether that had to decide.
    pub(crate) fn mark(&self, expect_comma: bool) -> (Mark, bool) {
        if self.comma > self.point {
            return (Mark::Comma, false);
        }
        if self.only_point > 0 || self.only_comma > 0 {
            let comma = self.only_comma > self.only_point;
            return (if comma { Mark::Comma } else { Mark::Point }, false);
        }
        if self.either_comma > 0 && self.either_point == 0 {
            return (if expect_comma { Mark::Comma } else { Mark::Point }, true);
        }
        (Mark::Point, self.either_point > 0 && expect_comma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(cell: &str, mark: Mark) -> Option<f64> {
        number(cell, mark).map(|written| written.value)
    }

    #[test]
    fn plain_numbers_are_read_exactly() {
        for cell in ["0", "-1.5", "+3", ".5", "5.", "1e-300", "123456789.123456789", "1E5"] {
            assert_eq!(value(cell, Mark::Point), Some(cell.parse().unwrap()), "{cell}");
        }
    }

    #[test]
    fn groups_currencies_and_percent_signs_are_taken_off() {
        for (cell, expected) in [
            ("1,234,567.5", 1_234_567.5),
            ("1 234", 1_234.0),
            ("1\u{a0}234\u{a0}567", 1_234_567.0),
            ("1\u{202f}234.25", 1_234.25),
            ("1'234", 1_234.0),
            ("$5", 5.0),
            ("-$1,000.50", -1_000.5),
            ("$-3", -3.0),
            ("12 €", 12.0),
            ("£ 7.5", 7.5),
            ("¥900", 900.0),
            ("12.5%", 12.5),
            ("12 %", 12.0),
            ("\u{2212}4", -4.0),
            ("(1,234)", -1_234.0),
            ("($5)", -5.0),
        ] {
            assert_eq!(value(cell, Mark::Point), Some(expected), "{cell}");
        }
    }

    #[test]
    fn decimal_commas_are_read_with_points_as_dividers() {
        for (cell, expected) in [
            ("1.234,5", 1_234.5),
            ("1,5", 1.5),
            ("-0,25", -0.25),
            ("1.234.567", 1_234_567.0),
            ("1,5e3", 1_500.0),
        ] {
            assert_eq!(value(cell, Mark::Comma), Some(expected), "{cell}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for cell in [
            "",
            "-",
            "$",
            "%",
            "1,23",
            "12,34,56",
            "1 23",
            "0,123",
            "1,2345",
            "1e",
            "e5",
            "1.2.3",
            "a1",
            "1a",
            "--1",
            "1-2",
            "2020-01-01",
            "12:30",
            "nan",
            "inf",
            "0x10",
            "1_000",
            "1 234,567",
            "$5%",
            ".",
            "5 $ 3",
            "(-1)",
            "((1))",
            "()",
            "١",
        ] {
            assert_eq!(value(cell, Mark::Point), None, "{cell}");
        }
    }

    #[test]
    fn the_mark_is_decided_by_the_cells_that_can_be_read_in_one_way_alone() {
        let mark = |cells: &[&str], expect| Evidence::of(cells.iter().copied()).mark(expect);
        assert_eq!(mark(&["1,234", "1,5"], false), (Mark::Comma, false));
        assert_eq!(mark(&["1,234", "1,234.5"], true), (Mark::Point, false));
        assert_eq!(mark(&["1,234", "0,123"], false), (Mark::Comma, false));
        assert_eq!(mark(&["1,234", "5"], false), (Mark::Point, true));
        assert_eq!(mark(&["1,234", "5"], true), (Mark::Comma, true));
        assert_eq!(mark(&["1.234", "5.5"], true), (Mark::Point, false));
        assert_eq!(mark(&["1.234", "5"], false), (Mark::Point, false));
        assert_eq!(mark(&["1.234", "5"], true), (Mark::Point, true));
    }
}
