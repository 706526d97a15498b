//! Passes over blocks at the speed of memory.
//!
//! A [`TensorKernel`] says what happens to one tensor, in terms of two passes it may ask its
//! [`View`] for: [`View::apply`] writes, [`View::reduce`] sums. [`for_each_tensor`] runs it over
//! all tensors. Many tensors run side by side and stay in cache between two passes; a large one is
//! cut into fixed chunks that run side by side.
//!
//! Sums are taken in `f64`, in [`LANES`] lanes over fixed chunks whose sums are added in order, so
//! a result does not depend on the number of threads.

mod lanes;
mod rows;
mod view;

pub use lanes::{LANES, in_f64, lane_maximum, lane_sums};
pub use rows::{combine_rows, row_products};
use view::CHUNK;
pub use view::View;

use burn::tensor::{DType, Element, TensorData};
use num_traits::Float;
use rayon::prelude::*;

use crate::blocks::Blocks;

/// The number types of parameters: `f32` and `f64`.
pub trait Real: Float + Element + Default + Send + Sync + 'static {
    /// The number nearest to `x`.
    fn of(x: f64) -> Self;

    /// The same number.
    fn f64(self) -> f64;
}

impl Real for f32 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn f64(self) -> f64 {
        self
    }
}

/// What happens to one tensor: `W` vectors are written, `R` only read.
pub trait TensorKernel<const W: usize, const R: usize>: Sync {
    /// What it says of the tensor.
    type Output: Send;

    /// Treats tensor number `index`.
    fn run<T: Real>(&self, index: usize, view: View<'_, T, W, R>) -> Self::Output;
}

/// Below this many numbers a step is not worth waking a second thread.
const SEQUENTIAL_BELOW: usize = 32 * 1024;

/// Runs `kernel` on every tensor; the outputs are in the order of the tensors.
///
/// All blocks have the same layout.
pub fn for_each_tensor<K, const W: usize, const R: usize>(
    kernel: &K,
    written: [&mut Blocks; W],
    read: [&Blocks; R],
) -> Vec<K::Output>
where
    K: TensorKernel<W, R>,
{
    for_tensors(|_| true, kernel, written, read)
}

/// Runs `kernel` on the tensors whose number passes `is_chosen`; in the others the vectors can have
/// different lengths.
pub fn for_tensors<K, const W: usize, const R: usize>(
    is_chosen: impl Fn(usize) -> bool,
    kernel: &K,
    written: [&mut Blocks; W],
    read: [&Blocks; R],
) -> Vec<K::Output>
where
    K: TensorKernel<W, R>,
{
    let work = gather(written, read).into_iter().enumerate();
    let work: Vec<_> = work.filter(|(index, _)| is_chosen(*index)).collect();
    let run = |(index, (written, read)): (usize, Vectors<'_, W, R>)| match written
        .first()
        .map_or_else(|| read[0].dtype(), |data| data.dtype())
    {
        DType::F64 => kernel.run(index, View::<f64, W, R>::new(written, read)),
        _ => kernel.run(index, View::<f32, W, R>::new(written, read)),
    };
    let numbers: usize = work.iter().map(|(_, (written, read))| num_elements(written, read)).sum();
    if numbers < SEQUENTIAL_BELOW || rayon::current_num_threads() == 1 {
        work.into_iter().map(run).collect()
    } else {
        work.into_par_iter().map(run).collect()
    }
}

/// The vectors of one tensor.
type Vectors<'a, const W: usize, const R: usize> = ([&'a mut TensorData; W], [&'a TensorData; R]);

fn num_elements<const W: usize, const R: usize>(
    written: &[&mut TensorData; W],
    read: &[&TensorData; R],
) -> usize {
    written.first().map_or_else(|| read[0].num_elements(), |data| data.num_elements())
}

/// Turns W + R lists over tensors into one list of W + R vectors.
fn gather<'a, const W: usize, const R: usize>(
    written: [&'a mut Blocks; W],
    read: [&'a Blocks; R],
) -> Vec<Vectors<'a, W, R>> {
    let tensors = written.first().map_or_else(|| read[0].tensors().len(), |b| b.tensors().len());
    assert!(
        written.iter().all(|blocks| blocks.tensors().len() == tensors)
            && read.iter().all(|blocks| blocks.tensors().len() == tensors),
        "all blocks of a pass have the same layout"
    );
    let mut written = written.map(|blocks| blocks.tensors_mut().iter_mut());
    let mut read = read.map(|blocks| blocks.tensors().iter());
    let next = |_| {
        let written = written.each_mut().map(|list| list.next().expect("counted above"));
        let read = read.each_mut().map(|list| list.next().expect("counted above"));
        (written, read)
    };
    (0..tensors).map(next).collect()
}
