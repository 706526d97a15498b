//! Means over groups of entries.

use burn::tensor::{DType, Shape, TensorData};

use super::{Blocks, Buffers, Real, host};

impl Blocks {
    /// Puts the mean of each group of consecutive entries in the place of all of them; with `absolute`
    /// the mean of their absolute values. `group` says from the shape of a vector's parameter how many
    /// entries are a group; none leaves the vector as it is.
    pub(crate) fn average_groups(
        &mut self,
        absolute: bool,
        group: impl Fn(&Shape) -> Option<usize>,
    ) {
        match &mut self.buffers {
            Buffers::Host(vectors) => {
                for data in vectors {
                    match (group(data.shape()), data.dtype()) {
                        (None, _) => {}
                        (Some(size), DType::F64) => average::<f64>(data, absolute, size),
                        (Some(size), _) => average::<f32>(data, absolute, size),
                    }
                }
            }
            Buffers::Device(vectors) => {
                for vector in vectors {
                    if let Some(size) = group(vector.shape()) {
                        vector.average(absolute, size);
                    }
                }
            }
        }
    }
}

fn average<T: Real>(data: &mut TensorData, absolute: bool, size: usize) {
    for group in host::slice_mut::<T>(data).chunks_mut(size) {
        let entry = |x: &T| if absolute { x.wide().abs() } else { x.wide() };
        let mean = group.iter().map(entry).sum::<f64>() / size as f64;
        group.fill(T::of(mean));
    }
}
