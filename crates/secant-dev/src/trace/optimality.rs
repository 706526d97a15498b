//! How far a step is from solving its trust-region subproblem, by the conditions of Moré and Sorensen.

use serde::Serialize;

use super::{file::SubproblemTrace, replay::larger};

/// The conditions that a solution meets: all are 0 for an exact one.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Optimality {
    /// |(B + sigma I) p + g| / (|g| + (|B| + sigma) |p|).
    pub residual: f64,
    /// sigma (delta - |p|), over (|B| + sigma) delta.
    pub complementarity: f64,
    /// How far p is outside the radius, over the radius.
    pub feasibility: f64,
}

impl Optimality {
    /// Of step `p` and multiplier `sigma`, with B built of the reference's pairs one after the other.
    pub(super) fn of(trace: &SubproblemTrace, p: &[f64], sigma: f64) -> Self {
        let mut residual = rank_one_updates(trace)
            .iter()
            .fold(scaled(trace.gamma + sigma, p), |sum, Update { r, curvature }| {
                sum_of(&sum, dot(r, p) / curvature, r)
            });
        residual = sum_of(&residual, 1.0, &trace.g);
        let (length, norm_b) = (norm(p), trace.norm_b);
        let scale = norm(&trace.g) + (norm_b + sigma) * length;
        Self {
            residual: norm(&residual) / scale.max(f64::MIN_POSITIVE),
            complementarity: sigma * (trace.delta - length).abs()
                / ((norm_b + sigma) * trace.delta).max(f64::MIN_POSITIVE),
            feasibility: (length - trace.delta).max(0.0) / trace.delta,
        }
    }

    /// The largest of the three; NaN counts as the largest.
    pub fn worst(&self) -> f64 {
        larger(self.residual, larger(self.complementarity, self.feasibility))
    }
}

/// r r^T / curvature, where r = y - B s and curvature = s.r.
struct Update {
    r: Vec<f64>,
    curvature: f64,
}

/// The SR1 updates of the accepted pairs, oldest first.
fn rank_one_updates(trace: &SubproblemTrace) -> Vec<Update> {
    let mut updates: Vec<Update> = Vec::new();
    for (s, y) in trace.accepted.iter().map(|&pair| (&trace.s[pair], &trace.y[pair])) {
        let bs = updates.iter().fold(scaled(trace.gamma, s), |sum, Update { r, curvature }| {
            sum_of(&sum, dot(r, s) / curvature, r)
        });
        let r = sum_of(y, -1.0, &bs);
        updates.push(Update { curvature: dot(s, &r), r });
    }
    updates
}

pub(super) fn norm(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn scaled(factor: f64, vector: &[f64]) -> Vec<f64> {
    vector.iter().map(|x| factor * x).collect()
}

/// a + factor b
fn sum_of(a: &[f64], factor: f64, b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + factor * b).collect()
}
