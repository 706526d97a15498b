//! The L-SR1 matrix against the dense recursion, and what the trust-region methods promise.

use std::fs;

use burn::tensor::{DType, Tensor, TensorData};
use secant::{
    ArmijoSettings, AveragedRule, BatchCheck, Batches, Case, CurvatureTest, Function,
    InitialMatrix, LBfgsConfig, LSsr1TrConfig, MbLsr1Config, Momentum, Optimizer, Outcome,
    PairOutcome, Rejection, Restart, Sampling, Search, SgdConfig, StepReport, Tolerances,
    TrustRegionReport, TwoSidedRule, WolfeSettings,
    blocks::{Blocks, Real},
    error::ConfigError,
    operator::{InverseLBfgs, LSr1},
    protocol::Method,
};
use secant_core::curvature::PairProducts;

use crate::support::{Many, Net, Numbers, largest, vector};

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// A vector as two tensors.
fn blocks<T: Real>(values: &[f64]) -> Blocks {
    let tensor = |values: &[f64]| {
        let length = values.len();
        TensorData::new(values.iter().map(|x| T::of(*x)).collect::<Vec<T>>(), [length])
    };
    let (a, b) = values.split_at(2);
    Blocks::new(vec![tensor(a), tensor(b)])
}

fn numbers(blocks: &Blocks) -> Vec<f64> {
    blocks.data().flat_map(|data| data.iter::<f64>().collect::<Vec<f64>>()).collect()
}

/// B as columns, by the SR1 formula on the pairs that are `accepted`.
fn recursion(gamma: f64, pairs: &[(Vec<f64>, Vec<f64>)], accepted: &[usize]) -> Vec<Vec<f64>> {
    let n = pairs[0].0.len();
    let unit = |i: usize| (0..n).map(|j| if i == j { gamma } else { 0.0 }).collect();
    let mut b: Vec<Vec<f64>> = (0..n).map(unit).collect();
    for &j in accepted {
        let (s, y) = &pairs[j];
        let bs: Vec<f64> = b.iter().map(|row| dot(row, s)).collect();
        let r = minus(y, &bs);
        let sr = dot(s, &r);
        for (row, ri) in b.iter_mut().zip(&r) {
            row.iter_mut().zip(&r).for_each(|(entry, rj)| *entry += ri * rj / sr);
        }
    }
    b
}

/// Compares B v with the recursion for every unit vector v; the pairs that B is built from.
fn compare<T: Real>(
    matrix: &LSr1,
    pairs: &[(Vec<f64>, Vec<f64>)],
    gamma: f64,
    tolerance: f64,
) -> Vec<usize> {
    let tolerances = if T::dtype() == DType::F64 { Tolerances::F64 } else { Tolerances::F32 };
    let n = pairs[0].0.len();
    let accepted = matrix.build(&blocks::<T>(&vec![0.0; n]), gamma, tolerances).expect("built");
    let accepted = accepted.accepted().to_vec();
    let dense = recursion(gamma, pairs, &accepted);
    let scale = largest(dense.iter().flatten());
    for (i, column) in dense.iter().enumerate() {
        let mut unit = vec![0.0; n];
        unit[i] = 1.0;
        let ours = matrix.apply(&blocks::<T>(&unit), gamma, tolerances).expect("applied");
        let error = largest(&minus(&numbers(&ours), column));
        assert!(error <= tolerance * scale, "{error:e} of {scale:e}, {} pairs", pairs.len());
    }
    accepted
}

/// Pairs of an indefinite quadratic with some noise, all in `T`.
fn pair<T: Real>(draws: &mut Numbers, n: usize) -> (Vec<f64>, Vec<f64>) {
    let round = |x: f64| T::of(x).wide();
    let s: Vec<f64> = draws.vector(n).into_iter().map(round).collect();
    let bend = |i: usize| if i.is_multiple_of(2) { 2.0 + i as f64 } else { -1.0 };
    let y = s.iter().enumerate().map(|(i, s)| round(bend(i) * s + 0.3 * draws.next()));
    let y = y.collect();
    (s, y)
}

fn the_matrix_is_the_recursion<T: Real>(tolerance: f64) {
    let (n, capacity, gamma) = (9, 4, 0.4);
    let mut draws = Numbers::new(5);
    let mut matrix = LSr1::new(capacity);
    let mut pairs: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    let push = |matrix: &mut LSr1, pairs: &mut Vec<_>, pair: (Vec<f64>, Vec<f64>)| {
        assert!(matrix.push(blocks::<T>(&pair.0), blocks::<T>(&pair.1)));
        if pairs.len() == capacity {
            pairs.remove(0);
        }
        pairs.push(pair);
        compare::<T>(matrix, pairs, gamma, tolerance)
    };
    // Twice through the ring.
    for count in 1..=9 {
        let accepted = push(&mut matrix, &mut pairs, pair::<T>(&mut draws, n));
        assert_eq!(accepted.len(), capacity.min(count));
    }
    // The newest pair once more, in another length, is explained already: stored, and left out.
    let newest = pairs[capacity - 1].clone();
    let twice = |v: &Vec<f64>| v.iter().map(|x| 2.0 * x).collect::<Vec<f64>>();
    let accepted = push(&mut matrix, &mut pairs, (twice(&newest.0), twice(&newest.1)));
    assert_eq!(accepted, [0, 1, 2]);
    // What is not finite is not stored.
    let before = (matrix.len(), matrix.gram().clone());
    assert!(!matrix.push(blocks::<T>(&vec![f64::NAN; n]), blocks::<T>(&newest.1)));
    assert_eq!((matrix.len(), matrix.gram()), (before.0, &before.1));
    compare::<T>(&matrix, &pairs, gamma, tolerance);
    // After a reset it is as new.
    matrix.reset();
    pairs.clear();
    for _ in 0..6 {
        push(&mut matrix, &mut pairs, pair::<T>(&mut draws, n));
    }
}

#[test]
fn the_matrix_is_the_dense_recursion_through_the_ring_a_skipped_pair_and_a_reset() {
    // Rounding, times what four updates of noisy pairs lose; of f32 data, that of B v in f32.
    the_matrix_is_the_recursion::<f64>(1e-11);
    the_matrix_is_the_recursion::<f32>(1e-4);
}

