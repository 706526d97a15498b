use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use rusqlite::Connection;

use super::{testing::*, *};
use crate::record::{Design, Run, Trial};

#[test]
fn a_comparison_comes_back_exactly_and_in_its_own_order() {
    let (_folder, store) = new_store();
    let recorded = recorded(1);
    fill(&store, &recorded, "a");
    assert_eq!(store.comparison(&key(1)).expect("a comparison"), recorded);
    let method = &recorded.design.methods[1];
    assert_eq!(store.trial(&format!("a trial {method} 0")).expect("read"), Some(trial(method, 0)));
    assert_eq!(store.run(&format!("a run {method} 3")).expect("read"), Some(run(method, 3)));
    assert_eq!(store.run(&format!("a trial {method} 0")).expect("read"), None);
    store.check().expect("in order");
    let again = Store::open(store.path()).expect("a store");
    assert_eq!(again.comparison(&key(1)).expect("a comparison"), recorded);
}

#[test]
fn a_comparison_that_begins_again_keeps_its_first_command_and_date() {
    let (_folder, store) = new_store();
    let first = comparison(1);
    store.begin(&first).expect("begun");
    let later = Design { created: "2030-01-01T00:00:00Z".to_string(), ..first.clone() };
    store.begin(&later).expect("begun");
    assert_eq!(store.comparison(&key(1)).expect("a comparison").design, first);
}

#[test]
fn what_is_not_finite_is_refused_with_its_run_still_to_do() {
    let (_folder, store) = new_store();
    let comparison = comparison(1);
    store.begin(&comparison).expect("begun");
    let trial = Trial { lr: f64::NAN, ..trial("adam", 0) };
    let error = claimed(&store, "a").finish_trial(&comparison, &trial).expect_err("no JSON");
    assert!(error.to_string().contains("cannot keep a trial: a number in it is not finite"));
    let mut run = run("adam", 3);
    run.curve[7].seconds = f64::INFINITY;
    claimed(&store, "a").finish_run(&comparison, &run).expect_err("no JSON");
    let run = Run { test: vec![Some(f64::NAN)], ..testing::run("adam", 3) };
    claimed(&store, "a").finish_run(&comparison, &run).expect_err("it would read as nothing");
    claimed(&store, "a");
}

#[test]
fn a_run_is_not_finished_for_a_comparison_that_is_not_there() {
    let (_folder, store) = new_store();
    let error = claimed(&store, "a").finish_run(&comparison(1), &run("adam", 3));
    let error = error.expect_err("no comparison").to_string();
    assert!(error.contains(&format!("has no comparison `{}`", key(1))), "{error}");
    assert_eq!(store.run("a").expect("read"), None);
    claimed(&store, "a");
}

#[test]
fn a_claim_is_held_until_it_is_finished_or_dropped() {
    let (_folder, store) = new_store();
    let other = Store::open(store.path()).expect("a store");
    let comparison = comparison(1);
    store.begin(&comparison).expect("begun");
    let first = claimed(&store, "a");
    for asked in [&store, &other] {
        let claim = asked.claim("a").expect("a claim");
        assert!(matches!(&claim, Claim::Held(by) if by.process == std::process::id()), "{claim:?}");
    }
    drop(first);
    assert_eq!(
        claimed(&other, "a").finish_run(&comparison, &run("adam", 3)).ok(),
        Some(Finish::Kept)
    );
    assert!(matches!(store.claim("a").expect("a claim"), Claim::Finished));
}

#[test]
fn the_first_of_two_that_finish_a_run_stays() {
    let (_folder, store) = new_store();
    let other = Store::open(store.path()).expect("a store");
    let comparison = comparison(1);
    store.begin(&comparison).expect("begun");
    let slow = claimed(&store, "a");
    take_over(&other, "a");
    let first = Run { rejected_steps: 1, ..run("adam", 3) };
    let second = Run { rejected_steps: 2, ..run("adam", 3) };
    assert_eq!(claimed(&other, "a").finish_run(&comparison, &first).ok(), Some(Finish::Kept));
    assert_eq!(slow.finish_run(&comparison, &second).ok(), Some(Finish::AlreadyThere));
    assert_eq!(store.run("a").expect("read"), Some(first));
}

