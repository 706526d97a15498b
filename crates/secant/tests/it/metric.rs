//! Quasi-Newton methods in Adam's diagonal metric, and self-scaled L-BFGS, beside dense matrices.

use burn::tensor::DType;
use secant::{
    AdamMetric, AnyOptimizer, Function, FunctionOptimizer, InitialMatrix, LBfgsConfig,
    LSsr1TrConfig, LineSearch, MbLsr1Config, Outcome, PairOutcome,
};

use crate::{layers::Layers, support::Numbers};

const N: usize = 5;
type Vector = [f64; N];
type Matrix = [Vector; N];

/// The curvature along each axis; neighbours are coupled besides.
const CURVATURE: Vector = [1.0, 300.0, 0.02, 9.0, 40.0];

/// x.Ax/2 + cos of each, badly scaled.
struct Waves;

impl Function for Waves {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for i in 0..N {
            let beside =
                if i + 1 < N { x[i + 1] } else { 0.0 } + if i > 0 { x[i - 1] } else { 0.0 };
            gradient[i] = CURVATURE[i] * x[i] + 0.1 * beside - 0.5 * x[i].sin();
            value += x[i] * (0.5 * CURVATURE[i] * x[i] + 0.05 * beside) + 0.5 * x[i].cos();
        }
        value
    }
}

fn gradient(x: &[f64]) -> Vector {
    let mut g = [0.0; N];
    Waves.gradient(x, &mut g);
    g
}

fn dot(a: &Vector, b: &Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn times(a: &Matrix, x: &Vector) -> Vector {
    std::array::from_fn(|i| dot(&a[i], x))
}

fn minus(a: &[f64], b: &[f64]) -> Vector {
    std::array::from_fn(|i| a[i] - b[i])
}

/// The diagonal matrix D: squares of powers of 2, from the gradients so far.
fn metric(config: AdamMetric, gradients: &[Vector]) -> Vector {
    let mut v = [0.0; N];
    for g in gradients {
        v = std::array::from_fn(|i| config.beta_2 * v[i] + (1.0 - config.beta_2) * g[i] * g[i]);
    }
    let r = (v.iter().sum::<f64>() / N as f64).sqrt();
    v.map(|v| (0.5 * (v.sqrt() / r + config.epsilon).log2()).round().exp2().powi(2))
}

const EVERY_STEP: AdamMetric = AdamMetric { beta_2: 0.7, epsilon: 0.01, every: 1 };

const START: Vector = [3.0, -1.0, 5.0, 0.7, -0.4];

fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64) {
    let largest = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    for (a, e) in actual.iter().zip(expected) {
        assert!((a - e).abs() <= tolerance * largest, "{actual:?} is not {expected:?}");
    }
}

/// H <- growth V'HV + rho s s', the BFGS update.
fn bfgs(h: &mut Matrix, s: &Vector, y: &Vector, growth: f64) {
    h.iter_mut().flatten().for_each(|entry| *entry *= growth);
    let (rho, hy) = (1.0 / dot(s, y), times(h, y));
    let scale = rho * (1.0 + rho * dot(y, &hy));
    for i in 0..N {
        for j in 0..N {
            h[i][j] += scale * s[i] * s[j] - rho * (hy[i] * s[j] + s[i] * hy[j]);
        }
    }
}

