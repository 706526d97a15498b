//! What methods that search report: steps that move nothing, and values with and without decay; and
//! what those keep that see one function in every step.

use burn::tensor::{DType, Tensor};
use secant::{
    Decay, Function, LBfgsConfig, LSsr1TrConfig, LineSearch, MbLsr1Config, Optimizer, Outcome,
    Rejection, StepReport, protocol::Method,
};

use crate::{
    support::{Many, Tested},
    table::{decayed, table},
    twins::Noisy,
};

/// sum of x + exp(-10 x): the minimum is at log(10) / 10, and no double number has a gradient of 0.
struct Slope;

impl Function for Slope {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g = 1.0 - 10.0 * (-10.0 * x).exp());
        x.iter().map(|x| x + (-10.0 * x).exp()).sum()
    }
}

/// Makes 1,000 steps on `function` from `start`; what they did, by outcome.
#[track_caller]
fn count<K: Method>(
    optimizer: Result<Optimizer<K>, secant::error::ConfigError>,
    start: &[f64],
    function: &mut dyn Function,
) -> [usize; 3] {
    let mut optimizer = optimizer.expect("valid");
    let (mut x, mut counts) = (start.to_vec(), [0; 3]);
    for step in 0..1000 {
        let before = x.clone();
        let report = optimizer.step_function(1.0, &mut x, function).expect("a step");
        let moved = x.iter().zip(&before).any(|(x, before)| x.to_bits() != before.to_bits());
        let which = match report.outcome {
            Outcome::Accepted => 0,
            Outcome::Converged => 1,
            Outcome::Rejected(Rejection::NoDecrease) => 2,
            Outcome::Rejected(_) => panic!("{}, step {step}: {report:?}", K::NAME),
        };
        assert_eq!(moved, which == 0, "{}, step {step}: {report:?}", K::NAME);
        counts[which] += 1;
    }
    counts
}

#[test]
fn a_step_that_moves_nothing_says_so_and_at_the_minimum_that_it_has_converged() {
    for start in [&[0.5][..], &[0.0], &[0.9, 0.1, 0.4]] {
        // Each of them is at the bottom after some ten steps.
        let check = |counts: [usize; 3]| {
            assert!(counts[1] > 900, "accepted, converged, no decrease: {counts:?}");
        };
        for search in [LineSearch::StrongWolfe, LineSearch::Armijo] {
            for full_batch in [false, true] {
                let config = LBfgsConfig::new().with_line_search(search);
                check(count(config.with_full_batch(full_batch).init(), start, &mut Slope));
            }
        }
        let torch = LBfgsConfig::torch().with_line_search(LineSearch::StrongWolfe);
        check(count(torch.with_tolerance_grad(0.0).init(), start, &mut Slope));
        check(count(MbLsr1Config::full_batch().init(), start, &mut Slope));
        check(count(LSsr1TrConfig::full_batch().init(), start, &mut Slope));
        let batches = MbLsr1Config::full_batch().with_full_batch(false);
        check(count(batches.init(), start, &mut Slope));
    }
}

#[test]
fn a_search_that_finds_nothing_far_from_a_minimum_has_not_converged() {
    // The value rises along the gradient's descent: they contradict each other.
    struct Wrong;
    impl Function for Wrong {
        fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
            gradient.copy_from_slice(&[-1.0]);
            x[0]
        }
    }
    let of = |counts: [usize; 3]| assert_eq!(counts, [0, 0, 1000]);
    of(count(LBfgsConfig::new().init(), &[1.0], &mut Wrong));
    of(count(LBfgsConfig::new().with_full_batch(true).init(), &[1.0], &mut Wrong));
    let torch = LBfgsConfig::torch().with_line_search(LineSearch::StrongWolfe).with_max_iter(1);
    let mut torch = torch.init().expect("valid");
    let mut x = vec![1.0];
    let report = torch.step_function(1.0, &mut x, &mut Wrong).expect("a step");
    assert!(report.outcome != Outcome::Converged, "{report:?}");
    let mut region = MbLsr1Config::full_batch().init().expect("valid");
    let mut outcomes = |function: &mut dyn Function| {
        region.step_function(1.0, &mut x, function).expect("a step").outcome
    };
    assert!((0..10).all(|_| outcomes(&mut Wrong) == Outcome::Rejected(Rejection::NoDecrease)));
}

