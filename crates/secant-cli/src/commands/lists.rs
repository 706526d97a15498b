//! `secant optimizers` and `secant problems`.

use std::{io::Write, process::ExitCode};

use crate::{
    problem::{CATALOGUE, DEFAULT_PROBLEM},
    registry::OPTIMIZERS,
};

pub(super) fn optimizers() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<22} {:>6} {:>9}  what it is (* = in `secant compare` unless told otherwise)",
        "name", "memory", "gradients"
    )?;
    for entry in &OPTIMIZERS {
        let star = if entry.by_default { "*" } else { " " };
        writeln!(
            out,
            "{:<22} {:>6} {:>9} {star} {}",
            entry.name, entry.vectors, entry.gradients, entry.line
        )?;
    }
    writeln!(out, "\nmemory: vectors of the model's size; gradients: evaluated in a step")?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn problems() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for entry in CATALOGUE.iter() {
        let default = if entry.name == DEFAULT_PROBLEM { " (the default)" } else { "" };
        writeln!(out, "{:<30} {}{default}", entry.name, entry.line)?;
    }
    writeln!(
        out,
        "\nYour own data: `secant compare --csv FILE --target COLUMN` or `--libsvm FILE`."
    )?;
    Ok(ExitCode::SUCCESS)
}
