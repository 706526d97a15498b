//! `secant report [COMPARISON...]`.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::Args;
use secant_lab::{
    report::{Summary, markdown, plain_text, write_report},
    store::{Filter, Recorded, Store},
};

use super::store::StoreArgs;
use crate::{arguments::UsageError, terminal};

/// Makes the report of comparisons in the store, finished or not.
///
/// Of several comparisons together, the page has a performance profile over their problems.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The comparisons, by the first letters of their keys; `secant runs list` shows them
    /// [default: the newest]
    #[arg(value_name = "COMPARISON")]
    comparisons: Vec<String>,
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
    let store = args.store.open()?;
    let recorded = named(&store, &args.comparisons)?;
    let paths = write_report(&args.out, &recorded)?;
    let mut out = std::io::stdout().lock();
    for one in &recorded {
        let summary = Summary::new(one);
        if recorded.len() > 1 {
            writeln!(out, "{}\n", summary.design.problem)?;
        }
        if args.markdown {
            writeln!(out, "{}", markdown(&summary))?;
        } else {
            let text = plain_text(&summary, terminal::width());
            writeln!(out, "{}", terminal::coloured(&text))?;
        }
    }
    writeln!(out, "report: {}\ndata:   {}", paths.page.display(), paths.data.display())?;
    Ok(ExitCode::SUCCESS)
}

/// The comparisons with these keys; without one, the newest.
pub(super) fn named(store: &Store, keys: &[String]) -> anyhow::Result<Vec<Recorded>> {
    if !keys.is_empty() {
        return keys.iter().map(|key| Ok(store.comparison(key)?)).collect();
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
