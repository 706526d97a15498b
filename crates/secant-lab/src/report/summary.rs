//! The records of a comparison, summed up one method at a time.

use crate::run::record::{Comparison, Point, Record, Run, Trial};

use super::error::ReportError;
use super::statistics::{Estimate, median};
use super::warning::{GridEnd, Warning};

/// A whole comparison, ready to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// What was compared.
    pub comparison: Comparison,
    /// One entry a method, the most accurate first.
    pub optimizers: Vec<OptimizerSummary>,
    /// What a reader should know.
    pub warnings: Vec<Warning>,
}

/// What the runs of one method came to.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerSummary {
    /// The method's name.
    pub name: String,
    /// The rate of its runs; `None` without runs.
    pub best_rate: Option<f64>,
    /// The end of the tried rates that the best one lies at, if it does.
    pub grid_end: Option<GridEnd>,
    /// How many tuning trials it had.
    pub trials: usize,
    /// How many runs it has, one a seed.
    pub runs: usize,
    /// How many runs ended with a loss that is not finite or above its start.
    pub diverged: usize,
    /// Accuracy on the test split at the end of the runs, diverged ones included.
    pub test_accuracy: Option<Estimate>,
    /// With two classes: balanced accuracy there.
    pub balanced_accuracy: Option<Estimate>,
    /// With two classes: F1 of the second one there.
    pub f1: Option<Estimate>,
    /// With two classes: the area under the receiver operating characteristic there.
    pub auc: Option<Estimate>,
    /// Loss on the test split at the end of the runs, where finite.
    pub test_loss: Option<Estimate>,
    /// The cost of the target; `None` when no run reached it.
    pub target: Option<TargetCost>,
    /// Seconds of a step, measured alone; `None` when it was not measured.
    pub step_seconds: Option<f64>,
    /// Steps that were rejected, over all runs.
    pub rejected_steps: u64,
}

/// The cost of the target accuracy: medians over the runs that reached it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetCost {
    /// How many runs reached it.
    pub reached: usize,
    /// Gradients evaluated until then.
    pub gradient_evaluations: f64,
    /// Passes over the training records until then.
    pub epochs: f64,
    /// Seconds of training until then.
    pub seconds: f64,
}

impl Summary {
    /// Sums up the records of one comparison.
    ///
    /// # Errors
    ///
    /// When the first record does not say what was compared.
    pub fn new(records: &[Record]) -> Result<Self, ReportError> {
        let Some(Record::Comparison(comparison)) = records.first() else {
            return Err(ReportError::NoComparison);
        };
        let mut optimizers: Vec<OptimizerSummary> = comparison
            .optimizers
            .iter()
            .map(|name| OptimizerSummary::new(name, comparison.target_accuracy, records))
            .collect();
        optimizers.sort_by(|a, b| accuracy(b).total_cmp(&accuracy(a)));
        Ok(Self {
            warnings: warnings(comparison, &optimizers),
            comparison: Comparison::clone(comparison),
            optimizers,
        })
    }

    /// One sentence about the two most accurate methods.
    pub fn headline(&self) -> String {
        let mut ranked = self
            .optimizers
            .iter()
            .filter_map(|entry| Some((entry.name.as_str(), entry.test_accuracy?)));
        let Some((first, best)) = ranked.next() else {
            return "No run has finished.".into();
        };
        let reached = format!("{first} reached {}", accuracy_text(best));
        let Some((second, next)) = ranked.next() else {
            return format!("{reached} on the test split.");
        };
        let verdict = match best.overlaps(next) {
            Some(true) => "the 95 % intervals overlap",
            Some(false) => "the 95 % intervals do not overlap",
            None => "without more seeds the difference may be chance",
        };
        let next = accuracy_text(next);
        format!("{reached} on the test split; the next, {second}, {next}: {verdict}.")
    }
}

