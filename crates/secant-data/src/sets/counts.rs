//! How many of what a data set has.

use std::fmt;

/// What a data set of two classes consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// All records.
    pub records: usize,
    /// The inputs of a record.
    pub inputs: usize,
    /// The records of the rare class.
    pub positives: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let Self { records, inputs, positives } = self;
        write!(formatter, "{records} records of {inputs} inputs with {positives} positives")
    }
}
