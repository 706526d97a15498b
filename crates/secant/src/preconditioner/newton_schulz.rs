//! The polar factor of a matrix, approximately, by products alone.

use faer::{Mat, MatMut, Par};

use crate::blocks::{Field, MatrixKernel, add_square, outer_product, product};

/// X <- a X + (b A + c A A) X with A = X X', `steps` times: singular vectors stay, and every singular
/// value x becomes q(q(...q(x))), q(x) = a x + b x^3 + c x^5.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewtonSchulz {
    pub coefficients: (f64, f64, f64),
    pub steps: usize,
}

impl MatrixKernel for NewtonSchulz {
    fn run<T: Field>(&self, x: MatMut<'_, T>, threads: Par) {
        let (rows, columns) = (x.nrows(), x.ncols());
        let (a, b, c) = self.coefficients;
        let (a, b, c) = (T::of(a), T::of(b), T::of(c));
        let [mut gram, mut polynomial] = [0, 1].map(|_| Mat::<T>::zeros(rows, rows));
        // The next X, stored as X is.
        let mut numbers = vec![T::zero(); rows * columns];
        let mut next = if x.col_stride() == 1 {
            MatMut::from_row_major_slice_mut(&mut numbers, rows, columns)
        } else {
            MatMut::from_column_major_slice_mut(&mut numbers, rows, columns)
        };
        let mut x = x;
        for _ in 0..self.steps {
            // A = X X', P = a I + b A + c A A; of P the half below the diagonal will do here.
            outer_product(gram.as_mut(), x.as_ref(), threads);
            for column in 0..rows {
                for row in column..rows {
                    polynomial[(row, column)] = b * gram[(row, column)];
                }
                polynomial[(column, column)] += a;
            }
            add_square(polynomial.as_mut(), gram.as_ref(), c, threads);
            product(next.as_mut(), polynomial.as_ref(), x.as_ref(), threads);
            std::mem::swap(&mut x, &mut next);
        }
        if self.steps % 2 == 1 {
            // The caller's buffer is `next`.
            next.copy_from(&x);
        }
    }
}