#[test]
fn the_minimiser_in_the_hard_case_follows_negative_curvature_to_the_boundary() {
    for single in [false, true] {
        // B = diag(1, 1, -2, 1): e3 is an eigenvector, and g has no part along it.
        let of = |values: [f64; 4]| {
            if single { blocks::<f32>(&values) } else { blocks::<f64>(&values) }
        };
        let mut matrix = LSr1::new(3);
        assert!(matrix.push(of([0.0, 0.0, 1.0, 0.0]), of([0.0, 0.0, -2.0, 0.0])));
        let tolerances = if single { Tolerances::F32 } else { Tolerances::F64 };
        let g = of([0.5, 0.0, 0.0, 0.0]);
        let best = matrix.minimise(&g, 2.0, 1.0, tolerances).expect("solved");
        assert_eq!((best.case, best.accepted), (Case::Hard, vec![0]));
        // p_hat = -g / (1 + 2), the rest of the radius along e3.
        let p = numbers(&best.step);
        let hat = -0.5 / 3.0;
        let expected = [hat, 0.0, (4.0f64 - hat * hat).sqrt(), 0.0];
        let expected = if p[2] < 0.0 { [hat, 0.0, -expected[2], 0.0] } else { expected };
        assert!(norm(&minus(&p, &expected)) < 1e-6, "{p:?}");
        // Q(p) = g.p / 2 - sigma |p|^2 / 2.
        assert!((best.model_value - (0.5 * 0.5 * hat - 4.0)).abs() < 1e-12);

        // Where gamma is the smallest eigenvalue, it is all that is orthogonal to the pairs.
        let mut matrix = LSr1::new(3);
        assert!(matrix.push(of([1.0, 0.0, 0.0, 0.0]), of([3.0, 0.0, 0.0, 0.0])));
        let best = matrix.minimise(&g, 2.0, -1.0, tolerances).expect("solved");
        let p = numbers(&best.step);
        assert_eq!((best.case, best.lambda_min), (Case::Hard, -1.0));
        assert!((norm(&p) - 2.0).abs() < 1e-6 && (p[0] + 0.5 / 4.0).abs() < 1e-6, "{p:?}");
    }
}

/// x'Ax/2 - b'x, A = Q diag(values) Q with a reflection Q.
struct Quadratic {
    values: Vec<f64>,
    b: Vec<f64>,
    /// Q = I - 2 u u'.
    u: Vec<f64>,
}

impl Quadratic {
    fn new(values: &[f64]) -> Self {
        let mut draws = Numbers::new(3);
        let (b, u) = (draws.vector(values.len()), draws.vector(values.len()));
        let length = norm(&u);
        Self { values: values.to_vec(), b, u: u.iter().map(|x| x / length).collect() }
    }

    fn reflect(&self, x: &[f64]) -> Vec<f64> {
        let along = 2.0 * dot(&self.u, x);
        x.iter().zip(&self.u).map(|(x, u)| x - along * u).collect()
    }

    fn product(&self, x: &[f64]) -> Vec<f64> {
        let turned = self.reflect(x);
        let scaled: Vec<f64> = turned.iter().zip(&self.values).map(|(x, a)| a * x).collect();
        self.reflect(&scaled)
    }
}

impl Function for Quadratic {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let ax = self.product(x);
        gradient.copy_from_slice(&minus(&ax, &self.b));
        0.5 * dot(x, &ax) - dot(&self.b, x)
    }
}

/// The sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2.
struct Rosenbrock;

impl Function for Rosenbrock {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let mut sum = 0.0;
        for i in 0..x.len() - 1 {
            let (a, b) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
            sum += 100.0 * a * a + b * b;
            gradient[i + 1] += 200.0 * a;
            gradient[i] -= 400.0 * a * x[i] + 2.0 * b;
        }
        sum
    }
}

/// x^2/2 - y^2/2 + y^4/4: a saddle at 0, minima at (0, 1) and (0, -1), where it is -1/4.
struct Saddle;

impl Function for Saddle {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let y = x[1];
        gradient.copy_from_slice(&[x[0], y * y * y - y]);
        0.5 * x[0] * x[0] - 0.5 * y * y + 0.25 * y.powi(4)
    }

    fn hessian_vector(&mut self, x: &[f64], v: &[f64], product: &mut [f64]) -> bool {
        product.copy_from_slice(&[v[0], (3.0 * x[1] * x[1] - 1.0) * v[1]]);
        true
    }
}

struct Plain<F>(F);

impl<F: FnMut(&[f64], &mut [f64]) -> f64> Function for Plain<F> {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        (self.0)(x, gradient)
    }
}

fn region(report: &StepReport) -> TrustRegionReport {
    report.trust_region.expect("a trust-region method")
}

/// One step, and the displacement and gradient of it.
fn advance<K: Method>(
    optimizer: &mut Optimizer<K>,
    x: &mut Vec<f64>,
    function: &mut dyn Function,
) -> (StepReport, Vec<f64>, Vec<f64>) {
    let before = x.clone();
    let mut gradient = vec![0.0; x.len()];
    function.gradient(&before, &mut gradient);
    let report = optimizer.step_function(1.0, x, function).expect("the contract is kept");
    (report, minus(x, &before), gradient)
}

/// A search that finds nothing leaves another radius to the next step.
fn is_made_or_found_nothing(report: &StepReport) -> bool {
    report.is_accepted() || report.outcome == Outcome::Rejected(Rejection::NoDecrease)
}

const ARMIJO: Search = Search::Armijo(ArmijoSettings { c1: 1e-4, shrink: 0.5, max_trials: 15 });

fn plain() -> MbLsr1Config {
    MbLsr1Config::new().with_restart(Restart::Never).with_eta(0.0).with_mu(0.0).with_zeta(0.0)
}

#[test]
fn on_a_convex_quadratic_every_step_descends_and_n_pairs_give_the_hessian() {
    let values = [0.5, 1.0, 1.5, 2.5, 4.0, 6.0];
    let mut quadratic = Quadratic::new(&values);
    let config = plain().with_delta0(0.05).with_gamma(0.1).with_tolerance_gradient(1e-9);
    let mut optimizer = config.init().expect("valid");
    let mut x = vec![0.0; 6];
    let (mut last, mut complete) = (f64::INFINITY, 0);
    for step in 1..60 {
        let (report, ..) = advance(&mut optimizer, &mut x, &mut quadratic);
        if report.outcome == Outcome::Converged {
            break;
        }
        let loss = report.loss.expect("read");
        assert!(loss < last, "step {step}: {loss} after {last}");
        last = loss;
        let region = region(&report);
        if region.pairs_kept >= 6 {
            complete += 1;
            // Rounding of numbers up to 6, times what six updates lose whose cosines have a product of
            // 1e-3.
            assert!((region.smallest_eigenvalue - 0.5).abs() < 1e-11, "{region:?}");
            assert!((region.largest_eigenvalue - 6.0).abs() < 1e-11, "{region:?}");
        }
    }
    assert!(complete > 0, "B was never the Hessian");
    let residual = minus(&quadratic.product(&x), &quadratic.b);
    assert!(norm(&residual) <= 1e-9, "{}", norm(&residual));
}

