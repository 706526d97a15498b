//! Twins of the L-SR1 trust-region methods: B as the sum of its rank-one updates, and the subproblem by
//! bisection on its multiplier. Nothing is shared with the library's compact matrices and eigenbasis.
//! The line searches' state machines are the library's, which have tests of their own.

use secant::{AveragedRule, TwoSidedRule};

use super::{
    Evaluate, Twin, difference, dot,
    quasi_newton::{Joined, plus, search},
};
use crate::support::Vectors;

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn scaled(a: &[f64], factor: f64) -> Vec<f64> {
    a.iter().map(|a| factor * a).collect()
}

/// `a` shortened to `delta`.
fn clipped(a: Vec<f64>, delta: f64) -> Vec<f64> {
    let length = norm(&a);
    if length > delta { scaled(&a, delta / length) } else { a }
}

/// B = gamma I + sum of r_j r_j' / (s_j.r_j), r_j = y_j - B_{j-1} s_j.
struct Sr1 {
    gamma: f64,
    updates: Vec<(Vec<f64>, f64)>,
}

impl Sr1 {
    fn new(gamma: f64, pairs: &[(Vec<f64>, Vec<f64>)]) -> Self {
        let mut matrix = Self { gamma, updates: Vec::new() };
        for (s, y) in pairs {
            let r = difference(y, &matrix.apply(s));
            let sr = dot(s, &r);
            if sr.abs() >= 1e-8 * norm(s) * norm(&r) && norm(&r) > 1e-12 * norm(y) {
                matrix.updates.push((r, sr));
            }
        }
        matrix
    }

    fn apply(&self, v: &[f64]) -> Vec<f64> {
        let add = |sum: Vec<f64>, (r, sr): &(Vec<f64>, f64)| plus(&sum, dot(r, v) / sr, r);
        self.updates.iter().fold(scaled(v, self.gamma), add)
    }

    /// The minimiser of g.p + p.Bp / 2 within `delta`, and that value, where g is no hard case: the
    /// smallest sigma >= 0 for which B + sigma I is positive definite and its solution short enough.
    fn minimiser(&self, g: &[f64], delta: f64) -> (Vec<f64>, f64) {
        let r = |j: usize| &self.updates[j].0;
        let count = self.updates.len();
        let small = Small {
            gamma: self.gamma,
            sr: self.updates.iter().map(|(_, sr)| *sr).collect(),
            rr: (0..count).map(|i| (0..count).map(|j| dot(r(i), r(j))).collect()).collect(),
            rg: (0..count).map(|j| dot(r(j), g)).collect(),
            gg: dot(g, g),
        };
        let fits = |sigma: f64| small.length(sigma).is_some_and(|length| length <= delta);
        let mut sigma = 0.0;
        if !fits(0.0) {
            let (mut low, mut high) = (0.0, 1.0);
            while !fits(high) {
                (low, high) = (high, 2.0 * high);
            }
            while low < 0.5 * (low + high) && 0.5 * (low + high) < high {
                let middle = 0.5 * (low + high);
                if fits(middle) { high = middle } else { low = middle }
            }
            sigma = high;
        }
        let (tau, c) = (self.gamma + sigma, small.coefficients(sigma).expect("it fits"));
        let p = (0..count).fold(scaled(g, -1.0 / tau), |p, j| plus(&p, c[j] / tau, r(j)));
        let value = dot(g, &p) + 0.5 * dot(&p, &self.apply(&p));
        (p, value)
    }
}

/// All that the multiplier depends on. With tau = gamma + sigma, D = diag(s.r) and R = [r_1 ..]:
/// (B + sigma I) p = -g is solved by p = -(g - R c) / tau, (tau D + R'R) c = R'g, and B + sigma I is
/// positive definite if tau > 0 and -D - R'R / tau has as many positive pivots as -D (Haynsworth).
struct Small {
    gamma: f64,
    sr: Vec<f64>,
    rr: Vec<Vec<f64>>,
    rg: Vec<f64>,
    gg: f64,
}

