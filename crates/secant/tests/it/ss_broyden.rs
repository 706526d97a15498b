//! What theory says of dense quasi-Newton methods, and where theirs ends.

use secant::{
    Function, FunctionOptimizer, MethodSpec, Outcome, Rejection, SelfScaling, SsBroydenConfig,
};

const RULES: [SelfScaling; 5] = [
    SelfScaling::Bfgs,
    SelfScaling::SsbfgsOl,
    SelfScaling::SsbfgsAb,
    SelfScaling::Ssbroyden1,
    SelfScaling::Ssbroyden2,
];

/// x.Ax/2 - b.x with eigenvalues from 1 to 1e3 in a rotated basis.
struct Quadratic {
    a: Vec<Vec<f64>>,
    b: Vec<f64>,
}

impl Quadratic {
    fn new(n: usize) -> Self {
        // A reflection I - 2 vv'/v.v of a diagonal matrix.
        let v: Vec<f64> = (0..n).map(|i| 1.0 + (i as f64 * 0.7).sin()).collect();
        let square: f64 = v.iter().map(|v| v * v).sum();
        let value = |k: usize| 1e3f64.powf(k as f64 / (n - 1) as f64);
        // q D q = D - 2 (vu' + uv') + 4 (v.Dv) vv' / square^2 with u = Dv / square.
        let curvature: f64 = (0..n).map(|k| v[k] * value(k) * v[k]).sum();
        let u = |k: usize| value(k) * v[k] / square;
        let entry = |i: usize, j: usize| {
            let diagonal = if i == j { value(i) } else { 0.0 };
            diagonal - 2.0 * (v[i] * u(j) + u(i) * v[j])
                + 4.0 * curvature * v[i] * v[j] / (square * square)
        };
        let a = (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect();
        Self { a, b: (0..n).map(|i| 1.0 - 0.3 * i as f64).collect() }
    }
}

impl Function for Quadratic {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for (i, row) in self.a.iter().enumerate() {
            let product: f64 = row.iter().zip(x).map(|(a, x)| a * x).sum();
            gradient[i] = product - self.b[i];
            value += x[i] * (0.5 * product - self.b[i]);
        }
        value
    }
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The norm of the gradient after so many steps, over that at the start.
fn reduction(config: SsBroydenConfig, function: &mut impl Function, steps: usize, n: usize) -> f64 {
    let (mut x, mut gradient) = (vec![0.0; n], vec![0.0; n]);
    function.gradient(&x, &mut gradient);
    let start = norm(&gradient);
    let mut optimizer = config.with_full_batch(true).init().expect("in range");
    for _ in 0..steps {
        let report = optimizer.step_function(1.0, &mut x, function).expect("a step");
        assert!(report.is_accepted() || report.outcome == Outcome::Converged);
    }
    function.gradient(&x, &mut gradient);
    norm(&gradient) / start
}

#[test]
fn with_nearly_exact_searches_a_quadratic_of_n_parameters_takes_n_steps() {
    let n = 9;
    for rule in [SelfScaling::Bfgs, SelfScaling::Ssbroyden1, SelfScaling::Ssbroyden2] {
        let exact = SsBroydenConfig::new().with_rule(rule).with_c1(1e-12).with_c2(1e-9);
        let before = reduction(exact, &mut Quadratic::new(n), n - 1, n);
        let after = reduction(exact, &mut Quadratic::new(n), n, n);
        assert!(after < 1e-8 && before > 1e-5, "{rule:?}: {before:e}, then {after:e}");
    }
}

/// In 150 steps steepest descent reduces a gradient along the smallest of these curvatures by a quarter.
#[test]
fn every_rule_ends_far_sooner_than_steepest_descent() {
    let n = 30;
    for rule in RULES {
        let config = SsBroydenConfig::new().with_rule(rule);
        let left = reduction(config, &mut Quadratic::new(n), 150, n);
        assert!(left < 1e-6, "{rule:?}: {left:e}");
    }
}

#[test]
fn a_step_costs_about_one_gradient_where_the_function_stays_the_same() {
    let mut x = vec![0.0; 12];
    let mut function = Quadratic::new(12);
    let mut optimizer = SsBroydenConfig::new().with_full_batch(true).init().expect("in range");
    let mut trials = 0;
    for step in 0..20 {
        let report = optimizer.step_function(1.0, &mut x, &mut function).expect("a step");
        trials += report.line_search.map_or(0, |search| u64::from(search.trials));
        // The first step has no gradient from the one before.
        let first = u64::from(step == 0);
        let searched = report.line_search.map_or(0, |search| u64::from(search.trials));
        assert_eq!(report.evals.gradient, searched + first);
    }
    assert!(trials <= 30, "{trials}");
}

/// The matrix of 700 parameters is updated in several parts.
#[test]
fn one_and_two_threads_give_the_same_bits() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut x = vec![0.0; 700];
            let mut optimizer =
                SsBroydenConfig::new().with_full_batch(true).init().expect("in range");
            let mut function = Quadratic::new(700);
            for _ in 0..6 {
                let report = optimizer.step_function(1.0, &mut x, &mut function).expect("a step");
                assert!(report.is_accepted());
            }
            x
        })
    };
    assert!(run(1) == run(2));
}

