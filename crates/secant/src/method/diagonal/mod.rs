//! Methods that keep an estimate of the Hessian's diagonal.

pub mod adahessian;
pub mod apollo;
