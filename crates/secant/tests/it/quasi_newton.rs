//! The mathematics of the methods that keep pairs, and of those that choose their data.

use burn::{
    module::{Module, Param},
    tensor::{DType, Tensor, TensorData},
};
use secant::{
    AdaHessianConfig, Batches, CurvatureTest, Duals as OnDuals, Function, LBfgsConfig, LineSearch,
    MultiBatchLBfgsConfig, Optimizer, Outcome, PairOutcome, Rules, SdLBfgsConfig, SgdBbConfig,
    SqnConfig, SvrgConfig, WithProduct,
    blocks::Blocks,
    dual::{Dual, Tangents},
    error::{ConfigError, StepError},
    operator::{InverseLBfgs, Scaling},
    protocol::Method,
};
use secant_core::curvature::PairProducts;

use crate::{
    support::{Many, Net, Numbers, Vectors, assert_close, device, numbers, vector},
    twins::Noisy,
};

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A vector cut into two tensors.
fn blocks(x: &[f64]) -> Blocks {
    let tensor = |x: &[f64]| TensorData::new(x.to_vec(), [x.len()]);
    Blocks::new(vec![tensor(&x[..3]), tensor(&x[3..])])
}

fn entries(blocks: &Blocks) -> Vec<f64> {
    blocks.data().flat_map(|data| data.iter::<f64>().collect::<Vec<f64>>()).collect()
}

/// A symmetric matrix with eigenvalues between 1 and `condition`, in no special basis.
struct Dense {
    rows: Vectors,
}

impl Dense {
    fn new(n: usize, condition: f64, seed: u64) -> Self {
        let mut numbers = Numbers::new(seed);
        let mut rows: Vectors = (0..n)
            .map(|i| {
                let eigenvalue = condition.powf(i as f64 / (n - 1) as f64);
                (0..n).map(|j| if i == j { eigenvalue } else { 0.0 }).collect()
            })
            .collect();
        // Two reflections H A H with H = I - 2 u u'/u.u.
        for _ in 0..2 {
            let u = numbers.vector(n);
            let scale = 2.0 / dot(&u, &u);
            for _ in 0..2 {
                for row in &mut rows {
                    let share = scale * dot(row, &u);
                    row.iter_mut().zip(&u).for_each(|(x, u)| *x -= share * u);
                }
                rows = (0..n).map(|i| rows.iter().map(|row| row[i]).collect()).collect();
            }
        }
        Self { rows }
    }

    fn times(&self, x: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|row| dot(row, x)).collect()
    }
}

/// x'Ax/2 - b'x.
struct Quadratic(Dense, Vec<f64>);

impl Function for Quadratic {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let ax = self.0.times(x);
        for ((g, ax), b) in gradient.iter_mut().zip(&ax).zip(&self.1) {
            *g = ax - b;
        }
        0.5 * dot(x, &ax) - dot(x, &self.1)
    }

    fn hessian_vector(&mut self, _: &[f64], v: &[f64], product: &mut [f64]) -> bool {
        product.copy_from_slice(&self.0.times(v));
        true
    }
}

fn push(matrix: &mut InverseLBfgs, s: &[f64], y: &[f64]) -> PairOutcome {
    let products = PairProducts { ss: dot(s, s), sy: dot(s, y), yy: dot(y, y) };
    matrix.push(CurvatureTest::Relative(1e-8), products, blocks(s), blocks(y))
}

fn apply(matrix: &InverseLBfgs, g: &[f64]) -> Vec<f64> {
    let mut out = blocks(g);
    let applied = matrix.apply(1.0, Scaling::Newest, &blocks(g), &mut out).expect("finite");
    let out = entries(&out);
    // Sums of nine numbers of size 1.
    assert!((applied.with_g - dot(&out, g)).abs() < 1e-12);
    assert!((applied.squared - dot(&out, &out)).abs() < 1e-12);
    out
}