#[test]
fn the_averaged_ratio_is_the_mean_with_zeta_1_and_the_last_with_zeta_0() {
    for zeta in [0.0, 1.0] {
        let config = plain().with_delta0(0.1).with_zeta(zeta).with_gamma(1.0);
        let mut optimizer = config.init().expect("valid");
        let mut x = vec![-1.2, 1.0];
        let (mut sum, mut count) = (0.0, 0.0);
        for _ in 0..20 {
            let (report, ..) = advance(&mut optimizer, &mut x, &mut Rosenbrock);
            if report.line_search.is_none_or(|search| search.step_length == 0.0) {
                continue;
            }
            let region = region(&report);
            (sum, count) = (sum + region.ratio, count + 1.0);
            let expected = if zeta == 0.0 { region.ratio } else { sum / count };
            // Twenty roundings.
            assert!((region.averaged_ratio - expected).abs() <= 1e-13 * expected.abs().max(1.0));
        }
        assert!(count > 10.0);
    }
}

#[test]
fn the_ratio_of_averages_is_the_loss_gone_over_the_loss_foretold() {
    let config = plain().with_delta0(0.1).with_zeta(1.0).with_ratio_of_averages(true);
    let mut optimizer = config.init().expect("valid");
    let mut x = vec![-1.2, 1.0];
    let (mut actual, mut model, mut differs) = (0.0, 0.0, 0);
    for _ in 0..20 {
        let (report, ..) = advance(&mut optimizer, &mut x, &mut Rosenbrock);
        let region = region(&report);
        if region.step_norm > 0.0 {
            (actual, model) = (actual + region.actual_change, model + region.model_change);
            let expected: f64 = actual / model;
            assert!((region.averaged_ratio - expected).abs() <= 1e-13 * expected.abs().max(1.0));
            differs += u32::from((expected - region.ratio).abs() > 0.1);
        }
    }
    assert!(differs > 5);
}

/// A sum of four waves whose phases are those of a batch.
fn wavy(batch: usize) -> impl FnMut(&[f64], &mut [f64]) -> f64 {
    let phases = Numbers::new(batch as u64).vector(6);
    move |x, gradient| {
        let mut sum = 0.0;
        for (i, (x, phase)) in x.iter().zip(&phases).enumerate() {
            let bend = 1.0 + i as f64;
            sum += (bend * x + phase).sin() + 0.05 * x * x;
            gradient[i] = bend * (bend * x + phase).cos() + 0.1 * x;
        }
        sum
    }
}

#[test]
fn steps_are_within_the_radius_downhill_and_satisfy_armijo_on_an_indefinite_function() {
    let momentum = plain().with_delta0(0.3);
    let configs = [
        MbLsr1Config::new().with_delta0(0.3),
        MbLsr1Config::paper().with_delta0(0.3),
        momentum.with_mu(0.95),
        momentum.with_mu(0.9).with_eta(0.5).with_hybrid_fixed(true),
        momentum.with_initial_matrix(InitialMatrix::SmallestEigenvalue).with_mu(0.5),
        momentum.with_initial_matrix(InitialMatrix::LastPair).with_mu(0.5),
        MbLsr1Config::new().with_delta0(0.3).with_restart(Restart::Keep),
        MbLsr1Config::new().with_delta0(0.3).with_restart(Restart::WarmStart).with_memory(3),
    ];
    let (mut flips, mut negative) = (0, 0);
    for config in configs {
        let mut optimizer = config.init().expect("valid");
        let mut x = vec![0.3; 6];
        for step in 0..80 {
            let (report, s, g) = advance(&mut optimizer, &mut x, &mut Plain(wavy(step % 7)));
            assert!(report.is_accepted(), "{report:?}");
            let region = region(&report);
            // A rounding of each entry.
            assert!(norm(&s) <= region.radius * (1.0 + 1e-13), "{region:?}");
            assert!((norm(&s) - region.step_norm).abs() <= 1e-15 + 1e-12 * region.step_norm);
            assert!(dot(&s, &g) <= 0.0, "{report:?}");
            let (before, after) = (report.loss.expect("read"), report.loss_after.expect("read"));
            // Armijo, up to the rounding of a value of size 1.
            assert!(after <= before + 1e-4 * dot(&s, &g) + 1e-14, "{report:?}");
            flips += u32::from(region.flipped);
            negative += u32::from(region.smallest_eigenvalue < 0.0);
        }
    }
    assert!(flips > 0 && negative > 100, "{flips} {negative}");
}

#[test]
fn with_a_constant_or_a_linear_loss_the_state_stays_finite() {
    let mut x = vec![1.0, 2.0, 3.0];
    let mut optimizer = MbLsr1Config::new().init().expect("valid");
    for _ in 0..5 {
        let (report, s, _) = advance(
            &mut optimizer,
            &mut x,
            &mut Plain(|_: &[f64], g: &mut [f64]| {
                g.fill(0.0);
                7.0
            }),
        );
        assert_eq!((report.outcome, norm(&s)), (Outcome::Converged, 0.0));
    }
    let mut linear = Plain(|x: &[f64], g: &mut [f64]| {
        g.copy_from_slice(&[1.0, -2.0, 0.5]);
        dot(x, &[1.0, -2.0, 0.5])
    });
    let mut radius = 0.0;
    for _ in 0..40 {
        let (report, s, _) = advance(&mut optimizer, &mut x, &mut linear);
        assert!(report.is_accepted() && s.iter().all(|s| s.is_finite()));
        radius = region(&report).next_radius;
    }
    // The model is right: the radius grows.
    assert!(radius.is_finite() && radius > 1e4, "{radius}");
}

