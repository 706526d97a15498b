//! `secant train` and `secant eval`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::support::{folder, names, output, refusal, secant, text};

const SHORT: [&str; 6] =
    ["train", "digits/logistic", "--optimizer", "mb-lsr1(memory=4)", "--budget", "4epochs"];

/// The weights in a file, without the head that names them.
fn weights(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("a model");
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    bytes[8 + length..].to_vec()
}

#[test]
fn a_model_is_kept_and_measured_as_when_it_was_trained() {
    let folder = folder();
    let model = folder.path().join("model.safetensors");
    let trained = output(secant(&SHORT).arg("--out").arg(&model));
    assert_eq!(names(folder.path()), ["model.safetensors"]);
    let measured = output(&mut secant(&["eval", text(&model), "digits/logistic"]));
    assert_eq!(trained, format!("{measured}model: {}\n", text(&model)));
    assert!(measured.lines().any(|line| line.starts_with("accuracy")), "{measured}");
}

#[cfg(unix)]
#[test]
fn a_killed_training_goes_on_to_the_same_weights() {
    let folder = folder();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    output(secant(&SHORT).arg("--out").arg(&whole));
    let mut command = Command::new(env!("CARGO_BIN_EXE_secant"));
    command.args(SHORT).args(["--checkpoint-every", "0", "--out"]).arg(&killed);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process");
    let is_checkpoint = |name: &String| name.starts_with("killed.") && name.ends_with("checkpoint");
    while !names(folder.path()).iter().any(is_checkpoint) {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("an end");
    assert!(!killed.exists(), "the process had time to end");
    output(secant(&SHORT).arg("--out").arg(&killed));
    assert_eq!(weights(&killed), weights(&whole));
    assert!(!names(folder.path()).iter().any(is_checkpoint), "{:?}", names(folder.path()));
}

#[cfg(unix)]
#[test]
fn a_damaged_checkpoint_is_told_with_its_file() {
    let folder = folder();
    let model = folder.path().join("model");
    let mut command = Command::new(env!("CARGO_BIN_EXE_secant"));
    command.args(SHORT).args(["--checkpoint-every", "0", "--out"]).arg(&model);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process");
    let checkpoint = || names(folder.path()).into_iter().find(|name| name.ends_with("checkpoint"));
    while checkpoint().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("an end");
    let checkpoint = folder.path().join(checkpoint().expect("a checkpoint"));
    fs::write(&checkpoint, "nothing").expect("written");
    let told = refusal(secant(&SHORT).arg("--out").arg(&model), 1, &folder);
    let name = checkpoint.file_name().expect("a name").to_string_lossy().into_owned();
    let sentence = "the checkpoint cannot be used: it is damaged; delete it to begin anew";
    assert_eq!(told, format!("secant: cannot go on from [DIR]/{name}: {sentence}"));
    assert!(checkpoint.exists() && !model.exists());
}

#[test]
fn a_model_of_something_else_is_refused_in_a_sentence() {
    let folder = folder();
    let model = folder.path().join("model");
    output(secant(&SHORT).arg("--out").arg(&model));
    let told = |problem: &str| refusal(&mut secant(&["eval", text(&model), problem]), 1, &folder);
    insta::assert_snapshot!(told("digits/mlp"), @"secant: [DIR]/model is a model for digits/logistic, not for digits/mlp; name that problem");
    fs::write(&model, "nothing").expect("written");
    insta::assert_snapshot!(told("digits/mlp"), @"secant: cannot use [DIR]/model: it is no model of secant, or damaged");
}
