//! Finds out, fairly, which optimizer suits a problem: runs, tuning, comparison and report.

pub mod compare;
pub mod minimize;
pub mod model;
pub mod problem;
pub mod report;
pub mod run;
pub mod tune;
