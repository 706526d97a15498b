//! The summary as plain text for a terminal, and as Markdown.

use serde_json::json;

use super::{
    columns::{Column, columns},
    format::{Times, counted, grouped, short_name, times, value_text},
    summary::{MethodSummary, Summary},
    verdict::Verdict,
};
use crate::{
    Budget,
    record::Design,
    statistics::{Difference, Scale},
};

/// The headline, the aligned table, what it means, and the warnings, in lines of at most `width`
/// characters where words allow; columns for which there is no room are left out, and a long name of the
/// baseline is cut.
pub fn plain_text(summary: &Summary, width: usize) -> String {
    let mut columns = columns(summary);
    // It is in the first column.
    columns[0].baseline = with_short_baseline(&columns[0].baseline, &summary.design);
    let columns = fitting(columns, width);
    let short = |text: String| with_short_baseline(&text, &summary.design);
    let mut lines = wrapped(&short(summary.headline()), "", width);
    lines.push(String::new());
    lines.extend(aligned(&columns, summary));
    lines.push(String::new());
    lines.extend(wrapped(&legend(summary), "", width));
    if !summary.warnings.is_empty() {
        lines.push(String::new());
    }
    for warning in &summary.warnings {
        lines.extend(wrapped(&short(format!("warning: {warning}")), "  ", width));
    }
    lines.join("\n") + "\n"
}

/// The text with a short name of the baseline, which may be that of a class.
fn with_short_baseline(text: &str, design: &Design) -> String {
    let name = &design.baseline_name;
    text.replace(name, &short_name(name))
}

/// The headline, the table, what it means, and the warnings, as Markdown.
pub fn markdown(summary: &Summary) -> String {
    let columns = columns(summary);
    let line = |cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.trim().replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = format!("{}\n\n", summary.headline());
    text += &line(columns.iter().map(|c| format!("{} {}", c.heading, c.unit)).collect());
    text += &line((0..columns.len()).map(|i| if i == 0 { ":--" } else { "--:" }.into()).collect());
    for row in rows(&columns, summary) {
        text += &line(row);
    }
    text += &format!("\n{}\n", legend(summary));
    if !summary.warnings.is_empty() {
        text.push('\n');
    }
    for warning in &summary.warnings {
        text += &format!("- {warning}\n");
    }
    text
}

