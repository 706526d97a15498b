//! The developers' tools: replaying reference traces, timing what an optimizer costs, and holding one against
//! tuned Adam on a suite of problems.

pub mod bench;
pub mod commands;
pub mod suite;
pub mod trace;
