//! A run that stops and goes on is the run that never stopped.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use burn::{
    module::Module,
    nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig},
    tensor::{Device, Tensor},
};

use super::{Checkpoints, HessianProducts, Outcome, Setting, TrainError, Treatment, Watch, train};
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
        Net {
            first: LinearConfig::new(3, 5).init(device),
            norm: BatchNormConfig::new(5).init(device),
            second: LinearConfig::new(5, 1).init(device),
        }
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
        "l-bfgs",
        "multi-batch-lbfgs",
        "sqn",
        "mb-lsr1",
        "l-ssr1-tr",
        "svrg",
        "sgd-bb",
        "switch(first=adam,then=l-bfgs,at=step(5))",
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
