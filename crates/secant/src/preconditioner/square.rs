//! Square matrices as the numbers of a tensor, row by row, and as matrices of a number type that may be another.

use faer::{
    Mat, MatRef, Par,
    diag::Diag,
    dyn_stack::{MemBuffer, MemStack},
    linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch},
};

use crate::blocks::Field;

/// Sides up to this are decomposed in double precision, whatever the type of the numbers.
pub(super) const DOUBLE_UP_TO: usize = 512;

/// A symmetric matrix, of which the half below the diagonal counts.
pub(super) fn symmetric<T: Field, C: Field>(numbers: &[T], side: usize) -> Mat<C> {
    let mut matrix = Mat::zeros(side, side);
    for_each_place(side, |i, j| {
        matrix[(i, j)] = C::of(numbers[i.max(j) * side + i.min(j)].wide());
    });
    matrix
}

pub(super) fn converted<T: Field, C: Field>(numbers: &[T], side: usize) -> Mat<C> {
    let mut matrix = Mat::zeros(side, side);
    for_each_place(side, |i, j| matrix[(i, j)] = C::of(numbers[i * side + j].wide()));
    matrix
}

/// numbers <- the matrix; false, and nothing written, where one of its numbers is not finite in their type.
pub(super) fn write<T: Field, C: Field>(numbers: &mut [T], matrix: MatRef<'_, C>) -> bool {
    let side = matrix.nrows();
    let as_stored = |i: usize, j: usize| T::of(matrix[(i, j)].wide());
    let is_finite = |j: usize| (0..side).all(|i| as_stored(i, j).wide().is_finite());
    if !(0..side).all(is_finite) {
        return false;
    }
    for_each_place(side, |i, j| numbers[i * side + j] = as_stored(i, j));
    true
}

/// All places of a matrix, in tiles that stay in cache: in memory one matrix goes by rows, the other by columns.
fn for_each_place(side: usize, mut visit: impl FnMut(usize, usize)) {
    const TILE: usize = 32;
    let tile = |start: usize| start..(start + TILE).min(side);
    for left in (0..side).step_by(TILE) {
        for top in (0..side).step_by(TILE) {
            for j in tile(left) {
                tile(top).for_each(|i| visit(i, j));
            }
        }
    }
}

/// Eigenvalues, rising, and eigenvectors of a symmetric matrix, of which the half below the diagonal is read; none
/// where they are not found. On one thread: the library adds up every thread's part, so that the bits would
/// depend on how many there are.
pub(super) fn eigen<C: Field>(matrix: MatRef<'_, C>) -> Option<(Vec<f64>, Mat<C>)> {
    let (side, threads) = (matrix.nrows(), Par::Seq);
    let (mut values, mut vectors) = (Diag::<C>::zeros(side), Mat::zeros(side, side));
    let with_vectors = ComputeEigenvectors::Yes;
    let scratch = self_adjoint_evd_scratch::<C>(side, with_vectors, threads, Default::default());
    let mut memory = MemBuffer::new(scratch);
    self_adjoint_evd(
        matrix,
        values.as_mut(),
        Some(vectors.as_mut()),
        threads,
        MemStack::new(&mut memory),
        Default::default(),
    )
    .ok()?;
    Some(((0..side).map(|i| values[i].wide()).collect(), vectors))
}

pub(super) fn is_finite<T: Field>(matrix: MatRef<'_, T>) -> bool {
    (0..matrix.ncols()).all(|j| (0..matrix.nrows()).all(|i| matrix[(i, j)].wide().is_finite()))
}
