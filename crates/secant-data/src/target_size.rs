//! Whether numbers to be learned can be squared.
//!
//! The spread of a target and the errors of what is foretold are sums of squares, which overflow
//! or vanish long before the numbers themselves do.

use std::path::Path;

use super::dataset::moments;
use super::error::DataError;

/// Refuses `numbers`, which are not all equal, where the mean of their squared deviations is not
/// finite, or so small that double precision no longer holds all its digits. They are the target
/// `column` of `path`.
pub(crate) fn check(path: &Path, column: &str, numbers: &[f64]) -> Result<(), DataError> {
    let Some((_, deviation)) = moments(numbers.iter().copied()) else { return Ok(()) };
    let (size, remedy) = if !deviation.is_finite() {
        ("large", "divide")
    } else if deviation < f64::MIN_POSITIVE.sqrt() {
        ("small", "multiply")
    } else {
        return Ok(());
    };
    let (path, column) = (path.to_path_buf(), column.to_owned());
    Err(DataError::TargetSize { path, column, size, remedy })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(scale: f64) -> Result<(), String> {
        let numbers = [-1.5, 2.0, 3.0, 7.25].map(|number| scale * number);
        check(Path::new("file"), "'y'", &numbers).map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_whose_squares_are_in_the_range_of_double_precision_pass() {
        for scale in [1e-150, 1e-9, 1.0, 1e9, 1e150] {
            assert_eq!(checked(scale), Ok(()), "{scale}");
        }
    }

    #[test]
    fn numbers_whose_squares_overflow_or_vanish_are_refused_with_what_to_do() {
        for (scale, problem, remedy) in [
            (1e154, "too large to be squared in double precision", "divide the column"),
            (2e307, "too large to be squared in double precision", "divide the column"),
            (1e-170, "too small to be squared in double precision", "multiply the column"),
            (1e-320, "too small to be squared in double precision", "multiply the column"),
        ] {
            let said = checked(scale).unwrap_err();
            assert!(said.contains(problem) && said.contains(remedy), "{scale}: {said}");
            assert!(said.contains("the target 'y' of file"), "{said}");
        }
    }
}