#[test]
fn with_n_pairs_of_conjugate_directions_the_matrix_is_the_inverse_hessian() {
    const N: usize = 9;
    let hessian = Dense::new(N, 10.0, 3);
    let mut matrix = InverseLBfgs::new(N);
    let mut directions: Vectors = Vec::new();
    let mut numbers = Numbers::new(4);
    for _ in 0..N {
        // Gram-Schmidt in the inner product of A.
        let mut s = numbers.vector(N);
        for d in &directions {
            let share = dot(&hessian.times(d), &s) / dot(&hessian.times(d), d);
            s.iter_mut().zip(d).for_each(|(s, d)| *s -= share * d);
        }
        assert!(matches!(push(&mut matrix, &s, &hessian.times(&s)), PairOutcome::Stored { .. }));
        directions.push(s);
    }
    let x = numbers.vector(N);
    // Condition number 10, and Gram-Schmidt without a second pass.
    assert_close(&[apply(&matrix, &hessian.times(&x))], &[x], 1e-9, "H A x");
}

#[test]
fn a_skipped_pair_and_a_reset_leave_what_the_dense_recursion_has() {
    let hessian = Dense::new(9, 10.0, 5);
    let mut matrix = InverseLBfgs::new(3);
    let mut numbers = Numbers::new(6);
    for round in 0..3 {
        for _ in 0..5 {
            let s = numbers.vector(9);
            let y = hessian.times(&s);
            let before = apply(&matrix, &s);
            let negative: Vec<f64> = y.iter().map(|y| -y).collect();
            assert!(matches!(push(&mut matrix, &s, &negative), PairOutcome::Skipped(_)));
            assert_eq!(apply(&matrix, &s), before, "a skipped pair changes nothing");
            assert!(matches!(push(&mut matrix, &s, &y), PairOutcome::Stored { .. }));
            assert_close(&[apply(&matrix, &y)], &[s], 1e-12, "the secant equation");
        }
        assert_eq!(matrix.len(), 3);
        if round == 1 {
            matrix.reset();
            let g = numbers.vector(9);
            assert_eq!(apply(&matrix, &g), g);
        }
    }
}

#[test]
fn with_an_exact_search_every_memory_gives_the_conjugate_gradient_iterates() {
    // The library's search is inexact, so the exact step is the rate: t = -g.d / d.Ad.
    const N: usize = 9;
    let hessian = Dense::new(N, 10.0, 7);
    let b = Numbers::new(8).vector(N);
    for memory in [1, 2, 9] {
        let mut matrix = InverseLBfgs::new(memory);
        let (mut x, mut r) = (vec![0.0; N], b.clone());
        let (mut p, mut y) = (r.clone(), vec![0.0; N]);
        for step in 0..6 {
            let g: Vec<f64> = hessian.times(&y).iter().zip(&b).map(|(ay, b)| ay - b).collect();
            let d: Vec<f64> = apply(&matrix, &g).iter().map(|d| -d).collect();
            let ad = hessian.times(&d);
            let t = -dot(&g, &d) / dot(&d, &ad);
            let s: Vec<f64> = d.iter().map(|d| t * d).collect();
            y.iter_mut().zip(&s).for_each(|(y, s)| *y += s);
            push(&mut matrix, &s, &hessian.times(&s));
            // Conjugate gradients, Hestenes and Stiefel 1952.
            let ap = hessian.times(&p);
            let alpha = dot(&r, &r) / dot(&p, &ap);
            x.iter_mut().zip(&p).for_each(|(x, p)| *x += alpha * p);
            let rr = dot(&r, &r);
            r.iter_mut().zip(&ap).for_each(|(r, ap)| *r -= alpha * ap);
            let beta = dot(&r, &r) / rr;
            p = r.iter().zip(&p).map(|(r, p)| r + beta * p).collect();
            assert_close(&[y.clone()], &[x.clone()], 1e-9, &format!("memory {memory}, {step}"));
        }
    }
}

/// sum (x - log x): minimum at 1, NaN for x < 0.
struct Barrier {
    evaluations: usize,
}

