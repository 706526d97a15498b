//! `secant minimize` from outside.

use std::fs;

use crate::real_data::real;
use crate::support::{folder, names, output, refusal, secant, text, write};

/// The table of a command, seconds left out.
fn table(arguments: &[&str], code: i32) -> String {
    let mut command = secant(&["minimize"]);
    let output = command.args(arguments).assert().code(code).get_output().clone();
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let heading = said.lines().next().expect("a heading");
    let end = heading.find("seconds").expect("seconds") + "seconds".len();
    let cut = |line: &str| {
        let letters: Vec<char> = line.chars().collect();
        let kept = letters[..end - "seconds".len()].iter().chain(&letters[end + 2..]);
        kept.collect::<String>().trim_end().to_owned()
    };
    said.lines().map(cut).collect::<Vec<_>>().join("\n")
}

/// The numbers of `key` in lines of JSON.
fn numbers(said: &str, key: &str) -> Vec<f64> {
    let number = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
        record[key].as_f64().expect("a number")
    };
    said.lines().map(number).collect()
}

#[test]
fn every_method_has_a_line_in_the_order_given() {
    let arguments = ["rosenbrock", "--methods", "o-lbfgs,l-bfgs,sgd", "--max-evaluations", "700"];
    insta::assert_snapshot!(table(&arguments, 1), @r"
    method   status       rate  evaluations  products  steps           f  |g|/|g0|
    ───────  ──────────  ─────  ───────────  ────────  ─────  ──────────  ────────
    o-lbfgs  reached       0.1          604         0    302    2.62e-11    9.4e-7
    l-bfgs   reached         1           44         0     35    5.33e-11    5.4e-7
    sgd      unfinished  0.001          700         0    700  1.31986220    9.5e-3
    ");
}

#[test]
fn l_bfgs_finds_the_minima_of_all_embedded_problems() {
    for problem in ["rosenbrock", "beale", "quadratic"] {
        let mut command = secant(&["minimize", problem, "--json", "--tolerance", "1e-9"]);
        let said = output(&mut command);
        // f - 0 is about |g|^2 by the least eigenvalue, here 0.3 or more, and |g| started below 1e5.
        assert!(numbers(&said, "f")[0] < 1e-7, "{said}");
        assert!(numbers(&said, "relative_gradient_norm")[0] <= 1e-9, "{said}");
    }
    let said = output(&mut secant(&["minimize", "rastrigin", "--start", "1.1,-0.1", "--json"]));
    // The local minimum beside (1, 0).
    assert!((numbers(&said, "f")[0] - 0.994_959_057).abs() < 1e-6, "{said}");
}

#[test]
fn a_json_line_has_the_keys_that_the_benchmark_reads() {
    let said = output(&mut secant(&["minimize", "beale", "--method", "l-bfgs", "--json"]));
    for key in ["evaluations", "iterations", "relative_gradient_norm", "f", "seconds"] {
        assert_eq!(numbers(&said, key).len(), 1, "{said}");
    }
    assert_eq!(numbers(&said, "f"), numbers(&said, "value"));
}

#[test]
fn hessian_products_are_counted_and_adam_at_a_rate_reaches_the_tolerance() {
    let arguments = ["quadratic", "--dimension", "3", "--condition", "4", "--lr", "0.1", "--json"];
    let said = output(secant(&["minimize"]).args(arguments).args(["--methods", "adahessian,adam"]));
    let products = numbers(&said, "hessian_products");
    assert!(products[0] > 0.0 && products[1] == 0.0, "{said}");
}

#[test]
fn a_start_with_a_gradient_of_zero_is_the_end() {
    let said = output(&mut secant(&["minimize", "rosenbrock", "--start", "1,1", "--json"]));
    assert_eq!((numbers(&said, "evaluations"), numbers(&said, "f")), (vec![1.0], vec![0.0]));
}

#[test]
fn a_start_that_overflows_is_not_finite_and_no_success() {
    for (problem, more) in [
        ("rosenbrock", ["--start", "1e160,1"]),
        ("rosenbrock", ["--start", "1e60,1"]),
        ("beale", ["--start", "1e60,1e60"]),
        ("quadratic", ["--condition", "1e155"]),
    ] {
        let mut command = secant(&["minimize", problem, "--methods", "l-bfgs,adam,sgd", "--json"]);
        let ended = command.args(more).assert().code(1).get_output().clone();
        let said = String::from_utf8(ended.stdout).expect("UTF-8");
        assert_eq!(said.matches(r#""status":"not finite""#).count(), 3, "{said}");
    }
}

const RECORDS: &str = "1 1:1 2:0.5\n2 2:-1\n1 1:0.3 3:2\n2 1:-1 3:0.2\n2 3:0.4\n";

#[test]
fn at_a_tolerance_of_zero_methods_that_search_end_where_nothing_can_be_gained() {
    let folder = folder();
    let path = write(&folder, "records", RECORDS);
    let mut command = secant(&["minimize", "logistic", "--tolerance", "0", "--json", "--libsvm"]);
    let command = command.arg(&path).args(["--methods", "l-bfgs,mb-lsr1,l-ssr1-tr"]);
    let said = command.output().expect("it runs").stdout;
    let said = String::from_utf8(said).expect("UTF-8");
    // Each is at the minimum within some tens of evaluations; the most allowed are ten thousand.
    assert!(numbers(&said, "evaluations").iter().all(|count| *count < 500.0), "{said}");
    assert!(numbers(&said, "relative_gradient_norm").iter().all(|norm| *norm < 1e-12), "{said}");
    assert!(said.lines().count() == 3 && !said.contains("unfinished"), "{said}");
}

#[test]
fn logistic_regression_is_the_same_with_one_thread_and_two() {
    let folder = folder();
    let path = write(&folder, "records", RECORDS);
    let said = |threads: &str| {
        let arguments = ["minimize", "logistic", "--json", "--threads", threads, "--libsvm"];
        let said = output(secant(&arguments).arg(&path));
        (numbers(&said, "f")[0].to_bits(), numbers(&said, "gradient_norm")[0].to_bits())
    };
    assert_eq!(said("1"), said("2"));
}

#[test]
#[ignore = "needs libsvm/a9a.gz in SECANT_DATA"]
fn real_records_are_fitted_to_the_optimum_of_newtons_method() {
    let path = real("libsvm/a9a.gz");
    let methods = ["--methods", "l-bfgs,mb-lsr1,l-ssr1-tr"];
    let arguments = ["minimize", "logistic", "--json", "--libsvm"];
    let said = output(secant(&arguments).arg(&path).args(methods));
    // From Newton's method in `benches/minimize_peers.py`. f is above it by less than |g|^2 by l2,
    // (1e-6 |g0|)^2 32561, |g0| near 0.5.
    let values = numbers(&said, "f");
    assert!(values.iter().all(|f| (f - 0.323_379_58).abs() < 2e-8), "{said}");
    assert!(
        values.len() == 3 && numbers(&said, "gradient_norm").iter().all(|g| *g <= 1e-6),
        "{said}"
    );
}

#[test]
fn a_picture_is_one_svg_file() {
    let folder = folder();
    let path = folder.path().join("paths.svg");
    let mut command = secant(&["minimize", "beale", "--picture", text(&path)]);
    command.args(["--methods", "l-bfgs,adam"]).assert().success();
    assert_eq!(names(folder.path()), ["paths.svg"]);
    let svg = fs::read_to_string(&path).expect("a picture");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
    assert!(svg.contains("adam") && svg.contains("minimum"), "{svg}");
}

#[test]
fn a_place_where_no_picture_can_be_is_told_before_any_run() {
    let folder = folder();
    let said = |path: &str| {
        let mut command = secant(&["minimize", "beale", "--picture"]);
        refusal(command.arg(folder.path().join(path)), 1, &folder)
    };
    // A refusal prints no table.
    insta::assert_snapshot!(said("none/p.svg"), @"secant: cannot write [DIR]/none/p.svg: No such file or directory (os error 2); choose another file with --picture");
    fs::create_dir(folder.path().join("p.svg")).expect("a folder");
    insta::assert_snapshot!(said("p.svg"), @"secant: cannot write [DIR]/p.svg: is a directory; choose another file with --picture");
}

/// What the command says to a mistake.
fn mistake(arguments: &[&str], code: i32) -> String {
    refusal(secant(&["minimize"]).args(arguments), code, &folder())
}

#[test]
fn mistakes_on_the_command_line_are_told() {
    insta::assert_snapshot!(mistake(&["rosenbrok"], 2), @"error: invalid value 'rosenbrok' for '<PROBLEM>': there is no problem `rosenbrok` to minimize; did you mean `rosenbrock`?");
    insta::assert_snapshot!(mistake(&["rosenbrock", "--start", "1,NaN"], 2), @"error: invalid value 'NaN' for '--start <NUMBERS>': finite numbers separated by commas are wanted");
    insta::assert_snapshot!(mistake(&["rosenbrock", "--start", "-1,1,2"], 2), @"secant: --start has 3 numbers, but rosenbrock has 2");
    insta::assert_snapshot!(mistake(&["rosenbrock", "--dimension", "1"], 2), @"secant: rosenbrock has a --dimension of at least 2");
    insta::assert_snapshot!(mistake(&["beale", "--dimension", "3"], 2), @"secant: beale has no --dimension; leave it out");
    insta::assert_snapshot!(mistake(&["beale", "--methods", "sgd,adam,sgd"], 2), @"secant: --methods names `sgd` twice; name it once");
    insta::assert_snapshot!(mistake(&["beale", "--tolerance", "-1"], 2), @"error: invalid value '-1' for '--tolerance <NUMBER>': a tolerance is a number from 0 and below 1");
    insta::assert_snapshot!(mistake(&["beale", "--picture", "a.png"], 2), @"error: invalid value 'a.png' for '--picture <FILE.svg>': pictures are written as SVG only; give a name that ends in .svg");
    insta::assert_snapshot!(mistake(&["rosenbrock", "--dimension", "3", "--picture", "a.svg"], 2), @"secant: --picture can show problems of dimension 2 only; leave it out, or use --dimension 2");
    insta::assert_snapshot!(mistake(&["logistic"], 2), @"secant: logistic needs a file; give one with --libsvm");
    insta::assert_snapshot!(mistake(&["logistic", "--l2", "-1"], 2), @"error: invalid value '-1' for '--l2 <auto|NUMBER>': `auto` or a finite number from 0 is wanted");
    insta::assert_snapshot!(mistake(&["quadratic", "--condition", "0.5"], 2), @"error: invalid value '0.5' for '--condition <NUMBER>': a condition is a finite number from 1");
    insta::assert_snapshot!(mistake(&["logistic", "--libsvm", "/none/a9a"], 1), @"secant: cannot read /none/a9a: No such file or directory (os error 2); check that the file is there and may be read");
}

#[test]
fn records_that_are_not_of_two_classes_are_told() {
    let folder = folder();
    let path = write(&folder, "records", "1 1:1\n2 1:2\n3 1:3\n");
    let mut command = secant(&["minimize", "logistic", "--libsvm", text(&path)]);
    insta::assert_snapshot!(refusal(&mut command, 1, &folder), @"secant: [DIR]/records has labels of more than two classes; give a file of two");
}