impl Small {
    /// c; none where B + sigma I is not positive definite.
    fn coefficients(&self, sigma: f64) -> Option<Vec<f64>> {
        let (tau, n) = (self.gamma + sigma, self.sr.len());
        let mut a = self.rr.clone();
        (0..n).for_each(|j| a[j][j] += tau * self.sr[j]);
        let mut c = self.rg.clone();
        let mut positive = 0;
        // Without exchanges; the pivots' signs are those of tau D + R'R.
        for k in 0..n {
            positive += usize::from(a[k][k] > 0.0);
            for i in k + 1..n {
                let factor = a[i][k] / a[k][k];
                a[i] = plus(&a[i], -factor, &a[k]);
                c[i] -= factor * c[k];
            }
        }
        for k in (0..n).rev() {
            let rest: f64 = (k + 1..n).map(|j| a[k][j] * c[j]).sum();
            c[k] = (c[k] - rest) / a[k][k];
        }
        let wanted = self.sr.iter().filter(|sr| **sr > 0.0).count();
        (tau > 0.0 && positive == wanted).then_some(c)
    }

    /// |p|
    fn length(&self, sigma: f64) -> Option<f64> {
        let c = self.coefficients(sigma)?;
        let linear: f64 = c.iter().zip(&self.rg).map(|(c, rg)| c * rg).sum();
        let squared: f64 = self.rr.iter().zip(&c).map(|(row, c_i)| c_i * dot(row, &c)).sum();
        let square = self.gg - 2.0 * linear + squared;
        Some(square.max(0.0).sqrt() / (self.gamma + sigma))
    }
}

/// What both methods remember.
#[derive(Clone, Default)]
struct Memory {
    pairs: Vec<(Vec<f64>, Vec<f64>)>,
    capacity: usize,
    delta: f64,
    /// mu v + (1 - eta) s
    carried: Option<Vec<f64>>,
}

impl Memory {
    fn push(&mut self, s: Vec<f64>, y: Vec<f64>) {
        if self.pairs.len() == self.capacity {
            self.pairs.remove(0);
        }
        self.pairs.push((s, y));
    }
}

/// MB-LSR1 with its defaults but memory and radius.
#[derive(Clone)]
pub(crate) struct MbLsr1 {
    memory: Memory,
    mu: f64,
    eta: f64,
    zeta: f64,
    weight: f64,
    mean: f64,
}

impl MbLsr1 {
    pub(crate) fn new(capacity: usize, delta: f64) -> Self {
        let memory = Memory { capacity, delta, ..Memory::default() };
        Self { memory, mu: 0.5, eta: 0.1, zeta: 0.9, weight: 0.0, mean: 0.0 }
    }

    /// Without momentum, SGD and average.
    pub(crate) fn plain(self) -> Self {
        Self { mu: 0.0, eta: 0.0, zeta: 0.0, ..self }
    }

    /// p* and its model value, p, and v.
    fn aim(
        &mut self,
        g: &[f64],
        mut v: Option<Vec<f64>>,
    ) -> (Vec<f64>, f64, Vec<f64>, Option<Vec<f64>>) {
        for _ in 0..2 {
            let delta = self.memory.delta;
            let (best, model) = Sr1::new(0.1, &self.memory.pairs).minimiser(g, delta);
            let mut p = scaled(&best, 1.0 - self.eta);
            if let Some(v) = &v {
                p = plus(&p, self.mu, v);
            }
            p = clipped(p, delta);
            if dot(&p, g) > 0.0 {
                p = scaled(&p, -1.0);
            }
            if dot(&p, g).abs() >= 1e-4 * norm(g) * norm(&p) {
                return (best, model, p, v);
            }
            self.memory.pairs.clear();
        }
        v = None;
        let (best, model) = Sr1::new(0.1, &[]).minimiser(g, self.memory.delta);
        (best.clone(), model, best, v)
    }
}