#[test]
fn who_lost_a_claim_does_not_give_back_that_of_another() {
    let (_folder, store) = new_store();
    let other = Store::open(store.path()).expect("a store");
    let lost = claimed(&store, "a");
    take_over(&other, "a");
    let taken = claimed(&other, "a");
    drop(lost);
    assert!(matches!(store.claim("a").expect("a claim"), Claim::Held(_)));
    drop(taken);
}

/// Removes the claim, as if its heartbeats had been missing.
fn take_over(store: &Store, run: &str) {
    let deleted = store
        .write(|transaction| Ok(transaction.execute("DELETE FROM claims WHERE run = ?1", [run])?));
    assert_eq!(deleted.expect("written"), 1);
}

#[test]
fn many_threads_with_one_store_and_with_many_do_each_run_once() {
    let (_folder, shared) = new_store();
    let comparison = comparison(1);
    shared.begin(&comparison).expect("begun");
    let executed = AtomicUsize::new(0);
    let work = |store: &Store| {
        let mut open: Vec<u64> = (0..30).collect();
        while !open.is_empty() {
            open.retain(|seed| match store.claim(&format!("run {seed}")).expect("a claim") {
                Claim::Finished => false,
                Claim::Held(_) => true,
                Claim::Yours(claimed) => {
                    executed.fetch_add(1, Ordering::Relaxed);
                    let finish = claimed.finish_run(&comparison, &run("adam", *seed));
                    assert_eq!(finish.expect("finished"), Finish::Kept);
                    false
                }
            });
        }
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| work(&shared));
            scope.spawn(|| work(&Store::open(shared.path()).expect("a store")));
        }
    });
    assert_eq!(executed.into_inner(), 30);
    assert_eq!(shared.comparison(&key(1)).expect("a comparison").runs.len(), 30);
    shared.check().expect("in order");
}

#[test]
fn many_threads_may_make_one_new_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/down/store.sqlite");
    thread::scope(|scope| {
        for n in 0..8 {
            let path = &path;
            scope.spawn(move || {
                Store::open(path).and_then(|store| store.begin(&comparison(n))).expect("begun")
            });
        }
    });
    let store = Store::open(&path).expect("a store");
    assert_eq!(store.list(&Filter::default()).expect("a list").len(), 8);
}

#[test]
fn a_run_serves_other_comparisons_under_their_names_and_numbers() {
    let (_folder, store) = new_store();
    fill(&store, &recorded(1), "a");
    let other = Design { methods: vec!["adam()".to_string()], ..comparison(2) };
    store.begin(&other).expect("begun");
    for _ in 0..2 {
        store.link_run(&other.key, "a run adam 3", "adam()").expect("linked");
        store.link_trial(&other.key, "a trial adam 0", "adam()", 7).expect("linked");
    }
    let found = store.comparison(&other.key).expect("a comparison");
    assert_eq!(found.runs, [Run { method: "adam()".to_string(), ..run("adam", 3) }]);
    let renamed = Trial { method: "adam()".to_string(), number: 7, ..trial("adam", 0) };
    assert_eq!(found.trials, [renamed]);
    assert_eq!(store.comparison(&key(1)).expect("a comparison"), recorded(1));
    let error = store.link_run(&other.key, "b", "adam()").expect_err("no run").to_string();
    assert!(error.contains("has no finished run `b`"), "{error}");
}

#[test]
fn deleting_a_comparison_keeps_the_runs_that_another_has() {
    let (_folder, store) = new_store();
    fill(&store, &recorded(1), "a");
    let other = comparison(2);
    store.begin(&other).expect("begun");
    store.link_run(&other.key, "a run adam 3", "adam").expect("linked");
    assert_eq!(store.delete(&key(1)).expect("deleted"), Deleted { trials: 3, runs: 2 });
    assert_eq!(store.comparison(&other.key).expect("a comparison").runs, [run("adam", 3)]);
    store.check().expect("in order");
    assert_eq!(store.delete(&key(2)).expect("deleted"), Deleted { trials: 0, runs: 1 });
    assert_eq!(store.run("a run adam 3").expect("read"), None);
    let error = store.delete(&key(2)).expect_err("none is there").to_string();
    assert!(error.contains("`secant runs` lists those it has"), "{error}");
}

