//! Matrices that multiply the gradient of a layer, read as a matrix or as a tensor itself.

mod direction;
mod eigenbasis;
mod inverse_root;
mod kronecker;
mod newton_schulz;
mod piece;
mod polar;
mod rotated_adam;
mod sides;
mod square;
mod unfolding;

pub(crate) use direction::{Direction, Directions};
use eigenbasis::{decompose, power_step};
pub(crate) use inverse_root::InverseRoot;
pub(crate) use newton_schulz::NewtonSchulz;
pub(crate) use piece::Piece;
use polar::Polar;
pub(crate) use rotated_adam::{Averages, RotatedAdam, decomposed, turn_bases};
pub(crate) use sides::{Sides, Turn};
pub(crate) use unfolding::Unfolding;
