//! Methods that minimise a model with an indefinite L-SR1 matrix within a radius.

mod batch_rule;
pub mod l_ssr1_tr;
pub mod mb_lsr1;
mod state;
mod step;

pub use state::TrustRegionState;
pub use step::InitialMatrix;
