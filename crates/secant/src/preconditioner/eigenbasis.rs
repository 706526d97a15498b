//! The eigenbasis of a slowly changing symmetric matrix: decomposed once, then followed by power steps.

use faer::{
    Conj, Mat, MatRef, Par,
    dyn_stack::{MemBuffer, MemStack, StackReq},
    linalg::{householder, qr::no_pivoting::factor as qr},
};

use super::square::{DOUBLE_UP_TO, converted, eigen, is_finite, symmetric, write};
use crate::blocks::{Field, product};

/// basis <- the eigenvectors of P as columns, the largest eigenvalue first; false, and nothing written,
/// where there are none.
///
/// Eigenvectors without a gradient's part (eigenvalue below `1e-12` of the largest, `1e-6` in single
/// precision) are no one's but the library's; they are fixed by diagonalising diag(1..n) among them, so that
/// machines agree.
pub(crate) fn decompose<T: Field>(factor: &[T], basis: &mut [T], side: usize) -> bool {
    let p: Mat<f64> = symmetric(factor, side);
    if !is_finite(p.as_ref()) {
        return false;
    }
    let Some((mut values, vectors)) = eigen(p.as_ref()) else { return false };
    values.reverse();
    let mut q = Mat::from_fn(side, side, |i, j| vectors[(i, side - 1 - j)]);
    let least = if size_of::<T>() < size_of::<f64>() { 1e-6 } else { 1e-12 };
    let first = values.iter().position(|value| *value <= least * values[0]).unwrap_or(side);
    if side - first >= 2 {
        let null = q.as_ref().subcols(first, side - first).to_owned();
        let numbered = Mat::from_fn(side, side - first, |i, j| (i + 1) as f64 * null[(i, j)]);
        let mut order = Mat::zeros(side - first, side - first);
        product(order.as_mut(), null.transpose(), numbered.as_ref(), Par::Seq);
        let Some((_, among)) = eigen(order.as_ref()) else { return false };
        let q = q.as_mut().subcols_mut(first, side - first);
        product(q, null.as_ref(), among.as_ref(), Par::Seq);
    }
    write_basis(basis, q.as_ref())
}

/// One power step, on one thread, as a second one makes decompositions of these sizes slower: A = P Q, columns by the falling estimates q.Pq, and the orthonormal factor of A's QR
/// decomposition for the basis. Gives that order: place i had what was in `order[i]`. None, and nothing
/// written, where something is not finite.
pub(crate) fn power_step<T: Field>(
    factor: &[T],
    basis: &mut [T],
    side: usize,
) -> Option<Vec<usize>> {
    if side <= DOUBLE_UP_TO {
        power_step_in::<T, f64>(factor, basis, side)
    } else {
        power_step_in::<T, T>(factor, basis, side)
    }
}

fn power_step_in<T: Field, C: Field>(
    factor: &[T],
    basis: &mut [T],
    side: usize,
) -> Option<Vec<usize>> {
    let (p, q): (Mat<C>, Mat<C>) = (symmetric(factor, side), converted(basis, side));
    let mut a = Mat::zeros(side, side);
    product(a.as_mut(), p.as_ref(), q.as_ref(), Par::Seq);
    if !is_finite(a.as_ref()) {
        return None;
    }
    let estimate = |j: usize| (0..side).map(|i| q[(i, j)].wide() * a[(i, j)].wide()).sum::<f64>();
    let estimates: Vec<f64> = (0..side).map(estimate).collect();
    let mut order: Vec<usize> = (0..side).collect();
    order.sort_by(|&i, &j| estimates[j].total_cmp(&estimates[i]));
    let new = orthonormal_factor(Mat::from_fn(side, side, |i, j| a[(i, order[j])]));
    write_basis(basis, new.as_ref()).then_some(order)
}

/// basis <- Q; false, and nothing written, where it is not finite.
fn write_basis<T: Field, C: Field>(basis: &mut [T], q: MatRef<'_, C>) -> bool {
    let is_written = write(basis, q);
    basis.iter_mut().for_each(|entry| *entry = entry.flushed_beside_1());
    is_written
}

