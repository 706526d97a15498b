//! Every kernel against its plain twin, in `f64`.

use burn::tensor::DType;

use secant::{
    Decay, PairOutcome, RAdamConfig,
    spec::{PRESETS, Run},
};

use crate::{
    support::{Many, Numbers, Vectors, assert_close},
    table::{Row, decayed, large, table},
    twin::{self, PerTensor},
};

/// A quadratic whose linear term changes from step to step: a small batch's gradient.
pub(crate) struct Noisy {
    curvature: Vectors,
    noise: Vec<Vectors>,
    pub(crate) start: Vectors,
}

impl Noisy {
    /// `level` is the size of the noise; at 1, about half of all pairs have positive curvature.
    pub(crate) fn new(sizes: &[usize], steps: usize, level: f64) -> Self {
        let mut numbers = Numbers::new(3);
        let curvature = sizes
            .iter()
            .map(|size| numbers.vector(*size).iter().map(|x| 1.5 + x).collect())
            .collect();
        let noise = (0..steps)
            .map(|_| {
                let mut noise = numbers.vectors(sizes);
                noise.iter_mut().flatten().for_each(|x| *x *= level);
                noise
            })
            .collect();
        Self { curvature, noise, start: numbers.vectors(sizes) }
    }

    pub(crate) fn loss(&self, model: &Many, step: usize) -> burn::tensor::Tensor<1> {
        model.quadratic(&self.curvature, &self.noise[step])
    }

    pub(crate) fn value(&self, theta: &[Vec<f64>], step: usize) -> f64 {
        let tensors = theta.iter().zip(&self.curvature).zip(&self.noise[step]);
        let value = |((x, a), b): ((&Vec<f64>, &Vec<f64>), &Vec<f64>)| -> f64 {
            x.iter().zip(a).zip(b).map(|((x, a), b)| x * (0.5 * a * x + b)).sum()
        };
        tensors.map(value).sum()
    }

    pub(crate) fn gradient(&self, theta: &[Vec<f64>], step: usize) -> Vectors {
        let tensors = theta.iter().zip(&self.curvature).zip(&self.noise[step]);
        let gradient = |((x, a), b): ((&Vec<f64>, &Vec<f64>), &Vec<f64>)| {
            x.iter().zip(a).zip(b).map(|((x, a), b)| a * x + b).collect()
        };
        tensors.map(gradient).collect()
    }
}

impl Noisy {
    /// The Hessian times a vector.
    pub(crate) fn product(&self, vector: &[Vec<f64>]) -> Vectors {
        let product =
            |(v, a): (&Vec<f64>, &Vec<f64>)| v.iter().zip(a).map(|(v, a)| v * a).collect();
        vector.iter().zip(&self.curvature).map(product).collect()
    }
}

/// 30 steps of some ten roundings (1e-16 of the largest number) in another order than the twin's,
/// which Apollo's division by a bound of 0.05 magnifies.
const DOUBLE: f64 = 1e-12;

/// With a pair, s.y and with it H inherit the rounding of a sum that cancels: 1e-16 over the cosine
/// of the pair, here down to 1e-4, and displacements pass it on to the next pair.
const DOUBLE_WITH_PAIRS: f64 = 1e-10;

/// With belief the step is divided by the largest change of the gradient, down to 1e-3: so much
/// larger is the share of the gradient's rounding.
const DOUBLE_WITH_BELIEF: f64 = 1e-11;

/// Products are differences of gradients over a step of 2e-5 there: five digits of 1e-16 are lost.
const DOUBLE_BY_DIFFERENCES: f64 = 1e-9;

/// How closely a method follows another run of the same arithmetic in another order.
pub(crate) fn double(row: &Row) -> f64 {
    match row.name {
        name if name.starts_with("adahessian") || ["sqn", "subspace-newton"].contains(&name) => {
            DOUBLE_BY_DIFFERENCES
        }
        name if name.contains("lbfgs") || name.contains("l-bfgs") => DOUBLE_WITH_PAIRS,
        name if name.starts_with("quasi-adam") => DOUBLE_WITH_PAIRS,
        name if name.starts_with("apollo, belief") => DOUBLE_WITH_BELIEF,
        _ => DOUBLE,
    }
}

