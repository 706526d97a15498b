//! What the tests share.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use assert_cmd::Command;
use secant_lab::{
    record::Run,
    store::{Recorded, export::json_lines},
};
use tempfile::TempDir;

/// The command, deaf to the environment of the tests, with a new store of its own.
pub fn secant(arguments: &[&str]) -> Command {
    static STORES: AtomicUsize = AtomicUsize::new(0);
    let number = STORES.fetch_add(1, Ordering::Relaxed);
    let store = format!("{}/{}-{number}.sqlite", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let mut command = Command::new(env!("CARGO_BIN_EXE_secant"));
    command.args(arguments).env_remove("SECANT_DATA").env("SECANT_STORE", store);
    command
}

/// Two optimizers on the smallest problem, one epoch each, one trial unless more arguments say
/// otherwise.
pub fn tiny(out: &Path, more: &[&str]) -> Command {
    let mut command = secant(&["compare", "digits/logistic", "--optimizers", "sgd,adam"]);
    command.args(["--budget", "4992evaluations", "--out"]).arg(out).args(more);
    if !more.iter().any(|argument| ["--tune", "--lr", "--search"].contains(argument)) {
        command.args(["--tune", "1"]);
    }
    if !more.iter().any(|argument| ["--tune-seeds", "--lr"].contains(argument)) {
        command.args(["--tune-seeds", "1"]);
    }
    command
}

/// An empty folder which goes away with the value.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Writes a file into a folder.
pub fn write(folder: &TempDir, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, contents).expect("a file");
    path
}

/// The path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The names in a folder, sorted; none where there is no folder.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<String> =
        entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Standard output of a command that succeeds.
pub fn output(command: &mut Command) -> String {
    let output = command.assert().success().get_output().clone();
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a command says that must end with `code` and print nothing: one sentence in one line, which
/// clap follows by a pointer to the help. The folder is left out of it.
pub fn refusal(command: &mut Command, code: i32, folder: &TempDir) -> String {
    let output = command.assert().code(code).get_output().clone();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    let help = "\nFor more information, try '--help'.\n";
    let sentence = said.split_once("\n\nUsage: ").map_or(said.as_str(), |(sentence, _)| sentence);
    let sentence = sentence.strip_suffix(help).unwrap_or(sentence).trim_end();
    sentence.replace(text(folder.path()), "[DIR]")
}

/// The comparison in `out`.
pub fn recorded(out: &Path) -> Recorded {
    let mut all = json_lines::read(&out.join("data.jsonl")).expect("records");
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// The final runs of the comparison in `out`, sorted by method and seed, without the seconds.
pub fn runs(out: &Path) -> Vec<Run> {
    let mut runs = recorded(out).runs;
    runs.sort_by_key(|run| (run.method.clone(), run.seed));
    runs.iter_mut().flat_map(|run| &mut run.curve).for_each(|point| point.seconds = 0.0);
    runs
}

/// The methods and seeds of the final runs in `out`.
pub fn finished(out: &Path) -> Vec<(String, u64)> {
    runs(out).into_iter().map(|run| (run.method, run.seed)).collect()
}

/// The value of a metric on the test records at the end of a run.
pub fn test_value(out: &Path, run: &Run, metric: &str) -> f64 {
    let metrics = recorded(out).design.metrics;
    let place = metrics.iter().position(|known| known.name == metric).expect(metric);
    run.test[place].expect("a value")
}
