//! Which parameters an optimizer moves, and where its vectors are.

use std::collections::HashMap;

use burn::{
    module::ParamId,
    tensor::{DType, Device, Shape},
};

/// Where vectors are.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Memory {
    /// In the memory of the processor.
    #[default]
    Host,
    /// On a device, as tensors.
    Device(Device),
}

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
    memory: Memory,
}

impl Layout {
    /// The layout of these parameters, with vectors in host memory.
    pub fn new(entries: Vec<Entry>) -> Self {
        let index = entries.iter().enumerate().map(|(index, entry)| (entry.id, index)).collect();
        Self { entries, index, memory: Memory::Host }
    }

    /// The same with vectors in `memory`.
    #[must_use]
    pub fn in_memory(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// Where vectors are.
    pub fn memory(&self) -> &Memory {
        &self.memory
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

    /// Whether paths, shapes and types agree; ids and memory may differ.
    pub fn matches(&self, other: &Self) -> bool {
        let same =
            |a: &Entry, b: &Entry| a.path == b.path && a.shape == b.shape && a.dtype == b.dtype;
        self.entries.len() == other.entries.len()
            && self.entries.iter().zip(&other.entries).all(|(a, b)| same(a, b))
    }
}
