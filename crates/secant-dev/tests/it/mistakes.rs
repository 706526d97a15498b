//! Traces that cannot be replayed.

use assert_cmd::Command;

use crate::{
    support::{folder, refusal, secant_dev, text, write},
    trace::BY_HAND,
};

/// What `secant-dev trace` says to this text.
fn trace(contents: &str) -> String {
    let folder = folder();
    let path = write(&folder, "trace.json", contents);
    let said = refusal(&mut secant_dev(&["trace", text(&path)]), 1, &folder);
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn a_trace_that_cannot_be_read_is_told() {
    let folder = folder();
    let mut command: Command = secant_dev(&["trace", text(&folder.path().join("none.json"))]);
    insta::assert_snapshot!(refusal(&mut command, 1, &folder), @"secant-dev: the trace [DIR]/none.json cannot be read: No such file or directory (os error 2)");
    insta::assert_snapshot!(trace(&BY_HAND[..100]), @"secant-dev: the trace [DIR]/trace.json cannot be replayed: EOF while parsing an object at line 3 column 61");
    insta::assert_snapshot!(trace("not JSON"), @"secant-dev: the trace [DIR]/trace.json cannot be replayed: expected ident at line 1 column 2");
}

#[test]
fn a_trace_of_an_unknown_optimizer_is_told_with_those_there_are() {
    let said = trace(&BY_HAND.replace("\"sgd\"", "\"sgdd\""));
    assert!(said.contains("`sgdd`") && said.contains("`sgd`"), "{said}");
}

#[test]
fn a_trace_whose_numbers_do_not_fit_is_told() {
    insta::assert_snapshot!(trace(&BY_HAND.replace("\"steps\": 2", "\"steps\": 3")), @"secant-dev: the trace `by_hand` is not consistent: 3 steps announced, 2 given");
    insta::assert_snapshot!(trace(&BY_HAND.replace("[[2, 2]]", "[[2, 2, 2]]")), @"secant-dev: the trace `by_hand` is not consistent: the parameters of step 1 differ in size from `init`");
}

#[test]
fn a_trace_of_another_kind_is_told() {
    insta::assert_snapshot!(trace("{\"kind\": \"schedule\"}"), @"secant-dev: the trace [DIR]/trace.json is of kind `schedule`; this version replays optimizer traces, which have no kind, Hessian products, of kind `hvp`, and subproblems, of kind `trust_region`");
}
