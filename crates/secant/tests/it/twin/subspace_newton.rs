//! Subspace Newton on vectors without a basis and on quadratics, whose curvature is a difference of
//! gradients over any distance (`spec/subspace.md`; lambda in times of the curvature along d).

use super::{Evaluate, Twin, average, dot};
use crate::support::Vectors;

#[derive(Clone, Default)]
pub(crate) struct SubspaceNewton {
    m: Vec<f64>,
    v: Vec<f64>,
    p: Vec<f64>,
    /// K from zero, and its weights: first row, second row.
    k: [[f64; 2]; 2],
    weights: [[f64; 2]; 2],
    lambda: f64,
    /// a and h.
    ratio: f64,
    growth: f64,
    calls: i32,
}

impl SubspaceNewton {
    pub(crate) fn new() -> Self {
        Self { lambda: 5.0, ratio: 1.0, growth: 1.0, ..Self::default() }
    }

    /// M from K, with lambda in times of K_11 / |d|^2.
    fn damped(&self, k: [[f64; 2]; 2], gram: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
        let kappa = if gram[0][0] > 0.0 { (k[0][0] / gram[0][0]).max(0.0) } else { 0.0 };
        each(|i, j| k[i][j] + self.lambda * kappa * gram[i][j])
    }

    /// c, before the cap; infinite where nothing bends.
    fn coefficients(m: [[f64; 2]; 2], r: [f64; 2], has_p: bool) -> [f64; 2] {
        let ridge = 1e-12 * m[0][0].max(m[1][1]);
        let m = each(|i, j| if i == j { m[i][j] + ridge } else { m[i][j] });
        // Elimination.
        let factor = m[1][0] / m[0][0];
        let pivot = m[1][1] - factor * m[0][1];
        if has_p && m[0][0] > 0.0 && pivot > 0.0 {
            let second = (r[1] - factor * r[0]) / pivot;
            let first = (r[0] - m[0][1] * second) / m[0][0];
            if first > 1e-12 {
                return [first, second];
            }
        }
        [if r[0] > 0.0 { r[0] / m[0][0].max(0.0) } else { 0.0 }, 0.0]
    }
}

fn each(entry: impl Fn(usize, usize) -> f64) -> [[f64; 2]; 2] {
    [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
}

fn form(a: [[f64; 2]; 2], c: [f64; 2]) -> f64 {
    (0..2).flat_map(|i| (0..2).map(move |j| c[i] * a[i][j] * c[j])).sum()
}

/// theta + step direction.
fn moved(theta: &Vectors, step: f64, direction: &[f64]) -> Vectors {
    let mut rest = direction.iter();
    let mut of_tensor = |x: &Vec<f64>| -> Vec<f64> {
        x.iter().zip(rest.by_ref()).map(|(x, d)| x + step * d).collect()
    };
    theta.iter().map(&mut of_tensor).collect()
}

impl Twin for SubspaceNewton {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let (value, g) = evaluate(theta);
        let g = g.concat();
        let t = self.calls;
        self.calls += 1;
        if t == 0 {
            self.p = vec![0.0; g.len()];
            return;
        }
        average(&mut self.m, 0.85, g.iter().copied());
        average(&mut self.v, 0.95, g.iter().map(|g| g * g));
        let correction = (1.0 - 0.95f64.powi(t)).sqrt() / (1.0 - 0.85f64.powi(t));
        let d = self.m.iter().zip(&self.v).map(|(m, v)| -correction * m / (v.sqrt() + 1e-6));
        let directions = [d.collect::<Vec<f64>>(), self.p.clone()];
        let gram = each(|i, j| dot(&directions[i], &directions[j]));
        let has_p = gram[1][1] > 0.0;
        let mut measured = None;
        if t <= 10 || t % 3 == 0 || t % 10 == 0 {
            let products = directions.clone().map(|v| {
                let there = evaluate(&moved(theta, 1.0, &v)).1.concat();
                there.iter().zip(&g).map(|(there, g)| there - g).collect::<Vec<f64>>()
            });
            let new = each(|i, j| dot(&directions[i], &products[j]));
            for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                if has_p || (i, j) == (0, 0) {
                    self.k[i][j] = 0.6 * self.k[i][j] + 0.4 * new[i][j];
                    self.weights[i][j] = 0.6 * self.weights[i][j] + 0.4;
                }
            }
            measured = Some(new);
        }
        let k = each(|i, j| self.k[i][j] / self.weights[i][j].max(1e-300));
        let r = [-dot(&directions[0], &g), -dot(&directions[1], &g)];
        let mut c = Self::coefficients(self.damped(k, gram), r, has_p);
        // The loss's fall over a step of length 1 along p, by that along -d.
        let falls = [r[0] / gram[0][0].sqrt(), r[1] / gram[1][1].sqrt()];
        let known = has_p && falls[0] > 0.0;
        let ratio = if known { (falls[1] / falls[0]).clamp(-1.0, 1.0) } else { 1.0 };
        self.ratio += 0.1 * (ratio - self.ratio);
        let neutral = if self.growth > 1.0 { 0.1 } else { 0.0 };
        self.growth = (self.growth * (0.1 * (self.ratio - neutral)).exp()).clamp(0.6, 2.0);
        let cap = 0.03 * self.growth;
        let longest = cap * gram[0][0].sqrt();
        if c[0].is_infinite() {
            c = [cap, 0.0];
        } else if form(gram, c).sqrt() > longest {
            let length = form(gram, c).sqrt();
            c = c.map(|c| c * longest / length);
        }
        let s: Vec<f64> =
            directions[0].iter().zip(&directions[1]).map(|(d, p)| c[0] * d + c[1] * p).collect();
        *theta = moved(theta, lr, &s);
        self.p = s.iter().map(|s| if c[0] > 0.0 { s / c[0] } else { 0.0 }).collect();
        if let (Some(measured), 0) = (measured, t % 10) {
            let x = c.map(|c| lr * c);
            let promised = 0.5 * form(self.damped(measured, gram), x) - r[0] * x[0] - r[1] * x[1];
            if promised < 0.0 {
                let ratio = (evaluate(theta).0 - value) / promised;
                let factor = 0.95f64.powi(10);
                if ratio > 0.75 {
                    self.lambda = (self.lambda * factor).max(1e-8);
                } else if ratio < 0.25 {
                    self.lambda = (self.lambda / factor).min(1e3);
                }
            }
        }
    }
}
