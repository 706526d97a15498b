//! Tests of how the table reader takes the column that is to be learned.

use super::*;

#[test]
fn targets_that_are_infinite_or_not_a_number_are_called_so() {
    for (cell, told) in [("inf", "infinite"), ("nan", "not a number"), ("", "empty")] {
        let message = message(&format!("x,y\n1,2.5\n2,{cell}\n3,3.5\n"), "y");
        assert!(message.contains("no value to learn in line 3"), "{message}");
        assert!(message.contains(&format!("{told}; fill or remove")), "{message}");
    }
}

#[test]
fn a_regression_whose_numbers_cannot_be_squared_is_refused() {
    let read = |size: &str| {
        let rows: String = (0..30).map(|i| format!("{i},{i}.5{size}\n")).collect();
        load(&format!("x,price\n{rows}"), &options("price")).map_err(|error| error.to_string())
    };
    let large = read("e160").unwrap_err();
    assert!(large.contains("the target 'price' of ") && large.contains("too large"), "{large}");
    assert!(large.contains("divide the column"), "{large}");
    let small = read("e-170").unwrap_err();
    assert!(small.contains("too small") && small.contains("multiply the column"), "{small}");
    assert!(read("e140").is_ok() && read("e-140").is_ok());
}

#[test]
fn a_number_to_be_learned_beyond_double_precision_is_refused_with_its_line() {
    let message = message("x,y\n1,2.5\n2,1e400\n3,3.5\n4,0.5\n", "y");
    assert!(message.starts_with("'1e400' in the target column 'y', line 3 of "), "{message}");
    assert!(message.contains("divide the column, or choose classification"), "{message}");
}

#[test]
fn whole_numbers_of_many_digits_are_counted_as_they_are_written() {
    let long = format!("1{}", "0".repeat(400));
    let cell =
        |i: usize| [long.clone(), format!("{long}1"), "9007199254740993".to_owned()][i % 3].clone();
    let rows: String = (0..30).map(|i| format!("{i},{}\n", cell(i))).collect();
    let loaded = load(&format!("x,y\n{rows}"), &options("y")).unwrap();
    let decision = &loaded.description.preprocessing[0];
    assert!(decision.ends_with("30 records with 3 different whole numbers"), "{decision}");
    assert_eq!(loaded.splits.train.targets.class_names().len(), 3);
}

#[test]
fn a_class_that_an_arff_file_does_not_declare_is_told() {
    let text =
        "@relation r\n@attribute x real\n@attribute class {a,b}\n@data\n1,a\n2,b\n3,z\n4,z\n";
    assert_eq!(encoded(text, "class").targets.class_names(), ["a", "b", "z"]);
    let said = warnings(text, "class");
    assert!(
        said[0].starts_with(
            "the target 'class': 2 of 4 cells are none of the declared values, such as 'z' in line 7"
        ),
        "{said:?}"
    );
    assert_eq!(warnings(&text.replace('z', "b"), "class"), Vec::<String>::new());
}

#[test]
fn a_comma_in_a_number_to_be_learned_that_can_mean_two_things_is_told() {
    let rows: String = (0..30).map(|i| format!("{i};{},{}\n", 1 + i, 100 + 7 * i)).collect();
    let said = warnings(&format!("x;price\n{rows}"), "price");
    let line = "the target 'price' does not show whether a point or a comma stands before the \
        fraction: '1,100' was read as 1.1";
    assert!(said.contains(&line.to_owned()), "{said:?}");
}
