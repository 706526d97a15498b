//! One run: one method, one problem, one seed.

mod setting;
mod step_times;
mod train;
mod trainee;
mod weights;

pub use setting::{Falling, HessianProducts, Setting};
pub(crate) use step_times::step_times;
pub use train::TrainError;
pub(crate) use train::{Outcome, Watch, train};
pub(crate) use weights::count;
