//! Tests of the table reader.

use super::*;
use crate::dataset::Dataset;
use crate::split::Parts;
use crate::testing::{folder, gzip, real, write};

const SHARES: Fractions = Fractions { validation: 0.2, test: 0.2 };

/// All rows of the table as training part.
fn encoded(text: &str, target: &str) -> Dataset {
    let folder = folder();
    let path = write(&folder, "table.csv", text.as_bytes());
    let table = Table::read(&path, target).unwrap();
    let parts = Parts {
        train: (0..table.labels().len()).collect(),
        validation: Vec::new(),
        test: Vec::new(),
    };
    table.encode(&parts).unwrap().train
}

fn message(text: &str, target: &str) -> String {
    let folder = folder();
    let path = write(&folder, "table.csv", text.as_bytes());
    let message = load(&path, target, SHARES, 0).unwrap_err().to_string();
    assert!(message.contains("table.csv"), "{message}");
    message
}

#[test]
fn comma_semicolon_and_tab_tables_read_the_same() {
    let comma = "size,kind\n1,a\n3,b\n";
    let expected = encoded(comma, "kind");
    assert_eq!(expected.features, [-1.0, 1.0]);
    assert_eq!(expected.classes, ["a", "b"]);
    assert_eq!(expected.labels, [0, 1]);
    for separator in [";", "\t"] {
        assert_eq!(encoded(&comma.replace(',', separator), "kind"), expected);
    }
}

#[test]
fn commas_inside_quotes_do_not_hide_a_semicolon() {
    let table = encoded("\"a,b,c\";x;y\n\"1,1,1\";2;p\n\"1,1,1\";4;q\n", "y");
    assert_eq!(table.features, [1.0, -1.0, 1.0, 1.0]);
}

#[test]
fn a_table_without_header_takes_the_target_by_number() {
    let table = encoded("5.1,3.5,red\n4.9,3.0,blue\n", "3");
    assert_eq!(table.len(), 2);
    assert_eq!(table.classes, ["blue", "red"]);
    assert_eq!(table.labels, [1, 0]);
}

#[test]
fn a_table_with_header_takes_the_target_by_number_too() {
    let table = encoded("size,kind\n1,a\n3,b\n", "2");
    assert_eq!(table.len(), 2);
    assert_eq!(table.classes, ["a", "b"]);
}

#[test]
fn numbers_as_column_names_are_known_by_the_target_name() {
    let table = encoded("2010,2011,kind\n1,2,a\n3,4,b\n", "kind");
    assert_eq!(table.len(), 2);
    assert_eq!(table.record_shape, [2]);
}

#[test]
fn a_header_is_known_in_a_table_of_texts_alone() {
    let with = encoded("colour,kind\nred,a\nblue,b\nred,b\nblue,a\n", "2");
    assert_eq!(with.len(), 4);
    let without = encoded("red,a\nblue,b\nred,b\nblue,a\n", "2");
    assert_eq!(without, with);
}

#[test]
fn missing_cells_become_the_training_mean_or_no_category() {
    let text = "n,c,y\n1,red,0\n?,red,1\n3,,0\nNA,blue,1\nNaN,blue,1\n,?,0\n";
    let table = encoded(text, "y");
    let expected = [
        [-1.0, 0.0, 1.0],
        [0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0],
    ];
    assert_eq!(table.features, expected.concat());
}

#[test]
fn the_encoding_is_learned_from_the_training_rows_alone() {
    let folder = folder();
    let path = write(&folder, "table.csv", b"n,y\n1,a\n3,b\n101,a\n");
    let parts = Parts { train: vec![0, 1], validation: vec![], test: vec![2] };
    let splits = Table::read(&path, "y").unwrap().encode(&parts).unwrap();
    assert_eq!(splits.train.features, [-1.0, 1.0]);
    assert_eq!(splits.test.features, [99.0]);
}

#[test]
fn whole_numbers_written_in_two_ways_are_one_class() {
    let table = encoded("x,y\n1,0.0\n2,1\n3,0\n4,1.0\n", "y");
    assert_eq!(table.classes, ["0", "1"]);
    assert_eq!(table.labels, [0, 1, 0, 1]);
}

#[test]
fn a_column_with_an_infinite_cell_is_text() {
    let table = encoded("x,y\n1,a\ninf,b\n1,a\ninf,b\n", "y");
    assert_eq!(table.record_shape, [2]);
}

#[test]
fn blank_lines_spaces_and_windows_line_ends_do_not_matter() {
    let table = encoded("\r\n x , y \r\n\r\n 1 , a \r\n   \r\n 3 , b \r\n", "y");
    assert_eq!(table.features, [-1.0, 1.0]);
    assert_eq!(table.classes, ["a", "b"]);
}

#[test]
fn a_packed_table_is_unpacked() {
    let folder = folder();
    write(&folder, "t.csv.gz", &gzip(b"x,y\n1,a\n2,b\n"));
    for name in ["t.csv", "t.csv.gz"] {
        assert_eq!(Table::read(&folder.path().join(name), "y").unwrap().labels(), [0, 1]);
    }
}

