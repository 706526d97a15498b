//! `secant-dev trace`: replays a reference trace (steps, a Hessian product, a trust-region subproblem) and
//! measures how far we are from it.

mod file;
mod model;
mod optimality;
mod product;
mod replay;
mod subproblem;
mod translate;

pub use file::{ProductTrace, Reference, SubproblemTrace, Trace, TraceError};
pub use optimality::Optimality;
pub use product::{ProductRecord, ProductReplay, replay_product};
pub use replay::{Replay, StepRecord, replay};
pub use subproblem::{SubproblemRecord, SubproblemReplay, replay_subproblem};
