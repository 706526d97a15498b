//! A run that stops and goes on is the run that never stopped.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use burn::{
    module::{Module, Param},
    nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig},
    tensor::{Device, Tensor, TensorData},
};

use super::{
    Checkpoints, HessianProducts, Outcome, Setting, TrainError, Treatment, Watch,
    own_statistics::with_own_statistics, train,
};
use crate::{Batch, Budget, Part, Precision, Problem};

/// A network whose running statistics are part of its state.
#[derive(Module, Debug)]
struct Net {
    first: Linear,
    norm: BatchNorm,
    second: Linear,
}

struct Waves;

impl Problem for Waves {
    type Model = Net;

    fn name(&self) -> String {
        "waves".to_string()
    }

    fn model(&self, _: u64, device: &Device) -> Net {
        // Without Burn's generator, of which the process has one: other tests draw from it meanwhile.
        let layer = |inputs: usize, outputs: usize| {
            let numbers: Vec<f32> =
                (0..inputs * outputs).map(|i| 0.6 * (0.7 * i as f32 + 1.0).sin()).collect();
            let weight = Tensor::<1>::from_floats(numbers.as_slice(), device);
            let mut layer = LinearConfig::new(inputs, outputs).init(device);
            layer.weight = Param::from_tensor(weight.reshape([inputs, outputs]));
            layer.bias = Some(Param::from_tensor(Tensor::zeros([outputs], device)));
            layer
        };
        Net { first: layer(3, 5), norm: BatchNormConfig::new(5).init(device), second: layer(5, 1) }
    }

    fn records(&self, part: Part) -> usize {
        if part == Part::Train { 120 } else { 60 }
    }

    fn loss(&self, net: &Net, batch: Batch<'_>) -> Tensor<1> {
        let row =
            |&k: &usize| [k as f64, k as f64 * 0.7, (batch.part as usize) as f64].map(f64::sin);
        let rows: Vec<f64> = batch.records.iter().flat_map(row).collect();
        let x = batch.tensor(rows, [batch.records.len(), 3]);
        let target = x.clone().narrow(1, 0, 1) * x.clone().narrow(1, 1, 1);
        let hidden = net.norm.forward(net.first.forward(x)).tanh();
        (net.second.forward(hidden) - target).powi_scalar(2).mean()
    }

    fn fingerprint(&self) -> String {
        "waves".to_string()
    }
}

fn setting(method: &str) -> Setting {
    Setting {
        method: method.parse().expect(method),
        lr: 0.02,
        seed: 3,
        budget: Budget::Epochs(3.0),
        batch_size: 20,
        precision: Precision::F32,
        treatment: Treatment::default(),
        products: HessianProducts::AnyDifferences,
    }
}

/// The run up to the end, or stopped after so many steps, with the last checkpoint.
fn run(
    setting: &Setting,
    from: Option<Vec<u8>>,
    stop_after: u64,
) -> (Result<Outcome, TrainError>, Vec<u8>) {
    let (stop, steps) = (AtomicBool::new(false), AtomicU64::new(0));
    let last = RefCell::new(Vec::new());
    let keep = |state: &[u8]| {
        last.replace(state.to_vec());
        Ok(())
    };
    let after_step = |_| {
        if steps.fetch_add(1, Ordering::Relaxed) + 1 == stop_after {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let checkpoints = Checkpoints { from, every: Duration::MAX, keep: &keep };
    let ended = train(&Waves, setting, Watch::Whole, &stop, &after_step, &checkpoints);
    (ended.map(|(outcome, _)| outcome), last.take())
}

/// The outcome as text, every number with all its digits, without the times.
fn text(outcome: Result<Outcome, TrainError>) -> String {
    let mut outcome = outcome.expect("an outcome");
    outcome.curve.iter_mut().for_each(|point| point.seconds = 0.0);
    format!("{outcome:?}")
}

#[test]
fn a_run_that_is_stopped_twice_has_the_bits_of_one_that_never_stopped() {
    let methods = [
        "sgd-momentum",
        "adam",
        "apollo",
        "quasi-adam",
        "quasi-adam-same-batch",
        "adahessian",
        "muon",
        "schedule-free-adamw",
        "l-bfgs",
        "multi-batch-lbfgs",
        "sqn",
        "mb-lsr1",
        "l-ssr1-tr",
        "svrg",
        "sgd-bb",
        "switch(first=adam,then=l-bfgs,at=step(5))",
        "switch(first=schedule-free-sgd,then=adam,at=step(5))",
    ];
    for method in methods {
        let setting = setting(method);
        let whole = text(run(&setting, None, 0).0);
        for after in [1, 4] {
            let (ended, first) = run(&setting, None, after);
            assert!(matches!(ended, Err(TrainError::Stopped)), "{method}: {ended:?}");
            let (ended, second) = run(&setting, Some(first), 2);
            let second = match ended {
                Err(TrainError::Stopped) => second,
                ended => panic!("{method}: {ended:?}"),
            };
            let (ended, _) = run(&setting, Some(second), 0);
            assert_eq!(text(ended), whole, "{method} stopped after {after} steps");
        }
    }
}

/// One number, and a loss whose slope is 1: a method's points are known without it.
struct Slope;

impl Problem for Slope {
    type Model = Param<Tensor<1>>;

    fn name(&self) -> String {
        "slope".to_string()
    }

    fn model(&self, _: u64, device: &Device) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::zeros([1], device))
    }

    fn records(&self, _: Part) -> usize {
        20
    }

    fn loss(&self, model: &Param<Tensor<1>>, _: Batch<'_>) -> Tensor<1> {
        model.val().sum()
    }

    fn fingerprint(&self) -> String {
        "slope".to_string()
    }
}

