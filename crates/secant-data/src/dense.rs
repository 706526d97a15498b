//! The limit on the memory that one file may take as dense rows.

use std::path::Path;

use super::error::DataError;
use super::numbers::Precision;

/// The most bytes of dense inputs, 4 GiB.
const LIMIT: u128 = 4 << 30;

/// Refuses `rows` of `width` inputs where they would pass the limit.
pub(crate) fn check_size(
    path: &Path,
    rows: usize,
    width: usize,
    precision: Precision,
) -> Result<(), DataError> {
    let bytes = rows as u128 * width as u128 * precision.bytes() as u128;
    if bytes <= LIMIT {
        return Ok(());
    }
    Err(DataError::TooLarge {
        path: path.to_path_buf(),
        rows,
        width,
        gibibytes: bytes as f64 / f64::from(1 << 30),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_four_gibibytes_are_allowed_and_one_more_row_is_not() {
        let path = Path::new("big.svm");
        let single = |rows| check_size(path, rows, 1 << 10, Precision::F32);
        assert!(single(1 << 20).is_ok());
        let message = single((1 << 20) + 1).unwrap_err().to_string();
        assert!(message.starts_with("big.svm would need 4.0 GiB as 1048577"), "{message}");
        assert!(check_size(path, 1 << 20, 1 << 10, Precision::F64).is_err());
    }
}
