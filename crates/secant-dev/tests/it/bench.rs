//! `secant-dev bench`.

use crate::support::{folder, refusal, secant_dev};

#[test]
fn the_benchmark_of_steps_refuses_methods_that_evaluate_the_loss() {
    let folder = folder();
    let mut command = secant_dev(&["bench", "step", "--methods", "adam,l-bfgs"]);
    insta::assert_snapshot!(refusal(&mut command, 2, &folder), @"error: invalid value 'adam,l-bfgs' for '--methods <LIST>': `l-bfgs` evaluates its loss itself; `secant-dev bench function` times it");
}
