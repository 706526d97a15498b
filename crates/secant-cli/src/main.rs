//! The command `secant`.

use std::process::ExitCode;

use clap::Parser;
use secant_cli::{
    commands::{Cli, run},
    exit::exit_code,
};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    exit_code(run(Cli::parse()), "secant")
}
