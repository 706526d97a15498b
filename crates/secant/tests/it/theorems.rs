//! What the papers prove, and what the specification derives, about whole trajectories.

use secant::{
    AdamConfig, ApolloConfig, CurvatureTest, Decay, Momentum, Optimizer, PairOutcome,
    QuasiAdamConfig, RAdamConfig, Rebound, SgdConfig, StepReport, error::ConfigError,
    protocol::Method,
};

use crate::{
    support::{Many, Numbers, Vectors, assert_close, largest},
    table::table,
    twin::{self, Rule},
    twins::Noisy,
};

/// 30 steps of some ten roundings each, of numbers of size 1.
const ROUNDING: f64 = 1e-13;

fn advance<K: Method>(
    optimizer: &mut Optimizer<K>,
    lr: f64,
    model: &mut Many,
    loss: impl FnMut(&Many) -> burn::tensor::Tensor<1>,
) -> StepReport {
    let report = optimizer.step(lr, model, loss).expect("the contract is kept");
    assert!(report.is_accepted(), "{report:?}");
    report
}

/// The values after every step of `optimizer` on `noisy`.
fn trajectory<K: Method>(
    optimizer: Result<Optimizer<K>, ConfigError>,
    lr: f64,
    noisy: &Noisy,
    steps: usize,
) -> Vec<Vectors> {
    let mut optimizer = optimizer.expect("settings in their ranges");
    let mut model = Many::f64(&noisy.start);
    let mut step = |step| {
        let report = advance(&mut optimizer, lr, &mut model, |m: &Many| noisy.loss(m, step));
        let _ = report;
        model.values()
    };
    (0..steps).map(&mut step).collect()
}

#[test]
fn quasi_adam_that_rejects_every_pair_is_adam_bit_for_bit() {
    let noisy = Noisy::new(&[1, 17, 300], 30, 1.0);
    // No cosine reaches 1 in three hundred dimensions of noise; no inverse matrix is that short.
    let impossible = [
        QuasiAdamConfig::paper().with_curvature_test(Some(CurvatureTest::Relative(1.0))),
        QuasiAdamConfig::paper().with_curvature_test(Some(CurvatureTest::Absolute(1e30))),
        QuasiAdamConfig::paper().with_inverse_bound(Some(1e-30)),
    ];
    for decay in [Decay::None, Decay::L2(0.1), Decay::Decoupled(0.1)] {
        let adam = trajectory(AdamConfig::new().with_decay(decay).init(), 0.02, &noisy, 30);
        for config in impossible {
            let config = config.with_decay(decay);
            assert_eq!(trajectory(config.init(), 0.02, &noisy, 30), adam, "{config:?}");
            assert_eq!(trajectory(config.init_same_batch(), 0.02, &noisy, 30), adam);
        }
    }
}

#[test]
fn the_first_step_of_quasi_adam_is_adams() {
    let noisy = Noisy::new(&[17], 1, 1.0);
    let adam = trajectory(AdamConfig::new().init(), 0.02, &noisy, 1);
    assert_eq!(trajectory(QuasiAdamConfig::paper().init(), 0.02, &noisy, 1), adam);
}

/// Quasi-Adam's own term in step 2 on f = curvature/2 |x|^2, and the gradient there.
fn second_term(curvature: f64, rate: f64) -> (Vectors, Vectors) {
    let start = Numbers::new(11).vectors(&[20, 3]);
    let loss = |model: &Many| {
        let a = vec![vec![curvature; 20], vec![curvature; 3]];
        model.quadratic(&a, &[vec![0.0; 20], vec![0.0; 3]])
    };
    let config = QuasiAdamConfig::paper().with_curvature_rate(Some(rate));
    let mut quasi = config.init().expect("in range");
    let mut adam = AdamConfig::new().init().expect("in range");
    let (mut with, mut without) = (Many::f64(&start), Many::f64(&start));
    for _ in 0..2 {
        let _ = advance(&mut adam, 0.02, &mut without, loss);
    }
    let _ = advance(&mut quasi, 0.02, &mut with, loss);
    let at = with.values();
    let report = advance(&mut quasi, 0.02, &mut with, loss);
    let PairOutcome::Stored { cosine } = report.pair else { panic!("{report:?}") };
    // y = curvature s, up to the rounding of two gradients whose difference is 0.02 of them.
    assert!((cosine - 1.0).abs() < 1e-13, "{cosine}");
    let minus = |a: &Vectors, b: &Vectors| {
        let minus = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a - b).collect();
        a.iter().zip(b).map(minus).collect::<Vectors>()
    };
    let term = minus(&without.values(), &with.values());
    let gradient = at.iter().map(|x| x.iter().map(|x| curvature * x).collect()).collect();
    (term, gradient)
}

#[test]
fn on_an_isotropic_quadratic_the_quasi_newton_term_is_the_gradient_over_the_curvature() {
    for curvature in [0.5, 3.0, 100.0] {
        let (term, gradient) = second_term(curvature, 0.5);
        let expected: Vectors =
            gradient.iter().map(|g| g.iter().map(|g| 0.5 * g / curvature).collect()).collect();
        // s and y are differences at 0.02 of numbers of size 1: 1e-16 / 0.02, and a few roundings.
        assert_close(&term, &expected, 1e-13, "H g");
    }
}

