//! Muon on matrices and kernels: against its twin, and what its polynomial does to singular values.

use burn::{module::ParamGroup, optim::GradientsParams, tensor::DType};
use secant::{
    AdamConfig, AdjustLrFn, Decay, Group, MatrixLayout, MuonConfig, Optimizer,
    error::{ConfigError, RecordError, StepError},
    method::layer_wise::muon::Muon,
};

use crate::{
    layers::{Layers, orthonormal, product, transposed},
    support::{Numbers, Vectors, assert_close, temporary_folder, vector},
    twin::{self, Twin},
};

/// Without decay.
fn plain() -> MuonConfig {
    MuonConfig::new().with_decay(Decay::None).with_adamw(AdamConfig::new())
}

fn step(optimizer: &mut Optimizer<Muon>, lr: f64, model: &mut Layers, gradient: &[Vec<f64>]) {
    let report = optimizer.step(lr, model, |model: &Layers| model.linear(gradient));
    assert!(report.expect("the contract is kept").is_accepted());
}

/// X of a matrix G in a first step at the original rate: W falls from 0 by lr r X.
fn orthogonalised(config: &MuonConfig, rows: usize, columns: usize, g: &[f64]) -> Vec<f64> {
    let mut model = Layers::matrix(rows, columns, &vec![0.0; rows * columns]);
    let mut optimizer = config.init().expect("valid");
    step(&mut optimizer, 1.0, &mut model, &[g.to_vec()]);
    let factor = (columns as f64 / rows as f64).max(1.0).sqrt();
    model.values().swap_remove(0).iter().map(|w| -w / factor).collect()
}

fn rows_of(matrix: &[f64], columns: usize) -> Vec<Vec<f64>> {
    matrix.chunks(columns).map(<[f64]>::to_vec).collect()
}

/// U' diag(s) V for orthonormal rows of U and V.
fn with_singular_values(u: &[f64], s: &[f64], v: &[f64]) -> Vec<f64> {
    let columns = u.len() / s.len();
    let scaled: Vec<f64> =
        rows_of(u, columns).iter().zip(s).flat_map(|(u, s)| u.iter().map(move |u| s * u)).collect();
    product(&transposed(&scaled, columns), v, s.len())
}

/// What `iterations` of the polynomial make of a singular value.
fn q(x: f64, iterations: usize) -> f64 {
    (0..iterations).fold(x, |x, _| 3.4445 * x - 4.775 * x.powi(3) + 2.0315 * x.powi(5))
}

/// Entries of size 1 after five iterations of products of a few dozen terms.
const ROUNDING: f64 = 1e-13;

#[test]
fn thirty_noisy_steps_equal_the_plain_twin_s() {
    let shapes: Vec<Vec<usize>> =
        [&[7, 4][..], &[4, 7], &[5, 5], &[6, 1], &[8, 3], &[4, 3, 2, 2], &[3, 2, 3, 3], &[9], &[1]]
            .map(<[usize]>::to_vec)
            .to_vec();
    let sizes: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
    let settings = [
        (true, AdjustLrFn::Original, MatrixLayout::InOut, Decay::Decoupled(0.1)),
        (false, AdjustLrFn::MatchRmsAdamW, MatrixLayout::OutIn, Decay::L2(0.1)),
        (true, AdjustLrFn::SpectralUnclamped, MatrixLayout::InOut, Decay::None),
        (false, AdjustLrFn::Original, MatrixLayout::OutIn, Decay::Decoupled(0.1)),
    ];
    // 30 steps of some hundred roundings each; in single precision twice as many count a hundredfold
    // where momentum is nearly of lower rank.
    for (dtype, tolerance, steps) in [(DType::F64, 1e-12, 30), (DType::F32, 2e-5, 4)] {
        for (nesterov, adjust, layout, decay) in settings {
            let config = MuonConfig::new()
                .with_nesterov(nesterov)
                .with_adjust_lr_fn(adjust)
                .with_layout(layout)
                .with_decay(decay)
                .with_adamw(AdamConfig::new().with_decay(decay))
                .with_adamw_rate_factor(1.0)
                .with_adamw_params(vec!["matrices.4".to_string()]);
            let mut twin = twin::Muon::new(decay);
            (twin.nesterov, twin.adjust, twin.layout) = (nesterov, adjust, layout);
            (twin.shapes, twin.by_adam) = (shapes.clone(), vec![4]);
            let start = Numbers::new(3).vectors(&sizes);
            let mut model = Layers::new(&shapes, &start, dtype);
            let mut theta = model.values();
            let mut optimizer = config.init().expect("valid");
            for k in 0..steps {
                let c = Numbers::new(100 + k).vectors(&sizes);
                let report = optimizer.step(0.02, &mut model, |m: &Layers| m.distance(&c));
                assert!(report.expect("the contract is kept").is_accepted());
                twin.step(0.02, &mut theta, &mut |theta: &[Vec<f64>]| {
                    let difference = |(x, c): (&Vec<f64>, &Vec<f64>)| {
                        x.iter().zip(c).map(|(x, c)| x - c).collect()
                    };
                    (0.0, theta.iter().zip(&c).map(difference).collect())
                });
                let what = format!("{dtype:?}, {adjust:?}, {layout:?}, step {k}");
                assert_close(&model.values(), &theta, tolerance, &what);
            }
        }
    }
}

