//! What the command says about itself.

use clap::{Command, CommandFactory};
use secant_cli::commands::Cli;

use crate::support::{folder, output, refusal, secant, text, write};

/// A command and all below it, with their full names.
fn all(command: &Command, above: &str, found: &mut Vec<(String, Command)>) {
    let name = format!("{above} {}", command.get_name()).trim().to_owned();
    found.push((name.clone(), command.clone()));
    command.get_subcommands().for_each(|below| all(below, &name, found));
}

fn commands() -> Vec<(String, Command)> {
    let mut found = Vec::new();
    all(&Cli::command(), "", &mut found);
    found
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().help_expected(true).debug_assert();
}

#[test]
fn every_command_and_every_option_has_a_help_text() {
    let commands = commands();
    assert!(commands.len() >= 7, "{}", commands.len());
    for (name, command) in commands {
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{name} {}", argument.get_id());
        }
    }
}

#[test]
fn every_help_begins_with_a_sentence_and_shows_the_usage() {
    for (name, _) in commands() {
        let words: Vec<&str> = name.split(' ').skip(1).collect();
        let help = output(secant(&words).arg("--help"));
        assert!(help.contains(&format!("Usage: {name}")), "{help}");
        let first = help.lines().next().unwrap_or_default();
        assert!(first.chars().next().is_some_and(char::is_uppercase), "{name}: {first}");
    }
}

#[test]
fn the_help_of_compare_says_how_it_judges() {
    let compare = output(&mut secant(&["compare", "--help"]));
    assert!(compare.contains("same number of tuning runs"), "{compare}");
}

#[test]
fn the_help_of_minimize_explains_every_status() {
    let said = output(&mut secant(&["minimize", "--help"]));
    // Lines may end within a name.
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for status in secant_lab::minimize::Status::ALL {
        assert!(said.contains(status.name()), "{}: {said}", status.name());
    }
}

#[test]
fn manual_pages_that_cannot_be_written_are_told_with_the_folder() {
    let folder = folder();
    let file = write(&folder, "pages", "mine");
    let told = refusal(&mut secant(&["man", text(&file)]), 1, &folder);
    insta::assert_snapshot!(told, @"secant: cannot write the manual pages into [DIR]/pages: File exists (os error 17); choose another folder");
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(
        output(&mut secant(&["--version"])),
        format!("secant {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn an_optimizer_is_shown_with_the_value_the_range_and_the_meaning_of_every_hyper_parameter() {
    insta::assert_snapshot!(output(&mut secant(&["optimizers", "svrg(decay=l2(0.1))"])), @r"
    svrg: variance-reduced SGD
    Method svrg: 2 vectors of memory, 3 gradients a step; tuning starts at rate 0.1.

    snapshot_every = by the run
        a whole number at least 1.
        Steps between two snapshots; the batches of an epoch are usual.

    barzilai_borwein = false
        true or false.
        Whether rates are chosen by Barzilai and Borwein's formula from the second
        snapshot on.

    decay = l2(0.1)
        one of none | l2(number) | decoupled(number) | stable(number).
        Weight decay.

    Change them as in NAME(key=value, ...), nested as in decay=l2(0.01).
    ");
}

#[test]
fn lists_name_every_optimizer_and_every_problem_in_a_line_each() {
    let optimizers = output(&mut secant(&["optimizers"]));
    for entry in secant::spec::PRESETS {
        let name = format!("{} ", entry.name);
        assert_eq!(optimizers.lines().filter(|line| line.starts_with(&name)).count(), 1, "{name}");
    }
    let problems = output(&mut secant(&["problems"]));
    let texts = secant_lab::language::PROBLEMS.iter().map(|entry| entry.name);
    for name in secant_lab::supervised::CATALOGUE.iter().map(|entry| &*entry.name).chain(texts) {
        let name = format!("{name} ");
        assert_eq!(problems.lines().filter(|line| line.starts_with(&name)).count(), 1, "{name}");
    }
    assert_eq!(problems.matches("(the default)").count(), 1);
}
