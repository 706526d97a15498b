//! What the store keeps: stopped comparisons go on, and nothing is run twice.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use secant_lab::store::{Filter, Store};

use tempfile::TempDir;

use crate::support::{finished, folder, names, output, recorded, runs, secant, text, tiny, write};

/// Runs really made, and what was said about the others.
fn made(store: &Path, out: &Path, more: &[&str]) -> (usize, String) {
    let output = tiny(out, more).env("SECANT_STORE", store).assert().success().get_output().clone();
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    let all = recorded(out);
    let reused = said.lines().find_map(|line| {
        line.strip_prefix("secant: ")?.split_once(" of ")?.0.parse::<usize>().ok()
    });
    (all.trials.len() + all.runs.len() - reused.unwrap_or(0), said)
}

fn pairs(seeds: std::ops::RangeInclusive<u64>) -> Vec<(String, u64)> {
    let both = ["adam", "sgd"].into_iter();
    both.flat_map(|name| seeds.clone().map(move |seed| (name.to_owned(), seed))).collect()
}

#[test]
fn the_same_command_again_shows_what_is_there_without_a_single_run() {
    let folder = folder();
    let (store, out) = (folder.path().join("store"), folder.path().join("out"));
    assert_eq!(made(&store, &out, &["--seeds", "1"]).0, 4);
    let before = recorded(&out);
    let (count, said) = made(&store, &out, &["--seeds", "1"]);
    assert_eq!(count, 0, "{said}");
    assert!(said.contains("4 of 4 runs were in the store"), "{said}");
    assert_eq!(recorded(&out), before);
}

#[test]
fn more_seeds_methods_or_trials_make_only_the_runs_that_are_missing() {
    let folder = folder();
    let (store, out) = (folder.path().join("store"), folder.path().join("out"));
    made(&store, &out, &["--seeds", "1"]);
    let before = runs(&out);
    assert_eq!(made(&store, &out, &["--seeds", "3"]).0, 4);
    assert_eq!(finished(&out), pairs(1..=3));
    assert!(before.iter().all(|run| runs(&out).contains(run)), "a finished run was made again");
    // Two more trials each; a run is made anew only at another rate.
    let (count, _) = made(&store, &out, &["--seeds", "1", "--tune", "3"]);
    assert!((4..=6).contains(&count), "{count}");
    assert_eq!(
        Store::open(&store).expect("a store").list(&Filter::default()).expect("all").len(),
        3
    );
}

#[test]
fn another_setting_is_another_comparison_and_nothing_is_overwritten() {
    let folder = folder();
    let (store, out) = (folder.path().join("store"), folder.path().join("out"));
    made(&store, &out, &["--seeds", "1"]);
    let before = recorded(&out);
    for change in [["--batch-size", "32"], ["--precision", "f64"], ["--schedule", "constant"]] {
        assert_eq!(made(&store, &out, &["--seeds", "1", change[0], change[1]]).0, 4, "{change:?}");
    }
    let kept = Store::open(&store).expect("a store").comparison(&before.design.key).expect("kept");
    assert_eq!(kept, before);
}

#[test]
fn changed_data_are_another_comparison() {
    let folder = folder();
    let (store, out) = (folder.path().join("store"), folder.path().join("out"));
    let path = folder.path().join("table.csv");
    let compare = |labels: [&str; 2]| {
        let row = |i: usize| format!("{}.{},{}\n", i % 2, i, labels[i % 2]);
        let rows: String = (0..60).map(row).collect();
        fs::write(&path, format!("x,class\n{rows}")).expect("a file");
        let mut command = secant(&["compare", "--csv", text(&path), "--target", "class"]);
        command.args([
            "--optimizers",
            "adam",
            "--lr",
            "0.1",
            "--seeds",
            "1",
            "--model",
            "logistic",
        ]);
        command.args(["--budget", "20epochs", "--out"]).arg(&out).env("SECANT_STORE", &store);
        command.assert().success();
        recorded(&out)
    };
    let (first, second) = (compare(["a", "b"]), compare(["b", "a"]));
    assert_ne!(first.design.key, second.design.key);
    assert_eq!(compare(["a", "b"]).design.key, first.design.key);
}

