//! Stopped comparisons, and going on with them.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
};

use secant_lab::run::record::Record;

use crate::support::{finished, folder, names, output, records, refusal, runs, text, tiny};

/// Lines of progress on standard error; there is one for every run that is really made.
fn made(out: &Path, more: &[&str]) -> usize {
    let output = tiny(out, more).assert().success().get_output().clone();
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    said.lines().filter(|line| line.contains(" runs, ")).count()
}

fn pairs(seeds: std::ops::RangeInclusive<u64>) -> Vec<(String, u64)> {
    let both = ["adam", "sgd"].into_iter();
    both.flat_map(|name| seeds.clone().map(move |seed| (name.to_owned(), seed))).collect()
}

#[test]
fn a_finished_comparison_is_taken_up_without_a_single_run() {
    let folder = folder();
    assert_eq!(made(folder.path(), &["--seeds", "1"]), 4);
    let before = runs(folder.path());
    assert_eq!(made(folder.path(), &["--seeds", "1", "--resume"]), 0);
    assert_eq!(runs(folder.path()), before);
    // Without the flag all is done anew.
    assert_eq!(made(folder.path(), &["--seeds", "1"]), 4);
}

#[test]
fn more_seeds_make_only_the_runs_that_are_missing() {
    let folder = folder();
    tiny(folder.path(), &["--seeds", "1"]).assert().success();
    let before = runs(folder.path());
    assert_eq!(made(folder.path(), &["--seeds", "3", "--resume"]), 4);
    assert_eq!(finished(folder.path()), pairs(1..=3));
    let after = runs(folder.path());
    assert!(before.iter().all(|run| after.contains(run)), "a finished run was made again");
}

#[test]
fn fewer_seeds_leave_no_other_seed_in_the_report() {
    let folder = folder();
    tiny(folder.path(), &["--seeds", "2"]).assert().success();
    assert_eq!(made(folder.path(), &["--seeds", "1", "--resume"]), 0);
    assert_eq!(finished(folder.path()), pairs(1..=1));
}

#[test]
fn more_trials_leave_no_run_at_a_rate_that_was_beaten() {
    let folder = folder();
    tiny(folder.path(), &["--seeds", "1"]).assert().success();
    let first: Vec<f64> = runs(folder.path()).iter().map(|run| run.lr).collect();
    tiny(folder.path(), &["--seeds", "1", "--resume", "--tune", "3"]).assert().success();
    assert_eq!(finished(folder.path()), pairs(1..=1));
    let second: Vec<f64> = runs(folder.path()).iter().map(|run| run.lr).collect();
    assert_ne!(first, second, "choose a problem on which another rate wins");
    let trials = records(folder.path());
    let trials = trials.iter().filter(|record| matches!(record, Record::Trial(_)));
    assert_eq!(trials.count(), 6);
}

#[test]
fn a_folder_of_another_comparison_is_refused_and_left_as_it_is() {
    let folder = folder();
    tiny(folder.path(), &["--seeds", "1"]).assert().success();
    let before = fs::read(folder.path().join("data.jsonl")).expect("data");
    let other: [&[&str]; 3] = [&["--batch-size", "32"], &["--precision", "f64"], &["--lr", "0.1"]];
    for change in other {
        let said = refusal(tiny(folder.path(), change).arg("--resume"), 1, &folder);
        insta::allow_duplicates! {
            insta::assert_snapshot!(said, @"secant: [DIR] holds another comparison; leave out --resume to start anew, or choose another folder with --out");
        }
        assert_eq!(fs::read(folder.path().join("data.jsonl")).expect("data"), before);
    }
}

#[test]
fn resuming_where_nothing_is_starts_anew() {
    let folder = folder();
    let out = folder.path().join("none");
    assert_eq!(made(&out, &["--seeds", "1", "--resume"]), 4);
}

#[test]
fn damaged_data_are_refused_with_their_line() {
    let folder = folder();
    tiny(folder.path(), &["--seeds", "1"]).assert().success();
    let path = folder.path().join("data.jsonl");
    let data = fs::read_to_string(&path).expect("data");
    fs::write(&path, data.replacen("\"kind\":\"trial\"", "\"kind\":\"tr", 1)).expect("a file");
    let said = refusal(&mut tiny(folder.path(), &["--resume"]), 1, &folder);
    assert!(
        said.starts_with("secant: line 2 of [DIR]/data.jsonl is not a record of a comparison ("),
        "{said}"
    );
    assert!(said.ends_with("; leave out --resume to start anew"), "{said}");
    assert_eq!(said.lines().count(), 1);
}

/// Starts a comparison of 26 runs, and waits for the first of them.
#[cfg(unix)]
fn begun(out: &Path) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_secant"))
        .args(["compare", "digits/logistic", "--optimizers", "sgd,adam", "--epochs", "1"])
        .args(["--tune", "1", "--seeds", "12", "--threads", "1", "--out", text(out)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut said = BufReader::new(child.stderr.take().expect("standard error"));
    let mut line = String::new();
    said.read_line(&mut line).expect("a line");
    assert!(line.starts_with("[1/26 runs, "), "{line}");
    (child, said)
}

#[cfg(unix)]
#[test]
fn a_comparison_stopped_by_ctrl_c_says_how_to_go_on_and_goes_on() {
    let folder = folder();
    let (mut child, mut said) = begun(folder.path());
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh").success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("text");
    let code = child.wait().expect("an end").code();
    assert_eq!(code, Some(130), "{rest}");
    let last = rest.lines().last().unwrap_or_default();
    let folder_text = text(folder.path());
    assert_eq!(
        last,
        format!(
            "secant: stopped; the finished runs are in {folder_text}: add --resume to the same \
             command to go on from there"
        )
    );
    // The data are whole, and there is no page that looks like a result.
    assert_eq!(names(folder.path()), ["data.jsonl"]);
    let stopped = records(folder.path());
    assert!((2..27).contains(&stopped.len()), "{} records", stopped.len());

    let table = output(&mut tiny(folder.path(), &["--seeds", "12", "--resume"]));
    assert!(table.contains("adam"), "{table}");
    assert_eq!(finished(folder.path()), pairs(1..=12));
    let whole = records(folder.path());
    assert!(stopped[1..].iter().all(|record| whole.contains(record)), "finished work was redone");
}