/// Fails where the trajectories part; counts pairs that were stored and skipped.
fn compare(row: &Row, noisy: &Noisy, steps: usize, dtype: DType, tolerance: f64) -> (usize, usize) {
    let mut model = Many::new(&noisy.start, dtype);
    let mut optimizer = row.optimizer();
    let mut theta = model.values();
    let mut twin = row.twin();
    let mut pairs = (0, 0);
    for step in 0..steps {
        let report = optimizer
            .step(row.lr, &mut model, &mut |model: &Many| noisy.loss(model, step))
            .expect("the contract is kept");
        assert!(report.is_accepted(), "{}: {report:?}", row.name);
        twin.step(row.lr, &mut theta, &mut |theta| {
            (noisy.value(theta, step), noisy.gradient(theta, step))
        });
        let what = format!("{}, step {}", row.name, step + 1);
        assert_close(&model.values(), &theta, tolerance, &what);
        match report.pair {
            PairOutcome::Stored { .. } | PairOutcome::Damped { .. } => pairs.0 += 1,
            PairOutcome::Skipped(_) => pairs.1 += 1,
            PairOutcome::PerTensor { stored, skipped } => {
                pairs = (pairs.0 + stored, pairs.1 + skipped);
            }
            PairOutcome::NotTried => {}
        }
    }
    pairs
}

#[test]
fn every_method_of_the_list_has_a_plain_twin() {
    let rows = table();
    for preset in PRESETS {
        let run = Run {
            steps: 100,
            steps_per_epoch: 10,
            batch_size: 1,
            rows: 1,
            parameters: 10,
            full_batch: false,
            double_precision: true,
        };
        let method = preset.spec(&run).method();
        assert!(rows.iter().any(|row| row.optimizer().name() == method), "{method}");
    }
}

#[test]
fn every_method_equals_its_plain_twin_over_thirty_noisy_steps() {
    for row in table().into_iter().chain(decayed()) {
        let (mut stored, mut skipped) = (0, 0);
        for level in [0.1, 1.0] {
            let noisy = Noisy::new(&[1, 5, 15, 16, 17, 40], 30, level);
            let pairs = compare(&row, &noisy, 30, DType::F64, double(&row));
            (stored, skipped) = (stored + pairs.0, skipped + pairs.1);
        }
        if row.name.starts_with("quasi-adam") {
            assert!(stored > 0, "{}: no pair was tried out", row.name);
            // Two gradients of one convex function always make a pair.
            let same_batch = row.name.contains("same");
            assert!(skipped > 0 || same_batch, "{}: no rejection was tried out", row.name);
        }
    }
}

#[test]
fn radam_takes_every_beta2_and_is_never_adaptive_up_to_two_thirds() {
    let noisy = Noisy::new(&[1, 17], 30, 0.3);
    for beta_2 in [0.0, 0.3, 0.6, 0.66, 0.67, 0.7, 0.9] {
        let row =
            Row::new("radam", 0.02, RAdamConfig::new().with_beta_2(beta_2).init(), move || {
                PerTensor::new(twin::RAdam::new(Decay::None).with_beta_2(beta_2))
            });
        // r has its root at rho = 4, not far from 5: it magnifies roundings by some ten.
        let _ = compare(&row, &noisy, 30, DType::F64, 10.0 * DOUBLE);
    }
    for beta_2 in [-0.1, 1.0, f64::NAN] {
        assert!(RAdamConfig::new().with_beta_2(beta_2).init().is_err());
    }
}

#[test]
fn every_method_equals_its_plain_twin_on_tensors_that_cross_every_chunk_border() {
    // Below, at and above a lane group (16), a chunk (16384) and a tensor that is not cut (65536).
    let sizes = [1, 15, 16, 17, 16_384, 16_385, 65_537, 200_000];
    let noisy = Noisy::new(&sizes, 4, 0.3);
    for row in large() {
        let _ = compare(&row, &noisy, 4, DType::F64, double(&row));
    }
}

#[test]
fn single_precision_follows_the_double_precision_twin() {
    // 4 steps with a few roundings of 6e-8 each; where a divisor is small (a centred second moment,
    // the first surprise of AdaBelief) they count a hundredfold.
    let noisy = Noisy::new(&[1, 15, 16, 17, 16_385], 4, 0.3);
    // Step lengths that are interpolated between values of a sum of 16,000 inherit its rounding.
    let interpolates = |row: &Row| row.name == "l-ssr1-tr";
    for row in large().into_iter().filter(|row| !interpolates(row)) {
        let _ = compare(&row, &noisy, 4, DType::F32, 1e-4);
    }
}