impl OptimizerSummary {
    fn new(name: &str, target_accuracy: f64, records: &[Record]) -> Self {
        let runs = runs_of(records, name);
        let trials = trials_of(records, name);
        let best_rate = runs.first().map(|run| run.lr);
        let last = || runs.iter().filter_map(|run| run.curve.last());
        let accuracies: Vec<f64> = last().map(|point| point.test_accuracy).collect();
        let of = |measure: fn(&Point) -> Option<f64>| {
            Estimate::of(&last().filter_map(measure).collect::<Vec<_>>())
        };
        Self {
            name: name.to_owned(),
            best_rate,
            grid_end: best_rate.and_then(|rate| grid_end(rate, &trials)),
            trials: trials.len(),
            runs: runs.len(),
            diverged: runs.iter().filter(|run| diverged(run)).count(),
            test_accuracy: Estimate::of(&accuracies),
            balanced_accuracy: of(|point| point.test_balanced_accuracy),
            f1: of(|point| point.test_f1),
            auc: of(|point| point.test_auc),
            test_loss: of(|point| point.test_loss),
            target: TargetCost::of(&runs, target_accuracy),
            step_seconds: step_seconds_of(records, name),
            rejected_steps: runs.iter().map(|run| run.rejected_steps).sum(),
        }
    }
}

impl TargetCost {
    fn of(runs: &[&Run], target: f64) -> Option<Self> {
        let reached: Vec<&Point> = runs
            .iter()
            .filter_map(|run| run.curve.iter().find(|point| point.validation_accuracy >= target))
            .collect();
        let middle =
            |cost: fn(&Point) -> f64| median(&reached.iter().map(|p| cost(p)).collect::<Vec<_>>());
        Some(Self {
            reached: reached.len(),
            gradient_evaluations: middle(|point| point.gradient_evaluations as f64)?,
            epochs: middle(|point| point.epoch)?,
            seconds: middle(|point| point.seconds)?,
        })
    }
}

/// The runs of one method, in the order of the records.
pub fn runs_of<'a>(records: &'a [Record], name: &str) -> Vec<&'a Run> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Run(run) if run.optimizer == name => Some(run),
            _ => None,
        })
        .collect()
}

/// The tuning trials of one method, in the order of the records.
pub fn trials_of<'a>(records: &'a [Record], name: &str) -> Vec<&'a Trial> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Trial(trial) if trial.optimizer == name => Some(trial),
            _ => None,
        })
        .collect()
}

fn step_seconds_of(records: &[Record], name: &str) -> Option<f64> {
    records.iter().find_map(|record| match record {
        Record::StepTime(time) if time.optimizer == name => Some(time.seconds),
        _ => None,
    })
}

/// The end of the tried rates that `rate` lies at; one rate alone has no ends.
fn grid_end(rate: f64, trials: &[&Trial]) -> Option<GridEnd> {
    let above = trials.iter().any(|trial| trial.lr > rate);
    let below = trials.iter().any(|trial| trial.lr < rate);
    match (below, above) {
        (true, false) => Some(GridEnd::Largest),
        (false, true) => Some(GridEnd::Smallest),
        _ => None,
    }
}

/// Whether a loss of the run is not finite, or the last is above the first.
fn diverged(run: &Run) -> bool {
    let not_finite =
        run.curve.iter().any(|point| point.validation_loss.is_none() || point.test_loss.is_none());
    let loss = |point: Option<&Point>| point.and_then(|point| point.validation_loss);
    let worse = match (loss(run.curve.first()), loss(run.curve.last())) {
        (Some(first), Some(last)) => last > first,
        _ => false,
    };
    not_finite || worse
}

fn accuracy(entry: &OptimizerSummary) -> f64 {
    entry.test_accuracy.map_or(f64::NEG_INFINITY, |estimate| estimate.mean)
}

fn accuracy_text(estimate: Estimate) -> String {
    let percent = estimate.scaled(100.0);
    match percent.half_width {
        Some(width) => format!("{:.2} % ± {width:.2}", percent.mean),
        None => format!("{:.2} %", percent.mean),
    }
}

