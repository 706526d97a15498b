//! What a reader should know before trusting a comparison, and what to do about it.

use std::fmt;

use super::{
    format::{counted, short, value_text},
    summary::MethodSummary,
    verdict::{Standing, Verdict, resolution, seeds_for_more},
};
use crate::{Metric, record::Design};

/// A reason to read the figures with care.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// Something about the data, as it was read.
    Data(String),
    /// There is one seed, so nothing is known about the spread.
    OneSeed,
    /// More seeds could tell ties from the best.
    MoreSeeds {
        /// How many.
        seeds: usize,
    },
    /// The best rates of some methods lie at an end of the rates that were tried.
    RatesAtEdge {
        /// The methods and their best rates.
        rates: Vec<(String, f64)>,
    },
    /// In some runs a loss was not finite, or neither the training loss nor the validation loss fell.
    Untrained {
        /// The method.
        method: String,
        /// How many of its runs.
        untrained: usize,
        /// How many runs it has.
        runs: usize,
    },
    /// Methods that are no better than what needs no training.
    NotAboveBaseline {
        /// The methods.
        methods: Vec<String>,
        /// The baseline's name.
        baseline: String,
        /// The metric and the baseline's value.
        value: String,
        /// Whether there are classes, which could have weights.
        has_classes: bool,
    },
    /// Steps were rejected because something in them was not finite.
    RejectedSteps {
        /// The method.
        method: String,
        /// How many, over all its runs.
        steps: u64,
    },
    /// There are fewer runs than seeds.
    MissingRuns {
        /// The methods, with the runs they have.
        methods: Vec<(String, usize)>,
        /// How many each should have.
        expected: usize,
    },
    /// Methods of which no run reached the target.
    TargetNeverReached {
        /// The methods.
        methods: Vec<String>,
        /// The metric and its value that counts as reached.
        target: String,
    },
    /// The machine did something else while steps were timed.
    Busy {
        /// The methods.
        methods: Vec<String>,
    },
}

/// Everything that a reader should know.
pub(super) fn warnings(
    design: &Design,
    methods: &[MethodSummary],
    verdict: &Verdict,
    target: Option<f64>,
) -> Vec<Warning> {
    let metric = &design.metrics[design.ranked_by];
    let mut found: Vec<Warning> =
        design.data_warnings.iter().map(|text| Warning::Data(text.clone())).collect();
    if verdict.has_winner() {
        if design.seeds.len() == 1 && methods.len() > 1 {
            found.push(Warning::OneSeed);
        }
        let best = methods.iter().find(|method| method.standing == Standing::Best);
        let margin = resolution(design, best.and_then(|best| best.ranked));
        found.extend(seeds_for_more(methods, margin).map(|seeds| Warning::MoreSeeds { seeds }));
    }
    let at_edge = methods.iter().filter(|method| method.is_at_edge());
    let rates: Vec<(String, f64)> =
        at_edge.filter_map(|method| Some((method.name.clone(), method.best_rate?))).collect();
    if !rates.is_empty() {
        found.push(Warning::RatesAtEdge { rates });
    }
    found.extend(below_baseline(design, metric, methods));
    for method in methods {
        let (name, runs) = (method.name.clone(), method.runs);
        if method.trained < runs {
            let untrained = runs - method.trained;
            found.push(Warning::Untrained { method: name.clone(), untrained, runs });
        }
        if method.rejected_steps > 0 {
            found.push(Warning::RejectedSteps { method: name, steps: method.rejected_steps });
        }
    }
    found.extend(missing(design, methods));
    if let Some(target) = target {
        found.extend(never_reached(metric, methods, target));
    }
    let busy = |method: &&MethodSummary| method.step.as_ref().is_some_and(|step| step.busy);
    let busy: Vec<String> = methods.iter().filter(busy).map(|m| m.name.clone()).collect();
    if !busy.is_empty() {
        found.push(Warning::Busy { methods: busy });
    }
    found
}

fn below_baseline(design: &Design, metric: &Metric, methods: &[MethodSummary]) -> Option<Warning> {
    let below = methods.iter().filter(|m| m.standing == Standing::NotAboveBaseline);
    let methods: Vec<String> = below.map(|method| method.name.clone()).collect();
    let value = design.baseline.get(design.ranked_by).copied().flatten();
    (!methods.is_empty()).then(|| Warning::NotAboveBaseline {
        methods,
        baseline: design.baseline_name.clone(),
        value: format!("{} {}", metric.name, value_text(metric, value)),
        has_classes: design.metrics.iter().any(|metric| metric.name == "balanced accuracy"),
    })
}

fn missing(design: &Design, methods: &[MethodSummary]) -> Option<Warning> {
    let expected = design.seeds.len();
    let lacking = methods.iter().filter(|method| method.runs < expected);
    let methods: Vec<(String, usize)> =
        lacking.map(|method| (method.name.clone(), method.runs)).collect();
    (!methods.is_empty()).then_some(Warning::MissingRuns { methods, expected })
}

fn never_reached(metric: &Metric, methods: &[MethodSummary], target: f64) -> Option<Warning> {
    let never = methods.iter().filter(|method| method.runs > 0 && method.target.is_none());
    let methods: Vec<String> = never.map(|method| method.name.clone()).collect();
    let target = format!("{} {}", metric.name, value_text(metric, Some(target)));
    (!methods.is_empty()).then_some(Warning::TargetNeverReached { methods, target })
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(text) => f.write_str(text),
            Self::OneSeed => f.write_str(
                "one seed only, so no spread is known and small differences mean nothing; \
                 give --seeds 3 or more",
            ),
            Self::MoreSeeds { seeds } => write!(
                f,
                "if means and spreads stay as they are, --seeds {seeds} would tell one of the ties \
                 from the best; the runs so far are kept"
            ),
            Self::RatesAtEdge { rates } => {
                let rates: Vec<String> =
                    rates.iter().map(|(name, rate)| format!("{name} ({})", short(*rate))).collect();
                write!(
                    f,
                    "the best rate is the smallest or largest of those tried for {}: give --tune a \
                     larger number",
                    rates.join(", ")
                )
            }
            Self::Untrained { method, untrained, runs } => write!(
                f,
                "{method}: in {untrained} of {} a loss was not finite, or neither the training loss nor \
                 the validation loss fell, so it cannot win; give --tune a larger number, or --lr a \
                 smaller one",
                counted(*runs, "run")
            ),
            Self::NotAboveBaseline { methods, baseline, value, has_classes } => write!(
                f,
                "no better than {baseline} ({value}): {}; try {}a longer --budget or another --metric",
                methods.join(", "),
                if *has_classes { "--class-weights balanced, " } else { "" }
            ),
            Self::RejectedSteps { method, steps } => {
                let were = if *steps == 1 { "step was" } else { "steps were" };
                write!(
                    f,
                    "{method}: {steps} {were} rejected because a number was not finite; a smaller \
                     rate, by --tune or --lr, may avoid this"
                )
            }
            Self::MissingRuns { methods, expected } => {
                let have: Vec<String> =
                    methods.iter().map(|(name, runs)| format!("{name} ({runs})")).collect();
                write!(
                    f,
                    "not finished, of {} each there are: {}; the same command goes on",
                    counted(*expected, "run"),
                    have.join(", ")
                )
            }
            Self::TargetNeverReached { methods, target } => write!(
                f,
                "no run of {} reached validation {target}; give a longer --budget or another \
                 --goal",
                methods.join(", ")
            ),
            Self::Busy { methods } => write!(
                f,
                "the machine was busy while steps were timed; the times of {} are uncertain",
                methods.join(", ")
            ),
        }
    }
}
