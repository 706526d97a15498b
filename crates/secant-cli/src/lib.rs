//! The command `secant`: finds out, fairly, which optimizer suits a problem.

pub mod bench;
pub mod commands;
pub mod optimizer;
pub mod trace;
