//! Comparisons as two tables: one row for every run, and one row for every point of every run.
//!
//! Comparisons with other metrics share the tables: what a run does not have is empty.

use std::path::{Path, PathBuf};

use crate::record::{Design, Point, Run};

use super::{
    super::Recorded,
    ExportError,
    file::{Existing, write_files},
};

/// Writes `runs.csv` and `points.csv` into the folder, which is made if need be.
///
/// # Errors
///
/// When a file is there, or cannot be written.
pub fn write(
    folder: &Path,
    recorded: &[Recorded],
    existing: Existing,
) -> Result<Vec<PathBuf>, ExportError> {
    let files = [
        (folder.join("runs.csv"), runs(recorded).into_bytes()),
        (folder.join("points.csv"), points(recorded).into_bytes()),
    ];
    write_files(&files, existing)?;
    Ok(files.map(|(path, _)| path).to_vec())
}

/// The table with a row for every run.
pub fn runs(recorded: &[Recorded]) -> String {
    let metrics = metrics(recorded);
    let mut header = owned(&RUN);
    header.extend(owned(&["rejected_steps", "evaluations", "epoch", "steps", "seconds"]));
    header.extend(columns("validation", &metrics).chain(columns("test", &metrics)));
    let mut table = line(&header);
    for (comparison, run) in all_runs(recorded) {
        let mut cells = identity(comparison, run);
        cells.push(run.rejected_steps.to_string());
        cells.extend(run.curve.last().map_or(vec![String::new(); 4], |last| costs(last).to_vec()));
        cells.extend(values(comparison, &run.validation, &metrics));
        cells.extend(values(comparison, &run.test, &metrics));
        table += &line(&cells);
    }
    table
}

/// The table with a row for every point of every run.
pub fn points(recorded: &[Recorded]) -> String {
    let metrics = metrics(recorded);
    let mut header = owned(&RUN);
    header.extend(owned(&["point", "evaluations", "epoch", "steps", "seconds"]));
    header.extend(owned(&["train_loss", "gradient_norm", "step_length"]));
    header.extend(columns("validation", &metrics));
    let mut table = line(&header);
    for (comparison, run) in all_runs(recorded) {
        for (i, point) in run.curve.iter().enumerate() {
            let mut cells = identity(comparison, run);
            cells.push(i.to_string());
            cells.extend(costs(point));
            cells.extend([point.train_loss, point.gradient_norm, point.step_length].map(cell));
            cells.extend(values(comparison, &point.validation, &metrics));
            table += &line(&cells);
        }
    }
    table
}

/// The columns that say which run it is.
const RUN: [&str; 7] = ["comparison", "problem", "method", "settings", "lr", "seed", "trained"];

fn identity(comparison: &Design, run: &Run) -> Vec<String> {
    let Design { key, problem, .. } = comparison;
    let mut cells = owned(&[key, problem, &run.method, &run.settings]);
    cells.extend([cell(Some(run.lr)), run.seed.to_string(), run.trained.to_string()]);
    cells
}

fn costs(point: &Point) -> [String; 4] {
    let number = |number| cell(Some(number));
    let steps = point.steps.to_string();
    [number(point.evaluations), number(point.epoch), steps, number(point.seconds)]
}

fn all_runs(recorded: &[Recorded]) -> impl Iterator<Item = (&Design, &Run)> {
    recorded.iter().flat_map(|one| one.runs.iter().map(|run| (&one.design, run)))
}

/// The names of all metrics, in the order they come up.
fn metrics(recorded: &[Recorded]) -> Vec<&str> {
    let mut names = Vec::new();
    for metric in recorded.iter().flat_map(|one| &one.design.metrics) {
        if !names.contains(&metric.name.as_str()) {
            names.push(metric.name.as_str());
        }
    }
    names
}

fn columns(part: &str, metrics: &[&str]) -> impl Iterator<Item = String> {
    metrics.iter().map(move |name| format!("{part}_{}", name.replace(' ', "_")))
}

