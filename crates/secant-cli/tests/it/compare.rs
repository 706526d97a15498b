//! `secant compare` from its arguments to its files.

use std::{fs, path::Path};

use secant_lab::{Budget, record::Design};

use crate::real_data::real;
use crate::support::{
    finished, folder, names, output, recorded, refusal, runs, secant, test_value, text, tiny, write,
};

fn design(out: &Path) -> Design {
    recorded(out).design
}

/// Accuracy on the test records at the end of the first run.
fn accuracy(out: &Path) -> f64 {
    test_value(out, &runs(out)[0], "accuracy")
}

#[test]
fn a_comparison_ends_with_a_table_a_page_and_the_data() {
    let folder = folder();
    let out = folder.path().join("new/report");
    let table = output(&mut tiny(&out, &["--seeds", "1"]));
    assert_eq!(names(&out), ["data.jsonl", "report.html"]);
    for name in ["sgd  ", "adam  "] {
        let has_row = |line: &&str| line.starts_with(name);
        assert_eq!(table.lines().filter(has_row).count(), 1, "{table}");
    }
    assert!(table.contains("warning: one seed only"), "{table}");
    assert!(table.contains(text(&out.join("report.html"))), "{table}");
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("secant compare digits/logistic --optimizers sgd,adam --budget"));
    let said = design(&out);
    assert_eq!((said.budget, said.trials, said.seeds), (Budget::Evaluations(4992), 1, vec![1]));
    assert_eq!(
        (said.train_records, said.validation_records, said.test_records),
        (5000, 1000, 2000)
    );
    // 5,000 records in whole batches of 64, looked at 40 times and before the first step.
    let curve = runs(&out)[0].curve.clone();
    let last = curve.last().expect("a point");
    assert_eq!((last.steps, last.evaluations), (78, 4992.0));
    assert_eq!(curve.len(), 41);
}

#[test]
fn two_settings_of_one_method_are_two_optimizers_in_table_and_records() {
    let folder = folder();
    let names = ["sgd", "sgd(momentum=torch(momentum=0.5))"];
    let list = names.join(",");
    let mut command = secant(&["compare", "digits/logistic", "--optimizers", &list]);
    command.args(["--budget", "1epochs", "--lr", "0.1", "--seeds", "1", "--out"]);
    let table = output(command.arg(folder.path()));
    for name in names {
        let name = format!("{name}  ");
        let has_row = |line: &&str| line.starts_with(&name);
        assert_eq!(table.lines().filter(has_row).count(), 1, "{table}");
    }
    let said = design(folder.path());
    assert_eq!(said.methods, names);
    assert!(said.command.contains(&format!("--optimizers '{list}'")), "{}", said.command);
    let runs = runs(folder.path());
    let [plain, momentum] = names.map(|name| {
        let run = runs.iter().find(|run| run.method == name).expect(name);
        run.validation[0]
    });
    assert_ne!(plain, momentum, "the setting has no effect");
}

#[test]
fn training_learns_what_chance_cannot_know() {
    let folder = folder();
    tiny(folder.path(), &["--seeds", "1"]).assert().success();
    for run in runs(folder.path()) {
        // Ten classes alike: chance is 0.1.
        let accuracy = test_value(folder.path(), &run, "accuracy");
        assert!(accuracy > 0.5, "{}: {accuracy}", run.method);
    }
}

#[test]
fn json_prints_a_summary_and_the_records_of_the_data_file_and_nothing_else() {
    let folder = folder();
    let printed = output(&mut tiny(folder.path(), &["--seeds", "1", "--json"]));
    let (summary, records) = printed.split_once('\n').expect("lines");
    assert_eq!(records, fs::read_to_string(folder.path().join("data.jsonl")).expect("data"));
    let summary: serde_json::Value = serde_json::from_str(summary).expect("JSON");
    assert_eq!(summary["kind"], "summary");
    assert_eq!(summary["methods"].as_array().map(Vec::len), Some(2));
    let kinds: Vec<String> = records
        .lines()
        .map(|line| {
            let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
            value["kind"].as_str().expect("a kind").to_owned()
        })
        .collect();
    let count = |wanted: &str| kinds.iter().filter(|kind| *kind == wanted).count();
    assert_eq!(kinds[0], "comparison");
    assert_eq!([count("trial"), count("run"), count("step-time"), kinds.len()], [2, 2, 2, 7]);
}

#[test]
fn the_same_seeds_give_the_same_curves_with_one_thread_and_with_two() {
    let curves = |threads: &str| {
        let folder = folder();
        tiny(folder.path(), &["--seeds", "2", "--threads", threads]).assert().success();
        runs(folder.path())
    };
    let (one, two) = (curves("1"), curves("2"));
    assert_eq!(one.len(), 4);
    assert_eq!(one, two);
    assert_ne!(one[0].curve, one[1].curve, "two seeds give one curve");
}

