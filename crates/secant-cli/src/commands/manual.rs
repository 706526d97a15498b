//! `secant completions SHELL` and `secant man DIR`.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::Cli;

/// Prints the completions of a shell.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Writes the manual pages.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The folder for the pages; made if need be
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    // Made first: the library does not expect that the output can be closed.
    let mut text = Vec::new();
    generate(args.shell, &mut Cli::command(), "secant", &mut text);
    std::io::stdout().lock().write_all(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn man(args: &ManArgs) -> anyhow::Result<ExitCode> {
    let written = std::fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &args.folder));
    written.map_err(|reason| {
        let folder = args.folder.display();
        anyhow::anyhow!(
            "cannot write the manual pages into {folder}: {reason}; choose another folder"
        )
    })?;
    writeln!(std::io::stdout().lock(), "the manual pages are in {}", args.folder.display())?;
    Ok(ExitCode::SUCCESS)
}
