//! Methods that step along the inverse L-BFGS matrix of their last pairs, of one pair (Quasi-Adam) or
//! of several.

pub mod l_bfgs;
pub mod multi_batch;
pub mod online;
pub mod quasi_adam;
mod rate_decay;
pub mod sd_lbfgs;
pub mod sqn;

pub use rate_decay::RateDecay;
