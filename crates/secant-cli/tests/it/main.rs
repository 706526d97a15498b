//! The command `secant` from outside: what it prints, what it writes, how it ends.

mod compare;
mod experiments;
mod fetch;
mod help;
mod minimize;
mod mistakes;
mod real_data;
mod resume;
mod runs;
mod support;
mod train;
