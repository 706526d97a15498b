//! What the tests share.

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use secant_lab::{
    report::read_records,
    run::record::{Record, Run},
};
use tempfile::TempDir;

/// The command, deaf to the environment of the tests.
pub fn secant(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secant"));
    command.args(arguments).env_remove("SECANT_DATA");
    command
}

/// Two optimizers on the smallest problem, one epoch each, one trial unless more arguments say
/// otherwise.
pub fn tiny(out: &Path, more: &[&str]) -> Command {
    let mut command = secant(&["compare", "digits/logistic", "--optimizers", "sgd,adam"]);
    command.args(["--epochs", "1", "--out"]).arg(out).args(more);
    if !more.iter().any(|argument| ["--tune", "--lr"].contains(argument)) {
        command.args(["--tune", "1"]);
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

/// The records of the comparison in `out`.
pub fn records(out: &Path) -> Vec<Record> {
    read_records(&out.join("data.jsonl")).expect("records")
}

/// The final runs of the comparison in `out`, sorted by optimizer and seed.
pub fn runs(out: &Path) -> Vec<Run> {
    let mut runs: Vec<Run> = records(out)
        .into_iter()
        .filter_map(|record| match record {
            Record::Run(run) => Some(run),
            _ => None,
        })
        .collect();
    runs.sort_by_key(|run| (run.optimizer.clone(), run.seed));
    runs
}

/// The optimizers and seeds of the final runs in `out`.
pub fn finished(out: &Path) -> Vec<(String, u64)> {
    runs(out).into_iter().map(|run| (run.optimizer, run.seed)).collect()
}