#[test]
fn singular_vectors_stay_and_singular_values_go_through_the_polynomial() {
    for (rows, columns) in [(6, 9), (9, 6), (6, 6)] {
        let (u, v) = (orthonormal(1, 6, rows), orthonormal(2, 6, columns));
        let s = [1.0, 0.8, 0.3, 0.1, 0.05, 0.02];
        let norm = s.iter().map(|s| s * s).sum::<f64>().sqrt();
        let x = orthogonalised(&plain(), rows, columns, &with_singular_values(&u, &s, &v));
        let expected: Vec<f64> = s.iter().map(|s| q(s / norm, 5)).collect();
        assert_close(&[x], &[with_singular_values(&u, &expected, &v)], ROUNDING, "U q(S) V'");
    }
}

#[test]
fn five_iterations_bring_singular_values_near_one_and_never_beyond() {
    // The specification's ranges, on a grid finer than the polynomial's waves.
    for k in 0..=100_000 {
        let x = f64::from(k) / 100_000.0;
        let y = q(x, 5);
        assert!((0.0..1.204).contains(&y), "q({x}) = {y}");
        assert!(x < 0.0015 || y > 0.679, "q({x}) = {y}");
        assert!(x < 0.01 || (0.681..1.136).contains(&y), "q({x}) = {y}");
        assert!(x < 0.001 || (0.681..1.136).contains(&q(x, 7)), "q({x}) = {}", q(x, 7));
    }
    assert!((q(1e-9, 5) / 1e-9 - 485.0).abs() < 1.0);
}

#[test]
fn the_size_of_a_gradient_does_not_matter_above_epsilon() {
    let g = Numbers::new(5).vector(24);
    let x = orthogonalised(&plain(), 4, 6, &g);
    for scale in [2f64.powi(40), 2f64.powi(-10)] {
        // A power of two scales every number and every sum exactly.
        let scaled: Vec<f64> = g.iter().map(|g| scale * g).collect();
        assert_eq!(orthogonalised(&plain(), 4, 6, &scaled), x);
    }
    // Far below epsilon it is divided by epsilon, and the polynomial is linear.
    let tiny: Vec<f64> = g.iter().map(|g| 1e-20 * g).collect();
    let linear: Vec<f64> = tiny.iter().map(|g| 3.4445f64.powi(5) * 0.0975 * g / 1e-7).collect();
    assert_close(&[orthogonalised(&plain(), 4, 6, &tiny)], &[linear], ROUNDING, "linear");
}