/// L-BFGS with the step length 0.8 beside its dense twin: H from gamma D^-1 by the pairs in memory.
fn l_bfgs_is_its_dense_twin(
    config: LBfgsConfig,
    in_metric: Option<AdamMetric>,
    self_scaling: bool,
) {
    const RATE: f64 = 0.8;
    let config = config
        .with_line_search(LineSearch::None)
        .with_history_size(3)
        .with_metric(in_metric)
        .with_self_scaling(self_scaling);
    let mut optimizer: FunctionOptimizer = config.init().expect("valid").into();
    let (mut x, mut gradients) = (START.to_vec(), Vec::new());
    let mut pairs: Vec<(Vector, Vector, f64)> = Vec::new();
    let (mut d, mut grew) = ([1.0; N], 0);
    for step in 0..8 {
        let g = gradient(&x);
        // After the steps 1 and 2, and then after every so many.
        if let Some(config) =
            in_metric.filter(|c| [1, 2].contains(&step) || step > 0 && step % c.every == 0)
        {
            d = metric(config, &gradients);
        }
        let gamma = pairs
            .last()
            .map_or(1.0, |(s, y, _)| dot(s, y) / (0..N).map(|i| y[i] * y[i] / d[i]).sum::<f64>());
        let diagonal = |i: usize, j: usize| if i == j { gamma / d[i] } else { 0.0 };
        let mut h: Matrix = std::array::from_fn(|i| std::array::from_fn(|j| diagonal(i, j)));
        pairs.iter().for_each(|(s, y, growth)| bfgs(&mut h, s, y, *growth));
        let direction = times(&h, &g);
        let rate = if step == 0 { RATE * (1.0 / dot(&g, &g).sqrt()).min(1.0) } else { RATE };
        let expected: Vector = std::array::from_fn(|i| x[i] - rate * direction[i]);
        let before = x.clone();
        let report = optimizer.step_function(RATE, &mut x, &mut Waves).expect("a step");
        assert_eq!(report.outcome, Outcome::Accepted);
        assert_close(&x, &expected, 1e-9);
        let (s, y) = (minus(&x, &before), minus(&gradient(&x), &g));
        let stretch = -rate * dot(&s, &g) / dot(&s, &y);
        let scales = self_scaling && !pairs.is_empty() && stretch > 1.0;
        grew += u32::from(scales);
        pairs.push((s, y, if scales { stretch } else { 1.0 }));
        if pairs.len() > 3 {
            pairs.remove(0);
        }
        gradients.push(gradient(&x));
    }
    assert_eq!(grew > 0, self_scaling);
}

#[test]
fn l_bfgs_in_a_metric_is_bfgs_from_the_inverse_of_adam_s_diagonal() {
    l_bfgs_is_its_dense_twin(LBfgsConfig::new(), Some(EVERY_STEP), false);
    let every_third = Some(AdamMetric { every: 3, ..EVERY_STEP });
    l_bfgs_is_its_dense_twin(LBfgsConfig::new().with_full_batch(true), every_third, false);
}

#[test]
fn self_scaled_l_bfgs_is_al_baali_s_update() {
    l_bfgs_is_its_dense_twin(LBfgsConfig::new(), None, true);
    l_bfgs_is_its_dense_twin(LBfgsConfig::new(), Some(EVERY_STEP), true);
}

/// x^2 / 20
struct Flat;

impl Function for Flat {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient[0] = 0.1 * x[0];
        0.05 * x[0] * x[0]
    }
}

#[test]
fn a_damped_pair_knows_how_far_the_first_step_went_without_a_search() {
    let config = LBfgsConfig::new().with_line_search(LineSearch::None).with_damping(Some(0.2));
    let mut optimizer: FunctionOptimizer = config.init().expect("valid").into();
    let mut x = vec![100.0];
    let report = optimizer.step_function(1.0, &mut x, &mut Flat).expect("a step");
    // |g| = 10, so that s = -g / 10; B s = s and s.y = s.s / 10: the pair is moved to s.y = 0.2 s.Bs.
    assert!((x[0] - 99.0).abs() < 1e-12, "{x:?}");
    let PairOutcome::Damped { theta } = report.pair else { panic!("{report:?}") };
    assert!((theta - 0.8 / 0.9).abs() < 1e-12, "{theta}");
    let _ = optimizer.step_function(1.0, &mut x, &mut Flat).expect("a step");
    assert!((x[0] - (99.0 - 9.9 / 0.2)).abs() < 1e-10, "{x:?}");
}

/// B + r r' / r.s with r = y - B s, for pairs that pass the skipping rule.
fn sr1(b: &mut Matrix, s: &Vector, y: &Vector) {
    let r = minus(y, &times(b, s));
    let product = dot(&r, s);
    for i in 0..N {
        for j in 0..N {
            b[i][j] += r[i] * r[j] / product;
        }
    }
}

