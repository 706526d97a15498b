//! `secant run`, `secant experiments` and `secant report FILE`.

use std::{fs, path::Path};

use crate::support::{folder, output, refusal, secant, text, write};
use assert_cmd::Command;
use secant_lab::Store;

const FILE: &str = r#"
title = "A small thing"
source = "A paper, table 1"

[full]
problem = "digits/logistic"
batch-size = [64, 128]
budget = "1epochs"
seeds = 2

[small]
batch-size = 64

[[method]]
optimizer = "sgd"
rate = 0.3

[[method]]
optimizer = "adam"
rate = [0.01, 0.03]

[[claim]]
text = "Adam is better"
better = "adam"
than = "sgd"

[[reported]]
method = "adam"
metric = "accuracy"
value = 0.9
spread = 0.01
place = "table 1"
"#;

/// The command on one store in the folder.
fn on_store(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = secant(arguments);
    command.env("SECANT_STORE", folder.join("store.sqlite")).args(["--out"]);
    command.arg(folder.join("report"));
    command
}

#[test]
fn an_experiment_runs_once_and_shows_what_the_paper_says_beside_it() {
    let folder = folder();
    let file = write(&folder, "1-small.toml", FILE);
    let run = || on_store(folder.path(), &["run", text(&file), "--small"]);
    let said = output(&mut run());
    assert!(said.contains("A paper, table 1; here the small variant"), "{said}");
    assert!(said.contains("- \"Adam is better\": "), "{said}");
    let has_number = |line: &str| line.starts_with("adam") && line.contains("90 % ± 1 %");
    assert!(said.lines().any(has_number), "{said}");
    let again = run().assert().success().get_output().clone();
    let progress = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!(String::from_utf8_lossy(&again.stdout), said);
    assert!(progress.contains("6 of 6 runs were in the store"), "{progress}");
    let report = output(&mut on_store(folder.path(), &["report", text(&file)]));
    assert!(report.contains("A small thing") && report.contains("90 % ± 1 %"), "{report}");
    let page = fs::read_to_string(folder.path().join("report/report.html")).expect("a page");
    assert!(page.contains("What the paper says") && page.contains("A small thing"));
}

#[test]
fn one_method_alone_leaves_the_others_for_later() {
    let folder = folder();
    let file = write(&folder, "1-small.toml", FILE);
    let run = |more: &[&str]| {
        let mut command = on_store(folder.path(), &["run", text(&file), "--small"]);
        output(command.args(more))
    };
    let said = run(&["--only", "sgd"]);
    assert!(said.contains("not measured"), "{said}");
    assert!(!run(&[]).contains("not measured"));
}

#[test]
fn mistakes_in_an_experiment_are_told_in_a_sentence() {
    let folder = folder();
    let file = write(&folder, "bad.toml", FILE.replace("budget", "bugdet"));
    let told = refusal(&mut on_store(folder.path(), &["run", text(&file)]), 1, &folder);
    assert!(told.contains("bad.toml, line 8") && told.contains("bugdet"), "{told}");
    let file = write(&folder, "1-small.toml", FILE);
    let told =
        refusal(&mut on_store(folder.path(), &["run", text(&file), "--only", "lion"]), 2, &folder);
    assert!(told.contains("lion"), "{told}");
    let told = refusal(
        &mut on_store(folder.path(), &["run", text(&file), "--only", "rmsprop"]),
        2,
        &folder,
    );
    assert!(told.contains("does not run `rmsprop`; its optimizers are sgd, adam"), "{told}");
    Store::open(&folder.path().join("store.sqlite")).expect("a store");
    let told = refusal(&mut on_store(folder.path(), &["report", text(&file)]), 2, &folder);
    assert!(told.contains("has nothing of "), "{told}");
    let file = write(&folder, "full.toml", FILE.replace("[small]\nbatch-size = 64\n", ""));
    let told = refusal(&mut on_store(folder.path(), &["run", text(&file), "--small"]), 2, &folder);
    assert!(told.contains("has no small variant; run it without --small"), "{told}");
    let file = write(&folder, "other.toml", FILE.replace("digits/logistic", "digits/logstic"));
    let told = refusal(&mut on_store(folder.path(), &["run", text(&file)]), 2, &folder);
    assert!(told.contains("digits/logistic"), "{told}");
}

#[test]
fn the_list_says_what_each_experiment_needs() {
    let folder = folder();
    let file = write(&folder, "1-small.toml", FILE);
    let list = output(&mut secant(&["experiments", text(&file), "--time"]));
    assert!(list.contains("A small thing"), "{list}");
    assert!(list.contains("full  digits/logistic, 2 comparisons: ready"), "{list}");
    let timed =
        list.lines().find(|line| line.contains("small digits/logistic, 1 comparison: about "));
    assert!(timed.is_some_and(|line| line.ends_with(" s here")), "{list}");
    let other = write(&folder, "2-mnist.toml", FILE.replace("digits/logistic", "mnist/cnn"));
    let list =
        output(&mut secant(&["experiments", text(&other), "--data-dir", text(folder.path())]));
    assert!(list.contains("the data mnist are not in "), "{list}");
    let told = refusal(&mut secant(&["experiments", "nowhere"]), 2, &folder);
    assert!(told.contains("nowhere"), "{told}");
}
