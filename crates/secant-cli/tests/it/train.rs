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
    // What is kept of Schedule-Free is the average, which was measured.
    for optimizer in ["mb-lsr1(memory=4)", "schedule-free-adamw"] {
        let arguments =
            ["train", "digits/logistic", "--optimizer", optimizer, "--budget", "4epochs"];
        let trained = output(secant(&arguments).args(["--force", "--out"]).arg(&model));
        assert_eq!(names(folder.path()), ["model.safetensors"]);
        let measured = output(&mut secant(&["eval", text(&model), "digits/logistic"]));
        assert_eq!(trained, format!("{measured}model: {}\n", text(&model)));
        assert!(measured.lines().any(|line| line.starts_with("accuracy")), "{measured}");
    }
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
    let told =
        |problem: &str, code| refusal(&mut secant(&["eval", text(&model), problem]), code, &folder);
    insta::assert_snapshot!(told("digits/mlp", 2), @"secant: [DIR]/model is a model for digits/logistic, not for digits/mlp; name that problem");
    fs::write(&model, "nothing").expect("written");
    insta::assert_snapshot!(told("digits/mlp", 1), @"secant: cannot use [DIR]/model: it is no model of secant, or damaged");
}

#[test]
fn what_is_there_is_replaced_only_where_that_is_said_and_never_the_data() {
    let folder = folder();
    let (data, notes) = (folder.path().join("data.csv"), folder.path().join("notes"));
    fs::write(&data, table(0..100, true)).expect("written");
    fs::write(&notes, "mine").expect("written");
    let train = |out: &Path, more: &[&str]| {
        let arguments = ["train", "--csv", text(&data), "--target", "kind", "--budget", "1epochs"];
        let mut command = secant(&arguments);
        command.arg("--out").arg(out).args(more);
        command
    };
    insta::assert_snapshot!(refusal(&mut train(&notes, &[]), 2, &folder), @"secant: [DIR]/notes exists and was left as it is; choose another --out, or say --force to replace it");
    insta::assert_snapshot!(refusal(&mut train(&data, &["--force"]), 2, &folder), @"secant: [DIR]/data.csv holds the data; choose another --out");
    insta::assert_snapshot!(refusal(&mut train(folder.path(), &["--force"]), 2, &folder), @"secant: [DIR] is no regular file; choose another --out");
    let nowhere = folder.path().join("nowhere").join("model");
    insta::assert_snapshot!(refusal(&mut train(&nowhere, &[]), 2, &folder), @"secant: [DIR]/nowhere is no folder, so [DIR]/nowhere/model cannot be written; make it first");
    assert_eq!(fs::read_to_string(&notes).expect("there"), "mine");
    assert_eq!(fs::read_to_string(&data).expect("there"), table(0..100, true));
    output(&mut train(&notes, &["--force", "--lr", "0.01"]));
    assert!(fs::read(&notes).expect("there").len() > 100);
}

#[test]
fn a_model_is_measured_on_the_records_and_in_the_number_type_it_was_trained_with() {
    let folder = folder();
    let (data, moved, grown) = (
        folder.path().join("data.csv"),
        folder.path().join("moved.csv"),
        folder.path().join("grown.csv"),
    );
    for (path, rows) in [(&data, 0..100), (&moved, 0..100), (&grown, 0..102)] {
        fs::write(path, table(rows, true)).expect("written");
    }
    let model = folder.path().join("model");
    let of = |path: &Path| ["--csv", text(path), "--target", "kind"].map(str::to_owned);
    let trained = output(
        secant(&["train", "--precision", "f64", "--lr", "0.01", "--out", text(&model)])
            .args(of(&data)),
    );
    let eval = |path: &Path, precision: &str| {
        let mut command = secant(&["eval", text(&model), "--precision", precision]);
        command.args(of(path));
        command
    };
    let renamed = folder.path().join("renamed.csv");
    fs::write(&renamed, table(0..100, true).replace("size", "width")).expect("written");
    assert!(
        refusal(&mut eval(&renamed, "f64"), 1, &folder).contains("on other records than these")
    );
    let measured = output(&mut eval(&moved, "f64"));
    assert_eq!(trained, format!("{measured}model: {}\n", text(&model)));
    let other = refusal(eval(&data, "f64").args(["--model", "logistic"]), 2, &folder);
    insta::assert_snapshot!(other, @"secant: [DIR]/model is a model for data/mlp, not for data/logistic; name that problem");
    insta::assert_snapshot!(refusal(&mut eval(&grown, "f64"), 1, &folder), @"secant: [DIR]/model was trained on other records than these, and is measured on those that its own table left for validation and test; `secant predict` says what it foretells for another table");
    insta::assert_snapshot!(refusal(&mut eval(&data, "f32"), 2, &folder), @"secant: [DIR]/model holds f64 numbers; say --precision f64");
}

