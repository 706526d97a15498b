//! The reference subproblems, solved by a dense eigen-decomposition with 50 digits.

use std::path::PathBuf;

use serde_json::Value;

use super::*;
use crate::dense::{DenseProblem, Vector, worse};

/// The traces of all crates; the README there says what they are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../secant-dev/tests/reference");

/// What a trace has under `key`.
fn part<'a, T>(file: &'a Value, key: &str, read: impl Fn(&'a Value) -> Option<T>) -> T {
    read(&file[key]).unwrap_or_else(|| panic!("{}: `{key}` is {}", file["name"], file[key]))
}

fn number(file: &Value, key: &str) -> f64 {
    part(file, key, Value::as_f64)
}

fn text<'a>(file: &'a Value, key: &str) -> &'a str {
    part(file, key, Value::as_str)
}

fn vector(value: &Value) -> Option<Vector> {
    let numbers: Option<Vec<f64>> = value.as_array()?.iter().map(Value::as_f64).collect();
    numbers.map(Vector::from_vec)
}

fn rows(value: &Value) -> Option<Vec<Vector>> {
    value.as_array()?.iter().map(vector).collect()
}

/// The largest of the error measures that the references define.
fn largest_error(file: &Value, solution: &Solution, p: &Vector) -> f64 {
    let number = |key: &str| number(file, key);
    let distance = |key: &str| {
        let reference = part(file, key, vector);
        (p - &reference).norm() / reference.norm().max(f64::MIN_POSITIVE)
    };
    let of_step = match text(file, "unique") {
        "sign" => distance("p").min(distance("p_alt")),
        "subspace" => {
            let basis = part(file, "fixed_basis", rows);
            let fixed: Vector = basis.iter().map(|row| row * row.dot(p)).sum();
            let p_hat = part(file, "p_hat", vector);
            let delta = number("delta");
            worse((p.norm() - delta).abs() / delta, (fixed - p_hat).norm() / delta)
        }
        _ => distance("p"),
    };
    let sigma = number("sigma");
    let of_sigma = (solution.sigma - sigma).abs() / (sigma.abs() + number("norm_b"));
    let value = number("model_value");
    let of_value = (solution.model_value - value).abs() / value.abs().max(f64::MIN_POSITIVE);
    let of_lowest = (solution.lambda_min - number("lambda_min")).abs() / number("norm_b");
    let of_norm = (solution.norm_b - number("norm_b")).abs() / number("norm_b");
    [of_step, of_sigma, of_value, of_lowest, of_norm].into_iter().fold(0.0, worse)
}

fn check(file: &Value) -> f64 {
    let name = text(file, "name");
    let g = part(file, "g", vector);
    let pairs = part(file, "s", rows).into_iter().zip(part(file, "y", rows)).collect();
    let problem = DenseProblem { g, pairs };
    let matrix = problem.build(number(file, "gamma")).expect(name);
    let accepted: Vec<f64> = matrix.accepted().iter().map(|&j| j as f64).collect();
    assert_eq!(Vector::from_vec(accepted), part(file, "accepted", vector), "{name}");

    let (solution, p) = problem.solve(&matrix, number(file, "delta")).expect(name);
    let case = format!("{:?}", solution.case).to_lowercase();
    assert_eq!(case, text(file, "solution"), "{name}");
    let error = largest_error(file, &solution, &p);
    let tolerance = number(file, "tolerance");
    println!(
        "{name}: error {error:.1e} of {tolerance:.1e}, {} iterations",
        solution.newton_iterations
    );
    assert!(error <= tolerance, "{name}: {error:e} > {tolerance:e}");
    error / tolerance
}

#[test]
fn the_step_is_that_of_the_reference_files() {
    let entries = std::fs::read_dir(FOLDER).expect(FOLDER);
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect(FOLDER).path()).collect();
    files.retain(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tr_"))
    });
    files.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).expect("a file that can be read");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let worst = files.iter().map(|path| check(&read(path))).fold(0.0, worse);
    println!("{} files, at most {worst:.2} of the tolerance", files.len());
    assert_eq!(files.len(), 54, "subproblems in {FOLDER}");
}
