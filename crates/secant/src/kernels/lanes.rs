//! Sums in `f64`, in a fixed number of lanes.

use std::array::from_fn;

use super::Real;

/// Partial sums that run side by side: wide enough for every vector unit, and fixed, so that the
/// result does not depend on the machine.
pub const LANES: usize = 16;

/// The `S` sums of `f` over the elements of `K` slices of one length.
#[inline(always)]
pub fn lane_sums<T: Real, const K: usize, const S: usize>(
    slices: [&[T]; K],
    f: impl Fn([T; K]) -> [f64; S],
) -> [f64; S] {
    let (groups, rest) = (slices.map(groups_of), slices.map(rest_of));
    let mut lanes = [[0.0; LANES]; S];
    for index in 0..groups[0].len() {
        // A copy, so that compilers see one vector for each slice and not `LANES` numbers.
        let group: [[T; LANES]; K] = from_fn(|k| groups[k][index]);
        for lane in 0..LANES {
            let terms = f(from_fn(|k| group[k][lane]));
            for sum in 0..S {
                lanes[sum][lane] += terms[sum];
            }
        }
    }
    let mut sums = lanes.map(|lanes| lanes.iter().sum::<f64>());
    for element in 0..rest[0].len() {
        let terms = f(from_fn(|k| rest[k][element]));
        for sum in 0..S {
            sums[sum] += terms[sum];
        }
    }
    sums
}

/// The largest value of `f`, which is not negative, over the elements of `K` slices of one length.
/// NaN is passed on.
#[inline(always)]
pub fn lane_maximum<T: Real, const K: usize>(
    slices: [&[T]; K],
    f: impl Fn([f64; K]) -> f64,
) -> f64 {
    let (groups, rest) = (slices.map(groups_of), slices.map(rest_of));
    let mut lanes = [0.0; LANES];
    for index in 0..groups[0].len() {
        let group: [[T; LANES]; K] = from_fn(|k| groups[k][index]);
        for (lane, largest) in lanes.iter_mut().enumerate() {
            *largest = larger(*largest, f(from_fn(|k| group[k][lane].f64())));
        }
    }
    let whole = lanes.into_iter().fold(0.0, larger);
    let elements = 0..rest[0].len();
    elements.map(|element| f(from_fn(|k| rest[k][element].f64()))).fold(whole, larger)
}

/// The larger of two numbers; NaN if one of them is.
#[inline(always)]
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if b <= a || a.is_nan() { a } else { b }
}

#[inline(always)]
fn groups_of<T>(slice: &[T]) -> &[[T; LANES]] {
    slice.as_chunks().0
}

#[inline(always)]
fn rest_of<T>(slice: &[T]) -> &[T] {
    slice.as_chunks::<LANES>().1
}