fn warnings(comparison: &Comparison, optimizers: &[OptimizerSummary]) -> Vec<Warning> {
    let mut found = Vec::new();
    if comparison.seeds.len() == 1 {
        found.push(Warning::OneSeed);
    }
    found.extend(leaders_overlap(optimizers));
    found.extend([GridEnd::Smallest, GridEnd::Largest].iter().filter_map(|&end| {
        let at_end = |entry: &&OptimizerSummary| entry.grid_end == Some(end);
        let rate = |entry: &OptimizerSummary| Some((entry.name.clone(), entry.best_rate?));
        let rates: Vec<(String, f64)> = optimizers.iter().filter(at_end).filter_map(rate).collect();
        (!rates.is_empty()).then_some(Warning::RatesAtGridEnd { end, rates })
    }));
    for entry in optimizers {
        warn_of_one(entry, comparison.seeds.len(), &mut found);
    }
    found.extend(target_never_reached(comparison, optimizers));
    found
}

fn leaders_overlap(optimizers: &[OptimizerSummary]) -> Option<Warning> {
    let [first, second, ..] = optimizers else {
        return None;
    };
    let overlap = first.test_accuracy?.overlaps(second.test_accuracy?)?;
    overlap
        .then(|| Warning::LeadersOverlap { first: first.name.clone(), second: second.name.clone() })
}

fn warn_of_one(entry: &OptimizerSummary, seeds: usize, found: &mut Vec<Warning>) {
    let optimizer = || entry.name.clone();
    if entry.diverged > 0 {
        found.push(Warning::Diverged {
            optimizer: optimizer(),
            diverged: entry.diverged,
            runs: entry.runs,
        });
    }
    if entry.rejected_steps > 0 {
        found.push(Warning::RejectedSteps { optimizer: optimizer(), steps: entry.rejected_steps });
    }
    if entry.runs < seeds {
        found.push(Warning::MissingRuns {
            optimizer: optimizer(),
            runs: entry.runs,
            expected: seeds,
        });
    }
}