#[test]
fn a_rotated_gradient_gives_the_rotated_step() {
    let (a, b) = (orthonormal(7, 5, 5), orthonormal(8, 7, 7));
    let g = Numbers::new(9).vector(35);
    let rotated = |m: &[f64]| product(&product(&a, m, 5), &transposed(&b, 7), 7);
    let x = orthogonalised(&plain(), 5, 7, &g);
    let of_rotated = orthogonalised(&plain(), 5, 7, &rotated(&g));
    assert_close(&[of_rotated], &[rotated(&x)], ROUNDING, "A X B'");
}

#[test]
fn a_transposed_matrix_in_the_other_layout_takes_the_transposed_step() {
    for adjust in [AdjustLrFn::Original, AdjustLrFn::SpectralUnclamped] {
        let start = Numbers::new(10).vector(24);
        let config = MuonConfig::new().with_adjust_lr_fn(adjust);
        let mut model = Layers::matrix(4, 6, &start);
        let mut other = Layers::matrix(6, 4, &transposed(&start, 6));
        let mut optimizer = config.init().expect("valid");
        let mut of_other = config.with_layout(MatrixLayout::OutIn).init().expect("valid");
        for k in 0..5 {
            let g = Numbers::new(20 + k).vector(24);
            step(&mut optimizer, 0.1, &mut model, std::slice::from_ref(&g));
            step(&mut of_other, 0.1, &mut other, &[transposed(&g, 6)]);
        }
        let expected = transposed(&model.values()[0], 6);
        assert_close(&other.values(), &[expected], ROUNDING, "transposed");
    }
}

#[test]
fn without_momentum_nesterov_s_look_ahead_is_none() {
    let g = Numbers::new(12).vector(20);
    let config = plain().with_momentum(0.0);
    let ahead = orthogonalised(&config.clone().with_nesterov(true), 4, 5, &g);
    assert_eq!(ahead, orthogonalised(&config.with_nesterov(false), 4, 5, &g));
}

#[test]
fn an_orthogonal_matrix_and_one_of_rank_one_keep_their_form() {
    // All six singular values of an orthogonal matrix are 1 over the root of 6.
    let g = orthonormal(13, 6, 6);
    let factor = q(1.0 / 6f64.sqrt(), 5);
    let expected = g.iter().map(|g| factor * g).collect();
    assert_close(&[orthogonalised(&plain(), 6, 6, &g)], &[expected], ROUNDING, "orthogonal");
    let (u, v) = (orthonormal(14, 1, 5), orthonormal(15, 1, 8));
    let x = orthogonalised(&plain(), 5, 8, &with_singular_values(&u, &[3.0], &v));
    let expected = with_singular_values(&u, &[q(1.0, 5)], &v);
    // The factors of four directions that are not there grow to 3.4445^5 = 485; thirteen products round by that.
    assert_close(&[x], &[expected], 13.0 * 485.0 * f64::EPSILON, "rank one");
}

#[test]
fn a_gradient_of_zero_leaves_pure_decay_by_the_unadjusted_rate() {
    let shapes = [vec![2, 8], vec![3, 2, 2, 2], vec![5]];
    let start = Numbers::new(16).vectors(&[16, 24, 5]);
    let zero: Vectors = start.iter().map(|x| vec![0.0; x.len()]).collect();
    let adamw = AdamConfig::new().with_decay(Decay::Decoupled(0.5));
    let config = MuonConfig::new().with_decay(Decay::Decoupled(0.25)).with_adamw(adamw);
    let mut model = Layers::new(&shapes, &start, DType::F64);
    let mut optimizer = config.with_adamw_rate_factor(0.5).init().expect("valid");
    (0..2).for_each(|_| step(&mut optimizer, 0.5, &mut model, &zero));
    // Powers of two: 1 - 0.5 * 0.25, and 1 - 0.5 * 0.5 * 0.5 for AdamW; both 0.875, twice.
    let expected: Vectors =
        start.iter().map(|x| x.iter().map(|x| 0.875 * (0.875 * x)).collect()).collect();
    assert_eq!(model.values(), expected);
}

