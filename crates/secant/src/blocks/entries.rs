//! Numbers that a method brings itself, and single entries.

use burn::tensor::{DType, TensorData};
use secant_core::rng::SplitMix64;

use super::{Blocks, Buffers, Layout, Real, host, zeros};

impl Blocks {
    /// For each vector of `layout`, in its memory, the numbers that `numbers` gives for its place in the
    /// order, rounded to its type; zeros where these are too few.
    pub(crate) fn filled<I: Iterator<Item = f64>>(
        layout: &Layout,
        mut numbers: impl FnMut(usize) -> I,
    ) -> Self {
        let mut blocks = Self::zeros_in_host_memory(layout);
        for (tensor, data) in blocks.host_mut().iter_mut().enumerate() {
            fill(data, numbers(tensor));
        }
        blocks.in_memory(layout.memory())
    }

    /// Signs drawn at random, from a stream of its own for each vector.
    pub(crate) fn random_signs(layout: &Layout, seed: u64) -> Self {
        Self::filled(layout, |tensor| signs(SplitMix64::stream(seed, tensor as u64)))
    }

    /// Nearly normal numbers, drawn from one stream.
    pub(crate) fn random_bell(layout: &Layout, rng: &mut SplitMix64) -> Self {
        let mut blocks = Self::zeros_in_host_memory(layout);
        for data in blocks.host_mut() {
            fill(data, std::iter::repeat_with(|| f64::from(rng.bell())));
        }
        blocks.in_memory(layout.memory())
    }

    fn zeros_in_host_memory(layout: &Layout) -> Self {
        Self::new(layout.entries().iter().map(|entry| zeros(&entry.shape, entry.dtype)).collect())
    }

    /// One vector in double precision, in host memory, without a copy.
    pub(crate) fn of_vector(numbers: Vec<f64>) -> Self {
        let length = numbers.len();
        Self::new(vec![TensorData::new(numbers, [length])])
    }

    /// The vector of [`Blocks::of_vector`], without a copy; none where these are not that.
    pub(crate) fn into_vector(self) -> Option<Vec<f64>> {
        self.into_data().pop()?.try_into_vec().ok()
    }

    /// The vector of [`Blocks::of_vector`].
    pub(crate) fn vector(&self) -> &[f64] {
        host::slice(&self.host()[0])
    }

    /// The same, to be written.
    pub(crate) fn vector_mut(&mut self) -> &mut [f64] {
        host::slice_mut(&mut self.host_mut()[0])
    }

    /// One entry of all vectors taken as one.
    pub(crate) fn entry(&self, index: usize) -> f64 {
        let (tensor, index) = self.place(index);
        match &self.buffers {
            Buffers::Host(vectors) => match vectors[tensor].dtype() {
                DType::F64 => host::slice::<f64>(&vectors[tensor])[index],
                _ => f64::from(host::slice::<f32>(&vectors[tensor])[index]),
            },
            Buffers::Device(vectors) => vectors[tensor].entry(index),
        }
    }

    /// Adds to one entry of all vectors taken as one.
    pub(crate) fn add_to_entry(&mut self, index: usize, term: f64) {
        let (tensor, index) = self.place(index);
        match &mut self.buffers {
            Buffers::Host(vectors) => match vectors[tensor].dtype() {
                DType::F64 => add::<f64>(&mut vectors[tensor], index, term),
                _ => add::<f32>(&mut vectors[tensor], index, term),
            },
            Buffers::Device(vectors) => vectors[tensor].add_to_entry(index, term),
        }
    }

    /// The vector that holds an entry of all of them, and its place there.
    fn place(&self, mut index: usize) -> (usize, usize) {
        for tensor in 0..self.num_tensors() {
            let length = self.shape(tensor).num_elements();
            if index < length {
                return (tensor, index);
            }
            index -= length;
        }
        unreachable!("an entry of the vectors")
    }
}

fn fill(data: &mut TensorData, numbers: impl Iterator<Item = f64>) {
    fn fill<T: Real>(data: &mut TensorData, numbers: impl Iterator<Item = f64>) {
        let entries = host::slice_mut::<T>(data).iter_mut();
        entries.zip(numbers).for_each(|(entry, number)| *entry = T::of(number));
    }
    match data.dtype() {
        DType::F64 => fill::<f64>(data, numbers),
        _ => fill::<f32>(data, numbers),
    }
}

fn add<T: Real>(data: &mut TensorData, index: usize, term: f64) {
    let entry = &mut host::slice_mut::<T>(data)[index];
    *entry = T::of(entry.wide() + term);
}

/// The signs of `rng`'s bits.
fn signs(mut rng: SplitMix64) -> impl Iterator<Item = f64> {
    std::iter::repeat_with(move || rng.next_u64())
        .flat_map(|bits| (0..64).map(move |bit| if bits >> bit & 1 == 1 { 1.0 } else { -1.0 }))
}
