//! Runs a trace's optimizer on its problem and compares every step with the reference.

use secant::{Batches, dual::Tangents};
use serde::Serialize;

use super::{
    file::{ReferenceStep, Trace, TraceError},
    model::{TraceModel, TraceProblem},
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
    /// The step size, where the reference has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_size: Option<f64>,
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
    let mut model = problem.model(&trace.init);
    let probes = trace.probes.iter().flatten().map(|probe| problem.in_module_order(probe));
    let mut optimizer = trace.optimizer.build(probes.collect())?;
    let mut batches = batches(trace)?;
    let has_batches = trace.batches.is_some();
    let mut replay = Replay { steps: Vec::new(), deviation: 0.0, worst_step: 1 };
    for (index, reference) in trace.trace.iter().enumerate() {
        let mut loss = |model: &TraceModel, at: &Tangents, rows: &[usize]| {
            problem.loss(model, at, has_batches.then_some(rows))
        };
        let report =
            optimizer.step_dual_on(trace.optimizer.lr(), &mut model, &mut batches, &mut loss)?;
        let step = StepRecord {
            step: index + 1,
            loss: report.loss.unwrap_or(f64::NAN),
            params: problem.values(&model),
            step_size: reference.step_size.and(report.step_size),
        };
        let deviation = step.deviation(reference);
        // NaN counts as the largest.
        if deviation > replay.deviation || deviation.is_nan() {
            (replay.deviation, replay.worst_step) = (deviation, step.step);
        }
        replay.steps.push(step);
    }
    Ok(replay)
}

/// The batches of a trace; without any, one that stands for all data.
fn batches(trace: &Trace) -> Result<Batches, TraceError> {
    Ok(match &trace.batches {
        Some(lists) => Batches::listed(trace.problem.rows(), lists.clone())?,
        None => Batches::listed(1, vec![vec![0]])?,
    })
}

impl StepRecord {
    /// max |ours - reference| / max(max |reference|, floor), over the loss, every tensor and
    /// the step size.
    fn deviation(&self, reference: &ReferenceStep) -> f64 {
        let tensors = self.params.iter().zip(&reference.params);
        let tensors = tensors.map(|(ours, theirs)| relative(ours, theirs));
        let step_size = reference
            .step_size
            .map(|theirs| relative(&[self.step_size.unwrap_or(f64::NAN)], &[theirs]));
        tensors.chain(step_size).fold(relative(&[self.loss], &[reference.loss]), larger)
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