#[test]
fn an_unknown_target_is_refused_with_the_columns_there_are() {
    let named = message("size,kind\n1,a\n3,b\n", "colour");
    assert!(named.contains("no column 'colour'; its columns are 'size', 'kind'"), "{named}");
    let unnamed = message("1,a\n3,b\n", "colour");
    assert!(unnamed.contains("as a number from 1 to 2"), "{unnamed}");
    let beyond = message("1,a\n3,b\n", "3");
    assert!(beyond.contains("'3' names none of them"), "{beyond}");
    let zero = message("1,a\n3,b\n", "0");
    assert!(zero.contains("'0' names none of them"), "{zero}");
}

#[test]
fn a_long_list_of_columns_is_cut_off() {
    let names: Vec<String> = (0..25).map(|i| format!("c{i}")).collect();
    let message = message(&format!("{}\n{}\n", names.join(","), ["1"; 25].join(",")), "y");
    assert!(message.ends_with("'c19' and 5 more"), "{message}");
}

#[test]
fn missing_targets_are_counted_and_the_first_line_is_named() {
    let message = message("x,y\n\n1,a\n2,?\n3,b\n4,\n", "y");
    assert!(message.contains("column 'y'"), "{message}");
    assert!(message.contains("empty in 2 rows, first in line 4"), "{message}");
}

#[test]
fn a_target_of_measurements_is_refused() {
    let rows: String = (0..60).map(|i| format!("1,{i}.25\n")).collect();
    let message = message(&format!("x,price\n{rows}"), "price");
    assert!(message.contains("'price'") && message.contains("60 different numbers"), "{message}");
    assert!(message.contains("only classification is supported"), "{message}");
}

#[test]
fn a_target_of_names_is_refused() {
    let rows: String = (0..60).map(|i| format!("1,name{i}\n")).collect();
    assert!(message(&rows, "2").contains("60 different texts"));
}

#[test]
fn one_class_is_refused() {
    assert!(message("x,y\n1,a\n2,a\n", "y").contains("belong to the class 'a'"));
}

#[test]
fn a_ragged_line_is_named() {
    let message = message("x,y\n1,a\n\n2,b,c\n3,d\n", "y");
    assert!(message.starts_with("line 4 of "), "{message}");
    assert!(message.contains("has 3 fields where the first line has 2"), "{message}");
}

#[test]
fn empty_files_headers_alone_and_single_columns_are_refused() {
    assert!(message("", "y").contains("holds no records"));
    assert!(message("\n\n", "y").contains("holds no records"));
    assert!(message("x,y\n", "y").contains("holds no records"));
    assert!(message("1 2 3\n4 5 6\n", "3").contains("has only one column"));
}

#[test]
fn a_table_whose_inputs_tell_nothing_is_refused() {
    let rows: String = (0..20).map(|i| format!("name{i},{}\n", ["a", "b"][i % 2])).collect();
    assert!(message(&rows, "2").contains("has no usable input column"));
}

#[test]
#[ignore = "needs small-tabular/iris.csv in SECANT_DATA"]
fn real_iris_is_cut_evenly_over_its_classes() {
    let path = real("small-tabular/iris.csv");
    let splits = load(&path, "5", SHARES, 1).unwrap();
    assert_eq!(splits.train.class_counts(), [30, 30, 30]);
    assert_eq!(splits.validation.class_counts(), [10, 10, 10]);
    assert_eq!(splits.test.class_counts(), [10, 10, 10]);
    assert_eq!(splits.train.classes[0], "Iris-setosa");
    assert_eq!(splits.train.record_shape, [4]);
}

#[test]
#[ignore = "needs imbalanced/winequality-white.csv.gz in SECANT_DATA"]
fn real_wine_has_a_header_and_semicolons() {
    let path = real("imbalanced/winequality-white.csv.gz");
    let splits = load(&path, "quality", SHARES, 1).unwrap();
    assert_eq!(splits.train.classes, ["3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(splits.train.record_shape, [11]);
    let total = splits.train.len() + splits.validation.len() + splits.test.len();
    assert_eq!(total, 4898);
}

#[test]
#[ignore = "needs imbalanced/abalone.data.gz in SECANT_DATA"]
fn real_abalone_sex_becomes_three_inputs() {
    let path = real("imbalanced/abalone.data.gz");
    let splits = load(&path, "9", SHARES, 1).unwrap();
    assert_eq!(splits.train.record_shape, [10]);
    assert_eq!(splits.train.classes.len(), 28);
}

#[test]
#[ignore = "needs imbalanced/sick-euthyroid.data.gz in SECANT_DATA"]
fn real_thyroid_records_with_missing_cells_give_finite_inputs() {
    let path = real("imbalanced/sick-euthyroid.data.gz");
    let splits = load(&path, "26", SHARES, 1).unwrap();
    assert_eq!(splits.train.classes, ["negative", "sick-euthyroid"]);
    for part in [&splits.train, &splits.validation, &splits.test] {
        assert!(part.features.iter().all(|x| x.is_finite()));
    }
    let positives =
        [&splits.train, &splits.validation, &splits.test].map(|part| part.class_counts()[1]);
    assert_eq!(positives.iter().sum::<usize>(), 293);
}
