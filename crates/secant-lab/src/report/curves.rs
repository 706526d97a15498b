//! What the charts of a comparison show: measures of the runs over what they cost, the tuning trials, and
//! the cost of the target.

use super::{
    chart::{Bar, Bars, Chart, Section, Series, Spread},
    format::counted,
    summary::{MethodSummary, Summary},
    target,
};
use crate::{
    Metric, Range,
    record::{Point, Run},
};

/// The place of the method's colour: that in the comparison's list.
pub(super) fn slot(summary: &Summary, method: &MethodSummary) -> usize {
    summary.design.methods.iter().position(|name| *name == method.name).unwrap_or(0)
}

/// Measures of the runs over evaluations, epochs and seconds.
pub(super) fn progress(summary: &Summary) -> Section {
    let axes = ["evaluations, records", "epochs", "seconds of training"];
    let mut section = Section::new("progress", "Progress", &axes);
    section.note = "Lines are means over the seeds, the light bands run from the least to the largest \
                    seed. A line ends where one of its seeds has no finite value. Validation figures \
                    are of a fixed part of the validation records."
        .to_string();
    let design = &summary.design;
    for (place, metric) in design.metrics.iter().enumerate() {
        let level = summary.target.filter(|_| place == design.ranked_by);
        let value = move |point: &Point| point.validation.get(place).copied().flatten();
        let chart = run_chart(summary, &format!("Validation {}", metric.name), metric, &value);
        section.charts.push(Chart { level, ..chart });
    }
    let loss = Metric::loss();
    section.charts.push(run_chart(summary, "Training loss", &loss, &|point| point.train_loss));
    let norm = Metric::error("norm");
    section.charts.push(run_chart(summary, "Norm of the gradient", &norm, &|p| p.gradient_norm));
    section.charts.push(run_chart(summary, "Length of a step", &norm, &|p| p.step_length));
    // The ranking metric first.
    let first = section.charts.remove(design.ranked_by);
    section.charts.insert(0, first);
    section
}

fn run_chart(
    summary: &Summary,
    title: &str,
    metric: &Metric,
    value: &dyn Fn(&Point) -> Option<f64>,
) -> Chart {
    let methods = summary.methods.iter().filter(|method| method.runs > 0);
    let series = methods.map(|method| {
        let curve = run_series(&method.records, value);
        Series { method: slot(summary, method), ..curve }
    });
    chart(title, metric, series.collect())
}

fn chart(title: &str, metric: &Metric, series: Vec<Series>) -> Chart {
    let (unit, y) = match metric.range {
        Range::Share => ("%", Spread::Error),
        Range::Positive | Range::AtLeastOne => ("", Spread::Log),
        Range::AtMostOne | Range::Any => ("", Spread::Linear),
    };
    let id = title.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "-");
    Chart { id, title: title.to_string(), unit, y, level: None, series }
}

/// The mean over the runs of one method, where every run has a value: a mean over the runs that are left
/// would rise when a bad one ends.
fn run_series(runs: &[Run], value: &dyn Fn(&Point) -> Option<f64>) -> Series {
    let length = runs.iter().map(|run| run.curve.len()).min().unwrap_or(0);
    let mut series = Series::default();
    for k in 0..length {
        let points: Vec<&Point> = runs.iter().map(|run| &run.curve[k]).collect();
        let Some(values) = points.iter().map(|p| value(p)).collect::<Option<Vec<f64>>>() else {
            continue;
        };
        let mean = |cost: fn(&Point) -> f64| {
            points.iter().map(|point| cost(point)).sum::<f64>() / points.len() as f64
        };
        let x = [mean(|p| p.evaluations), mean(|p| p.epoch), mean(|p| p.seconds)];
        series.push(&x, &values);
    }
    series
}

/// The tuning trials over the rate, the chosen one marked; nothing where the user gave the rate.
pub(super) fn tuning(summary: &Summary) -> Option<Section> {
    if summary.methods.iter().all(|method| method.trials.is_empty()) {
        return None;
    }
    let mut section = Section::new("tuning", "Sensitivity to the rate", &["rate"]);
    section.x_log = true;
    section.note =
        "One point a tuning trial, judged on the validation records. The large point is the \
                    one that was chosen; a cross is a trial whose result was not finite."
            .to_string();
    let design = &summary.design;
    let mut places = vec![design.tuned_by];
    places.extend(Some(design.ranked_by).filter(|place| *place != design.tuned_by));
    for place in places {
        let metric = &design.metrics[place];
        let series = summary.methods.iter().map(|method| {
            let series = trial_series(method, place);
            Series { method: slot(summary, method), ..series }
        });
        let title = format!("Validation {} over the rate", metric.name);
        section.charts.push(chart(&title, metric, series.collect()));
    }
    Some(section)
}

