//! `secant trace`: replays a reference trace and measures how far we are from it.

mod file;
mod model;
mod optimizer;
mod replay;

pub use file::{Trace, TraceError};
pub use replay::{Replay, StepRecord, replay};
