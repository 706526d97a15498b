//! The command `secant-dev`.

use std::process::ExitCode;

use clap::Parser;
use secant_cli::exit::exit_code;
use secant_dev::commands::{Cli, run};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    exit_code(run(&Cli::parse()), "secant-dev")
}
