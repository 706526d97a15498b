//! Tests of the table reader.

mod files;
mod targets;

use super::*;
use crate::description::Kind;
use crate::numbers::Numbers;
use crate::target::Task;
use crate::testing::{case, folder, gzip, real, record, write};

const SHARES: Fractions = Fractions { validation: 0.2, test: 0.2 };

fn options(target: &str) -> TableOptions {
    TableOptions { target: Some(target.to_owned()), ..TableOptions::default() }
}

/// All rows of the table as training part, in double precision, with what is in doubt.
fn encoded_by(bytes: &[u8], options: &TableOptions) -> Result<(Dataset, Vec<String>), DataError> {
    let folder = folder();
    let path = write(&folder, "table.csv", bytes);
    let Understood { grid, columns, target, mut warnings } = understand(&path, options)?;
    let target = target.unwrap();
    let rows: Vec<usize> = (0..grid.len()).collect();
    let encoding = Encoding::fit(&columns, &rows, Policy::Informative);
    describe::columns(&grid, &columns, &encoding, Some(&target), &rows, &mut warnings);
    let features = encoding.apply(&rows, Precision::F64).unwrap();
    let record_shape = vec![encoding.width()];
    Ok((Dataset { features, record_shape, targets: target.targets }, warnings))
}

fn encoded(text: &str, target: &str) -> Dataset {
    encoded_by(text.as_bytes(), &options(target)).unwrap().0
}

fn warnings(text: &str, target: &str) -> Vec<String> {
    encoded_by(text.as_bytes(), &options(target)).unwrap().1
}

fn load(text: &str, options: &TableOptions) -> Result<Loaded, DataError> {
    let folder = folder();
    let path = write(&folder, "table.csv", text.as_bytes());
    load_table(&path, options, SHARES, 0)
}

fn message(text: &str, target: &str) -> String {
    let message = load(text, &options(target)).unwrap_err().to_string();
    assert!(message.contains("table.csv"), "{message}");
    message
}

/// The numbers of the first column as they are read.
fn first_column(text: &str) -> Vec<Option<f64>> {
    let folder = folder();
    let path = write(&folder, "table.csv", text.as_bytes());
    match understand(&path, &TableOptions::default()).unwrap().columns.remove(0).cells {
        Cells::Numbers(numbers) => numbers,
        Cells::Texts(texts) => panic!("{texts:?}"),
    }
}

fn double(numbers: &[f64]) -> Numbers {
    Numbers::F64(numbers.to_vec())
}

#[test]
fn tables_with_all_separators_read_the_same() {
    let comma = "size,kind\n1,a\n3,b\n";
    let expected = encoded(comma, "kind");
    assert_eq!(expected.features, double(&[-1.0, 1.0]));
    assert_eq!(expected.targets.class_names(), ["a", "b"]);
    assert_eq!(expected.targets.labels(), [0, 1]);
    for separator in [";", "\t", "|", "  "] {
        assert_eq!(encoded(&comma.replace(',', separator), "kind"), expected);
    }
}

#[test]
fn tables_in_all_encodings_and_with_all_line_ends_read_the_same() {
    let text = "grö\u{df}e,kind\n1,é\n3,b\n";
    let expected = encoded(text, "kind");
    let units = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for bytes in [
        format!("\u{feff}{text}").into_bytes(),
        units(&format!("\u{feff}{text}")),
        units(text),
        latin.clone(),
        text.replace('\n', "\r\n").into_bytes(),
        text.replace('\n', "\r").into_bytes(),
        gzip(text.as_bytes()),
    ] {
        assert_eq!(encoded_by(&bytes, &options("kind")).unwrap().0, expected);
    }
    let said = encoded_by(&latin, &options("kind")).unwrap().1;
    assert!(said.iter().any(|line| line.contains("read as Windows-1252")), "{said:?}");
}

#[test]
fn a_table_without_header_takes_the_target_by_number() {
    let table = encoded("5.1,3.5,red\n4.9,3.0,blue\n", "3");
    assert_eq!(table.len(), 2);
    assert_eq!(table.targets.class_names(), ["blue", "red"]);
    assert_eq!(table.targets.labels(), [1, 0]);
}

#[test]
fn a_header_can_be_said_to_be_there_or_not() {
    let read = |header| {
        let options = TableOptions { header, ..options("2") };
        encoded_by(b"2019,class\n-1,a\n1,b\n-1,a\n1,b\n", &options).unwrap()
    };
    assert_eq!(read(Header::No).0.len(), 5);
    assert_eq!(read(Header::Yes).0.len(), 4);
    let (table, said) = read(Header::Auto);
    assert_eq!(table.len(), 4);
    assert!(said[0].contains("the first line was taken for the names"), "{said:?}");
    assert!(read(Header::Yes).1.is_empty());
}

