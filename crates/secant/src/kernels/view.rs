//! The vectors of one tensor, and the passes a kernel makes over them.

use burn::tensor::TensorData;
use rayon::prelude::*;

use super::{
    Real,
    lanes::{lane_apply, larger},
};

/// Numbers in a chunk: seven `f32` vectors of this length fit in a second-level cache.
pub(super) const CHUNK: usize = 16 * 1024;

/// A tensor of at most this many numbers is treated by one thread, so that a second pass over it
/// finds it in cache.
const WHOLE_UP_TO: usize = 4 * CHUNK;

/// The same stretch of every vector of a tensor.
type Chunk<'a, T, const W: usize, const R: usize> = ([&'a mut [T]; W], [&'a [T]; R]);

/// A chunk to be written by `f`. What [`pulp::Arch::dispatch`] runs is compiled for the vector
/// instructions at hand together with all that is inlined into it; a closure in this struct's place
/// would have an `FnOnce` form that can stay a function of its own, without them. `f` is here by
/// value, so that its coefficients are numbers and not places in memory that a chunk might overlap.
struct Apply<'a, F, T, const W: usize, const R: usize>(F, Chunk<'a, T, W, R>);

impl<F, T: Real, const W: usize, const R: usize> pulp::NullaryFnOnce for Apply<'_, F, T, W, R>
where
    F: Fn([T; W], [T; R]) -> [T; W],
{
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(f, (written, read)) = self;
        lane_apply(written, read, f);
    }
}

/// A chunk to be reduced by `body`; see [`Apply`].
struct Reduce<'a, F, T, const W: usize, const R: usize>(F, [&'a [T]; W], [&'a [T]; R]);

impl<F, T, const W: usize, const R: usize, const S: usize> pulp::NullaryFnOnce
    for Reduce<'_, F, T, W, R>
where
    F: Fn([&[T]; W], [&[T]; R]) -> [f64; S],
{
    type Output = [f64; S];

    #[inline(always)]
    fn call(self) -> [f64; S] {
        let Self(body, written, read) = self;
        body(written, read)
    }
}

/// The vectors of one tensor: `W` that are written and `R` that are only read.
pub struct View<'a, T, const W: usize, const R: usize> {
    written: [&'a mut [T]; W],
    read: [&'a [T]; R],
}

impl<'a, T: Real, const W: usize, const R: usize> View<'a, T, W, R> {
    /// Views buffers of type `T` and one length.
    ///
    /// # Panics
    /// Where a buffer has another type or length: the layout rules that out.
    pub fn new(written: [&'a mut TensorData; W], read: [&'a TensorData; R]) -> Self {
        let view = Self {
            written: written
                .map(|data| data.as_mut_slice().expect("blocks have the layout's type")),
            read: read.map(|data| data.as_slice().expect("blocks have the layout's type")),
        };
        let length = view.len();
        let same = view.written.iter().all(|slice| slice.len() == length)
            && view.read.iter().all(|slice| slice.len() == length);
        assert!(same, "blocks have the layout's shapes");
        view
    }

    /// Numbers in the tensor.
    pub fn len(&self) -> usize {
        self.written.first().map_or_else(|| self.read[0].len(), |slice| slice.len())
    }

    /// Whether the tensor has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One pass that writes: `f` gives the new values of the written vectors at one place, from
    /// the values of all vectors there.
    pub fn apply(&mut self, f: impl Fn([T; W], [T; R]) -> [T; W] + Sync + Copy) {
        let arch = pulp::Arch::new();
        let run = |chunk: Chunk<'_, T, W, R>| arch.dispatch(Apply(f, chunk));
        if self.len() <= WHOLE_UP_TO {
            run((self.written.each_mut().map(|slice| &mut **slice), self.read));
        } else {
            self.chunks_mut().into_par_iter().for_each(run);
        }
    }

    /// One pass that sums: the `S` sums of `body` over the chunks, added in order.
    pub fn reduce<const S: usize>(
        &self,
        body: impl Fn([&[T]; W], [&[T]; R]) -> [f64; S] + Sync + Copy,
    ) -> [f64; S] {
        self.fold(body, |sum, term| sum + term)
    }

    /// Like [`View::reduce`], for maxima of numbers that are not negative. NaN is passed on.
    pub fn maximum<const S: usize>(
        &self,
        body: impl Fn([&[T]; W], [&[T]; R]) -> [f64; S] + Sync + Copy,
    ) -> [f64; S] {
        self.fold(body, larger)
    }

    fn fold<const S: usize>(
        &self,
        body: impl Fn([&[T]; W], [&[T]; R]) -> [f64; S] + Sync + Copy,
        combine: impl Fn(f64, f64) -> f64,
    ) -> [f64; S] {
        let arch = pulp::Arch::new();
        let length = self.len();
        let run = |start: usize| {
            let range = start..(start + CHUNK).min(length);
            let written = self.written.each_ref().map(|slice| &slice[range.clone()]);
            let read = self.read.map(|slice| &slice[range.clone()]);
            arch.dispatch(Reduce(body, written, read))
        };
        let add =
            |sums: [f64; S], terms: [f64; S]| std::array::from_fn(|i| combine(sums[i], terms[i]));
        if length <= WHOLE_UP_TO {
            (0..length).step_by(CHUNK).map(run).fold([0.0; S], add)
        } else {
            let starts: Vec<usize> = (0..length).step_by(CHUNK).collect();
            let parts: Vec<[f64; S]> = starts.into_par_iter().map(run).collect();
            parts.into_iter().fold([0.0; S], add)
        }
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
