//! The traces in `tests/reference`, replayed one by one. The README there says what they are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use secant_dev::trace::{Reference, TraceError, replay, replay_product, replay_subproblem};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference");

/// The traces in a folder, sorted.
fn traces(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of traces");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

/// The name of a trace is that of its file.
fn name(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8")
}

/// Replays every trace of a kind, of which there are `count`: `error` gives what its replay is off
/// and the tolerance in its file, or nothing for other kinds.
fn check(count: usize, error: impl Fn(&Reference) -> Option<(Result<f64, TraceError>, f64)>) {
    let (mut replayed, mut bad) = (0, Vec::new());
    for file in traces(FOLDER.as_ref()) {
        let reference = match Reference::read(&file) {
            Ok(reference) => reference,
            Err(error) => {
                bad.push(error.to_string());
                continue;
            }
        };
        let Some((error, tolerance)) = error(&reference) else { continue };
        replayed += 1;
        let (passes, found) = match error {
            // NaN, where decisions differ, does not pass.
            Ok(error) => (error <= tolerance, format!("error {error:.1e}")),
            Err(error) => (false, error.to_string()),
        };
        let line = format!("{}: {found}, tolerance {tolerance:.1e}", name(&file));
        println!("{line}");
        if !passes {
            bad.push(line);
        }
    }
    assert!(bad.is_empty(), "{} of {replayed} traces fail:\n{}", bad.len(), bad.join("\n"));
    assert_eq!(replayed, count, "traces of this kind in {FOLDER}");
}

#[test]
fn the_steps_of_other_implementations_are_repeated() {
    check(112, |reference| match reference {
        Reference::Steps(trace) => {
            Some((replay(trace).map(|found| found.deviation), trace.tolerance()))
        }
        _ => None,
    });
}

#[test]
fn the_hessian_products_of_another_implementation_are_repeated() {
    check(4, |reference| match reference {
        Reference::Product(trace) => {
            Some((replay_product(trace).map(|found| found.deviation), trace.tolerance()))
        }
        _ => None,
    });
}

#[test]
fn subproblems_are_solved_as_in_50_digit_arithmetic() {
    check(54, |reference| match reference {
        Reference::Subproblem(trace) => {
            Some((replay_subproblem(trace).map(|found| found.deviation), trace.tolerance()))
        }
        _ => None,
    });
}
