//! `secant-dev bench`.

use crate::support::{folder, refusal, secant_dev};

#[test]
fn the_benchmark_of_steps_refuses_methods_that_evaluate_the_loss() {
    let folder = folder();
    let mut command = secant_dev(&["bench", "step", "--methods", "adam,l-bfgs"]);
    insta::assert_snapshot!(refusal(&mut command, 2, &folder), @"error: invalid value 'adam,l-bfgs' for '--methods <LIST>': `l-bfgs` evaluates its loss itself; `secant-dev bench function` times it");
}

#[test]
fn the_benchmark_of_functions_says_which_methods_are_not_for_so_many_numbers() {
    let arguments = ["bench", "function", "--numbers", "20001", "--memory", "1", "--threads", "1"];
    let run =
        |methods: &[&str]| secant_dev(&arguments).args(methods).output().expect("the command runs");
    let all = run(&[]);
    let [out, err] = [&all.stdout, &all.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(all.status.success(), "{err}");
    assert!(err.contains("left out: ss-broyden") && err.lines().count() == 1, "{err}");
    assert!(out.contains("l-bfgs") && !out.contains("ss-broyden"), "{out}");
    // Asked for by name it is an error.
    assert_eq!(run(&["--methods", "ss-broyden"]).status.code(), Some(1));
}