#[test]
fn a_column_named_by_a_number_goes_before_the_column_with_that_number() {
    let rows = "-1.0,0,p\n1.2,1,q\n-0.6,2,p\n".repeat(3);
    let (table, said) = encoded_by(format!("0,1,2\n{rows}").as_bytes(), &options("2")).unwrap();
    assert_eq!(table.targets.class_names(), ["p", "q"]);
    assert!(said.iter().any(|line| line.contains("as the name of column 3")), "{said:?}");
}

#[test]
fn a_header_that_lacks_the_name_of_the_first_column_is_understood() {
    let table = encoded("size kind\n1 5 a\n2 7 b\n3 6 a\n", "kind");
    assert_eq!((table.len(), table.record_shape), (3, vec![2]));
    let said = warnings("size kind\nann 5 a\nbob 7 b\neve 6 a\n", "kind");
    assert!(said[0].contains("one name less than the records have cells"), "{said:?}");
    assert!(said[0].contains("row numbers too"), "{said:?}");
    // Names that all differ are no input, as the warning says.
    assert!(said.iter().any(|line| line.starts_with("column 1 is not used")), "{said:?}");
}

#[test]
fn a_separator_at_the_end_of_every_record_moves_no_name() {
    let plain = "x,y,class\n-0.098,1.449,a\n0.5,2.5,b\n1.5,0.5,a\n";
    let expected = encoded(plain, "class");
    for separator in [",", ";", "|"] {
        let mut lines = plain.lines();
        let header = lines.next().unwrap();
        let rows: String = lines.map(|line| format!("{line},\n")).collect();
        let text = format!("{header}\n{rows}").replace(',', separator);
        assert_eq!(encoded(&text, "class"), expected);
        let said = warnings(&text, "class");
        assert!(said[0].contains("taken to end with a separator"), "{said:?}");
    }
}

#[test]
fn a_first_record_that_alone_lacks_the_separator_at_the_end_stays_a_record() {
    let table = encoded("1.5,2.5,a\n3.5,4.5,b,\n0.5,1.5,a,\n", "3");
    assert_eq!((table.len(), table.record_shape), (3, vec![2]));
}

#[test]
fn a_text_after_a_closing_quote_is_told() {
    let said = warnings("x,y\n1,a\n\"2\"3,b\n\"4\" ,a\n", "y");
    assert!(said[0].starts_with("in 1 cell, first in line 3, a text follows"), "{said:?}");
    assert_eq!(warnings("x,y\n1,a\n\"23\",b\n", "y"), Vec::<String>::new());
}

#[test]
fn comments_before_the_data_are_skipped_and_may_name_the_columns() {
    let plain = "x,y\n1,a\n3,b\n";
    assert_eq!(encoded(&format!("# exported\n\n% by hand\n{plain}"), "y"), encoded(plain, "y"));
    let text = "# made by a program\n# x,y\n1.5,a\n3.5,b\n";
    assert_eq!(encoded(text, "y").len(), 2);
    assert!(warnings(text, "y")[0].contains("taken from the comment '# x,y'"));
}

#[test]
fn a_separator_that_a_spreadsheet_gives_is_taken() {
    let table = encoded("sep=;\nx;y\n1,5;a\n2,5;b\n", "y");
    assert_eq!(table.features, double(&[-1.0, 1.0]));
}

#[test]
fn missing_cells_become_the_training_mean_or_no_category() {
    let text = "n,c,y\n1,red,p\n?,red,q\n3,,p\nNA,blue,q\n-nan,blue,q\n,#N/A,p\n";
    let table = encoded(text, "y");
    let expected = [
        [-1.0, 0.0, 1.0],
        [0.0, 0.0, 1.0],
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0],
    ];
    assert_eq!(table.features, double(&expected.concat()));
}

#[test]
fn extra_missing_texts_are_missing_without_a_line_and_unused_ones_are_told() {
    let missing = vec!["-999".to_owned(), "n.d.".to_owned()];
    let options = TableOptions { missing, ..options("y") };
    let (table, said) = encoded_by(b"x,y\n1,a\n-999.0,b\n3,a\n", &options).unwrap();
    assert_eq!(table.features, double(&[-1.0, 0.0, 1.0]));
    assert_eq!(said, ["the text 'n.d.' for missing values stands in no cell"]);
}

