//! Passes over blocks on a device, as expressions of tensors.
//!
//! A kernel is written down once for each tensor, as a formula of its elements, and the formula is
//! played on the tensors. Sums stay on the device as tensors of one number, and those of all tensors are
//! read together.

mod play;
mod read;
mod rows;
mod vector;

pub(super) use rows::{combine_rows, row_products};
pub(super) use vector::DeviceVector;

use play::{Value, play};
use read::read_together;

use super::{Blocks, Passes, Reduction, TensorKernel, tape::Formula};

/// The vectors of one tensor: `W` that are written and `R` that are only read.
pub(crate) struct Vectors<'a, const W: usize, const R: usize> {
    written: [&'a mut DeviceVector; W],
    read: [&'a DeviceVector; R],
}

impl<const W: usize, const R: usize> Vectors<'_, W, R> {
    /// Vector number `vector`; those that are written come first.
    fn get(&self, vector: usize) -> &DeviceVector {
        if vector < W { self.written[vector] } else { self.read[vector - W] }
    }

    fn is_empty(&self) -> bool {
        self.get(0).len() == 0
    }

    /// The sums of `kernel`, on the device.
    fn sums<K, const S: usize>(&self, kernel: K) -> [Value; S]
    where
        K: TensorKernel<W, R, S>,
    {
        if self.is_empty() || !kernel.is_summed() {
            return [0.0; S].map(Value::Number);
        }
        let formula = Formula::of(|written, read| kernel.terms(written, read));
        let length = self.get(0).len() as f64;
        play(&formula, |vector| self.get(vector)).map(|terms| match (terms, K::REDUCTION) {
            (Value::Vector(terms), Reduction::Sum) => Value::Vector(terms.sum()),
            (Value::Vector(terms), Reduction::Maximum) => {
                // What a device's maximum makes of NaN is not the same everywhere.
                let is_nan = terms.clone().is_nan();
                Value::Vector(terms.mask_fill(is_nan, f64::INFINITY).max())
            }
            (Value::Number(term), Reduction::Sum) => Value::Number(length * term),
            (Value::Number(term), Reduction::Maximum) => Value::Number(term),
        })
    }

    /// Writes what `kernel` makes of the elements.
    fn apply<K, const S: usize>(&mut self, kernel: K, decision: K::Decision)
    where
        K: TensorKernel<W, R, S>,
    {
        if self.is_empty() || !kernel.is_applied(decision) {
            return;
        }
        let formula = Formula::of(|written, read| kernel.apply(decision, written, read));
        let new = play(&formula, |vector| self.get(vector));
        for (k, (vector, new)) in self.written.iter_mut().zip(new).enumerate() {
            if !formula.keeps(k, k) {
                vector.set(new);
            }
        }
    }
}

/// Runs passes of its own on every tensor that is chosen; the outputs are in the order of the tensors.
///
/// All blocks have the same layout, as far as tensors are chosen.
pub(super) fn for_tensors<P, const W: usize, const R: usize>(
    is_chosen: impl Fn(usize) -> bool,
    passes: impl Fn(usize) -> P,
    written: [&mut Blocks; W],
    read: [&Blocks; R],
) -> Vec<P::Output>
where
    P: Passes<W, R>,
{
    let tensors = written.first().map_or_else(|| read[0].num_tensors(), |b| b.num_tensors());
    let read = read.map(Blocks::device);
    let mut written = written.map(|blocks| blocks.device_mut().iter_mut());
    let next = |tensor: usize| Vectors {
        written: written.each_mut().map(|list| list.next().expect("blocks have the same layout")),
        read: read.map(|list| &list[tensor]),
    };
    let vectors = (0..tensors).map(next).enumerate();
    let (chosen, mut vectors): (Vec<usize>, Vec<Vectors<'_, W, R>>) =
        vectors.filter(|(tensor, _)| is_chosen(*tensor)).unzip();
    P::on_device(chosen.into_iter().map(passes).collect(), &mut vectors)
}

/// Runs a kernel of its own on each tensor. All sums are read together.
pub(super) fn run<K, const W: usize, const R: usize, const S: usize>(
    kernels: &[K],
    vectors: &mut [Vectors<'_, W, R>],
) -> Vec<K::Decision>
where
    K: TensorKernel<W, R, S>,
{
    let sums = kernels.iter().zip(&*vectors).flat_map(|(kernel, vectors)| vectors.sums(*kernel));
    let sums = read_together(sums.collect());
    let sums_of = |tensor: usize| std::array::from_fn(|sum| sums[tensor * S + sum]);
    let decide = |(tensor, kernel): (usize, &K)| kernel.decide(sums_of(tensor));
    let decisions: Vec<K::Decision> = kernels.iter().enumerate().map(decide).collect();
    for ((kernel, decision), vectors) in kernels.iter().zip(&decisions).zip(vectors) {
        vectors.apply(*kernel, *decision);
    }
    decisions
}

#[cfg(test)]
mod tests;
