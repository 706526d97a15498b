//! Made-up comparisons for tests.

use secant::Case;

use crate::{
    Budget, Metric,
    record::{Design, Point, RegionStep, Run, StepTime, Trial},
    store::Recorded,
};

/// How one made-up method behaves.
struct Method {
    name: &'static str,
    best_rate: f64,
    /// The test accuracy it tends to.
    accuracy: f64,
    /// How fast it gets there, an epoch.
    speed: f64,
    /// Gradients evaluated a step.
    gradients: f64,
    step_ms: f64,
}

const METHODS: [Method; 9] = [
    method("sgd", 0.1, 0.902, 0.5, 1.0, 2.21),
    method("momentum", 0.0316, 0.911, 0.8, 1.0, 2.29),
    method("adam", 0.001, 0.9168, 1.1, 1.0, 2.52),
    method("adamw", 0.001, 0.9174, 1.1, 1.0, 2.55),
    method("lion", 1e-4, 0.9142, 1.0, 1.0, 2.34),
    method("apollo", 0.01, 0.9171, 1.2, 1.0, 3.07),
    method("shampoo", 0.0316, 0.9189, 1.6, 1.0, 10.5),
    method("sam", 0.0316, 0.9195, 0.9, 2.0, 4.51),
    method("rprop", 1e-3, 0.87, 0.4, 1.0, 2.24),
];

const fn method(
    name: &'static str,
    best_rate: f64,
    accuracy: f64,
    speed: f64,
    gradients: f64,
    step_ms: f64,
) -> Method {
    Method { name, best_rate, accuracy, speed, gradients, step_ms }
}

/// Nine methods, three seeds, eight epochs; one run of `rprop` diverges.
pub fn nine_methods() -> Recorded {
    comparison(&METHODS, &[1, 2, 3])
}

/// Two methods and one seed.
pub fn one_seed() -> Recorded {
    comparison(&METHODS[2..4], &[7])
}

/// Renames a method in every record.
pub fn rename(recorded: &mut Recorded, from: &str, to: &str) {
    let swap = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    recorded.design.methods.iter_mut().for_each(swap);
    for trial in &mut recorded.trials {
        swap(&mut trial.method);
        swap(&mut trial.settings);
    }
    for run in &mut recorded.runs {
        swap(&mut run.method);
        swap(&mut run.settings);
    }
    recorded.step_times.iter_mut().for_each(|time| swap(&mut time.method));
}

/// Gives every run of `name` steps of a trust region in 8 epochs: the radius is the step's number, and
/// every second step has a negative eigenvalue.
pub fn add_trust_region(recorded: &mut Recorded, name: &str, steps: u64) {
    for run in recorded.runs.iter_mut().filter(|run| run.method == name) {
        run.trust_region = (1..=steps).map(|step| region_step(step, steps)).collect();
    }
}

fn region_step(step: u64, steps: u64) -> RegionStep {
    let sign = if step.is_multiple_of(2) { -1.0 } else { 1.0 };
    RegionStep {
        step,
        epoch: 8.0 * step as f64 / steps as f64,
        model_change: -0.1,
        actual_change: Some(-0.05),
        ratio: 0.5,
        averaged_ratio: 0.5,
        radius: step as f64,
        next_radius: step as f64 + 1.0,
        step_norm: step as f64,
        sigma: 0.3,
        case: Case::Boundary,
        smallest_eigenvalue: 0.5 * sign,
        largest_eigenvalue: 20.0,
        pairs_kept: 3,
        pairs_skipped: 1,
        batch_size: 64,
        losses: 1,
        gradients: 2,
        hessian_products: 0,
    }
}

fn comparison(methods: &[Method], seeds: &[u64]) -> Recorded {
    Recorded {
        design: design(methods, seeds),
        trials: methods.iter().flat_map(trials).collect(),
        runs: methods.iter().flat_map(|m| seeds.iter().map(|&seed| run(m, seed))).collect(),
        step_times: methods.iter().map(step_time).collect(),
    }
}

