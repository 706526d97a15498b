//! Whole runs: to a minimum, out of a saddle, past what is not finite.

use super::*;

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
