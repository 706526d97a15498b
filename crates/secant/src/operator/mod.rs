//! Curvature matrices that are never formed: they are told pairs and applied to vectors.

mod inverse_lbfgs;
mod pair_memory;

pub use inverse_lbfgs::{InverseLBfgs, Scaling};
pub use pair_memory::PairMemory;
