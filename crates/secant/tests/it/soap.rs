//! SOAP on matrices and kernels. Its numbers are held against those of other implementations by the reference
//! traces; here is what must be so of itself.

use burn::tensor::DType;
use secant::{
    AdjustLrFn, Decay, KernelShape, MuonConfig, Optimizer, SoapConfig, error::RecordError,
    method::layer_wise::soap::Soap,
};

use crate::{
    layers::{Layers, orthonormal, product, transposed},
    support::{Numbers, Vectors, assert_close, temporary_folder},
};

fn step(optimizer: &mut Optimizer<Soap>, model: &mut Layers, gradient: &[Vec<f64>]) {
    let report = optimizer.step(0.1, model, |model: &Layers| model.linear(gradient));
    assert!(report.expect("the contract is kept").is_accepted());
}

const SHAPES: [&[usize]; 5] = [&[7, 4], &[5, 5], &[1, 6], &[4, 3, 2, 2], &[9]];

fn shapes() -> Vec<Vec<usize>> {
    SHAPES.map(<[usize]>::to_vec).to_vec()
}

fn sizes() -> Vec<usize> {
    SHAPES.map(|shape| shape.iter().product()).to_vec()
}

/// The values after `steps` steps along random gradients.
fn trained(config: &SoapConfig, shapes: &[Vec<usize>], steps: u64, dtype: DType) -> Vectors {
    let mut model = Layers::new(shapes, &Numbers::new(1).vectors(&sizes()), dtype);
    let mut optimizer = config.init().expect("valid");
    for k in 0..steps {
        step(&mut optimizer, &mut model, &Numbers::new(10 + k).vectors(&sizes()));
    }
    model.values()
}

#[test]
fn the_first_gradient_moves_nothing() {
    let decayed = SoapConfig::new().with_decay(Decay::Decoupled(0.1));
    let after = trained(&decayed, &shapes(), 1, DType::F64);
    assert_eq!(after, Numbers::new(1).vectors(&sizes()));
}

#[test]
fn without_a_basis_anywhere_it_is_its_own_rule_for_vectors() {
    let none = SoapConfig::new().with_max_precond_dim(0);
    let flat: Vec<Vec<usize>> = sizes().iter().map(|size| vec![*size]).collect();
    assert_eq!(
        trained(&none, &shapes(), 5, DType::F64),
        trained(&SoapConfig::new(), &flat, 5, DType::F64)
    );
}

#[test]
fn turning_rows_and_columns_of_all_gradients_turns_the_steps_alike() {
    let config = SoapConfig::new().with_precondition_frequency(2);
    let (a, b) = (orthonormal(2, 5, 5), orthonormal(3, 5, 5));
    let turned = |x: &[f64]| product(&product(&a, x, 5), &transposed(&b, 5), 5);
    let start = Numbers::new(4).vector(25);
    let mut plain = Layers::matrix(5, 5, &start);
    let mut other = Layers::matrix(5, 5, &turned(&start));
    let [mut one, mut two] = [0; 2].map(|_| config.init().expect("valid"));
    for k in 0..9 {
        let g = Numbers::new(50 + k).vector(25);
        step(&mut one, &mut plain, std::slice::from_ref(&g));
        step(&mut two, &mut other, &[turned(&g)]);
    }
    let expected = [turned(&plain.values()[0])];
    assert_close(&other.values(), &expected, 1e-11, "turned");
}

#[test]
fn scaling_the_loss_changes_nothing_where_epsilon_is_zero() {
    let config = SoapConfig::new().with_epsilon(0.0).with_precondition_frequency(3);
    let run = |scale: f64| {
        let mut model = Layers::matrix(4, 4, &Numbers::new(5).vector(16));
        let mut optimizer = config.init().expect("valid");
        for k in 0..8 {
            let g = Numbers::new(60 + k).vector(16);
            step(&mut optimizer, &mut model, &[g.iter().map(|g| scale * g).collect()]);
        }
        model.values()
    };
    assert_close(&run(1024.0), &run(1.0), 1e-11, "scaled");
}

