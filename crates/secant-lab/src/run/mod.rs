//! One run: one optimizer, one problem, one seed.

mod batches;
mod evaluate;
pub mod record;
mod setup;
mod step;
mod step_time;
mod train;
mod two_classes;

pub use batches::Part;
pub use evaluate::Quality;
pub use setup::{Falling, HessianProducts, Setup};
pub use step_time::step_time;
pub use train::{Outcome, TrainError, train};
pub use two_classes::TwoClasses;
