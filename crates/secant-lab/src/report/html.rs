//! The page: one file that needs nothing else.

use crate::run::record::{Comparison, Record};

use super::axis::Scale;
use super::chart::{Frame, line_chart};
use super::columns::{Column, EXTRA, main_columns};
use super::curves::{COSTS, Cost, Curve, MEASURES, Measure, TUNING, TuningMeasure};
use super::curves::{run_curve, tuning_curve};
use super::error::ReportError;
use super::format::{counted, grouped, percent};
use super::palette::{colour_code, style_rules};
use super::region::{REGION, RegionMeasure, region_curve};
use super::summary::{OptimizerSummary, Summary, runs_of, trials_of};
use super::table::legend;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page about one comparison.
///
/// # Errors
///
/// When the records do not begin with a comparison, or a chart cannot be drawn.
pub fn page(records: &[Record]) -> Result<String, ReportError> {
    let summary = Summary::new(records)?;
    let comparison = &summary.comparison;
    let style = format!("{STYLE}\n{}", style_rules(comparison.optimizers.len()));
    Ok(fill(
        PAGE,
        &[
            ("problem", &escape(&comparison.problem)),
            ("style", &style),
            ("script", SCRIPT),
            ("headline", &prose(&summary.headline())),
            ("description", &prose(&comparison.description)),
            ("setup", &prose(&setup(comparison))),
            ("command", &escape(&comparison.command)),
            ("warnings", &warnings(&summary)),
            ("table", &table(&summary)),
            ("legend", &prose(&legend(&summary))),
            ("key", &key(&summary)),
            ("charts", &charts(comparison, records)?),
            ("trust_region", &trust_region(comparison, records)?),
            ("tuning", &tuning(&summary, records)?),
            ("version", &escape(&comparison.version)),
        ],
    ))
}

/// Puts the values where the page names them as `{{name}}`; the values are not looked into again.
fn fill(page: &str, values: &[(&str, &str)]) -> String {
    let mut pieces = page.split("{{");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        let value = values.iter().find(|(known, _)| *known == name);
        text += value.map_or("", |(_, value)| value);
        text += rest;
    }
    text
}

/// The text with every character replaced that means something in HTML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            other => escaped.push(other),
        }
    }
    escaped
}

/// A sentence, escaped, with percentages and spreads kept on one line.
fn prose(text: &str) -> String {
    escape(text).replace(" %", "&nbsp;%").replace(" ± ", "&nbsp;±&nbsp;")
}

/// How the comparison was made, in plain words.
fn setup(comparison: &Comparison) -> String {
    format!(
        "The model has {} trainable numbers ({}). {} records train it, {} choose the rate, and {} \
         give the test figures; a batch holds {}. {} for {} with {}. Within a run every \
         rate falls alike ({}). The target is {} validation accuracy. Up to {} ran side by side.",
        grouped(comparison.parameters as f64),
        comparison.precision,
        grouped(comparison.train_records as f64),
        grouped(comparison.validation_records as f64),
        grouped(comparison.test_records as f64),
        grouped(comparison.batch_size as f64),
        match comparison.trials {
            0 => "Every method was trained at the rate asked for,".to_owned(),
            trials => format!(
                "Every method got {} on the validation split; its best rate was then trained",
                counted(trials, "tuning trial")
            ),
        },
        counted(comparison.epochs, "epoch"),
        counted(comparison.seeds.len(), "seed"),
        escape(&comparison.schedule),
        percent(comparison.target_accuracy),
        counted(comparison.threads, "run"),
    )
}

fn warnings(summary: &Summary) -> String {
    if summary.warnings.is_empty() {
        return String::new();
    }
    let item = |text: String| format!("<li>{}</li>\n", with_flags(&prose(&text)));
    let items = summary.warnings.iter().map(ToString::to_string).map(item);
    format!(
        "<section class=\"warnings\">\n<h2>Read with care</h2>\n<ul>\n{}</ul>\n</section>",
        items.collect::<String>()
    )
}

