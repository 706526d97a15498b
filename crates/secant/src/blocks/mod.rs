//! Vectors with one part for each trainable parameter, and passes over them.
//!
//! [`Layout`] says which parameters, in which order; [`Blocks`] holds one vector for each: values,
//! gradients, moments. In host memory the buffers move between the module and the blocks without a
//! copy wherever nothing else holds them.
//!
//! What is done to the numbers is a [`TensorKernel`], or one of the few operations here. Nothing
//! outside of this module opens a buffer.

mod average;
mod checksum;
mod device;
mod entries;
mod host;
mod kernel;
mod layout;
mod matrix;
mod number;
mod parts;
mod rows;
mod tape;
mod vectors;

use std::borrow::Cow;

use burn::tensor::{DType, Shape, TensorData};

use device::DeviceVector;
pub(crate) use kernel::{One, Passes, pass_over_each_tensor, sum_over_tensors};
pub use kernel::{Reduction, TensorKernel, for_each_tensor, for_tensors};
pub use layout::{Entry, Layout, Memory};
pub(crate) use matrix::{
    Field, LayerKernel, add_outer_product, add_square, commuting_product, for_each_layer,
    matrix_shape, matrix_work, norm_of, outer_product, product,
};
pub use number::{Number, Real};
pub use rows::{combine_rows, row_products};
pub(crate) use vectors::{
    Scale, absolute_sum, add_scaled, advance, assign, dot, largest_difference, make_pair,
    maximum_norm, norm, scale, tensor_squares,
};

/// One vector for each parameter of a [`Layout`], in the parameter's type.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    buffers: Buffers,
}

/// The vectors, all in one memory.
#[derive(Clone, Debug)]
enum Buffers {
    Host(Vec<TensorData>),
    Device(Vec<DeviceVector>),
}

impl Default for Buffers {
    fn default() -> Self {
        Self::Host(Vec::new())
    }
}

impl Blocks {
    /// Vectors in host memory that already have the layout's order and shapes.
    pub fn new(vectors: Vec<TensorData>) -> Self {
        Self { buffers: Buffers::Host(vectors) }
    }

    /// No vector at all: a memory that holds nothing yet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Zeros of another shape for each parameter, in its type and in the layout's memory.
    pub(crate) fn zeros_of(layout: &Layout, shape: impl Fn(&Entry) -> Shape) -> Self {
        let entry = |entry: &Entry| Entry { shape: shape(entry), ..entry.clone() };
        let shapes = Layout::new(layout.entries().iter().map(entry).collect());
        Self::zeros(&shapes.in_memory(layout.memory().clone()))
    }

    /// Zeros, in the layout's memory.
    pub fn zeros(layout: &Layout) -> Self {
        let entries = layout.entries().iter();
        match layout.memory() {
            Memory::Host => Self::new(entries.map(|e| zeros(&e.shape, e.dtype)).collect()),
            Memory::Device(device) => {
                let zeros = |e: &Entry| DeviceVector::zeros(e.shape.clone(), e.dtype, device);
                Self { buffers: Buffers::Device(entries.map(zeros).collect()) }
            }
        }
    }

    /// Zeros in the same shapes, types and memory.
    pub fn zeros_like(&self) -> Self {
        let buffers = match &self.buffers {
            Buffers::Host(vectors) => {
                Buffers::Host(vectors.iter().map(|v| zeros(v.shape(), v.dtype())).collect())
            }
            Buffers::Device(vectors) => {
                Buffers::Device(vectors.iter().map(DeviceVector::zeros_like).collect())
            }
        };
        Self { buffers }
    }

    /// The same numbers in `memory`.
    #[must_use]
    pub fn in_memory(self, memory: &Memory) -> Self {
        let buffers = match (memory, self.buffers) {
            (Memory::Host, Buffers::Device(vectors)) => {
                Buffers::Host(vectors.into_iter().map(DeviceVector::into_data).collect())
            }
            (Memory::Device(device), Buffers::Host(vectors)) => {
                let vector = |data| DeviceVector::of_data(data, device);
                Buffers::Device(vectors.into_iter().map(vector).collect())
            }
            (Memory::Device(device), Buffers::Device(vectors)) => {
                let vector = |vector: DeviceVector| vector.moved_to(device);
                Buffers::Device(vectors.into_iter().map(vector).collect())
            }
            (Memory::Host, buffers) => buffers,
        };
        Self { buffers }
    }

    /// Where the numbers are.
    pub(crate) fn memory(&self) -> Memory {
        match &self.buffers {
            Buffers::Device(vectors) => {
                vectors.first().map_or(Memory::Host, |vector| Memory::Device(vector.device()))
            }
            Buffers::Host(_) => Memory::Host,
        }
    }

