//! The speed of memory, by passes that compute next to nothing.

use std::time::Instant;

use rayon::prelude::*;

/// Numbers that one task moves.
const CHUNK: usize = 64 * 1024;

/// Vectors of the size of a benchmark's, to be moved.
pub(super) struct Bandwidth {
    vectors: [Vec<f32>; 4],
}

impl Bandwidth {
    /// Vectors of `length` numbers.
    pub(super) fn new(length: usize) -> Self {
        Self { vectors: std::array::from_fn(|_| vec![1.0; length]) }
    }

    /// Bytes per second of the faster of two passes: a copy, and one that reads four vectors and
    /// writes three of them. The first run warms up.
    pub(super) fn bytes_per_second(&mut self, runs: usize) -> f64 {
        let bytes = size_of::<f32>() * self.vectors[0].len();
        let mut best = [f64::INFINITY; 2];
        for _ in 0..=runs {
            best[0] = best[0].min(seconds(|| self.copy()));
            best[1] = best[1].min(seconds(|| self.update()));
        }
        (2.0 * bytes as f64 / best[0]).max(7.0 * bytes as f64 / best[1])
    }

    /// Seconds of a pass that reads four vectors and adds them up.
    pub(super) fn read_seconds(&self) -> f64 {
        seconds(|| self.read())
    }

    /// Bytes that this pass reads.
    pub(super) fn read_bytes(&self) -> f64 {
        (4 * size_of::<f32>() * self.vectors[0].len()) as f64
    }

    fn read(&self) {
        let [a, b, c, d] = &self.vectors;
        let read = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)).zip(c.par_chunks(CHUNK));
        let sum: f32 = read
            .zip(d.par_chunks(CHUNK))
            .map(|(((a, b), c), d)| {
                let mut lanes = [0.0f32; 64];
                let (a, b) = (a.as_chunks::<64>().0, b.as_chunks::<64>().0);
                let (c, d) = (c.as_chunks::<64>().0, d.as_chunks::<64>().0);
                for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
                    for lane in 0..64 {
                        lanes[lane] += a[lane] + b[lane] + c[lane] + d[lane];
                    }
                }
                lanes.iter().sum::<f32>()
            })
            .sum();
        std::hint::black_box(sum);
    }

    fn copy(&mut self) {
        let [a, b, _, _] = &mut self.vectors;
        a.par_chunks_mut(CHUNK).zip(b.par_chunks(CHUNK)).for_each(|(a, b)| a.copy_from_slice(b));
    }

    fn update(&mut self) {
        let [a, b, c, d] = &mut self.vectors;
        let written =
            a.par_chunks_mut(CHUNK).zip(b.par_chunks_mut(CHUNK)).zip(c.par_chunks_mut(CHUNK));
        written.zip(d.par_chunks(CHUNK)).for_each(|(((a, b), c), d)| {
            for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
                *a = 0.5 * (*a + *d);
                *b = 0.5 * (*b + *d);
                *c = 0.5 * (*c + *d);
            }
        });
    }
}

fn seconds(pass: impl FnOnce()) -> f64 {
    let start = Instant::now();
    pass();
    start.elapsed().as_secs_f64()
}