fn trial_series(method: &MethodSummary, place: usize) -> Series {
    let mut trials: Vec<_> = method.trials.iter().collect();
    trials.sort_by(|a, b| a.lr.total_cmp(&b.lr));
    let mut series = Series::default();
    for trial in trials {
        let chosen = Some(trial.lr) == method.best_rate && trial.settings == method.settings;
        match trial.validation.get(place).copied().flatten() {
            None => series.failures.push(trial.lr),
            Some(value) => {
                if chosen {
                    series.marked.push(series.y.len());
                }
                series.push(&[trial.lr], &[value]);
            }
        }
    }
    series
}

/// What the target and a step cost.
pub(super) fn costs(summary: &Summary) -> Section {
    let mut section = Section::new("cost", "Cost", &[]);
    section.note =
        "Bars are medians over the runs that reached the target, thin lines run from the \
                    least to the largest. The time of a step is measured alone, in turns; its line \
                    runs from the first to the third quartile."
            .to_string();
    type Cost = fn(&target::TargetCost) -> target::Spread;
    let costs: [(&str, &'static str, Cost); 2] = [
        ("Evaluations to the target", "records", |cost| cost.evaluations),
        ("Seconds to the target", "s", |cost| cost.seconds),
    ];
    for (title, unit, cost) in costs.into_iter().filter(|_| summary.target.is_some()) {
        let row = |method: &MethodSummary| {
            let spread = method.target.as_ref().map(cost);
            let note = match &method.target {
                None => "never".to_string(),
                Some(cost) if cost.reached < method.runs => {
                    format!("{} of {}", cost.reached, counted(method.runs, "run"))
                }
                Some(_) => String::new(),
            };
            Bar {
                method: slot(summary, method),
                value: spread.map(|spread| spread.median),
                low: spread.map(|spread| spread.least),
                high: spread.map(|spread| spread.most),
                note,
            }
        };
        let rows = summary.methods.iter().map(row).collect();
        section.bars.push(Bars { title: title.to_string(), unit, rows });
    }
    let row = |method: &MethodSummary| Bar {
        method: slot(summary, method),
        value: method.step.as_ref().map(|step| 1e3 * step.seconds),
        low: method.step.as_ref().map(|step| 1e3 * step.quartiles[0]),
        high: method.step.as_ref().map(|step| 1e3 * step.quartiles[1]),
        note: match &method.step {
            None => "not measured".to_string(),
            Some(step) if step.busy => "the machine was busy".to_string(),
            Some(_) => String::new(),
        },
    };
    let rows = summary.methods.iter().map(row).collect();
    section.bars.push(Bars { title: "Time of a step".to_string(), unit: "ms", rows });
    section
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_line_ends_where_a_seed_has_no_finite_loss() {
        let summary = Summary::new(&samples::nine_methods());
        let section = progress(&summary);
        let loss = section.charts.iter().find(|c| c.title == "Validation loss").expect("a chart");
        let series = loss.series.iter().find(|series| series.method == 8).expect("rprop");
        assert_eq!(series.x[1], [0.0, 1.0, 2.0]);
        assert_eq!(section.charts[0].title, "Validation accuracy");
        assert_eq!(section.charts[0].level, Some(0.912));
    }

    #[test]
    fn failed_trials_are_kept_apart_rates_are_sorted_and_the_chosen_one_is_marked() {
        let mut recorded = samples::nine_methods();
        recorded.trials.reverse();
        let summary = Summary::new(&recorded);
        let adam = summary.methods.iter().find(|m| m.name == "adam").expect("adam");
        let series = trial_series(adam, 0);
        assert!(series.x[0].windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!((series.y.len(), series.failures.len()), (6, 1));
        assert_eq!(series.x[0][series.marked[0]], 0.001);
    }

    #[test]
    fn a_method_that_never_reached_the_target_has_no_bar_and_says_so() {
        let summary = Summary::new(&samples::nine_methods());
        let section = costs(&summary);
        let bar = section.bars[0].rows.iter().find(|bar| bar.method == 8).expect("rprop");
        assert_eq!((bar.value, bar.note.as_str()), (None, "never"));
        assert_eq!(section.bars.len(), 3);
    }
}