impl Function for Barrier {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.evaluations += 1;
        gradient.iter_mut().zip(x).for_each(|(g, x)| {
            *g = if *x < 0.0 { f64::NAN } else { 1.0 - 1.0 / x };
        });
        x.iter().map(|x| x - x.ln()).sum()
    }
}

#[test]
fn a_region_of_nan_next_to_the_path_is_survived_and_reported_by_every_method_that_searches() {
    let new = LBfgsConfig::new();
    let torch = LBfgsConfig::torch().with_line_search(LineSearch::StrongWolfe);
    let configs = [
        ("strong wolfe", new),
        ("armijo", new.with_line_search(LineSearch::Armijo)),
        ("torch", torch.with_max_iter(1).with_tolerance_grad(1e-12)),
        ("full batch", new.with_full_batch(true)),
    ];
    for (name, config) in configs {
        let mut optimizer = config.init().expect("valid");
        // Far from the minimum the first steps jump over zero.
        let mut x = vec![30.0, 0.01, 7.0];
        let (mut function, mut met, mut evaluations) = (Barrier { evaluations: 0 }, 0, 0);
        for _ in 0..60 {
            let report = optimizer.step_function(40.0, &mut x, &mut function).expect("a step");
            evaluations += report.evals.gradient + report.evals.loss;
            met += usize::from(report.line_search.is_some_and(|search| search.met_non_finite));
            assert!(x.iter().all(|x| x.is_finite() && *x > 0.0), "{name}: {x:?}");
        }
        assert!(met > 0, "{name}: the region was never met");
        // To the square root of the precision of values; PyTorch's rules stop at changes below 1e-9.
        let tolerance = if name == "torch" { 1e-4 } else { 1e-6 };
        assert!(x.iter().all(|x| (x - 1.0).abs() < tolerance), "{name}: {x:?}");
        assert_eq!(function.evaluations as u64, evaluations, "{name}");
    }
}

#[test]
fn a_search_in_single_precision_goes_on_where_values_cannot_tell_points_apart() {
    // At a value of 1000 a decrease below 6e-5 is lost in rounding: |x| < 0.008 with curvature 1.
    let start = Numbers::new(5).vectors(&[20]);
    let loss = |model: &Many| {
        let curvature: Vectors = vec![(1..=20).map(f64::from).collect()];
        model.quadratic(&curvature, &[vec![0.0; 20]]).add_scalar(1000.0)
    };
    let largest = |model: &Many| model.values()[0].iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let mut model = Many::new(&start, DType::F32);
    let mut optimizer = LBfgsConfig::new().init().expect("valid");
    for _ in 0..40 {
        let _ = optimizer.step(1.0, &mut model, loss).expect("a step");
    }
    assert!(largest(&model) < 1e-4, "{}", largest(&model));
}

#[test]
fn a_search_cannot_have_clipping_several_rates_or_decoupled_decay() {
    let refused = LBfgsConfig::new().init().expect("valid");
    let clipped = refused.with_clipping(secant::Clipping::GlobalNorm(1.0));
    assert!(matches!(clipped, Err(ConfigError::Conflict { method: "l-bfgs", .. })));

    let mut model = Many::f64(&[vec![1.0; 2], vec![2.0; 3]]);
    let loss = |m: &Many| m.quadratic(&[vec![1.0; 2], vec![1.0; 3]], &[vec![0.0; 2], vec![0.0; 3]]);
    let config = LBfgsConfig::new().with_decay(secant::Decay::Decoupled(0.1));
    let error = config.init().expect("valid").step(1.0, &mut model, loss);
    assert!(matches!(error, Err(StepError::DecayOutsideObjective { .. })), "{error:?}");
    let group = secant::Group::new(burn::module::ParamGroup::from_predicate("tensors.1"));
    let optimizer = LBfgsConfig::new().init().expect("valid");
    let mut optimizer = optimizer.with_group(group.with_rate_factor(0.5)).expect("valid");
    let error = optimizer.step(1.0, &mut model, loss);
    assert!(matches!(error, Err(StepError::SeveralRates { .. })), "{error:?}");
}

