//! `secant experiments [PATH...]`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use secant_lab::{
    Known, Part, Problem,
    experiment::{Experiment, Size},
    with_problem,
};

use super::{data_dir::DataDirArgs, run::load_problem};
use crate::arguments::UsageError;

/// Lists the experiments of the papers: what each needs, whether that is there, and how long it takes.
#[derive(Debug, Args)]
pub(super) struct ExperimentsArgs {
    /// Files, or folders of them
    #[arg(value_name = "PATH", default_value = "experiments")]
    paths: Vec<PathBuf>,
    /// Measure the first steps of every method, and say how long the small variant takes here
    #[arg(long)]
    time: bool,
    #[command(flatten)]
    data: DataDirArgs,
}

pub(super) fn run(args: &ExperimentsArgs) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    for path in &args.paths {
        collect(path, &mut files)?;
    }
    files.sort();
    if files.is_empty() {
        return Err(UsageError(format!(
            "there is no experiment in {}; name files, or a folder of them",
            args.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
        ))
        .into());
    }
    let mut out = std::io::stdout().lock();
    for file in &files {
        let experiment = Experiment::load(file)?;
        writeln!(out, "{}\n  {}", file.display(), experiment.title)?;
        for size in [Size::Full, Size::Small] {
            if size == Size::Full || experiment.has_small() {
                writeln!(out, "  {}", args.line(&experiment, size)?)?;
            }
        }
    }
    writeln!(out, "\nRun one with `secant run FILE --small`.")?;
    Ok(ExitCode::SUCCESS)
}

/// The TOML files at or below a path.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let fault = |reason: std::io::Error| {
        UsageError(format!(
            "cannot read {}: {reason}; name files, or a folder of them",
            path.display()
        ))
    };
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "toml") {
            collect(&path, files)?;
        }
    }
    Ok(())
}

impl ExperimentsArgs {
    /// What one size of an experiment takes.
    fn line(&self, experiment: &Experiment, size: Size) -> anyhow::Result<String> {
        let comparisons = experiment.comparisons(size)?;
        let mut problems: Vec<&str> = Vec::new();
        for planned in &comparisons {
            if !problems.contains(&planned.problem.as_str()) {
                problems.push(&planned.problem);
            }
        }
        let lacks: Vec<String> = problems.iter().filter_map(|name| self.lacks(name)).collect();
        let word = if size == Size::Small { "small" } else { "full " };
        let what = match problems.as_slice() {
            [one] => (*one).to_string(),
            [first, .., last] => format!("{} problems, {first} to {last}", problems.len()),
            [] => String::new(),
        };
        let state = match lacks.as_slice() {
            [] if self.time && size == Size::Small => time_text(self.expected(experiment)?),
            [] => "ready".to_string(),
            [lack] => lack.clone(),
            [first, ..] => format!("{first}, and {} more", lacks.len() - 1),
        };
        let s = if comparisons.len() == 1 { "" } else { "s" };
        Ok(format!("{word} {what}, {} comparison{s}: {state}", comparisons.len()))
    }

    /// Why a problem cannot be run here.
    fn lacks(&self, problem: &str) -> Option<String> {
        match Known::named(problem) {
            Err(_) => Some(format!("the problem {problem} is not built yet")),
            Ok(known) => {
                let set = known.lacks(&self.data.data_dir)?;
                Some(format!("the data {set} are not in {}", self.data.data_dir.display()))
            }
        }
    }

    /// How long the small variant takes here.
    fn expected(&self, experiment: &Experiment) -> anyhow::Result<Duration> {
        let mut expected = Duration::ZERO;
        for planned in &experiment.comparisons(Size::Small)? {
            let problem = load_problem(planned, &self.data.data_dir)?;
            expected += with_problem!(&problem, problem => {
                planned.plan(problem.records(Part::Train)).expected_time(problem)?
            });
        }
        Ok(expected)
    }
}

fn time_text(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 120 => format!("about {seconds} s here"),
        seconds if seconds < 7200 => format!("about {} min here", seconds / 60),
        seconds => format!("about {} h here", seconds / 3600),
    }
}