/// The values of a comparison's metrics, as cells of the columns of all metrics.
fn values(comparison: &Design, values: &[Option<f64>], metrics: &[&str]) -> Vec<String> {
    let value = |name: &&str| {
        let place = comparison.metrics.iter().position(|metric| metric.name == *name)?;
        values.get(place).copied().flatten()
    };
    metrics.iter().map(|name| cell(value(name))).collect()
}

/// With the digits that read back as the same number.
fn cell(number: Option<f64>) -> String {
    number.map_or_else(String::new, |number| format!("{number:?}"))
}

fn owned(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_string()).collect()
}

/// One line of a table, with its end.
pub(crate) fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| quote(cell)).collect();
    cells.join(",") + "\n"
}

fn quote(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{
        super::super::testing::{comparison, recorded, run},
        *,
    };
    use crate::{Direction, Metric, Range};

    fn two_problems() -> Vec<Recorded> {
        let rmse = Metric {
            name: "RMSE".to_string(),
            direction: Direction::Lower,
            range: Range::Positive,
        };
        let metrics = vec![rmse, comparison(2).metrics[0].clone()];
        let problem = "housing, \"big\"".to_string();
        let comparison = Design { metrics, problem, ..comparison(2) };
        let runs = vec![Run { curve: vec![], ..run("adam", 3) }];
        vec![recorded(1), Recorded { design: comparison, trials: vec![], runs, step_times: vec![] }]
    }

    #[test]
    fn the_table_of_runs_has_a_row_for_each_with_all_metrics() {
        let table = runs(&two_problems());
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[0],
            "comparison,problem,method,settings,lr,seed,trained,rejected_steps,evaluations,epoch,\
             steps,seconds,validation_loss,validation_balanced_accuracy,validation_RMSE,test_loss,\
             test_balanced_accuracy,test_RMSE"
        );
        assert_eq!(lines.len(), 5);
        let key = comparison(1).key;
        let quoted = "\"mb-lsr1(memory=8,delta0=0.01)\"";
        let begins = format!(
            "{key},spirals/mlp,{quoted},\"mb-lsr1(memory=8,delta0=0.01), all settings\",1e-7,3,true,2,"
        );
        assert!(lines[1].starts_with(&begins), "{}", lines[1]);
        assert!(lines[1].ends_with(
            ",7800.0,13.0,234,3.9000000000000004,2.2250738585072014e-308,1.0,,5e-324,0.9,"
        ));
        assert!(lines[3].contains(",18446744073709551615,"), "{}", lines[3]);
        assert!(lines[4].contains(",\"housing, \"\"big\"\"\",adam,"), "{}", lines[4]);
        assert!(
            lines[4].ends_with(",true,2,,,,,1.0,,2.2250738585072014e-308,0.9,,5e-324"),
            "{}",
            lines[4]
        );
    }

    #[test]
    fn the_table_of_points_has_a_row_for_each_with_empty_cells_where_nothing_is() {
        let table = points(&two_problems());
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 1 + 3 * 40);
        assert!(lines[0].ends_with(
            ",point,evaluations,epoch,steps,seconds,train_loss,gradient_norm,step_length,\
             validation_loss,validation_balanced_accuracy,validation_RMSE"
        ));
        assert!(lines[1].ends_with(",0,0.0,0.0,0,0.0,,1e300,0.0,1.0,0.0,"), "{}", lines[1]);
        assert!(lines[6].contains(",5,1000.0,") && lines[6].ends_with(",,"), "{}", lines[6]);
    }

    #[test]
    fn both_tables_are_written_or_neither() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("points.csv"), "mine").expect("a file");
        write(folder.path(), &two_problems(), Existing::Refuse).expect_err("one is there");
        assert!(!folder.path().join("runs.csv").exists());
        let paths = write(folder.path(), &two_problems(), Existing::Replace).expect("written");
        assert_eq!(fs::read_to_string(&paths[1]).expect("a file"), points(&two_problems()));
    }
}