fn target_never_reached(
    comparison: &Comparison,
    optimizers: &[OptimizerSummary],
) -> Option<Warning> {
    let never: Vec<String> = optimizers
        .iter()
        .filter(|entry| entry.runs > 0 && entry.target.is_none())
        .map(|entry| entry.name.clone())
        .collect();
    (!never.is_empty()).then_some(Warning::TargetNeverReached {
        optimizers: never,
        target: comparison.target_accuracy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn summary() -> Summary {
        Summary::new(&samples::nine_methods()).expect("a summary")
    }

    fn of<'a>(summary: &'a Summary, name: &str) -> &'a OptimizerSummary {
        let mut entries = summary.optimizers.iter();
        entries.find(|entry| entry.name == name).expect("a method")
    }

    fn point(epoch: f64, validation_accuracy: f64, loss: Option<f64>) -> Point {
        Point {
            epoch,
            steps: 0,
            gradient_evaluations: (epoch * 100.0) as u64,
            seconds: epoch * 2.0,
            train_loss: None,
            validation_loss: loss,
            validation_accuracy,
            test_loss: loss,
            test_accuracy: validation_accuracy,
            test_balanced_accuracy: None,
            test_f1: None,
            test_auc: None,
        }
    }

    fn run(accuracies: &[f64]) -> Run {
        let points = accuracies.iter().enumerate();
        Run {
            optimizer: "adam".into(),
            lr: 0.1,
            seed: 1,
            curve: points
                .map(|(i, &accuracy)| point(i as f64, accuracy, Some(1.0 - accuracy)))
                .collect(),
            rejected_steps: 0,
            trust_region: Vec::new(),
        }
    }

    #[test]
    fn methods_are_ranked_by_test_accuracy() {
        let summary = summary();
        let means: Vec<f64> = summary.optimizers.iter().map(accuracy).collect();
        assert!(means.windows(2).all(|pair| pair[0] >= pair[1]), "{means:?}");
        assert_eq!(summary.optimizers[8].name, "rprop");
    }

    #[test]
    fn a_method_without_runs_comes_last_and_is_named() {
        let mut records = samples::nine_methods();
        records.retain(|record| !matches!(record, Record::Run(run) if run.optimizer == "adam"));
        let summary = Summary::new(&records).expect("a summary");
        assert_eq!(summary.optimizers[8].name, "adam");
        assert!(summary.warnings.contains(&Warning::MissingRuns {
            optimizer: "adam".into(),
            runs: 0,
            expected: 3,
        }));
    }

    #[test]
    fn the_cost_of_the_target_is_a_median_over_the_runs_that_reached_it() {
        let [early, late, never] =
            [run(&[0.1, 0.9, 0.8]), run(&[0.1, 0.5, 0.7, 0.9]), run(&[0.1, 0.2])];
        let cost = TargetCost::of(&[&early, &late, &never], 0.9).expect("a cost");
        assert_eq!((cost.reached, cost.epochs), (2, 2.0));
        assert_eq!((cost.gradient_evaluations, cost.seconds), (200.0, 4.0));
        assert_eq!(TargetCost::of(&[&never], 0.9), None);
    }

    #[test]
    fn the_best_rate_is_at_an_end_only_when_no_rate_lies_beyond() {
        let records = samples::nine_methods();
        let trials = trials_of(&records, "adam");
        let rates: Vec<f64> = trials.iter().map(|trial| trial.lr).collect();
        assert_eq!(grid_end(rates[0], &trials), Some(GridEnd::Smallest));
        assert_eq!(grid_end(rates[3], &trials), None);
        assert_eq!(grid_end(rates[6], &trials), Some(GridEnd::Largest));
        assert_eq!(grid_end(rates[0], &trials[..1]), None);
    }

    #[test]
    fn a_run_diverges_when_a_loss_is_not_finite_or_ends_above_its_start() {
        assert!(!diverged(&run(&[0.1, 0.5])));
        assert!(diverged(&run(&[0.5, 0.1])));
        let mut broken = run(&[0.1, 0.5, 0.6]);
        broken.curve[1].test_loss = None;
        assert!(diverged(&broken));
    }

    #[test]
    fn a_diverged_run_counts_for_accuracy_but_has_no_loss() {
        let summary = summary();
        let entry = of(&summary, "rprop");
        assert_eq!((entry.runs, entry.diverged), (3, 1));
        assert_eq!(entry.test_accuracy.expect("an accuracy").count, 3);
        assert_eq!(entry.test_loss.expect("a loss").count, 2);
        assert_eq!(entry.rejected_steps, 12);
    }

    #[test]
    fn warnings_name_the_methods_they_are_about() {
        let warnings = summary().warnings;
        let expected = [
            Warning::LeadersOverlap { first: "shampoo".into(), second: "sam".into() },
            Warning::RatesAtGridEnd { end: GridEnd::Largest, rates: vec![("sgd".into(), 0.1)] },
            Warning::Diverged { optimizer: "rprop".into(), diverged: 1, runs: 3 },
            Warning::RejectedSteps { optimizer: "rprop".into(), steps: 12 },
            Warning::TargetNeverReached {
                optimizers: vec!["sgd".into(), "rprop".into()],
                target: 0.912,
            },
        ];
        assert_eq!(warnings, expected);
    }

    #[test]
    fn the_headline_says_whether_the_leaders_can_be_told_apart() {
        let overlapping = summary().headline();
        assert!(overlapping.starts_with("shampoo reached 91.91 % ± 0.44"));
        assert!(overlapping.ends_with("sam, 91.85 % ± 0.16: the 95 % intervals overlap."));
        let one_seed = Summary::new(&samples::one_seed()).expect("a summary");
        assert!(one_seed.headline().ends_with("may be chance."));
    }

    #[test]
    fn the_time_of_a_step_is_kept_in_seconds() {
        let summary = summary();
        assert_eq!(of(&summary, "shampoo").step_seconds, Some(0.0105));
    }

    #[test]
    fn records_without_a_comparison_are_refused() {
        let error = Summary::new(&[]).expect_err("no records").to_string();
        assert_eq!(error, "the data does not begin with a record of kind `comparison`");
    }
}
