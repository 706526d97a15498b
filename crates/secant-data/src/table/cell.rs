//! Which cells hold no value.

use super::column::cut;

/// What stands for a missing value, in lower case: what pandas takes for one, and what
/// spreadsheets and statistics programs write.
const USUAL: [&str; 32] = [
    "",
    "na",
    "n/a",
    "#n/a",
    "#n/a n/a",
    "#na",
    "nan",
    "-nan",
    "null",
    "none",
    "<na>",
    "-",
    "--",
    ".",
    "..",
    "?",
    "#div/0!",
    "#value!",
    "#ref!",
    "#name?",
    "#num!",
    "#null!",
    "inf",
    "+inf",
    "-inf",
    "infinity",
    "+infinity",
    "-infinity",
    "1.#ind",
    "-1.#ind",
    "1.#qnan",
    "-1.#qnan",
];

/// Those of [`USUAL`] that can just as well be the name of a class.
const PERHAPS_NAMES: [&str; 5] = ["-", "--", ".", "..", "none"];

/// The longest of [`USUAL`], in bytes.
const LONGEST: usize = 9;

/// What stands for a missing value in a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Missing {
    extra: Vec<String>,
}

impl Missing {
    /// The usual texts and `extra` ones.
    pub(crate) fn with(extra: &[String]) -> Self {
        Self { extra: extra.iter().map(|token| token.trim().to_owned()).collect() }
    }

    /// The texts given in addition to the usual ones.
    pub(crate) fn extra(&self) -> &[String] {
        &self.extra
    }

    /// Whether a cell holds no value.
    pub(crate) fn is(&self, cell: &str) -> bool {
        usual(cell) || self.is_extra(cell)
    }

    /// Whether a cell is one of the extra texts, or the same number as one.
    pub(crate) fn is_extra(&self, cell: &str) -> bool {
        let same = |token: &String| {
            token == cell
                || matches!((token.parse::<f64>(), cell.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
        };
        self.extra.iter().any(same)
    }

    /// Whether a cell of class names holds no name: there, `-`, `.` and `None` are names.
    pub(crate) fn is_class(&self, cell: &str) -> bool {
        self.is_extra(cell) || usual(cell) && !perhaps_name(cell)
    }
}

/// What a cell that holds no value is, for the end of a sentence.
pub(crate) fn told(cell: &str) -> String {
    let shown = cut(cell);
    let lower = cell.to_ascii_lowercase();
    let bare = lower.trim_start_matches(['+', '-']);
    match bare {
        "" if cell.is_empty() => "empty".to_owned(),
        "inf" | "infinity" => format!("'{shown}', which is infinite"),
        "nan" | "1.#ind" | "1.#qnan" => format!("'{shown}', which is not a number"),
        _ => format!("'{shown}', which stands for a missing value"),
    }
}

/// Whether a cell could be a missing value as well as a name.
pub(crate) fn perhaps_name(cell: &str) -> bool {
    PERHAPS_NAMES.contains(&cell.to_ascii_lowercase().as_str())
}

/// Whether a line that begins with `#` begins with a missing value and is no comment.
pub(crate) fn begins_with_missing(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let follows = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
    let mut tokens = USUAL.iter().filter(|token| token.starts_with('#'));
    tokens.any(|token| lower.strip_prefix(token).is_some_and(follows))
}

fn usual(cell: &str) -> bool {
    if cell.len() > LONGEST {
        return false;
    }
    // Most cells are numbers, which need no closer look.
    let begins_like_one = |first: u8| !first.is_ascii_digit() || first == b'1';
    cell.bytes().next().is_none_or(begins_like_one)
        && USUAL.contains(&cell.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_pandas_and_of_spreadsheets_are_missing_in_any_case() {
        let missing = Missing::default();
        for cell in [
            "", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "null", "NULL", "None", "<NA>",
            "-", ".", "?", "#DIV/0!", "inf", "-inf", "Infinity", "+Inf",
        ] {
            assert!(missing.is(cell), "{cell}");
        }
        for cell in ["0", "-1", "nano", "no", "information", "1.5", "x"] {
            assert!(!missing.is(cell), "{cell}");
        }
    }

    #[test]
    fn extra_texts_are_missing_as_texts_or_as_the_same_number() {
        let missing = Missing::with(&["-999".to_owned(), "unknown".to_owned()]);
        assert!(missing.is("-999.0") && missing.is("unknown") && missing.is("NA"));
        assert!(!missing.is("Unknown") && !missing.is("999"));
    }

    #[test]
    fn a_line_can_begin_with_a_missing_value_that_looks_like_a_comment() {
        assert!(begins_with_missing("#N/A,5") && begins_with_missing("#DIV/0!\t1"));
        assert!(!begins_with_missing("# exported") && !begins_with_missing("#name,x"));
    }

    #[test]
    fn cells_without_a_value_are_told_apart() {
        for (cell, expected) in [
            ("", "empty"),
            ("-Inf", "'-Inf', which is infinite"),
            ("NaN", "'NaN', which is not a number"),
            ("-", "'-', which stands for a missing value"),
            ("-999", "'-999', which stands for a missing value"),
        ] {
            assert_eq!(told(cell), expected);
        }
    }

    #[test]
    fn a_dash_or_none_can_be_a_class_unless_it_is_said_to_be_missing() {
        assert!(!Missing::default().is_class("-") && !Missing::default().is_class("None"));
        assert!(Missing::default().is_class("NA") && Missing::default().is_class(""));
        assert!(Missing::with(&["-".to_owned()]).is_class("-"));
    }
}
