//! The records of a comparison, summed up one method at a time.

use super::{
    format::{counted, value_text},
    target::{TargetCost, target},
    verdict::{Standing, Verdict, paired, resolution},
    warning::{Warning, warnings},
};
use secant::Chosen;

use crate::{
    Metric,
    record::{Design, Run, StepTime, Trial},
    statistics::{Difference, Interval, interval, mean},
    store::Recorded,
};

/// A whole comparison, ready to be shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// What was compared.
    pub design: Design,
    /// One entry a method, the best first.
    pub methods: Vec<MethodSummary>,
    /// What it came to.
    pub verdict: Verdict,
    /// The value of the ranking metric that counts as reached; none where nothing beats the baseline.
    pub target: Option<f64>,
    /// What a reader should know.
    pub warnings: Vec<Warning>,
}

/// The finished runs of one method.
pub(super) type RunsOf = [Run];

/// What the runs of one method came to.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodSummary {
    /// The method, as the user named it.
    pub name: String,
    /// Its tuned hyper-parameters, as on the command line; its name where there is no run.
    pub settings: String,
    /// What `auto` chose, and why.
    pub chosen: Option<Chosen>,
    /// The rate of its runs; `None` without runs.
    pub best_rate: Option<f64>,
    /// Where it stands.
    pub standing: Standing,
    /// How many runs it has, one a seed.
    pub runs: usize,
    /// How many of them trained: every loss was finite, and the training loss or the validation loss fell.
    pub trained: usize,
    /// The ranking metric on the test records at the end of the runs.
    pub ranked: Option<Interval>,
    /// All metrics there, in the order of [`Design::metrics`].
    pub metrics: Vec<Option<Interval>>,
    /// How much better it is than the best, paired by seed; never of the best itself.
    pub to_best: Option<Difference>,
    /// How much better it is than Adam, paired by seed; never of Adam itself.
    pub to_adam: Option<Difference>,
    /// The cost of the target; `None` when no run reached it.
    pub target: Option<TargetCost>,
    /// The time of a step, measured alone.
    pub step: Option<StepTime>,
    /// Steps that were rejected, over all runs.
    pub rejected_steps: u64,
    /// Its tuning trials, each with the means of its runs.
    pub trials: Vec<Trial>,
    /// Its runs.
    pub records: Vec<Run>,
}

/// The method that all others are held against besides the best.
const REFERENCE: &str = "adam";

impl Summary {
    /// Sums up a comparison, finished or not.
    pub fn new(recorded: &Recorded) -> Self {
        let design = recorded.design.clone();
        let target = target(&design, &recorded.trials, &recorded.runs);
        let mut methods: Vec<MethodSummary> = design
            .methods
            .iter()
            .map(|name| MethodSummary::new(name, &design, target, recorded))
            .collect();
        let verdict = Verdict::of(&design, &mut methods);
        against_reference(&design, &mut methods);
        let warnings = warnings(&design, &methods, &verdict, target);
        Self { design, methods, verdict, target, warnings }
    }

    /// The metric that ranks the methods.
    pub fn metric(&self) -> &Metric {
        &self.design.metrics[self.design.ranked_by]
    }

    /// The difference to the best that counts as none, where there is such a thing: the standard error of a
    /// difference of two shares over the test records.
    pub fn resolution(&self) -> Option<f64> {
        let best = self.methods.iter().find(|method| method.standing == Standing::Best)?;
        Some(resolution(&self.design, best.ranked)).filter(|resolution| *resolution > 0.0)
    }

    /// How much better one method is than another by a metric on the test records, paired by seed; none
    /// where one of them has no runs, or the metric is not measured.
    pub fn difference(&self, better: &str, than: &str, metric: &str) -> Option<Difference> {
        let place = self.design.metrics.iter().position(|known| known.name == metric)?;
        let named = |name: &str| self.methods.iter().find(|method| method.name == name);
        paired(&self.design.metrics[place], place, named(better)?, named(than)?, 1)
    }

