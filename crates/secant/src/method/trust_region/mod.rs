//! Methods that minimise a model with an indefinite L-SR1 matrix within a radius.

pub mod l_ssr1_tr;
pub mod mb_lsr1;
mod step;

pub use step::{InitialMatrix, TrustRegionState};
