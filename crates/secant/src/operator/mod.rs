//! Curvature matrices that are never formed: they are told pairs and applied to vectors.

pub(crate) mod dense_inverse;
mod inverse_lbfgs;
mod l_sr1;
mod pair_matrix;
mod pair_memory;

pub use inverse_lbfgs::{InverseLBfgs, Scaling};
pub use l_sr1::{LSr1, Minimiser, MinimiserError};
pub use pair_matrix::PairMatrix;
pub use pair_memory::PairMemory;