    /// What came out, in one or two sentences.
    pub fn headline(&self) -> String {
        let metric = self.metric();
        let value = |name: &str| {
            let found = self.methods.iter().find(|method| method.name == name);
            value_text(metric, found.and_then(|method| Some(method.ranked?.mean)))
        };
        match &self.verdict {
            Verdict::NoRuns => "No run has finished.".to_string(),
            Verdict::NothingTrained => "Nothing trained: in every method there is a run in which a loss was not \
                                        finite, or neither the training loss nor the validation loss fell, so \
                                        there is no winner."
                .to_string(),
            Verdict::NoneBeatsBaseline => format!(
                "No method is better than {} by test {}, so there is no winner.",
                self.design.baseline_name, metric.name
            ),
            Verdict::Winners { best, ties } if ties.is_empty() => {
                let rivals = self.methods.iter().any(|method| method.standing == Standing::Worse);
                let than = if rivals { ", better than all others beyond chance" } else { "" };
                format!("{best} reached a test {} of {}{than}.", metric.name, value(best))
            }
            Verdict::Winners { best, ties } => format!(
                "{best} reached a test {} of {}. {} cannot be told from it: {}.",
                metric.name,
                value(best),
                counted(ties.len(), "method"),
                ties.join(", ")
            ),
        }
    }
}

impl MethodSummary {
    fn new(name: &str, design: &Design, goal: Option<f64>, recorded: &Recorded) -> Self {
        let runs: Vec<Run> =
            recorded.runs.iter().filter(|run| run.method == name).cloned().collect();
        let of_method = |trial: &&Trial| trial.method == name;
        let trials = merged(recorded.trials.iter().filter(of_method).cloned().collect());
        let metrics: Vec<Option<Interval>> = design
            .metrics
            .iter()
            .enumerate()
            .map(|(place, metric)| of_runs(&runs, place, metric))
            .collect();
        let metric = &design.metrics[design.ranked_by];
        Self {
            name: name.to_owned(),
            chosen: runs.first().and_then(|run| run.chosen),
            settings: runs.first().map_or_else(|| name.to_owned(), |run| run.settings.clone()),
            best_rate: runs.first().map(|run| run.lr),
            standing: Standing::NoRuns,
            runs: runs.len(),
            trained: runs.iter().filter(|run| run.trained).count(),
            ranked: metrics.get(design.ranked_by).copied().flatten(),
            metrics,
            to_best: None,
            to_adam: None,
            target: goal.and_then(|goal| TargetCost::of(metric, design.ranked_by, &runs, goal)),
            step: recorded.step_times.iter().find(|time| time.method == name).cloned(),
            rejected_steps: runs.iter().map(|run| run.rejected_steps).sum(),
            trials,
            records: runs,
        }
    }

    /// Whether the best rate is the smallest or the largest that was tried, of several.
    pub fn is_at_edge(&self) -> bool {
        let Some(best) = self.best_rate else { return false };
        let is_searched = self.trials.iter().all(|trial| trial.settings == self.settings);
        let (below, above) = (
            self.trials.iter().any(|trial| trial.lr < best),
            self.trials.iter().any(|trial| trial.lr > best),
        );
        self.trials.len() > 1 && is_searched && !(below && above)
    }
}

/// One trial for each number, with the means over its runs; where one has no value, there is none.
fn merged(mut runs: Vec<Trial>) -> Vec<Trial> {
    runs.sort_by_key(|run| run.number);
    let trials = runs.chunk_by(|a, b| a.number == b.number);
    let trial = |runs: &[Trial]| {
        let at = |place: usize| {
            let values = runs.iter().map(|run| run.validation.get(place).copied().flatten());
            mean(&values.collect::<Option<Vec<f64>>>()?)
        };
        let first = &runs[0];
        Trial {
            validation: (0..first.validation.len()).map(at).collect(),
            trained: runs.iter().all(|run| run.trained),
            ..first.clone()
        }
    };
    trials.map(trial).collect()
}

/// A metric at the end of the runs; of those that have a value.
fn of_runs(runs: &RunsOf, place: usize, metric: &Metric) -> Option<Interval> {
    let values: Vec<f64> =
        runs.iter().filter_map(|run| run.test.get(place).copied().flatten()).collect();
    interval(&values, metric.range)
}