#[test]
fn decay_is_part_of_the_function_that_is_searched() {
    // x'ax/2 + b'x + wd/2 x'x has its minimum at -b / (a + wd).
    let (a, b, wd) = (vec![vec![1.0, 3.0]], vec![vec![2.0, -4.0]], 0.5);
    let mut model = Many::f64(&[vec![5.0, 5.0]]);
    let config = LBfgsConfig::new().with_decay(secant::Decay::L2(wd));
    let mut optimizer = config.init().expect("valid");
    for _ in 0..15 {
        let _ = optimizer.step(1.0, &mut model, |m: &Many| m.quadratic(&a, &b)).expect("a step");
    }
    assert_close(&model.values(), &[vec![-2.0 / 1.5, 4.0 / 3.5]], 1e-8, "the minimum");
}

#[test]
fn a_full_batch_run_evaluates_no_point_twice_and_goes_the_same_way() {
    let function = || Quadratic(Dense::new(9, 30.0, 2), Numbers::new(3).vector(9));
    let run = |full_batch: bool| {
        let mut optimizer = LBfgsConfig::new().with_full_batch(full_batch).init().expect("valid");
        let (mut x, mut function, mut gradients) = (vec![1.0; 9], function(), 0);
        for _ in 0..12 {
            let report = optimizer.step_function(1.0, &mut x, &mut function).expect("a step");
            gradients += report.evals.gradient;
        }
        (x, gradients)
    };
    let ((x, with), (y, without)) = (run(true), run(false));
    assert_eq!(x, y);
    assert_eq!(with + 11, without, "11 first gradients are known from the step before");
}

#[test]
fn pytorchs_rules_without_a_search_stop_before_a_nan() {
    let config = LBfgsConfig::torch().with_tolerance_grad(0.0);
    assert_eq!(config.build().validate(), Ok(()));
    let mut optimizer = config.init().expect("valid");
    let mut x = vec![0.5];
    for _ in 0..20 {
        let _ =
            optimizer.step_function(0.9, &mut x, &mut Barrier { evaluations: 0 }).expect("a step");
        assert!(x[0].is_finite());
    }
    let both = config.with_damping(Some(0.2)).with_rules(Rules::Torch).init();
    assert!(matches!(both, Err(ConfigError::Conflict { .. })));
}

/// The mean over records r of (x - a_r)' D_r (x - a_r) / 2, whose gradients differ from record to record.
struct Records {
    curvature: Vectors,
    centre: Vectors,
}

impl Records {
    fn new(records: usize, length: usize) -> Self {
        let mut numbers = Numbers::new(17);
        let curvature =
            (0..records).map(|_| numbers.vector(length).iter().map(|x| 1.5 + x).collect());
        let curvature = curvature.collect();
        Self { curvature, centre: (0..records).map(|_| numbers.vector(length)).collect() }
    }

    fn loss(&self, model: &Many, records: &[usize]) -> Tensor<1> {
        let x = model.tensors[0].val();
        let terms = records.iter().map(|r| {
            let away = x.clone() - vector(&self.centre[*r], DType::F64);
            (away.clone() * away * vector(&self.curvature[*r], DType::F64)).sum()
        });
        crate::support::sum(terms).mul_scalar(0.5 / records.len() as f64)
    }

    fn gradient(&self, x: &[f64], records: &[usize]) -> Vec<f64> {
        let mut g = vec![0.0; x.len()];
        for r in records {
            for (i, g) in g.iter_mut().enumerate() {
                *g += self.curvature[*r][i] * (x[i] - self.centre[*r][i]) / records.len() as f64;
            }
        }
        g
    }

