//! The page: one file that needs nothing else.

use super::{
    chart::{Charts, Named, Section},
    columns::{columns, sign},
    curves,
    error::ReportError,
    format::{counted, grouped, short, value_text},
    paper::Paper,
    profile::profile,
    region,
    summary::{MethodSummary, Summary},
    table::{budget, legend, rows},
};
use crate::{record::Design, store::Recorded};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const LIBRARY: &str = include_str!("page/uPlot.iife.min.js");
const LIBRARY_STYLE: &str = include_str!("page/uPlot.min.css");
const SCRIPT: &str = concat!(
    include_str!("page/elements.js"),
    include_str!("page/looks.js"),
    include_str!("page/axes.js"),
    include_str!("page/lines.js"),
    include_str!("page/paint.js"),
    include_str!("page/readout.js"),
    include_str!("page/numbers.js"),
    include_str!("page/words.js"),
    include_str!("page/chart.js"),
    include_str!("page/bars.js"),
    include_str!("page/page.js"),
);

/// The page about one comparison, or about several together.
///
/// # Errors
///
/// When there is no comparison, or its numbers cannot be written.
pub fn page(recorded: &[Recorded]) -> Result<String, ReportError> {
    let summaries: Vec<Summary> = recorded.iter().map(Summary::new).collect();
    let (title, body, charts) = match summaries.as_slice() {
        [] => return Err(ReportError::NoComparison),
        [summary] => {
            let title = Paper::new(&summaries).map_or(summary.design.problem.clone(), |p| p.title);
            (title, of_one(summary), charts_of_one(summary))
        }
        several => of_several(several),
    };
    let data = serde_json::to_string(&charts)
        .map_err(|reason| ReportError::Data { reason: reason.to_string() })?;
    Ok(fill(
        PAGE,
        &[
            ("title", &escape(&title)),
            ("style", STYLE),
            ("library", LIBRARY),
            ("library_style", LIBRARY_STYLE),
            ("script", SCRIPT),
            ("body", &body),
            // Inside a script nothing but its end tag could be misread.
            ("data", &data.replace('<', "\\u003c")),
        ],
    ))
}

fn charts_of_one(summary: &Summary) -> Charts {
    let mut sections = vec![curves::progress(summary), curves::costs(summary)];
    sections.extend(curves::tuning(summary));
    sections.extend(region::trust_region(summary));
    Charts { methods: named(&summary.design.methods), sections }
}

fn named(methods: &[String]) -> Vec<Named> {
    methods.iter().enumerate().map(|(slot, name)| Named { name: name.clone(), slot }).collect()
}

fn of_one(summary: &Summary) -> String {
    let design = &summary.design;
    [
        format!(
            "<header>\n<p class=\"kind\">Optimizers compared on</p>\n<h1>{}</h1>\n\
             <p class=\"headline\">{}</p>\n</header>\n",
            escape(&design.problem),
            prose(&summary.headline())
        ),
        paper(std::slice::from_ref(summary)),
        format!(
            "<section>\n<h2>Results</h2>\n<div class=\"scroll\">\n{}</div>\n<p class=\"note\">{}</p>\n\
             </section>\n",
            table(summary, &design.methods),
            prose(&legend(summary))
        ),
        warnings(summary),
        charts_place("progress"),
        charts_place("cost"),
        setup(design),
        data(design),
        charts_place("tuning"),
        trials(summary),
        charts_place("trust-region"),
    ]
    .concat()
}

fn of_several(summaries: &[Summary]) -> (String, String, Charts) {
    let mut methods: Vec<String> = Vec::new();
    for name in summaries.iter().flat_map(|summary| &summary.design.methods) {
        if !methods.contains(name) {
            methods.push(name.clone());
        }
    }
    let title = match Paper::new(summaries) {
        Some(paper) => paper.title,
        None => format!("{} compared", counted(summaries.len(), "problem")),
    };
    let mut body = format!(
        "<header>\n<p class=\"kind\">Optimizers compared on several problems</p>\n<h1>{}</h1>\n\
         </header>\n{}{}",
        escape(&title),
        paper(summaries),
        charts_place("profile")
    );
    for summary in summaries {
        body += &format!(
            "<section>\n<h2>{}</h2>\n<p>{}</p>\n<div class=\"scroll\">\n{}</div>\n\
             <p class=\"note\">{}</p>\n</section>\n{}",
            escape(&name_of(&summary.design)),
            prose(&summary.headline()),
            table(summary, &methods),
            prose(&legend(summary)),
            warnings(summary)
        );
    }
    let sections: Vec<Section> = vec![profile(summaries, &methods)];
    (title, body, Charts { methods: named(&methods), sections })
}

/// The problem, or what tells the comparison from others of its experiment.
fn name_of(design: &Design) -> String {
    let variant = design.origin.as_ref().map(|origin| &origin.variant);
    variant.filter(|variant| !variant.is_empty()).unwrap_or(&design.problem).clone()
}

