//! Comparisons for tests.

use secant::Case;

use crate::{
    Budget, Direction, Metric, Range,
    record::{Design, Point, RegionStep, Run, StepTime, Trial},
};

use super::{Claim, Claimed, Recorded, Store};

/// A key of 64 digits.
pub(super) fn key(n: u64) -> String {
    format!("{:016x}{n:048x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

pub(super) fn comparison(n: u64) -> Design {
    let metric = |name: &str, direction, range| Metric { name: name.to_string(), direction, range };
    Design {
        key: key(n),
        command: "secant compare spirals --optimizers 'adam,mb-lsr1(memory=8,delta0=0.01)'"
            .to_string(),
        version: "0.1.0".to_string(),
        code: "c0de".to_string(),
        created: format!("2026-11-{:02}T12:34:56Z", 1 + n % 28),
        machine: "a processor, 2 cores, Linux".to_string(),
        problem: "spirals/mlp".to_string(),
        description: "Three spirals, a network, \"cross-entropy\".".to_string(),
        parameters: 1234,
        train_records: 800,
        validation_records: 100,
        test_records: 100,
        data: vec!["CSV, comma".to_string(), "größe: a number".to_string()],
        data_warnings: vec![],
        fingerprint: "f00d".to_string(),
        batch_size: 32,
        budget: Budget::Evaluations(8000),
        schedule: "cosine".to_string(),
        precision: "f32".to_string(),
        hessian_products: "exact".to_string(),
        metrics: vec![
            metric("loss", Direction::Lower, Range::Positive),
            metric("balanced accuracy", Direction::Higher, Range::Share),
        ],
        ranked_by: 1,
        tuned_by: 0,
        baseline: vec![None, Some(1.0 / 3.0)],
        validation_baseline: vec![None, None],
        baseline_name: "always the class 0".to_string(),
        target: None,
        trials: 2,
        tuning_seeds: 1,
        seeds: vec![3, u64::MAX],
        methods: vec!["mb-lsr1(memory=8,delta0=0.01)".to_string(), "adam".to_string()],
        threads: 2,
        origin: None,
    }
}

pub(super) fn trial(method: &str, number: usize) -> Trial {
    Trial {
        method: method.to_string(),
        number,
        seed: 7,
        settings: format!("{method}, all settings"),
        lr: 0.1 / 3.0_f64.powi(number as i32),
        validation: vec![Some(0.1 + 0.2), None],
        trained: true,
    }
}

pub(super) fn run(method: &str, seed: u64) -> Run {
    Run {
        method: method.to_string(),
        settings: format!("{method}, all settings"),
        lr: 1e-7,
        seed,
        validation: vec![Some(f64::MIN_POSITIVE), Some(1.0)],
        test: vec![Some(5e-324), Some(0.9)],
        curve: (0..40).map(point).collect(),
        trained: true,
        rejected_steps: 2,
        chosen: None,
        trust_region: vec![],
    }
}

fn point(i: u64) -> Point {
    let x = i as f64;
    Point {
        evaluations: x * 200.0,
        epoch: x / 3.0,
        steps: i * 6,
        seconds: x * 0.1,
        train_loss: (i > 0).then(|| (-x).exp()),
        validation: vec![Some((-x / 7.0).exp()), (i != 5).then_some(x / 40.0)],
        gradient_norm: Some(1e300 / (x + 1.0)),
        step_length: Some(f64::EPSILON * x),
    }
}

pub(super) fn region_step(step: u64) -> RegionStep {
    RegionStep {
        step,
        epoch: 0.1,
        model_change: -1e-9,
        actual_change: None,
        ratio: 0.0,
        averaged_ratio: 0.7,
        radius: 1.0,
        next_radius: 2.0,
        step_norm: 0.3,
        sigma: 0.0,
        case: Case::Hard,
        smallest_eigenvalue: -1.0,
        largest_eigenvalue: 2.0,
        pairs_kept: 8,
        pairs_skipped: 1,
        batch_size: 32,
        losses: 1,
        gradients: 2,
        hessian_products: 0,
    }
}

pub(super) fn step_time(method: &str, seconds: f64, busy: bool) -> StepTime {
    let quartiles = [seconds * 0.9, seconds * 1.1];
    StepTime { method: method.to_string(), seconds, quartiles, busy }
}

/// A comparison of which something is finished, as a store gives it.
pub(super) fn recorded(n: u64) -> Recorded {
    let comparison = comparison(n);
    let [first, second] = [comparison.methods[0].clone(), comparison.methods[1].clone()];
    let region = Run { trust_region: vec![region_step(1), region_step(2)], ..run(&first, 3) };
    Recorded {
        trials: vec![trial(&first, 0), trial(&first, 1), trial(&second, 0)],
        runs: vec![region, run(&second, 3), run(&second, u64::MAX)],
        step_times: vec![step_time(&first, 0.001, false), step_time(&second, 0.1 + 0.2, true)],
        design: comparison,
    }
}

/// Puts all of it into the store, the last first. The runs' keys begin with `runs`.
pub(super) fn fill(store: &Store, recorded: &Recorded, runs: &str) {
    let Recorded { design: comparison, trials, runs: all, step_times } = recorded;
    store.begin(comparison).expect("begun");
    for run in all.iter().rev() {
        let key = format!("{runs} run {} {}", run.method, run.seed);
        claimed(store, &key).finish_run(comparison, run).expect("finished");
    }
    for trial in trials.iter().rev() {
        let key = format!("{runs} trial {} {}", trial.method, trial.number);
        claimed(store, &key).finish_trial(comparison, trial).expect("finished");
    }
    store.add_step_times(&comparison.key, step_times).expect("added");
}

pub(super) fn claimed<'a>(store: &'a Store, run: &str) -> Claimed<'a> {
    match store.claim(run).expect("a claim") {
        Claim::Yours(claimed) => claimed,
        other => panic!("{run} is not free: {other:?}"),
    }
}

pub(super) fn new_store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("store.sqlite")).expect("a store");
    (folder, store)
}