#[test]
fn a_training_that_diverged_ends_with_a_word_and_exit_code_1() {
    let folder = folder();
    let model = folder.path().join("model");
    let mut command =
        secant(&["train", "digits/logistic", "--optimizer", "sgd", "--budget", "1epochs"]);
    let ended = command.args(["--lr", "1e300", "--out"]).arg(&model).output().expect("an end");
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("the model learnt nothing: a loss was not finite"), "{told}");
    assert!(model.exists());
}

#[test]
fn a_record_of_burn_is_measured_like_the_model_it_was() {
    let folder = folder();
    for (problem, length) in [("digits/logistic", "1epochs"), ("physics/poisson-1d", "20epochs")] {
        let model = folder.path().join("model.bpk");
        let arguments = ["train", problem, "--budget", length, "--force", "--out", text(&model)];
        let trained = output(&mut secant(&arguments));
        let measured = output(&mut secant(&["eval", text(&model), problem]));
        assert_eq!(trained, format!("{measured}model: {}\n", text(&model)));
    }
}

/// A table of two classes told apart by a number and a colour.
fn table(rows: std::ops::Range<usize>, with_target: bool) -> String {
    let head = if with_target { "size,colour,kind\n" } else { "colour,size\n" };
    let row = |i: usize| {
        let (size, colour) = (i % 17, ["red", "blue"][i % 2]);
        let kind = if i.is_multiple_of(2) ^ (size > 8) { "yes" } else { "no" };
        if with_target { format!("{size},{colour},{kind}\n") } else { format!("{colour},{size}\n") }
    };
    head.to_string() + &rows.map(row).collect::<String>()
}

#[test]
fn a_model_of_a_table_foretells_another_table_by_the_names_of_its_columns() {
    let folder = folder();
    let (known, new) = (folder.path().join("known.csv"), folder.path().join("new.csv"));
    fs::write(&known, table(0..400, true)).expect("written");
    fs::write(&new, table(400..440, false) + "green,3\n").expect("written");
    let model = folder.path().join("model");
    let arguments = ["train", "--csv", text(&known), "--target", "kind", "--out", text(&model)];
    output(secant(&arguments).args(["--lr", "0.01"]));
    let told = secant(&["predict", text(&model), text(&new)]).output().expect("an end");
    let warned = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(warned.contains("column 'colour': 1 of 41 cells hold a text that has no input"));
    let lines = String::from_utf8(told.stdout).expect("text");
    let mut lines = lines.lines();
    assert_eq!(lines.next(), Some("prediction,p(no),p(yes)"));
    let found: Vec<&str> = lines.filter_map(|line| line.split(',').next()).collect();
    let kinds = table(400..440, true);
    let kinds: Vec<&str> =
        kinds.lines().skip(1).filter_map(|line| line.split(',').next_back()).collect();
    assert_eq!(found[..40], kinds);
}

#[test]
fn a_model_that_is_of_no_table_foretells_none() {
    let folder = folder();
    let model = folder.path().join("model");
    output(secant(&SHORT).arg("--out").arg(&model));
    let told = refusal(&mut secant(&["predict", text(&model), "any.csv"]), 1, &folder);
    assert_eq!(
        told,
        "secant: [DIR]/model does not say how a table becomes its inputs; predictions want a model that \
         `secant train --csv` wrote as safetensors"
    );
}
