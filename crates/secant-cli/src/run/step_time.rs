//! The time of a step, measured alone.

use std::time::Instant;

use burn::tensor::Device;

use super::{
    Part, Setup, TrainError, batches::shuffled, evaluate::cross_entropy, record::StepTime,
    train::steps_per_epoch,
};
use crate::problem::Problem;

/// Timed steps.
const ROUNDS: usize = 15;

/// Median seconds of a whole step: forward, backward and update.
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
    let mut seconds = Vec::new();
    for round in 0..=ROUNDS {
        let started = Instant::now();
        // The outcome does not matter here: a rejected step takes its time too.
        let _ = optimizer.step(setup.lr, &mut network, &mut loss)?;
        // The first round warms up.
        if round > 0 {
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    Ok(StepTime { optimizer: setup.optimizer.name.to_string(), seconds: median(seconds) })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