/// What the paper says beside what came out, where the comparisons are of an experiment.
fn paper(summaries: &[Summary]) -> String {
    let Some(paper) = Paper::new(summaries) else { return String::new() };
    let claim = |[claim, outcome]: &[String; 2]| {
        format!("<li><q>{}</q>: {}</li>\n", prose(claim), prose(outcome))
    };
    let note = |note: &String| format!("<li>{}</li>\n", prose(note));
    let list = |items: String| match items.is_empty() {
        true => items,
        false => format!("<ul>\n{items}</ul>\n"),
    };
    format!(
        "<section class=\"paper\">\n<h2>What the paper says</h2>\n<p>{}</p>\n<p>{}.</p>\n{}{}{}</section>\n",
        prose(&paper.title),
        prose(&paper.source),
        list(paper.claims.iter().map(claim).collect()),
        paper_numbers(&paper),
        list(paper.notes.iter().map(note).collect())
    )
}

fn paper_numbers(paper: &Paper) -> String {
    if paper.numbers.is_empty() {
        return String::new();
    }
    let row = |cells: &[String; 5]| {
        let rest = cells[1..].iter().map(|cell| format!("<td>{}</td>", escape(cell)));
        format!(
            "<tr><th scope=\"row\">{}</th>{}</tr>\n",
            escape(&cells[0]),
            rest.collect::<String>()
        )
    };
    let headings = ["optimizer", "metric", "paper", "here", "place"];
    format!(
        "<div class=\"scroll\">\n<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
        headings.map(|heading| format!("<th scope=\"col\">{heading}</th>")).concat(),
        paper.numbers.iter().map(row).collect::<String>()
    )
}

