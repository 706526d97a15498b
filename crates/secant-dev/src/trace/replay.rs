//! Runs a trace's optimizer on its problem and compares every step with the reference.

use secant::{
    AnyOptimizer, Batches, Duals, Optimizer, StepReport, dual::Tangents,
    method::diagonal::adahessian::Probe, spec::MethodSpec,
};
use serde::Serialize;
use serde_json::Map;

use super::{
    file::{ReferenceStep, Trace, TraceError},
    model::{TraceModel, TraceProblem},
    translate::TraceOptimizer,
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
    /// The point to evaluate at, where the reference has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_params: Option<Vec<Vec<f64>>>,
    /// The step size, where the reference has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_size: Option<f64>,
    /// What the line search did, where the reference counts its evaluations.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchRecord>,
    /// What the trust region did, where the reference has it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub trust_region: Option<RegionRecord>,
}

/// What a line search did in one step.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SearchRecord {
    /// The step length.
    pub alpha: f64,
    /// Evaluations since the beginning.
    pub func_evals: u64,
}

impl SearchRecord {
    /// A hundredth of the step length's deviation, which is not as well known as the parameters; NaN where
    /// the counts differ.
    fn deviation(&self, reference: &ReferenceStep) -> f64 {
        let alpha = reference.alpha.map_or(0.0, |theirs| relative(&[self.alpha], &[theirs]));
        let agrees = reference.func_evals.is_none_or(|theirs| self.func_evals == theirs);
        if agrees { 1e-2 * alpha } else { f64::NAN }
    }
}

/// What the trust region did in one step.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RegionRecord {
    /// The radius after the step.
    pub radius: f64,
    /// The ratio of what the loss did to what the model said.
    pub rho: f64,
    /// The step length of the line search.
    pub alpha: f64,
    /// The length of the step.
    pub step_norm: f64,
    /// The multiplier.
    pub sigma: f64,
    /// The model at its minimiser.
    pub model_value: f64,
    /// Pairs in the matrix.
    pub accepted_pairs: usize,
    /// Pairs in memory after the step.
    pub stored_pairs: usize,
    /// The loss at the end of the step on the records of the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_value: Option<f64>,
    /// Whether the batch would be doubled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubling: Option<bool>,
}

impl RegionRecord {
    fn of(report: &StepReport) -> Option<Self> {
        let region = report.trust_region?;
        Some(Self {
            radius: region.next_radius,
            rho: region.ratio,
            alpha: report.line_search.map_or(f64::NAN, |search| search.step_length),
            step_norm: region.step_norm,
            sigma: region.sigma,
            model_value: region.model_change,
            accepted_pairs: region.pairs_kept,
            stored_pairs: region.pairs_stored,
            check_value: region.check.map(|check| check.value),
            doubling: region.check.map(|check| check.is_too_small),
        })
    }

