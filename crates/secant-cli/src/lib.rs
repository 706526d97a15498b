//! The command `secant`: finds out, fairly, which optimizer suits a problem.

pub mod bench;
pub mod commands;
pub mod compare;
pub mod data;
pub mod minimize;
pub mod model;
pub mod optimizer;
pub mod problem;
pub mod registry;
pub mod report;
pub mod run;
pub mod trace;
pub mod tune;