#[test]
fn mb_lsr1_set_up_as_l_ssr1_tr_makes_the_same_steps_where_p_is_the_minimiser() {
    let two_sided = TwoSidedRule::default();
    let averaged = AveragedRule {
        shrink_below: two_sided.tau2,
        grow_from: two_sided.tau3,
        growth: two_sided.nu4,
        reached: two_sided.nu3,
        shrink: two_sided.nu1,
        ..Default::default()
    };
    // B_0 above all eigenvalues: no step disappoints, the radius only doubles. B_0 below them: it doubles
    // until a whole step to the boundary disappoints.
    for (gamma, radius, shrinks) in [(5.0, 0.01, 0), (0.05, 0.05, 1)] {
        let mut quadratic = Quadratic::new(&[0.5, 1.0, 1.5, 2.5, 4.0]);
        let special = MbLsr1Config::l_ssr1_tr()
            .with_mu(0.0)
            .with_delta0(radius)
            .with_radius_rule(averaged)
            .with_gamma(gamma)
            .with_tolerance_gradient(1e-6);
        let original = LSsr1TrConfig::new()
            .with_mu(0.0)
            .with_delta0(radius)
            .with_radius_rule(two_sided)
            .with_gamma(gamma)
            .with_memory(16)
            .with_line_search(ARMIJO)
            .with_tolerance_gradient(1e-6);
        let (mut special, mut original) =
            (special.init().expect("valid"), original.init().expect("valid"));
        let (mut x, mut z) = (vec![0.0; 5], vec![0.0; 5]);
        let (mut shrunk, mut grown, mut converged) = (0, 0, false);
        for step in 0..30 {
            let (ours, ..) = advance(&mut special, &mut x, &mut quadratic);
            let (theirs, ..) = advance(&mut original, &mut z, &mut quadratic);
            assert_eq!(x, z, "step {step}: {ours:?} {theirs:?}");
            assert_eq!(ours.outcome, theirs.outcome);
            converged = ours.outcome == Outcome::Converged;
            if converged {
                break;
            }
            let (ours, theirs) = (region(&ours), region(&theirs));
            assert_eq!(ours.next_radius, theirs.next_radius);
            shrunk += u32::from(ours.next_radius < ours.radius);
            grown += u32::from(ours.next_radius > ours.radius);
        }
        assert!(converged && grown > 2, "{grown}");
        assert_eq!(shrunk, shrinks);
    }
}

#[test]
fn with_momentum_the_special_case_forgets_more_slowly() {
    // Nothing is shortened: a displacement is part of the j-th step after it with weight mu^j in MB-LSR1,
    // and mu^(2j - 1) in the original.
    let mu = 0.1;
    let special = MbLsr1Config::l_ssr1_tr().with_mu(mu).with_delta0(1e6).with_gamma(40.0);
    let original = LSsr1TrConfig::new().with_mu(mu).with_delta0(1e6).with_gamma(40.0);
    let mut special = special.init().expect("valid");
    let mut original = original.with_line_search(ARMIJO).init().expect("valid");
    let mut quadratic = Quadratic::new(&[0.5, 1.0, 1.5, 2.5, 4.0]);
    let (mut x, mut z) = (vec![0.0; 5], vec![0.0; 5]);
    let mut steps = Vec::new();
    for _ in 0..3 {
        let (report, ours, _) = advance(&mut special, &mut x, &mut quadratic);
        let (_, theirs, _) = advance(&mut original, &mut z, &mut quadratic);
        assert_eq!(report.line_search.expect("a search").step_length, 1.0);
        steps.push((ours, theirs));
    }
    assert!(largest(&minus(&steps[0].0, &steps[0].1)) < 1e-15);
    assert!(largest(&minus(&steps[1].0, &steps[1].1)) < 1e-15);
    let difference = minus(&steps[2].0, &steps[2].1);
    let expected: Vec<f64> = steps[0].0.iter().map(|s| (mu * mu - mu * mu * mu) * s).collect();
    assert!(largest(&minus(&difference, &expected)) < 1e-14, "{difference:?} {expected:?}");
}

#[test]
fn the_special_case_checks_on_all_records_and_doubles_the_batch_with_the_original() {
    let steps = |step: &mut dyn FnMut(&mut Many, &mut Batches) -> StepReport| -> Vec<_> {
        let mut batches = Batches::shuffled(60, 4, 9).expect("valid");
        let mut model = Many::f64(&[vec![0.5; 5]]);
        let reports = (0..30).map(|_| region(&step(&mut model, &mut batches)));
        reports.map(|region| (region.batch_size, region.check.is_some())).collect()
    };
    // Both double at every check but the first: nothing falls by gamma1.
    let special = MbLsr1Config::l_ssr1_tr().with_check_every(Some(5)).with_gamma1(1e3);
    let mut special = special.init().expect("valid");
    let ours = steps(&mut |model, batches| {
        special.step_on(1.0, model, batches, regression).expect("a step")
    });
    let original = LSsr1TrConfig::new().with_check_every(Some(5)).with_gamma1(1e3);
    let mut original = original.init().expect("valid");
    let theirs = steps(&mut |model, batches| {
        original.step_on(1.0, model, batches, regression).expect("a step")
    });
    assert_eq!(ours, theirs);
    assert_eq!(ours.last(), Some(&(60, false)));
}

/// Steps until it converges: how many.
fn minimise<K: Method>(
    optimizer: Result<Optimizer<K>, ConfigError>,
    x: &mut Vec<f64>,
    function: &mut dyn Function,
    most: usize,
) -> usize {
    let mut optimizer = optimizer.expect("valid");
    for step in 0..most {
        let (report, ..) = advance(&mut optimizer, x, function);
        if report.outcome == Outcome::Converged {
            return step;
        }
        assert!(is_made_or_found_nothing(&report), "{report:?}");
    }
    panic!("not within {most} steps: {x:?}");
}

#[test]
fn rosenbrock_is_minimised_to_a_gradient_of_1e_6() {
    for n in [2, 10] {
        let start: Vec<f64> =
            (0..n).map(|i| if usize::is_multiple_of(i, 2) { -1.2 } else { 1.0 }).collect();
        let mb = MbLsr1Config::full_batch().with_tolerance_gradient(1e-6);
        for config in [mb, mb.with_mu(0.5), mb.with_initial_matrix(InitialMatrix::Constant)] {
            minimise(config.init(), &mut start.clone(), &mut Rosenbrock, 1000);
        }
        let tr = LSsr1TrConfig::full_batch().with_tolerance_gradient(1e-6).with_memory(16);
        let torch = Search::StrongWolfe(WolfeSettings::torch(25));
        for config in [tr, tr.with_line_search(ARMIJO), tr.with_line_search(torch)] {
            minimise(config.init(), &mut start.clone(), &mut Rosenbrock, 1000);
        }
    }
}

#[test]
fn a_full_batch_run_evaluates_no_point_twice_and_goes_the_same_way() {
    let run = |full_batch: bool| {
        let config = MbLsr1Config::full_batch().with_full_batch(full_batch);
        let mut optimizer = config.init().expect("valid");
        let mut x = vec![-1.2, 1.0, -1.2, 1.0];
        let mut evals = 0;
        for _ in 0..40 {
            let report = optimizer.step_function(1.0, &mut x, &mut Rosenbrock).expect("a step");
            evals += report.evals.gradient;
        }
        (x, evals)
    };
    let ((x, evals), (y, more)) = (run(true), run(false));
    assert_eq!(x, y);
    assert_eq!(evals + 39, more);
}

