//! Matrices that multiply the gradient of a layer, read as a matrix itself.

mod newton_schulz;

pub(crate) use newton_schulz::NewtonSchulz;
