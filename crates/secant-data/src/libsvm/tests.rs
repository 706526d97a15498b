use super::*;
use crate::testing::{case, folder, gzip, real, record as inputs, write};

const SHARES: Fractions = Fractions { validation: 0.25, test: 0.25 };

fn message(text: &str) -> String {
    let folder = folder();
    let path = write(&folder, "data", text.as_bytes());
    load(&path, Task::Auto, Precision::F32, SHARES, 0).unwrap_err().to_string()
}

#[test]
fn two_classes_become_signs_and_zeros_are_left_out() {
    let folder = folder();
    let path = write(&folder, "data.gz", &gzip(b"2 2:0.1\n1\n2 1:3 4:1e2\n"));
    let rows = load_two_classes(&path).unwrap();
    let expected = SparseRows {
        signs: vec![1.0, -1.0, 1.0],
        starts: vec![0, 1, 1, 3],
        columns: vec![1, 0, 3],
        values: vec![0.1, 3.0, 100.0],
        width: 4,
    };
    assert_eq!(rows, expected);
}

#[test]
fn other_than_two_classes_with_inputs_are_told() {
    let folder = folder();
    let said = |text: &str| {
        let path = write(&folder, "data", text.as_bytes());
        load_two_classes(&path).unwrap_err().to_string()
    };
    assert!(said("1 1:1\n1 1:2\n").contains("belong to the class '1'"));
    assert!(said("1 1:1\n2 1:2\n3 1:1\n").contains("has labels of more than two classes"));
    assert!(said("1\n2\n").contains("has no inputs"));
}

#[test]
fn labels_that_differ_beyond_double_precision_are_two_classes() {
    let folder = folder();
    let text = "9007199254740993 1:1\n9007199254740992 1:2\n".repeat(8);
    let path = write(&folder, "data", text.as_bytes());
    let splits = load(&path, Task::Auto, Precision::F32, SHARES, 0).unwrap().splits;
    let names = splits.train.targets.class_names();
    assert_eq!(names, ["9007199254740992", "9007199254740993"]);
    assert_eq!(load_two_classes(&path).unwrap().signs[..2], [1.0, -1.0]);
    let said = load(&path, Task::Regression, Precision::F32, SHARES, 0).unwrap_err().to_string();
    assert!(said.contains("9007199254740992"), "{said}");
}

#[test]
fn a_file_without_test_file_is_cut_three_ways() {
    let folder = folder();
    let path = write(&folder, "data", "+1 2:0.5\n-1 1:3 4:1e2 # note\n\n".repeat(8).as_bytes());
    let splits = load(&path, Task::Auto, Precision::F32, SHARES, 0).unwrap().splits;
    assert_eq!(splits.train.targets.class_names(), ["-1", "1"]);
    let sizes = [&splits.train, &splits.validation, &splits.test].map(Dataset::len);
    assert_eq!(sizes, [8, 4, 4]);
    for (record, &label) in splits.train.targets.labels().iter().enumerate() {
        let expected = [[3.0, 0.0, 0.0, 100.0], [0.0, 0.5, 0.0, 0.0]][label as usize];
        assert_eq!(inputs(&splits.train, record), expected);
    }
}

#[test]
fn the_test_file_beside_it_is_the_test_part_and_may_be_wider() {
    let folder = folder();
    write(&folder, "data.gz", &gzip("1 1:1\n2 2:1\n".repeat(8).as_bytes()));
    write(&folder, "data.t.gz", &gzip(b"2 3:7\n1 1:1\n"));
    for name in ["data", "data.gz"] {
        let splits =
            load(&folder.path().join(name), Task::Auto, Precision::F32, SHARES, 0).unwrap().splits;
        assert_eq!(splits.train.record_shape, [3]);
        assert_eq!(splits.train.len() + splits.validation.len(), 16);
        assert_eq!(splits.test.features, Numbers::F32(vec![0.0, 0.0, 7.0, 1.0, 0.0, 0.0]));
        assert_eq!(splits.test.targets.labels(), [1, 0]);
    }
}

#[test]
fn equal_lines_of_several_files_are_read_once() {
    let folder = folder();
    let first = write(&folder, "a", b"1 1:2 3:1\n-1 2:5 \n1 1:2 3:1\n");
    let second = write(&folder, "b.gz", &gzip(b"-1 2:5\n-1\n\n"));
    let all = distinct(&[first.clone(), second], &["n", "p"]).unwrap();
    let expected = vec![2.0, 0.0, 1.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0];
    assert_eq!(all.features, Numbers::F32(expected));
    assert_eq!(all.targets.labels(), [1, 0, 0]);
    let wrong = write(&folder, "c", b"1 1:2 3:1\n-1 x\n");
    let message = distinct(&[first, wrong], &["n", "p"]).unwrap_err().to_string();
    assert!(message.starts_with("line 2 of ") && message.contains("'x'"), "{message}");
}

#[test]
fn indices_that_do_not_ascend_from_one_are_refused_with_their_line() {
    let zero = message("1 1:1\n-1 0:1 1:2\n");
    assert!(zero.starts_with("line 2 of ") && zero.contains("the index 0 was found"), "{zero}");
    let descending = message("1 1:1\n\n-1 5:1 3:2\n");
    assert!(descending.starts_with("line 3 of "), "{descending}");
    assert!(descending.contains("the index 3 follows 5"), "{descending}");
    let twice = message("1 2:1 2:1\n");
    assert!(twice.contains("the index 2 follows 2"), "{twice}");
}

