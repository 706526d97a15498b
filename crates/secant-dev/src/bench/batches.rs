//! The time of making a batch's tensor, beside a whole training step.

use std::{fmt::Write, time::Instant};

use burn::tensor::{DType, Device};
use secant::{AdamConfig, Batches};
use secant_lab::{Batch, Part, Problem, supervised::Supervised};

use super::measure::median;

/// What was measured on one problem.
#[derive(Clone, Debug)]
pub struct BatchesMeasurement {
    /// The problem.
    pub problem: String,
    /// Records in a batch.
    pub batch_size: usize,
    /// Median seconds to gather a batch's inputs, augment them and make a tensor of them.
    pub inputs_seconds: f64,
    /// Median seconds of a whole step with Adam, making the inputs included.
    pub step_seconds: f64,
}

/// Times both in turns, `rounds` times after a first one.
///
/// # Errors
/// The batches are larger than the training part, or a step breaks its contract.
pub fn measure_batches(problem: &Supervised, rounds: usize) -> anyhow::Result<BatchesMeasurement> {
    let device = Device::default().autodiff();
    let batch_size = problem.batch_size();
    let mut batches = Batches::shuffled(problem.records(Part::Train), batch_size, 1)?;
    let mut model = problem.model(1, &device);
    let mut optimizer = AdamConfig::new().init()?;
    let (mut inputs, mut steps) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let started = Instant::now();
        let mut seen = Vec::new();
        // A rejected step takes its time too.
        let _ =
            optimizer.step_on(1e-3, &mut model, &mut batches, |model: &_, records: &[usize]| {
                seen = records.to_vec();
                problem.loss(model, batch(records, &device))
            })?;
        let step = started.elapsed().as_secs_f64();
        let started = Instant::now();
        std::hint::black_box(problem.inputs(batch(&seen, &device)));
        if round > 0 {
            inputs.push(started.elapsed().as_secs_f64());
            steps.push(step);
        }
    }
    let (inputs_seconds, step_seconds) = (median(&inputs), median(&steps));
    Ok(BatchesMeasurement { problem: problem.name(), batch_size, inputs_seconds, step_seconds })
}

fn batch<'a>(records: &'a [usize], device: &'a Device) -> Batch<'a> {
    Batch { part: Part::Train, records, device, dtype: DType::F32 }
}

/// One line for each problem.
pub fn batches_table(measurements: &[BatchesMeasurement]) -> String {
    let mut table = format!(
        "{:<24} {:>6} {:>10} {:>10} {:>8}\n",
        "problem", "batch", "inputs, ms", "step, ms", "share"
    );
    for BatchesMeasurement { problem, batch_size, inputs_seconds, step_seconds } in measurements {
        let share = 100.0 * inputs_seconds / step_seconds;
        let (inputs, step) = (1e3 * inputs_seconds, 1e3 * step_seconds);
        let _ = writeln!(
            table,
            "{problem:<24} {batch_size:>6} {inputs:>10.3} {step:>10.1} {share:>6.2} %"
        );
    }
    table
}