/// Where the script puts a section of charts.
fn charts_place(id: &str) -> String {
    format!("<section class=\"charts\" data-section=\"{id}\"></section>\n")
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

/// A sentence, escaped, with percentages kept on one line.
fn prose(text: &str) -> String {
    escape(text).replace(" %", "&nbsp;%")
}

/// How the comparison was made, in plain words.
fn setup(design: &Design) -> String {
    let sentence = format!(
        "The model has {} trainable numbers ({}). {} records train it, {} choose the settings, and {} \
         give the test figures; a batch holds {}. A run is {} long. Hessian products, for methods that \
         need them: {}. {} side by side, on {}.",
        grouped(design.parameters as f64),
        design.precision,
        grouped(design.train_records as f64),
        grouped(design.validation_records as f64),
        grouped(design.test_records as f64),
        grouped(design.batch_size as f64),
        budget(design.budget),
        design.hessian_products,
        counted(design.threads, "run"),
        design.machine,
    );
    format!(
        "<section>\n<h2>What was compared</h2>\n<p>{}</p>\n<p>{}</p>\n<p>Repeat it with</p>\n\
         <pre><code>{}</code></pre>\n<p class=\"note\">Comparison {}, begun {}, secant {}.</p>\n\
         </section>\n",
        prose(&design.description),
        prose(&sentence),
        escape(&design.command),
        escape(design.key.get(..12).unwrap_or(&design.key)),
        escape(&design.created),
        escape(&design.version)
    )
}

/// What the data were.
fn data(design: &Design) -> String {
    if design.data.is_empty() {
        return String::new();
    }
    format!(
        "<section>\n<h2>Data</h2>\n<pre class=\"data\">{}</pre>\n</section>\n",
        escape(&design.data.join("\n"))
    )
}

fn warnings(summary: &Summary) -> String {
    if summary.warnings.is_empty() {
        return String::new();
    }
    let item = |text: String| format!("<li>{}</li>\n", with_flags(&prose(&text)));
    let items = summary.warnings.iter().map(ToString::to_string).map(item);
    format!(
        "<section class=\"warnings\">\n<h2>Read with care</h2>\n<ul>\n{}</ul>\n</section>\n",
        items.collect::<String>()
    )
}

/// The text with the command's flags as code, which is not broken after its hyphens.
fn with_flags(text: &str) -> String {
    let word = |word: &str| {
        let flag = word.trim_end_matches([',', ';', ':', '.']);
        let rest = &word[flag.len()..];
        if flag.starts_with("--") { format!("<code>{flag}</code>{rest}") } else { word.to_owned() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn table(summary: &Summary, methods: &[String]) -> String {
    let columns = columns(summary);
    // The sign stands before the name here.
    let (names, figures) = (&columns[0], &columns[2..]);
    let headings = std::iter::once(names).chain(figures).map(|column| {
        let (name, unit) = (escape(column.heading.trim()), escape(&column.unit));
        format!("<th scope=\"col\">{name} <small>{unit}</small></th>")
    });
    let mut body = String::new();
    for (i, row) in rows(&columns, summary).into_iter().enumerate() {
        let (attributes, name) = match summary.methods.get(i) {
            Some(method) => {
                let slot = methods.iter().position(|name| *name == method.name).unwrap_or(0);
                let class = format!("{:?}", method.standing).to_lowercase();
                let name = format!(
                    "<span class=\"sign\">{}</span> {}",
                    sign(method.standing),
                    escape(&method.settings)
                );
                (format!("data-method=\"{slot}\" class=\"{class}\""), name)
            }
            None => ("class=\"baseline\"".to_string(), escape(row[0].trim())),
        };
        let cells = row[2..].iter().map(|cell| format!("<td>{}</td>", escape(cell)));
        body += &format!(
            "<tr {attributes}><th scope=\"row\">{name}</th>{}</tr>\n",
            cells.collect::<String>()
        );
    }
    format!(
        "<table class=\"summary\">\n<thead><tr>{}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n",
        headings.collect::<String>()
    )
}

/// What the figures of trials are.
fn means_text(summary: &Summary) -> String {
    match summary.design.tuning_seeds {
        1 => String::new(),
        count => format!(", means of {count} runs"),
    }
}

/// Every trial of every method; the first has the defaults.
fn trials(summary: &Summary) -> String {
    if summary.methods.iter().all(|method| method.trials.is_empty()) {
        return String::new();
    }
    let metric = &summary.design.metrics[summary.design.tuned_by];
    let row = |method: &MethodSummary| {
        let trials = method.trials.iter().map(|trial| {
            let value = trial.validation.get(summary.design.tuned_by).copied().flatten();
            let value =
                if trial.trained { value_text(metric, value) } else { "untrained".to_string() };
            let settings = trial.settings.strip_prefix(&method.name).unwrap_or(&trial.settings);
            let text = escape(&format!("{}{settings}: {value}", short(trial.lr)));
            let chosen = Some(trial.lr) == method.best_rate && trial.settings == method.settings;
            if chosen { format!("<strong>{text}</strong>") } else { text }
        });
        format!(
            "<tr data-method=\"{}\"><th scope=\"row\">{}</th><td>{}</td></tr>\n",
            curves::slot(summary, method),
            escape(&method.name),
            trials.collect::<Vec<_>>().join("<br>")
        )
    };
    format!(
        "<section>\n<h2>Tuning trials</h2>\n<p class=\"note\">Rate and validation {}{}, in the order of \
         the trials; the first has the defaults, the chosen one is bold.</p>\n<details>\n\
         <summary>Show all trials</summary>\n<div class=\"scroll\">\n<table class=\"trials\">\n{}</table>\n\
         </div>\n</details>\n</section>\n",
        escape(&metric.name),
        means_text(summary),
        summary.methods.iter().map(row).collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn of(recorded: Recorded) -> String {
        page(&[recorded]).expect("a page")
    }

    #[test]
    fn the_page_asks_the_network_for_nothing() {
        let page = of(samples::nine_methods());
        for request in ["src=", "href=", "url(", "@import", "fetch(", "XMLHttpRequest"] {
            assert!(!page.contains(request), "{request}");
        }
    }

    #[test]
    fn every_method_has_a_row_and_no_place_is_left_open() {
        let page = of(samples::nine_methods());
        let (table, _) = page.split_once("</table>").expect("a table");
        assert_eq!(table.matches("<tr data-method=").count(), 9);
        assert!(table.contains("<tr class=\"baseline\""));
        assert!(!page.contains("{{"), "a place was left open");
    }

    #[test]
    fn a_comparison_at_a_given_rate_has_no_trials() {
        let mut recorded = samples::nine_methods();
        recorded.trials.clear();
        let page = of(recorded);
        assert!(!page.contains("Tuning trials") && page.contains("at the rate asked for"));
    }

    #[test]
    fn names_cannot_become_markup() {
        let mut recorded = samples::nine_methods();
        samples::rename(&mut recorded, "sgd", "<b>\"&'{{style}}</script>");
        let page = of(recorded);
        let (_, body) = page.split_once("<body").expect("a body");
        assert!(!body.contains("<b>") && !body.contains("}</script>"));
        assert!(body.contains("&lt;b&gt;&quot;&amp;&#39;{{style}}"));
    }

    #[test]
    fn a_comparison_without_runs_or_trials_still_has_a_page() {
        let mut recorded = samples::nine_methods();
        (recorded.runs, recorded.trials, recorded.step_times) = Default::default();
        assert!(of(recorded).contains("No run has finished."));
    }

    #[test]
    fn filled_in_values_are_not_looked_into_again() {
        let values = [("a", "{{b}}"), ("b", "2")];
        assert_eq!(fill("<{{a}}|{{b}}>", &values), "<{{b}}|2>");
    }

    #[test]
    fn several_comparisons_have_one_page_with_a_profile() {
        let page = page(&[samples::nine_methods(), samples::one_seed()]).expect("a page");
        assert!(page.contains("2 problems compared") && page.contains("performance-profile"));
        assert!(super::page(&[]).is_err());
    }

    #[test]
    fn flags_in_warnings_are_code() {
        let text = with_flags("by --tune, or --lr; a-b");
        assert_eq!(text, "by <code>--tune</code>, or <code>--lr</code>; a-b");
    }
}