    fn minimum(&self) -> Vec<f64> {
        let sum = |i: usize, f: &dyn Fn(usize) -> f64| {
            (0..self.centre.len()).map(|r| self.curvature[r][i] * f(r)).sum::<f64>()
        };
        (0..self.centre[0].len())
            .map(|i| sum(i, &|r| self.centre[r][i]) / sum(i, &|_| 1.0))
            .collect()
    }
}

fn step_on<K: Method>(
    optimizer: &mut Optimizer<K>,
    lr: f64,
    model: &mut Many,
    batches: &mut Batches,
    data: &Records,
) -> secant::StepReport {
    let report = optimizer
        .step_on(lr, model, batches, |model: &Many, records: &[usize]| data.loss(model, records));
    report.expect("the contract is kept")
}

#[test]
fn at_its_snapshot_svrg_steps_along_the_full_gradient_and_its_estimate_has_no_bias() {
    let data = Records::new(12, 4);
    let all: Vec<usize> = (0..12).collect();
    let start = Numbers::new(1).vector(4);
    let mut model = Many::f64(std::slice::from_ref(&start));
    let mut batches = Batches::shuffled(12, 3, 5).expect("valid");
    let mut optimizer = SvrgConfig::new(5).init().expect("valid");
    let report = step_on(&mut optimizer, 0.1, &mut model, &mut batches, &data);
    let full = data.gradient(&start, &all);
    let expected: Vec<f64> = start.iter().zip(&full).map(|(x, g)| x - 0.1 * g).collect();
    assert_close(&model.values(), &[expected], 1e-14, "the snapshot's step");
    // The batch's gradient, and all records in four parts.
    assert_eq!(report.evals.gradient, 5);

    // Over the batches of a partition, the estimates' mean is the full gradient.
    let theta = model.values()[0].clone();
    let mut moved = vec![0.0; 4];
    for part in all.chunks(3) {
        let mut listed = Batches::listed(12, vec![part.to_vec()]).expect("valid");
        let (mut model, mut optimizer) = (model.clone(), optimizer.clone());
        let report = step_on(&mut optimizer, 0.1, &mut model, &mut listed, &data);
        assert_eq!(report.evals.gradient, 2);
        let new = &model.values()[0];
        moved.iter_mut().zip(new.iter().zip(&theta)).for_each(|(m, (a, b))| *m += 0.25 * (a - b));
    }
    let expected: Vec<f64> = data.gradient(&theta, &all).iter().map(|g| -0.1 * g).collect();
    assert_close(&[moved], &[expected], 1e-12, "the mean step");
}

#[test]
fn svrg_converges_to_the_minimum_at_a_constant_rate_where_sgd_only_hovers() {
    let data = Records::new(12, 4);
    let distance = |model: &Many| {
        let values = &model.values()[0];
        values.iter().zip(data.minimum()).map(|(x, m)| (x - m).powi(2)).sum::<f64>().sqrt()
    };
    let run = |svrg: bool| {
        let mut model = Many::f64(&[vec![2.0; 4]]);
        let mut batches = Batches::shuffled(12, 2, 5).expect("valid");
        let mut with = SvrgConfig::new(6).init().expect("valid");
        let mut without = secant::SgdConfig::new().init().expect("valid");
        for _ in 0..300 {
            let _ = if svrg {
                step_on(&mut with, 0.2, &mut model, &mut batches, &data)
            } else {
                step_on(&mut without, 0.2, &mut model, &mut batches, &data)
            };
        }
        distance(&model)
    };
    assert!(run(true) < 1e-8, "{}", run(true));
    assert!(run(false) > 1e-3, "{}", run(false));
}

/// a/2 |x|^2.
struct Isotropic(f64);

impl Function for Isotropic {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g = self.0 * x);
        0.5 * self.0 * dot(x, x)
    }
}