#[test]
fn a_run_is_judged_and_kept_at_the_average_of_a_method_that_averages() {
    const STEPS: u64 = 12;
    let setting = Setting {
        lr: 1.0,
        budget: Budget::Epochs(STEPS as f64),
        precision: Precision::F64,
        treatment: Treatment {
            schedule: "constant".parse().expect("a schedule"),
            ..Treatment::default()
        },
        ..setting("schedule-free-sgd")
    };
    let checkpoints = Checkpoints { from: None, every: Duration::MAX, keep: &|_| Ok(()) };
    let never = AtomicBool::new(false);
    let ended = train(&Slope, &setting, Watch::Whole, &never, &|_| (), &checkpoints);
    let (outcome, model) = ended.expect("an outcome");
    // Step k of gradient descent ends at -k; the mean of the first k such points. y is 0.05 (k - 1) below it.
    let mean = |steps: u64| if steps == 0 { 0.0 } else { -0.5 * (steps + 1) as f64 };
    let is_mean = |value: f64, steps| (value - mean(steps)).abs() < 1e-12;
    let is_mean_of = |values: &[Option<f64>], steps| is_mean(values[0].expect("finite"), steps);
    assert_eq!(outcome.curve.len() as u64, STEPS + 1);
    for point in &outcome.curve {
        assert!(is_mean_of(&point.validation, point.steps), "{point:?}");
    }
    assert!(is_mean_of(&outcome.validation, STEPS) && is_mean_of(&outcome.test, STEPS));
    assert!(is_mean(model.val().into_scalar(), STEPS));
}

#[test]
fn statistics_are_taken_at_the_point_of_evaluation_and_no_other_copy_sees_it() {
    let device = Device::default().autodiff();
    let model = Waves.model(0, &device);
    // Inputs of batch norm around 5, where its statistics begin with a mean of 0.
    let Linear { weight, bias } = model.first;
    let bias = bias.map(|bias| bias.map(|bias| bias * 0.0 + 5.0));
    let model = Net { first: Linear { weight, bias }, ..model };
    let statistics = |net: &Net| -> Vec<f64> {
        drop(net.valid());
        net.norm.running_mean.value().into_data().iter::<f64>().collect()
    };
    let records: Vec<usize> = (0..Waves.records(Part::Train)).collect();
    let wave = |&k: &usize| [k as f64, k as f64 * 0.7, 0.0].map(f64::sin);
    let rows: Vec<f64> = records.iter().flat_map(wave).collect();
    let all = Tensor::<2>::from_data(TensorData::new(rows, [records.len(), 3]), &device);
    let mean = model.first.forward(all).mean_dim(0).into_data().iter::<f64>().collect::<Vec<_>>();
    let setting = setting("schedule-free-sgd");
    let evaluated = with_own_statistics(&Waves, model.valid(), &setting, &device);
    // 20 batches leave 0.9^20 of the old mean, 0, and the last ones weigh more: a few per cent.
    for (found, mean) in statistics(&evaluated).into_iter().zip(mean) {
        let expected = (1.0 - 0.9f64.powi(20)) * mean;
        assert!((found / expected - 1.0).abs() < 0.05, "{found} is not {expected}");
    }
    assert_eq!(statistics(&model), vec![0.0; 5]);
    assert!(!evaluated.second.weight.val().device().is_autodiff());
    assert_eq!(evaluated.second.weight.val().into_data(), model.second.weight.val().into_data());
}

#[test]
fn a_damaged_checkpoint_or_one_of_another_run_is_refused() {
    let setting = setting("adam");
    let (_, good) = run(&setting, None, 3);
    let refused = |bytes: Vec<u8>| {
        let (ended, _) = run(&setting, Some(bytes), 0);
        assert!(matches!(ended, Err(TrainError::Checkpoint(_))), "{ended:?}");
    };
    for place in [0, 70, good.len() / 2, good.len() - 1] {
        let mut flipped = good.clone();
        flipped[place] ^= 1;
        refused(flipped);
    }
    refused(good[..good.len() - 1].to_vec());
    refused(Vec::new());
    let (_, other) = run(&Setting { precision: Precision::F64, ..setting.clone() }, None, 3);
    refused(other);
    let (_, other) = run(&self::setting("sgd-momentum"), None, 3);
    refused(other);
}