#[test]
fn a_group_replaces_rate_and_decay_of_a_matrix() {
    let shapes = [vec![3, 3], vec![3, 3]];
    let start = vec![vec![1.0; 9]; 2];
    let decay = Group::new(ParamGroup::from_path("matrices.0")).with_decay(Decay::Decoupled(0.5));
    let still = Group::new(ParamGroup::from_path("matrices.1")).with_rate_factor(0.0);
    let optimizer = MuonConfig::new().init().and_then(|optimizer| optimizer.with_group(decay));
    let mut optimizer = optimizer.and_then(|optimizer| optimizer.with_group(still)).expect("valid");
    let mut model = Layers::new(&shapes, &start, DType::F64);
    step(&mut optimizer, 0.5, &mut model, &vec![vec![0.0; 9]; 2]);
    assert_eq!(model.values(), [vec![0.75; 9], vec![1.0; 9]]);
}

#[test]
fn one_and_three_threads_give_the_same_bits() {
    // One matrix whose products are cut among threads, and many that run side by side.
    let mut shapes = vec![vec![300, 260], vec![260, 300]];
    shapes.extend((0..20).map(|k| vec![30 + k, 50]));
    let sizes: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
    let gradient = Numbers::new(18).vectors(&sizes);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let mut model = Layers::new(&shapes, &Numbers::new(17).vectors(&sizes), DType::F32);
            let mut optimizer = MuonConfig::new().init().expect("valid");
            (0..2).for_each(|_| step(&mut optimizer, 0.02, &mut model, &gradient));
            model.values()
        })
    };
    assert!(run(1) == run(3), "threads change the result");
}

#[test]
fn the_memory_is_one_vector_for_matrices_and_two_for_the_rest() {
    let shapes = [vec![4, 6], vec![3, 5], vec![2, 3, 2, 2], vec![7]];
    let start = Numbers::new(19).vectors(&[24, 15, 24, 7]);
    let mut model = Layers::new(&shapes, &start, DType::F64);
    let named = plain().with_adamw_params(vec!["matrices.1".to_string()]);
    let mut optimizer = named.init().expect("valid");
    step(&mut optimizer, 0.1, &mut model, &start);
    assert_eq!(optimizer.state_bytes(), 8 * (24 + 24 + 2 * (15 + 7)));
}

#[test]
fn a_named_parameter_that_is_not_there_is_an_error_with_the_nearest() {
    let shapes = [vec![2, 3], vec![2, 3, 1, 1], vec![4]];
    let start = Numbers::new(20).vectors(&[6, 6, 4]);
    for (name, nearest) in [("matrix.0", "matrices.0"), ("kernel", "kernels.0"), ("matrices.", "")]
    {
        let mut model = Layers::new(&shapes, &start, DType::F64);
        let config = plain().with_adamw_params(vec!["vectors".to_string(), name.to_string()]);
        let mut optimizer = config.init().expect("names are checked when they meet a model");
        let error = optimizer.step(0.1, &mut model, |model: &Layers| model.linear(&start));
        let Err(StepError::NoSuchParameter { setting, name: said, nearest: found, .. }) = error
        else {
            panic!("{name}: {error:?}");
        };
        assert_eq!((setting, &*said), ("adamw_params", name));
        assert!(found.starts_with(nearest), "{name}: {found}");
        assert_eq!(model.values(), start);
    }
    // A part of the model is all of its parameters.
    let mut model = Layers::new(&shapes, &start, DType::F64);
    let all = vec!["matrices".to_string(), "kernels.0".to_string()];
    let mut muon = plain().with_adamw_params(all).with_adamw_rate_factor(1.0).init();
    let mut adam = AdamConfig::new().init().expect("valid");
    let mut of_adam = model.clone();
    let loss = |model: &Layers| model.linear(&start);
    let report = muon.as_mut().expect("valid").step(0.1, &mut model, loss);
    assert!(report.expect("the contract is kept").is_accepted());
    assert!(adam.step(0.1, &mut of_adam, loss).expect("the contract is kept").is_accepted());
    assert_eq!(model.values(), of_adam.values());
}