#[test]
fn a_given_rate_is_used_for_all_and_nothing_is_tuned() {
    let folder = folder();
    tiny(folder.path(), &["--seeds", "1", "--lr", "0.02"]).assert().success();
    assert!(runs(folder.path()).iter().all(|run| run.lr == 0.02));
    assert!(recorded(folder.path()).trials.is_empty());
    let page = fs::read_to_string(folder.path().join("report.html")).expect("a page");
    assert!(!page.contains("<h2>Tuning trials</h2>"));
}

#[test]
fn a_trial_is_made_from_two_seeds_before_those_of_the_final_runs() {
    let folder = folder();
    let more = ["--tune", "3", "--seeds", "1", "--first-seed", "9", "--tune-seeds", "2"];
    tiny(folder.path(), &more).assert().success();
    let recorded = recorded(folder.path());
    let adam = recorded.trials.iter().filter(|trial| trial.method == "adam");
    let mut found: Vec<(usize, u64)> = adam.map(|trial| (trial.number, trial.seed)).collect();
    found.sort_unstable();
    assert_eq!(found, [(0, 7), (0, 8), (1, 7), (1, 8), (2, 7), (2, 8)]);
    assert!(recorded.runs.iter().all(|run| run.seed == 9));
}

#[test]
fn ranges_are_searched_with_as_many_trials_the_defaults_first() {
    let folder = folder();
    let more = ["--search", "adam(beta_1=0.5|0.95)", "--tune", "4", "--seeds", "1"];
    tiny(folder.path(), &more).assert().success();
    let recorded = recorded(folder.path());
    let adam: Vec<_> = recorded.trials.iter().filter(|trial| trial.method == "adam").collect();
    assert_eq!((adam.len(), recorded.trials.len()), (4, 8));
    assert_eq!(adam[0].settings, "adam");
    assert!(adam[1..].iter().all(|trial| trial.settings.starts_with("adam(beta_1=0.")));
}

#[test]
fn a_method_with_two_gradients_a_step_is_not_given_twice_the_work() {
    let folder = folder();
    let mut command = secant(&["compare", "digits/logistic", "--optimizers", "adam,sd-lbfgs"]);
    command.args(["--budget", "4992evaluations", "--lr", "0.01", "--seeds", "1", "--out"]);
    // Whether it learns in so few steps does not matter here.
    let _ = command.arg(folder.path()).assert();
    let runs = runs(folder.path());
    let steps: Vec<u64> = runs.iter().map(|run| run.curve.last().expect("a point").steps).collect();
    assert_eq!(steps[0], 78);
    assert!((38..=40).contains(&steps[1]), "{steps:?}");
    for run in runs {
        let spent = run.curve.last().expect("a point").evaluations;
        assert!((4992.0..4992.0 + 3.0 * 64.0).contains(&spent), "{spent}");
    }
}

#[test]
fn double_precision_gives_other_numbers_than_single() {
    let losses = |precision: &str| {
        let folder = folder();
        tiny(folder.path(), &["--seeds", "1", "--precision", precision]).assert().success();
        assert_eq!(design(folder.path()).precision, precision);
        runs(folder.path()).iter().map(|run| run.test[0]).collect::<Vec<_>>()
    };
    let (single, double) = (losses("f32"), losses("f64"));
    for (single, double) in single.into_iter().zip(double) {
        let (single, double) = (single.expect("finite"), double.expect("finite"));
        // Alike to single precision over 78 steps, but not the same.
        assert!(single != double && (single - double).abs() < 1e-3 * double, "{single} {double}");
    }
}

#[test]
fn differences_are_hessian_products_only_where_the_network_is_smooth() {
    let folder = folder();
    let train = |problem: &str, more: &[&str]| {
        let mut command =
            secant(&["compare", problem, "--optimizers", "adahessian", "--lr", "0.01"]);
        command.args(["--seeds", "1", "--budget", "1epochs", "--quiet", "--out"]);
        command.arg(folder.path()).args(more);
        command
    };
    let loss = |problem: &str, more: &[&str]| {
        train(problem, more).assert().success();
        runs(folder.path())[0].test[0].expect("finite")
    };
    let (exact, close) =
        (loss("digits/logistic", &[]), loss("digits/logistic", &["--differences"]));
    assert!(exact != close && (exact - close).abs() < 1e-3 * exact, "{exact} {close}");
    let said = refusal(&mut train("digits/mlp", &["--differences"]), 1, &folder);
    assert!(said.contains("the model has kinks") && said.contains("--allow-differences"), "{said}");
    let (exact, other) =
        (loss("digits/mlp", &[]), loss("digits/mlp", &["--differences", "--allow-differences"]));
    assert_ne!(exact, other);
}

/// 240 flowers: `length` and `colour` tell the text target, some cells are empty, some `?`.
fn flowers() -> String {
    let mut table = "length;colour;noise;kind\n".to_owned();
    for row in 0..240 {
        let (kind, colour) = [("iris", "blue"), ("rose", "red"), ("lily", "white")][row % 3];
        let length = if row % 7 == 0 { String::new() } else { format!("{}.{}", row % 3, row % 10) };
        let colour = if row % 11 == 0 { "?" } else { colour };
        table += &format!("{length};{colour};{};{kind}\n", row * 37 % 101);
    }
    table
}

