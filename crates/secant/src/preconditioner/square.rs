//! Square matrices as the numbers of a tensor, row by row, and as matrices of a number type that may be another.

use faer::{Mat, MatRef};

use crate::blocks::Field;

/// Sides up to this are decomposed in double precision, whatever the type of the numbers.
pub(super) const DOUBLE_UP_TO: usize = 512;

/// A symmetric matrix, of which the half below the diagonal counts.
pub(super) fn symmetric<T: Field, C: Field>(numbers: &[T], side: usize) -> Mat<C> {
    Mat::from_fn(side, side, |i, j| C::of(numbers[i.max(j) * side + i.min(j)].wide()))
}

pub(super) fn converted<T: Field, C: Field>(numbers: &[T], side: usize) -> Mat<C> {
    Mat::from_fn(side, side, |i, j| C::of(numbers[i * side + j].wide()))
}

/// numbers <- the matrix; false, and nothing written, where one of its numbers is not finite in their type.
pub(super) fn write<T: Field, C: Field>(numbers: &mut [T], matrix: MatRef<'_, C>) -> bool {
    let side = matrix.nrows();
    let as_stored = |i: usize, j: usize| T::of(matrix[(i, j)].wide());
    let is_finite = |i: usize| (0..side).all(|j| as_stored(i, j).wide().is_finite());
    if !(0..side).all(is_finite) {
        return false;
    }
    for (index, number) in numbers.iter_mut().enumerate() {
        *number = as_stored(index / side, index % side);
    }
    true
}

pub(super) fn is_finite<T: Field>(matrix: MatRef<'_, T>) -> bool {
    (0..matrix.ncols()).all(|j| (0..matrix.nrows()).all(|i| matrix[(i, j)].wide().is_finite()))
}