#[test]
fn at_a_rate_of_zero_a_step_is_a_pause_and_accepted() {
    let mut x = vec![0.5];
    let mut optimizer = LBfgsConfig::new().init().expect("valid");
    let report = optimizer.step_function(0.0, &mut x, &mut Slope).expect("a step");
    assert_eq!((report.outcome, x[0]), (Outcome::Accepted, 0.5));
}

#[test]
fn the_loss_is_reported_without_decay_and_what_is_searched_along_with_it() {
    let noisy = Noisy::new(&[5, 20], 3, 0.3);
    for row in decayed().into_iter().chain(table()) {
        let mut model = Many::f64(&noisy.start);
        let mut optimizer = row.optimizer();
        for step in 0..3 {
            let loss = noisy.value(&model.values(), step);
            let report = optimizer
                .step(row.lr, &mut model, &mut |model: &Many| noisy.loss(model, step))
                .expect("the contract is kept");
            let what = format!("{}, step {step}", row.name);
            // 25 terms of size 1, each rounded to 1e-16, added in another order.
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-13, "{what}: {a} is not {b}");
            close(report.loss.expect("read"), loss);
            let after = noisy.value(&model.values(), step);
            report.loss_after.into_iter().for_each(|loss| close(loss, after));
            let is_one_of = |names: &[&str]| names.iter().any(|n| row.name.starts_with(n));
            let is_search = is_one_of(&["l-bfgs", "ss-broyden", "mb-lsr1", "l-ssr1"]);
            // Subspace Newton looks at the end of a step in its checks alone, the first in the eleventh step.
            let is_checked = is_one_of(&["subspace-newton"]);
            assert_eq!(report.objective.is_some(), is_search || is_checked, "{what}");
            assert_eq!(report.objective_after.is_some(), is_search, "{what}");
        }
    }
}

#[test]
fn the_objective_is_the_loss_with_half_the_decay_times_the_square() {
    let noisy = Noisy::new(&[5, 20], 1, 0.3);
    let decay = |model: &Many| 0.05 * model.values().iter().flatten().map(|x| x * x).sum::<f64>();
    fn run<K: Method>(
        config: Result<Optimizer<K>, secant::error::ConfigError>,
        noisy: &Noisy,
        decay: &dyn Fn(&Many) -> f64,
    ) {
        let mut model = Many::f64(&noisy.start);
        let mut optimizer = config.expect("valid");
        for _ in 0..4 {
            let before = decay(&model);
            let report = optimizer.step(1.0, &mut model, |m: &Many| noisy.loss(m, 0)).expect("ok");
            let StepReport { loss, loss_after, objective, objective_after, .. } = report;
            let [loss, loss_after, objective, objective_after] =
                [loss, loss_after, objective, objective_after].map(|value| value.expect("read"));
            // As above.
            assert!((objective - loss - before).abs() < 1e-13, "{}", K::NAME);
            assert!((objective_after - loss_after - decay(&model)).abs() < 1e-13, "{}", K::NAME);
        }
    }
    let l2 = Decay::L2(0.1);
    run(LBfgsConfig::new().with_decay(l2).init(), &noisy, &decay);
    run(LBfgsConfig::new().with_decay(l2).with_full_batch(true).init(), &noisy, &decay);
    run(MbLsr1Config::full_batch().with_decay(l2).init(), &noisy, &decay);
    run(LSsr1TrConfig::full_batch().with_decay(l2).init(), &noisy, &decay);
}

/// A method that keeps its last gradient, and the same one that does not.
fn keeping_and_not() -> Vec<(&'static str, [Box<dyn Tested>; 2])> {
    fn boxed<K: Method>(
        optimizer: Result<Optimizer<K>, secant::error::ConfigError>,
    ) -> Box<dyn Tested> {
        Box::new(optimizer.expect("valid"))
    }
    let l2 = Decay::L2(0.1);
    let lbfgs = LBfgsConfig::new().with_decay(l2);
    let (mb, tr) = (MbLsr1Config::full_batch(), LSsr1TrConfig::full_batch());
    let (mb, tr) = (mb.with_decay(l2), tr.with_decay(l2));
    vec![
        ("l-bfgs", [true, false].map(|keep| boxed(lbfgs.with_full_batch(keep).init()))),
        ("mb-lsr1", [true, false].map(|keep| boxed(mb.with_full_batch(keep).init()))),
        ("l-ssr1-tr", [true, false].map(|keep| boxed(tr.with_full_batch(keep).init()))),
    ]
}