#[test]
fn nearly_all_numbers_stay_numbers_and_the_odd_cell_is_told_with_its_line() {
    for odd in ["null", "broken", "1,2,3", "#REF!"] {
        let cell = |i: usize| if i == 7 { format!("\"{odd}\"") } else { i.to_string() };
        let rows: String =
            (0..24).map(|i| format!("{},{}\n", cell(i), ["a", "b"][i % 2])).collect();
        let text = format!("x,y\n{rows}");
        let expected = format!(
            "column 'x': 1 of 24 cells is not a number, such as '{odd}' in line 9; it was treated \
             as missing"
        );
        assert_eq!(warnings(&text, "y"), [expected]);
        assert_eq!(encoded(&text, "y").record_shape, [1]);
    }
}

#[test]
fn a_column_with_many_odd_cells_is_texts_and_says_so() {
    let rows: String = (0..20)
        .map(|i| if i % 3 == 0 { "none so,a\n".into() } else { format!("{i},b\n") })
        .collect();
    let said = warnings(&format!("x,y\n{rows}"), "y");
    assert!(said[0].contains("was read as texts: 13 of its 20"), "{said:?}");
    assert!(said[0].contains("'none so' in line 2"), "{said:?}");
}

#[test]
fn numbers_as_people_write_them_are_read() {
    let column = |cells: &[&str]| {
        let rows: String = cells.iter().map(|cell| format!("\"{cell}\";a\n")).collect();
        first_column(&format!("x;y\n{rows}")).into_iter().flatten().collect::<Vec<_>>()
    };
    assert_eq!(column(&["1,234,567.5", "12", "-3.25"]), [1_234_567.5, 12.0, -3.25]);
    assert_eq!(column(&["1.234,5", "0,5", "7"]), [1_234.5, 0.5, 7.0]);
    assert_eq!(column(&["$1,200.50", "$3", "-$4.5"]), [1_200.5, 3.0, -4.5]);
    assert_eq!(column(&["1 234 €", "5 €"]), [1_234.0, 5.0]);
    assert_eq!(column(&["50%", "7.5 %"]), [50.0, 7.5]);
    assert_eq!(column(&["1\u{a0}234", "5"]), [1_234.0, 5.0]);
}

#[test]
fn a_comma_that_can_mean_two_things_is_decided_by_the_table_and_told() {
    let thousands = "x,y\n\"1,234\",a\n\"2,345\",b\n";
    assert_eq!(first_column(thousands), [Some(1_234.0), Some(2_345.0)]);
    assert!(warnings(thousands, "y")[0].contains("'1,234' was read as 1234"));
    let european = "x;z;y\n1,234;0,5;a\n2,345;1,5;b\n";
    assert_eq!(first_column(european), [Some(1.234), Some(2.345)]);
    assert!(warnings(european, "y")[0].contains("'1,234' was read as 1.234"));
}

#[test]
fn signs_of_unit_that_differ_are_told() {
    let said = warnings("x,y\n50%,a\n0.5,b\n20%,a\n", "y");
    assert!(said[0].contains("different signs of unit (none, %)"), "{said:?}");
}

#[test]
fn classes_are_texts_and_equal_numbers_are_told() {
    let text = "x,y\n1,0.0\n2,1\n3,0\n4,1.0\n";
    assert_eq!(encoded(text, "y").targets.class_names(), ["0", "0.0", "1", "1.0"]);
    assert!(warnings(text, "y").iter().any(|line| line.contains("'0' and '0.0' are the same")));
}

#[test]
fn a_dash_can_be_a_class_and_is_told() {
    let text = "x,y\n1,+\n2,-\n3,+\n4,-\n";
    assert_eq!(encoded(text, "y").targets.class_names(), ["+", "-"]);
    assert!(warnings(text, "y")[0].contains("has a class '-'"), "{:?}", warnings(text, "y"));
}

#[test]
fn constant_empty_and_all_different_columns_are_not_used_and_named() {
    let rows: String =
        (0..20).map(|i| format!("{i},7,same,NA,id{i},{}\n", ["a", "b"][i % 2])).collect();
    let text = format!("x,seven,word,none,name,y\n{rows}");
    let said = warnings(&text, "y");
    for (column, why) in [
        ("seven", "constant"),
        ("word", "constant"),
        ("none", "no cell is filled"),
        ("name", "no text occurs twice"),
    ] {
        assert!(said.contains(&format!("column '{column}' is not used: {why}")), "{said:?}");
    }
    assert_eq!(encoded(&text, "y").record_shape, [1]);
}

