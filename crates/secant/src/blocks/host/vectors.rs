//! The vectors of one tensor in host memory, and the passes that a kernel makes over them.

use std::array::from_fn;

use burn::tensor::TensorData;
use rayon::prelude::*;

use super::{
    lanes::{lane_apply, lane_fold},
    slice, slice_mut,
};
use crate::blocks::{Real, TensorKernel, tape::Formula};

/// Numbers in a chunk: seven `f32` vectors of this length fit in a second-level cache.
pub(super) const CHUNK: usize = 16 * 1024;

/// A tensor of at most this many numbers is treated by one thread, so that a second pass over it
/// finds it in cache.
const WHOLE_UP_TO: usize = 4 * CHUNK;

/// The same stretch of every vector of a tensor.
type Chunk<'a, T, const W: usize, const R: usize> = ([&'a mut [T]; W], [&'a [T]; R]);

/// A chunk to be written. What [`pulp::Arch::dispatch`] runs is compiled for the vector instructions at
/// hand together with all that is inlined into it; a closure in this struct's place would have an
/// `FnOnce` form that can stay a function of its own, without them. The kernel is here by value, so
/// that its coefficients are numbers and not places in memory that a chunk might overlap.
struct Apply<'a, K, D, T, const W: usize, const R: usize, const S: usize> {
    kernel: K,
    decision: D,
    chunk: Chunk<'a, T, W, R>,
}

impl<K, D, T: Real, const W: usize, const R: usize, const S: usize> pulp::NullaryFnOnce
    for Apply<'_, K, D, T, W, R, S>
where
    K: TensorKernel<W, R, S, Decision = D>,
    D: Copy,
{
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { kernel, decision, chunk: (written, read) } = self;
        lane_apply(
            written,
            read,
            #[inline(always)]
            |written, read| kernel.apply(decision, written, read),
        );
    }
}

/// A chunk to be summed; see [`Apply`].
struct Fold<'a, K, T, const W: usize, const R: usize, const S: usize> {
    kernel: K,
    written: [&'a [T]; W],
    read: [&'a [T]; R],
}

impl<K, T: Real, const W: usize, const R: usize, const S: usize> pulp::NullaryFnOnce
    for Fold<'_, K, T, W, R, S>
where
    K: TensorKernel<W, R, S>,
{
    type Output = [f64; S];

    #[inline(always)]
    fn call(self) -> [f64; S] {
        let Self { kernel, written, read } = self;
        lane_fold(
            written,
            read,
            #[inline(always)]
            |written, read| kernel.terms(written, read),
            K::REDUCTION,
        )
    }
}

/// The vectors of one tensor: `W` that are written and `R` that are only read.
pub(crate) struct Vectors<'a, T, const W: usize, const R: usize> {
    written: [&'a mut [T]; W],
    read: [&'a [T]; R],
}

impl<'a, T: Real, const W: usize, const R: usize> Vectors<'a, T, W, R> {
    /// Buffers of type `T` and one length.
    ///
    /// # Panics
    /// Where a buffer has another type or length: the layout rules that out.
    pub fn new(written: [&'a mut TensorData; W], read: [&'a TensorData; R]) -> Self {
        let vectors = Self {
            written: written.map(|data| slice_mut(data)),
            read: read.map(|data| slice(data)),
        };
        let length = vectors.len();
        let same = vectors.written.iter().all(|slice| slice.len() == length)
            && vectors.read.iter().all(|slice| slice.len() == length);
        assert!(same, "blocks have the layout's shapes");
        vectors
    }

    fn len(&self) -> usize {
        self.written.first().map_or_else(|| self.read[0].len(), |slice| slice.len())
    }

    /// One pass that writes what `kernel` makes of the elements.
    pub fn apply<K, const S: usize>(&mut self, kernel: K, decision: K::Decision)
    where
        K: TensorKernel<W, R, S>,
    {
        let arch = pulp::Arch::new();
        let run = |chunk: Chunk<'_, T, W, R>| {
            arch.dispatch(Apply::<_, _, T, W, R, S> { kernel, decision, chunk });
        };
        if self.len() <= WHOLE_UP_TO {
            run((self.written.each_mut().map(|slice| &mut **slice), self.read));
        } else {
            self.chunks_mut().into_par_iter().for_each(run);
        }
    }

    /// One pass that sums: the sums of the terms of `kernel` over the chunks, put together in order.
    pub fn sums<K, const S: usize>(&self, kernel: K) -> [f64; S]
    where
        K: TensorKernel<W, R, S>,
    {
        let arch = pulp::Arch::new();
        let length = self.len();
        let (written, read) = self.summed(kernel);
        let run = |start: usize| {
            let range = start..(start + CHUNK).min(length);
            let written = written.map(|slice| &slice[range.clone()]);
            let read = read.map(|slice| &slice[range.clone()]);
            arch.dispatch(Fold::<_, T, W, R, S> { kernel, written, read })
        };
        let add = |sums: [f64; S], part: [f64; S]| {
            from_fn(|sum| K::REDUCTION.combine(sums[sum], part[sum]))
        };
        let starts = (0..length).step_by(CHUNK);
        if length <= WHOLE_UP_TO {
            starts.map(run).fold([0.0; S], add)
        } else {
            let starts: Vec<usize> = starts.collect();
            let parts: Vec<[f64; S]> = starts.into_par_iter().map(run).collect();
            parts.into_iter().fold([0.0; S], add)
        }
    }

    /// The vectors for the sums of `kernel`. In a large tensor each that the sums do not need gives its
    /// place to one that is read anyway: reading it costs as much as any other.
    fn summed<K, const S: usize>(&self, kernel: K) -> ([&[T]; W], [&[T]; R])
    where
        K: TensorKernel<W, R, S>,
    {
        let (mut written, mut read) = (self.written.each_ref().map(|slice| &**slice), self.read);
        if self.len() > WHOLE_UP_TO {
            let formula = Formula::of(|written, read| kernel.terms(written, read));
            let needed = |vector: &usize| formula.reads(*vector);
            if let Some(first) = (0..W + R).find(needed) {
                let other = if first < W { written[first] } else { read[first - W] };
                (0..W).filter(|k| !needed(k)).for_each(|k| written[k] = other);
                (0..R).filter(|k| !needed(&(W + k))).for_each(|k| read[k] = other);
            }
        }
        (written, read)
    }

    fn chunks_mut(&mut self) -> Vec<Chunk<'_, T, W, R>> {
        let chunks = self.len().div_ceil(CHUNK);
        let mut written = self.written.each_mut().map(|slice| slice.chunks_mut(CHUNK));
        let mut read = self.read.map(|slice| slice.chunks(CHUNK));
        let next = |_| {
            let written = written.each_mut().map(|list| list.next().expect("one length"));
            let read = read.each_mut().map(|list| list.next().expect("one length"));
            (written, read)
        };
        (0..chunks).map(next).collect()
    }
}