/// The orthonormal factor of A's QR decomposition.
fn orthonormal_factor<C: Field>(mut a: Mat<C>) -> Mat<C> {
    let (side, threads) = (a.nrows(), Par::Seq);
    let block = qr::recommended_block_size::<C>(side, side);
    let mut memory = MemBuffer::new(StackReq::any_of(&[
        qr::qr_in_place_scratch::<C>(side, side, block, threads, Default::default()),
        householder::apply_block_householder_sequence_on_the_left_in_place_scratch::<C>(
            side, block, side,
        ),
    ]));
    let mut reflectors = Mat::zeros(block, side);
    let stack = MemStack::new(&mut memory);
    qr::qr_in_place(a.as_mut(), reflectors.as_mut(), threads, stack, Default::default());
    let mut q = Mat::identity(side, side);
    householder::apply_block_householder_sequence_on_the_left_in_place_with_conj(
        a.as_ref(),
        reflectors.as_ref(),
        Conj::No,
        q.as_mut(),
        threads,
        MemStack::new(&mut memory),
    );
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 4;

    /// Q diag(values) Q' for a fixed orthogonal Q, the half below the diagonal alone, and Q.
    fn with_eigenvalues(values: [f64; SIDE]) -> (Vec<f64>, Mat<f64>) {
        let some = Mat::from_fn(SIDE, SIDE, |i, j| ((3 * i + 5 * j * j + 1) % 7) as f64 - 2.5);
        let q = some.qr().compute_thin_Q();
        let scaled = Mat::from_fn(SIDE, SIDE, |i, j| values[j] * q[(i, j)]);
        let p = scaled * q.transpose();
        let half = |(i, j): (usize, usize)| if i >= j { p[(i, j)] } else { f64::NAN };
        let places = (0..SIDE).flat_map(|i| (0..SIDE).map(move |j| (i, j)));
        (places.map(half).collect(), q)
    }

    fn matrix(numbers: &[f64]) -> Mat<f64> {
        Mat::from_fn(SIDE, SIDE, |i, j| numbers[i * SIDE + j])
    }

    fn with_upper_half(half: &[f64]) -> Mat<f64> {
        Mat::from_fn(SIDE, SIDE, |i, j| half[i.max(j) * SIDE + i.min(j)])
    }

    #[test]
    fn columns_are_eigenvectors_the_largest_eigenvalue_first() {
        let (p, q) = with_eigenvalues([1.0, 9.0, 4.0, 0.5]);
        let mut basis = vec![0.0; SIDE * SIDE];
        assert!(decompose(&p, &mut basis, SIDE));
        let overlap = q.transpose() * matrix(&basis);
        for (column, of) in [1, 2, 0, 3].into_iter().enumerate() {
            assert!((overlap[(of, column)].abs() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn eigenvectors_of_nothing_diagonalise_the_numbers_of_the_rows() {
        let (p, _) = with_eigenvalues([0.0, 3.0, 0.0, 0.0]);
        let mut basis = vec![0.0; SIDE * SIDE];
        assert!(decompose(&p, &mut basis, SIDE));
        let q = matrix(&basis);
        let numbered = Mat::from_fn(SIDE, SIDE, |i, j| (i + 1) as f64 * q[(i, j)]);
        let among = q.transpose() * numbered;
        for i in 1..SIDE {
            for j in 1..SIDE {
                assert!(i == j || among[(i, j)].abs() < 1e-12, "{i} {j}: {}", among[(i, j)]);
            }
        }
    }

    #[test]
    fn power_steps_converge_to_the_eigenbasis_and_stay_orthonormal() {
        let (p, q) = with_eigenvalues([1.0, 16.0, 4.0, 0.1]);
        let mut basis: Vec<f64> =
            (0..SIDE * SIDE).map(|i| f64::from(u8::from(i % (SIDE + 1) == 0))).collect();
        for _ in 0..40 {
            let before = matrix(&basis);
            let order = power_step(&p, &mut basis, SIDE).expect("finite");
            let now = matrix(&basis);
            let unity = now.transpose() * &now - Mat::<f64>::identity(SIDE, SIDE);
            assert!(unity.norm_max() < 1e-14);
            // By the estimates of the basis before.
            let estimates = before.transpose() * with_upper_half(&p) * &before;
            let falling =
                |pair: &[usize]| estimates[(pair[0], pair[0])] >= estimates[(pair[1], pair[1])];
            assert!(order.windows(2).all(falling));
        }
        let overlap = q.transpose() * matrix(&basis);
        for (column, of) in [1, 2, 0, 3].into_iter().enumerate() {
            assert!((overlap[(of, column)].abs() - 1.0).abs() < 1e-10);
        }
    }

    #[test]
    fn what_cannot_be_decomposed_leaves_the_basis_as_it_was() {
        let mut basis = vec![1.0, 0.0, 0.0, 1.0];
        for number in [f64::NAN, f64::INFINITY] {
            let p = [number, 0.0, 0.0, 1.0];
            assert!(power_step(&p, &mut basis, 2).is_none());
            assert!(!decompose(&p, &mut basis, 2));
            assert_eq!(basis, [1.0, 0.0, 0.0, 1.0]);
        }
    }
}
