//! The polar factor of a matrix, approximately, by products alone.

use faer::{Mat, MatMut, Par};

use crate::blocks::{Field, MatrixKernel, add_square, commuting_product, outer_product, product};

/// X <- a X + (b A + c A A) X with A = X X', `steps` times: singular vectors stay, and every singular
/// value x becomes q(q(...q(x))), q(x) = a x + b x^3 + c x^5.
///
/// All factors a I + b A + c A A are polynomials of the first A, so they are multiplied with each other first, as
/// small as A is, and X by their product P at the end: A <- F A F, P <- F P. That is as much work for a
/// square X, and 40 % of it where X has four times as many columns as rows.
///
/// Step 3 of Muon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewtonSchulz {
    pub coefficients: (f64, f64, f64),
    pub steps: usize,
}

impl NewtonSchulz {
    /// Muon's (Jordan et al. 2024).
    pub const MUON: Self = Self { coefficients: (3.4445, -4.775, 2.0315), steps: 5 };
}

impl MatrixKernel for NewtonSchulz {
    fn run<T: Field>(&self, x: MatMut<'_, T>, threads: Par) {
        if self.steps == 0 {
            return;
        }
        let rows = x.nrows();
        let [mut gram, mut factor, mut spare, mut total] =
            [0; 4].map(|_| Mat::<T>::zeros(rows, rows));
        outer_product(gram.as_mut(), x.as_ref(), threads);
        for step in 1..=self.steps {
            self.factor(&gram, &mut factor, threads);
            if step == 1 {
                total.copy_from(&factor);
            } else {
                commuting_product(spare.as_mut(), factor.as_ref(), total.as_ref(), threads);
                std::mem::swap(&mut spare, &mut total);
            }
            if step < self.steps {
                commuting_product(spare.as_mut(), factor.as_ref(), gram.as_ref(), threads);
                commuting_product(gram.as_mut(), factor.as_ref(), spare.as_ref(), threads);
            }
        }
        // A copy goes column by column; of a matrix that lies row by row so does that of its transpose.
        if x.row_stride() == 1 {
            let before = x.to_owned();
            product(x, total.as_ref(), before.as_ref(), threads);
        } else {
            let before = x.as_ref().transpose().to_owned();
            product(x, total.as_ref(), before.transpose(), threads);
        }
    }
}

impl NewtonSchulz {
    /// F = a I + b A + c A A.
    fn factor<T: Field>(&self, gram: &Mat<T>, factor: &mut Mat<T>, threads: Par) {
        let (a, b, c) = self.coefficients;
        let (a, b, c) = (T::of(a), T::of(b), T::of(c));
        // The half below the diagonal will do here.
        for column in 0..gram.ncols() {
            for row in column..gram.nrows() {
                factor[(row, column)] = b * gram[(row, column)];
            }
            factor[(column, column)] += a;
        }
        add_square(factor.as_mut(), gram.as_ref(), c, threads);
    }
}
