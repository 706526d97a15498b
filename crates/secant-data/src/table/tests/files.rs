//! Tests of the table reader on the files of cases and on real data.

use super::*;

/// A case loaded as `secant compare` does by default.
fn load_case(name: &str, options: &TableOptions) -> Result<Loaded, DataError> {
    load_table(&case(name), options, SHARES, 0)
}

#[test]
#[ignore = "needs the folder of cases"]
fn the_cases_give_what_they_must() {
    let class = options("class");
    let said =
        |name: &str, options: &TableOptions| load_case(name, options).unwrap().description.warnings;
    let stray = said("stray_token.csv", &class);
    let line = "column 'x': 1 of 24 cells is not a number, such as 'null' in line 9; it was treated \
        as missing";
    assert!(stray.contains(&line.to_owned()), "{stray:?}");
    let features = |name: &str| load_case(name, &class).unwrap().splits.train.features;
    assert_eq!(features("stray_token.csv"), features("stray_token_ok.csv"));
    for (name, target) in [("numeric_header.csv", "class"), ("pandas_header.csv", "2")] {
        let loaded = load_case(name, &options(target)).unwrap();
        assert_eq!(loaded.splits.train.targets.class_names().len(), 2, "{name}");
        assert!(loaded.description.warnings[0].contains("which is not sure"), "{name}");
        let records: usize = loaded.splits.parts().map(|(_, part)| part.len()).iter().sum();
        assert_eq!(records, 24, "{name}");
    }
    let names = |name: &str, target: &str| {
        let loaded = load_case(name, &options(target)).unwrap();
        loaded.splits.train.targets.class_names().to_vec()
    };
    assert_eq!(names("huge_ids.csv", "author"), ["7", "9007199254740992", "9007199254740993"]);
    assert_eq!(names("padded_codes.csv", "code"), ["01", "1", "2"]);
    let twice = load_case("dup_name_leak.csv", &options("label")).unwrap_err().to_string();
    assert!(twice.contains("'label'"), "{twice}");
    let quoted = load_case("quoted_newline.csv", &class).unwrap();
    assert!(quoted.description.format.contains(&"cells separated by commas".to_owned()));
    assert_eq!(quoted.splits.train.record_shape, [1]);
    let large = load_case("overflow.csv", &class).unwrap().splits.train;
    assert!(large.features.iter().all(|x| x.is_finite() && x.abs() > 0.4));
    assert!(said("one_positive.csv", &class).iter().any(|line| line.contains("class 'b'")));
    let continuous = load_case("continuous.csv", &options("mpg")).unwrap();
    assert!(matches!(continuous.splits.train.targets, Targets::Numbers(_)));
    assert_eq!(names("classes_51_int.csv", "species").len(), 51);
    assert_eq!(names("classes_51_text.csv", "species").len(), 51);
    assert_eq!(names("comment_line.csv", "class"), ["a", "b"]);
}

#[test]
#[ignore = "needs small-tabular/iris.csv in SECANT_DATA"]
fn real_iris_is_cut_evenly_over_its_classes() {
    let path = real("small-tabular/iris.csv");
    let splits = load_table(&path, &options("5"), SHARES, 1).unwrap().splits;
    assert_eq!(splits.train.class_counts(), [30, 30, 30]);
    assert_eq!(splits.validation.class_counts(), [10, 10, 10]);
    assert_eq!(splits.test.class_counts(), [10, 10, 10]);
    assert_eq!(splits.train.targets.class_names()[0], "Iris-setosa");
    assert_eq!(splits.train.record_shape, [4]);
}

#[test]
#[ignore = "needs imbalanced/winequality-white.csv.gz in SECANT_DATA"]
fn real_wine_has_a_header_and_semicolons() {
    let path = real("imbalanced/winequality-white.csv.gz");
    let splits = load_table(&path, &options("quality"), SHARES, 1).unwrap().splits;
    assert_eq!(splits.train.targets.class_names(), ["3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(splits.train.record_shape, [11]);
    assert_eq!(splits.parts().map(|(_, part)| part.len()).iter().sum::<usize>(), 4898);
}

#[test]
#[ignore = "needs imbalanced/abalone.data.gz in SECANT_DATA"]
fn real_abalone_sex_becomes_three_inputs() {
    let path = real("imbalanced/abalone.data.gz");
    let splits = load_table(&path, &options("9"), SHARES, 1).unwrap().splits;
    assert_eq!(splits.train.record_shape, [10]);
    assert_eq!(splits.train.targets.class_names().len(), 28);
}

#[test]
#[ignore = "needs imbalanced/sick-euthyroid.data.gz in SECANT_DATA"]
fn real_thyroid_records_with_missing_cells_give_finite_inputs() {
    let path = real("imbalanced/sick-euthyroid.data.gz");
    let splits = load_table(&path, &options("26"), SHARES, 1).unwrap().splits;
    assert_eq!(splits.train.targets.class_names(), ["negative", "sick-euthyroid"]);
    for (_, part) in splits.parts() {
        assert!(part.features.iter().all(|x| x.is_finite()));
    }
    let positives = splits.parts().map(|(_, part)| part.class_counts()[1]);
    assert_eq!(positives.iter().sum::<usize>(), 293);
}
