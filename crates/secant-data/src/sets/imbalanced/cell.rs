//! What the text of one cell of these files means.

/// Whether a cell holds no value.
pub(super) fn is_missing(cell: &str) -> bool {
    matches!(cell, "" | "?" | "NA") || cell.eq_ignore_ascii_case("nan")
}

/// The finite number in a cell.
pub(super) fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|number: &f64| number.is_finite())
}