#[test]
fn very_many_texts_get_a_limited_number_of_inputs_and_a_line() {
    let rows: String =
        (0..600).map(|i| format!("{i},t{},{}\n", i % 300, ["a", "b"][i % 2])).collect();
    let text = format!("x,name,y\n{rows}");
    assert_eq!(encoded(&text, "y").record_shape, [101]);
    let said = warnings(&text, "y");
    assert!(said[0].starts_with("column 'name' has 100 inputs for the most frequent"), "{said:?}");
    assert!(said[0].contains("200 in number and in 67 %"), "{said:?}");
}

#[test]
fn a_continuous_target_is_a_regression_with_the_numbers_of_the_file() {
    let rows: String =
        (0..40).map(|i| format!("{i},{}\n", 20.0 + f64::from(i % 16) / 2.0)).collect();
    let loaded = load(&format!("x,mpg\n{rows}"), &options("mpg")).unwrap();
    let Targets::Numbers(numbers) = &loaded.splits.train.targets else { panic!("a regression") };
    assert!(numbers.iter().all(|number| (20.0..28.0).contains(number)));
    assert_eq!(loaded.description.columns[1].kind, Kind::TargetNumbers);
    let decision = &loaded.description.preprocessing[0];
    assert!(
        decision.starts_with("regression of 'mpg': 40 records with 16 different"),
        "{decision}"
    );
}

#[test]
fn the_task_can_be_given() {
    let rows: String = (0..60).map(|i| format!("{i},{}\n", i % 3)).collect();
    let read = |task| {
        let options = TableOptions { task, ..options("y") };
        load(&format!("x,y\n{rows}"), &options).unwrap().splits.train.targets
    };
    assert!(matches!(read(Task::Regression), Targets::Numbers(_)));
    assert!(matches!(read(Task::Auto), Targets::Classes { .. }));
    let options = TableOptions { task: Task::Regression, ..options("y") };
    let message = load("x,y\n1,a\n2,5\n3,6\n", &options).unwrap_err().to_string();
    assert!(message.contains("1 of its cells are none, such as 'a' in line 2"), "{message}");
}

#[test]
fn whole_numbers_that_could_be_both_are_told() {
    let rows: String = (0..300).map(|i| format!("{i},{}\n", i % 51)).collect();
    let said = load(&format!("x,y\n{rows}"), &options("y")).unwrap().description.warnings;
    assert!(said[0].contains("could be numbers to be learned"), "{said:?}");
}

#[test]
fn rare_classes_are_told() {
    let rows: String =
        (0..24).map(|i| format!("{i},{}\n", if i == 7 { "b" } else { "a" })).collect();
    let said = load(&format!("x,y\n{rows}"), &options("y")).unwrap().description.warnings;
    for part in ["validation", "test"] {
        let line = format!("the class 'b' has no record in the {part} part");
        assert!(said.contains(&line), "{said:?}");
    }
}

#[test]
fn precision_is_as_asked() {
    let rows: String = (0..20).map(|i| format!("{i}.1,{}\n", ["a", "b"][i % 2])).collect();
    for precision in [Precision::F32, Precision::F64] {
        let options = TableOptions { precision, ..options("y") };
        let loaded = load(&format!("x,y\n{rows}"), &options).unwrap();
        assert_eq!(loaded.splits.train.features.precision(), precision);
    }
}

#[test]
fn numbers_beyond_double_precision_are_an_error_that_names_them() {
    let message = message("x,y\n1,a\n1e400,b\n3,a\n", "y");
    assert!(message.starts_with("'1e400' in column 'x', line 3 of "), "{message}");
}

