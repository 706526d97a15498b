//! Shampoo on matrices, kernels and vectors. Its numbers are held against those of another implementation by
//! the reference traces; here is what must be so of itself.

use burn::tensor::DType;
use secant::{
    AdamConfig, Decay, Graft, LargeDimensions, Optimizer, PairOutcome, ShampooConfig, SkipReason,
    error::RecordError, method::layer_wise::shampoo::Shampoo,
};

use crate::{
    layers::{Layers, orthonormal, product, transposed},
    support::{Numbers, Vectors, assert_close, temporary_folder},
};

const RATE: f64 = 0.125;

fn step(
    optimizer: &mut Optimizer<Shampoo>,
    model: &mut Layers,
    gradient: &[Vec<f64>],
) -> PairOutcome {
    let report = optimizer.step(RATE, model, |model: &Layers| model.linear(gradient));
    let report = report.expect("the contract is kept");
    assert!(report.is_accepted(), "{report:?}");
    report.pair
}

/// The values after a step along each of these gradients.
fn after(
    config: &ShampooConfig,
    shapes: &[Vec<usize>],
    start: &[Vec<f64>],
    gradients: &[Vectors],
    dtype: DType,
) -> Vectors {
    let mut model = Layers::new(shapes, start, dtype);
    let mut optimizer = config.init().expect("valid");
    for gradient in gradients {
        step(&mut optimizer, &mut model, gradient);
    }
    model.values()
}

/// The direction of each step along these gradients of one tensor.
fn directions(config: &ShampooConfig, shape: &[usize], gradients: &[Vec<f64>]) -> Vectors {
    let mut model = Layers::new(&[shape.to_vec()], &[vec![0.0; gradients[0].len()]], DType::F64);
    let mut optimizer = config.init().expect("valid");
    let direction = |gradient: &Vec<f64>| {
        let before = model.values().remove(0);
        step(&mut optimizer, &mut model, std::slice::from_ref(gradient));
        let now = model.values().remove(0);
        before.iter().zip(now).map(|(before, now)| (before - now) / RATE).collect()
    };
    gradients.iter().map(direction).collect()
}

/// The root of every step's own factor times its gradient, with next to no eps.
fn plain() -> ShampooConfig {
    let config = ShampooConfig::new().with_graft(Graft::None).with_beta_1(0.0);
    config.with_precondition_frequency(1).with_start(Some(1)).with_epsilon(1e-18)
}

const START: usize = 3;

/// The usual one, sooner.
fn early() -> ShampooConfig {
    ShampooConfig::new().with_precondition_frequency(2).with_start(Some(START))
}

const SHAPES: [&[usize]; 5] = [&[7, 4], &[5, 5], &[1, 6], &[4, 3, 2, 2], &[9]];

fn shapes() -> Vec<Vec<usize>> {
    SHAPES.map(<[usize]>::to_vec).to_vec()
}

fn sizes() -> Vec<usize> {
    SHAPES.map(|shape| shape.iter().product()).to_vec()
}

