//! The command `secant-dev` from outside: what it prints, how it ends.

mod bench;
mod mistakes;
mod reference;
mod support;
mod trace;
