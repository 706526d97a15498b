//! Loops over the elements of slices, written so that compilers turn them into vector
//! instructions.
//!
//! What makes them: results go to local arrays first, which nothing can overlap; a group has a fixed
//! number of elements; and a kernel's coefficients come by value, with the function that uses them.

use std::array::from_fn;

use crate::blocks::{Real, Reduction};

/// Partial sums that run side by side: wide enough for every vector unit, and fixed, so that the
/// result does not depend on the machine.
pub(super) const LANES: usize = 16;

/// Elements that [`lane_apply`] computes at a time: so many that compilers keep a loop, which they
/// vectorise better than the same code without one, and so few that they stay in cache.
const GROUP: usize = 64;

/// Replaces the elements of `W` slices by `f` of the elements of all slices, which have one length. Nothing
/// subnormal is written.
#[inline(always)]
pub(super) fn lane_apply<T: Real, const W: usize, const R: usize>(
    written: [&mut [T]; W],
    read: [&[T]; R],
    f: impl Fn([T; W], [T; R]) -> [T; W],
) {
    let length = written[0].len();
    let whole = length / GROUP * GROUP;
    for start in (0..whole).step_by(GROUP) {
        let old: [&[T]; W] = from_fn(|k| &written[k][start..start + GROUP]);
        let read: [&[T]; R] = from_fn(|k| &read[k][start..start + GROUP]);
        let mut new = [[T::default(); GROUP]; W];
        for element in 0..GROUP {
            let values = f(from_fn(|k| old[k][element]), from_fn(|k| read[k][element]));
            for k in 0..W {
                new[k][element] = values[k].flushed();
            }
        }
        for k in 0..W {
            written[k][start..start + GROUP].copy_from_slice(&new[k]);
        }
    }
    for element in whole..length {
        let new = f(from_fn(|k| written[k][element]), from_fn(|k| read[k][element]));
        for k in 0..W {
            written[k][element] = new[k].flushed();
        }
    }
}

/// The `S` sums, or maxima, of the terms over the elements of slices of one length.
#[inline(always)]
pub(super) fn lane_fold<T: Real, const W: usize, const R: usize, const S: usize>(
    written: [&[T]; W],
    read: [&[T]; R],
    terms: impl Fn([T; W], [T; R]) -> [f64; S],
    reduction: Reduction,
) -> [f64; S] {
    let length = written.first().or(read.first()).map_or(0, |slice| slice.len());
    let groups = length / LANES;
    let (written_groups, read_groups) = (in_groups(written, groups), in_groups(read, groups));
    let mut lanes = [[0.0; LANES]; S];
    for index in 0..groups {
        let (written, read) = (group_at(written_groups, index), group_at(read_groups, index));
        for lane in 0..LANES {
            let terms = terms(from_fn(|k| written[k][lane]), from_fn(|k| read[k][lane]));
            for sum in 0..S {
                lanes[sum][lane] = reduction.combine(lanes[sum][lane], terms[sum]);
            }
        }
    }
    let mut sums = [0.0; S];
    for sum in 0..S {
        for lane in &lanes[sum] {
            sums[sum] = reduction.combine(sums[sum], *lane);
        }
    }
    for element in groups * LANES..length {
        let terms = terms(from_fn(|k| written[k][element]), from_fn(|k| read[k][element]));
        for sum in 0..S {
            sums[sum] = reduction.combine(sums[sum], terms[sum]);
        }
    }
    sums
}

/// The `S` sums of the terms over the elements of `R` slices of one length: [`lane_fold`] where nothing is
/// written, by a loop of its own, which compilers make a fifth faster.
#[inline(always)]
pub(super) fn lane_sums<T: Real, const R: usize, const S: usize>(
    slices: [&[T]; R],
    terms: impl Fn([T; R]) -> [f64; S],
) -> [f64; S] {
    let length = slices.first().map_or(0, |slice| slice.len());
    let (groups, rest) = (in_groups(slices, length / LANES), length / LANES * LANES..length);
    let mut lanes = [[0.0; LANES]; S];
    for index in 0..groups[0].len() {
        let group = group_at(groups, index);
        for lane in 0..LANES {
            let terms = terms(from_fn(|k| group[k][lane]));
            for sum in 0..S {
                lanes[sum][lane] += terms[sum];
            }
        }
    }
    let mut sums = [0.0; S];
    for sum in 0..S {
        sums[sum] = lanes[sum].iter().sum();
    }
    for element in rest {
        let terms = terms(from_fn(|k| slices[k][element]));
        for sum in 0..S {
            sums[sum] += terms[sum];
        }
    }
    sums
}

/// The first `count` groups of `LANES` elements of every slice.
#[inline(always)]
fn in_groups<T, const K: usize>(slices: [&[T]; K], count: usize) -> [&[[T; LANES]]; K] {
    from_fn(|k| &slices[k].as_chunks().0[..count])
}

/// A copy of one group of every slice: vectors, to a compiler, and not `LANES` numbers.
#[inline(always)]
fn group_at<T: Real, const K: usize>(groups: [&[[T; LANES]]; K], index: usize) -> [[T; LANES]; K] {
    let mut group = [[T::default(); LANES]; K];
    for k in 0..K {
        group[k] = groups[k][index];
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths around one group and several, with and without a rest.
    const LENGTHS: [usize; 7] = [0, 1, 15, 16, 63, 64, 1000];

    /// Small integers: all sums are exact, in any order.
    fn integers(length: usize) -> Vec<f32> {
        (0..length).map(|i| (i * 7 % 11) as f32 - 5.0).collect()
    }

    #[test]
    fn every_element_is_replaced_whatever_the_length() {
        for length in LENGTHS {
            let (mut a, mut b, c) = (integers(length), vec![2.0; length], integers(length));
            lane_apply([&mut a, &mut b], [&c], |[a, b], [c]| [a + b, b * c]);
            assert!(a.iter().zip(&c).all(|(a, c)| *a == c + 2.0), "length {length}");
            assert!(b.iter().zip(&c).all(|(b, c)| *b == 2.0 * c), "length {length}");
        }
    }

    #[test]
    fn an_average_that_decays_ends_at_zero() {
        for length in [1, 64] {
            let mut m = vec![1.0f32; length];
            for _ in 0..1000 {
                lane_apply([&mut m], [], |[m], []| [0.9 * m]);
                assert!(m.iter().all(|m| *m == 0.0 || m.is_normal()));
            }
            assert!(m.iter().all(|m| *m == 0.0));
        }
    }

    #[test]
    fn sums_are_those_of_a_plain_loop() {
        for length in LENGTHS {
            let (a, b) = (integers(length), vec![3.0f32; length]);
            let sums = lane_sums([&a, &b], |[a, b]: [f32; 2]| {
                let (a, b) = (f64::from(a), f64::from(b));
                [a * a, a * b]
            });
            let squares: f32 = a.iter().map(|a| a * a).sum();
            let total: f32 = a.iter().sum();
            assert_eq!(sums, [f64::from(squares), f64::from(3.0 * total)], "length {length}");
        }
    }

    #[test]
    fn a_nan_anywhere_is_the_maximum() {
        let maximum =
            |a: &[f32]| lane_fold([], [a], |[], [a]| [f64::from(a.abs())], Reduction::Maximum);
        for place in [0, 17, 64, 70] {
            let mut a = integers(71);
            assert_eq!(maximum(&a), [5.0]);
            a[place] = f32::NAN;
            assert!(maximum(&a)[0].is_nan(), "place {place}");
        }
    }
}