fn random(seed: u64, sizes: &[usize], steps: u64) -> Vec<Vectors> {
    (0..steps).map(|k| Numbers::new(seed + k).vectors(sizes)).collect()
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// U' diag(s) V for orthonormal rows of U and V.
fn with_singular_values(u: &[f64], s: &[f64], v: &[f64]) -> Vec<f64> {
    let columns = u.len() / s.len();
    let rows = u.chunks(columns).zip(s);
    let scaled: Vec<f64> = rows.flat_map(|(row, s)| row.iter().map(move |u| s * u)).collect();
    product(&transposed(&scaled, columns), v, s.len())
}

#[test]
fn the_first_direction_is_the_polar_factor_from_both_sides_or_one() {
    let (u, v) = (orthonormal(1, 3, 3), orthonormal(2, 3, 3));
    let g = with_singular_values(&u, &[2.0, 1.0, 0.5], &v);
    let polar = product(&transposed(&u, 3), &v, 3);
    for beta_2 in [0.5, 0.99, 1.0] {
        let config = plain().with_beta_2(beta_2);
        let found = directions(&config, &[3, 3], std::slice::from_ref(&g));
        assert_close(&found, std::slice::from_ref(&polar), 1e-12, "both sides");
    }
    // A wide matrix through its short side alone.
    let (u, v) = (orthonormal(3, 2, 2), orthonormal(4, 2, 5));
    let g = with_singular_values(&u, &[2.0, 0.5], &v);
    let polar = product(&transposed(&u, 2), &v, 2);
    let config = plain().with_max_dim(2).with_large(LargeDimensions::OneSided);
    assert_close(&directions(&config, &[2, 5], &[g]), &[polar], 1e-12, "one side");
}

#[test]
fn diagonal_gradients_make_it_adagrad() {
    let diagonals = random(5, &[4], 4);
    let matrix = |diagonal: &[f64]| {
        let mut matrix = vec![0.0; 16];
        matrix.iter_mut().step_by(5).zip(diagonal).for_each(|(entry, d)| *entry = *d);
        matrix
    };
    let gradients: Vectors = diagonals.iter().map(|d| matrix(&d[0])).collect();
    let mut sums = [0.0; 4];
    let mut expected = Vec::new();
    for diagonal in &diagonals {
        let terms = sums.iter_mut().zip(&diagonal[0]);
        let adagrad = terms.map(|(sum, d): (&mut f64, _)| {
            *sum += d * d;
            d / sum.sqrt()
        });
        expected.push(matrix(&adagrad.collect::<Vec<f64>>()));
    }
    let found = directions(&plain().with_beta_2(1.0), &[4, 4], &gradients);
    assert_close(&found, &expected, 1e-12, "Adagrad");
}

#[test]
fn a_vector_is_multiplied_by_the_inverse_root_of_its_squares() {
    let gradients: Vectors = random(6, &[2], 4).into_iter().map(|mut g| g.remove(0)).collect();
    let epsilon = 1e-3;
    let found = directions(&plain().with_beta_2(1.0).with_epsilon(epsilon), &[2], &gradients);
    let [mut a, mut b, mut c] = [epsilon, 0.0, epsilon];
    for (g, found) in gradients.iter().zip(&found) {
        (a, b, c) = (a + g[0] * g[0], b + g[0] * g[1], c + g[1] * g[1]);
        // Of a 2 x 2 matrix X: X^(1/2) = (X + d I)/s with d = det(X)^(1/2), s = (tr(X) + 2 d)^(1/2), and
        // the determinant of that root is d.
        let d = (a * c - b * b).sqrt();
        let s = (a + c + 2.0 * d).sqrt();
        let inverse = |x: f64, y: f64| x / (s * d) * y;
        let expected =
            vec![inverse(c + d, g[0]) - inverse(b, g[1]), inverse(a + d, g[1]) - inverse(b, g[0])];
        assert_close(std::slice::from_ref(found), &[expected], 1e-12, "(sum g g')^(-1/2) g");
    }
}

#[test]
fn turning_rows_and_columns_of_all_gradients_turns_the_steps_alike() {
    let config = early().with_graft(Graft::None).with_epsilon(1e-4);
    let (a, b) = (orthonormal(7, 5, 5), orthonormal(8, 4, 4));
    let turned = |x: &[f64]| product(&product(&a, x, 5), &transposed(&b, 4), 4);
    let gradients: Vectors = random(50, &[20], 9).into_iter().map(|mut g| g.remove(0)).collect();
    let others: Vectors = gradients.iter().map(|g| turned(g)).collect();
    let expected: Vectors =
        directions(&config, &[5, 4], &gradients).iter().map(|d| turned(d)).collect();
    assert_close(&directions(&config, &[5, 4], &others), &expected, 1e-11, "turned");
}

#[test]
fn a_grafted_step_is_as_long_as_adams() {
    let gradients: Vectors = random(60, &[20], 8).into_iter().map(|mut g| g.remove(0)).collect();
    let found = directions(&early(), &[5, 4], &gradients);
    let adam = directions(&early().with_start(Some(100)), &[5, 4], &gradients);
    for (k, (found, adam)) in found.iter().zip(&adam).enumerate() {
        assert!((norm(found) - norm(adam)).abs() < 1e-12 * norm(adam), "step {}", k + 1);
        assert_eq!(k + 1 < START, found == adam, "step {}", k + 1);
    }
}

#[test]
fn before_its_start_and_without_factors_it_is_adamw() {
    let decay = Decay::Decoupled(0.1);
    let config = early().with_decay(decay);
    let adam = AdamConfig::adamw().with_beta_2(0.99).with_epsilon(1e-8).with_decay(decay);
    let without = config.with_max_dim(1).with_large(LargeDimensions::OneSided);
    let without = without.with_precondition_1d(false);
    let few: &[Vec<usize>] = &[vec![7, 4], vec![9]];
    for (config, shapes) in [(config.with_start(Some(100)), &*shapes()), (without, few)] {
        let sizes: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
        let (start, gradients) = (Numbers::new(9).vectors(&sizes), random(70, &sizes, 9));
        let mut model = Layers::new(shapes, &start, DType::F64);
        let mut optimizer = adam.init().expect("valid");
        for gradient in &gradients {
            let report = optimizer.step(RATE, &mut model, |model: &Layers| model.linear(gradient));
            assert!(report.expect("the contract is kept").is_accepted());
        }
        let found = after(&config, shapes, &start, &gradients, DType::F64);
        assert_close(&found, &model.values(), 1e-13, "AdamW");
    }
}

#[test]
fn pieces_are_tensors_of_their_own() {
    let config = early().with_max_dim(3);
    let (rows, columns) = ([0..3, 3..5], [0..3, 3..4]);
    let pieces = |x: &[f64]| -> Vectors {
        let piece = |rows: &std::ops::Range<usize>, columns: &std::ops::Range<usize>| {
            let row = |row: usize| x[4 * row..4 * row + 4][columns.clone()].to_vec();
            rows.clone().flat_map(row).collect()
        };
        let piece = &piece;
        rows.iter().flat_map(|own| columns.iter().map(move |c| piece(own, c))).collect()
    };
    let cut: Vec<Vec<usize>> =
        rows.iter().flat_map(|r| columns.iter().map(|c| vec![r.len(), c.len()])).collect();
    let gradients = random(80, &[20], 6);
    let others: Vec<Vectors> = gradients.iter().map(|g| pieces(&g[0])).collect();
    let start = Numbers::new(10).vectors(&[20]);
    let whole = after(&config, &[vec![5, 4]], &start, &gradients, DType::F64);
    let alone = after(&config, &cut, &pieces(&start[0]), &others, DType::F64);
    assert_eq!(pieces(&whole[0]), alone);
}

#[test]
fn gradients_of_diagonal_blocks_make_pieces_and_the_whole_alike() {
    let config = early().with_graft(Graft::None).with_epsilon(1e-3);
    let blocks = random(90, &[4, 4], 7);
    let matrix = |blocks: &Vectors| -> Vec<f64> {
        let [a, b] = [&blocks[0], &blocks[1]];
        let row = |row: usize| match row {
            0 | 1 => [a[2 * row], a[2 * row + 1], 0.0, 0.0],
            _ => [0.0, 0.0, b[2 * row - 4], b[2 * row - 3]],
        };
        (0..4).flat_map(row).collect()
    };
    let gradients: Vectors = blocks.iter().map(matrix).collect();
    let whole = directions(&config, &[4, 4], &gradients);
    let pieces = directions(&config.with_max_dim(2), &[4, 4], &gradients);
    assert_close(&pieces, &whole, 1e-12, "pieces");
}

#[test]
fn where_nothing_is_large_nothing_is_cut_and_kernels_are_matrices() {
    let gradients = random(100, &sizes(), 7);
    let start = Numbers::new(11).vectors(&sizes());
    let run = |config: &ShampooConfig, shapes: &[Vec<usize>]| {
        after(config, shapes, &start, &gradients, DType::F64)
    };
    let usual = run(&early(), &shapes());
    let one_sided = early().with_max_dim(12).with_large(LargeDimensions::OneSided);
    assert_eq!(usual, run(&early().with_max_dim(12), &shapes()));
    assert_eq!(usual, run(&one_sided, &shapes()));
    let [a, b, c, _, vector] = SHAPES.map(<[usize]>::to_vec);
    // Matrices come before kernels, so the kernel keeps its place.
    assert_eq!(usual, run(&early(), &[a, b, c, vec![4, 12], vector]));
}

#[test]
fn a_factor_that_overflows_keeps_its_root_and_says_so() {
    let config = early().with_beta_2(1.0).with_start(Some(1)).with_precondition_frequency(1);
    let mut model = Layers::new(&[vec![2, 2]], &[vec![0.0; 4]], DType::F32);
    let mut optimizer = config.init().expect("valid");
    let gradient = [vec![0.9e19, 0.1e19, -0.2e19, 0.8e19]];
    let outcomes: Vec<PairOutcome> =
        (0..8).map(|_| step(&mut optimizer, &mut model, &gradient)).collect();
    let skipped = PairOutcome::Skipped(SkipReason::NonFinite);
    assert_eq!((outcomes[0], outcomes[7]), (PairOutcome::NotTried, skipped), "{outcomes:?}");
    // Of the length of Adam's step, which is the root of the number of entries.
    let expected = 8.0 * RATE * 2.0;
    let length = norm(&model.values()[0]);
    assert!((length - expected).abs() < 1e-2 * expected, "{length} of {expected}");
}

#[test]
fn a_record_has_factors_and_roots_and_goes_on_bit_for_bit() {
    let folder = temporary_folder("shampoo");
    let path = folder.join("state.bpk");
    let config = early().with_max_dim(4);
    for dtype in [DType::F32, DType::F64] {
        let gradients = random(110, &sizes(), 9);
        let mut model = Layers::new(&shapes(), &Numbers::new(12).vectors(&sizes()), dtype);
        let mut whole = config.init().expect("valid");
        for gradient in &gradients[..5] {
            step(&mut whole, &mut model, gradient);
        }
        whole.save(&path).expect("saved");
        let mut other = Layers::new(&shapes(), &model.values(), dtype);
        let mut resumed = config.init().expect("valid");
        resumed.load(&path, &other).expect("its own record");
        for gradient in &gradients[5..] {
            step(&mut whole, &mut model, gradient);
            step(&mut resumed, &mut other, gradient);
        }
        assert_eq!(model.values(), other.values());
        for (setting, config) in [
            ("beta_2", config.with_beta_2(1.0)),
            ("max_dim", config.with_max_dim(5)),
            ("large", config.with_large(LargeDimensions::OneSided)),
            ("precondition_1d", config.with_precondition_1d(false)),
            ("graft", config.with_graft(Graft::None)),
        ] {
            let error = config.init().expect("valid").load(&path, &other).expect_err(setting);
            let is_it = matches!(error, RecordError::Setting { setting: s, .. } if s == setting);
            assert!(is_it, "{setting}: {error}");
        }
    }
    std::fs::remove_dir_all(folder).expect("the folder is ours");
}

#[test]
fn one_and_three_threads_give_the_same_bits() {
    let mut shapes = vec![vec![330, 260]];
    shapes.extend((0..10).map(|k| vec![30 + k, 50]));
    let sizes: Vec<usize> = shapes.iter().map(|shape| shape.iter().product()).collect();
    let (start, gradients) = (Numbers::new(13).vectors(&sizes), random(120, &sizes, 4));
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| after(&early(), &shapes, &start, &gradients, DType::F32))
    };
    assert!(run(1) == run(3), "threads change the result");
}