#[test]
fn barzilai_borwein_rates_on_an_isotropic_quadratic_are_those_of_the_specification() {
    let (a, lr) = (4.0, 0.05);
    let none = secant::Safeguard::None;
    let config = SgdBbConfig::new(1).with_beta(Some(1.0)).with_safeguard(none);
    let mut optimizer = config.init().expect("valid");
    let mut x = vec![1.0, -2.0];
    let mut rates = Vec::new();
    for _ in 0..3 {
        let report = optimizer.step_function(lr, &mut x, &mut Isotropic(a)).expect("a step");
        rates.push(report.step_size.expect("its own"));
    }
    assert_eq!(rates[..2], [lr, lr]);
    // Averages before the epoch's end against displacements to its end: |1 - lr a| / a, not 1 / a.
    assert!((rates[2] - (1.0 - lr * a).abs() / a).abs() < 1e-15);

    let config = SvrgConfig::new(3).with_barzilai_borwein(true);
    let mut optimizer = config.init().expect("valid");
    let mut x = vec![1.0, -2.0];
    for step in 0..9 {
        let report = optimizer.step_function(lr, &mut x, &mut Isotropic(a)).expect("a step");
        let rate = report.step_size.expect("its own");
        let expected = if step < 3 { lr } else { 1.0 / (3.0 * a) };
        assert!((rate - expected).abs() < 1e-15, "step {step}: {rate}");
    }
}

#[test]
fn multi_batch_pairs_are_of_what_consecutive_batches_share() {
    let data = Records::new(40, 4);
    let mut model = Many::f64(&[vec![2.0; 4]]);
    let mut batches = Batches::shuffled(40, 8, 5).expect("valid").with_overlap(2).expect("valid");
    let mut optimizer = MultiBatchLBfgsConfig::new().with_memory(4).init().expect("valid");
    let mut seen: Vec<Vec<usize>> = Vec::new();
    for step in 0..6 {
        let mut calls = Vec::new();
        let report = optimizer
            .step_on(0.3, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                calls.push(records.to_vec());
                data.loss(model, records)
            })
            .expect("a step");
        // The first step looks for randomness twice.
        let calls = calls.split_off(if step == 0 { 2 } else { 0 });
        let sizes: Vec<usize> = calls.iter().map(Vec::len).collect();
        assert_eq!(sizes, [8, 2, 2], "the batch, and what it shares at both points");
        assert_eq!((&calls[1], &calls[2]), (&calls[0][6..].to_vec(), &calls[0][6..].to_vec()));
        if let Some(before) = seen.last() {
            assert_eq!(calls[0][..2], before[6..]);
        }
        assert!(matches!(report.pair, PairOutcome::Stored { .. }), "{report:?}");
        seen.push(calls[0].clone());
    }
}

#[test]
fn sqn_takes_curvature_from_an_independent_sample_every_so_many_steps() {
    let data = Records::new(40, 4);
    let mut model = Many::f64(&[vec![2.0; 4]]);
    let mut batches = Batches::shuffled(40, 4, 5).expect("valid");
    let mut optimizer = SqnConfig::new(10).with_curvature_every(3).init().expect("valid");
    for step in 1..=12 {
        let mut sizes = Vec::new();
        let report = optimizer
            .step_on(0.1, &mut model, &mut batches, |model: &Many, records: &[usize]| {
                sizes.push(records.len());
                data.loss(model, records)
            })
            .expect("a step");
        let sizes = sizes.split_off(if step == 1 { 2 } else { 0 });
        let has_pair = step % 3 == 0 && step > 3;
        // By differences: the gradient, and one to each side, of the sample.
        let expected: &[usize] = if has_pair { &[4, 10, 10, 10] } else { &[4] };
        assert_eq!(sizes, expected, "step {step}");
        assert_eq!(matches!(report.pair, PairOutcome::Stored { .. }), has_pair, "step {step}");
    }
}