#[test]
fn a_comparison_is_found_by_the_beginning_of_its_key() {
    let (_folder, store) = new_store();
    for key in ["abcd1", "abcd2", "abc"] {
        let comparison = Design { key: key.to_string(), ..comparison(1) };
        store.begin(&comparison).expect("begun");
    }
    let found = |key: &str| store.comparison(key).map(|found| found.design.key);
    assert_eq!(found("ABCD1").expect("one"), "abcd1");
    assert_eq!(found("abc").expect("that itself"), "abc");
    let error = found("abcd").expect_err("two").to_string();
    assert!(
        error.contains("has 2 comparisons whose key begins with `abcd`, abcd1 and abcd2"),
        "{error}"
    );
    assert!(matches!(found("%").expect_err("none").fault, Fault::NoComparison { .. }));
}

#[test]
fn step_times_of_a_quiet_machine_go_before_later_ones_of_a_busy_one() {
    let (_folder, store) = new_store();
    store.begin(&comparison(1)).expect("begun");
    let rounds = [(1.0, true), (2.0, false), (3.0, false), (4.0, true)];
    for (seconds, busy) in rounds {
        store.add_step_times(&key(1), &[step_time("adam", seconds, busy)]).expect("added");
    }
    let found = store.comparison(&key(1)).expect("a comparison").step_times;
    assert_eq!(found, [step_time("adam", 3.0, false)]);
}

#[test]
fn a_list_has_the_newest_first_with_what_is_finished_and_the_best() {
    let (_folder, store) = new_store();
    let mut second = recorded(2);
    second.runs[0].test[1] = Some(0.95);
    fill(&store, &recorded(1), "a");
    fill(&store, &second, "b");
    let list = store.list(&Filter::default()).expect("a list");
    assert_eq!(list.iter().map(|one| one.key.clone()).collect::<Vec<_>>(), [key(2), key(1)]);
    let Listed { trials, least_trials, runs, all_runs, best, .. } = &list[0];
    assert_eq!((*trials, *least_trials, *runs, *all_runs), (3, 4, 3, 4));
    let best = best.clone().expect("a best method");
    assert_eq!((best.method.as_str(), best.runs), ("mb-lsr1(memory=8,delta0=0.01)", 1));
    assert_eq!((best.metric.as_str(), best.mean), ("balanced accuracy", 0.95));
}

#[test]
fn a_method_with_a_run_that_did_not_train_is_not_the_best() {
    let (_folder, store) = new_store();
    let mut recorded = recorded(1);
    recorded.runs[0].test[1] = Some(0.95);
    recorded.runs[0].trained = false;
    fill(&store, &recorded, "a");
    let best = store.list(&Filter::default()).expect("a list").remove(0).best;
    assert_eq!(best.expect("a best method").method, "adam");
}

#[test]
fn a_list_is_filtered_by_problem_method_and_date() {
    let (_folder, store) = new_store();
    store.begin(&comparison(1)).expect("begun");
    let other = Design {
        problem: "digits/cnn".to_string(),
        methods: vec!["sgd".to_string()],
        ..comparison(9)
    };
    store.begin(&other).expect("begun");
    let some = |text: &str| Some(text.to_string());
    let of_problem = |text| Filter { problem: some(text), ..Filter::default() };
    let of_method = |text| Filter { method: some(text), ..Filter::default() };
    let since = |text| Filter { since: some(text), ..Filter::default() };
    let cases = [
        (of_problem("digits"), vec![key(9)]),
        (of_problem("%"), vec![]),
        (of_method("mb-lsr1"), vec![key(1)]),
        (of_method("mb-lsr1(memory=8,delta0=0.01)"), vec![key(1)]),
        (of_method("mb-lsr"), vec![]),
        (since("2026-11-02"), vec![key(9), key(1)]),
        (since("2026-11-02T12:34:57Z"), vec![key(9)]),
    ];
    for (filter, expected) in cases {
        let list = store.list(&filter).expect("a list");
        let keys: Vec<String> = list.into_iter().map(|one| one.key).collect();
        assert_eq!(keys, expected, "{filter:?}");
    }
}

