//! `secant-dev trace` on traces worked out by hand.

use crate::support::{folder, output, secant_dev, text, write};

/// f(x) = x'Ax/2 - b'x with A = [2 1; 1 4], b = (2, 4), from (2, 2) at rate 1/4.
///
/// f(2, 2) = 16 - 12 = 4, gradient (6, 10) - (2, 4) = (4, 6), so x becomes (1, 0.5).
/// f(1, 0.5) = 2 - 4 = -2, gradient (2.5, 3) - (2, 4) = (0.5, -1), so x becomes (0.875, 0.75).
pub const BY_HAND: &str = r#"{
  "name": "by_hand", "dtype": "f64",
  "problem": {"kind": "quadratic", "a": [[2, 1], [1, 4]], "b": [2, 4]},
  "init": [[2, 2]],
  "optimizer": {"name": "sgd", "lr": 0.25, "momentum": 0, "dampening": 0, "nesterov": false, "weight_decay": 0},
  "steps": 2, "tolerance": 1e-12,
  "trace": [
    {"step": 1, "loss": 4, "params": [[1, 0.5]]},
    {"step": 2, "loss": -2, "params": [[0.875, 0.75]]}
  ]
}"#;

#[test]
fn steps_worked_out_by_hand_are_repeated_exactly() {
    let folder = folder();
    for dtype in ["f64", "f32"] {
        let trace = write(&folder, "trace.json", BY_HAND.replace("f64", dtype));
        insta::allow_duplicates! {
            insta::assert_snapshot!(output(&mut secant_dev(&["trace", text(&trace)])), @"ok  by_hand: largest deviation 0.0e0 at step 1 of 2, tolerance 1.0e-12");
        }
    }
}

#[test]
fn emitted_steps_are_lines_of_json() {
    let folder = folder();
    let trace = write(&folder, "trace.json", BY_HAND);
    insta::assert_snapshot!(output(&mut secant_dev(&["trace", "--emit", text(&trace)])), @r#"
    {"step":1,"loss":4.0,"params":[[1.0,0.5]]}
    {"step":2,"loss":-2.0,"params":[[0.875,0.75]]}
    "#);
}

#[test]
fn one_altered_number_is_out_of_tolerance_and_named_by_its_step() {
    let folder = folder();
    let good = write(&folder, "good.json", BY_HAND);
    for (right, wrong) in [("0.875", "0.876"), ("\"loss\": -2", "\"loss\": -2.001")] {
        let bad = write(&folder, "bad.json", BY_HAND.replace(right, wrong));
        // The good one after it does not hide it.
        let mut command = secant_dev(&["trace", text(&bad), text(&good)]);
        let output = command.assert().code(1).get_output().clone();
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with("OUT OF TOLERANCE by_hand: largest deviation "), "{said}");
        assert!(lines[0].contains(" at step 2 of 2, tolerance 1.0e-12"), "{said}");
        assert!(lines[1].starts_with("ok "), "{said}");
    }
}

/// The same f at (2, 2): loss 4, gradient (4, 6), and A (1, -1) = (1, -3).
pub const PRODUCT_BY_HAND: &str = r#"{
  "kind": "hvp", "name": "product_by_hand", "dtype": "f64",
  "problem": {"kind": "quadratic", "a": [[2, 1], [1, 4]], "b": [2, 4]},
  "init": [[2, 2]], "vector": [[1, -1]],
  "loss": 4, "grad": [[4, 6]], "hvp": [[1, -3]], "tolerance": 1e-12
}"#;

#[test]
fn a_hessian_product_worked_out_by_hand_is_repeated_exactly() {
    let folder = folder();
    for dtype in ["f64", "f32"] {
        let trace = write(&folder, "trace.json", PRODUCT_BY_HAND.replace("f64", dtype));
        insta::allow_duplicates! {
            insta::assert_snapshot!(output(&mut secant_dev(&["trace", text(&trace)])), @"ok  product_by_hand: largest deviation 0.0e0, tolerance 1.0e-12");
            insta::assert_snapshot!(output(&mut secant_dev(&["trace", "--emit", text(&trace)])), @r#"{"loss":4.0,"grad":[[4.0,6.0]],"hvp":[[1.0,-3.0]]}"#);
        }
    }
    for (right, wrong) in
        [("[[1, -3]]", "[[1, -3.1]]"), ("[[4, 6]]", "[[4, 7]]"), ("\"loss\": 4", "\"loss\": 5")]
    {
        let bad = write(&folder, "bad.json", PRODUCT_BY_HAND.replacen(right, wrong, 1));
        secant_dev(&["trace", text(&bad)]).assert().code(1);
    }
}
