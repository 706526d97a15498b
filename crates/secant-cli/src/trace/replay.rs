//! Runs a trace's optimizer on its problem and compares every step with the reference.

use secant::dual::Tangents;
use serde::Serialize;

use super::{
    file::{ReferenceStep, Trace, TraceError},
    model::TraceProblem,
};

/// Numbers below this count as this large in a relative deviation.
const FLOOR: f64 = 1e-8;

/// What our implementation did in one step, in the format of the reference.
#[derive(Clone, Debug, Serialize)]
pub struct StepRecord {
    /// From 1.
    pub step: usize,
    /// The loss of the batch before the update.
    pub loss: f64,
    /// The parameters after the update, one list a tensor.
    pub params: Vec<Vec<f64>>,
}

/// A replayed trace.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Our steps.
    pub steps: Vec<StepRecord>,
    /// The largest relative deviation, over losses and parameters of all steps.
    pub deviation: f64,
    /// The step with the largest deviation, from 1.
    pub worst_step: usize,
}

/// Replays `trace`.
///
/// # Errors
/// The trace is not consistent, or a step failed.
pub fn replay(trace: &Trace) -> Result<Replay, TraceError> {
    let problem = TraceProblem::new(&trace.name, trace.dtype, &trace.problem, &trace.init)?;
    let plain = Tangents::none();
    let mut model = problem.model(&trace.init);
    let mut optimizer = trace.optimizer.build()?;
    let mut replay = Replay { steps: Vec::new(), deviation: 0.0, worst_step: 1 };
    for (index, reference) in trace.trace.iter().enumerate() {
        let rows = trace.batches.as_ref().map(|all| all[index % all.len()].as_slice());
        let report = optimizer.step(trace.optimizer.lr(), &mut model, &mut |model| {
            problem.loss(model, &plain, rows).value
        })?;
        let loss = report.loss.unwrap_or(f64::NAN);
        let step = StepRecord { step: index + 1, loss, params: problem.values(&model) };
        let deviation = step.deviation(reference);
        // NaN counts as the largest.
        if deviation > replay.deviation || deviation.is_nan() {
            (replay.deviation, replay.worst_step) = (deviation, step.step);
        }
        replay.steps.push(step);
    }
    Ok(replay)
}

impl StepRecord {
    /// max |ours - reference| / max(max |reference|, floor), over the loss and every tensor.
    fn deviation(&self, reference: &ReferenceStep) -> f64 {
        let tensors = self.params.iter().zip(&reference.params);
        tensors
            .map(|(ours, theirs)| relative(ours, theirs))
            .fold(relative(&[self.loss], &[reference.loss]), larger)
    }
}

pub(super) fn relative(ours: &[f64], theirs: &[f64]) -> f64 {
    let scale = theirs.iter().fold(FLOOR, |max, x| max.max(x.abs()));
    let difference = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, larger);
    difference / scale
}

/// The larger number; NaN is larger than all.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if b <= a || a.is_nan() { a } else { b }
}