#[test]
fn the_point_of_a_shortened_step_is_evaluated_once() {
    let mut points: Vec<Vec<f64>> = Vec::new();
    let mut watched = Plain(|x: &[f64], gradient: &mut [f64]| {
        points.push(x.to_vec());
        Rosenbrock.gradient(x, gradient)
    });
    let mut optimizer = MbLsr1Config::full_batch().init().expect("valid");
    let mut x = vec![-1.2, 1.0, -1.2, 1.0];
    let mut shortened = 0;
    for _ in 0..40 {
        let report = optimizer.step_function(1.0, &mut x, &mut watched).expect("a step");
        let search = report.line_search.expect("a search");
        shortened += u32::from(search.trials > 1 && search.step_length > 0.0);
    }
    assert!(shortened > 2, "{shortened}");
    assert!(points.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn both_methods_leave_a_saddle_along_negative_curvature() {
    // A hair off the line where all gradients point at the saddle.
    let start = vec![1.0, 1e-4];
    let (mut x, mut z) = (start.clone(), start);
    let mb = MbLsr1Config::full_batch().with_delta0(0.1).with_tolerance_gradient(1e-6);
    minimise(mb.init(), &mut x, &mut Saddle, 100);
    let tr = LSsr1TrConfig::full_batch().with_delta0(0.1).with_tolerance_gradient(1e-6);
    minimise(tr.init(), &mut z, &mut Saddle, 100);
    for x in [x, z] {
        assert!(x[0].abs() < 1e-4 && (x[1].abs() - 1.0).abs() < 1e-4, "{x:?}");
    }
}

#[test]
fn the_pair_that_l_bfgs_skips_is_the_way_out_of_a_saddle() {
    // On the line y = 0 of the saddle x^2/2 - y^2/2 the gradient is (x, 0); the pair is along y.
    let vector = |x: f64, y: f64| Blocks::new(vec![TensorData::new(vec![x, y], [2])]);
    let (g, s, y) = (vector(1.0, 0.0), vector(0.0, 0.1), vector(0.0, -0.1));
    let products = PairProducts { ss: 0.01, sy: -0.01, yy: 0.01 };
    let mut inverse = InverseLBfgs::new(4);
    let outcome = inverse.push(CurvatureTest::Relative(1e-8), products, s.clone(), y.clone());
    assert!(matches!(outcome, PairOutcome::Skipped(_)), "{outcome:?}");
    let mut matrix = LSr1::new(4);
    assert!(matrix.push(s, y));
    let best = matrix.minimise(&g, 1.0, 1.0, Tolerances::F64).expect("finite");
    assert_eq!(best.case, Case::Hard);
    assert!((best.lambda_min + 1.0).abs() < 1e-15 && (best.sigma - 1.0).abs() < 1e-15);
    // (B + I) p = -g along x, and the rest of the radius along y.
    let p = numbers(&best.step);
    assert!((p[0] + 0.5).abs() < 1e-15 && (p[1].abs() - 0.75f64.sqrt()).abs() < 1e-15, "{p:?}");
}

#[test]
fn a_step_across_the_gradient_restarts_from_no_pairs() {
    // With many pairs p* is far from -g, which the test of the angle does not allow here.
    let config = plain().with_delta0(0.5).with_gamma(1.0).with_xi(0.99);
    let mut optimizer = config.init().expect("valid");
    let mut x = vec![0.0; 5];
    let mut restarts = 0;
    for _ in 0..30 {
        let (report, s, g) =
            advance(&mut optimizer, &mut x, &mut Quadratic::new(&[0.1, 0.5, 1.0, 3.0, 9.0]));
        if report.outcome == Outcome::Converged {
            break;
        }
        let region = region(&report);
        let search = report.line_search.expect("a search");
        if search.restarted {
            restarts += 1;
            assert_eq!(region.pairs_kept, 0);
            assert!(region.pairs_stored <= 1);
            // B = gamma I.
            assert!(-dot(&s, &g) >= norm(&s) * norm(&g) * (1.0 - 1e-14));
        } else if region.step_norm > 0.0 {
            assert!(-dot(&s, &g) >= 0.99 * norm(&s) * norm(&g) * (1.0 - 1e-12));
        }
    }
    assert!(restarts > 1, "{restarts}");
}

#[test]
fn a_hybrid_of_eta_1_is_sgd_with_momentum() {
    let never = AveragedRule { shrink_below: -f64::MAX, ..Default::default() };
    let config = plain().with_eta(1.0).with_mu(0.8).with_alpha_s(0.05).with_hybrid_fixed(true);
    let config = config.with_delta0(1e6).with_radius_rule(never).with_xi(0.0);
    let mut hybrid = config.init().expect("valid");
    let mut sgd = SgdConfig::new().with_momentum(Momentum::torch(0.8)).init().expect("valid");
    let mut quadratic = Quadratic::new(&[0.5, 1.0, 1.5, 2.5, 4.0]);
    let (mut x, mut z) = (vec![0.0; 5], vec![0.0; 5]);
    for step in 0..10 {
        let (report, ..) = advance(&mut hybrid, &mut x, &mut quadratic);
        assert_eq!(report.line_search.expect("a search").step_length, 1.0, "step {step}");
        let stepped = sgd.step_function(0.05, &mut z, &mut quadratic);
        assert!(stepped.expect("the contract is kept").is_accepted());
        assert!(largest(&minus(&x, &z)) <= 1e-14, "step {step}: {x:?} {z:?}");
    }
}

#[test]
fn a_warm_start_leaves_a_saddle_where_the_gradient_has_no_part_along_it_and_l_bfgs_does_not() {
    // On the line y = 0 no gradient ever leaves it; Hessian products do. tau: every ratio is low.
    let config = plain().with_delta0(0.1).with_memory(2).with_restart(Restart::WarmStart);
    let mut optimizer = config.with_tau(1e9).init().expect("valid");
    let mut x = vec![1.0, 0.0];
    let (mut hard, mut products) = (0, 0);
    for _ in 0..60 {
        let (report, ..) = advance(&mut optimizer, &mut x, &mut Saddle);
        products += report.evals.hessian_vector;
        if report.outcome == Outcome::Converged {
            break;
        }
        let region = region(&report);
        hard += u32::from(region.case == Case::Hard);
        if region.case == Case::Hard {
            // Two independent pairs of a function whose Hessian on that line is diag(1, -1).
            assert_eq!(region.pairs_kept, 2);
            assert!((region.smallest_eigenvalue + 1.0).abs() < 1e-9, "{region:?}");
        }
    }
    assert!(hard >= 1 && products >= 4, "{hard} {products}");
    // A positive definite matrix maps such a gradient to such a step: it ends on the saddle.
    let mut z = vec![1.0, 0.0];
    let mut lbfgs = LBfgsConfig::new().init().expect("valid");
    (0..60).for_each(|_| drop(advance(&mut lbfgs, &mut z, &mut Saddle)));
    assert!(z[0].abs() < 1e-6 && z[1] == 0.0, "{z:?}");
    assert!(x[0].abs() < 1e-4 && (x[1].abs() - 1.0).abs() < 1e-4, "{x:?}");
}

#[test]
fn a_warm_start_of_n_samples_is_the_hessian_of_a_quadratic_at_once() {
    let values = [-2.0, -0.5, 0.3, 1.0, 4.0];
    for (sampling, gradients, products) in [
        // Central differences of two gradients, and one of the point itself.
        (Sampling::HessianProducts, 3 * 5, 0),
        (Sampling::GradientDifferences { radius: 0.01 }, 5, 0),
    ] {
        let config = plain().with_memory(5).with_restart(Restart::WarmStart).with_tau(1e9);
        let mut optimizer = config.with_sampling(sampling).init().expect("valid");
        let mut x = vec![0.5; 5];
        let (first, ..) = advance(&mut optimizer, &mut x, &mut Quadratic::new(&values));
        // Gradient and first trial; p is p*.
        let expected = (2 + gradients, products);
        assert_eq!((first.evals.gradient, first.evals.hessian_vector), expected, "{sampling:?}");
        let (second, ..) = advance(&mut optimizer, &mut x, &mut Quadratic::new(&values));
        let region = region(&second);
        assert_eq!(region.pairs_kept, 5);
        // Differences over a distance of 0.01 lose two digits.
        assert!((region.smallest_eigenvalue + 2.0).abs() < 1e-8, "{sampling:?} {region:?}");
        assert!((region.largest_eigenvalue - 4.0).abs() < 1e-8, "{sampling:?} {region:?}");
    }
}

#[test]
fn a_search_that_finds_nothing_shrinks_the_radius_and_moves_nothing_else() {
    let start = vec![0.25, -3.0];
    // A point from which every step is a rise: value and gradient contradict each other.
    let mut wall = Plain(|x: &[f64], g: &mut [f64]| {
        g.copy_from_slice(&[1.0, -1.0]);
        if x == [0.25, -3.0] { 1.0 } else { f64::NAN }
    });
    let mut x = start.clone();
    let mut mb = MbLsr1Config::new().with_delta0(0.5).init().expect("valid");
    let mut tr = LSsr1TrConfig::new().with_delta0(0.5).init().expect("valid");
    for step in 1..=3 {
        let (report, ..) = advance(&mut mb, &mut x, &mut wall);
        let search = report.line_search.expect("searched");
        let found_nothing = Outcome::Rejected(Rejection::NoDecrease);
        assert_eq!((report.outcome, search.step_length), (found_nothing, 0.0));
        assert_eq!((search.trials, search.met_non_finite), (15, true));
        assert_eq!(region(&report).next_radius, 0.5 * 0.25f64.powi(step));
        assert_eq!((region(&report).step_norm, region(&report).pairs_stored), (0.0, 0));
        assert_eq!(x, start);
        let (report, ..) = advance(&mut tr, &mut x, &mut wall);
        assert_eq!(report.outcome, found_nothing);
        assert_eq!(region(&report).next_radius, 0.5 * 0.25f64.powi(step));
        assert_eq!(x, start);
    }
    // It recovers where the function does.
    let (report, ..) = advance(&mut mb, &mut x, &mut Quadratic::new(&[1.0, 2.0]));
    assert!(report.loss_after < report.loss && x != start);
}

#[test]
fn a_region_of_nan_next_to_the_path_is_backed_off_from_and_reported() {
    // sum (x - log x): minimum at 1, NaN for x < 0. The first radius reaches far beyond zero.
    let barrier = |x: &[f64], g: &mut [f64]| {
        g.iter_mut().zip(x).for_each(|(g, x)| *g = if *x < 0.0 { f64::NAN } else { 1.0 - 1.0 / x });
        x.iter().map(|x| x - x.ln()).sum()
    };
    fn check<K: Method>(optimizer: Result<Optimizer<K>, ConfigError>, function: &mut dyn Function) {
        let mut optimizer = optimizer.expect("valid");
        let (mut x, mut met) = (vec![30.0, 0.01, 7.0], 0);
        for _ in 0..100 {
            let (report, ..) = advance(&mut optimizer, &mut x, function);
            met += usize::from(report.line_search.is_some_and(|search| search.met_non_finite));
            assert!(x.iter().all(|x| x.is_finite() && *x > 0.0), "{x:?}");
        }
        assert!(met > 0, "{}: the region was never met", K::NAME);
        // To the square root of the precision of values.
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-6), "{}: {x:?}", K::NAME);
    }
    let mb = MbLsr1Config::full_batch().with_delta0(100.0);
    let tr = LSsr1TrConfig::full_batch().with_delta0(100.0);
    check(mb.init(), &mut Plain(barrier));
    check(mb.with_mu(0.5).with_full_batch(false).init(), &mut Plain(barrier));
    check(tr.init(), &mut Plain(barrier));
    check(tr.with_line_search(ARMIJO).init(), &mut Plain(barrier));
}

