//! Some of the vectors, and whether they are those of a layout.

use super::{Blocks, Buffers, Layout};

impl Blocks {
    /// Copies of the vectors with these numbers.
    pub(crate) fn select(&self, chosen: &[usize]) -> Self {
        let buffers = match &self.buffers {
            Buffers::Host(all) => Buffers::Host(chosen.iter().map(|i| all[*i].clone()).collect()),
            Buffers::Device(all) => {
                Buffers::Device(chosen.iter().map(|i| all[*i].clone()).collect())
            }
        };
        Self { buffers }
    }

    /// The vectors with the numbers of each of `parts`, without a copy. No number is in two parts.
    pub(crate) fn split(self, parts: &[Vec<usize>]) -> Vec<Self> {
        fn deal<T>(all: Vec<T>, parts: &[Vec<usize>]) -> Vec<Vec<T>> {
            let mut all: Vec<Option<T>> = all.into_iter().map(Some).collect();
            let mut take = |index: &usize| all[*index].take();
            parts.iter().map(|part| part.iter().filter_map(&mut take).collect()).collect()
        }
        let buffers: Vec<Buffers> = match self.buffers {
            Buffers::Host(all) => deal(all, parts).into_iter().map(Buffers::Host).collect(),
            Buffers::Device(all) => deal(all, parts).into_iter().map(Buffers::Device).collect(),
        };
        buffers.into_iter().map(|buffers| Self { buffers }).collect()
    }

    /// Whether there is one vector for each parameter, of its shape and type.
    pub(crate) fn fits(&self, layout: &Layout) -> bool {
        let entries = layout.entries();
        self.num_tensors() == entries.len()
            && entries.iter().enumerate().all(|(tensor, entry)| {
                *self.shape(tensor) == entry.shape && self.dtype(tensor) == entry.dtype
            })
    }
}
