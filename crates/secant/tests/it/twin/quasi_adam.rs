//! Section 1 of the specification. H g is Nocedal and Wright's two-loop recursion (Algorithm 7.4)
//! with one pair.

use secant::{CurvatureTest, Decay, OnRejection};

use super::{Rule, average, coupled, difference, dot, shrink};

#[derive(Clone)]
pub(crate) struct QuasiAdam {
    pub(crate) test: CurvatureTest,
    pub(crate) on_rejection: OnRejection,
    pub(crate) inverse_bound: f64,
    pub(crate) rate: Option<f64>,
    pub(crate) max_ratio: f64,
    pub(crate) eps_inside: bool,
    pub(crate) decay: Decay,
    pub(crate) m: Vec<f64>,
    pub(crate) v: Vec<f64>,
    pub(crate) s: Vec<f64>,
    pub(crate) g: Vec<f64>,
    /// y where it came from the same batch.
    pub(crate) y: Option<Vec<f64>>,
    pub(crate) kept: Option<(Vec<f64>, Vec<f64>)>,
    pub(crate) gamma: f64,
    pub(crate) t: i32,
}

impl QuasiAdam {
    pub(crate) fn new() -> Self {
        Self {
            test: CurvatureTest::Relative(1e-8),
            on_rejection: OnRejection::Adam,
            inverse_bound: f64::INFINITY,
            rate: None,
            max_ratio: f64::INFINITY,
            eps_inside: false,
            decay: Decay::None,
            m: vec![],
            v: vec![],
            s: vec![],
            g: vec![],
            y: None,
            kept: None,
            gamma: 0.0,
            t: 0,
        }
    }

    fn accepts(&self, s: &[f64], y: &[f64]) -> bool {
        let (ss, sy, yy) = (dot(s, s), dot(s, y), dot(y, y));
        let least = match self.test {
            CurvatureTest::Relative(eps) => eps * (ss * yy).sqrt(),
            CurvatureTest::Absolute(eps) => eps,
        };
        // |H| = (s.s / s.y) (1 + sin).
        let sin = (1.0 - (sy * sy / (ss * yy)).min(1.0)).sqrt();
        yy > 0.0 && sy > 0.0 && sy >= least && ss / sy * (1.0 + sin) <= self.inverse_bound
    }

    fn quasi_newton_step(&mut self, g: &[f64]) -> Vec<f64> {
        if self.t > 1 && !self.s.is_empty() {
            let y = self.y.take().unwrap_or_else(|| difference(g, &self.g));
            if self.accepts(&self.s, &y) {
                self.gamma = dot(&self.s, &y) / dot(&y, &y);
                let q = two_loop(&self.s, &y, g);
                self.kept = Some((self.s.clone(), y));
                return q;
            }
        }
        match (self.on_rejection, &self.kept) {
            (OnRejection::KeepPair, Some((s, y))) => two_loop(s, y, g),
            (OnRejection::ScaledGradient, Some(_)) => g.iter().map(|g| self.gamma * g).collect(),
            _ => vec![0.0; g.len()],
        }
    }
}

impl Rule for QuasiAdam {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        const B1: f64 = 0.9;
        const B2: f64 = 0.999;
        const EPS: f64 = 1e-8;
        self.t += 1;
        let old = theta.to_vec();
        let g = coupled(self.decay, theta, g);
        average(&mut self.m, B1, g.iter().copied());
        average(&mut self.v, B2, g.iter().map(|g| g * g));
        let adam = |(m, v): (&f64, &f64)| {
            let mhat = m / (1.0 - B1.powi(self.t));
            let vhat = v / (1.0 - B2.powi(self.t));
            mhat / if self.eps_inside { (vhat + EPS).sqrt() } else { vhat.sqrt() + EPS }
        };
        let p: Vec<f64> = self.m.iter().zip(&self.v).map(adam).collect();
        let q = self.quasi_newton_step(&g);
        let mut rate = self.rate.unwrap_or(lr);
        let (newton, length) = (rate * dot(&q, &q).sqrt(), lr * dot(&p, &p).sqrt());
        if newton > self.max_ratio * length {
            rate *= self.max_ratio * length / newton;
        }
        shrink(self.decay, lr, theta);
        for ((theta, p), q) in theta.iter_mut().zip(p).zip(q) {
            *theta = *theta - lr * p - rate * q;
        }
        self.s = difference(theta, &old);
        self.g = g;
    }

    fn look_back(&mut self, theta: &[f64], g: &[f64]) {
        self.y = Some(difference(&coupled(self.decay, theta, g), &self.g));
    }
}

fn two_loop(s: &[f64], y: &[f64], g: &[f64]) -> Vec<f64> {
    let rho = 1.0 / dot(s, y);
    let alpha = rho * dot(s, g);
    let q: Vec<f64> = g.iter().zip(y).map(|(g, y)| g - alpha * y).collect();
    let gamma = dot(s, y) / dot(y, y);
    let r: Vec<f64> = q.iter().map(|q| gamma * q).collect();
    let beta = rho * dot(y, &r);
    r.iter().zip(s).map(|(r, s)| r + (alpha - beta) * s).collect()
}

#[derive(Clone)]
pub(crate) struct QuasiAdamEma {
    decay: Decay,
    m: Vec<f64>,
    v: Vec<f64>,
    s: Vec<f64>,
    t: i32,
}

impl QuasiAdamEma {
    pub(crate) fn new(decay: Decay) -> Self {
        Self { decay, m: vec![], v: vec![], s: vec![], t: 0 }
    }
}

impl Rule for QuasiAdamEma {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        self.t += 1;
        self.m.resize(g.len(), 0.0);
        let (old, old_m) = (theta.to_vec(), self.m.clone());
        let g = coupled(self.decay, theta, g);
        average(&mut self.m, 0.9, g.iter().copied());
        average(&mut self.v, 0.999, g.iter().map(|g| g * g));
        let (c1, c2) = (1.0 - 0.9f64.powi(self.t), 1.0 - 0.999f64.powi(self.t));
        let y = difference(&self.m, &old_m);
        let direction = if self.t > 1 && dot(&self.s, &y) > 0.0 {
            two_loop(&self.s, &y, &self.m)
        } else {
            let adam = |(m, v): (&f64, &f64)| m / ((v / c2).sqrt() + 1e-8);
            self.m.iter().zip(&self.v).map(adam).collect()
        };
        shrink(self.decay, lr, theta);
        for (theta, direction) in theta.iter_mut().zip(direction) {
            *theta -= lr / c1 * direction;
        }
        self.s = difference(theta, &old);
    }
}
