//! `secant runs`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueEnum};
use secant_lab::{
    report::{Summary, plain_text},
    store::{
        Filter, Listed, Recorded, Store,
        export::{Existing, csv, json_lines, tensor_board},
    },
};

use super::{report::named, store::StoreArgs};
use crate::{arguments::UsageError, date::parse_date, terminal};

/// Lists, shows, exports and deletes what the store keeps.
#[derive(Debug, Args)]
pub(super) struct RunsArgs {
    #[command(subcommand)]
    command: Option<RunsCommand>,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// List comparisons, the newest first
    List(ListArgs),
    /// Show the runs of a comparison
    Show {
        /// The comparison, by the first letters of its key [default: the newest]
        comparison: Option<String>,
    },
    /// Show the tables of several comparisons, one below the other
    Compare {
        /// The comparisons, by the first letters of their keys
        #[arg(required = true)]
        comparisons: Vec<String>,
    },
    /// Delete a comparison, and those of its runs that no other has
    Delete {
        /// The comparison, by the first letters of its key
        comparison: String,
    },
    /// Write comparisons as CSV, JSON lines or TensorBoard event files
    Export(ExportArgs),
    /// Check the store for damage
    Check,
}

#[derive(Debug, Default, Args)]
struct ListArgs {
    /// Only problems whose name has this part
    #[arg(long, value_name = "PART")]
    problem: Option<String>,
    /// Only comparisons with this method
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// Only those begun at this date or later, as in 2026-11-26, or at this time, as in
    /// 2026-11-26T12:34:56Z
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    since: Option<String>,
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// The comparisons, by the first letters of their keys [default: the newest]
    comparisons: Vec<String>,
    /// What is written
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Where to: a folder, for json-lines a file or - for standard output
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Replace regular files that are there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// runs.csv, a line for each run, and points.csv, a line for each moment of a run
    Csv,
    /// Every record, as in data.jsonl
    JsonLines,
    /// A folder of event files for each run
    TensorBoard,
}

pub(super) fn run(args: RunsArgs) -> anyhow::Result<ExitCode> {
    let store = args.store.open_existing()?;
    match args.command.unwrap_or(RunsCommand::List(ListArgs::default())) {
        RunsCommand::List(filter) => list(&store, filter)?,
        RunsCommand::Show { comparison } => show(&store, &Vec::from_iter(comparison))?,
        RunsCommand::Compare { comparisons } => compare(&store, &comparisons)?,
        RunsCommand::Delete { comparison } => delete(&store, &comparison)?,
        RunsCommand::Export(args) => export(&store, &args)?,
        RunsCommand::Check => {
            store.check()?;
            writeln!(std::io::stdout().lock(), "{} is in order", store.path().display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(store: &Store, args: ListArgs) -> anyhow::Result<()> {
    let ListArgs { problem, method, since } = args;
    let listed = store.list(&Filter { problem, method, since })?;
    let mut out = std::io::stdout().lock();
    if listed.is_empty() {
        writeln!(out, "no comparison in {} is like that", store.path().display())?;
    }
    for entry in &listed {
        writeln!(out, "{}", line(entry))?;
    }
    Ok(())
}

fn line(entry: &Listed) -> String {
    let best = entry.best.as_ref().map_or_else(
        || "no run has finished".to_string(),
        |best| format!("best {}: {} {:.4}", best.method, best.metric, best.mean),
    );
    format!(
        "{}  {}  {}  {} of {} runs, {} tuning runs, {} methods; {best}",
        &entry.key[..12],
        entry.created,
        entry.problem,
        entry.runs,
        entry.all_runs,
        entry.trials,
        entry.methods.len()
    )
}

fn show(store: &Store, keys: &[String]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for Recorded { design, runs, .. } in named(store, keys)? {
        writeln!(out, "{}  {}\n{}\n", design.key, design.problem, design.command)?;
        for entry in store.history(&design.key)? {
            let kind = format!("{:?}", entry.kind).to_lowercase();
            writeln!(
                out,
                "{}  {kind:<5}  {:<30}  finished {}, {:.1} s",
                &entry.run[..12],
                entry.method,
                entry.finished,
                entry.seconds
            )?;
        }
        let metric = &design.metrics[design.ranked_by];
        writeln!(out)?;
        for run in &runs {
            let value = run.test.get(design.ranked_by).copied().flatten();
            writeln!(
                out,
                "{:<30}  rate {:<8}  seed {:<4}  test {} {}",
                run.settings,
                run.lr,
                run.seed,
                metric.name,
                value.map_or_else(|| "none".to_string(), |value| format!("{value:.4}"))
            )?;
        }
    }
    Ok(())
}

fn compare(store: &Store, keys: &[String]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for one in named(store, keys)? {
        let summary = Summary::new(&one);
        writeln!(out, "{} ({})\n", summary.design.problem, &summary.design.key[..12])?;
        writeln!(out, "{}", terminal::coloured(&plain_text(&summary, terminal::width())))?;
    }
    Ok(())
}

fn delete(store: &Store, key: &str) -> anyhow::Result<()> {
    let deleted = store.delete(key)?;
    writeln!(
        std::io::stdout().lock(),
        "deleted, with {} runs and {} trials that no other comparison has",
        deleted.runs,
        deleted.trials
    )?;
    Ok(())
}

fn export(store: &Store, args: &ExportArgs) -> anyhow::Result<()> {
    let is_standard_output = args.out == Path::new("-");
    if is_standard_output && args.format != Format::JsonLines {
        let reason = "--out - is standard output, which takes --format json-lines alone";
        return Err(UsageError(format!("{reason}; name a folder for other formats")).into());
    }
    let recorded = named(store, &args.comparisons)?;
    if is_standard_output {
        return Ok(write!(std::io::stdout().lock(), "{}", json_lines::text(&recorded)?)?);
    }
    let existing = if args.force { Existing::Replace } else { Existing::Refuse };
    match args.format {
        Format::Csv => drop(csv::write(&args.out, &recorded, existing)?),
        Format::JsonLines => json_lines::write(&args.out, &recorded, existing)?,
        Format::TensorBoard => drop(tensor_board::write(&args.out, &recorded, existing)?),
    }
    writeln!(std::io::stdout().lock(), "written to {}", args.out.display())?;
    Ok(())
}
