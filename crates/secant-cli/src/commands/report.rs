//! `secant report [COMPARISON... | FILE]`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use secant_lab::{
    experiment::Experiment,
    report::{Paper, Summary, markdown, plain_text, write_report},
    store::{Filter, Recorded, Store},
};

use super::store::StoreArgs;
use crate::{arguments::UsageError, terminal};

/// Makes the report of comparisons in the store, finished or not.
///
/// Of several comparisons together, the page has a performance profile over their problems.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The comparisons, by the first letters of their keys (`secant runs list` shows them), or the file of
    /// an experiment [default: the newest comparison]
    #[arg(value_name = "COMPARISON")]
    comparisons: Vec<String>,
    /// Of an experiment, the small variant, also where the store has the full one
    #[arg(long)]
    small: bool,
    #[command(flatten)]
    store: StoreArgs,
    /// The folder for report.html and data.jsonl; made if need be
    #[arg(long, default_value = "secant-report", value_name = "DIR")]
    out: PathBuf,
    /// Print Markdown instead of the table
    #[arg(long)]
    markdown: bool,
}

pub(super) fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let store = args.store.open_existing()?;
    let recorded = match args.comparisons.as_slice() {
        [file] if file.ends_with(".toml") => of_experiment(&store, Path::new(file), args.small)?,
        keys => named(&store, keys)?,
    };
    show(&recorded, &args.out, args.markdown)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the page and prints the tables.
pub(super) fn show(recorded: &[Recorded], folder: &Path, is_markdown: bool) -> anyhow::Result<()> {
    let paths = write_report(folder, recorded)?;
    let summaries: Vec<Summary> = recorded.iter().map(Summary::new).collect();
    let mut out = std::io::stdout().lock();
    for summary in &summaries {
        if recorded.len() > 1 {
            let design = &summary.design;
            let variant = design.origin.as_ref().map_or("", |origin| &origin.variant);
            let name = if variant.is_empty() { &design.problem } else { variant };
            writeln!(out, "{name}\n")?;
        }
        if is_markdown {
            writeln!(out, "{}", markdown(summary))?;
        } else {
            let text = plain_text(summary, terminal::width());
            writeln!(out, "{}", terminal::coloured(&text))?;
        }
    }
    if let Some(paper) = Paper::new(&summaries) {
        writeln!(out, "{}\n", paper.lines().join("\n"))?;
    }
    writeln!(out, "report: {}\ndata:   {}", paths.page.display(), paths.data.display())?;
    Ok(())
}

/// What the store has of an experiment: of its full size, or else of the small one.
fn of_experiment(store: &Store, file: &Path, is_small: bool) -> anyhow::Result<Vec<Recorded>> {
    let experiment = Experiment::load(file)?;
    let mut keys = if is_small { vec![] } else { store.of_experiment(&experiment.name, false)? };
    if keys.is_empty() {
        keys = store.of_experiment(&experiment.name, true)?;
    }
    if keys.is_empty() {
        return Err(UsageError(format!(
            "the store {} has nothing of {}; `secant run {}` runs it",
            store.path().display(),
            experiment.name,
            file.display()
        ))
        .into());
    }
    named(store, &keys)
}

/// The comparisons with these keys; without one, the newest.
pub(super) fn named(store: &Store, keys: &[String]) -> anyhow::Result<Vec<Recorded>> {
    if !keys.is_empty() {
        return each_once(store, keys);
    }
    let newest = store.list(&Filter::default())?.into_iter().next();
    let newest = newest.ok_or_else(|| {
        UsageError(format!(
            "the store {} has no comparison; `secant compare` makes one",
            store.path().display()
        ))
    })?;
    Ok(vec![store.comparison(&newest.key)?])
}

/// These comparisons; one that is named twice would count as two problems.
fn each_once(store: &Store, keys: &[String]) -> anyhow::Result<Vec<Recorded>> {
    let mut found: Vec<Recorded> = Vec::new();
    for key in keys {
        let next = store.comparison(key)?;
        if found.iter().any(|before| before.design.key == next.design.key) {
            let twice = UsageError(format!("the comparison {key} is named twice; name it once"));
            return Err(twice.into());
        }
        found.push(next);
    }
    Ok(found)
}
