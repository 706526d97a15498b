//! The command `secant`: finds out, fairly, which optimizer suits a problem.

pub mod bench;
pub mod commands;
pub mod compare;
pub mod data;
pub mod minimize;
pub mod model;
pub mod problem;
pub mod report;
pub mod run;
pub mod trace;
pub mod tune;
