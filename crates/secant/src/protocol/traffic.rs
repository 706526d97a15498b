//! The memory that a step moves.

/// Vectors of the parameters' size that a step reads and writes at least, without the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Vectors read; one that is read in each of two passes counts twice.
    pub reads: usize,
    /// Vectors written.
    pub writes: usize,
}

impl Traffic {
    /// Vectors moved.
    pub fn vectors(self) -> usize {
        self.reads + self.writes
    }
}
