//! The command `secant`: finds out, fairly, which optimizer suits a problem.

pub mod arguments;
pub mod commands;
mod date;
pub mod exit;
pub mod interrupt;
mod terminal;
