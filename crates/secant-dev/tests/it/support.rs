//! What the tests share.

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use tempfile::TempDir;

/// The command.
pub fn secant_dev(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secant-dev"));
    command.args(arguments);
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

/// Standard output of a command that succeeds.
pub fn output(command: &mut Command) -> String {
    let output = command.assert().success().get_output().clone();
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The sentence of a command that must end with `code` and print nothing; the folder is left out of it.
pub fn refusal(command: &mut Command, code: i32, folder: &TempDir) -> String {
    let output = command.assert().code(code).get_output().clone();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    let help = "\nFor more information, try '--help'.\n";
    let sentence = said.split_once("\n\nUsage: ").map_or(said.as_str(), |(sentence, _)| sentence);
    let sentence = sentence.strip_suffix(help).unwrap_or(sentence).trim_end();
    sentence.replace(text(folder.path()), "[DIR]")
}
