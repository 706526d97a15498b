//! One run: one optimizer, one problem, one seed.

mod batches;
mod evaluate;
pub mod record;
mod step;
mod step_time;
mod train;
mod two_classes;

pub use batches::Part;
pub use evaluate::Quality;
pub use step::HessianProducts;
pub use step_time::step_time;
pub use train::{Falling, Outcome, Setup, TrainError, train};
pub use two_classes::TwoClasses;
