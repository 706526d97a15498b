//! Shows how far a comparison is: a bar with rate and time left on a terminal, plain lines
//! elsewhere.

use std::{io::IsTerminal, time::Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Plan;
use crate::run::record::{Run, Trial};

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    epochs: u64,
    runs: usize,
    done: std::sync::atomic::AtomicUsize,
    started: Instant,
}

impl Progress {
    pub(super) fn new(plan: &Plan) -> Self {
        let trials = if plan.lr.is_some() { 0 } else { plan.trials };
        let runs = plan.optimizers.len() * (trials + plan.seeds.len());
        let epochs = plan.epochs as u64;
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(runs as u64 * epochs);
            let template = "{bar:30} {pos}/{len} epochs, {per_sec}, {eta} left  {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, epochs, runs, done: 0.into(), started: Instant::now() }
    }

    pub(super) fn epoch(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// A run that was done earlier.
    pub(super) fn skip_run(&self) {
        self.done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.inc(self.epochs);
        }
    }

    pub(super) fn trial(&self, trial: &Trial) {
        let Trial { optimizer, lr, .. } = trial;
        let accuracy = 100.0 * trial.validation_accuracy.unwrap_or(0.0);
        self.line(&format!("tuning {optimizer} at rate {lr}: validation accuracy {accuracy:.2} %"));
    }

    pub(super) fn run(&self, run: &Run) {
        let Run { optimizer, lr, seed, .. } = run;
        let accuracy = 100.0 * run.curve.last().map_or(0.0, |point| point.test_accuracy);
        self.line(&format!("{optimizer} at rate {lr}, seed {seed}: test accuracy {accuracy:.2} %"));
    }

    fn line(&self, line: &str) {
        let done = self.done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => bar.set_message(line.to_string()),
            None => {
                let seconds = self.started.elapsed().as_secs_f64();
                eprintln!("[{done}/{} runs, {seconds:.0} s] {line}", self.runs);
            }
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