#[test]
fn the_history_says_when_and_where_each_run_was_made() {
    let (_folder, store) = new_store();
    fill(&store, &recorded(1), "a");
    let history = store.history(&key(1)[..12]).expect("a history");
    assert_eq!(history.len(), 6);
    let first = &history[0];
    assert_eq!(
        (first.run.as_str(), first.kind),
        (format!("a run adam {}", u64::MAX).as_str(), Kind::Run)
    );
    assert_eq!(first.machine, comparison(1).machine);
    assert!(first.seconds >= 0.0 && first.finished <= store.now().expect("a time"));
    assert_eq!(history[5].kind, Kind::Trial);
}

#[test]
fn a_checkpoint_lasts_until_its_run_is_finished_or_its_comparison_deleted() {
    let (_folder, store) = new_store();
    let design = comparison(1);
    store.begin(&design).expect("begun");
    let kept = |name: &str| claimed(&store, name).kept().expect("read");
    claimed(&store, "first").keep(&design.key, b"one").expect("kept");
    claimed(&store, "second").keep(&design.key, b"two").expect("kept");
    assert_eq!(kept("first").as_deref(), Some(&b"one"[..]));
    let first = claimed(&store, "first");
    first.keep(&design.key, b"further").expect("kept");
    assert_eq!(first.kept().expect("read").as_deref(), Some(&b"further"[..]));
    first.finish_run(&design, &run("adam", 1)).expect("finished");
    let counted = |store: &Store| -> i64 {
        let count = "SELECT count(*) FROM checkpoints";
        let connection = Connection::open(store.path()).expect("a database");
        connection.query_one(count, [], |row| row.get(0)).expect("a count")
    };
    assert_eq!(counted(&store), 1);
    store.delete(&design.key).expect("deleted");
    assert_eq!(counted(&store), 0);
}

#[test]
fn a_store_of_the_first_format_is_brought_to_the_present_one() {
    let (_folder, store) = new_store();
    store.begin(&comparison(1)).expect("begun");
    let path = store.path().to_owned();
    drop(store);
    let connection = Connection::open(&path).expect("a database");
    connection.execute_batch("DROP TABLE checkpoints").expect("dropped");
    connection.pragma_update(None, "user_version", 1).expect("written");
    drop(connection);
    let store = Store::open(&path).expect("a store");
    claimed(&store, "first").keep(&comparison(1).key, b"one").expect("kept");
    assert_eq!(store.list(&Filter::default()).expect("a list").len(), 1);
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let (_folder, store) = new_store();
    let path = store.path().to_owned();
    drop(store);
    let connection = Connection::open(&path).expect("a database");
    connection.pragma_update(None, "user_version", 3).expect("written");
    drop(connection);
    let error = Store::open(&path).expect_err("newer").to_string();
    assert!(
        error.contains("was written by a newer secant (its format is 3, this one knows 2)"),
        "{error}"
    );
}

#[test]
fn a_file_of_something_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("notes.txt");
    fs::write(&text, "my notes\n".repeat(100)).expect("a file");
    let short = folder.path().join("short.txt");
    fs::write(&short, "note").expect("a file");
    let database = folder.path().join("other.sqlite");
    let connection = Connection::open(&database).expect("a database");
    connection.execute_batch("CREATE TABLE a (b); PRAGMA user_version = 1").expect("a table");
    drop(connection);
    for path in [text, short, database] {
        let before = fs::read(&path).expect("a file");
        let error = Store::open(&path).expect_err("not a store").to_string();
        assert!(error.contains("is a file of something else, and was left as it is"), "{error}");
        assert_eq!(fs::read(&path).expect("a file"), before);
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 3);
}

