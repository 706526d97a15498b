//! Solves a reference's trust-region subproblem and compares.

use burn::tensor::TensorData;
use secant::{
    Case,
    blocks::Blocks,
    operator::{LSr1, Minimiser},
};
use secant_core::compact::Tolerances;
use serde::Serialize;

use super::{
    file::{SubproblemTrace, TraceError, Unique},
    optimality::{Optimality, norm},
    replay::larger,
};

/// Our solution, in the format of the reference.
#[derive(Clone, Debug, Serialize)]
pub struct SubproblemRecord {
    /// The step.
    pub p: Vec<f64>,
    /// The multiplier.
    pub sigma: f64,
    /// The model at the step.
    pub model_value: f64,
    /// The pairs that passed the skipping rule.
    pub accepted: Vec<usize>,
    /// Where the step lies.
    pub solution: &'static str,
    /// The conditions of a solution.
    #[serde(flatten)]
    pub optimality: Optimality,
}

/// A solved subproblem.
#[derive(Clone, Debug)]
pub struct SubproblemReplay {
    /// What we computed.
    pub record: SubproblemRecord,
    /// The largest of the relative deviations of step, multiplier and model value and of the
    /// conditions of a solution; NaN where other pairs were accepted, or the step lies elsewhere.
    pub deviation: f64,
}

impl SubproblemTrace {
    /// The trace's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The largest deviation that passes.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// |p - reference| / |reference|, or how far p is from what all solutions share.
    fn deviation_of_step(&self, p: &[f64]) -> f64 {
        let distance = |reference: &Option<Vec<f64>>| {
            let reference = reference.as_deref().unwrap_or_default();
            length_of_difference(p, reference) / norm(reference).max(f64::MIN_POSITIVE)
        };
        match self.unique {
            Unique::Yes | Unique::NullSpace => distance(&self.p),
            Unique::Sign => distance(&self.p).min(distance(&self.p_alt)),
            Unique::Subspace => {
                let mut fixed = vec![0.0; self.n];
                for row in self.fixed_basis.iter().flatten() {
                    let along: f64 = row.iter().zip(p).map(|(a, b)| a * b).sum();
                    fixed.iter_mut().zip(row).for_each(|(sum, entry)| *sum += along * entry);
                }
                let shared = self.p_hat.as_deref().unwrap_or_default();
                let outside = (norm(p) - self.delta).abs() / self.delta;
                larger(outside, length_of_difference(&fixed, shared) / self.delta)
            }
        }
    }
}

/// Solves the subproblem of `trace`.
///
/// # Errors
/// It cannot be solved.
pub fn replay_subproblem(trace: &SubproblemTrace) -> Result<SubproblemReplay, TraceError> {
    let vector = |list: &Vec<f64>| Blocks::new(vec![TensorData::new(list.clone(), [list.len()])]);
    let mut matrix = LSr1::new(trace.s.len());
    for (s, y) in trace.s.iter().zip(&trace.y) {
        matrix.push(vector(s), vector(y));
    }
    let tolerances = Tolerances { r: trace.skip_r, r2: trace.skip_r2, ..Tolerances::F64 };
    let found = matrix.minimise(&vector(&trace.g), trace.delta, trace.gamma, tolerances)?;
    let Minimiser { step, sigma, model_value, case, accepted, .. } = found;
    let solution = match case {
        Case::Interior => "interior",
        Case::Boundary => "boundary",
        Case::Hard => "hard",
    };
    let p: Vec<f64> =
        step.data().flat_map(|data| data.iter::<f64>().collect::<Vec<f64>>()).collect();
    let optimality = Optimality::of(trace, &p, sigma);
    let same = accepted == trace.accepted && solution == trace.solution;
    let deviation = [
        trace.deviation_of_step(&p),
        (sigma - trace.sigma).abs() / (trace.sigma.abs() + trace.norm_b),
        (model_value - trace.model_value).abs() / trace.model_value.abs().max(f64::MIN_POSITIVE),
        optimality.worst(),
    ]
    .into_iter()
    .fold(if same { 0.0 } else { f64::NAN }, larger);
    let record = SubproblemRecord { p, sigma, model_value, accepted, solution, optimality };
    Ok(SubproblemReplay { record, deviation })
}

fn length_of_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}
