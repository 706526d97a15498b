//! Matrices that multiply the gradient of a layer, read as a matrix or as a tensor itself.

mod eigenbasis;
mod newton_schulz;
mod unfolding;

pub(crate) use eigenbasis::{decompose, power_step};
pub(crate) use newton_schulz::NewtonSchulz;
pub(crate) use unfolding::Unfolding;