/// The summary as one JSON object: kind, verdict, and for each method its settings, standing and figures.
pub fn summary_json(summary: &Summary) -> String {
    let (best, ties) = match &summary.verdict {
        Verdict::Winners { best, ties } => (Some(best), ties.clone()),
        _ => (None, Vec::new()),
    };
    let method = |method: &MethodSummary| {
        let (unit, difference) = match &method.to_best {
            None => (None, [None; 3]),
            Some(difference) => match times(summary.metric(), difference) {
                Some(Times { mean, low, high }) => (Some("times"), [Some(mean), low, high]),
                None => {
                    let Difference { estimate, low, high, .. } = *difference;
                    (Some("difference"), [Some(estimate), low, high])
                }
            },
        };
        json!({
            "method": method.name,
            "settings": method.settings,
            "chosen": method.chosen.map(|chosen| chosen.to_string()),
            "lr": method.best_rate,
            "standing": method.standing,
            "runs": method.runs,
            "mean": method.ranked.map(|value| value.mean),
            "low": method.ranked.map(|value| value.low),
            "high": method.ranked.map(|value| value.high),
            "to_best": difference[0],
            "to_best_low": difference[1],
            "to_best_high": difference[2],
            "to_best_unit": unit,
            "evaluations_to_target": method.target.as_ref().map(|cost| cost.evaluations.median),
            "seconds_to_target": method.target.as_ref().map(|cost| cost.seconds.median),
            "step_seconds": method.step.as_ref().map(|step| step.seconds),
        })
    };
    json!({
        "kind": "summary",
        "comparison": summary.design.key,
        "problem": summary.design.problem,
        "metric": summary.metric().name,
        "target": summary.target,
        "baseline": summary.design.baseline[summary.design.ranked_by],
        "headline": summary.headline(),
        "best": best,
        "ties": ties,
        "methods": summary.methods.iter().map(method).collect::<Vec<_>>(),
        "warnings": summary.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
    .to_string()
}

/// What the figures of the table are.
pub fn legend(summary: &Summary) -> String {
    let design = &summary.design;
    let runs =
        format!("{} (seeds {})", counted(design.seeds.len(), "run"), seeds_text(&design.seeds));
    let is_ratio = |method: &MethodSummary| {
        method.to_best.as_ref().is_some_and(|difference| difference.of == Scale::Logarithms)
    };
    let direction = if summary.methods.iter().any(is_ratio) {
        "x: how many times one is the other, as a geometric mean"
    } else {
        "positive where better"
    };
    let mut text = format!(
        "* best, = not to be told from it, ! no winner (untrained, or no better than the baseline). \
         [ ]: 95 % intervals over seeds; differences are paired by seed, {direction}, their \
         intervals together 95 % (Bonferroni); what other tuning trials would change is not in them. \
         {} of {}; {}. Evaluations: gradients in records, Hessian products as two, products with the \
         Jacobian as one, losses as a third.",
        tuning_text(summary, &runs),
        budget(design.budget),
        schedules_text(design),
    );
    if let Some(resolution) = summary.resolution() {
        text += &format!(
            " A difference of {:.2} points, its standard error over other {} test records, counts as none.",
            100.0 * resolution,
            grouped(design.test_records as f64)
        );
    }
    if let Some(target) = summary.target {
        let target = value_text(summary.metric(), Some(target));
        text += &format!(
            " Target: validation {} {target}; medians over the runs that reached it.",
            summary.metric().name
        );
    }
    for method in &summary.methods {
        if let Some((chosen, rate)) = method.chosen.zip(method.best_rate) {
            text += &format!(" {} is {chosen}, here at {rate}.", method.name);
        }
    }
    text
}

/// `1, 2, 3`, and of many `1 to 20`; they follow each other.
fn seeds_text(seeds: &[u64]) -> String {
    match seeds {
        [first, .., last] if seeds.len() > 5 => format!("{first} to {last}"),
        _ => seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// How the settings of the final runs were found.
fn tuning_text(summary: &Summary, runs: &str) -> String {
    let counts = || summary.methods.iter().map(|method| method.trials.len());
    let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    let trials = match (least, most) {
        (_, 0) => return format!("Every method got {runs} at the rate asked for,"),
        _ if least == most => format!("Every method got {}", counted(most, "tuning trial")),
        _ => format!("The methods got {least} to {}", counted(most, "tuning trial")),
    };
    let metric = &summary.design.metrics[summary.design.tuned_by].name;
    let runs_each = match summary.design.tuning_seeds {
        1 => String::new(),
        count => format!(" of {count} runs each"),
    };
    format!(
        "{trials}{runs_each} judged by validation {metric}, then {runs} with the best settings,"
    )
}

/// How the rates change over a run.
fn schedules_text(design: &Design) -> String {
    match design.schedule.split_once(';') {
        None => format!("rates fall alike ({})", design.schedule),
        Some(_) => format!("schedules: {}", design.schedule),
    }
}

/// The length of a run in words.
pub(super) fn budget(budget: Budget) -> String {
    match budget {
        Budget::Evaluations(records) => format!("{} evaluations", grouped(records as f64)),
        other => other.to_string(),
    }
}

/// The columns that there is room for; the first three always stay.
fn fitting(mut columns: Vec<Column>, width: usize) -> Vec<Column> {
    let needed = |columns: &[Column]| columns.iter().map(|c| c.width() + 2).sum::<usize>() - 2;
    while columns.len() > 3 && needed(&columns) > width {
        let last = columns.iter().map(|column| column.rank).max();
        let place = columns.iter().rposition(|column| Some(column.rank) == last);
        columns.remove(place.unwrap_or(columns.len() - 1));
    }
    columns
}

impl Column {
    fn texts(&self) -> impl Iterator<Item = &String> {
        [&self.heading, &self.unit, &self.baseline].into_iter().chain(&self.cells)
    }

    fn width(&self) -> usize {
        self.texts().map(|text| text.chars().count()).max().unwrap_or(0)
    }
}

/// The cells row by row; that of the baseline, if there is one, is the last.
pub(super) fn rows(columns: &[Column], summary: &Summary) -> Vec<Vec<String>> {
    let row = |i: usize| columns.iter().map(|column| column.cells[i].clone()).collect();
    let mut rows: Vec<Vec<String>> = (0..summary.methods.len()).map(row).collect();
    if !summary.design.baseline_name.is_empty() {
        rows.push(columns.iter().map(|column| column.baseline.clone()).collect());
    }
    rows
}

fn aligned(columns: &[Column], summary: &Summary) -> Vec<String> {
    let head = |text: fn(&Column) -> &String| columns.iter().map(text).cloned().collect();
    let rule = columns.iter().map(|column| "─".repeat(column.width())).collect();
    let mut all: Vec<Vec<String>> = vec![head(|c| &c.heading), head(|c| &c.unit), rule];
    all.extend(rows(columns, summary));
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(columns).enumerate().map(|(i, (cell, column))| {
            let width = column.width();
            if i == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

/// Breaks a text into lines between words; all but the first begin with `indent`.
fn wrapped(text: &str, indent: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let needed = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && needed > width {
            lines.push(std::mem::replace(&mut line, format!("{indent}{word}")));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use secant::Chosen;

    use super::*;
    use crate::report::samples;

    #[test]
    fn the_plain_table_is_aligned_sorted_and_explained() {
        insta::assert_snapshot!(plain_text(&Summary::new(&samples::nine_methods()), 110));
    }

    #[test]
    fn the_markdown_table_has_the_same_figures() {
        insta::assert_snapshot!(markdown(&Summary::new(&samples::nine_methods())));
    }

    #[test]
    fn one_seed_is_shown_without_a_spread() {
        let text = plain_text(&Summary::new(&samples::one_seed()), 110);
        assert!(text.contains("warning: one seed only"), "{text}");
        assert!(!text.lines().any(|line| line.contains("adam") && line.contains('[')), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let summary = Summary::new(&samples::nine_methods());
        for width in [60, 80, 110, 200] {
            for line in plain_text(&summary, width).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_name_as_long_as_a_file_is_cut_in_the_text_and_whole_on_the_page() {
        let mut recorded = samples::nine_methods();
        let name = format!("always {}", "x".repeat(70_000));
        recorded.design.baseline_name.clone_from(&name);
        recorded.design.baseline = vec![None, Some(0.99)];
        let summary = Summary::new(&recorded);
        // It stands in the headline, in the table and in a warning.
        let text = plain_text(&summary, 110);
        assert_eq!(text.matches(&format!("always {}…", "x".repeat(33))).count(), 3, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
        let page = crate::report::html::page(&[recorded]).expect("a page");
        assert!(page.contains(&name));
    }

    #[test]
    fn a_method_without_runs_has_dashes() {
        let mut recorded = samples::nine_methods();
        recorded.runs.clear();
        recorded.step_times.clear();
        let summary = Summary::new(&recorded);
        let row = rows(&columns(&summary), &summary).swap_remove(0);
        assert!(row[2..].iter().all(|cell| cell == "–"), "{row:?}");
    }

    #[test]
    fn what_auto_chose_is_under_the_table_and_in_the_summary() {
        let mut recorded = samples::one_seed();
        samples::rename(&mut recorded, "adam", "auto");
        assert!(!legend(&Summary::new(&recorded)).contains("auto is"));
        recorded.runs.iter_mut().filter(|run| run.method == "auto").for_each(|run| {
            run.chosen = Some(Chosen::SoapForBatches);
            run.lr = 0.015;
        });
        let summary = Summary::new(&recorded);
        let expected = "auto is soap, because every step sees another batch, here at 0.015.";
        assert!(legend(&summary).ends_with(expected));
        assert!(summary_json(&summary).contains(r#""chosen":"soap, because every step"#));
    }

    #[test]
    fn bars_in_names_do_not_break_the_markdown_table() {
        let mut recorded = samples::one_seed();
        samples::rename(&mut recorded, "adam", "a|b");
        assert!(markdown(&Summary::new(&recorded)).contains("| a\\|b |"));
    }
}