#[test]
fn a_model_that_leads_to_no_finite_loss_shrinks_the_radius_and_loses_its_pairs() {
    // (x - 10)^2 / 2, but only up to 4.2: three steps of the right model end at 3.5, the next at 7.5.
    for beyond in [f64::NAN, f64::INFINITY] {
        let mut cut = Plain(|x: &[f64], g: &mut [f64]| {
            g[0] = x[0] - 10.0;
            if x[0] > 4.2 { beyond } else { 0.5 * g[0] * g[0] }
        });
        let config = plain().with_delta0(0.5).with_zeta(1.0);
        let config = config.with_gamma(0.1).with_initial_matrix(InitialMatrix::LastPair);
        // Pairs stored before and after.
        for (restart, before, after) in
            [(Restart::Clear, 3, 0), (Restart::Keep, 3, 3), (Restart::Never, 3, 4)]
        {
            // With momentum p is not p*, whose value is then found out on its own.
            for mu in [0.0, 0.01] {
                let mut optimizer = config.with_restart(restart).with_mu(mu).init().expect("valid");
                let mut x = vec![0.0];
                for stored in 1..=before {
                    let (report, ..) = advance(&mut optimizer, &mut x, &mut cut);
                    assert_eq!(region(&report).pairs_stored, stored);
                    assert!(region(&report).next_radius == 2.0 * region(&report).radius);
                }
                let (report, ..) = advance(&mut optimizer, &mut x, &mut cut);
                let failed = region(&report);
                assert!(!failed.actual_change.is_finite(), "{failed:?}");
                // The average alone, of three good steps and a 0, would have kept the radius.
                assert_eq!((failed.radius, failed.ratio), (4.0, 0.0));
                assert!(failed.averaged_ratio > 0.7, "{failed:?}");
                assert_eq!((failed.next_radius, failed.pairs_stored), (failed.step_norm, after));
                // Three halvings.
                assert!((x[0] - 4.0).abs() < 1e-12, "{x:?}");
                let (report, ..) = advance(&mut optimizer, &mut x, &mut cut);
                // With the pairs goes what they said of the curvature, which is 1.
                let curvature = if restart == Restart::Clear { 0.1 } else { 1.0 };
                assert!((region(&report).smallest_eigenvalue - curvature).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn at_a_rate_of_zero_and_with_a_loss_that_is_not_finite_nothing_is_written() {
    let mut optimizer = MbLsr1Config::new().init().expect("valid");
    let mut x = vec![1.0, 2.0];
    let mut quadratic = Quadratic::new(&[1.0, 2.0]);
    let report = optimizer.step_function(0.0, &mut x, &mut quadratic).expect("a step");
    assert!(report.is_accepted() && report.trust_region.is_none());
    let mut nan = Plain(|_: &[f64], g: &mut [f64]| {
        g.fill(1.0);
        f64::NAN
    });
    let (report, ..) = advance(&mut optimizer, &mut x, &mut nan);
    assert!(!report.is_accepted());
    assert_eq!(x, [1.0, 2.0]);
}

/// The mean over `records` of (x.a_r - b_r)^2 with fixed random a_r and b_r.
fn regression(model: &Many, records: &[usize]) -> Tensor<1> {
    let x = model.tensors[0].val();
    let dtype = x.dtype();
    let rows: Vec<f64> = records.iter().flat_map(|r| Numbers::new(*r as u64).vector(5)).collect();
    let rows = vector(&rows, dtype).reshape([records.len(), 5]);
    let target: Vec<f64> = records.iter().map(|r| Numbers::new(*r as u64 + 999).next()).collect();
    let target = vector(&target, dtype).reshape([records.len(), 1]);
    (rows.matmul(x.reshape([5, 1])) - target).powi_scalar(2).mean()
}

/// A batch that is checked often and too small at every check.
fn growing() -> MbLsr1Config {
    MbLsr1Config::new().with_delta0(0.05).with_check_every(Some(3)).with_gamma1(1e3)
}

#[test]
fn the_batch_grows_to_all_records_and_the_average_then_ends() {
    let mut batches = Batches::shuffled(50, 4, 9).expect("valid");
    let mut optimizer = growing().init().expect("valid");
    let mut model = Many::f64(&[vec![0.5; 5]]);
    let mut sizes = Vec::new();
    for step in 0..18 {
        let mut largest = 0;
        let report =
            optimizer.step_on(1.0, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                largest = largest.max(records.len());
                regression(model, records)
            });
        let report = report.expect("a step");
        if report.outcome == Outcome::Converged {
            break;
        }
        let region = region(&report);
        assert_eq!(region.check.is_some(), step % 3 == 0);
        assert!(largest >= region.batch_size);
        sizes.push(region.batch_size);
        if region.batch_size == 50 {
            assert_eq!(region.averaged_ratio, region.ratio);
        }
    }
    // The first check has nothing to compare with; then every third step doubles.
    assert_eq!(sizes[..16], [4, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 50, 50, 50]);
}

#[test]
fn checks_are_k_steps_apart_also_where_k_falls_as_the_batch_grows() {
    let mut batches = Batches::shuffled(100, 4, 9).expect("valid");
    let config = MbLsr1Config::new().with_delta0(0.05).with_gamma1(1e3);
    let mut optimizer = config.init().expect("valid");
    let mut model = Many::f64(&[vec![0.5; 5]]);
    let mut checks = Vec::new();
    for step in 0..80 {
        let mut last = 0;
        let report =
            optimizer.step_on(1.0, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                last = records.len();
                regression(model, records)
            });
        let region = region(&report.expect("a step"));
        if region.check.is_some() {
            // The sample, evaluated last, has 1.1 times the batch.
            checks.push((step, region.batch_size, last));
        }
    }
    // K is 100 / 4 at first, and from the first doubling on 20.
    assert_eq!(checks, [(0, 4, 4), (25, 4, 4), (45, 8, 8), (65, 16, 17)]);
}

#[test]
fn the_sample_of_a_check_is_bounded() {
    let sizes = |config: MbLsr1Config| {
        let mut batches = Batches::shuffled(100, 40, 9).expect("valid");
        let mut optimizer = config.init().expect("valid");
        let mut model = Many::f64(&[vec![0.5; 5]]);
        let mut sizes = Vec::new();
        let report =
            optimizer.step_on(1.0, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                sizes.push(records.len());
                regression(model, records)
            });
        assert!(region(&report.expect("a step")).check.is_some());
        sizes.pop().expect("the check")
    };
    let config = MbLsr1Config::new();
    assert_eq!(sizes(config), 44);
    assert_eq!(sizes(config.with_check_growth(9.0)), 100);
    assert_eq!(sizes(config.with_check_growth(2.0).with_check_most(50)), 50);
    // All records in parts of a batch: 40, 40, 20.
    assert_eq!(sizes(config.with_check_all(true)), 20);
}

#[test]
fn a_step_ends_as_converged_only_where_the_gradient_of_all_records_is_short_too() {
    // Record 0 has no loss.
    let step = |start: f64| {
        let mut batches = Batches::listed(4, vec![vec![0]]).expect("valid");
        let mut optimizer = MbLsr1Config::new().init().expect("valid");
        let mut model = Many::f64(&[vec![start]]);
        let report =
            optimizer.step_on(1.0, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                let counted = records.iter().filter(|record| **record > 0).count() as f64;
                (model.tensors[0].val() - 1.0).powi_scalar(2).mean()
                    * (counted / records.len() as f64)
            });
        assert_eq!(model.values(), [[start]]);
        report.expect("a step")
    };
    assert_eq!(step(1.0).outcome, Outcome::Converged);
    assert_eq!(step(3.0).outcome, Outcome::Rejected(Rejection::NoDecrease));
}

/// How step 4, the second that checks, judges the batch: samples of the first check are of records with a
/// small loss, those of the second with a large one, which falls as fast.
fn second_check(config: MbLsr1Config) -> BatchCheck {
    let weight = |record: &usize| if *record < 5 { 1.0 } else { 100.0 };
    let mut batches = Batches::listed(10, vec![(0..10).collect()])
        .and_then(|batches| batches.with_samples(vec![(0..5).collect(), (5..10).collect()]))
        .expect("valid");
    let mut optimizer = config.with_delta0(0.05).with_check_every(Some(3)).init().expect("valid");
    let mut model = Many::f64(&[vec![0.0]]);
    let mut check = None;
    for _ in 0..4 {
        let report =
            optimizer.step_on(1.0, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                let mean = records.iter().map(weight).sum::<f64>() / records.len() as f64;
                (model.tensors[0].val() - 1.0).powi_scalar(2).mean() * mean
            });
        check = region(&report.expect("a step")).check;
    }
    check.expect("every third step")
}