fn against_reference(design: &Design, methods: &mut [MethodSummary]) {
    let metric = &design.metrics[design.ranked_by];
    let Some(adam) = methods.iter().find(|method| method.name == REFERENCE).cloned() else {
        return;
    };
    let together = methods.len().saturating_sub(1).max(1);
    for method in methods.iter_mut().filter(|method| method.name != REFERENCE) {
        method.to_adam = paired(metric, design.ranked_by, method, &adam, together);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn of<'a>(summary: &'a Summary, name: &str) -> &'a MethodSummary {
        summary.methods.iter().find(|method| method.name == name).expect("the method")
    }

    #[test]
    fn a_method_with_a_diverged_run_is_no_winner_whatever_the_others_reach() {
        let summary = Summary::new(&samples::nine_methods());
        assert_eq!(of(&summary, "rprop").standing, Standing::Untrained);
        assert_eq!(summary.methods.last().map(|m| m.name.as_str()), Some("rprop"));
    }

    #[test]
    fn clearly_worse_methods_are_told_from_the_best_and_close_ones_are_ties() {
        let summary = Summary::new(&samples::nine_methods());
        let Verdict::Winners { best, ties } = &summary.verdict else { panic!("winners") };
        assert_eq!(of(&summary, best).standing, Standing::Best);
        assert_eq!(of(&summary, "sgd").standing, Standing::Worse);
        assert!(!ties.is_empty() && !ties.contains(best) && !ties.contains(&"sgd".to_string()));
        assert!(of(&summary, "sgd").to_best.expect("a difference").estimate < 0.0);
        assert!(of(&summary, "adam").to_adam.is_none());
    }

    #[test]
    fn an_error_is_held_against_the_best_by_how_many_times_it_is_as_large() {
        let mut recorded = samples::nine_methods();
        recorded.design.ranked_by = 0;
        // Of the other methods one seed is a hundred times worse than the rest: in differences of values
        // everything would be a tie.
        let is_best = |run: &crate::record::Run| run.method == "adam";
        for run in recorded.runs.iter_mut().filter(|run| run.trained) {
            let size = if run.seed == 1 { 100.0 } else { 1.0 };
            run.test[0] =
                Some(if is_best(run) { 1e-5 } else { size * (1.0 + 0.1 * run.seed as f64) });
        }
        let summary = Summary::new(&recorded);
        let Verdict::Winners { best, ties } = &summary.verdict else { panic!("winners") };
        assert_eq!((best.as_str(), ties.len()), ("adam", 0));
        let other = of(&summary, "sgd");
        let expected = (110.0f64 * 1.2 * 1.3).cbrt() / 1e-5;
        let difference = other.to_best.expect("a difference");
        assert!(((-difference.estimate).exp() / expected - 1.0).abs() < 1e-9, "{difference:?}");
        let text = crate::report::plain_text(&summary, 200);
        assert!(text.contains("x 555698 [902, "), "{text}");
    }

    #[test]
    fn a_trial_of_several_runs_is_their_mean_and_fails_with_any_of_them() {
        let mut recorded = samples::nine_methods();
        let alone = Summary::new(&recorded);
        let again: Vec<Trial> = recorded
            .trials
            .iter()
            .map(|trial| {
                let better = |value: &Option<f64>| value.map(|value| value + 0.02);
                let validation = trial.validation.iter().map(better).collect();
                let trained = trial.trained && trial.number != 5;
                Trial { seed: 1, validation, trained, ..trial.clone() }
            })
            .collect();
        recorded.trials.extend(again);
        let summary = Summary::new(&recorded);
        let (one, both) = (of(&alone, "adam"), of(&summary, "adam"));
        assert_eq!(one.trials.len(), both.trials.len());
        for (one, both) in one.trials.iter().zip(&both.trials) {
            let mean = one.validation[0].map(|value| value + 0.01);
            assert!(both.validation[0].zip(mean).is_none_or(|(a, b)| (a - b).abs() < 1e-12));
            assert_eq!(both.trained, one.trained && one.number != 5);
        }
    }

    #[test]
    fn one_seed_decides_nothing() {
        let summary = Summary::new(&samples::one_seed());
        let Verdict::Winners { ties, .. } = &summary.verdict else { panic!("winners") };
        assert_eq!(ties.len(), 1);
    }

    #[test]
    fn without_a_method_above_the_baseline_there_is_no_winner() {
        let mut recorded = samples::nine_methods();
        recorded.design.baseline = vec![None, Some(0.99)];
        let summary = Summary::new(&recorded);
        assert_eq!(summary.verdict, Verdict::NoneBeatsBaseline);
        assert!(summary.headline().contains("no winner"), "{}", summary.headline());
    }

    #[test]
    fn where_nothing_trained_or_ran_that_is_said() {
        let mut recorded = samples::nine_methods();
        recorded.runs.iter_mut().for_each(|run| run.trained = false);
        assert_eq!(Summary::new(&recorded).verdict, Verdict::NothingTrained);
        recorded.runs.clear();
        let summary = Summary::new(&recorded);
        assert_eq!(summary.verdict, Verdict::NoRuns);
        assert_eq!(summary.headline(), "No run has finished.");
    }

    #[test]
    fn a_best_rate_is_at_the_edge_only_where_no_rate_lies_beyond() {
        let summary = Summary::new(&samples::nine_methods());
        assert!(of(&summary, "sgd").is_at_edge());
        assert!(!of(&summary, "adam").is_at_edge());
    }
}