#[test]
fn a_gradient_along_its_own_singular_vectors_is_divided_by_its_singular_values() {
    let (u, v) = (orthonormal(6, 3, 3), orthonormal(7, 3, 3));
    let scaled: Vec<f64> = u
        .chunks(3)
        .zip([4.0, 1.0, 0.25])
        .flat_map(|(row, s)| row.iter().map(move |u| s * u))
        .collect();
    let g = product(&transposed(&scaled, 3), &v, 3);
    let config = SoapConfig::new().with_epsilon(0.0);
    let mut model = Layers::matrix(3, 3, &[0.0; 9]);
    let mut optimizer = config.init().expect("valid");
    for _ in 0..2 {
        step(&mut optimizer, &mut model, std::slice::from_ref(&g));
    }
    // Rounding off the diagonal is divided by its own size, so the diagonal alone is held against the rate.
    let inside = product(&product(&u, &model.values()[0], 3), &transposed(&v, 3), 3);
    for i in 0..3 {
        assert!((inside[4 * i] + 0.1).abs() < 1e-12, "{inside:?}");
    }
}

#[test]
fn a_record_has_factors_and_bases_and_goes_on_bit_for_bit() {
    let folder = temporary_folder("soap");
    let path = folder.join("state.bpk");
    let config = SoapConfig::new().with_precondition_frequency(2).with_precondition_1d(true);
    for dtype in [DType::F32, DType::F64] {
        let gradient = |k: u64| Numbers::new(70 + k).vectors(&sizes());
        let mut model = Layers::new(&shapes(), &Numbers::new(9).vectors(&sizes()), dtype);
        let mut whole = config.init().expect("valid");
        for k in 0..3 {
            step(&mut whole, &mut model, &gradient(k));
        }
        whole.save(&path).expect("saved");
        let mut other = Layers::new(&shapes(), &model.values(), dtype);
        let mut resumed = config.init().expect("valid");
        resumed.load(&path, &other).expect("its own record");
        for k in 3..7 {
            step(&mut whole, &mut model, &gradient(k));
            step(&mut resumed, &mut other, &gradient(k));
        }
        assert_eq!(model.values(), other.values());
        let as_matrices = config.clone().with_kernel(KernelShape::Matrix);
        let error = as_matrices.init().expect("valid").load(&path, &other).expect_err("others");
        assert!(matches!(error, RecordError::Setting { setting: "kernel", .. }), "{error}");
    }
    std::fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn one_and_three_threads_give_the_same_bits() {
    let mut shapes = vec![vec![330, 260]];
    shapes.extend((0..10).map(|k| vec![30 + k, 50]));
    let sizes: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let mut model = Layers::new(&shapes, &Numbers::new(17).vectors(&sizes), DType::F32);
            let config = SoapConfig::new().with_precondition_frequency(2);
            let mut optimizer = config.init().expect("valid");
            for k in 0..4 {
                step(&mut optimizer, &mut model, &Numbers::new(18 + k).vectors(&sizes));
            }
            model.values()
        })
    };
    assert!(run(1) == run(3), "threads change the result");
}

#[test]
fn a_matrix_whose_bases_cost_too_much_goes_muon_s_way() {
    const SHAPE: [usize; 2] = [258, 3];
    let wide = SoapConfig::new().with_beta_1(0.85).with_max_cost(Some(0.0));
    let mut polar = wide.init().expect("valid");
    let muon = MuonConfig::new()
        .with_momentum(0.85)
        .with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW)
        .with_decay(Decay::None)
        .with_adamw_params(Vec::new());
    let mut muon = muon.init().expect("valid");
    let start = Numbers::new(30).vector(774);
    let matrix = || Layers::new(&[SHAPE.to_vec()], std::slice::from_ref(&start), DType::F64);
    let (mut one, mut two) = (matrix(), matrix());
    step(&mut polar, &mut one, &[Numbers::new(31).vector(774)]);
    assert_eq!(one.values(), two.values(), "nothing moves at the first gradient");
    for k in 0..5 {
        let g = [Numbers::new(32 + k).vector(774)];
        step(&mut polar, &mut one, &g);
        // 0.08 in the place of Muon's 0.2.
        let report = muon.step(0.04, &mut two, |model: &Layers| model.linear(&g));
        assert!(report.expect("the contract is kept").is_accepted());
        assert_close(&one.values(), &two.values(), 1e-12, "polar");
    }
    // M alone.
    assert_eq!(polar.state_bytes(), 8 * 774);
}

#[test]
fn a_polar_direction_is_normalised_where_that_is_asked_for() {
    let config = SoapConfig::new().with_max_cost(Some(0.0)).with_normalize_grads(true);
    let mut optimizer = config.init().expect("valid");
    let start = Numbers::new(30).vector(774);
    let mut model = Layers::new(&[vec![258, 3]], std::slice::from_ref(&start), DType::F64);
    (0..2).for_each(|k| step(&mut optimizer, &mut model, &[Numbers::new(31 + k).vector(774)]));
    let moved: f64 = model.values()[0].iter().zip(&start).map(|(a, b)| (a - b).powi(2)).sum();
    assert!(((moved / 774.0).sqrt() / 0.1 - 1.0).abs() < 1e-12);
}

