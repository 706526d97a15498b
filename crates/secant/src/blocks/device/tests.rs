//! Every operation on a device against the same in host memory.

use burn::{
    module::ParamId,
    tensor::{DType, Device, Shape},
};
use secant_core::rng::SplitMix64;

use super::super::*;
use crate::oracle::{Clipping, Screen};

/// Lengths of odd sides, around the host's lanes, groups and chunks.
const SHAPES: [&[usize]; 7] =
    [&[1], &[15], &[3, 5], &[5, 3, 3], &[7, 3, 3, 5], &[1001], &[65_537 + 2 * 17]];

fn layout(dtype: DType, memory: Memory) -> Layout {
    let entry = |(index, shape): (usize, &&[usize])| Entry {
        id: ParamId::from(index as u64),
        path: format!("p{index}"),
        shape: Shape::from(shape.to_vec()),
        dtype,
    };
    Layout::new(SHAPES.iter().enumerate().map(entry).collect()).in_memory(memory)
}

/// The same random vectors in host memory and on a device.
struct Both {
    host: Blocks,
    device: Blocks,
}

impl Both {
    fn draw(dtype: DType, seed: u64) -> Self {
        let [host, device] = memories()
            .map(|memory| Blocks::random_bell(&layout(dtype, memory), &mut SplitMix64::new(seed)));
        Self { host, device }
    }

    /// Fails where a number is further from the host's than some roundings of the largest.
    #[track_caller]
    fn assert_close(&self, dtype: DType, what: &str) {
        assert!(matches!(self.device.buffers, Buffers::Device(_)), "{what}: left the device");
        let (host, device) = (numbers(&self.host), numbers(&self.device));
        assert_eq!(host.len(), device.len(), "{what}");
        assert_close(dtype, what, &host, &device);
    }
}

fn memories() -> [Memory; 2] {
    [Memory::Host, Memory::Device(Device::flex())]
}

fn numbers(blocks: &Blocks) -> Vec<f64> {
    blocks.data().flat_map(|data| data.iter::<f64>().collect::<Vec<f64>>()).collect()
}

/// Sums are in double precision in both, in another order: 70,000 terms of either sign lose some 1e-14
/// of the largest sum.
const SUM: f64 = 1e-13;

/// Elements: both compute the same expressions in the vectors' type. In double precision a coefficient
/// that comes from a sum differs by as much as the sum; in single precision it can round to the other
/// side, which is a unit or two in the last place of an element.
#[track_caller]
fn assert_close(dtype: DType, what: &str, host: &[f64], device: &[f64]) {
    let tolerance = if dtype == DType::F64 { SUM } else { 4.0 * f64::from(f32::EPSILON) };
    compare(tolerance, what, host, device);
}

/// Sums. Products with a vector in single precision that was just written see some of its 70,000
/// elements rounded to the other side, by 1e-7 of each.
#[track_caller]
fn assert_sums(dtype: DType, what: &str, host: &[f64], device: &[f64]) {
    compare(if dtype == DType::F64 { SUM } else { 1e-10 }, what, host, device);
}

#[track_caller]
fn compare(tolerance: f64, what: &str, host: &[f64], device: &[f64]) {
    let scale = host.iter().fold(0.0, |scale: f64, x| scale.max(x.abs()));
    for (host, device) in host.iter().zip(device) {
        let off = (host - device).abs();
        assert!(off <= tolerance * scale, "{what}: {device}, not {host} of {scale}");
    }
}

/// Applies an operation to the first of these vectors, in both memories.
#[track_caller]
fn check(what: &str, operation: impl Fn(&mut Blocks, [&Blocks; 3]) -> Vec<f64>) {
    for dtype in [DType::F32, DType::F64] {
        let mut out = Both::draw(dtype, 1);
        let [a, b, c] = [2, 3, 4].map(|seed| Both::draw(dtype, seed));
        let host = operation(&mut out.host, [&a.host, &b.host, &c.host]);
        let device = operation(&mut out.device, [&a.device, &b.device, &c.device]);
        assert_sums(dtype, what, &host, &device);
        out.assert_close(dtype, what);
    }
}

#[test]
fn the_operations_on_vectors_are_those_of_the_host() {
    check("assign", |out, [a, ..]| {
        assign(out, a);
        vec![]
    });
    check("advance", |out, [a, b, _]| {
        advance(out, a, -0.7, b);
        vec![]
    });
    check("add a multiple", |out, [a, ..]| {
        add_scaled(out, 0.3, a);
        vec![]
    });
    check("scale", |out, _| {
        scale(out, 1.7);
        vec![]
    });
    check("make a pair", |out, [a, b, c]| {
        let mut y = a.clone();
        let pair = make_pair(out, &mut y, b, c);
        vec![pair.ss, pair.sy, pair.yy, norm(&y)]
    });
    check("products and norms", |out, [a, b, _]| {
        let mut all = tensor_squares(a);
        all.extend([dot(a, b), norm(out), absolute_sum(a), maximum_norm(b)]);
        all
    });
}

