//! The polar factor of a matrix, approximately, by products alone.

use faer::{Mat, MatMut, Par};

use crate::blocks::{
    Blocks, Field, LayerKernel, add_square, commuting_product, for_each_layer, matrix_work,
    outer_product, product,
};

/// X <- a X + (b A + c A A) X with A = X X', `steps` times: singular vectors stay, and every singular
/// value x becomes q(q(...q(x))), q(x) = a x + b x^3 + c x^5.
///
/// All factors a I + b A + c A A are polynomials of the first A, so they are multiplied with each other first, as
/// small as A is, and X by their product P at the end: A <- F A F, P <- F P. That is as much work for a
/// square X, and 45 % of it where X has four times as many columns as rows. A direction that X does not have can be
/// a rounding error below zero in A, which grows by a^2 a step: so at most five steps go together.
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

/// Steps on one A, at most.
const TOGETHER: usize = 5;

impl NewtonSchulz {
    /// Every tensor that has a shape in `shapes` becomes X.
    pub fn run_on_matrices(self, shapes: &[Option<[usize; 2]>], blocks: &mut Blocks) {
        // Its kernel does every part.
        let _ = for_each_layer(&Matrices { newton_schulz: self, shapes }, [blocks]);
    }

    /// The same for one matrix, row by row in memory.
    pub fn run_on<T: Field>(self, x: &mut [T], [rows, columns]: [usize; 2], threads: Par) {
        let x = MatMut::from_row_major_slice_mut(x, rows, columns);
        self.run(if rows > columns { x.transpose_mut() } else { x }, threads);
    }

    /// The same for a matrix with no more rows than columns.
    fn run<T: Field>(self, mut x: MatMut<'_, T>, threads: Par) {
        for begin in (0..self.steps).step_by(TOGETHER) {
            self.iterate(x.as_mut(), TOGETHER.min(self.steps - begin), threads);
        }
    }

    fn iterate<T: Field>(self, x: MatMut<'_, T>, steps: usize, threads: Par) {
        let rows = x.nrows();
        let [mut gram, mut factor, mut spare, mut total] =
            [0; 4].map(|_| Mat::<T>::zeros(rows, rows));
        outer_product(gram.as_mut(), x.as_ref(), threads);
        for step in 1..=steps {
            self.factor(&gram, &mut factor, threads);
            if step == 1 {
                total.copy_from(&factor);
            } else {
                commuting_product(spare.as_mut(), factor.as_ref(), total.as_ref(), threads);
                std::mem::swap(&mut spare, &mut total);
            }
            if step < steps {
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

    /// F = a I + b A + c A A.
    fn factor<T: Field>(self, gram: &Mat<T>, factor: &mut Mat<T>, threads: Par) {
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

struct Matrices<'a> {
    newton_schulz: NewtonSchulz,
    shapes: &'a [Option<[usize; 2]>],
}

impl LayerKernel<1> for Matrices<'_> {
    fn work(&self, tensor: usize) -> usize {
        self.shapes[tensor].map_or(0, matrix_work)
    }

    fn run<T: Field>(&self, tensor: usize, [numbers]: [&mut [T]; 1], threads: Par) -> bool {
        if let Some(shape) = self.shapes[tensor] {
            self.newton_schulz.run_on(numbers, shape, threads);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: usize = 24;
    const COLUMNS: usize = 40;

    /// Two bases of three directions each.
    fn directions() -> [Mat<f64>; 2] {
        [ROWS, COLUMNS].map(|n| {
            Mat::from_fn(n, 3, |i, j| ((7 * i + 13 * j * j + 3 * i * j) % 17) as f64 - 8.0)
        })
    }

    /// Of rank 3 and norm 1, with entries rounded to single precision.
    fn of_low_rank([left, right]: &[Mat<f64>; 2]) -> Mat<f64> {
        let x = left * right.transpose();
        let norm = x.norm_l2();
        Mat::from_fn(ROWS, COLUMNS, |i, j| f64::from((x[(i, j)] / norm) as f32))
    }

    /// The iteration on X itself, in double precision.
    fn plain((a, b, c): (f64, f64, f64), steps: usize, mut x: Mat<f64>) -> Mat<f64> {
        for _ in 0..steps {
            let gram = &x * x.transpose();
            let factor = Mat::from_fn(ROWS, ROWS, |i, j| if i == j { a } else { 0.0 })
                + b * &gram
                + c * (&gram * &gram);
            x = factor * x;
        }
        x
    }

    #[test]
    fn many_steps_do_not_blow_up_directions_without_a_gradient() {
        for (coefficients, steps) in
            [(NewtonSchulz::MUON.coefficients, 12), ((1.875, -1.25, 0.375), 20)]
        {
            let directions = directions();
            let x = of_low_rank(&directions);
            let mut found = Mat::from_fn(ROWS, COLUMNS, |i, j| x[(i, j)] as f32);
            NewtonSchulz { coefficients, steps }.run(found.as_mut(), Par::Seq);
            let found = Mat::from_fn(ROWS, COLUMNS, |i, j| f64::from(found[(i, j)]));
            // Beside X's three directions there is its rounding, whose singular values rise to at most 1.3 too.
            assert!(found.norm_max() < 2.0, "{coefficients:?}: {}", found.norm_max());
            let [left, right] = &directions;
            let along = |x: &Mat<f64>| left.transpose() * x * right;
            let expected = along(&plain(coefficients, steps, x));
            let difference = (along(&found) - &expected).norm_max();
            assert!(difference < 1e-3 * expected.norm_max(), "{coefficients:?}: {difference}");
        }
    }
}