#[test]
fn the_position_of_the_batches_is_part_of_a_record() {
    let path = std::env::temp_dir().join(format!("secant-batches-{}.bpk", std::process::id()));
    let data = Records::new(20, 4);
    let fresh = || Batches::shuffled(20, 6, 3).expect("valid").with_overlap(2).expect("valid");
    let config = SqnConfig::new(7).with_curvature_every(2);
    let (mut model, mut batches) = (Many::f64(&[vec![2.0; 4]]), fresh());
    let mut whole = config.init().expect("valid");
    for _ in 0..9 {
        whole.save(&path).expect("saved");
        let mut resumed = config.init().expect("valid");
        let mut other = Many::f64(&model.values());
        resumed.load(&path, &other).expect("loaded");
        let (mut same, mut again, mut unbroken) = (whole.clone(), fresh(), batches.clone());
        let mut reference = model.clone();
        for _ in 0..5 {
            let _ = step_on(&mut resumed, 0.1, &mut other, &mut again, &data);
            let _ = step_on(&mut same, 0.1, &mut reference, &mut unbroken, &data);
        }
        assert_eq!(other.bits(), reference.bits());
        let _ = step_on(&mut whole, 0.1, &mut model, &mut batches, &data);
    }
    whole.save(&path).expect("saved");
    let mut resumed = config.init().expect("valid");
    resumed.load(&path, &model).expect("loaded");
    let mut wrong = Batches::shuffled(20, 5, 3).expect("valid");
    let error =
        resumed.step_on(0.1, &mut model, &mut wrong, |m: &Many, r: &[usize]| data.loss(m, r));
    assert_eq!(error, Err(StepError::OtherBatches));
    std::fs::remove_file(path).expect("ours");
}

#[test]
fn a_step_on_a_function_is_the_step_on_a_module_with_that_loss() {
    let noisy = Noisy::new(&[7], 1, 0.5);
    struct OfNoisy<'a>(&'a Noisy);
    impl Function for OfNoisy<'_> {
        fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
            let theta = [x.to_vec()];
            gradient.copy_from_slice(&self.0.gradient(&theta, 0)[0]);
            self.0.value(&theta, 0)
        }
    }
    let mut model = Many::f64(&noisy.start);
    let mut x = noisy.start[0].clone();
    let mut of_module = SdLBfgsConfig::new().init().expect("valid");
    let mut of_function = of_module.clone();
    for _ in 0..8 {
        let a = of_module.step(0.3, &mut model, |m: &Many| noisy.loss(m, 0)).expect("a step");
        let b = of_function.step_function(0.3, &mut x, &mut OfNoisy(&noisy)).expect("a step");
        assert_eq!((a.outcome, b.outcome), (Outcome::Accepted, Outcome::Accepted));
        assert_close(&model.values(), &[x.clone()], 1e-12, "the point");
    }
    let error = of_function.step_function(0.3, &mut vec![1.0], &mut OfNoisy(&noisy));
    assert!(matches!(error, Err(StepError::LayoutChanged { .. })));
}

/// Two layers with tanh or ReLU between them, on duals.
#[derive(Module, Debug)]
struct Duals {
    hidden: Param<Tensor<2>>,
    output: Param<Tensor<2>>,
    kinked: bool,
}

impl Duals {
    fn new(kinked: bool, dtype: DType) -> Self {
        let mut numbers = Numbers::new(3);
        let mut matrix = |rows: usize, columns: usize| {
            let values = vector(&numbers.vector(rows * columns), dtype);
            Param::from_tensor(values.reshape([rows, columns]).detach())
        };
        Self { hidden: matrix(3, 40), output: matrix(40, 2), kinked }
    }

    fn loss(&self, at: &Tangents) -> Dual<1> {
        let dtype = self.hidden.val().dtype();
        let (x, y) = Net::data(0, dtype);
        let x = Dual::from(x).matmul(at.param(&self.hidden));
        let x = if self.kinked { x.relu() } else { x.tanh() };
        x.matmul(at.param(&self.output)).mse(y)
    }

    fn values(&self) -> Vectors {
        vec![numbers(self.hidden.val()), numbers(self.output.val())]
    }
}