/// A quadratic that can only be evaluated at some points.
struct Walled<'a> {
    inner: Quadratic,
    is_allowed: &'a dyn Fn(&[f64]) -> bool,
}

impl Function for Walled<'_> {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let value = self.inner.gradient(x, gradient);
        if (self.is_allowed)(x) { value } else { f64::NAN }
    }
}

fn walled(n: usize, is_allowed: &dyn Fn(&[f64]) -> bool) -> Walled<'_> {
    Walled { inner: Quadratic::new(n), is_allowed }
}

fn full_batch() -> FunctionOptimizer {
    let spec: MethodSpec = "ss-broyden(full_batch=true)".parse().expect("a method");
    spec.init().expect("in range")
}

#[test]
fn one_parameter_converges_by_every_rule() {
    struct Cosh;
    impl Function for Cosh {
        fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
            gradient[0] = (x[0] - 1.0).sinh();
            (x[0] - 1.0).cosh()
        }
    }
    for rule in RULES {
        let mut x = vec![4.0];
        let config = SsBroydenConfig::new().with_rule(rule).with_full_batch(true);
        let mut optimizer = config.init().expect("in range");
        for _ in 0..40 {
            let report = optimizer.step_function(1.0, &mut x, &mut Cosh).expect("a step");
            if report.outcome == Outcome::Converged {
                break;
            }
        }
        assert!((x[0] - 1.0).abs() < 1e-8, "{rule:?}: {}", x[0]);
    }
}

#[test]
fn where_the_direction_of_the_matrix_leads_nowhere_the_gradient_does() {
    let n = 6;
    let (mut x, mut optimizer) = (vec![0.0; n], full_batch());
    for _ in 0..4 {
        let report = optimizer.step_function(1.0, &mut x, &mut Quadratic::new(n)).expect("a step");
        assert!(report.is_accepted());
    }
    // From here on there are values along the gradient alone.
    let (here, mut gradient) = (x.clone(), vec![0.0; n]);
    Quadratic::new(n).gradient(&here, &mut gradient);
    let along = |x: &[f64]| {
        let s: Vec<f64> = x.iter().zip(&here).map(|(x, here)| x - here).collect();
        let product: f64 = s.iter().zip(&gradient).map(|(s, g)| s * g).sum();
        product.abs() >= (1.0 - 1e-12) * norm(&s) * norm(&gradient)
    };
    let before = optimizer.state_bytes();
    let report = optimizer.step_function(1.0, &mut x, &mut walled(n, &along)).expect("a step");
    let search = report.line_search.expect("it searched");
    assert!(report.is_accepted() && search.restarted && search.met_non_finite);
    assert!(along(&x) && x != here && optimizer.state_bytes() == before);
    for _ in 0..60 {
        let _ = optimizer.step_function(1.0, &mut x, &mut Quadratic::new(n)).expect("a step");
    }
    Quadratic::new(n).gradient(&x, &mut gradient);
    assert!(norm(&gradient) < 1e-6, "{}", norm(&gradient));
}

#[test]
fn a_step_that_finds_nothing_is_as_if_it_had_never_been() {
    let n = 6;
    let run = |is_disturbed: bool| {
        let (mut x, mut optimizer) = (vec![0.0; n], full_batch());
        for step in 0..9 {
            if is_disturbed && step == 4 {
                let here = x.clone();
                for _ in 0..2 {
                    let is_here = |x: &[f64]| x == here.as_slice();
                    let mut alone = walled(n, &is_here);
                    let report = optimizer.step_function(1.0, &mut x, &mut alone).expect("a step");
                    assert_eq!(report.outcome, Outcome::Rejected(Rejection::NoDecrease));
                    assert_eq!(x, here);
                }
            }
            let report = optimizer.step_function(1.0, &mut x, &mut Quadratic::new(n));
            assert!(report.expect("a step").is_accepted());
        }
        x
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn at_the_minimum_it_has_converged_and_stays_there() {
    let n = 6;
    let (mut x, mut optimizer) = (vec![0.0; n], full_batch());
    let mut function = Quadratic::new(n);
    let mut step = || optimizer.step_function(1.0, &mut x, &mut function).expect("a step");
    let steps = (0..100).take_while(|_| step().outcome != Outcome::Converged).count();
    assert!(steps < 60, "{steps}");
    assert_eq!(step().outcome, Outcome::Converged);
    let here = x.clone();
    let again = optimizer.step_function(1.0, &mut x, &mut function).expect("a step");
    assert!(again.outcome == Outcome::Converged && x == here);
}

#[test]
fn a_matrix_that_would_not_fit_is_refused_in_a_sentence() {
    struct Flat;
    impl Function for Flat {
        fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
            gradient.copy_from_slice(x);
            0.5 * x.iter().map(|x| x * x).sum::<f64>()
        }
    }
    let mut optimizer = SsBroydenConfig::new().init().expect("in range");
    let error = optimizer.step_function(1.0, &mut vec![1.0; 20_001], &mut Flat).unwrap_err();
    let expected = "ss-broyden keeps a matrix of all parameters with all, and the model has 20001, more than \
                    20000; use l-bfgs";
    assert_eq!(error.to_string(), expected);
}
