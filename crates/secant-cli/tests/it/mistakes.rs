//! Mistakes: each is told in one sentence, ends with the right code, and leaves nothing behind.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::support::{folder, names, refusal, secant, text, tiny, write};

/// What `secant compare` says to these arguments; the output folder must stay empty.
fn compare(code: i32, folder: &TempDir, arguments: &[&str]) -> String {
    let out = folder.path().join("out");
    let mut command = secant(&["compare", "--out", text(&out)]);
    let said = refusal(command.args(arguments), code, folder);
    assert!(names(&out).is_empty(), "{:?}", names(&out));
    // clap puts a tip under some sentences.
    assert_one_line(said.split_once("\n\n  tip: ").map_or(&said, |(sentence, _)| sentence));
    said
}

fn assert_one_line(said: &str) {
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
}

fn usage(arguments: &[&str]) -> String {
    compare(2, &folder(), arguments)
}

#[test]
fn an_unknown_option_is_told() {
    insta::assert_snapshot!(usage(&["--optimisers", "sgd"]), @r"
    error: unexpected argument '--optimisers' found

      tip: a similar argument exists: '--optimizers'
    ");
}

#[test]
fn an_unknown_optimizer_is_told_with_the_nearest_that_is_there() {
    insta::assert_snapshot!(usage(&["--optimizers", "sgd,adm"]), @"error: invalid value 'sgd,adm' for '--optimizers <LIST>': there is no method `adm`; did you mean `adam`?");
}

#[test]
fn an_unknown_hyper_parameter_is_told_with_the_nearest_that_is_there() {
    insta::assert_snapshot!(usage(&["--optimizers", "mb-lsr1(memry=8)"]), @"error: invalid value 'mb-lsr1(memry=8)' for '--optimizers <LIST>': mb-lsr1 has no hyper-parameter `memry`; did you mean `memory`?");
    insta::assert_snapshot!(usage(&["--optimizers", "adam(beta_1=2)"]), @"error: invalid value 'adam(beta_1=2)' for '--optimizers <LIST>': adam: beta_1 must be in [0, 1), got 2");
    insta::assert_snapshot!(usage(&["--optimizers", "adam(beta_1"]), @"error: invalid value 'adam(beta_1' for '--optimizers <LIST>': `adam(beta_1` is no description of a method: a `=` is missing, at ``; write `name(key=value, ...)`");
}

#[test]
fn an_unknown_problem_is_told_with_those_there_are() {
    insta::assert_snapshot!(usage(&["mnist/cn"]), @"error: invalid value 'mnist/cn' for '[PROBLEM]': there is no problem `mnist/cn` (`secant problems` lists them, and any table can be one by --csv or --libsvm); did you mean `mnist/cnn`?");
    for (typed, meant) in
        [("wikitext-2/lst", "wikitext-2/lstm"), ("physics/helmoltz", "physics/helmholtz")]
    {
        let told = usage(&[typed]);
        assert!(told.contains(&format!("did you mean `{meant}`?")), "{told}");
    }
}

#[test]
fn a_rate_that_is_no_positive_number_is_told() {
    for rate in ["NaN", "0", "-1", "inf", "fast", ""] {
        let said = usage(&["--lr", rate]).replace(&format!("'{rate}'"), "'...'");
        insta::allow_duplicates! {
            insta::assert_snapshot!(said, @"error: invalid value '...' for '--lr <RATE>': a learning rate is a finite number above 0");
        }
    }
}

#[test]
fn a_count_below_one_or_no_number_is_told() {
    for option in ["--batch-size"] {
        for count in ["0", "1.5", "many"] {
            let said = usage(&[option, count]).replace(&format!("'{count}'"), "'...'");
            insta::allow_duplicates! {
                insta::assert_snapshot!(said.replace(option, "--..."), @"error: invalid value '...' for '--... <N>': a whole number from 1 is wanted");
            }
        }
    }
}

#[test]
fn absurd_numbers_are_told_before_memory_is_taken() {
    for option in ["--seeds", "--tune", "--threads"] {
        let said = usage(&[option, "99999999999"]);
        assert!(said.contains("a whole number from 1 to 1000 is wanted"), "{said}");
    }
    for budget in ["5", "0epochs", "NaNs"] {
        let said = usage(&["--budget", budget]);
        assert!(said.contains("a budget is a number above 0 and"), "{said}");
    }
    for (budget, most) in [
        ("1e300s", "100000000 seconds"),
        ("1000000001epochs", "1000000 epochs"),
        ("1e18evaluations", "1000000000000000 evaluations"),
    ] {
        let said = usage(&["--budget", budget]);
        assert!(said.contains(&format!("a budget has at most {most}")), "{said}");
    }
    for budget in [["--budget", "10evaluations"], ["--budget", "1e-9epochs"], ["--epochs", "0.001"]]
    {
        let said = usage(&["digits/logistic", budget[0], budget[1]]);
        assert!(said.contains("is less than one batch of 64 records; give a larger"), "{said}");
    }
    let said = usage(&["--goal", "NaN"]);
    assert!(said.contains("a finite number is wanted"), "{said}");
}

#[test]
fn what_would_do_nothing_or_drop_something_is_refused() {
    insta::assert_snapshot!(usage(&["digits/logistic", "--missing", "foo"]), @"secant: --missing is for tables (--csv); leave it out");
    insta::assert_snapshot!(usage(&["physics/poisson-1d", "--class-weights", "balanced"]), @"secant: --class-weights is for classes, and these data have none; leave it out");
    let twice = [
        "--optimizers",
        "adam",
        "--search",
        "adam(beta_1=0.5|0.6)",
        "--search",
        "adam(beta_2=0.5|0.6)",
    ];
    insta::assert_snapshot!(usage(&[&["digits/logistic"], &twice[..]].concat()), @"secant: there are ranges for `adam` twice; give all of them at once, as in 'adam(beta_1=0.8|0.9, beta_2=0.99|0.999)'");
}

#[test]
fn a_metric_that_is_not_there_is_told_with_the_nearest() {
    let folder = folder();
    let said = compare(2, &folder, &["digits/logistic", "--metric", "balanced-acuracy"]);
    insta::assert_snapshot!(said, @"secant: digits/logistic has no metric `balanced-acuracy`; did you mean `balanced accuracy`?");
    let said = compare(2, &folder, &["digits/logistic", "--metric", "RMSE"]);
    insta::assert_snapshot!(said, @"secant: digits/logistic has no metric `RMSE`; there are loss, accuracy, balanced accuracy, F1");
}

#[test]
fn a_goal_that_the_metric_cannot_have_is_told_with_those_it_can() {
    for goal in ["95.0", "-1.0", "1e300"] {
        let said = usage(&["digits/logistic", "--goal", goal]);
        let range = "a share from 0 to 1, as in 0.95 for 95 %";
        let expected = "is no value that accuracy can have; give";
        assert_eq!(said, format!("secant: the goal {goal} {expected} {range}"));
    }
    insta::assert_snapshot!(usage(&["digits/logistic", "--metric", "loss", "--goal", "-1"]), @"secant: the goal -1.0 is no value that loss can have; give a number from 0");
}

#[test]
fn seeds_that_are_none_or_would_begin_anew_are_told() {
    insta::assert_snapshot!(usage(&["--first-seed=-1"]), @"error: invalid value '-1' for '--first-seed <N>': a whole number from 0 to 18446744073709551615 is wanted");
    insta::assert_snapshot!(usage(&["digits/logistic", "--first-seed", "18446744073709551615", "--seeds", "2"]), @"secant: 2 seeds from 18446744073709551615 on go beyond the largest, 18446744073709551615; give a smaller --first-seed");
}

#[test]
fn ranges_that_cannot_be_searched_are_told() {
    insta::assert_snapshot!(usage(&["--search", "adam"]), @"error: invalid value 'adam' for '--search <RANGES>': the ranges `adam` cannot be searched: the ranges in parentheses are missing; write them as in 'mb-lsr1(delta0=log:1e-4..1, memory=8|16|32)'");
    insta::assert_snapshot!(usage(&["--search", "adam(beta_1=0.5..2)"]), @"error: invalid value 'adam(beta_1=0.5..2)' for '--search <RANGES>': the ranges `adam` cannot be searched: adam: beta_1 must be in [0, 1), got 2; write them as in 'mb-lsr1(delta0=log:1e-4..1, memory=8|16|32)'");
    insta::assert_snapshot!(usage(&["digits/logistic", "--optimizers", "sgd", "--search", "adam(beta_1=0.5..0.9)"]), @"secant: there are ranges for `adam`, which is not compared; name it among the optimizers");
}

#[test]
fn an_optimizer_named_twice_is_told() {
    insta::assert_snapshot!(usage(&["--optimizers", "sgd,adam,sgd"]), @"secant: the method `sgd` is named twice; name it once");
}

#[test]
fn options_that_exclude_each_other_are_told() {
    insta::assert_snapshot!(usage(&["--lr", "0.1", "--tune", "3"]), @"error: the argument '--lr <RATE>' cannot be used with '--tune <N>'");
    insta::assert_snapshot!(usage(&["--libsvm", "a", "--csv", "b", "--target", "c"]), @"error: the argument '--libsvm <FILE>' cannot be used with '--csv <FILE>'");
    insta::assert_snapshot!(usage(&["digits/cnn", "--libsvm", "a"]), @"error: the argument '[PROBLEM]' cannot be used with '--libsvm <FILE>'");
}

#[test]
fn a_table_without_its_target_is_told() {
    let folder = folder();
    let out = folder.path().join("out");
    let mut command = secant(&["compare", "--csv", "wine.csv", "--out", text(&out)]);
    insta::assert_snapshot!(refusal(&mut command, 2, &folder), @r"
    error: the following required arguments were not provided:
      --target <COLUMN>
    ");
    assert!(!out.exists());
}

#[test]
fn a_network_is_chosen_for_a_file_only() {
    let folder = folder();
    let mut command = secant(&["compare", "digits/cnn", "--model", "logistic"]);
    insta::assert_snapshot!(refusal(&mut command, 2, &folder), @r"
    error: the following required arguments were not provided:
      <--csv <FILE>|--libsvm <FILE>>
    ");
}

#[test]
fn a_batch_larger_than_the_data_is_told_with_both_sizes() {
    let folder = folder();
    let said = compare(2, &folder, &["digits/logistic", "--batch-size", "5001"]);
    insta::assert_snapshot!(said, @"secant: the batch size 5001 is larger than the 5000 training records of digits/logistic; use at most 5000 (--batch-size)");
}

#[test]
fn a_batch_larger_than_the_data_is_the_same_mistake_in_training() {
    let folder = folder();
    let mut command = secant(&["train", "digits/logistic", "--batch-size", "5001", "--out"]);
    let said = refusal(command.arg(folder.path().join("model")), 2, &folder);
    assert!(said.contains("larger than the 5000 training records of digits/logistic"), "{said}");
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_no_text_is_taken_as_it_is() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let folder = folder();
    let path = folder.path().join(OsStr::from_bytes(b"bad\xff.csv"));
    let row = |i: usize| format!("{}.{i},{}\n", i % 2, ["a", "b"][i % 2]);
    fs::write(&path, (0..60).map(row).collect::<String>()).expect("a file");
    let arguments = ["compare", "--target", "2", "--header", "no", "--metric", "none", "--csv"];
    let mut command = secant(&arguments);
    command.arg(&path).arg("--out").arg(folder.path().join("out"));
    let said = refusal(&mut command, 2, &folder);
    assert!(said.contains("bad\u{fffd}/mlp has no metric `none`"), "{said}");
}

/// Compares on this table, which is refused.
fn table(contents: &str, target: &str) -> String {
    table_with(1, contents, target, &[])
}

fn table_with(code: i32, contents: &str, target: &str, more: &[&str]) -> String {
    let folder = folder();
    let path = write(&folder, "table.csv", contents);
    compare(code, &folder, &[&["--csv", text(&path), "--target", target], more].concat())
}

#[test]
fn a_table_that_is_not_there_is_named() {
    let folder = folder();
    let path = folder.path().join("none.csv");
    let said = compare(1, &folder, &["--csv", text(&path), "--target", "a"]);
    insta::assert_snapshot!(said, @"secant: cannot read [DIR]/none.csv: No such file or directory (os error 2); check that the file is there and may be read");
}

#[test]
fn a_column_that_is_not_there_is_named_with_those_there_are() {
    insta::assert_snapshot!(table_with(2, "a,b\n1,x\n2,y\n", "c", &[]), @"secant: [DIR]/table.csv has no column 'c'; its columns are 'a', 'b'");
}

#[test]
fn a_task_that_does_not_fit_the_target_is_a_mistake_of_the_command_line() {
    let said = table_with(2, "a,b\n1,x\n2,y\n3,x\n", "b", &["--task", "regression"]);
    insta::assert_snapshot!(said, @"secant: the target 'b' of [DIR]/table.csv is to be a number, but 3 of its cells are none, such as 'x' in line 2; correct or remove these rows, or choose classification");
}

#[test]
fn an_empty_table_is_told() {
    insta::assert_snapshot!(table("", "a"), @"secant: [DIR]/table.csv holds no records; give a file with data in it");
}

#[test]
fn a_table_of_one_class_is_told() {
    insta::assert_snapshot!(table("a,b\n1,x\n2,x\n3,x\n", "b"), @"secant: all records of [DIR]/table.csv belong to the class 'x'; at least two classes are needed");
}

#[test]
fn a_table_with_a_short_line_is_told_with_the_line() {
    insta::assert_snapshot!(table("a,b\n1,x\n2\n3,y\n", "b"), @"secant: line 3 of [DIR]/table.csv has 1 fields where the first line has 2; make all lines alike");
}

#[test]
fn a_table_of_too_few_records_is_told() {
    insta::assert_snapshot!(table("a,b\n1,x\n2,y\n", "b"), @"secant: 2 records in 2 classes are too few to keep 15 % for validation and 20 % for testing; use more records");
}

#[test]
fn a_libsvm_file_that_is_none_is_told_with_the_line() {
    let folder = folder();
    let path = write(&folder, "a9a", "1 1:0.5\n0 2=0.5\n");
    insta::assert_snapshot!(compare(1, &folder, &["--libsvm", text(&path)]), @"secant: line 2 of [DIR]/a9a: '2=0.5' has no colon; each line must be `label index:value ...`");
}

/// A file in the format of MNIST: `sizes` after the magic number, then `bytes`.
fn idx(magic: u32, sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let numbers = [&[magic], sizes].concat();
    numbers.into_iter().flat_map(u32::to_be_bytes).chain(bytes.iter().copied()).collect()
}

/// The four files of MNIST with two images each.
fn mnist(data_dir: &Path) {
    let folder = data_dir.join("mnist");
    fs::create_dir(&folder).expect("a folder");
    for part in ["train", "t10k"] {
        let images = idx(0x803, &[2, 28, 28], &[7; 2 * 28 * 28]);
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).expect("a file");
        let labels = idx(0x801, &[2], &[3, 5]);
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).expect("a file");
    }
}

/// Compares on MNIST with one file replaced.
fn mnist_with(name: &str, contents: &[u8]) -> String {
    let folder = folder();
    mnist(folder.path());
    fs::write(folder.path().join("mnist").join(name), contents).expect("a file");
    compare(1, &folder, &["mnist/mlp", "--data-dir", text(folder.path())])
}

#[test]
fn a_truncated_idx_file_is_told_with_both_sizes() {
    let whole = idx(0x803, &[2, 28, 28], &[7; 2 * 28 * 28]);
    insta::assert_snapshot!(mnist_with("train-images-idx3-ubyte", &whole[..1000]), @"secant: [DIR]/mnist/train-images-idx3-ubyte is cut off: it should have 1584 bytes when unpacked and has 1000; get it again");
}

#[test]
fn an_idx_file_of_another_magic_number_is_told() {
    let other = idx(0x805, &[2], &[3, 5]);
    insta::assert_snapshot!(mnist_with("t10k-labels-idx1-ubyte", &other), @"secant: [DIR]/mnist/t10k-labels-idx1-ubyte is not an IDX file of labels: it starts with the number 2053 instead of 2049; put the right file there");
}

#[test]
fn a_data_set_not_on_disk_is_told_with_its_files_and_how_to_get_them() {
    let folder = folder();
    let said = compare(1, &folder, &["mnist/mlp", "--data-dir", text(folder.path())]);
    insta::assert_snapshot!(said, @"secant: the data set mnist is not complete: [DIR]/mnist lacks train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (with or without .gz or .xz); run `secant data fetch mnist --data-dir [DIR]` to download what is lacking");
}

#[test]
fn an_output_folder_that_is_a_file_is_told_and_left_as_it_is() {
    let folder = folder();
    let file = write(&folder, "report", "mine");
    let said = refusal(&mut tiny(&file, &[]), 1, &folder);
    insta::assert_snapshot!(said, @"secant: [DIR]/report is a file, not a folder for a report; choose another folder with --out");
    assert_eq!(fs::read(&file).expect("a file"), b"mine");
    let said = refusal(&mut tiny(&file.join("inner"), &[]), 1, &folder);
    insta::assert_snapshot!(said, @"secant: cannot write [DIR]/report/inner: Not a directory (os error 20); choose another folder with --out");
    assert_eq!(names(folder.path()), ["report"]);
}

#[test]
fn a_file_in_the_way_of_the_report_is_told_before_any_run_and_left_as_it_is() {
    let folder = folder();
    for name in ["data.jsonl", "report.html"] {
        let file = write(&folder, name, "mine");
        let said = refusal(&mut tiny(folder.path(), &[]), 1, &folder);
        assert!(said.contains(name) && said.contains("is not of an earlier report"), "{said}");
        assert_eq!(fs::read(&file).expect("a file"), b"mine");
        assert_eq!(names(folder.path()), [name]);
        fs::remove_file(&file).expect("removed");
    }
}

#[test]
fn a_command_without_a_name_shows_the_help() {
    let output = secant(&[]).assert().code(2).get_output().clone();
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(said.contains("Usage: secant <COMMAND>") && said.contains("compare"), "{said}");
}
