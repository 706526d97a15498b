//! Methods that know gradients and their moving averages.

pub mod adabelief;
pub mod adam;
pub mod radam;
pub mod rmsprop;
pub mod schedule_free;
pub mod sgd;
pub mod sgd_bb;