fn design(methods: &[Method], seeds: &[u64]) -> Design {
    Design {
        key: "0".repeat(64),
        command: "secant compare fashion-mnist/cnn --tune 7".into(),
        version: "0.1.0".into(),
        code: "c0de".into(),
        created: "2026-11-26T12:00:00Z".into(),
        machine: "a processor, 2 cores, linux".into(),
        problem: "fashion-mnist/cnn".into(),
        description: "Fashion-MNIST clothes, a small convolutional network, cross-entropy.".into(),
        parameters: 105_866,
        train_records: 54_000,
        validation_records: 6_000,
        test_records: 10_000,
        data: vec!["28 x 28 grey images".into()],
        data_warnings: Vec::new(),
        fingerprint: "f00d".into(),
        batch_size: 128,
        budget: Budget::Evaluations(8 * 54_000),
        schedule: "cosine".into(),
        precision: "f32".into(),
        hessian_products: "exact".into(),
        metrics: vec![Metric::loss(), Metric::share("accuracy")],
        ranked_by: 1,
        tuned_by: 0,
        baseline: vec![Some(2.3), Some(0.1)],
        validation_baseline: vec![Some(2.3), Some(0.1)],
        baseline_name: "always a shirt".into(),
        target: Some(0.912),
        trials: 7,
        tuning_seeds: 1,
        seeds: seeds.to_vec(),
        methods: methods.iter().map(|m| m.name.to_owned()).collect(),
        threads: 2,
        origin: None,
    }
}

/// Seven rates, half a decade apart; `sgd` finds its best at the end.
fn trials(method: &Method) -> impl Iterator<Item = Trial> {
    let shift = if method.name == "sgd" { 6 } else { 3 };
    (0..7).map(move |i| {
        let off = f64::from(i - shift);
        let exploded = off > 2.0;
        let finite = |value: f64| (!exploded).then_some(value);
        Trial {
            method: method.name.into(),
            number: i as usize,
            seed: 0,
            settings: method.name.into(),
            lr: method.best_rate * 10f64.powf(off / 2.0),
            validation: vec![
                finite(0.32 + 0.09 * off * off),
                finite(method.accuracy - 0.02 - 0.015 * off * off),
            ],
            trained: !exploded,
        }
    })
}

fn run(method: &Method, seed: u64) -> Run {
    let diverges = method.name == "rprop" && seed == 3;
    let points = if diverges { 5 } else { 9 };
    let curve: Vec<Point> =
        (0..points).map(|epoch| point(method, seed, epoch, diverges && epoch > 2)).collect();
    let last = curve.last().map(|point| point.validation.clone()).unwrap_or_default();
    Run {
        method: method.name.into(),
        settings: method.name.into(),
        lr: method.best_rate,
        seed,
        test: vec![last[0].map(|loss| 1.04 * loss), last[1].map(|accuracy| accuracy - 0.002)],
        validation: last,
        curve,
        trained: !diverges,
        rejected_steps: if diverges { 12 } else { 0 },
        chosen: None,
        trust_region: Vec::new(),
    }
}

fn point(method: &Method, seed: u64, epoch: u64, exploded: bool) -> Point {
    let steps = epoch * 422;
    let left = (-method.speed * epoch as f64).exp();
    let noise = 0.002 * jitter(seed * 31 + epoch * 7 + method.name.len() as u64);
    let accuracy = if exploded { 0.1 } else { method.accuracy * (1.0 - left) + 0.1 * left + noise };
    let loss = 2.7 * (1.0 - accuracy) * (1.0 + 4.0 * noise);
    let finite = |loss: f64| (!exploded).then_some(loss);
    Point {
        evaluations: steps as f64 * 128.0 * method.gradients,
        epoch: epoch as f64,
        steps,
        seconds: steps as f64 * method.step_ms / 1e3 * (1.0 + noise),
        train_loss: finite(loss * 0.92).filter(|_| epoch > 0),
        validation: vec![finite(loss), Some(accuracy + 0.002)],
        gradient_norm: finite(loss),
        step_length: Some(0.1),
    }
}

fn step_time(method: &Method) -> StepTime {
    let seconds = method.step_ms / 1e3;
    let quartiles = [0.98 * seconds, 1.02 * seconds];
    StepTime { method: method.name.into(), seconds, quartiles, busy: false }
}

/// A number in -1..1 that looks random and never changes.
fn jitter(input: u64) -> f64 {
    let mixed = input.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as f64 / f64::from(1 << 23) - 1.0
}