#[test]
fn a_check_can_compare_both_points_on_one_sample() {
    // On two samples the loss seems to rise a hundredfold.
    assert!(second_check(MbLsr1Config::new()).is_too_small);
    let snapshot = MbLsr1Config::new().with_check_snapshot(true);
    assert!(!second_check(snapshot).is_too_small);
    assert!(second_check(snapshot.with_gamma1(1e3)).is_too_small);
}

#[test]
fn a_loaded_optimizer_goes_on_with_its_pairs_its_radius_and_its_batch_size() {
    let folder = std::env::temp_dir().join(format!("secant-region-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let path = folder.join("state.bpk");
    let growing = growing().with_memory(3);
    let snapshot = growing.with_check_snapshot(true).with_ratio_of_averages(true);
    let last_pair = growing.with_initial_matrix(InitialMatrix::LastPair);
    let differences = Sampling::GradientDifferences { radius: 0.1 };
    let warm = growing.with_restart(Restart::WarmStart).with_tau(1e9).with_sampling(differences);
    for (dtype, config) in [
        (DType::F64, growing),
        (DType::F32, growing),
        (DType::F64, snapshot),
        (DType::F32, last_pair),
        (DType::F64, warm),
        (DType::F64, growing.with_full_batch(true)),
    ] {
        let optimizer = || config.init().expect("valid");
        let fresh = || Batches::shuffled(50, 4, 9).expect("valid");
        let (mut whole, mut batches) = (optimizer(), fresh());
        let mut model = Many::new(&[vec![0.5; 5]], dtype);
        for _ in 0..10 {
            whole.save(&path).expect("saved");
            let mut other = Many::new(&model.values(), dtype);
            let (mut resumed, mut others) = (optimizer(), fresh());
            resumed.load(&path, &other).expect("loaded");
            let (mut same, mut reference, mut theirs) =
                (whole.clone(), model.clone(), batches.clone());
            for _ in 0..4 {
                let ours = resumed.step_on(1.0, &mut other, &mut others, regression);
                let expected = same.step_on(1.0, &mut reference, &mut theirs, regression);
                // What the first step finds out about randomness costs evaluations.
                let (ours, expected) = (ours.expect("a step"), expected.expect("a step"));
                assert_eq!(ours.trust_region, expected.trust_region);
            }
            assert_eq!(other.bits(), reference.bits());
            let report = whole.step_on(1.0, &mut model, &mut batches, regression);
            assert!(is_made_or_found_nothing(&report.expect("a step")));
        }
        assert!(batches.size() > 4);
    }
    fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn a_network_in_f32_learns() {
    let mut model = Net::new(DType::F32);
    let mut mb = MbLsr1Config::new().with_delta0(0.1).init().expect("valid");
    let mut losses = Vec::new();
    for _ in 0..60 {
        let report = mb.step(1.0, &mut model, |model: &Net| model.loss(0)).expect("a step");
        assert!(report.is_accepted());
        losses.push(report.loss.expect("read"));
    }
    assert!(losses[59] < 0.2 * losses[0], "{} after {}", losses[59], losses[0]);
    let mut model = Net::new(DType::F32);
    let mut tr = LSsr1TrConfig::new().init().expect("valid");
    for _ in 0..60 {
        let report = tr.step(1.0, &mut model, |model: &Net| model.loss(0)).expect("a step");
        losses.push(report.loss.expect("read"));
    }
    assert!(losses[119] < 0.2 * losses[0], "{} after {}", losses[119], losses[0]);
}

#[test]
fn settings_out_of_their_ranges_are_refused() {
    let out = [
        MbLsr1Config::new().with_memory(0),
        MbLsr1Config::new().with_delta0(0.0),
        MbLsr1Config::new().with_sampling(Sampling::GradientDifferences { radius: 0.0 }),
        MbLsr1Config::new().with_line_search(ArmijoSettings { c1: 1.0, ..Default::default() }),
        MbLsr1Config::new().with_gamma(-1.0),
        MbLsr1Config::new().with_zeta(1.1),
        MbLsr1Config::new().with_mu(1.0),
        MbLsr1Config::new().with_tau(f64::NAN),
        MbLsr1Config::new().with_xi(1.0),
        MbLsr1Config::new().with_check_every(Some(0)),
        MbLsr1Config::new().with_check_growth(0.9),
        MbLsr1Config::new().with_check_most(0),
        MbLsr1Config::new().with_radius_rule(AveragedRule { growth: 0.5, ..Default::default() }),
    ];
    assert!(out.iter().all(|config| config.init().is_err()));
    let (armijo, wolfe) = (ArmijoSettings::default(), WolfeSettings::default());
    for search in [
        Search::Armijo(ArmijoSettings { c1: 0.0, ..armijo }),
        Search::Armijo(ArmijoSettings { shrink: 1.0, ..armijo }),
        Search::Armijo(ArmijoSettings { max_trials: 0, ..armijo }),
        Search::StrongWolfe(WolfeSettings { c1: f64::NAN, ..wolfe }),
        Search::StrongWolfe(WolfeSettings { c1: 0.5, c2: 0.4, ..wolfe }),
    ] {
        assert!(LSsr1TrConfig::new().with_line_search(search).init().is_err(), "{search:?}");
    }
    let rule = TwoSidedRule { nu1: 0.6, ..Default::default() };
    assert!(LSsr1TrConfig::new().with_radius_rule(rule).init().is_err());
}
