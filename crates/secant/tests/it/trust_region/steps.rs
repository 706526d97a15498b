//! What a step promises: descent, the radius, the averaged ratio, the state.

use super::{
    batches::{growing, regression},
    *,
};

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
