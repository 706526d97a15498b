//! Passes over rows in host memory, chunk by chunk.

use std::array::from_fn;

use burn::tensor::{DType, TensorData};
use rayon::prelude::*;

use super::{CHUNK, SEQUENTIAL_BELOW, lanes::lane_sums, slice, slice_mut};
use crate::blocks::{Blocks, Real};

/// Rows that are read side by side, each for the length of a chunk: memory delivers few long runs
/// faster than many short ones.
const SIDE_BY_SIDE: usize = 4;

/// The products of some rows with some vectors.
pub(in crate::blocks) fn row_products(rows: &[&Blocks], vectors: &[&Blocks]) -> Vec<Vec<f64>> {
    let zeros = || vec![0.0; rows.len() * vectors.len()];
    let first = vectors[0];
    let mut pieces = Vec::new();
    for (tensor, data) in first.host().iter().enumerate() {
        let length = data.num_elements();
        pieces.extend((0..length).step_by(CHUNK).map(|start| (tensor, start)));
    }
    let run = |(tensor, start): &(usize, usize)| match first.host()[*tensor].dtype() {
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
    let rows: Vec<&[T]> = rows.iter().map(|row| piece(&row.host()[tensor], start)).collect();
    let vectors: Vec<&[T]> = vectors.iter().map(|v| piece(&v.host()[tensor], start)).collect();
    let mut products = vec![0.0; rows.len() * vectors.len()];
    pulp::Arch::new().dispatch(Products { rows: &rows, vectors: &vectors, out: &mut products });
    products
}

fn piece<T: Real>(data: &TensorData, start: usize) -> &[T] {
    let all: &[T] = slice(data);
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
                    |[v, a]| [v.wide() * a.wide()],
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
            let v = v.wide();
            [v * a.wide(), v * b.wide(), v * c.wide(), v * d.wide()]
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
            let (v, w, a, b, c, d) = (v.wide(), w.wide(), a.wide(), b.wide(), c.wide(), d.wide());
            [v * a, v * b, v * c, v * d, w * a, w * b, w * c, w * d]
        },
    );
    [from_fn(|k| sums[k]), from_fn(|k| sums[SIDE_BY_SIDE + k])]
}

/// out <- scale base + the sum of the rows times their coefficients.
pub(in crate::blocks) fn combine_rows(
    out: &mut Blocks,
    scale: f64,
    base: &Blocks,
    rows: &[(&Blocks, f64)],
) -> [f64; 2] {
    let small = is_small(base, rows.len() + 1);
    let mut sums = [0.0; 2];
    for (tensor, data) in out.host_mut().iter_mut().enumerate() {
        let part = match data.dtype() {
            DType::F64 => combine_tensor::<f64>(data, scale, base, rows, tensor, small),
            _ => combine_tensor::<f32>(data, scale, base, rows, tensor, small),
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
    let out: &mut [T] = slice_mut(out);
    let run = |(chunk, out): (usize, &mut [T])| {
        let start = chunk * CHUNK;
        let base = piece::<T>(&base.host()[tensor], start);
        let rows: Vec<(&[T], f64)> =
            rows.iter().map(|(row, a)| (piece(&row.host()[tensor], start), *a)).collect();
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
        let mut total: Vec<f64> = base.iter().map(|base| scale * base.wide()).collect();
        let (groups, rest) = rows.as_chunks::<SIDE_BY_SIDE>();
        for group in groups {
            let coefficients: [f64; SIDE_BY_SIDE] = from_fn(|k| group[k].1);
            let [a, b, c, d] = from_fn(|k| group[k].0);
            for ((((total, a), b), c), d) in total.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *total += coefficients[0] * a.wide()
                    + coefficients[1] * b.wide()
                    + coefficients[2] * c.wide()
                    + coefficients[3] * d.wide();
            }
        }
        for (row, coefficient) in rest {
            for (total, row) in total.iter_mut().zip(*row) {
                *total += coefficient * row.wide();
            }
        }
        for (out, total) in out.iter_mut().zip(&total) {
            *out = T::of(*total);
        }
        lane_sums(
            [&*out, base],
            #[inline(always)]
            |[out, base]| {
                let (out, base) = (out.wide(), base.wide());
                [out * base, out * out]
            },
        )
    }
}

/// Whether a pass over `rows` vectors is not worth waking a second thread.
fn is_small(layout: &Blocks, rows: usize) -> bool {
    layout.num_elements() * (rows + 1) < SEQUENTIAL_BELOW || rayon::current_num_threads() == 1
}
