//! Data for the comparisons: reading, checking, splitting, encoding and fetching classification
//! problems.
//!
//! Nothing here depends on a tensor library: every problem ends as plain rows of `f32` with class
//! numbers.

mod bytes;
mod cell;
pub mod cifar;
mod counts;
pub mod csv;
mod dataset;
mod dense;
pub mod digits;
mod encode;
mod error;
pub mod fetch;
pub mod idx;
pub mod imbalanced;
pub mod libsvm;
pub mod locate;
mod number_classes;
mod progress;
mod skeletons;
pub mod split;
mod strokes;
mod table;
#[cfg(test)]
mod testing;

pub use dataset::{Dataset, Splits, Standardization};
pub use error::DataError;
pub use progress::Progress;
pub use split::Fractions;
pub use table::Table;
