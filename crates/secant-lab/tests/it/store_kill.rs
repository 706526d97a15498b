//! Two processes work on the runs of one store and are killed at any moment.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use secant_lab::{
    Budget, Direction, Metric, Range, Store,
    record::{Design, Point, Run, Trial},
    store::{Claim, Claimed, Finish, Recorded},
};

const TRIALS: u64 = 10;
/// Trials included.
const RUNS: u64 = 20;
const KILLS: usize = 100;

/// Names the folder that a process works in.
const FOLDER: &str = "SECANT_STORE_KILL_FOLDER";

/// Also what the processes of the other test do, each until it is killed.
#[test]
fn a_process_finishes_every_run() {
    match std::env::var_os(FOLDER) {
        Some(folder) => work(Path::new(&folder)),
        None => {
            let folder = tempfile::tempdir().expect("a folder");
            work(folder.path());
            assert_eq!(finished(folder.path()).len() as u64, RUNS);
            check_journal(folder.path());
        }
    }
}

#[test]
fn killed_at_any_moment_nothing_that_was_finished_is_lost_or_done_twice() {
    let undisturbed = tempfile::tempdir().expect("a folder");
    work(undisturbed.path());
    let expected = records(undisturbed.path());
    assert_eq!(expected.trials.len() + expected.runs.len(), RUNS as usize);
    let mut random = Random(20_261_126);
    let mut kills = 0;
    while kills < KILLS {
        let folder = tempfile::tempdir().expect("a folder");
        kills += disturb(folder.path(), &mut random, KILLS - kills);
        check_journal(folder.path());
        assert_eq!(records(folder.path()), expected, "after {kills} kills");
    }
    assert_eq!(kills, KILLS);
}

/// Lets two processes do all runs, kills one or both at `most` moments at most, and tells how many.
fn disturb(folder: &Path, random: &mut Random, most: usize) -> usize {
    let mut workers = [spawn(folder), spawn(folder)];
    let mut done = BTreeSet::new();
    let mut kills = 0;
    while kills < most && (done.len() as u64) < RUNS {
        thread::sleep(Duration::from_micros(random.below(80_000)));
        let victims = [&[0][..], &[1], &[0, 1]][random.below(3) as usize];
        let killed = victims.iter().filter(|victim| kill(&mut workers[**victim])).count();
        kills += usize::from(killed > 0);
        let now = finished(folder);
        assert!(done.is_subset(&now), "a finished run is lost: {done:?}, then {now:?}");
        done = now;
        for victim in victims {
            workers[*victim] = spawn(folder);
        }
    }
    for mut worker in workers {
        assert!(worker.wait().expect("a status").success());
    }
    kills
}

fn spawn(folder: &Path) -> Child {
    let program = std::env::current_exe().expect("a program");
    let mut command = Command::new(program);
    command.args(["--exact", "store_kill::a_process_finishes_every_run"]).env(FOLDER, folder);
    command.stdout(Stdio::null()).spawn().expect("a process")
}

/// Whether the process was still at work; one that was not has done everything.
fn kill(worker: &mut Child) -> bool {
    if let Some(status) = worker.try_wait().expect("a status") {
        assert!(status.success());
        return false;
    }
    worker.kill().expect("killed");
    worker.wait().expect("a status");
    true
}

/// The keys of the finished runs, after a check of the whole store.
fn finished(folder: &Path) -> BTreeSet<String> {
    let store = Store::open(&folder.join("store.sqlite")).expect("a store");
    store.check().expect("in order");
    let comparison = comparison();
    store.begin(&comparison).expect("begun");
    let history = store.history(&comparison.key).expect("a history");
    history.into_iter().map(|entry| entry.run).collect()
}

fn records(folder: &Path) -> Recorded {
    let store = Store::open(&folder.join("store.sqlite")).expect("a store");
    store.comparison(&comparison().key).expect("a comparison")
}

/// The journal has what the processes lived to tell: no run is finished twice, and none is begun
/// after it was finished.
fn check_journal(folder: &Path) {
    let journal = fs::read_to_string(folder.join("journal")).expect("a journal");
    let mut kept = BTreeSet::new();
    for line in journal.lines() {
        let (what, run) = line.split_once(' ').expect("a word and a run");
        assert!(!kept.contains(run), "{line} after it was finished");
        assert_ne!(what, "twice", "{run}");
        if what == "kept" {
            kept.insert(run);
        }
    }
}