#[test]
fn the_passes_over_rows_are_those_of_the_host() {
    for count in 0..6 {
        check("products of rows", |out, [a, b, c]| {
            let rows = &[a, b, c, a, b][..count.min(5)];
            row_products(rows, &[out, c]).concat()
        });
        check("a combination of rows", |out, [a, b, c]| {
            let rows = &[a, b, c, b, a][..count.min(5)];
            combine_rows(out, -0.6, c, rows, &[0.5, 0.0, -2.0, 1.0, 0.1][..count.min(5)]).to_vec()
        });
    }
}

#[test]
fn gradients_are_screened_as_on_the_host() {
    let clippings = [
        None,
        Some(Clipping::Value(0.5)),
        Some(Clipping::TensorNorm(3.0)),
        Some(Clipping::GlobalNorm(3.0)),
    ];
    for clipping in clippings {
        check("a screened gradient", |g, _| {
            let norm = Screen { guard: true, clipping }.apply(g).expect("finite numbers");
            norm.into_iter().collect()
        });
    }
}

#[test]
fn entries_are_filled_averaged_and_changed_as_on_the_host() {
    check("signs", |out, _| {
        let memory = if matches!(out.buffers, Buffers::Host(_)) { 0 } else { 1 };
        *out = Blocks::random_signs(&layout(out.dtype(0), memories()[memory].clone()), 7);
        vec![]
    });
    for absolute in [false, true] {
        check("means of groups", |out, _| {
            out.average_groups(absolute, |shape| match *shape.as_slice() {
                [_, _, length] => Some(length),
                [_, _, rows, columns] => Some(rows * columns),
                _ => None,
            });
            vec![]
        });
    }
    check("entries", |out, [a, ..]| {
        let places = [0, 1, 15, 16, 300, 70_000 - 3_500];
        places.into_iter().for_each(|place| out.add_to_entry(place, 0.25 + place as f64));
        places.map(|place| out.entry(place) + a.entry(place)).to_vec()
    });
}

#[test]
fn blocks_go_to_a_device_and_back_bit_by_bit() {
    for dtype in [DType::F32, DType::F64] {
        let Both { host, device } = Both::draw(dtype, 5);
        assert_eq!(
            (device.num_elements(), device.num_bytes()),
            (host.num_elements(), host.num_bytes())
        );
        assert_eq!(numbers(&device.zeros_like()), numbers(&host.zeros_like()));
        assert_eq!(device.in_memory(&Memory::Host).into_data(), host.into_data());
    }
}

#[test]
fn a_number_that_is_not_finite_is_seen_on_a_device() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let Both { mut device, .. } = Both::draw(DType::F32, 6);
        device.add_to_entry(20, bad);
        assert!(!maximum_norm(&device).is_finite(), "{bad}");
        assert!(!norm(&device).is_finite(), "{bad}");
        assert!(Screen { guard: true, clipping: None }.apply(&mut device).is_err(), "{bad}");
    }
}

/// x <- 0 y + 1 x, and x without x.
#[derive(Clone, Copy)]
struct Nothing;

impl TensorKernel<2, 1, 2> for Nothing {
    type Decision = [f64; 2];

    fn terms<N: Number>(self, [x, _]: [N; 2], [y]: [N; 1]) -> [N::Wide; 2] {
        [N::Wide::of(2.0), N::Wide::of(0.0) * y.wide() + x.wide()]
    }

    fn decide(self, sums: [f64; 2]) -> [f64; 2] {
        sums
    }

    fn apply<N: Number>(self, _: [f64; 2], [x, _]: [N; 2], [y]: [N; 1]) -> [N; 2] {
        [N::of(0.0) * y + N::of(1.0) * x, N::of(3.0)]
    }
}

#[test]
fn constants_are_numbers_everywhere_and_empty_tensors_have_none() {
    let of_lengths = |lengths: [usize; 2]| {
        let data = lengths.map(|length| TensorData::new(vec![0.5f32; length], [length]));
        Blocks::new(data.into()).in_memory(&memories()[1])
    };
    let (mut x, mut out, y) = (of_lengths([3, 0]), of_lengths([3, 0]), of_lengths([3, 0]));
    let sums = for_each_tensor(|_| Nothing, [&mut x, &mut out], [&y]);
    assert_eq!(sums, [[6.0, 1.5], [0.0, 0.0]]);
    assert_eq!((numbers(&x), numbers(&out)), (vec![0.5; 3], vec![3.0; 3]));
}
