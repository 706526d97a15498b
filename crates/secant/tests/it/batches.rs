//! The mathematics of the methods that choose their data: SVRG, SGD-BB, multi-batch L-BFGS, SQN.

use burn::tensor::{DType, Tensor};
use secant::{
    Batches, Function, MultiBatchLBfgsConfig, Optimizer, PairOutcome, SgdBbConfig, SqnConfig,
    SvrgConfig, error::StepError, protocol::Method,
};

use crate::{
    quasi_newton::dot,
    support::{Many, Numbers, Vectors, assert_close, vector},
};

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