/// The function of all steps.
fn loss(noisy: &Noisy) -> impl FnMut(&Many) -> Tensor<1> {
    |model: &Many| noisy.loss(model, 0)
}

#[test]
fn a_kept_gradient_is_not_used_where_the_caller_has_moved_the_parameters() {
    let noisy = Noisy::new(&[5, 20], 1, 0.3);
    // A projection onto a box; one number by one unit in the last place; the sign of all.
    let changes: [fn(&mut f64); 3] = [
        |x| *x = x.clamp(-0.2, 0.2),
        |x| *x = if *x > 0.1 { x.next_up() } else { *x },
        |x| *x = -*x,
    ];
    for change in changes {
        for (name, [mut keeping, mut plain]) in keeping_and_not() {
            let (mut kept, mut evaluated) = (Many::f64(&noisy.start), Many::f64(&noisy.start));
            for step in 0..6 {
                if step % 2 == 1 {
                    let mut values = kept.values();
                    values.iter_mut().flatten().for_each(change);
                    let ids = kept.tensors.iter().map(|param| param.id).collect::<Vec<_>>();
                    for (model, _) in [(&mut kept, ()), (&mut evaluated, ())] {
                        for (index, values) in values.iter().enumerate() {
                            let value = crate::support::vector(values, DType::F64).require_grad();
                            let param = model.tensors[index].clone();
                            model.tensors[index] = param.map(|_| value);
                        }
                    }
                    assert_eq!(kept.tensors.iter().map(|p| p.id).collect::<Vec<_>>(), ids);
                }
                let expected = noisy.value(&kept.values(), 0);
                let ours = keeping.step(1.0, &mut kept, &mut loss(&noisy)).expect("a step");
                let theirs = plain.step(1.0, &mut evaluated, &mut loss(&noisy)).expect("a step");
                // 25 terms of size 1, each rounded to 1e-16, added in another order.
                assert!((ours.loss.expect("read") - expected).abs() < 1e-13, "{name}, {step}");
                assert_eq!(kept.bits(), evaluated.bits(), "{name}, step {step}");
                assert_eq!((ours.loss, ours.pair), (theirs.loss, theirs.pair), "{name}, {step}");
                // The first step evaluates; so does one after a change, and no other.
                let saved = theirs.evals.gradient - ours.evals.gradient;
                assert_eq!(saved, u64::from(step % 2 == 0 && step > 0), "{name}, step {step}");
            }
        }
    }
}

#[test]
fn a_kept_gradient_is_part_of_a_record_and_not_used_with_other_parameters() {
    let noisy = Noisy::new(&[5, 20], 1, 0.3);
    let path = std::env::temp_dir().join(format!("secant-kept-{}", std::process::id()));
    for (name, [fresh, _]) in keeping_and_not() {
        let mut optimizer = fresh.boxed();
        let mut model = Many::f64(&noisy.start);
        for _ in 0..3 {
            let report = optimizer.step(1.0, &mut model, &mut loss(&noisy)).expect("a step");
            assert!(report.is_accepted());
        }
        optimizer.save_to(&path);
        for moves in [false, true] {
            let mut values = model.values();
            if moves {
                values[1][3] += 0.5;
            }
            let mut model = Many::f64(&values);
            let mut resumed = fresh.boxed();
            resumed.load_from(&path, &model).expect("a record");
            let expected = noisy.value(&values, 0);
            let report = resumed.step(1.0, &mut model, &mut loss(&noisy)).expect("a step");
            // As above.
            assert!((report.loss.expect("read") - expected).abs() < 1e-13, "{name}, {moves}");
        }
    }
    std::fs::remove_file(&path).expect("written above");
}