#[test]
fn a_folder_or_a_place_that_cannot_be_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Store::open(folder.path()).expect_err("a folder").to_string();
    assert!(error.contains("cannot be opened: it is a folder; choose another file"), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    let error = Store::open(&file.join("store.sqlite")).expect_err("no folder").to_string();
    assert!(error.contains("--store"), "{error}");
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.sqlite");
    fs::write(&path, "").expect("a file");
    Store::open(&path).expect("a store").begin(&comparison(1)).expect("begun");
}

#[test]
fn a_full_disk_is_said_and_what_was_finished_stays() {
    let (_folder, store) = new_store();
    fill(&store, &recorded(1), "a");
    let pages = |connection: &Transaction<'_>| {
        let count: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        Ok(connection.pragma_update_and_check(None, "max_page_count", count, |_| Ok(()))?)
    };
    store.write(pages).expect("limited");
    let mut large = run("sgd", 1);
    large.trust_region = (0..20_000).map(region_step).collect();
    let error = claimed(&store, "b").finish_run(&comparison(1), &large);
    let error = error.expect_err("no room").to_string();
    assert!(error.contains("cannot grow: the disk is full"), "{error}");
    assert_eq!(store.comparison(&key(1)).expect("a comparison"), recorded(1));
    store.check().expect("in order");
}

#[test]
fn a_store_that_cannot_be_written_says_so() {
    let (_folder, store) = new_store();
    store.read(|view| Ok(view.pragma_update(None, "query_only", true)?)).expect("set");
    let error = store.begin(&comparison(1)).expect_err("read-only").to_string();
    assert!(error.contains("cannot be written: it is read-only"), "{error}");
}

#[test]
fn a_record_that_was_changed_is_found_by_the_check() {
    let (_folder, store) = new_store();
    fill(&store, &recorded(1), "a");
    let change = "UPDATE runs SET details = zeroblob(10) WHERE key = 'a run adam 3'";
    store.write(|transaction| Ok(transaction.execute(change, [])?)).expect("changed");
    let error = store.check().expect_err("changed").to_string();
    assert!(error.contains("has a run a run adam 3 that this secant cannot read"), "{error}");
}

#[test]
fn a_damaged_file_is_found_by_the_check() {
    let (_folder, store) = new_store();
    for n in 0..50 {
        fill(&store, &recorded(n), &n.to_string());
    }
    let path = store.path().to_owned();
    drop(store);
    let mut bytes = fs::read(&path).expect("a file");
    let half = bytes.len() / 2 / 4096 * 4096;
    bytes[half..half + 8192].fill(0x5a);
    fs::write(&path, bytes).expect("written");
    let error =
        Store::open(&path).and_then(|store| store.check()).expect_err("damaged").to_string();
    assert!(error.contains("is damaged") && error.contains("backup"), "{error}");
}

#[test]
fn a_list_of_a_damaged_file_says_so_and_not_that_there_are_no_runs() {
    let (_folder, store) = new_store();
    fill(&store, &recorded(1), "a");
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'comparison_runs'";
    let root = store.read(|view| Ok(view.query_one(root, [], |row| row.get::<_, usize>(0))?));
    let (root, path) = (root.expect("a page"), store.path().to_owned());
    drop(store);
    let mut bytes = fs::read(&path).expect("a file");
    // SQLite fills its pages from the end.
    bytes[4096 * root - 2048..4096 * root].fill(0);
    fs::write(&path, bytes).expect("written");
    let listed = Store::open(&path).and_then(|store| store.list(&Filter::default()));
    let error = listed.expect_err("damaged").to_string();
    assert!(error.contains("is damaged") && error.contains("backup"), "{error}");
}

#[test]
fn of_step_times_that_belong_together_all_are_written_or_none() {
    let (_folder, store) = new_store();
    store.begin(&comparison(1)).expect("begun");
    let times = [step_time("adam", 0.1, false), step_time("sgd", f64::NAN, false)];
    store.add_step_times(&key(1), &times).expect_err("no JSON");
    assert_eq!(store.comparison(&key(1)).expect("a comparison").step_times, []);
}
