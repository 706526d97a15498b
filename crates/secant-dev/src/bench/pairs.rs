//! The time of applying the inverse L-BFGS matrix, of adding a pair to it, and of what a step does with
//! the L-SR1 matrix, beside that of reading the memory.

use std::{fmt::Write, time::Instant};

use burn::tensor::TensorData;
use secant::{
    CurvatureTest, PairOutcome,
    blocks::Blocks,
    operator::{InverseLBfgs, LSr1, Scaling},
};
use secant_core::{compact::Tolerances, curvature::PairProducts, rng::SplitMix64};
use serde_json::json;

use super::{bandwidth::Bandwidth, measure::median};

/// What was measured with one number of pairs.
#[derive(Clone, Debug)]
pub struct PairsMeasurement {
    /// Numbers in a vector.
    pub numbers: usize,
    /// Pairs stored.
    pub memory: usize,
    /// The bandwidth measured beside every operation, in bytes per second.
    pub bandwidth: f64,
    /// Median seconds to apply the matrix.
    pub apply_seconds: f64,
    /// Median of that time in times of reading the memory twice.
    pub apply_ratio: f64,
    /// Median seconds to add a pair.
    pub push_seconds: f64,
    /// Median of that time in times of reading the memory once.
    pub push_ratio: f64,
    /// Median seconds to minimise the L-SR1 model in a trust region and to add a pair.
    pub sr1_seconds: f64,
    /// Median of that time in times of reading the memory three times.
    pub sr1_ratio: f64,
}

/// Times that each operation is measured.
const TURNS: usize = 41;

/// Times the matrices of `memory` pairs of `numbers` single-precision numbers.
pub fn measure_pairs(numbers: usize, memory: usize) -> PairsMeasurement {
    let mut lbfgs = InverseLBfgs::new(memory);
    let mut sr1 = LSr1::new(memory);
    let bandwidth = Bandwidth::new(numbers.max(10_000_000));
    for pair in 0..memory {
        push(&mut lbfgs, Pair::new(numbers, pair));
        let Pair { s, y, .. } = Pair::new(numbers, pair);
        sr1.push(s, y);
    }
    let g = Pair::new(numbers, memory).y;
    let mut out = g.zeros_like();
    let mut turns: [Vec<Timed>; 3] = Default::default();
    for turn in 0..TURNS {
        turns[0].push(timed(&bandwidth, || {
            let applied = lbfgs.apply(-1.0, Scaling::Newest, &g, &mut out);
            assert!(applied.is_some(), "the pairs are finite");
        }));
        let pair = Pair::new(numbers, memory + 1 + turn);
        turns[1].push(timed(&bandwidth, || push(&mut lbfgs, pair)));
        let pair = Pair::new(numbers, memory + 1 + turn);
        turns[2].push(timed(&bandwidth, || sr1_step(&mut sr1, &g, pair)));
    }
    measurement(numbers, memory, &turns)
}

/// The time of an operation, and the bandwidth right before and after.
struct Timed {
    seconds: f64,
    bytes_per_second: f64,
}

fn timed(bandwidth: &Bandwidth, work: impl FnOnce()) -> Timed {
    let before = bandwidth.read_seconds();
    let seconds = seconds(work);
    let reads = before + bandwidth.read_seconds();
    Timed { seconds, bytes_per_second: 2.0 * bandwidth.read_bytes() / reads }
}

/// What a step of a trust-region method does beyond its gradients.
fn sr1_step(matrix: &mut LSr1, g: &Blocks, Pair { s, y, .. }: Pair) {
    let best = matrix.minimise(g, 1.0, 0.1, Tolerances::F32).expect("the pairs are finite");
    assert_eq!(best.skipped, 0, "a convex function's independent pairs");
    assert!(matrix.push(s, y), "the pairs are finite");
}

fn measurement(numbers: usize, memory: usize, turns: &[Vec<Timed>; 3]) -> PairsMeasurement {
    // 2 m vectors of s and y.
    let bytes = (2 * memory * numbers * size_of::<f32>()) as f64;
    let of = |turns: &[Timed], value: &dyn Fn(&Timed) -> f64| {
        median(&turns.iter().map(value).collect::<Vec<_>>())
    };
    let seconds = |turns| of(turns, &|turn| turn.seconds);
    let ratio = |turns, passes: f64| {
        of(turns, &|turn| turn.seconds * turn.bytes_per_second / (passes * bytes))
    };
    let [applies, pushes, steps] = turns;
    PairsMeasurement {
        numbers,
        memory,
        bandwidth: of(steps, &|turn| turn.bytes_per_second),
        apply_seconds: seconds(applies),
        apply_ratio: ratio(applies, 2.0),
        push_seconds: seconds(pushes),
        push_ratio: ratio(pushes, 1.0),
        sr1_seconds: seconds(steps),
        sr1_ratio: ratio(steps, 3.0),
    }
}

/// A pair of a diagonal Hessian, with its own products, as a step knows them.
struct Pair {
    s: Blocks,
    y: Blocks,
    products: PairProducts,
}

impl Pair {
    /// Pairs with other numbers are independent.
    fn new(numbers: usize, number: usize) -> Self {
        let mut rng = SplitMix64::stream(0, number as u64);
        let s: Vec<f32> = (0..numbers).map(|_| rng.range(-1.0, 1.0)).collect();
        let curvature = |i: usize| 1.5 + (i as f32 * 0.11).sin();
        let y: Vec<f32> = s.iter().enumerate().map(|(i, s)| curvature(i) * s).collect();
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let products = PairProducts { ss: dot(&s, &s), sy: dot(&s, &y), yy: dot(&y, &y) };
        let blocks = |x: Vec<f32>| Blocks::new(vec![TensorData::new(x, [numbers])]);
        Self { s: blocks(s), y: blocks(y), products }
    }
}

fn push(matrix: &mut InverseLBfgs, Pair { s, y, products }: Pair) {
    let outcome = matrix.push(CurvatureTest::Relative(1e-8), products, s, y);
    assert!(matches!(outcome, PairOutcome::Stored { .. }), "a convex function's pair");
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// One line of JSON; keys do not change their meaning.
pub fn pairs_json(m: &PairsMeasurement, threads: usize) -> String {
    json!({
        "numbers": m.numbers,
        "memory": m.memory,
        "threads": threads,
        "bandwidth_bytes_per_second": m.bandwidth,
        "apply_seconds": m.apply_seconds,
        "apply_by_two_reads": m.apply_ratio,
        "push_seconds": m.push_seconds,
        "push_by_one_read": m.push_ratio,
        "sr1_step_seconds": m.sr1_seconds,
        "sr1_step_by_three_reads": m.sr1_ratio,
    })
    .to_string()
}

/// A table for people.
pub fn pairs_table(measurements: &[PairsMeasurement], threads: usize) -> String {
    let mut text = String::new();
    let Some(first) = measurements.first() else { return text };
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "pairs of {} numbers, threads {threads}, reading {:.1} GB/s",
        first.numbers,
        first.bandwidth * 1e-9
    );
    let _ = writeln!(
        text,
        "pairs  apply, ms  x two reads  add, ms  x one read  L-SR1, ms  x three reads"
    );
    for m in measurements {
        let _ = writeln!(
            text,
            "{:>5}  {:>9.2}  {:>11.2}  {:>7.2}  {:>10.2}  {:>9.2}  {:>13.2}",
            m.memory,
            m.apply_seconds * 1e3,
            m.apply_ratio,
            m.push_seconds * 1e3,
            m.push_ratio,
            m.sr1_seconds * 1e3,
            m.sr1_ratio
        );
    }
    text
}
