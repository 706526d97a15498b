//! The dense inverse H of a Hessian: symmetric, its lower half row by row.
//!
//! A product reads the half once. An update that also gives the next product reads and writes it once. Rows
//! are cut into fixed parts that run side by side, and sums are taken in fixed lanes, so that a result
//! does not depend on the number of threads.

use std::ops::Range;

use rayon::prelude::*;
use secant_core::self_scaling::Coefficients;

/// Numbers below which a part is not worth a thread.
const LEAST_PART: usize = 64 * 1024;
const MOST_PARTS: usize = 16;
/// Partial sums that run side by side.
const LANES: usize = 8;
/// Rows that share one pass over the vectors.
const ROWS: usize = 2;

/// Numbers in the lower half of a matrix of `side` rows.
pub(crate) fn half(side: usize) -> usize {
    side * (side + 1) / 2
}

/// Makes the matrix the identity.
pub(crate) fn make_identity(matrix: &mut [f64], side: usize) {
    matrix.fill(0.0);
    (0..side).for_each(|row| matrix[half(row + 1) - 1] = 1.0);
}

/// H x.
pub(crate) fn multiply(matrix: &[f64], x: &[f64]) -> Vec<f64> {
    let ranges = parts(x.len());
    let mut left = matrix;
    let pieces = ranges.into_iter().map(|rows| {
        let (piece, rest) = left.split_at(half(rows.end) - half(rows.start));
        left = rest;
        (rows, piece)
    });
    let pieces: Vec<_> = pieces.collect();
    let product = |(rows, piece): (Range<usize>, &[f64])| {
        let mut out = vec![0.0; rows.end];
        pulp::Arch::new().dispatch(Multiply { rows, piece, x, out: &mut out });
        out
    };
    sum(pieces.into_par_iter().map(product).collect(), x.len())
}

/// The symmetric update that [`Coefficients`] describe.
#[derive(Clone, Copy)]
pub(crate) struct Update<'a> {
    pub coefficients: Coefficients,
    pub s: &'a [f64],
    /// H y, with the H before the update.
    pub hy: &'a [f64],
}

impl Update<'_> {
    /// Updates H; H x, with the H after the update.
    pub fn apply(self, matrix: &mut [f64], x: &[f64]) -> Vec<f64> {
        let mut left = matrix;
        let mut pieces = Vec::new();
        for rows in parts(x.len()) {
            let (piece, rest) = left.split_at_mut(half(rows.end) - half(rows.start));
            left = rest;
            pieces.push((rows, piece));
        }
        let product = |(rows, piece): (Range<usize>, &mut [f64])| {
            let mut out = vec![0.0; rows.end];
            let update = self;
            pulp::Arch::new().dispatch(Change { update, rows, piece, x, out: &mut out });
            out
        };
        sum(pieces.into_par_iter().map(product).collect(), x.len())
    }

    /// What is added to a row are multiples of s and Hy.
    #[inline(always)]
    fn of_row(&self, row: usize) -> (f64, f64) {
        let Coefficients { ss, cross, hh, .. } = self.coefficients;
        let (s, hy) = (self.s[row], self.hy[row]);
        (ss * s + cross * hy, cross * s + hh * hy)
    }
}

/// Ranges of rows with about as many numbers each.
fn parts(side: usize) -> Vec<Range<usize>> {
    let count = (half(side) / LEAST_PART).clamp(1, MOST_PARTS);
    let end = |part: usize| match part == count {
        true => side,
        // Even, so that rows go in pairs.
        false => (side as f64 * (part as f64 / count as f64).sqrt()) as usize / ROWS * ROWS,
    };
    (0..count).map(|part| end(part)..end(part + 1)).collect()
}

/// The sum of vectors, of which some are only as long as they are not 0.
fn sum(vectors: Vec<Vec<f64>>, length: usize) -> Vec<f64> {
    let mut total = vec![0.0; length];
    for vector in vectors {
        total.iter_mut().zip(vector).for_each(|(total, term)| *total += term);
    }
    total
}

/// A part of a product: what its rows and, by symmetry, its columns give. A struct, so that dispatch
/// compiles all of it for the vector instructions at hand.
struct Multiply<'a> {
    rows: Range<usize>,
    piece: &'a [f64],
    x: &'a [f64],
    out: &'a mut [f64],
}

impl pulp::NullaryFnOnce for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { rows, piece, x, out } = self;
        let mut left = piece;
        for row in rows {
            let (numbers, rest) = left.split_at(row + 1);
            left = rest;
            let mut sums = [0.0; LANES];
            let (groups, tail) = numbers[..row].as_chunks::<LANES>();
            for (group, numbers) in groups.iter().enumerate() {
                let at = group * LANES;
                for lane in 0..LANES {
                    sums[lane] += numbers[lane] * x[at..at + LANES][lane];
                    out[at..at + LANES][lane] += x[row] * numbers[lane];
                }
            }
            let mut sum: f64 = sums.iter().sum();
            for (column, number) in (groups.len() * LANES..).zip(tail) {
                sum += number * x[column];
                out[column] += x[row] * number;
            }
            out[row] += sum + numbers[row] * x[row];
        }
    }
}