#[test]
fn scaling_the_loss_by_a_power_of_two_leaves_the_quasi_newton_term_as_it_is() {
    // H scales by 1/c and g by c. eps = 1e-8 beside a root of size 1 is all that Adam sees of c.
    let (small, _) = second_term(1.0, 0.5);
    let (large, _) = second_term(1024.0, 0.5);
    assert_close(&large, &small, 1e-7, "scaled");
}

#[test]
fn quasi_adam_does_not_see_the_scale_of_the_loss_but_for_eps() {
    let noisy = Noisy::new(&[17, 3], 30, 0.3);
    let run = |scale: f64| {
        // A cap keeps the trajectory from depending on how pairs with a tiny cosine round.
        let config = QuasiAdamConfig::paper()
            .with_epsilon(1e-12)
            .with_curvature_rate(Some(0.1))
            .with_max_ratio(Some(1.0));
        let mut optimizer = config.init().expect("in range");
        let mut model = Many::f64(&noisy.start);
        for step in 0..30 {
            let _ = advance(&mut optimizer, 0.02, &mut model, |model: &Many| {
                noisy.loss(model, step).mul_scalar(scale)
            });
        }
        model.values()
    };
    // eps relative to a root of size 0.1 to 1, over 30 steps, passed on by pairs.
    assert_close(&run(1024.0), &run(1.0), 1e-8, "scaled");
}

fn apollo(rebound: Rebound, eps: f64, decay: Decay) -> ApolloConfig {
    ApolloConfig::new().with_rebound(rebound).with_epsilon(eps).with_decay(decay).with_warmup(10)
}

#[test]
fn apollos_rate_and_bound_may_be_scaled_together() {
    // Theorem 1: (lr, sigma) and (c lr, c sigma) walk the same way, with one eps because
    // eps' = eps / sigma is built in.
    let noisy = Noisy::new(&[17, 40], 30, 0.3);
    let c = 5.0;
    let kinds = [
        (Decay::None, Decay::None),
        (Decay::L2(0.1), Decay::L2(0.1)),
        (Decay::Stable(0.1), Decay::Stable(0.1)),
        (Decay::Decoupled(0.1), Decay::Decoupled(0.1 / c)),
    ];
    for (decay, scaled_decay) in kinds {
        let run = |c: f64, decay| {
            let config = apollo(Rebound::Constant { sigma: 0.01 * c }, 1e-4, decay);
            let config = config.with_init_lr(Some(1e-4 * c));
            trajectory(config.init(), 0.05 * c, &noisy, 30)
        };
        let (one, other) = (run(1.0, decay), run(c, scaled_decay));
        for (step, (one, other)) in one.iter().zip(&other).enumerate() {
            assert_close(other, one, ROUNDING, &format!("{decay:?}, step {}", step + 1));
        }
    }
}

#[test]
fn apollos_first_step_is_gradient_descent_at_the_rate_over_the_bound() {
    let noisy = Noisy::new(&[17, 40], 1, 0.3);
    // Powers of two, so that both divide exactly.
    let config = apollo(Rebound::Constant { sigma: 0.25 }, 1e-4, Decay::None);
    let apollo = trajectory(config.with_init_lr(Some(0.125)).init(), 1.0, &noisy, 1);
    assert_eq!(apollo, trajectory(SgdConfig::new().init(), 0.5, &noisy, 1));
}

#[test]
fn apollos_diagonal_satisfies_the_weak_secant_equation() {
    // The twin shows the state, and the trajectory that the library's is the twin's.
    let noisy = Noisy::new(&[40], 20, 0.3);
    let rebound = Rebound::Constant { sigma: 0.02 };
    let config = apollo(rebound, 0.0, Decay::None).with_warmup(0);
    let ours = trajectory(config.init(), 0.1, &noisy, 20);
    let mut twin = twin::Apollo { eps: 0.0, ..twin::Apollo::new(rebound, 0, Decay::None) };
    let mut theta = noisy.start.clone();
    for (step, ours) in ours.iter().enumerate() {
        let old = twin.d.clone();
        let gradient = noisy.gradient(&theta, step);
        twin.update(0.1, &mut theta[0], &gradient[0]);
        assert_close(ours, &theta, ROUNDING, &format!("step {}", step + 1));
        let dot = |f: &dyn Fn(usize) -> f64| (0..old.len()).map(f).sum::<f64>();
        let curvature = dot(&|i| old[i] * twin.b[i] * old[i]);
        let change = dot(&|i| old[i] * twin.y[i]);
        // 40 terms; the old part of d'Bd cancels, which is up to a hundred times the sum.
        let size = dot(&|i| (old[i] * twin.b[i] * old[i]).abs() + (old[i] * twin.y[i]).abs());
        assert!((curvature + change).abs() <= 1e-13 * size, "{curvature} and {change}");
    }
}