    /// As for parameters; of the ratio, a quotient of small differences, a ten-thousandth. NaN where a
    /// decision differs.
    fn deviation(&self, reference: &ReferenceStep) -> f64 {
        let numbers = [
            (self.radius, reference.radius),
            (self.alpha, reference.alpha),
            (self.step_norm, reference.step_norm),
            (self.check_value.unwrap_or(f64::NAN), reference.check_value),
        ];
        let numbers = numbers
            .into_iter()
            .filter_map(|(ours, theirs)| Some(relative(&[ours], &[theirs?])))
            .fold(0.0, larger);
        let rho = reference.rho.map_or(0.0, |rho| (self.rho - rho).abs() / rho.abs().max(1.0));
        let agrees = reference.doubling.is_none_or(|theirs| self.doubling == Some(theirs))
            && reference.accepted_pairs.is_none_or(|theirs| self.accepted_pairs == theirs)
            && reference.stored_pairs.is_none_or(|theirs| self.stored_pairs == theirs);
        let decisions = if agrees { 0.0 } else { f64::NAN };
        larger(decisions, larger(numbers, 1e-4 * rho))
    }
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
    let mut optimizer = optimizer(trace, probes.collect(), &problem.paths())?;
    let mut batches = batches(trace)?;
    // All rows as they are need no selection.
    let selects = trace.batches.is_some() || !trace.check_samples.is_empty();
    let mut func_evals = 0;
    let mut replay = Replay { steps: Vec::new(), deviation: 0.0, worst_step: 1 };
    for (index, reference) in trace.trace.iter().enumerate() {
        let loss = Duals(|model: &TraceModel, at: &Tangents, rows: &[usize]| {
            problem.loss(model, at, selects.then_some(rows))
        });
        let report = optimizer.step_on(trace.rate(index), &mut model, &mut batches, loss)?;
        let evaluated = || optimizer.averaged(&model).map(|model| problem.values(&model));
        func_evals += report.evals.gradient;
        let alpha = report.line_search.map_or(f64::NAN, |search| search.step_length);
        let step = StepRecord {
            step: index + 1,
            loss: report.loss.unwrap_or(f64::NAN),
            params: problem.values(&model),
            eval_params: reference.eval_params.as_ref().map(|_| evaluated()).transpose()?,
            step_size: reference.step_size.and(report.step_size),
            search: reference.func_evals.map(|_| SearchRecord { alpha, func_evals }),
            trust_region: RegionRecord::of(&report),
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

/// The optimizer: it draws no signs of its own where the trace has some, and leaves to AdamW the tensors
/// that the trace does. `paths` are those of the model's tensors.
fn optimizer(
    trace: &Trace,
    probes: Vec<Probe>,
    paths: &[String],
) -> Result<AnyOptimizer<TraceModel>, TraceError> {
    let TraceOptimizer { method, muon_tensors, .. } = &trace.optimizer;
    match (method, muon_tensors) {
        (MethodSpec::AdaHessian(config), _) if !probes.is_empty() => {
            Ok(Optimizer::new(config.build().with_probes(probes))?.into())
        }
        (method, Some(muon)) => {
            let others = (0..paths.len()).filter(|place| !muon.contains(place));
            let others: Vec<&str> = others.map(|place| paths[place].as_str()).collect();
            let keys = Map::from_iter([("adamw_params".to_string(), others.into())]);
            Ok(method.with(&keys)?.init()?)
        }
        (method, None) => Ok(method.init()?),
    }
}

/// The batches of a trace; without any, one of all data.
fn batches(trace: &Trace) -> Result<Batches, TraceError> {
    let rows = trace.problem.rows();
    if rows == usize::MAX {
        return Ok(Batches::listed(1, vec![vec![0]])?);
    }
    let lists = trace.batches.clone().unwrap_or_else(|| vec![(0..rows).collect()]);
    let samples = trace.check_samples.iter().map(|sample| sample.rows.clone());
    Ok(Batches::listed(rows, lists)?.with_samples(samples.collect())?)
}

impl Trace {
    /// The rate of the step that `index` steps go before.
    fn rate(&self, index: usize) -> f64 {
        let factors = self.lr_factors.as_deref().unwrap_or(&[]);
        self.optimizer.lr * factors.get(index % factors.len().max(1)).unwrap_or(&1.0)
    }
}

impl StepRecord {
    /// max |ours - reference| / max(max |reference|, floor), over the loss, every tensor, the step
    /// size and the trust region.
    fn deviation(&self, reference: &ReferenceStep) -> f64 {
        let averages = self.eval_params.iter().flatten();
        let averages = averages.zip(reference.eval_params.iter().flatten());
        let tensors = self.params.iter().zip(&reference.params).chain(averages);
        let tensors = tensors.map(|(ours, theirs)| relative(ours, theirs));
        let step_size = reference
            .step_size
            .map(|theirs| relative(&[self.step_size.unwrap_or(f64::NAN)], &[theirs]));
        let has_region = reference.radius.is_some();
        let region = has_region
            .then(|| self.trust_region.map_or(f64::NAN, |region| region.deviation(reference)));
        let search = self.search.map(|search| search.deviation(reference));
        tensors
            .chain(step_size)
            .chain(search)
            .chain(region)
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
