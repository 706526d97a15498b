//! Passes over many vectors at once: the rows of a quasi-Newton memory.
//!
//! Both passes read every row once, chunk by chunk, whatever the number of rows: the inner products of
//! all rows with a few vectors, and a combination of all rows. Sums and combinations are in `f64`; a
//! combination is rounded to the vectors' type once, at the end.

use std::array::from_fn;

use burn::tensor::{DType, TensorData};
use rayon::prelude::*;

use super::{CHUNK, Real, SEQUENTIAL_BELOW, lane_sums};
use crate::blocks::Blocks;

/// Rows that are read side by side, each for the length of a chunk: memory delivers few long runs
/// faster than many short ones.
const SIDE_BY_SIDE: usize = 4;

/// `products[v][r]` = `rows[r]`.`vectors[v]`, each row read once.
///
/// All blocks have the same layout.
pub fn row_products(rows: &[&Blocks], vectors: &[&Blocks]) -> Vec<Vec<f64>> {
    let zeros = || vec![0.0; rows.len() * vectors.len()];
    let (Some(first), false) = (vectors.first(), rows.is_empty()) else {
        return vec![Vec::new(); vectors.len()];
    };
    let mut pieces = Vec::new();
    for (tensor, data) in first.tensors().iter().enumerate() {
        let length = data.num_elements();
        pieces.extend((0..length).step_by(CHUNK).map(|start| (tensor, start)));
    }
    let run = |(tensor, start): &(usize, usize)| match first.tensors()[*tensor].dtype() {
        DType::F64 => piece_products::<f64>(rows, vectors, *tensor, *start),
        _ => piece_products::<f32>(rows, vectors, *tensor, *start),
    };
    let parts: Vec<Vec<f64>> = if is_small(first, rows.len()) {
        pieces.iter().map(run).collect()
    } else {
        pieces.par_iter().map(run).collect()
    };
    let sums = parts.into_iter().fold(zeros(), |mut sums, part| {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        sums
    });
    sums.chunks(rows.len()).map(<[f64]>::to_vec).collect()
}

/// The products of one chunk of one tensor, vector after vector.
fn piece_products<T: Real>(
    rows: &[&Blocks],
    vectors: &[&Blocks],
    tensor: usize,
    start: usize,
) -> Vec<f64> {
    let rows: Vec<&[T]> = rows.iter().map(|row| piece(&row.tensors()[tensor], start)).collect();
    let vectors: Vec<&[T]> = vectors.iter().map(|v| piece(&v.tensors()[tensor], start)).collect();
    let mut products = vec![0.0; rows.len() * vectors.len()];
    pulp::Arch::new().dispatch(Products { rows: &rows, vectors: &vectors, out: &mut products });
    products
}

fn piece<T: Real>(data: &TensorData, start: usize) -> &[T] {
    let all: &[T] = data.as_slice().expect("blocks have the layout's type");
    &all[start..(start + CHUNK).min(all.len())]
}

/// A struct, so that dispatch compiles all of it for the vector instructions at hand.
struct Products<'a, T> {
    rows: &'a [&'a [T]],
    vectors: &'a [&'a [T]],
    out: &'a mut [f64],
}

impl<T: Real> pulp::NullaryFnOnce for Products<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { rows, vectors, out } = self;
        let count = rows.len();
        let whole = count / SIDE_BY_SIDE * SIDE_BY_SIDE;
        let (pairs, single) = vectors.as_chunks::<2>();
        for first in (0..whole).step_by(SIDE_BY_SIDE) {
            let group = from_fn(|k| rows[first + k]);
            for (pair, vectors) in pairs.iter().enumerate() {
                let at = 2 * pair * count + first;
                let [of_first, of_second] = products_of_two(*vectors, group);
                out[at..][..SIDE_BY_SIDE].copy_from_slice(&of_first);
                out[at + count..][..SIDE_BY_SIDE].copy_from_slice(&of_second);
            }
            for vector in single {
                let at = 2 * pairs.len() * count + first;
                out[at..][..SIDE_BY_SIDE].copy_from_slice(&products_of_one(vector, group));
            }
        }
        for row in whole..count {
            for (v, vector) in vectors.iter().enumerate() {
                let [sum] = lane_sums(
                    [vector, rows[row]],
                    #[inline(always)]
                    |[v, a]| [v.f64() * a.f64()],
                );
                out[v * count + row] = sum;
            }
        }
    }
}

