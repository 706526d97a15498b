//! The trainable parameters of a module as a list of vectors in host memory.
//!
//! [`Layout`] says which parameters, in which order; [`Blocks`] holds one vector for each: values,
//! gradients, moments. The buffers move between the module and the blocks without a copy wherever
//! nothing else holds them.

use std::collections::HashMap;

use burn::{
    module::ParamId,
    tensor::{DType, Shape, TensorData},
};

use rayon::prelude::*;

use crate::kernels::Real;

/// Bytes of which one thread makes a checksum.
const CHECKED_AT_ONCE: usize = 256 * 1024;

/// One trainable parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id in the module at hand. Ids differ between processes; the path does not.
    pub id: ParamId,
    /// Where it is in the module, such as `conv1.weight`.
    pub path: String,
    /// Its shape.
    pub shape: Shape,
    /// Its type: `F32` or `F64`.
    pub dtype: DType,
}

/// Which parameters an optimizer moves, in module order.
///
/// Frozen parameters, running statistics and parameters without a gradient are not in it; of
/// tied weights only the first occurrence is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    entries: Vec<Entry>,
    /// Where in `entries` a parameter is.
    index: HashMap<ParamId, usize>,
}

impl Layout {
    /// The layout of these parameters.
    pub fn new(entries: Vec<Entry>) -> Self {
        let index = entries.iter().enumerate().map(|(index, entry)| (entry.id, index)).collect();
        Self { entries, index }
    }

    /// The place of a parameter in the order, if it is moved.
    pub fn index_of(&self, id: ParamId) -> Option<usize> {
        self.index.get(&id).copied()
    }

    /// The parameters in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Numbers in all parameters together.
    pub fn num_elements(&self) -> usize {
        self.entries.iter().map(|entry| entry.shape.num_elements()).sum()
    }

    /// Whether paths, shapes and types agree; ids may differ.
    pub fn matches(&self, other: &Self) -> bool {
        let same =
            |a: &Entry, b: &Entry| a.path == b.path && a.shape == b.shape && a.dtype == b.dtype;
        self.entries.len() == other.entries.len()
            && self.entries.iter().zip(&other.entries).all(|(a, b)| same(a, b))
    }
}

/// One vector for each parameter of a [`Layout`], in host memory, in the parameter's type.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    tensors: Vec<TensorData>,
}

impl Blocks {
    /// Vectors that already have the layout's order and shapes.
    pub fn new(tensors: Vec<TensorData>) -> Self {
        Self { tensors }
    }

    /// No vector at all: a memory that holds nothing yet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Zeros.
    pub fn zeros(layout: &Layout) -> Self {
        let zeros = |entry: &Entry| match entry.dtype {
            DType::F64 => zeros_of::<f64>(&entry.shape),
            _ => zeros_of::<f32>(&entry.shape),
        };
        Self { tensors: layout.entries.iter().map(zeros).collect() }
    }

    /// Zeros in the same shapes and types.
    pub fn zeros_like(&self) -> Self {
        let zeros = |data: &TensorData| match data.dtype() {
            DType::F64 => zeros_of::<f64>(data.shape()),
            _ => zeros_of::<f32>(data.shape()),
        };
        Self { tensors: self.tensors.iter().map(zeros).collect() }
    }

    /// Copies of the vectors with these numbers.
    pub(crate) fn select(&self, chosen: &[usize]) -> Self {
        Self { tensors: chosen.iter().map(|index| self.tensors[*index].clone()).collect() }
    }

    /// Whether there is no vector.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// The vectors.
    pub fn tensors(&self) -> &[TensorData] {
        &self.tensors
    }

    /// The vectors, to be written.
    pub fn tensors_mut(&mut self) -> &mut [TensorData] {
        &mut self.tensors
    }

    /// The vectors, taken.
    pub fn into_tensors(self) -> Vec<TensorData> {
        self.tensors
    }

    /// CRC-32 of all numbers' bytes.
    pub(crate) fn checksum(&self) -> u32 {
        // Pieces side by side; their checksums are added up in order.
        let pieces: Vec<&[u8]> =
            self.tensors.iter().flat_map(|tensor| tensor.bytes().chunks(CHECKED_AT_ONCE)).collect();
        let checksums: Vec<u32> = pieces.into_par_iter().map(crc32fast::hash).collect();
        let mut hasher = crc32fast::Hasher::new();
        checksums.iter().for_each(|checksum| hasher.update(&checksum.to_le_bytes()));
        hasher.finalize()
    }

    /// Bytes of memory held.
    pub fn num_bytes(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.bytes().len()).sum()
    }
}

fn zeros_of<T: Real>(shape: &Shape) -> TensorData {
    TensorData::new(vec![T::zero(); shape.num_elements()], shape.clone())
}
