//! `secant-dev suite`.

use std::{io::Write, num::NonZeroUsize, process::ExitCode};

use clap::Args;
use secant::spec::Choice;
use secant_cli::{
    arguments::{UsageError, parse_count, parse_optimizer},
    commands::{data_dir::DataDirArgs, store::StoreArgs},
    interrupt::{INTERRUPTED, stop_on_interrupt},
};
use secant_lab::{CompareError, Plan, Shown, with_problem};

use crate::suite::{Contest, Entry, SUITE, SuitePlan, measure, share, shares_table, table};

/// Holds an optimizer at its usual rate against tuned Adam: does it need half of the gradient evaluations?
///
/// Ends with a table in Markdown. What the store has is not run again; stopped or killed, the same command goes on, and several
/// processes share the work.
#[derive(Debug, Args)]
pub(super) struct SuiteArgs {
    /// The optimizer, with hyper-parameters if need be
    #[arg(default_value = "auto", value_parser = parse_optimizer)]
    candidate: Choice,
    /// Only the problems whose names contain one of these, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    only: Vec<String>,
    /// Runs of each method and length
    #[arg(long, default_value = "5", value_parser = parse_count)]
    seeds: NonZeroUsize,
    /// Times the usual number of gradients
    #[arg(long, default_value = "1", value_name = "N", value_parser = parse_count)]
    longer: NonZeroUsize,
    /// Tell the share of Adam's evaluations that the optimizer needs to Adam's training loss, from runs with these parts of
    /// them, as in 0.25,0.5,1
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = parse_part)]
    parts: Vec<f64>,
    /// Runs side by side, one thread each [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    threads: Option<NonZeroUsize>,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    data: DataDirArgs,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &SuiteArgs) -> anyhow::Result<ExitCode> {
    let plan = args.plan()?;
    let entries = args.entries()?;
    let (store, stop) = (args.store.open()?, stop_on_interrupt()?);
    let parts = args.ascending_parts();
    let (mut standings, mut shares) = (Vec::new(), Vec::new());
    for entry in entries {
        let problem = entry.load(&args.data.data_dir)?;
        let done = with_problem!(&problem, problem => {
            let contest = Contest { entry, problem, plan: &plan, store: &store, stop: &stop };
            if parts.is_empty() {
                measure(&contest).map(|standing| standings.push(standing))
            } else {
                share(&contest, &parts).map(|share| shares.push(share))
            }
        });
        if let Err(stopped @ CompareError::Stopped) = done {
            eprintln!("secant-dev: {stopped}; the store is {}", store.path().display());
            return Ok(ExitCode::from(INTERRUPTED));
        }
        done?;
    }
    let (candidate, reference) = (plan.candidate.to_string(), plan.reference.to_string());
    let text = if parts.is_empty() {
        table(&standings, &candidate, &reference)
    } else {
        shares_table(&shares, &candidate, &reference)
    };
    write!(std::io::stdout().lock(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

/// A positive number.
fn parse_part(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(part) if part > 0.0 && f64::is_finite(part) => Ok(part),
        _ => Err("a part is a number above 0, as in 0.5".to_string()),
    }
}

impl SuiteArgs {
    fn ascending_parts(&self) -> Vec<f64> {
        let mut parts = self.parts.clone();
        parts.sort_by(f64::total_cmp);
        parts.dedup();
        parts
    }

    fn plan(&self) -> anyhow::Result<SuitePlan> {
        let reference: Choice = "adam".parse()?;
        if self.candidate == reference {
            let text = "Adam is what the suite holds optimizers against; name another one";
            return Err(UsageError(text.to_string()).into());
        }
        Ok(SuitePlan {
            candidate: self.candidate.clone(),
            reference,
            seeds: self.seeds.get(),
            longer: self.longer.get() as u64,
            threads: self.threads.map_or(Plan::default().threads, NonZeroUsize::get),
            shown: if self.quiet { Shown::Nothing } else { Shown::Progress },
        })
    }

    fn entries(&self) -> Result<Vec<&'static Entry>, UsageError> {
        let is_asked = |entry: &&Entry| {
            self.only.is_empty() || self.only.iter().any(|part| entry.label().contains(part))
        };
        let entries: Vec<&Entry> = SUITE.iter().filter(is_asked).collect();
        if entries.is_empty() {
            let all: Vec<String> = SUITE.iter().map(Entry::label).collect();
            let text = format!("no problem of the suite is called so; it has {}", all.join("; "));
            return Err(UsageError(text));
        }
        Ok(entries)
    }
}
