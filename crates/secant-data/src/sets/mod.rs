//! The data sets known by name: where their files are, how they are fetched and read.

pub mod cifar;
mod counts;
pub mod digits;
pub mod fetch;
pub mod housing;
pub mod idx;
pub mod imbalanced;
pub mod locate;
mod progress;
mod skeletons;
mod strokes;
pub mod svhn;

pub use counts::Counts;
pub use progress::Progress;
