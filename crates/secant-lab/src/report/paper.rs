//! What a paper says, beside what came out.

use super::{
    format::{ABSENT, counted, difference_cell, interval_cell, short, value_text},
    summary::Summary,
};
use crate::{
    Metric,
    experiment::{Finding, found, reported},
    record::{Claim, Origin, Reported},
    statistics::Scale,
};

/// What a paper says, beside what came out in the comparisons of one of its experiments.
#[derive(Clone, Debug, PartialEq)]
pub struct Paper {
    /// The experiment, in a line.
    pub title: String,
    /// The paper with the table or figure, and the size of this repetition.
    pub source: String,
    /// What is done differently, or not known.
    pub notes: Vec<String>,
    /// Each claim, and what became of it.
    pub claims: Vec<[String; 2]>,
    /// Each number: method, metric, the paper's, ours, the place in the paper.
    pub numbers: Vec<[String; 5]>,
}

impl Paper {
    /// Of comparisons of one experiment; none if they are of no experiment, or of several.
    pub fn new(summaries: &[Summary]) -> Option<Self> {
        let origin = summaries.first()?.design.origin.as_ref()?;
        let name = |summary: &Summary| {
            summary.design.origin.as_ref().map(|origin| origin.experiment.clone())
        };
        if summaries.iter().any(|summary| name(summary).as_ref() != Some(&origin.experiment)) {
            return None;
        }
        let claim = |claim: &Claim| [claim.text.clone(), outcome(claim, summaries)];
        Some(Self {
            title: origin.title.clone(),
            source: source(origin),
            notes: origin.notes.clone(),
            claims: origin.claims.iter().map(claim).collect(),
            numbers: origin.reported.iter().flat_map(|r| numbers(r, summaries)).collect(),
        })
    }

    /// In lines, the numbers as columns.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.title.clone(), self.source.clone(), String::new()];
        for [claim, outcome] in &self.claims {
            lines.push(format!("- \"{claim}\": {outcome}"));
        }
        if !self.numbers.is_empty() {
            lines.push(String::new());
            lines.extend(self.columns());
        }
        lines.extend(self.notes.iter().map(|note| format!("note: {note}")));
        lines
    }

    fn columns(&self) -> Vec<String> {
        let heading = ["optimizer", "metric", "paper", "here", "place"].map(str::to_string);
        let rows: Vec<&[String; 5]> = std::iter::once(&heading).chain(&self.numbers).collect();
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..5).map(width).collect();
        let padded = |(cell, width): (&String, &usize)| format!("{cell:<width$}");
        let line = |row: &&[String; 5]| {
            let cells: Vec<String> = row.iter().zip(&widths).map(padded).collect();
            cells.join("  ").trim_end().to_string()
        };
        rows.iter().map(line).collect()
    }
}

fn source(origin: &Origin) -> String {
    if origin.is_small {
        format!("{}; here the small variant, not the paper's scale", origin.source)
    } else {
        format!("{}, at the paper's scale", origin.source)
    }
}

/// What became of a claim, over all comparisons.
fn outcome(claim: &Claim, summaries: &[Summary]) -> String {
    if let [summary] = summaries {
        return of_one(claim, summary);
    }
    let (mut back, mut contradicted, mut undecided, mut unknown) = (0, 0, 0, 0);
    for summary in summaries {
        match found(claim, summary) {
            Finding::CameBack(_) => back += 1,
            Finding::Contradicted(_) => contradicted += 1,
            Finding::Undecided(_) => undecided += 1,
            Finding::Unknown => unknown += 1,
        }
    }
    let all = counted(summaries.len(), "comparison");
    let mut text = format!(
        "in {all} it came back {back} x, is contradicted {contradicted} x, undecided {undecided} x"
    );
    if unknown > 0 {
        text += &format!(", not measured {unknown} x");
    }
    text
}

fn of_one(claim: &Claim, summary: &Summary) -> String {
    let name = claim.by.as_deref().unwrap_or(&summary.metric().name);
    let metric = summary.design.metrics.iter().find(|metric| metric.name == name);
    let (word, difference) = match found(claim, summary) {
        Finding::CameBack(difference) => ("came back", difference),
        Finding::Contradicted(difference) => ("contradicted", difference),
        Finding::Undecided(difference) => ("undecided", difference),
        Finding::Unknown => return "not measured".to_string(),
    };
    let unit = if metric.is_some_and(Metric::is_in_percent) { " points" } else { "" };
    let better = match difference.of {
        Scale::Values => "positive is better",
        Scale::Logarithms => "x: times the other's",
    };
    let by = metric.map_or(ABSENT.to_string(), |metric| difference_cell(metric, Some(&difference)));
    let seeds = counted(difference.count, "seed");
    format!(
        "{word}; {} against {}: test {name} {by}{unit} ({seeds}; {better})",
        claim.better, claim.than
    )
}

/// A number of the paper, and ours of every comparison that it belongs to.
fn numbers(number: &Reported, summaries: &[Summary]) -> Vec<[String; 5]> {
    let metric = |summary: &Summary| {
        summary.design.metrics.iter().find(|metric| metric.name == number.metric).cloned()
    };
    let known = summaries.iter().find_map(metric);
    let of = |summary: &Summary| {
        let (metric, here) = (metric(summary)?, reported(number, summary)?);
        let unit = if metric.is_in_percent() { " %" } else { "" };
        Some(format!("{}{unit}", interval_cell(&metric, Some(here))))
    };
    let mut measured: Vec<String> = summaries.iter().filter_map(of).collect();
    if measured.is_empty() {
        measured.push(ABSENT.to_string());
    }
    let variant = number.variant.as_ref().map_or(String::new(), |v| format!(", {v}"));
    let row = |here: String| {
        [
            number.method.clone(),
            number.metric.clone(),
            of_the_paper(number, known.as_ref()),
            here,
            format!("{}{variant}", number.place),
        ]
    };
    measured.into_iter().map(row).collect()
}

/// A number of the paper in the metric's unit, where the metric is known here.
fn of_the_paper(number: &Reported, metric: Option<&Metric>) -> String {
    let text =
        |value| metric.map_or_else(|| short(value), |metric| value_text(metric, Some(value)));
    let spread = number.spread.map_or(String::new(), |spread| format!(" ± {}", text(spread)));
    format!("{}{spread}", text(number.value))
}
