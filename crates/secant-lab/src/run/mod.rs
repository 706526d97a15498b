//! One run: one method, one problem, one seed.

mod checkpoint;
mod own_statistics;
mod schedule;
mod setting;
mod step_times;
mod train;
mod trainee;
mod treatment;
mod weights;

pub use checkpoint::CheckpointError;
pub(crate) use checkpoint::Checkpoints;
pub use schedule::{Schedule, ScheduleError};
pub use setting::{HessianProducts, Setting};
pub(crate) use step_times::step_times;
pub use train::TrainError;
pub(crate) use train::{Outcome, Watch, train};
pub(crate) use trainee::measure;
pub use treatment::{Group, Treatment, TreatmentError};
pub(crate) use weights::{count, weights};

#[cfg(test)]
mod tests;
