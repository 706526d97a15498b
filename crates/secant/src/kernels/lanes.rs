//! Sums in `f64`, in a fixed number of lanes.

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
    let whole = slices[0].len() / LANES * LANES;
    let mut lanes = [[0.0; LANES]; S];
    let mut start = 0;
    while start < whole {
        let group = slices.map(|slice| &slice[start..start + LANES]);
        for lane in 0..LANES {
            let terms = f(group.map(|slice| slice[lane]));
            for sum in 0..S {
                lanes[sum][lane] += terms[sum];
            }
        }
        start += LANES;
    }
    let mut sums = lanes.map(|lanes| lanes.iter().sum::<f64>());
    for element in whole..slices[0].len() {
        let terms = f(slices.map(|slice| slice[element]));
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
    let length = slices[0].len();
    let slices = slices.map(|slice| &slice[..length]);
    let mut largest = 0.0;
    let mut nan = false;
    for element in 0..length {
        let term = f(slices.map(|slice| slice[element].f64()));
        nan |= term.is_nan();
        largest = if term > largest { term } else { largest };
    }
    if nan { f64::NAN } else { largest }
}