/// The products of a few rows with one vector.
#[inline(always)]
fn products_of_one<T: Real>(vector: &[T], rows: [&[T]; SIDE_BY_SIDE]) -> [f64; SIDE_BY_SIDE] {
    let [a, b, c, d] = rows;
    lane_sums(
        [vector, a, b, c, d],
        #[inline(always)]
        |[v, a, b, c, d]| {
            let v = v.f64();
            [v * a.f64(), v * b.f64(), v * c.f64(), v * d.f64()]
        },
    )
}

/// The products of a few rows with two vectors: each row is read, and turned into `f64`, once.
#[inline(always)]
fn products_of_two<T: Real>(
    vectors: [&[T]; 2],
    rows: [&[T]; SIDE_BY_SIDE],
) -> [[f64; SIDE_BY_SIDE]; 2] {
    let ([v, w], [a, b, c, d]) = (vectors, rows);
    let sums: [f64; 2 * SIDE_BY_SIDE] = lane_sums(
        [v, w, a, b, c, d],
        #[inline(always)]
        |[v, w, a, b, c, d]| {
            let (v, w, a, b, c, d) = (v.f64(), w.f64(), a.f64(), b.f64(), c.f64(), d.f64());
            [v * a, v * b, v * c, v * d, w * a, w * b, w * c, w * d]
        },
    );
    [from_fn(|k| sums[k]), from_fn(|k| sums[SIDE_BY_SIDE + k])]
}

/// out <- scale base + sum `coefficients[r]` `rows[r]`, each row read once; returns out.base and
/// out.out.
///
/// All blocks have the same layout; rows with a coefficient of 0 are not read.
pub fn combine_rows(
    out: &mut Blocks,
    scale: f64,
    base: &Blocks,
    rows: &[&Blocks],
    coefficients: &[f64],
) -> [f64; 2] {
    let used: Vec<(&Blocks, f64)> = rows
        .iter()
        .zip(coefficients)
        .filter(|(_, coefficient)| **coefficient != 0.0)
        .map(|(row, coefficient)| (*row, *coefficient))
        .collect();
    let small = is_small(base, used.len() + 1);
    let mut sums = [0.0; 2];
    for (tensor, data) in out.tensors_mut().iter_mut().enumerate() {
        let part = match data.dtype() {
            DType::F64 => combine_tensor::<f64>(data, scale, base, &used, tensor, small),
            _ => combine_tensor::<f32>(data, scale, base, &used, tensor, small),
        };
        sums = [sums[0] + part[0], sums[1] + part[1]];
    }
    sums
}

fn combine_tensor<T: Real>(
    out: &mut TensorData,
    scale: f64,
    base: &Blocks,
    rows: &[(&Blocks, f64)],
    tensor: usize,
    small: bool,
) -> [f64; 2] {
    let out: &mut [T] = out.as_mut_slice().expect("blocks have the layout's type");
    let run = |(chunk, out): (usize, &mut [T])| {
        let start = chunk * CHUNK;
        let base = piece::<T>(&base.tensors()[tensor], start);
        let rows: Vec<(&[T], f64)> =
            rows.iter().map(|(row, a)| (piece(&row.tensors()[tensor], start), *a)).collect();
        pulp::Arch::new().dispatch(Combine { out, scale, base, rows: &rows })
    };
    let parts: Vec<[f64; 2]> = if small || out.len() <= CHUNK {
        out.chunks_mut(CHUNK).enumerate().map(run).collect()
    } else {
        out.par_chunks_mut(CHUNK).enumerate().map(run).collect()
    };
    parts.into_iter().fold([0.0; 2], |sums, part| [sums[0] + part[0], sums[1] + part[1]])
}