#[test]
fn what_the_store_has_is_listed_shown_reported_exported_and_deleted() {
    let folder = folder();
    let (store, out) = (folder.path().join("store"), folder.path().join("out"));
    made(&store, &out, &["--seeds", "2"]);
    let key = recorded(&out).design.key;
    let run = |arguments: &[&str]| output(secant(arguments).env("SECANT_STORE", &store));
    let list = run(&["runs", "list", "--problem", "digits"]);
    assert!(list.starts_with(&key[..12]) && list.contains("4 of 4 runs"), "{list}");
    assert!(run(&["runs", "list", "--method", "apollo"]).contains("no comparison"));
    let shown = run(&["runs", "show", &key[..6]]);
    assert_eq!(shown.matches("seed 2").count(), 2, "{shown}");
    let again = folder.path().join("again");
    let table = run(&["report", "--out", text(&again)]);
    assert!(table.contains("adam") && table.contains("sgd"), "{table}");
    assert_eq!(names(&again), ["data.jsonl", "report.html"]);
    for (format, files) in
        [("csv", vec!["points.csv", "runs.csv"]), ("tensor-board", vec!["digits"])]
    {
        let to = folder.path().join(format);
        run(&["runs", "export", "--format", format, "--out", text(&to)]);
        let found = names(&to);
        assert!(format != "csv" || found == files, "{found:?}");
        assert!(!found.is_empty());
    }
    assert!(run(&["runs", "check"]).contains("is in order"));
    assert!(run(&["runs", "delete", &key[..12]]).contains("4 runs and 2 trials"));
    assert!(run(&["runs"]).contains("no comparison"));
}

/// Starts a comparison of 26 runs, and waits for the first of them.
#[cfg(unix)]
fn begun(store: &Path, out: &Path) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_secant"))
        .args(["compare", "digits/logistic", "--optimizers", "sgd,adam", "--tune", "1"])
        .args([
            "--tune-seeds",
            "1",
            "--budget",
            "4992evaluations",
            "--seeds",
            "12",
            "--threads",
            "1",
        ])
        .args(["--out", text(out), "--store", text(store)])
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
    let (store, out) = (folder.path().join("store"), folder.path().join("out"));
    let (mut child, mut said) = begun(&store, &out);
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh").success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("text");
    let code = child.wait().expect("an end").code();
    assert_eq!(code, Some(130), "{rest}");
    let last = rest.lines().last().unwrap_or_default();
    assert!(last.contains("the same command goes on from there"), "{rest}");
    // There is no page that looks like a result.
    assert!(names(&out).is_empty());
    let (count, said) = made(&store, &out, &["--seeds", "12"]);
    assert!(count < 26, "{count}: {said}");
    assert_eq!(finished(&out), pairs(1..=12));
}

/// How often processes are killed; SECANT_KILLS says otherwise.
#[cfg(unix)]
const KILLS: usize = 20;

#[cfg(unix)]
#[test]
fn killed_at_any_moment_two_processes_end_with_the_numbers_of_an_undisturbed_one() {
    let compare = ["compare", "digits/logistic", "--optimizers", "sgd,adam", "--tune", "1"];
    let short =
        ["--tune-seeds", "1", "--budget", "4992evaluations", "--seeds", "9", "--threads", "1"];
    kill_again_and_again(&[&compare[..], &short[..]].concat());
}

#[cfg(unix)]
#[test]
fn killed_inside_their_runs_two_processes_go_on_from_the_last_checkpoints() {
    let folder = folder();
    let file = write(
        &folder,
        "1-killed.toml",
        r#"
            title = "Three methods, four seeds"
            source = "nowhere"
            [full]
            problem = "digits/logistic"
            budget = "2epochs"
            seeds = 4
            [[method]]
            optimizer = "adam"
            rate = 0.01
            [[method]]
            optimizer = "mb-lsr1(memory=4)"
            rate = 1.0
            [[method]]
            optimizer = "svrg"
            rate = 0.1
        "#,
    );
    kill_again_and_again(&["run", text(&file), "--threads", "1", "--checkpoint-every", "0"]);
}

/// Kills two processes of the command on one store at random moments, lets them end, and compares what is
/// in the store with that of a command that was left alone.
#[cfg(unix)]
fn kill_again_and_again(arguments: &[&str]) {
    let kills = std::env::var("SECANT_KILLS").ok().and_then(|text| text.parse().ok());
    let mut left = kills.unwrap_or(KILLS);
    let start = |folder: &TempDir, name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secant"));
        command.args(arguments).arg("--out").arg(folder.path().join(name));
        command.arg("--store").arg(folder.path().join("store"));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process")
    };
    let ended = |folder: &TempDir, name: &str| {
        assert!(start(folder, name).wait().expect("an end").success());
        let out = folder.path().join(name);
        (recorded(&out).trials, runs(&out))
    };
    let expected = ended(&folder(), "undisturbed");
    let mut random = 20_261_126_u64;
    while left > 0 {
        let folder = folder();
        let store = folder.path().join("store");
        // A few kills of one store, then it may end.
        for _ in 0..left.min(10) {
            let mut both = [start(&folder, "first"), start(&folder, "second")];
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            std::thread::sleep(Duration::from_millis((random >> 33) % 900));
            for child in &mut both {
                // It may have ended already.
                let _ = child.kill();
                child.wait().expect("an end");
            }
            left -= 1;
            if store.exists() {
                Store::open(&store).expect("a store").check().expect("in order");
            }
        }
        let mut second = start(&folder, "second");
        let found = ended(&folder, "third");
        assert!(second.wait().expect("an end").success());
        assert_eq!(found, expected);
    }
}