impl Twin for MbLsr1 {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let mut function = Joined::new(theta, evaluate);
        let x = function.here();
        let (f, g) = function.at(&x);
        let v = (self.mu > 0.0).then(|| {
            let along_g = scaled(&g, -self.eta * lr * 0.1);
            let v =
                self.memory.carried.as_ref().map_or(along_g.clone(), |c| plus(&along_g, 1.0, c));
            clipped(v, self.memory.delta)
        });
        let (best, model, p, v) = self.aim(&g, v);
        let ratio = (function.at(&plus(&x, 1.0, &best)).0 - f) / model;
        let (slope, rule) = (dot(&p, &g), AveragedRule::default());
        let Some((step, _, new_g)) = search(true, &mut function, &x, (f, slope), &p, 1.0) else {
            self.memory.delta *= rule.after_failure;
            self.memory.carried = v.map(|v| scaled(&v, self.mu));
            return;
        };
        let new_x = plus(&x, step, &p);
        let (s, y) = (difference(&new_x, &x), difference(&new_g, &g));
        let past = self.zeta * self.weight;
        self.weight = past + 1.0;
        self.mean = (past * self.mean + ratio) / self.weight;
        if self.mean < rule.shrink_below {
            self.memory.delta = (rule.shrink * self.memory.delta).min(norm(&s));
        } else if self.mean >= rule.grow_from && norm(&s) >= rule.reached * self.memory.delta {
            self.memory.delta *= rule.growth;
        }
        let base = scaled(&s, 1.0 - self.eta);
        self.memory.carried = Some(v.map_or(base.clone(), |v| plus(&base, self.mu, &v)));
        if ratio < 0.0 {
            self.memory.pairs.clear();
        } else {
            self.memory.push(s, y);
        }
        function.go(&new_x);
    }
}

/// L-SSR1-TR with its defaults but memory and radius.
#[derive(Clone)]
pub(crate) struct LSsr1Tr {
    memory: Memory,
    armijo: bool,
}

impl LSsr1Tr {
    pub(crate) fn new(capacity: usize, delta: f64) -> Self {
        let memory = Memory { capacity, delta, ..Memory::default() };
        Self { memory, armijo: false }
    }

    pub(crate) fn armijo(self) -> Self {
        Self { armijo: true, ..self }
    }
}

impl Twin for LSsr1Tr {
    fn step(&mut self, _: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let mut function = Joined::new(theta, evaluate);
        let x = function.here();
        let (f, g) = function.at(&x);
        let (delta, rule, mu) = (self.memory.delta, TwoSidedRule::default(), 0.9);
        let (best, model) = Sr1::new(1e-3, &self.memory.pairs).minimiser(&g, delta);
        let v = self.memory.carried.take().map(|v| scaled(&clipped(v, delta), mu));
        let mut p = v.as_ref().map_or(best.clone(), |v| clipped(plus(&best, 1.0, v), delta));
        if dot(&p, &g) > 0.0 {
            p = scaled(&p, -1.0);
        }
        let found = search(self.armijo, &mut function, &x, (f, dot(&p, &g)), &p, 1.0);
        let Some((step, new_f, new_g)) = found else {
            self.memory.delta *= rule.nu1;
            self.memory.carried = v.map(|v| scaled(&v, mu));
            return;
        };
        let new_x = plus(&x, step, &p);
        let (s, y) = (difference(&new_x, &x), difference(&new_g, &g));
        let (ratio, length) = ((new_f - f) / model, norm(&s));
        if ratio < rule.tau2 {
            self.memory.delta = (rule.nu1 * delta).min(rule.nu2 * length);
        } else if ratio >= rule.tau3 && length >= rule.nu3 * delta {
            self.memory.delta *= rule.nu4;
        }
        self.memory.carried = Some(v.map_or(s.clone(), |v| plus(&s, mu, &v)));
        self.memory.push(s, y);
        function.go(&new_x);
    }
}