struct Combine<'a, T> {
    out: &'a mut [T],
    scale: f64,
    base: &'a [T],
    rows: &'a [(&'a [T], f64)],
}

impl<T: Real> pulp::NullaryFnOnce for Combine<'_, T> {
    type Output = [f64; 2];

    #[inline(always)]
    fn call(self) -> [f64; 2] {
        let Self { out, scale, base, rows } = self;
        let mut total: Vec<f64> = base.iter().map(|base| scale * base.f64()).collect();
        let (groups, rest) = rows.as_chunks::<SIDE_BY_SIDE>();
        for group in groups {
            let coefficients: [f64; SIDE_BY_SIDE] = from_fn(|k| group[k].1);
            let [a, b, c, d] = from_fn(|k| group[k].0);
            for ((((total, a), b), c), d) in total.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *total += coefficients[0] * a.f64()
                    + coefficients[1] * b.f64()
                    + coefficients[2] * c.f64()
                    + coefficients[3] * d.f64();
            }
        }
        for (row, coefficient) in rest {
            for (total, row) in total.iter_mut().zip(*row) {
                *total += coefficient * row.f64();
            }
        }
        for (out, total) in out.iter_mut().zip(&total) {
            *out = T::of(*total);
        }
        lane_sums(
            [&*out, base],
            #[inline(always)]
            |[out, base]| {
                let (out, base) = (out.f64(), base.f64());
                [out * base, out * out]
            },
        )
    }
}

/// Whether a pass over `rows` vectors is not worth waking a second thread.
fn is_small(layout: &Blocks, rows: usize) -> bool {
    let numbers: usize = layout.tensors().iter().map(TensorData::num_elements).sum();
    numbers * (rows + 1) < SEQUENTIAL_BELOW || rayon::current_num_threads() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two tensors, the second longer than a chunk; small integers, whose sums are exact.
    fn blocks<T: Real>(seed: usize) -> Blocks {
        let tensor = |length: usize| {
            let numbers = (0..length).map(|i| T::of(((i * 7 + seed * 5) % 11) as f64 - 5.0));
            TensorData::new(numbers.collect::<Vec<T>>(), [length])
        };
        Blocks::new(vec![tensor(5), tensor(CHUNK + 700)])
    }

    fn numbers(blocks: &Blocks) -> Vec<f64> {
        blocks.tensors().iter().flat_map(|data| data.iter::<f64>()).collect()
    }

    fn check<T: Real>() {
        let vectors = [blocks::<T>(100), blocks::<T>(101)];
        for count in [0, 1, 3, 4, 9] {
            let rows: Vec<Blocks> = (0..count).map(blocks::<T>).collect();
            let rows: Vec<&Blocks> = rows.iter().collect();
            let products = row_products(&rows, &[&vectors[0], &vectors[1]]);
            let plain = |a: &Blocks, b: &Blocks| -> f64 {
                numbers(a).iter().zip(numbers(b)).map(|(a, b)| a * b).sum()
            };
            for (products, vector) in products.iter().zip(&vectors) {
                let expected: Vec<f64> = rows.iter().map(|row| plain(row, vector)).collect();
                assert_eq!(*products, expected);
            }
            let coefficients: Vec<f64> = (0..count).map(|r| r as f64 - 1.0).collect();
            let mut out = blocks::<T>(7);
            let sums = combine_rows(&mut out, 0.5, &vectors[0], &rows, &coefficients);
            let mut expected: Vec<f64> = numbers(&vectors[0]).iter().map(|x| 0.5 * x).collect();
            for (row, coefficient) in rows.iter().zip(&coefficients) {
                expected.iter_mut().zip(numbers(row)).for_each(|(e, x)| *e += coefficient * x);
            }
            assert_eq!(numbers(&out), expected);
            assert_eq!(sums, [plain(&out, &vectors[0]), plain(&out, &out)]);
        }
    }

    #[test]
    fn products_and_combinations_are_those_of_plain_loops() {
        check::<f32>();
        check::<f64>();
    }
}
