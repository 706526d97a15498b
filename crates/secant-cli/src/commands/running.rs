//! How comparisons are carried out: what the commands that run some have in common.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::Args;
use secant_lab::{Finished, Plan, Shown, Store};

use super::{data_dir::DataDirArgs, store::StoreArgs};
use crate::arguments::parse_count;

/// How comparisons are carried out.
#[derive(Debug, Args)]
pub(super) struct RunningArgs {
    #[command(flatten)]
    pub data: DataDirArgs,
    #[command(flatten)]
    pub store: StoreArgs,
    /// The folder for copies of the report and its data, report.html and data.jsonl; made if need be
    #[arg(long, default_value = "secant-report", value_name = "DIR")]
    pub out: PathBuf,
    /// Seconds between two checkpoints of a run in progress
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = parse_seconds)]
    pub checkpoint_every: Duration,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
    /// Runs side by side, one thread each [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = parse_few)]
    pub threads: Option<NonZeroUsize>,
}

impl RunningArgs {
    /// The plan, carried out so, as the command line that is running.
    pub fn apply(&self, plan: Plan) -> Plan {
        Plan {
            command: command_line(),
            checkpoint_every: self.checkpoint_every,
            threads: self.threads.map_or(plan.threads, NonZeroUsize::get),
            shown: if self.quiet { Shown::Nothing } else { Shown::Progress },
            ..plan
        }
    }

    /// Says how much was in the store.
    pub fn tell_reuse(&self, finished: &Finished, store: &Store) {
        let Finished { recorded, reused } = finished;
        if *reused > 0 && !self.quiet {
            let runs = recorded.trials.len() + recorded.runs.len();
            let path = store.path().display();
            eprintln!("secant: {reused} of {runs} runs were in the store {path}");
        }
    }
}

/// A number of runs or threads.
pub(super) fn parse_few(text: &str) -> Result<NonZeroUsize, String> {
    let most = 1000;
    parse_count(text)
        .ok()
        .filter(|count| count.get() <= most)
        .ok_or_else(|| format!("a whole number from 1 to {most} is wanted"))
}

/// A time from 0 to a day.
pub(super) fn parse_seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number of seconds from 0 to 86400 is wanted".to_string()),
    }
}

/// The command line as a person would type it; what is no text in it, such as the bytes of a file's name, is replaced.
fn command_line() -> String {
    let quoted = |argument: String| {
        if argument.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')')) {
            format!("'{argument}'")
        } else {
            argument
        }
    };
    let arguments =
        std::env::args_os().skip(1).map(|argument| quoted(argument.to_string_lossy().into_owned()));
    std::iter::once("secant".to_string()).chain(arguments).collect::<Vec<_>>().join(" ")
}
