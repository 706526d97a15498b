//! The reference subproblems, solved by a dense eigen-decomposition with 50 digits.

use std::path::PathBuf;

use serde_json::Value;

use super::*;
use crate::dense::{DenseProblem, Vector, worse};

/// The traces of all crates; the README there says what they are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../secant-dev/tests/reference");

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn rows(value: &Value) -> Vec<Vector> {
    value.as_array().unwrap().iter().map(|row| Vector::from_vec(numbers(row))).collect()
}

/// The largest of the error measures that the references define.
fn largest_error(file: &Value, solution: &Solution, p: &Vector) -> f64 {
    let number = |key: &str| file[key].as_f64().unwrap();
    let distance = |key: &str| {
        let reference = Vector::from_vec(numbers(&file[key]));
        (p - &reference).norm() / reference.norm().max(f64::MIN_POSITIVE)
    };
    let of_step = match file["unique"].as_str().unwrap() {
        "sign" => distance("p").min(distance("p_alt")),
        "subspace" => {
            let basis = rows(&file["fixed_basis"]);
            let fixed: Vector = basis.iter().map(|row| row * row.dot(p)).sum();
            let p_hat = Vector::from_vec(numbers(&file["p_hat"]));
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
    let name = file["name"].as_str().unwrap();
    let g = Vector::from_vec(numbers(&file["g"]));
    let pairs = rows(&file["s"]).into_iter().zip(rows(&file["y"])).collect();
    let problem = DenseProblem { g, pairs };
    let matrix = problem.build(file["gamma"].as_f64().unwrap()).unwrap();
    let accepted: Vec<f64> = matrix.accepted().iter().map(|&j| j as f64).collect();
    assert_eq!(accepted, numbers(&file["accepted"]), "{name}");

    let (solution, p) = problem.solve(&matrix, file["delta"].as_f64().unwrap()).unwrap();
    let case = format!("{:?}", solution.case).to_lowercase();
    assert_eq!(case, file["solution"].as_str().unwrap(), "{name}");
    let error = largest_error(file, &solution, &p);
    let tolerance = file["tolerance"].as_f64().unwrap();
    println!(
        "{name}: error {error:.1e} of {tolerance:.1e}, {} iterations",
        solution.newton_iterations
    );
    assert!(error <= tolerance, "{name}: {error:e} > {tolerance:e}");
    error / tolerance
}

#[test]
fn the_step_is_that_of_the_reference_files() {
    let entries = std::fs::read_dir(FOLDER).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tr_"))
    });
    files.sort();
    let read =
        |path: &PathBuf| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let worst = files.iter().map(|path| check(&read(path))).fold(0.0, worse);
    println!("{} files, at most {worst:.2} of the tolerance", files.len());
    assert_eq!(files.len(), 54, "subproblems in {FOLDER}");
}