    /// Whether there is no vector.
    pub fn is_empty(&self) -> bool {
        self.num_tensors() == 0
    }

    /// The vectors in the parameters' shapes, read from where they are.
    pub fn data(&self) -> impl Iterator<Item = Cow<'_, TensorData>> {
        (0..self.num_tensors()).map(|tensor| self.tensor(tensor))
    }

    /// Vector number `tensor` in its parameter's shape, read from where it is.
    pub(crate) fn tensor(&self, tensor: usize) -> Cow<'_, TensorData> {
        match &self.buffers {
            Buffers::Host(vectors) => Cow::Borrowed(&vectors[tensor]),
            Buffers::Device(vectors) => Cow::Owned(vectors[tensor].clone().into_data()),
        }
    }

    /// The vectors, taken; without a copy in host memory.
    pub fn into_data(self) -> Vec<TensorData> {
        match self.in_memory(&Memory::Host).buffers {
            Buffers::Host(vectors) => vectors,
            Buffers::Device(_) => unreachable!("they are in host memory"),
        }
    }

    /// Numbers in all vectors together.
    pub fn num_elements(&self) -> usize {
        match &self.buffers {
            Buffers::Host(vectors) => vectors.iter().map(TensorData::num_elements).sum(),
            Buffers::Device(vectors) => vectors.iter().map(DeviceVector::len).sum(),
        }
    }

    /// Bytes of memory held.
    pub fn num_bytes(&self) -> usize {
        match &self.buffers {
            Buffers::Host(vectors) => vectors.iter().map(|v| v.bytes().len()).sum(),
            Buffers::Device(vectors) => vectors.iter().map(|v| v.len() * v.dtype().size()).sum(),
        }
    }

    /// The number type of vector number `tensor`.
    pub(crate) fn dtype(&self, tensor: usize) -> DType {
        match &self.buffers {
            Buffers::Host(vectors) => vectors[tensor].dtype(),
            Buffers::Device(vectors) => vectors[tensor].dtype(),
        }
    }

    /// The shape and the number type of every vector.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&Shape, DType)> {
        (0..self.num_tensors()).map(|tensor| (self.shape(tensor), self.dtype(tensor)))
    }

    /// Puts a copy of vector `from` of `other`, which is in the same memory, in the place of vector `to`.
    pub(crate) fn copy_tensor(&mut self, to: usize, other: &Self, from: usize) {
        match &mut self.buffers {
            Buffers::Host(vectors) => vectors[to] = other.host()[from].clone(),
            Buffers::Device(vectors) => vectors[to] = other.device()[from].clone(),
        }
    }

    /// The shape of the parameter of vector number `tensor`.
    fn shape(&self, tensor: usize) -> &Shape {
        match &self.buffers {
            Buffers::Host(vectors) => vectors[tensor].shape(),
            Buffers::Device(vectors) => vectors[tensor].shape(),
        }
    }

    fn num_tensors(&self) -> usize {
        match &self.buffers {
            Buffers::Host(vectors) => vectors.len(),
            Buffers::Device(vectors) => vectors.len(),
        }
    }

    /// The vectors of blocks that are in host memory.
    fn host(&self) -> &[TensorData] {
        match &self.buffers {
            Buffers::Host(vectors) => vectors,
            Buffers::Device(_) => panic!("{ONE_MEMORY}"),
        }
    }

    /// The same, to be written.
    fn host_mut(&mut self) -> &mut [TensorData] {
        match &mut self.buffers {
            Buffers::Host(vectors) => vectors,
            Buffers::Device(_) => panic!("{ONE_MEMORY}"),
        }
    }

    /// The vectors of blocks that are on a device.
    fn device(&self) -> &[DeviceVector] {
        match &self.buffers {
            Buffers::Device(vectors) => vectors,
            Buffers::Host(_) => panic!("{ONE_MEMORY}"),
        }
    }

    /// The same, to be written.
    fn device_mut(&mut self) -> &mut [DeviceVector] {
        match &mut self.buffers {
            Buffers::Device(vectors) => vectors,
            Buffers::Host(_) => panic!("{ONE_MEMORY}"),
        }
    }
}

const ONE_MEMORY: &str = "all blocks of a pass are in the same memory";

fn zeros(shape: &Shape, dtype: DType) -> TensorData {
    fn zeros<T: Real>(shape: &Shape) -> TensorData {
        TensorData::new(vec![T::default(); shape.num_elements()], shape.clone())
    }
    match dtype {
        DType::F64 => zeros::<f64>(shape),
        _ => zeros::<f32>(shape),
    }
}