#[test]
fn differences_are_refused_on_a_kinked_network_and_taken_on_a_smooth_one() {
    for dtype in [DType::F32, DType::F64] {
        let plain = |model: &Duals| model.loss(&Tangents::none()).value;
        let mut model = Duals::new(true, dtype);
        let before = model.values();
        // With a large eps a step shows the error of D itself, and not that of its smallest entries.
        let mut optimizer = AdaHessianConfig::new().with_epsilon(1.0).init().expect("valid");
        // Double precision takes so small a step that no unit may cross its kink: then the
        // differences are right, and there is nothing to refuse.
        if dtype == DType::F32 {
            let error = optimizer.step(0.1, &mut model, plain);
            assert!(matches!(error, Err(StepError::Kinks { .. })), "{error:?}");
            assert_eq!(model.values(), before);
            let mut allowed = AdaHessianConfig::new().init().expect("valid").allow_differences();
            assert!(allowed.step(0.1, &mut model, plain).is_ok_and(|r| r.is_accepted()));
        }
        let mut smooth = Duals::new(false, dtype);
        for _ in 0..5 {
            let mut exact = smooth.clone();
            let mut with_duals = optimizer.clone();
            let dual =
                with_duals.step(0.1, &mut exact, OnDuals(|m: &Duals, at: &Tangents| m.loss(at)));
            let report = dual.expect("a step");
            assert!(report.evals.hessian_vector == 1, "{report:?}");
            let report = optimizer
                .step(0.1, &mut smooth, |m: &Duals| m.loss(&Tangents::none()).value)
                .expect("a smooth network");
            assert!(report.is_accepted());
            // The product's error by differences: 2e-4 in single precision, 1e-9 in double.
            let tolerance = if dtype == DType::F32 { 1e-3 } else { 1e-8 };
            assert_close(&smooth.values(), &exact.values(), tolerance, "a step by differences");
        }
    }
}

#[test]
fn a_users_own_product_is_taken_as_it_is() {
    // f = sum a x^2 / 2, whose product with z is a z: the first step is theta - lr g / (a + eps).
    let a = [vec![2.0, 5.0, 0.5]];
    let zero = [vec![0.0; 3]];
    let mut model = Many::f64(&[vec![1.0, -1.0, 3.0]]);
    let mut optimizer = AdaHessianConfig::new().init().expect("valid");
    let mut products = 0;
    let report = optimizer
        .step(
            0.1,
            &mut model,
            WithProduct(
                |m: &Many| m.quadratic(&a, &zero),
                |m: &Many, v: &burn::optim::GradientsParams| {
                    products += 1;
                    let id = m.tensors[0].id;
                    let z = v.get::<1>(id).expect("an entry");
                    let mut product = burn::optim::GradientsParams::new();
                    let curvature = Tensor::from_data(
                        TensorData::new(a[0].clone(), [3]),
                        (&device().inner(), DType::F64),
                    );
                    product.register(id, z * curvature);
                    product
                },
            ),
        )
        .expect("a step");
    assert_eq!((products, report.evals.hessian_vector), (1, 1));
    let expected: Vec<f64> =
        [1.0f64, -1.0, 3.0].iter().zip(&a[0]).map(|(x, a)| x - 0.1 * a * x / (a + 1e-4)).collect();
    assert_close(&model.values(), &[expected], 1e-14, "the first step");
}

#[test]
fn adahessian_with_unit_rate_and_no_averages_is_newtons_method_on_a_diagonal_quadratic() {
    let hessian = Dense { rows: vec![vec![4.0, 0.0], vec![0.0, 0.5]] };
    let mut function = Quadratic(hessian, vec![1.0, 2.0]);
    let config = AdaHessianConfig::new().with_beta_1(0.0).with_beta_2(0.0).with_epsilon(1e-14);
    let mut optimizer = config.init().expect("valid");
    let mut x = vec![7.0, -3.0];
    let report = optimizer.step_function(1.0, &mut x, &mut function).expect("a step");
    assert_eq!(report.evals.hessian_vector, 1);
    assert_close(&[x], &[vec![0.25, 4.0]], 1e-12, "the minimum after one step");
}
