//! The time of a step, measured alone.

use std::time::Instant;

use burn::{optim::GradientsParams, tensor::Device};

use super::{
    Part, Setup, TrainError, batches::shuffled, evaluate::cross_entropy, record::StepTime,
    train::steps_per_epoch,
};
use crate::problem::Problem;

/// Timed pairs of a whole step and of a gradient alone.
const ROUNDS: usize = 15;

/// Median seconds of a whole step, and of what it takes beyond the gradients it evaluates.
///
/// A step and a gradient alone are timed in turn, so a change of the machine's speed meets both.
///
/// # Errors
/// The optimizer cannot be used.
pub fn step_time(problem: &Problem, setup: Setup) -> Result<StepTime, TrainError> {
    let device = Device::default().autodiff();
    let dtype = setup.precision.dtype();
    let mut network = problem.network.init(setup.seed, dtype, &device);
    let steps = steps_per_epoch(problem, setup.batch_size) * setup.epochs;
    let mut optimizer = setup.optimizer.build(steps as u64)?;
    let data = &problem.splits.train;
    let records = &shuffled(data.len(), setup.seed, 0)[..setup.batch_size];
    let (inputs, labels) = Part { data, device: &device, dtype }.batch(records);
    let mut loss = |network: &crate::model::Network| {
        cross_entropy(network.forward(inputs.clone()), labels.clone())
    };
    let (mut whole, mut update) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let started = Instant::now();
        let report = optimizer.step(setup.lr, &mut network, &mut loss)?;
        let step = started.elapsed().as_secs_f64();
        let started = Instant::now();
        drop(GradientsParams::from_grads(loss(&network).backward(), &network));
        let gradient = started.elapsed().as_secs_f64() * report.evals.gradient as f64;
        // The first round warms up.
        if round > 0 {
            whole.push(step);
            update.push((step - gradient).max(0.0));
        }
    }
    let optimizer = setup.optimizer.name.to_string();
    Ok(StepTime { optimizer, seconds: median(whole), update_seconds: median(update) })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
