//! `secant runs` and `secant report` where something is not as it should be.

use std::{fs, path::Path};

use assert_cmd::Command;
use secant_lab::Store;
use tempfile::TempDir;

use crate::support::{folder, names, output, refusal, secant, text, tiny, write};

/// The command in the folder, on the store there.
fn on_store(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = secant(arguments);
    command.current_dir(folder.path()).env("SECANT_STORE", folder.path().join("store.sqlite"));
    command
}

/// A folder with a store that has one comparison, and the folder of its report.
fn compared() -> TempDir {
    let folder = folder();
    let mut command = tiny(&folder.path().join("out"), &["--lr", "0.02", "--seeds", "1"]);
    output(command.env("SECANT_STORE", folder.path().join("store.sqlite")));
    folder
}

#[test]
fn a_store_that_is_not_there_is_told_and_not_made() {
    let folder = folder();
    for arguments in [
        &["runs"][..],
        &["runs", "list"],
        &["runs", "show"],
        &["runs", "check"],
        &["runs", "delete", "abc"],
        &["runs", "export", "--out", "copies"],
        &["report"],
    ] {
        let said = refusal(&mut on_store(&folder, arguments), 2, &folder);
        assert_eq!(
            said,
            "secant: the store [DIR]/store.sqlite is not there; name another file with --store, or make one by \
             `secant compare`"
        );
        assert!(names(folder.path()).is_empty(), "{arguments:?}: {:?}", names(folder.path()));
    }
}

#[test]
fn a_comparison_that_is_not_there_is_a_mistake_of_the_command_line() {
    let folder = folder();
    Store::open(&folder.path().join("store.sqlite")).expect("a store");
    for arguments in [
        &["report"][..],
        &["report", "zz"],
        &["runs", "show", "zz"],
        &["runs", "compare", "zz"],
        &["runs", "delete", "zz"],
        &["runs", "export", "zz", "--out", "copies"],
    ] {
        let said = refusal(&mut on_store(&folder, arguments), 2, &folder);
        assert!(said.contains("has no comparison"), "{said}");
    }
}

#[test]
fn a_date_that_is_none_is_told_and_others_filter() {
    let folder = compared();
    for wrong in ["foo", "2026-11-31", "26.11.2026"] {
        let said = refusal(&mut on_store(&folder, &["runs", "list", "--since", wrong]), 2, &folder);
        let reason = "a date as in 2026-11-26, or a time as in 2026-11-26T12:34:56Z, is wanted";
        assert!(said.ends_with(reason), "{said}");
    }
    let since = |date| output(&mut on_store(&folder, &["runs", "list", "--since", date]));
    assert!(since("2000-02-29").contains("digits/logistic"));
    assert!(since("2000-02-29T12:00:00Z").contains("digits/logistic"));
    assert!(since("9999-12-31").contains("no comparison"));
}

#[test]
fn records_are_exported_to_standard_output_and_folders_are_not() {
    let folder = compared();
    let export =
        |format: &str| on_store(&folder, &["runs", "export", "--out", "-", "--format", format]);
    let records = fs::read_to_string(folder.path().join("out/data.jsonl")).expect("records");
    assert_eq!(output(&mut export("json-lines")), records);
    for format in ["csv", "tensor-board"] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(refusal(&mut export(format), 2, &folder), @"secant: --out - is standard output, which takes --format json-lines alone; name a folder for other formats");
        }
    }
    assert_eq!(names(folder.path()), ["out", "store.sqlite"]);
}

/// What is said to an export to `out`, with the option to replace what is there.
fn replacing(folder: &TempDir, out: &Path) -> String {
    let mut command = on_store(folder, &["runs", "export", "--format", "json-lines", "--force"]);
    refusal(command.arg("--out").arg(out), 2, folder)
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_never_replaced_by_an_export() {
    let folder = compared();
    let file = write(&folder, "file", "mine");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    insta::assert_snapshot!(replacing(&folder, &link), @"secant: [DIR]/link is no regular file, so it was left as it is; choose another place with --out");
    assert!(link.is_symlink() && fs::read(&file).expect("a file") == b"mine");
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    insta::assert_snapshot!(replacing(&folder, &socket), @"secant: [DIR]/socket is no regular file, so it was left as it is; choose another place with --out");
    assert!(!fs::symlink_metadata(&socket).expect("there").is_file());
    // A regular file is what the option is for.
    let mut command = on_store(&folder, &["runs", "export", "--format", "json-lines", "--force"]);
    output(command.args(["--out", text(&file)]));
    assert!(fs::read_to_string(&file).expect("records").starts_with(r#"{"kind":"comparison""#));
}
