//! The time of a step, measured alone.

use std::time::Instant;

use super::{Part, Setup, TrainError, record::StepTime, step::step};
use crate::problem::Problem;
use burn::tensor::Device;

/// Timed steps.
const ROUNDS: usize = 15;

/// Median seconds of a whole step: forward, backward and update.
///
/// # Errors
/// The optimizer cannot be used.
pub fn step_time(problem: &Problem, setup: Setup<'_>) -> Result<StepTime, TrainError> {
    let device = Device::default().autodiff();
    let dtype = setup.precision.dtype();
    let mut network = problem.network.init(setup.seed, dtype, &device);
    let data = &problem.splits.train;
    let mut batches = setup.batches(data.len())?;
    let mut optimizer = setup.optimizer(&batches)?;
    let part = Part { data, device: &device, dtype };
    let mut seconds = Vec::new();
    for round in 0..=ROUNDS {
        let started = Instant::now();
        // The outcome does not matter here: a rejected step takes its time too.
        let _ = step(&mut optimizer, setup.products, setup.lr, &mut network, &mut batches, part)?;
        // The first round warms up.
        if round > 0 {
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    Ok(StepTime { optimizer: setup.optimizer.to_string(), seconds: median(seconds) })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