/// The text with the command's flags as code, which is not broken after its hyphens.
fn with_flags(text: &str) -> String {
    let word = |word: &str| {
        let flag = word.trim_end_matches([',', ';', ':']);
        let rest = &word[flag.len()..];
        if flag.starts_with("--") { format!("<code>{flag}</code>{rest}") } else { word.to_owned() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn table(summary: &Summary) -> String {
    let main = main_columns(summary);
    let columns = || main.iter().copied().chain(&EXTRA);
    let heading = |column: &Column| {
        let (name, unit) = (escape(column.heading), escape(column.unit));
        format!("<th scope=\"col\">{name} <small>{unit}</small></th>")
    };
    let row = |entry: &OptimizerSummary| {
        let slot = slot_of(&summary.comparison, &entry.name);
        let name = format!("<th scope=\"row\">{} {}</th>", swatch(slot), escape(&entry.name));
        let cells = columns().skip(1);
        let cells = cells.map(|column| format!("<td>{}</td>", escape(&(column.text)(entry))));
        format!("<tr>{name}{}</tr>\n", cells.collect::<String>())
    };
    format!(
        "<table id=\"summary\">\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>",
        columns().map(heading).collect::<String>(),
        summary.optimizers.iter().map(row).collect::<String>()
    )
}

/// A short line in the colour of a method.
fn swatch(slot: usize) -> String {
    format!(
        "<svg class=\"swatch\" viewBox=\"0 0 48 20\" aria-hidden=\"true\"><line x1=\"2\" \
         y1=\"10\" x2=\"46\" y2=\"10\" stroke=\"{}\" stroke-width=\"8\"/></svg>",
        colour_code(slot)
    )
}

/// The colours of all methods, the most accurate first.
fn key(summary: &Summary) -> String {
    let entry = |entry: &OptimizerSummary| {
        key_entry(slot_of(&summary.comparison, &entry.name), &entry.name)
    };
    let entries: String = summary.optimizers.iter().map(entry).collect();
    format!("<ul class=\"key\">\n{entries}</ul>")
}

fn key_entry(slot: usize, name: &str) -> String {
    format!("<li data-colour=\"{}\">{} {}</li>\n", colour_code(slot), swatch(slot), escape(name))
}

fn slot_of(comparison: &Comparison, name: &str) -> usize {
    let mut names = comparison.optimizers.iter();
    names.position(|known| known == name).unwrap_or(0)
}

/// All measures over all costs, one section a cost.
fn charts(comparison: &Comparison, records: &[Record]) -> Result<String, ReportError> {
    let mut text = String::new();
    for cost in &COSTS {
        text += &format!(
            "<section class=\"cost\" data-name=\"{0}\">\n<h3>Over {0}</h3>\n<div class=\"grid\">\n",
            escape(cost.name)
        );
        for measure in &MEASURES {
            text += &run_chart(comparison, records, measure, cost)?;
        }
        text += "</div>\n</section>\n";
    }
    Ok(text)
}

fn run_chart(
    comparison: &Comparison,
    records: &[Record],
    measure: &Measure,
    cost: &Cost,
) -> Result<String, ReportError> {
    let names = comparison.optimizers.iter().enumerate();
    let curves: Vec<Curve> =
        names.map(|(slot, name)| run_curve(slot, &runs_of(records, name), measure, cost)).collect();
    let frame = Frame {
        name: &format!("{} over {}", measure.name, cost.name),
        x_name: cost.name,
        x_scale: Scale::Linear,
        y_scale: measure.scale,
        level: measure.has_target.then_some(comparison.target_accuracy),
    };
    let caption = if measure.has_target {
        format!("{} and target", measure.name)
    } else {
        measure.name.to_owned()
    };
    figure(&caption, &frame, &curves)
}

/// The steps of trust-region methods; nothing without such methods.
fn trust_region(comparison: &Comparison, records: &[Record]) -> Result<String, ReportError> {
    let has_region =
        |name: &&String| runs_of(records, name).iter().any(|run| !run.trust_region.is_empty());
    let names: Vec<&String> = comparison.optimizers.iter().filter(has_region).collect();
    if names.is_empty() {
        return Ok(String::new());
    }
    let charts: Result<String, ReportError> =
        REGION.iter().map(|measure| region_chart(comparison, records, &names, measure)).collect();
    let entry = |name: &&String| key_entry(slot_of(comparison, name), name);
    Ok(format!(
        "<section>\n<h2>Trust regions</h2>\n<p>Of {}, over epochs. Where there are many steps, several \
         are one point; the light bands run from the least to the largest of them and of \
         the seeds. The matrix of the model may have negative eigenvalues.</p>\n\
         <ul class=\"key\">\n{}</ul>\n<div class=\"grid\">\n{}</div>\n</section>\n",
        escape(&names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")),
        names.iter().map(entry).collect::<String>(),
        charts?
    ))
}

fn region_chart(
    comparison: &Comparison,
    records: &[Record],
    names: &[&String],
    measure: &RegionMeasure,
) -> Result<String, ReportError> {
    let curve =
        |name: &&String| region_curve(slot_of(comparison, name), &runs_of(records, name), measure);
    let curves: Vec<Curve> = names.iter().map(curve).collect();
    let frame = Frame {
        name: measure.name,
        x_name: "epochs",
        x_scale: Scale::Linear,
        y_scale: measure.scale,
        level: None,
    };
    figure(measure.name, &frame, &curves)
}

/// The trials; nothing where the user gave the rate.
fn tuning(summary: &Summary, records: &[Record]) -> Result<String, ReportError> {
    if !records.iter().any(|record| matches!(record, Record::Trial(_))) {
        return Ok(String::new());
    }
    let charts: Result<String, ReportError> =
        TUNING.iter().map(|measure| tuning_chart(summary, records, measure)).collect();
    Ok(format!(
        "<section>\n<h2>Tuning</h2>\n<p>One point a trial, on the validation split. The large point \
         is the rate that was chosen; a cross is a trial whose result was not finite.</p>\n{}\n\
         <div class=\"grid\">\n{}</div>\n</section>\n",
        key(summary),
        charts?
    ))
}

fn tuning_chart(
    summary: &Summary,
    records: &[Record],
    measure: &TuningMeasure,
) -> Result<String, ReportError> {
    let curve = |entry: &OptimizerSummary| {
        let slot = slot_of(&summary.comparison, &entry.name);
        let trials = trials_of(records, &entry.name);
        tuning_curve(slot, &trials, measure, entry.best_rate)
    };
    let curves: Vec<Curve> = summary.optimizers.iter().map(curve).collect();
    let frame = Frame {
        name: measure.name,
        x_name: "rate",
        x_scale: Scale::Logarithmic,
        y_scale: measure.scale,
        level: None,
    };
    figure(measure.name, &frame, &curves)
}

/// A chart with its caption, and its name for screen readers.
fn figure(caption: &str, frame: &Frame<'_>, curves: &[Curve]) -> Result<String, ReportError> {
    let svg = line_chart(frame, curves)?;
    let named = format!("<svg role=\"img\" aria-label=\"{}\" ", escape(frame.name));
    Ok(format!(
        "<figure>\n<figcaption>{}</figcaption>\n{}</figure>\n",
        escape(caption),
        svg.replacen("<svg ", &named, 1)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_page_asks_the_network_for_nothing() {
        let page = page(&samples::nine_methods()).expect("a page");
        for request in ["http:", "https:", "src=", "href=", "url(", "@import", "fetch("] {
            assert!(!page.contains(request), "{request}");
        }
    }

    #[test]
    fn the_page_has_a_chart_for_every_measure_and_cost() {
        let page = page(&samples::nine_methods()).expect("a page");
        let charts = MEASURES.len() * COSTS.len() + TUNING.len();
        assert_eq!(page.matches("<figure>").count(), charts);
        assert!(!page.contains("{{"), "a place was left open");
    }

    #[test]
    fn trust_regions_have_charts_where_a_method_has_one() {
        let mut records = samples::nine_methods();
        assert!(!page(&records).expect("a page").contains("Trust regions"));
        samples::add_trust_region(&mut records, "sam", 20);
        let page = page(&records).expect("a page");
        assert!(page.contains("<p>Of sam, over epochs"));
        let charts = MEASURES.len() * COSTS.len() + TUNING.len() + REGION.len();
        assert_eq!(page.matches("<figure>").count(), charts);
    }

    #[test]
    fn every_method_has_a_row_and_a_place_in_the_key() {
        let page = page(&samples::nine_methods()).expect("a page");
        assert_eq!(page.matches("<th scope=\"row\">").count(), 9);
        let keys = page.matches("<ul class=\"key\">").count();
        assert_eq!(page.matches("<li data-colour=").count(), 9 * keys);
    }

    #[test]
    fn a_comparison_at_a_given_rate_has_no_tuning() {
        let mut records = samples::nine_methods();
        records.retain(|record| !matches!(record, Record::Trial(_)));
        let Record::Comparison(comparison) = &mut records[0] else { unreachable!("by samples") };
        comparison.trials = 0;
        let page = page(&records).expect("a page");
        assert!(!page.contains("Tuning") && !page.contains("0 tuning trials"));
        assert!(page.contains("Every method was trained at the rate asked for, for 8 epochs"));
    }

    #[test]
    fn names_cannot_become_markup() {
        let mut records = samples::nine_methods();
        samples::rename(&mut records, "sgd", "<b>\"&'{{style}}");
        let page = page(&records).expect("a page");
        assert!(!page.contains("<b>"));
        assert!(page.contains("&lt;b&gt;&quot;&amp;&#39;{{style}}"));
    }

    #[test]
    fn a_comparison_without_runs_or_trials_still_has_a_page() {
        let page = page(&samples::nine_methods()[..1]).expect("a page");
        assert!(page.contains("No run has finished."));
    }

    #[test]
    fn filled_in_values_are_not_looked_into_again() {
        let values = [("a", "{{b}}"), ("b", "2")];
        assert_eq!(fill("<{{a}}|{{b}}>", &values), "<{{b}}|2>");
    }

    #[test]
    fn a_page_needs_a_comparison() {
        let records = samples::nine_methods();
        let error = page(&records[1..]).expect_err("no comparison");
        assert!(matches!(error, ReportError::NoComparison));
    }

    #[test]
    fn flags_in_warnings_are_code() {
        let text = with_flags("by --tune, or --lr; a-b");
        assert_eq!(text, "by <code>--tune</code>, or <code>--lr</code>; a-b");
    }

    #[test]
    fn a_page_without_warnings_has_no_empty_box() {
        let mut summary = Summary::new(&samples::nine_methods()).expect("a summary");
        assert!(warnings(&summary).contains("<li>"));
        summary.warnings.clear();
        assert_eq!(warnings(&summary), "");
    }
}