#[test]
fn the_order_of_the_entries_does_not_matter_to_any_method() {
    let noisy = Noisy::new(&[40], 10, 0.3);
    let reverse = |v: &Vectors| v.iter().map(|v| v.iter().rev().copied().collect()).collect();
    // Shampoo's pieces of 3 have other members in another order.
    for row in table().into_iter().filter(|row| row.name != "shampoo") {
        let run = |reversed: bool| {
            let start: Vectors = if reversed { reverse(&noisy.start) } else { noisy.start.clone() };
            let mut model = Many::f64(&start);
            let mut optimizer = row.optimizer();
            for step in 0..10 {
                let report = optimizer.step(row.lr, &mut model, &mut |model: &Many| {
                    let values: Vectors = model.values();
                    let values = if reversed { reverse(&values) } else { values };
                    let gradient = noisy.gradient(&values, step);
                    let linear =
                        model.linear(&if reversed { reverse(&gradient) } else { gradient });
                    linear.clone() - linear.detach() + noisy.value(&values, step)
                });
                assert!(report.is_ok_and(|report| report.is_accepted()), "{}", row.name);
            }
            if reversed { reverse(&model.values()) } else { model.values() }
        };
        // Sums in another order; see the twins for what a pair makes of it.
        assert_close(&run(true), &run(false), 1e-10, row.name);
    }
}

/// The last values of `row` with the 40 numbers in one tensor, or in two.
fn split(row: &crate::table::Row, split: bool) -> Vec<f64> {
    let noisy = Noisy::new(&[40], 30, 0.5);
    let cut = |v: &[f64]| {
        if split { vec![v[..23].to_vec(), v[23..].to_vec()] } else { vec![v.to_vec()] }
    };
    let mut model = Many::f64(&cut(&noisy.start[0]));
    let mut optimizer = row.optimizer();
    for step in 0..30 {
        let report = optimizer.step(row.lr, &mut model, &mut |model: &Many| {
            let gradient = noisy.gradient(&[model.values().concat()], step);
            model.linear(&cut(&gradient[0]))
        });
        assert!(report.is_ok_and(|report| report.is_accepted()), "{}", row.name);
    }
    model.values().concat()
}

#[test]
fn splitting_a_tensor_matters_to_the_methods_with_a_scalar_for_each_tensor_alone() {
    for row in table() {
        // With the paper's defaults |B| stays below sigma in the first updates of the warm-up.
        let per_tensor = (row.name.starts_with("apollo") && row.name != "apollo")
            || row.name.contains("per tensor")
            || row.name == "shampoo"
            || row.name == "quasi-adam-ema";
        let (whole, parts) = (split(&row, false), split(&row, true));
        let apart: Vec<f64> = whole.iter().zip(&parts).map(|(a, b)| a - b).collect();
        let difference = largest(&apart);
        assert!(difference.is_finite(), "{}: {difference}", row.name);
        // Another order of sums, times the condition of a pair; or another method.
        let limit = 1e-8;
        assert_eq!(difference > limit, per_tensor, "{}: {difference}", row.name);
    }
}

#[test]
fn momentum_as_an_average_is_pytorchs_at_a_smaller_rate() {
    let noisy = Noisy::new(&[17, 40], 30, 0.3);
    let config = |momentum| SgdConfig::new().with_momentum(momentum);
    let ema = config(Momentum::Ema { momentum: 0.9 }).init();
    let ours = trajectory(ema, 0.1, &noisy, 30);
    let mut model = Many::f64(&noisy.start);
    // PyTorch's form starts from b = g as an average does from m_0 = 0: b = m / (1 - mu).
    let mut torch = config(Momentum::torch(0.9)).init().expect("in range");
    for (step, ours) in ours.iter().enumerate() {
        let lr = 0.1 * (1.0 - 0.9);
        let _ = advance(&mut torch, lr, &mut model, |m: &Many| noisy.loss(m, step));
        assert_close(&model.values(), ours, ROUNDING, &format!("step {}", step + 1));
    }
}

#[test]
fn radam_follows_the_average_for_five_steps_and_adapts_from_the_sixth() {
    // Two entries whose gradients differ by a factor of 100: an adaptive step almost hides it.
    let mut optimizer = RAdamConfig::new().init().expect("defaults");
    let mut model = Many::f64(&[vec![0.0, 0.0]]);
    for step in 1..=8 {
        let before = model.values();
        let loss = |model: &Many| model.linear(&[vec![1.0, 100.0]]);
        let _ = advance(&mut optimizer, 0.01, &mut model, loss);
        let after = model.values();
        let moved = [0, 1].map(|i| before[0][i] - after[0][i]);
        if step <= 5 {
            // mhat is the constant gradient itself, up to the rounding of the bias correction.
            assert!((moved[0] - 0.01).abs() < 1e-14, "step {step}: {moved:?}");
            assert!((moved[1] - 1.0).abs() < 1e-12, "step {step}: {moved:?}");
        } else {
            // Equal but for eps beside a root of 0.07: 1e-7, and the rounding of numbers of size 5.
            assert!(moved[0] > 0.0, "step {step}: {moved:?}");
            assert!((moved[1] / moved[0] - 1.0).abs() < 1e-6, "step {step}: {moved:?}");
        }
    }
}
