//! Loops over the elements of slices, in a fixed number of lanes.
//!
//! Each loop copies one group of elements from every slice, computes, and puts the results back. A
//! compiler then sees vectors of `LANES` numbers that cannot overlap, whatever the slices are and
//! wherever a kernel's coefficients stand, and turns them into vector instructions.

use std::array::from_fn;

use super::Real;

/// Partial sums that run side by side: wide enough for every vector unit, and fixed, so that the
/// result does not depend on the machine.
pub const LANES: usize = 16;

/// Replaces the elements of `W` slices by `f` of the elements of all slices, which have one length.
#[inline(always)]
pub(super) fn lane_apply<T: Real, const W: usize, const R: usize>(
    mut written: [&mut [T]; W],
    read: [&[T]; R],
    f: impl Fn([T; W], [T; R]) -> [T; W],
) {
    let length = written[0].len();
    let whole = length / LANES;
    let written_groups = written.each_mut().map(|slice| &mut slice.as_chunks_mut().0[..whole]);
    let read_groups: [&[[T; LANES]]; R] = from_fn(|k| &read[k].as_chunks().0[..whole]);
    for index in 0..whole {
        let mut group: [[T; LANES]; W] = from_fn(|k| written_groups[k][index]);
        let read: [[T; LANES]; R] = from_fn(|k| read_groups[k][index]);
        for lane in 0..LANES {
            let new = f(from_fn(|k| group[k][lane]), from_fn(|k| read[k][lane]));
            for k in 0..W {
                group[k][lane] = new[k];
            }
        }
        for k in 0..W {
            written_groups[k][index] = group[k];
        }
    }
    for element in whole * LANES..length {
        let new = f(from_fn(|k| written[k][element]), from_fn(|k| read[k][element]));
        for k in 0..W {
            written[k][element] = new[k];
        }
    }
}

/// The `S` sums of `f` over the elements of `K` slices of one length.
#[inline(always)]
pub fn lane_sums<T: Real, const K: usize, const S: usize>(
    slices: [&[T]; K],
    f: impl Fn([T; K]) -> [f64; S],
) -> [f64; S] {
    let (groups, rest) = split(slices);
    let mut lanes = [[0.0; LANES]; S];
    for index in 0..groups[0].len() {
        let group: [[T; LANES]; K] = from_fn(|k| groups[k][index]);
        for lane in 0..LANES {
            let terms = f(from_fn(|k| group[k][lane]));
            for sum in 0..S {
                lanes[sum][lane] += terms[sum];
            }
        }
    }
    let mut sums = [0.0; S];
    for sum in 0..S {
        sums[sum] = lanes[sum].iter().sum();
    }
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
    let (groups, rest) = split(slices);
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

/// The same numbers in `f64`. `array::map` would be a call in the middle of a kernel.
#[inline(always)]
pub fn in_f64<T: Real, const K: usize>(elements: [T; K]) -> [f64; K] {
    from_fn(|k| elements[k].f64())
}

/// Slices of one length as groups of `LANES` elements, and what is left of them.
#[inline(always)]
fn split<T, const K: usize>(slices: [&[T]; K]) -> ([&[[T; LANES]]; K], [&[T]; K]) {
    let whole = slices.first().map_or(0, |slice| slice.len() / LANES);
    (from_fn(|k| &slices[k].as_chunks().0[..whole]), from_fn(|k| &slices[k][whole * LANES..]))
}
