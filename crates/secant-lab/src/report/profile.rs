//! Performance profiles (Dolan and Moré 2002): how often a method reaches a problem's target within so many
//! times the evaluations of the best method there.

use super::{
    chart::{Chart, Section, Series, Spread},
    summary::Summary,
};

/// The profile of the methods over several comparisons; the colours are the places in `methods`.
pub(super) fn profile(summaries: &[Summary], methods: &[String]) -> Section {
    let mut section = Section::new(
        "profile",
        "Performance profile",
        &["times the evaluations of the best method on the same problem"],
    );
    (section.x_log, section.steps) = (true, true);
    section.note = format!(
        "The share of {} problems whose target a method reached (median over its runs) within so many \
         times the evaluations of the best method there. A method that is not in a comparison counts \
         as not having reached its target.",
        summaries.len()
    );
    let ratios: Vec<Vec<f64>> = methods.iter().map(|method| ratios(summaries, method)).collect();
    let most = ratios.iter().flatten().copied().fold(2.0, f64::max);
    let series = ratios.iter().enumerate().map(|(slot, ratios)| {
        let series = steps(ratios, summaries.len(), most);
        Series { method: slot, ..series }
    });
    section.charts.push(Chart {
        id: "performance-profile".to_string(),
        title: "Problems whose target was reached".to_string(),
        unit: "%",
        y: Spread::Linear,
        level: None,
        series: series.collect(),
    });
    section
}

/// For each problem whose target the method reached, its evaluations by those of the best; ascending.
fn ratios(summaries: &[Summary], name: &str) -> Vec<f64> {
    let cost = |method: &super::MethodSummary| Some(method.target.as_ref()?.evaluations.median);
    let mut found: Vec<f64> = summaries
        .iter()
        .filter_map(|summary| {
            let best = summary.methods.iter().filter_map(cost).reduce(f64::min)?;
            let ours = summary.methods.iter().find(|method| method.name == name).and_then(cost)?;
            Some(if best > 0.0 { ours / best } else { 1.0 })
        })
        .collect();
    found.sort_by(f64::total_cmp);
    found
}

/// The share of problems with a ratio of at most x.
fn steps(ratios: &[f64], problems: usize, most: f64) -> Series {
    let mut series = Series::default();
    let share = |count: usize| count as f64 / problems as f64;
    series.push(&[1.0], &[share(ratios.iter().filter(|ratio| **ratio <= 1.0).count())]);
    for (k, ratio) in ratios.iter().enumerate().filter(|(_, ratio)| **ratio > 1.0) {
        series.push(&[*ratio], &[share(k + 1)]);
    }
    series.push(&[1.1 * most], &[share(ratios.len())]);
    series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_best_of_every_problem_is_at_one_and_who_never_arrives_stays_at_zero() {
        let summaries =
            [Summary::new(&samples::nine_methods()), Summary::new(&samples::nine_methods())];
        let methods: Vec<String> = summaries[0].design.methods.clone();
        let section = profile(&summaries, &methods);
        let series = &section.charts[0].series;
        let best = series.iter().filter(|series| series.y[0] == Some(1.0));
        assert_eq!(best.count(), 1);
        let never = series.iter().find(|series| series.method == 8).expect("rprop");
        assert_eq!(never.y.last(), Some(&Some(0.0)));
        for series in series {
            assert!(series.y.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }
}
