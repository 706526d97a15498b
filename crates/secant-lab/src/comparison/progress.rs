//! Shows how far a comparison is: a bar with the best so far and the time left on a terminal, plain lines
//! elsewhere.

use std::{
    io::IsTerminal,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::Plan;
use crate::{
    record::{Design, Run, Trial},
    report::value_text,
    run::Setting,
};

/// What is shown while a comparison runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A bar on a terminal, else a line for each run, on standard error.
    Progress,
    /// Nothing.
    Nothing,
}

/// Ticks of the bar for one run.
const TICKS: u64 = 100;

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    shown: Shown,
    runs: AtomicUsize,
    done: AtomicUsize,
    started: Instant,
    best: Mutex<Option<(f64, String)>>,
}

impl Progress {
    pub(super) fn new(plan: &Plan, design: &Design) -> Self {
        let of_method = |method| plan.least_tuning_runs_of(method) + design.seeds.len();
        let runs: usize = plan.at_work().map(of_method).sum();
        let is_bar = plan.shown == Shown::Progress && std::io::stderr().is_terminal();
        let bar = is_bar.then(|| {
            let bar = ProgressBar::new(runs as u64 * TICKS);
            let template = "{prefix} {wide_bar} {percent} %, {eta} left\n{wide_msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_prefix(design.problem.clone());
            bar
        });
        Self {
            bar,
            shown: plan.shown,
            runs: runs.into(),
            done: 0.into(),
            started: Instant::now(),
            best: Mutex::default(),
        }
    }

    /// More tuning runs than were planned.
    pub(super) fn add_tuning_runs(&self, count: usize) {
        self.runs.fetch_add(count, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.inc_length(count as u64 * TICKS);
        }
    }

    /// A run begins.
    pub(super) fn begin(&self, setting: &Setting) -> Running<'_> {
        if let Some(bar) = &self.bar {
            let best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
            let best = best.as_ref().map_or_else(String::new, |(_, text)| format!("; best {text}"));
            bar.set_message(format!("{} at rate {}{best}", setting.method, setting.lr));
        }
        Running { bar: self.bar.as_ref(), ticks: AtomicU64::new(0) }
    }

    /// A trial has ended, or was in the store.
    pub(super) fn trial(&self, design: &Design, trial: &Trial) {
        let metric = &design.metrics[design.tuned_by];
        let value = trial.validation.get(design.tuned_by).copied().flatten();
        let text = format!("validation {} {}", metric.name, value_text(metric, value));
        let better = |best: &Option<(f64, String)>| {
            value
                .is_some_and(|new| best.as_ref().is_none_or(|(old, _)| metric.is_better(new, *old)))
        };
        let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
        if trial.trained && better(&best) {
            *best = value.map(|value| (value, format!("{}: {text}", trial.settings)));
        }
        drop(best);
        self.line(&format!("tuning {} at rate {}: {text}", trial.settings, trial.lr));
    }

    /// A final run has ended, or was in the store.
    pub(super) fn run(&self, design: &Design, run: &Run) {
        let metric = &design.metrics[design.ranked_by];
        let value = run.test.get(design.ranked_by).copied().flatten();
        let text = format!("test {} {}", metric.name, value_text(metric, value));
        self.line(&format!("{} at rate {}, seed {}: {text}", run.settings, run.lr, run.seed));
    }

    /// Something that the user should know.
    pub(super) fn note(&self, note: &str) {
        match (&self.bar, self.shown) {
            (Some(bar), _) => bar.println(format!("secant: {note}")),
            (None, Shown::Progress) => eprintln!("secant: {note}"),
            (None, Shown::Nothing) => {}
        }
    }

    fn line(&self, line: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match (&self.bar, self.shown) {
            (Some(bar), _) => bar.set_position(done as u64 * TICKS),
            (None, Shown::Progress) => {
                let (runs, seconds) =
                    (self.runs.load(Ordering::Relaxed), self.started.elapsed().as_secs_f64());
                eprintln!("[{done}/{runs} runs, {seconds:.0} s] {line}");
            }
            (None, Shown::Nothing) => {}
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A run in progress.
pub(super) struct Running<'a> {
    bar: Option<&'a ProgressBar>,
    ticks: AtomicU64,
}

impl Running<'_> {
    /// So much of it is done, from 0 to 1.
    pub(super) fn at(&self, progress: f64) {
        let Some(bar) = self.bar else { return };
        let ticks = ((progress * TICKS as f64) as u64).min(TICKS - 1);
        let before = self.ticks.fetch_max(ticks, Ordering::Relaxed);
        bar.inc(ticks.saturating_sub(before));
    }
}