#[test]
fn a_record_has_matrices_in_their_own_shapes_and_goes_on_bit_for_bit() {
    let folder = temporary_folder("muon");
    let path = folder.join("state.bpk");
    let shapes = [vec![4, 6], vec![3, 5], vec![2, 3, 2, 2], vec![7]];
    let sizes = [24, 15, 24, 7];
    let start = Numbers::new(21).vectors(&sizes);
    for dtype in [DType::F32, DType::F64] {
        let named = |names: &[&str]| {
            let names = names.iter().map(ToString::to_string).collect();
            MuonConfig::new().with_adamw_params(names).init().expect("valid")
        };
        let (mut whole, mut model) = (named(&["matrices.1"]), Layers::new(&shapes, &start, dtype));
        let gradient = |k: u64| Numbers::new(30 + k).vectors(&sizes);
        (0..3).for_each(|k| step(&mut whole, 0.1, &mut model, &gradient(k)));
        whole.save(&path).expect("saved");
        let mut other = Layers::new(&shapes, &model.values(), dtype);
        let mut resumed = named(&["matrices.1"]);
        resumed.load(&path, &other).expect("its own record");
        for k in 3..6 {
            step(&mut whole, 0.1, &mut model, &gradient(k));
            step(&mut resumed, 0.1, &mut other, &gradient(k));
        }
        assert_eq!(model.values(), other.values());
        let error = named(&["matrices"]).load(&path, &other).expect_err("other matrices");
        let RecordError::Setting { setting: "adamw_params", found, expected } = error else {
            panic!("{error}");
        };
        assert_eq!((&*found, &*expected), ("[\"matrices.1\"]", "[\"matrices\"]"));
    }
    std::fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn frozen_matrices_stay_and_gradients_of_an_own_loop_give_the_same_step() {
    let shapes = [vec![4, 6], vec![3, 5], vec![7]];
    let start = Numbers::new(22).vectors(&[24, 15, 7]);
    let gradient = Numbers::new(23).vectors(&[24, 15, 7]);
    let mut model = Layers::new(&shapes, &start, DType::F64);
    model.matrices[1] = model.matrices[1].clone().set_require_grad(false);
    let mut by_hand = model.clone();
    let [mut optimizer, mut of_hand] = [0; 2].map(|_| MuonConfig::new().init().expect("valid"));
    step(&mut optimizer, 0.1, &mut model, &gradient);
    let mut given = GradientsParams::new();
    let matrix = vector(&gradient[0], DType::F64).reshape([4, 6]);
    given.register(by_hand.matrices[0].id, matrix.inner());
    given.register(by_hand.vectors[0].id, vector(&gradient[2], DType::F64).inner());
    let report = of_hand.step_with_gradients(0.1, &mut by_hand, given);
    assert!(report.expect("the contract is kept").is_accepted());
    assert_eq!(model.values(), by_hand.values());
    assert_eq!(model.values()[1], start[1]);
    assert!(model.values()[0] != start[0] && model.values()[2] != start[2]);
}

#[test]
fn settings_out_of_their_range_are_refused() {
    for bad in [f64::NAN, -0.1, f64::INFINITY] {
        let is_refused =
            |config: MuonConfig| matches!(config.init(), Err(ConfigError::OutOfRange { .. }));
        assert!(is_refused(plain().with_momentum(bad)));
        assert!(is_refused(plain().with_epsilon(bad)));
        assert!(is_refused(plain().with_adamw_rate_factor(bad)));
        assert!(is_refused(plain().with_adamw(AdamConfig::new().with_beta_1(bad))));
        assert!(is_refused(plain().with_adamw(AdamConfig::new().with_decay(Decay::L2(bad)))));
        let coefficients = if bad < 0.0 { f64::NAN } else { bad };
        assert!(bad < 0.0 || is_refused(plain().with_ns_coefficients((bad, 0.0, coefficients))));
    }
}