#[test]
fn a_trust_region_step_in_a_metric_is_optimal_for_b_from_gamma_d() {
    let config = LSsr1TrConfig::full_batch()
        .with_initial_matrix(InitialMatrix::Constant)
        .with_gamma(2.0)
        .with_memory(12)
        .with_delta0(0.3)
        .with_metric(Some(EVERY_STEP));
    let mut optimizer: FunctionOptimizer = config.init().expect("valid").into();
    let (mut x, mut gradients) = (START.to_vec(), Vec::new());
    let mut pairs: Vec<(Vector, Vector)> = Vec::new();
    let (mut at_the_boundary, mut inside) = (0, 0);
    for step in 0..12 {
        let g = gradient(&x);
        let d = if step == 0 { [1.0; N] } else { metric(EVERY_STEP, &gradients) };
        let diagonal = |i: usize, j: usize| if i == j { 2.0 * d[i] } else { 0.0 };
        let mut b: Matrix = std::array::from_fn(|i| std::array::from_fn(|j| diagonal(i, j)));
        pairs.iter().for_each(|(s, y)| sr1(&mut b, s, y));
        let before = x.clone();
        let report = optimizer.step_function(1.0, &mut x, &mut Waves).expect("a step");
        let (region, search) =
            (report.trust_region.expect("one"), report.line_search.expect("one"));
        assert_eq!(region.pairs_skipped, 0, "the twin leaves no pair out");
        // p is a part of the way gone. (B + sigma D) p = -g, and |p| is its length in the metric.
        let s = minus(&x, &before);
        let p = s.map(|s| s / search.step_length);
        let held: Vector = std::array::from_fn(|i| times(&b, &p)[i] + region.sigma * d[i] * p[i]);
        assert_close(&held, &g.map(|g| -g), 1e-6);
        let length = (0..N).map(|i| d[i] * p[i] * p[i]).sum::<f64>().sqrt();
        assert!(length <= region.radius * (1.0 + 1e-9));
        let reaches = length >= region.radius * (1.0 - 1e-9);
        assert!(reaches || region.sigma == 0.0);
        at_the_boundary += u32::from(reaches);
        inside += u32::from(!reaches);
        pairs.push((s, minus(&gradient(&x), &g)));
        gradients.push(gradient(&x));
    }
    assert!(at_the_boundary > 2 && inside > 0, "{at_the_boundary}, {inside}");
}

#[test]
fn in_its_metric_each_method_finds_the_minimum() {
    let metric = Some(AdamMetric::default());
    let l_bfgs = LBfgsConfig::new().with_full_batch(true).with_metric(metric);
    let both = l_bfgs.with_self_scaling(true);
    let tr = LSsr1TrConfig::full_batch().with_metric(metric);
    let mb = MbLsr1Config::full_batch().with_metric(metric);
    let optimizers: [FunctionOptimizer; 4] = [
        l_bfgs.init().expect("valid").into(),
        both.init().expect("valid").into(),
        tr.init().expect("valid").into(),
        mb.init().expect("valid").into(),
    ];
    for mut optimizer in optimizers {
        let mut x = START.to_vec();
        let ended = (0..200).any(|_| {
            let report = optimizer.step_function(1.0, &mut x, &mut Waves).expect("a step");
            report.outcome == Outcome::Converged
        });
        let g = gradient(&x);
        assert!(ended && dot(&g, &g).sqrt() < 1e-6, "{x:?} {g:?}");
    }
}

#[test]
fn a_run_in_a_metric_goes_on_from_a_record_with_the_same_bits() {
    // D is made anew after the steps 1, 2, 4, 5 and 10.
    let metric = Some(AdamMetric { every: 5, epsilon: 0.01, beta_2: 0.9 });
    let l_bfgs = LBfgsConfig::new().with_metric(metric).with_self_scaling(true);
    let tr = LSsr1TrConfig::new().with_metric(metric);
    let mb = MbLsr1Config::new().with_metric(metric).with_check_snapshot(true);
    let make: [&dyn Fn() -> AnyOptimizer<Layers>; 3] =
        [&|| l_bfgs.init().expect("valid").into(), &|| tr.init().expect("valid").into(), &|| {
            mb.init().expect("valid").into()
        }];
    let sizes = [12, 5];
    let shapes = [vec![4, 3], vec![5]];
    for make in make {
        for dtype in [DType::F32, DType::F64] {
            let run = |stop: Option<u64>| {
                let mut model = Layers::new(&shapes, &Numbers::new(1).vectors(&sizes), dtype);
                let mut optimizer = make();
                for k in 0..12 {
                    if stop == Some(k) {
                        let bytes = optimizer.to_bytes().expect("a record");
                        optimizer = make();
                        optimizer.load_bytes(&bytes, &model).expect("of this method");
                    }
                    let target = Numbers::new(50 + k).vectors(&sizes);
                    let loss = |model: &Layers| model.distance(&target);
                    let _ = optimizer.step(1.0, &mut model, loss).expect("a step");
                }
                model.values()
            };
            let whole = run(None);
            for stop in [3, 7] {
                assert_eq!(run(Some(stop)), whole, "{}, {dtype:?}", make().method());
            }
        }
    }
}
