//! Eigen-decompositions of small symmetric matrices.

use nalgebra::{DMatrix, SymmetricEigen};
use thiserror::Error;

/// The small matrices of the stored pairs have no eigen-decomposition in floating point: a product
/// is not finite, or the pairs are too far apart in size.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "the inner products of the stored pairs are not finite or too far apart in size: clear the pairs"
)]
pub struct DecompositionFailed;

/// The eigenvalues of a symmetric matrix in ascending order, and its unit eigenvectors as columns.
pub(super) fn ascending(
    mut matrix: DMatrix<f64>,
) -> Result<(Vec<f64>, DMatrix<f64>), DecompositionFailed> {
    if matrix.iter().any(|x| !x.is_finite()) {
        return Err(DecompositionFailed);
    }
    if matrix.is_empty() {
        return Ok((Vec::new(), matrix));
    }
    matrix = (&matrix + matrix.transpose()) * 0.5;
    // Two or three QR sweeps for each eigenvalue are usual.
    let most = 100 * matrix.nrows();
    let eigen = SymmetricEigen::try_new(matrix, f64::EPSILON, most).ok_or(DecompositionFailed)?;
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&i, &j| eigen.eigenvalues[i].total_cmp(&eigen.eigenvalues[j]));
    let values = order.iter().map(|&i| eigen.eigenvalues[i]).collect();
    Ok((values, eigen.eigenvectors.select_columns(&order)))
}

/// The range of a Gram matrix: the unit eigenvectors whose eigenvalue exceeds `cut` times the
/// largest, at most `most` of them, and the square roots of their eigenvalues.
pub(super) fn range(
    gram: DMatrix<f64>,
    cut: f64,
    most: usize,
) -> Result<(Vec<f64>, DMatrix<f64>), DecompositionFailed> {
    let (values, vectors) = ascending(gram)?;
    let least = cut * values.last().copied().unwrap_or(0.0).max(0.0);
    let large = (0..values.len()).rev().filter(|&i| values[i] > least);
    let kept: Vec<usize> = large.take(most).collect();
    Ok((kept.iter().map(|&i| values[i].sqrt()).collect(), vectors.select_columns(&kept)))
}

/// The matrix with column i multiplied by `factors[i]`.
pub(super) fn scale_columns(
    mut matrix: DMatrix<f64>,
    factors: impl IntoIterator<Item = f64>,
) -> DMatrix<f64> {
    for (mut column, factor) in matrix.column_iter_mut().zip(factors) {
        column.scale_mut(factor);
    }
    matrix
}