#[test]
fn arff_files_are_read_with_their_names_and_declared_values() {
    let text = "% about\n@relation r\n@attribute x real\n@attribute 'my colour' {red,blue,green}\n\
        @attribute note string\n@attribute class {no,yes}\n@data\n1,red,'a b',no\n?,blue,c,yes\n\
        3,red,d,no\n";
    let (table, said) = encoded_by(text.as_bytes(), &options("class")).unwrap();
    assert_eq!(table.record_shape, [4]);
    assert_eq!(record(&table, 1), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(table.targets.class_names(), ["no", "yes"]);
    assert!(
        said.contains(&"column 'note' is not used: no text occurs twice".to_owned()),
        "{said:?}"
    );
    let undeclared = text.replace("3,red", "3,pink");
    assert!(
        warnings(&undeclared, "class")[1].contains("none of the declared values, such as 'pink'")
    );
}

#[test]
fn an_unknown_target_is_refused_with_the_columns_there_are() {
    let named = message("size,kind\n1,a\n3,b\n", "colour");
    assert!(named.contains("no column 'colour'; its columns are 'size', 'kind'"), "{named}");
    let unnamed = message("1.5,a\n3.5,b\n", "colour");
    assert!(unnamed.contains("as a number from 1 to 2"), "{unnamed}");
    for number in ["3", "0"] {
        let beyond = message("1.5,a\n3.5,b\n", number);
        assert!(beyond.contains(&format!("'{number}' names none of them")), "{beyond}");
    }
    let none = load("size,kind\n1,a\n3,b\n", &TableOptions::default()).unwrap_err().to_string();
    assert!(none.contains("choose one of its columns 'size', 'kind'"), "{none}");
}

#[test]
fn repeated_names_are_refused() {
    let message = message("label,x,label\na,0,a\nb,1,b\n", "label");
    assert!(message.contains("has two columns named 'label'"), "{message}");
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
    assert!(message.contains("in line 4, where the cell is '?', which stands for"), "{message}");
    assert!(message.ends_with("such rows, 2 in all"), "{message}");
}

#[test]
fn a_target_of_names_and_one_class_are_refused() {
    let rows: String = (0..60).map(|i| format!("1,name{i}\n")).collect();
    assert!(message(&rows, "2").contains("60 different values in 60 records"));
    assert!(message("x,y\n1,a\n2,a\n", "y").contains("belong to the class 'a'"));
}

#[test]
fn ragged_lines_and_open_quotes_are_named() {
    let ragged = message("x,y\n1,a\n\n2,b,c\n3,d\n", "y");
    assert!(ragged.starts_with("line 4 of "), "{ragged}");
    assert!(ragged.contains("has 3 fields where the first line has 2"), "{ragged}");
    let later = message("x,y\n1,2,a\n2,3,b\n4,c\n", "y");
    assert!(later.contains("line 4 of ") && later.contains("the second line has 3"), "{later}");
    let open = message("x,y\n1,a\n2,\"b\n3,d\n", "y");
    assert!(open.starts_with("the quote that opens in line 3 of "), "{open}");
}

#[test]
fn empty_files_headers_alone_and_single_columns_are_refused() {
    assert!(message("", "y").contains("holds no records"));
    assert!(message("\n\n", "y").contains("holds no records"));
    assert!(message("# only this\n", "y").contains("holds no records"));
    assert!(message("x\n1\n2\n", "1").contains("has only one column"));
    let options = TableOptions { header: Header::Yes, ..options("y") };
    assert!(load("x,y\n", &options).unwrap_err().to_string().contains("holds no records"));
}

#[test]
fn a_table_whose_inputs_tell_nothing_is_refused() {
    let rows: String = (0..20).map(|i| format!("name{i},{}\n", ["a", "b"][i % 2])).collect();
    assert!(message(&rows, "2").contains("has no usable input column"));
}

#[test]
fn a_file_can_be_inspected_without_a_target() {
    let folder = folder();
    let path = write(&folder, "table.csv", b"x;y\n1,5;a\n2,5;b\n;a\n");
    let description = inspect(&path, &TableOptions::default()).unwrap();
    assert_eq!(description.columns[0].range, "1.5 to 2.5");
    assert_eq!(description.columns[0].missing, 1);
    assert_eq!(description.columns[1].r#use, "1 input, one for each text but 1 rarer");
    assert!(description.format.contains(&"cells separated by semicolons".to_owned()));
    let text = description.to_string();
    assert!(text.contains("1 input, standardised") && text.contains("33.3 %"), "{text}");
}

#[test]
fn the_fingerprint_follows_the_data_the_cut_and_not_the_spelling() {
    let rows = |last: &str| -> String {
        (0..30)
            .map(|i| {
                format!(
                    "{},{}\n",
                    if i == 29 { last.into() } else { i.to_string() },
                    ["a", "b"][i % 2]
                )
            })
            .collect()
    };
    let print = |text: &str| load(text, &options("y")).unwrap().description.fingerprint;
    let one = print(&format!("x,y\n{}", rows("29")));
    assert_eq!(one, print(&format!("# note\nx,y\n{}", rows("29.0"))));
    assert_ne!(one, print(&format!("x,y\n{}", rows("30"))));
    let folder = folder();
    let path = write(&folder, "t.csv", format!("x,y\n{}", rows("29")).as_bytes());
    let other = load_table(&path, &options("y"), SHARES, 1).unwrap();
    assert_ne!(one, other.description.fingerprint);
}
