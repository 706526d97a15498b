//! The developers' tools: replaying reference traces, and timing what an optimizer costs.

pub mod bench;
pub mod commands;
pub mod trace;
