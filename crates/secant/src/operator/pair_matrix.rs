//! Matrices that consist of pairs.

use super::PairMemory;
use crate::blocks::Blocks;

/// A matrix that consists of pairs and their inner products, as records write and read it.
pub trait PairMatrix {
    /// The pairs, and their inner products as numbers.
    fn parts(&self) -> (&PairMemory, Vec<f64>);

    /// Puts back what [`PairMatrix::parts`] gave, of too many pairs the newest; false where it does
    /// not fit together.
    fn restore(&mut self, pairs: Vec<(Blocks, Blocks)>, numbers: &[f64]) -> bool;
}
