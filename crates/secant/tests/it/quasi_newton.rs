//! The mathematics of the methods that keep pairs.

use burn::tensor::{DType, TensorData};
use secant::{
    CurvatureTest, Function, LBfgsConfig, LineSearch, Outcome, PairOutcome, Rules, SdLBfgsConfig,
    blocks::Blocks,
    error::{ConfigError, StepError},
    operator::{InverseLBfgs, Scaling},
    protocol::Method,
};
use secant_core::curvature::PairProducts;

use crate::{
    support::{Many, Numbers, Vectors, assert_close},
    twins::Noisy,
};

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
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
pub(crate) struct Dense {
    pub rows: Vectors,
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
pub(crate) struct Quadratic(pub Dense, pub Vec<f64>);

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
    let outside = secant::Decay::Decoupled(0.1);
    let config = LBfgsConfig::new().with_decay(outside);
    assert!(matches!(config.init(), Err(ConfigError::Conflict { method: "l-bfgs", .. })));
    let decayed = secant::Group::new(burn::module::ParamGroup::from_predicate("tensors.1"));
    let optimizer = LBfgsConfig::new().init().expect("valid");
    let optimizer = optimizer.with_group(decayed.with_decay(outside));
    let error = optimizer.expect("valid").step(1.0, &mut model, loss);
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