/// A part of an update with its product.
struct Change<'a> {
    update: Update<'a>,
    rows: Range<usize>,
    piece: &'a mut [f64],
    x: &'a [f64],
    out: &'a mut [f64],
}

impl pulp::NullaryFnOnce for Change<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { update, rows, piece, x, out } = self;
        let mut left = piece;
        let mut row = rows.start;
        while row + ROWS <= rows.end {
            let (first, rest) = left.split_at_mut(row + 1);
            let (second, rest) = rest.split_at_mut(row + 2);
            left = rest;
            change_rows(update, row, [first, second], x, out);
            row += ROWS;
        }
        if row < rows.end {
            change_rows(update, row, [left], x, out);
        }
    }
}

/// Updates `R` rows from row `first` on, and adds what they give to the product.
#[inline(always)]
fn change_rows<const R: usize>(
    update: Update<'_>,
    first: usize,
    rows: [&mut [f64]; R],
    x: &[f64],
    out: &mut [f64],
) {
    let (keep, Update { s, hy, .. }) = (update.coefficients.keep, update);
    let of_row: [(f64, f64); R] = std::array::from_fn(|k| update.of_row(first + k));
    let mut sums = [[0.0; LANES]; R];
    let whole = first / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        let group = |vector: &[f64]| -> [f64; LANES] {
            std::array::from_fn(|lane| vector[at..at + LANES][lane])
        };
        let (s, hy, x_here, mut out_here) = (group(s), group(hy), group(x), group(out));
        for k in 0..R {
            let (of_s, of_hy) = of_row[k];
            let old = group(rows[k]);
            let mut new = [0.0; LANES];
            for lane in 0..LANES {
                new[lane] = keep * old[lane] + (of_s * s[lane] + of_hy * hy[lane]);
                sums[k][lane] += new[lane] * x_here[lane];
                out_here[lane] += x[first + k] * new[lane];
            }
            rows[k][at..at + LANES].copy_from_slice(&new);
        }
        out[at..at + LANES].copy_from_slice(&out_here);
    }
    for k in 0..R {
        let (row, (of_s, of_hy)) = (first + k, of_row[k]);
        let mut sum: f64 = sums[k].iter().sum();
        for column in whole..=row {
            let number = &mut rows[k][column];
            *number = keep * *number + (of_s * s[column] + of_hy * hy[column]);
            sum += *number * x[column];
            if column < row {
                out[column] += x[row] * *number;
            }
        }
        out[row] += sum;
    }
}

#[cfg(test)]
mod tests {
    use faer::{Col, Mat};

    use super::*;

    fn numbers(length: usize, seed: usize) -> Vec<f64> {
        (0..length).map(|i| ((i * 37 + seed * 11) % 101) as f64 / 50.0 - 1.0).collect()
    }

    fn dense(matrix: &[f64], side: usize) -> Mat<f64> {
        Mat::from_fn(side, side, |i, j| matrix[half(i.max(j)) + i.min(j)])
    }

    fn column(numbers: &[f64]) -> Col<f64> {
        Col::from_fn(numbers.len(), |i| numbers[i])
    }

    #[test]
    fn products_and_updates_are_those_of_the_dense_matrix() {
        // The last has several parts.
        for side in [1, 2, 7, 8, 33, 700] {
            let mut matrix = numbers(half(side), 1);
            let [x, s, hy] = [2, 3, 4].map(|seed| numbers(side, seed));
            let before = dense(&matrix, side);
            let rounding = 1e-14 * (side * side) as f64;
            let product = column(&multiply(&matrix, &x));
            assert!((product - &before * column(&x)).norm_max() < rounding);

            let coefficients = Coefficients { keep: 1.25, ss: 0.5, cross: -0.75, hh: 2.0 };
            let product = Update { coefficients, s: &s, hy: &hy }.apply(&mut matrix, &x);
            let expected = Mat::from_fn(side, side, |i, j| {
                let mixed = s[i] * hy[j] + hy[i] * s[j];
                1.25 * before[(i, j)] + 0.5 * s[i] * s[j] - 0.75 * mixed + 2.0 * hy[i] * hy[j]
            });
            assert!((dense(&matrix, side) - &expected).norm_max() < 1e-14);
            assert!((column(&product) - expected * column(&x)).norm_max() < rounding);
        }
    }

    #[test]
    fn the_identity_gives_back_the_vector() {
        let mut matrix = vec![f64::NAN; half(9)];
        make_identity(&mut matrix, 9);
        assert_eq!(multiply(&matrix, &numbers(9, 5)), numbers(9, 5));
    }
}
