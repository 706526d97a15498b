//! Inverse roots of a symmetric positive semi-definite matrix, by its eigenvalues.

use faer::{Mat, Par};

use super::square::{DOUBLE_UP_TO, eigen, is_finite, symmetric, write};
use crate::blocks::{Field, outer_product};

/// Of a matrix in single precision, eigenvalues below this part of the largest are rounding.
const ROUNDING: f64 = 1e-6;

/// (P/c + eps I)^-p
///
/// Step 2 of Shampoo.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InverseRoot {
    /// c: what P is divided by.
    pub correction: f64,
    pub epsilon: f64,
    /// p
    pub exponent: f64,
}

impl InverseRoot {
    /// root <- that of a factor P, in `side * side` numbers row by row, of which the half below the
    /// diagonal counts; false, and nothing written, where there is none.
    pub fn take<T: Field>(self, factor: &[T], root: &mut [T], side: usize, threads: Par) -> bool {
        if side <= DOUBLE_UP_TO {
            self.take_in::<T, f64>(factor, root, side, threads)
        } else {
            self.take_in::<T, T>(factor, root, side, threads)
        }
    }

    fn take_in<T: Field, C: Field>(
        self,
        factor: &[T],
        root: &mut [T],
        side: usize,
        threads: Par,
    ) -> bool {
        let p: Mat<C> = symmetric(factor, side);
        if !is_finite(p.as_ref()) {
            return false;
        }
        let Some((values, vectors)) = eigen(p.as_ref()) else { return false };
        let value = |j: usize| values[j] / self.correction;
        // They rise. No root is taken of a negative one.
        let (least, most) = (value(0).min(0.0), value(side - 1));
        let is_single = size_of::<T>() < size_of::<f64>();
        let epsilon = if is_single { self.epsilon.max(ROUNDING * most) } else { self.epsilon };
        // R = S S' for S = Q diag(l^(-p/2)).
        let half = |j: usize| (value(j) - least + epsilon).powf(-0.5 * self.exponent);
        let halves: Vec<f64> = (0..side).map(half).collect();
        let s = Mat::from_fn(side, side, |i, j| vectors[(i, j)] * C::of(halves[j]));
        let mut r = Mat::<C>::zeros(side, side);
        outer_product(r.as_mut(), s.as_ref(), threads);
        write(root, r.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 4;

    /// A matrix of rank 3 whose half above the diagonal is not to be read.
    fn factor() -> Vec<f64> {
        let some = Mat::from_fn(SIDE, 3, |i, j| ((3 * i + 5 * j * j + 1) % 7) as f64 - 2.5);
        let p = &some * some.transpose();
        let half = |(i, j): (usize, usize)| if i >= j { p[(i, j)] } else { f64::NAN };
        (0..SIDE).flat_map(|i| (0..SIDE).map(move |j| (i, j))).map(half).collect()
    }

    fn matrix(numbers: &[f64]) -> Mat<f64> {
        symmetric(numbers, SIDE)
    }

    #[test]
    fn its_power_undoes_the_shifted_matrix_and_it_commutes_with_it() {
        let p = matrix(&factor());
        for (roots, correction, epsilon) in [(2, 1.0, 1e-2), (4, 0.25, 1.0)] {
            let exponent = 1.0 / f64::from(roots);
            let mut root = vec![0.0; SIDE * SIDE];
            let rule = InverseRoot { correction, epsilon, exponent };
            assert!(rule.take(&factor(), &mut root, SIDE, Par::Seq));
            let (r, unity) = (matrix(&root), Mat::<f64>::identity(SIDE, SIDE));
            let mut product =
                Mat::from_fn(SIDE, SIDE, |i, j| p[(i, j)] / correction + epsilon * unity[(i, j)]);
            for _ in 0..roots {
                product = &r * &product;
            }
            assert!((product - unity).norm_max() < 1e-12);
            assert!((&r * &p - &p * &r).norm_max() < 1e-12 * p.norm_max() * r.norm_max());
        }
    }

    #[test]
    fn a_negative_eigenvalue_is_lifted_to_epsilon() {
        let mut root = vec![0.0; 4];
        let rule = InverseRoot { correction: 1.0, epsilon: 0.25, exponent: 0.5 };
        assert!(rule.take(&[-1.0, 0.0, 0.0, 2.75], &mut root, 2, Par::Seq));
        let expected = [2.0, 0.0, 0.0, 0.5];
        assert!(root.iter().zip(expected).all(|(r, e): (&f64, f64)| (r - e).abs() < 1e-14));
    }

    #[test]
    fn in_single_precision_rounding_has_a_floor() {
        let mut root = vec![0.0_f32; 4];
        let rule = InverseRoot { correction: 1.0, epsilon: 1e-30, exponent: 0.5 };
        assert!(rule.take(&[1.0_f32, 0.0, 0.0, 1e-12], &mut root, 2, Par::Seq));
        assert!((root[3] - 1e3).abs() < 1.0, "{root:?}");
    }

    #[test]
    fn what_has_no_root_leaves_the_last_one() {
        let rule = InverseRoot { correction: 1.0, epsilon: 1e-300, exponent: 0.5 };
        let mut root = vec![1.0, 0.0, 0.0, 1.0];
        for number in [f64::NAN, f64::INFINITY] {
            assert!(!rule.take(&[number, 0.0, 0.0, 1.0], &mut root, 2, Par::Seq));
            assert_eq!(root, [1.0, 0.0, 0.0, 1.0]);
        }
        // 1e150 is no number of single precision.
        let mut root = vec![1.0_f32, 0.0, 0.0, 1.0];
        assert!(!rule.take(&[0.0_f32; 4], &mut root, 2, Par::Seq));
        assert_eq!(root, [1.0, 0.0, 0.0, 1.0]);
    }
}
