//! The last pairs (s, y) of a quasi-Newton method.

use std::{collections::VecDeque, sync::Arc};

use crate::{blocks::Blocks, objective::Coordinates};

/// The last pairs, at most `capacity`. A vector is moved in and never copied: clones of a memory share
/// its vectors.
#[derive(Clone, Debug, Default)]
pub struct PairMemory {
    capacity: usize,
    s: VecDeque<Arc<Blocks>>,
    y: VecDeque<Arc<Blocks>>,
}

impl PairMemory {
    /// Room for this many pairs.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, s: VecDeque::new(), y: VecDeque::new() }
    }

    /// Pairs stored.
    pub fn len(&self) -> usize {
        self.s.len()
    }

    /// Whether no pair is stored.
    pub fn is_empty(&self) -> bool {
        self.s.is_empty()
    }

    /// Whether the next pair takes the place of the oldest.
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity
    }

    /// Adds the newest pair, in the place of the oldest where there is no more room.
    pub fn push(&mut self, s: Blocks, y: Blocks) {
        if self.is_full() {
            self.s.pop_front();
            self.y.pop_front();
        }
        self.s.push_back(Arc::new(s));
        self.y.push_back(Arc::new(y));
    }

    /// Forgets all pairs.
    pub fn clear(&mut self) {
        self.s.clear();
        self.y.clear();
    }

    /// All displacements, then all gradient changes, oldest first.
    pub fn rows(&self) -> Vec<&Blocks> {
        self.s.iter().chain(&self.y).map(|row| &**row).collect()
    }

    /// Copies of the pairs in new coordinates, oldest first.
    pub(crate) fn changed(&self, change: &Coordinates) -> Vec<(Blocks, Blocks)> {
        let pair = |(s, y): (&Arc<Blocks>, &Arc<Blocks>)| {
            let (mut s, mut y) = (Blocks::clone(s), Blocks::clone(y));
            change.multiply(&mut s);
            change.divide(&mut y);
            (s, y)
        };
        self.s.iter().zip(&self.y).map(pair).collect()
    }

    /// Bytes that the vectors take.
    pub fn num_bytes(&self) -> usize {
        self.rows().iter().map(|row| row.num_bytes()).sum()
    }
}
