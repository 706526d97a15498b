//! `secant trace`: replays a reference trace, steps or a Hessian product, and measures how far we
//! are from it.

mod file;
mod model;
mod optimizer;
mod product;
mod replay;

pub use file::{ProductTrace, Reference, Trace, TraceError};
pub use product::{ProductRecord, ProductReplay, replay_product};
pub use replay::{Replay, StepRecord, replay};