/// Does every run that nobody else does.
fn work(folder: &Path) {
    let store = Store::open(&folder.join("store.sqlite")).expect("a store");
    let comparison = comparison();
    store.begin(&comparison).expect("begun");
    let mut open: Vec<u64> = (0..RUNS).collect();
    while !open.is_empty() {
        open.retain(|number| match store.claim(&format!("run{number}")).expect("a claim") {
            Claim::Finished => false,
            Claim::Held(_) => true,
            Claim::Yours(claimed) => {
                execute(claimed, &comparison, *number, folder);
                false
            }
        });
        thread::sleep(Duration::from_millis(5));
    }
}

fn execute(claimed: Claimed<'_>, comparison: &Design, number: u64, folder: &Path) {
    note(folder, "begun", number);
    let finish = if number < TRIALS {
        claimed.finish_trial(comparison, &trial(number))
    } else {
        claimed.finish_run(comparison, &run(number))
    };
    match finish.expect("finished") {
        Finish::Kept => note(folder, "kept", number),
        Finish::AlreadyThere => note(folder, "twice", number),
    }
}

fn note(folder: &Path, what: &str, number: u64) {
    let journal = OpenOptions::new().create(true).append(true).open(folder.join("journal"));
    let line = format!("{what} run{number}\n");
    journal.expect("a journal").write_all(line.as_bytes()).expect("written");
}

fn comparison() -> Design {
    let loss = Metric { name: "loss".into(), direction: Direction::Lower, range: Range::Positive };
    Design {
        key: "5ec4".repeat(16),
        command: "secant compare".into(),
        version: "0.1.0".into(),
        code: "c0de".into(),
        created: "2026-11-26T12:34:56Z".into(),
        machine: "a machine".into(),
        problem: "logistic map".into(),
        description: "Numbers that depend on every digit before them.".into(),
        parameters: 1,
        train_records: 1,
        validation_records: 1,
        test_records: 1,
        data: vec![],
        data_warnings: vec![],
        fingerprint: "f00d".into(),
        batch_size: 1,
        budget: Budget::Evaluations(40),
        schedule: "constant".into(),
        precision: "f64".into(),
        hessian_products: "exact".into(),
        metrics: vec![loss],
        ranked_by: 0,
        tuned_by: 0,
        baseline: vec![None],
        validation_baseline: vec![None],
        baseline_name: "nothing".into(),
        target: None,
        trials: TRIALS as usize,
        tuning_seeds: 1,
        seeds: (TRIALS..RUNS).collect(),
        methods: vec!["adam".into()],
        threads: 1,
        origin: None,
    }
}

fn trial(number: u64) -> Trial {
    let lr = 0.1 / (number + 1) as f64;
    let last = train(number).pop().expect("a point");
    let (method, settings) = ("adam".into(), format!("adam(lr={lr})"));
    let number = number as usize;
    Trial { method, number, seed: 0, settings, lr, validation: last.validation, trained: true }
}

fn run(seed: u64) -> Run {
    let curve = train(seed);
    let last = curve[39].validation.clone();
    Run {
        method: "adam".into(),
        settings: "adam(lr=0.1)".into(),
        lr: 0.1,
        seed,
        validation: last.clone(),
        test: last,
        curve,
        trained: true,
        rejected_steps: 0,
        chosen: None,
        trust_region: vec![],
    }
}

/// Some 30 ms of the logistic map.
fn train(seed: u64) -> Vec<Point> {
    let mut x = 1.0 / (seed + 2) as f64;
    let point = |i: u64| {
        for _ in 0..STEPS_A_POINT {
            x = 3.9999 * x * (1.0 - x);
        }
        Point {
            evaluations: i as f64,
            epoch: i as f64,
            steps: i * STEPS_A_POINT,
            seconds: i as f64 * 0.001,
            train_loss: (i > 0).then_some(x),
            validation: vec![Some(x)],
            gradient_norm: Some(x.sqrt()),
            step_length: None,
        }
    };
    (0..40).map(point).collect()
}

const STEPS_A_POINT: u64 = 200_000;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % end
    }
}
