//! Passes over blocks in host memory, at its speed.
//!
//! Many tensors run side by side and stay in cache between two passes; a large one is cut into fixed
//! chunks that run side by side. Sums are taken in `f64`, in 16 lanes over fixed chunks whose
//! sums are added in order, so a result depends neither on the number of threads nor on the machine.

mod lanes;
mod rows;
mod vectors;

pub(super) use rows::{combine_rows, row_products};
use vectors::CHUNK;
pub(crate) use vectors::Vectors;

use burn::tensor::{DType, TensorData};
use rayon::prelude::*;

use super::{Blocks, Passes, Real};

/// Below this many numbers a step is not worth waking a second thread.
const SEQUENTIAL_BELOW: usize = 32 * 1024;

/// Runs passes of its own on every tensor that is chosen; the outputs are in the order of the tensors.
///
/// All blocks have the same layout, as far as tensors are chosen.
pub(super) fn for_tensors<P, const W: usize, const R: usize>(
    is_chosen: impl Fn(usize) -> bool,
    passes: impl Fn(usize) -> P + Sync,
    written: [&mut Blocks; W],
    read: [&Blocks; R],
) -> Vec<P::Output>
where
    P: Passes<W, R>,
{
    let work = gather(is_chosen, written, read);
    let run = |(tensor, (written, read)): (usize, Buffers<'_, W, R>)| match written
        .first()
        .map_or_else(|| read[0].dtype(), |data| data.dtype())
    {
        DType::F64 => passes(tensor).on_host(&mut Vectors::<f64, W, R>::new(written, read)),
        _ => passes(tensor).on_host(&mut Vectors::<f32, W, R>::new(written, read)),
    };
    let numbers: usize = work.iter().map(|(_, (written, read))| num_elements(written, read)).sum();
    if numbers < SEQUENTIAL_BELOW || rayon::current_num_threads() == 1 {
        work.into_iter().map(run).collect()
    } else {
        work.into_par_iter().map(run).collect()
    }
}

/// The buffers of one tensor.
type Buffers<'a, const W: usize, const R: usize> = ([&'a mut TensorData; W], [&'a TensorData; R]);

fn num_elements<const W: usize, const R: usize>(
    written: &[&mut TensorData; W],
    read: &[&TensorData; R],
) -> usize {
    written.first().map_or_else(|| read[0].num_elements(), |data| data.num_elements())
}

/// Turns W + R lists over tensors into one list of W + R buffers, of the tensors that are chosen.
fn gather<'a, const W: usize, const R: usize>(
    is_chosen: impl Fn(usize) -> bool,
    written: [&'a mut Blocks; W],
    read: [&'a Blocks; R],
) -> Vec<(usize, Buffers<'a, W, R>)> {
    let tensors = written.first().map_or_else(|| read[0].num_tensors(), |b| b.num_tensors());
    assert!(
        written.iter().all(|blocks| blocks.num_tensors() == tensors)
            && read.iter().all(|blocks| blocks.num_tensors() == tensors),
        "all blocks of a pass have the same layout"
    );
    let mut written = written.map(|blocks| blocks.host_mut().iter_mut());
    let mut read = read.map(|blocks| blocks.host().iter());
    let mut work = Vec::with_capacity(tensors);
    for tensor in 0..tensors {
        let written = written.each_mut().map(|list| list.next().expect("counted above"));
        let read = read.each_mut().map(|list| list.next().expect("counted above"));
        if is_chosen(tensor) {
            work.push((tensor, (written, read)));
        }
    }
    work
}

/// The numbers of a buffer.
pub(super) fn slice<T: Real>(data: &TensorData) -> &[T] {
    data.as_slice().expect("blocks have the layout's type")
}

/// The same, to be written.
pub(super) fn slice_mut<T: Real>(data: &mut TensorData) -> &mut [T] {
    data.as_mut_slice().expect("blocks have the layout's type")
}