#[test]
fn a_wide_matrix_survives_gradients_of_nothing_and_of_denormal_numbers() {
    let config = SoapConfig::new().with_max_cost(Some(0.0));
    let start = Numbers::new(45).vector(774);
    let mut model = Layers::new(&[vec![258, 3]], std::slice::from_ref(&start), DType::F32);
    let before = model.values();
    let mut optimizer = config.init().expect("valid");
    for size in [0.0, 0.0, 1e-40, 1e-44] {
        let g: Vec<f64> = Numbers::new(46).vector(774).iter().map(|g| size * g).collect();
        step(&mut optimizer, &mut model, &[g]);
    }
    assert_eq!(model.values(), before);
}

#[test]
fn bases_are_given_up_above_their_cost_and_only_where_a_side_is_above_256() {
    let has_bases = |shape: [usize; 2], max_cost: f64| {
        let config = SoapConfig::new().with_max_cost(Some(max_cost));
        let numbers = shape[0] * shape[1];
        let start = Numbers::new(40).vector(numbers);
        let mut model = Layers::new(&[shape.to_vec()], std::slice::from_ref(&start), DType::F64);
        let mut optimizer = config.init().expect("valid");
        step(&mut optimizer, &mut model, std::slice::from_ref(&start));
        optimizer.state_bytes() > 8 * 2 * numbers
    };
    assert!(has_bases([256, 2], 0.0));
    // Products along both sides, and a tenth of a turn of each: 10/3 of a product with itself.
    let cost = 2.5 * (320.0 + 20.0) + (320.0 * 320.0 / 20.0 + 20.0 * 20.0 / 320.0) / 3.0;
    assert!(has_bases([320, 20], cost * 1.001) && !has_bases([320, 20], cost * 0.999));
    assert!(!has_bases([20, 320], cost * 0.999));
}

#[test]
fn narrow_layers_move_in_proportion_to_what_their_fan_in_lacks() {
    let start = Numbers::new(1).vectors(&sizes());
    let moved = |narrow_below| {
        let config = SoapConfig::new().with_narrow_below(narrow_below);
        let after = trained(&config, &shapes(), 5, DType::F64);
        let change = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a - b).collect();
        after.iter().zip(&start).map(change).collect::<Vectors>()
    };
    // Fan-ins of 7, 5, 1 and 3 * 2 * 2, and a vector.
    let factors = [10.0 / 7.0, 2.0, 4.0, 1.0, 1.0];
    let scaled = |(x, s): (Vec<f64>, f64)| x.iter().map(|x| s * x).collect();
    let expected: Vectors = moved(None).into_iter().zip(factors).map(scaled).collect();
    assert_close(&moved(Some(10)), &expected, 1e-13, "moved");
}

#[test]
fn a_record_is_of_the_layers_that_have_bases_and_not_of_the_number_that_decided_it() {
    let (start, g) = (vec![Numbers::new(30).vector(774)], [Numbers::new(31).vector(774)]);
    let layers = || Layers::new(&[vec![258, 3]], &start, DType::F64);
    let mut record = Vec::new();
    for max_cost in [Some(0.0), Some(1.0), None] {
        let mut optimizer = SoapConfig::new().with_max_cost(max_cost).init().expect("valid");
        let mut model = layers();
        if record.is_empty() {
            step(&mut optimizer, &mut model, &g);
            record = optimizer.to_bytes().expect("in memory");
        }
        let loaded = optimizer.load_bytes(&record, &model);
        let Some(_) = max_cost else {
            let error = loaded.expect_err("it has bases").to_string();
            assert!(error.contains("with other settings"), "{error}");
            continue;
        };
        loaded.expect("it has none either");
    }
}

#[test]
fn burns_own_interface_panics_at_settings_out_of_range() {
    let refused = [
        SoapConfig::new().with_beta_1(1.0).build(),
        SoapConfig::new().with_decay(Decay::Stable(0.1)).build(),
    ];
    for soap in refused {
        let device = burn::tensor::Device::default();
        let tensor = || burn::tensor::Tensor::<2>::ones([2, 3], &device);
        let step = std::panic::AssertUnwindSafe(|| {
            let _ = burn::optim::Optimizer::step(&soap, 0.1, tensor(), tensor(), None);
        });
        let panic = std::panic::catch_unwind(step).expect_err("a setting out of its range");
        let said = panic.downcast_ref::<String>().expect("a sentence");
        assert!(said.starts_with("soap: "), "{said}");
    }
}