#[test]
fn a_table_with_a_text_target_and_missing_cells_is_learned() {
    let folder = folder();
    let table = write(&folder, "flowers.csv", flowers());
    let out = folder.path().join("out");
    let arguments = ["compare", "--target", "kind", "--optimizers", "adam", "--lr", "0.01"];
    let mut command = secant(&arguments);
    command
        .args(["--seeds", "1", "--budget", "30epochs", "--csv"])
        .arg(table)
        .arg("--out")
        .arg(&out);
    assert!(output(&mut command).contains("adam"));
    let said = design(&out);
    assert_eq!(said.problem, "flowers/mlp");
    assert_eq!(said.train_records + said.validation_records + said.test_records, 240);
    // length, noise, three colours; no colour is none of the three.
    assert!(said.description.contains("with 5 inputs and 3 classes"), "{}", said.description);
    // Nearly every row tells its kind twice, so a working loop gets nearly all right.
    let accuracy = accuracy(&out);
    assert!(accuracy > 0.95, "{accuracy}");
}

#[test]
fn a_libsvm_file_is_compared_on_with_its_own_test_file() {
    let folder = folder();
    let rows = |count: usize| {
        let row = |i: usize| format!("{} {}:1 5:0.{}\n", i % 2 * 2, 1 + i % 2, i % 10);
        (0..count).map(row).collect::<String>()
    };
    let train = write(&folder, "pairs", rows(120));
    write(&folder, "pairs.t", rows(30));
    let out = folder.path().join("out");
    let arguments = ["compare", "--model", "logistic", "--optimizers", "sgd", "--lr", "0.5"];
    let mut command = secant(&arguments);
    command
        .args(["--seeds", "1", "--budget", "20epochs", "--libsvm"])
        .arg(train)
        .arg("--out")
        .arg(&out);
    command.assert().success();
    assert_eq!((design(&out).problem.as_str(), design(&out).test_records), ("pairs/logistic", 30));
    assert_eq!(accuracy(&out), 1.0);
}

#[test]
#[ignore = "needs fashion-mnist in SECANT_DATA"]
fn real_fashion_mnist_is_learned_in_one_epoch() {
    let files = real("fashion-mnist");
    let folder = folder();
    let arguments = ["compare", "fashion-mnist/mlp", "--optimizers", "adam", "--lr", "0.003"];
    let mut command = secant(&arguments);
    command.args(["--seeds", "1", "--budget", "1epochs", "--out"]).arg(folder.path());
    command.arg("--data-dir").arg(files.parent().expect("a folder")).assert().success();
    assert_eq!(finished(folder.path()), [("adam".to_owned(), 1)]);
    // One epoch of a small perceptron is known to pass 80 % here; chance is 10 %.
    let accuracy = accuracy(folder.path());
    assert!(accuracy > 0.8, "{accuracy}");
}

#[test]
#[ignore = "needs imbalanced/ecoli.data in SECANT_DATA"]
fn a_rare_class_is_measured_by_more_than_accuracy() {
    let path = real("imbalanced/ecoli.data");
    let data = path.ancestors().nth(2).expect("the data folder");
    let folder = folder();
    let arguments = ["compare", "imbalanced/ecoli", "--optimizers", "mb-lsr1,adam", "--tune", "1"];
    let mut command = secant(&arguments);
    command.args(["--seeds", "1", "--out"]).arg(folder.path()).arg("--data-dir").arg(data);
    assert!(output(&mut command).contains("test balanced accuracy"));
    // A terminal has no room for all of them; the page has.
    let page = fs::read_to_string(folder.path().join("report.html")).expect("a page");
    for heading in ["test balanced accuracy", "test F1", "test AUC"] {
        assert!(page.contains(&format!("<th scope=\"col\">{heading}")), "{heading}");
    }
    for run in runs(folder.path()) {
        let value = |metric| test_value(folder.path(), &run, metric);
        // Without training a coin's 0.5; the largest class alone has an accuracy of 0.9.
        assert!(value("balanced accuracy") > 0.6 && value("AUC") > 0.8, "{run:?}");
        assert!(value("F1") > 0.3, "{run:?}");
    }
}

#[test]
fn batches_that_grow_take_no_more_records_than_the_epochs_have() {
    let folder = folder();
    let mut command = secant(&["compare", "digits/logistic", "--optimizers", "mb-lsr1"]);
    command.args(["--lr", "1", "--seeds", "1", "--budget", "12epochs", "--out"]).arg(folder.path());
    command.assert().success();
    let all = design(folder.path()).train_records;
    let run = &runs(folder.path())[0];
    let sizes: Vec<usize> = run.trust_region.iter().map(|step| step.batch_size).collect();
    let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
    assert!(last > first, "no batch has grown");
    assert!(sizes.iter().sum::<usize>() <= 12 * all + last, "{} of {all}", sizes.len());
}