#[test]
fn fields_that_are_not_numbers_are_named() {
    for (text, part) in [
        ("yes 1:1\n", "the label 'yes' is not a number"),
        ("1 qid:3 1:1\n", "the index 'qid' is not a whole number"),
        ("1 17\n", "'17' has no colon"),
        ("1 1:nan\n", "the value 'nan' is not a number"),
        ("1 -1:1\n", "the index '-1' is not a whole number"),
        ("1 :1\n", "the index '' is not a whole number"),
        (
            "1 4294967296:1\n",
            "the index 4294967296 is too large; the largest that can be is 4294967295",
        ),
        ("1e400 1:1\n", "the label 1e400 is beyond the largest number of double precision"),
        ("inf 1:1\n", "the label 'inf' is not a number"),
    ] {
        let message = message(text);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_file_too_large_when_dense_is_refused_before_memory_is_taken() {
    let message = message("1 4000000000:1\n2 1:1\n");
    assert!(message.contains("would need 29.8 GiB"), "{message}");
}

#[test]
fn one_class_and_no_record_are_refused() {
    assert!(message("3 1:1\n3 1:2\n").contains("belong to the class '3'"));
    assert!(message("\n# nothing\n").contains("holds no records"));
    assert!(message("1\n2\n").contains("has no inputs"));
}

#[test]
fn continuous_labels_are_a_regression_and_plus_signs_make_no_class() {
    let folder = folder();
    let many: String = (0..60).map(|i| format!("{i}.5 1:{i}\n")).collect();
    let path = write(&folder, "data", many.as_bytes());
    let load = |task| load(&path, task, Precision::F64, SHARES, 0);
    let loaded = load(Task::Auto).unwrap();
    assert!(matches!(loaded.splits.train.targets, Targets::Numbers(_)));
    assert!(loaded.description.preprocessing[0].starts_with("regression: 60 records"));
    let message = load(Task::Classification).unwrap_err().to_string();
    assert!(message.contains("60 different values"), "{message}");
    let path = write(&folder, "signs", "+1 1:1\n1 1:2\n-1 1:3\n-1.0 1:4\n".repeat(8).as_bytes());
    let splits = super::load(&path, Task::Auto, Precision::F64, SHARES, 0).unwrap().splits;
    assert_eq!(splits.train.targets.class_names(), ["-1", "1"]);
}

#[test]
fn labels_of_a_regression_that_cannot_be_squared_are_refused() {
    for (size, told) in [("e160", "too large"), ("e-170", "too small")] {
        let text: String = (0..60).map(|i| format!("{i}.5{size} 1:{i}\n")).collect();
        let message = message(&text);
        assert!(message.contains("the target label of ") && message.contains(told), "{message}");
    }
}

#[test]
fn a_folder_where_the_test_file_would_be_is_refused() {
    let folder = folder();
    let path = write(&folder, "data", "1 1:1\n2 1:2\n".repeat(8).as_bytes());
    std::fs::create_dir(folder.path().join("data.t")).unwrap();
    let refused = load(&path, Task::Auto, Precision::F32, SHARES, 0);
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("data.t stands where the test part of "), "{message}");
}

#[test]
fn a_value_beyond_single_precision_is_an_error_there_and_a_number_in_double_precision() {
    let folder = folder();
    let path = write(&folder, "data", "1 1:1 2:1e39\n0 2:2\n".repeat(8).as_bytes());
    let load = |precision| load(&path, Task::Auto, precision, SHARES, 0);
    let message = load(Precision::F32).unwrap_err().to_string();
    assert!(message.starts_with("line 1 of "), "{message}");
    assert!(message.contains("1e39 of feature 2 is beyond"), "{message}");
    let Numbers::F64(numbers) = load(Precision::F64).unwrap().splits.train.features else {
        panic!("double precision was asked for");
    };
    assert!(numbers.contains(&1e39));
}

#[test]
#[ignore = "needs the folder of cases"]
fn files_that_differ_in_double_precision_alone_differ_in_it() {
    let features = |name: &str, precision| {
        let shares = Fractions { validation: 0.2, test: 0.2 };
        load(&case(name), Task::Auto, precision, shares, 0).unwrap().splits.train.features
    };
    assert_ne!(features("p64.svm", Precision::F64), features("p32.svm", Precision::F64));
    assert_eq!(features("p64.svm", Precision::F32), features("p32.svm", Precision::F32));
    assert!(features("value_1e39.svm", Precision::F64).iter().any(|x| x == 1e39));
}

#[test]
#[ignore = "needs libsvm/a9a.gz and libsvm/a9a.t.gz in SECANT_DATA"]
fn real_a9a_has_the_known_counts() {
    let path = real("libsvm/a9a.gz");
    let splits = load(&path, Task::Auto, Precision::F32, SHARES, 0).unwrap().splits;
    assert_eq!(splits.train.record_shape, [123]);
    assert_eq!(splits.train.targets.class_names(), ["-1", "1"]);
    let counts = [splits.train.class_counts(), splits.validation.class_counts()];
    assert_eq!([counts[0][0] + counts[1][0], counts[0][1] + counts[1][1]], [24_720, 7_841]);
    assert_eq!(splits.test.class_counts(), [12_435, 3_846]);
}
