//! Section 3 of the specification.

use secant::{Decay, Rebound};

use super::{Rule, coupled, dot};

#[derive(Clone)]
pub(crate) struct Apollo {
    pub(crate) beta: f64,
    pub(crate) eps: f64,
    pub(crate) rebound: Rebound,
    pub(crate) warmup: u64,
    pub(crate) init_lr: Option<f64>,
    pub(crate) decay: Decay,
    pub(crate) m: Vec<f64>,
    pub(crate) b: Vec<f64>,
    pub(crate) d: Vec<f64>,
    /// y of the last step.
    pub(crate) y: Vec<f64>,
    pub(crate) t: u64,
}

impl Apollo {
    pub(crate) fn new(rebound: Rebound, warmup: u64, decay: Decay) -> Self {
        let (beta, eps, init_lr) = (0.9, 1e-4, None);
        let (m, b, d, y) = (vec![], vec![], vec![], vec![]);
        Self { beta, eps, rebound, warmup, init_lr, decay, m, b, d, y, t: 0 }
    }
}

impl Rule for Apollo {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        let n = theta.len();
        for vector in [&mut self.m, &mut self.b, &mut self.d] {
            vector.resize(n, 0.0);
        }
        self.t += 1;
        // 1.
        let init_lr = self.init_lr.unwrap_or(lr / 1000.0);
        let lr = if self.t - 1 < self.warmup {
            init_lr + (lr - init_lr) * (self.t - 1) as f64 / self.warmup as f64
        } else {
            lr
        };
        // 2. and 3.
        let g = coupled(self.decay, theta, g);
        let alpha = (1.0 - self.beta) / (1.0 - self.beta.powi(self.t as i32));
        let delta: Vec<f64> = g.iter().zip(&self.m).map(|(g, m)| g - m).collect();
        self.y = delta.iter().map(|delta| alpha * delta).collect();
        self.m.iter_mut().zip(&self.y).for_each(|(m, y)| *m += y);
        // 4.
        let eps = match self.rebound {
            Rebound::Constant { sigma } => self.eps / sigma,
            Rebound::Belief => self.eps,
        };
        let q = self.d.iter().map(|d| d.powi(4)).sum::<f64>().powf(0.25) + eps;
        let u: Vec<f64> = self.d.iter().map(|d| if q > 0.0 { d / q } else { 0.0 }).collect();
        // 5.
        let bu: Vec<f64> = self.b.iter().zip(&u).map(|(b, u)| b * u).collect();
        let curvature = if q > 0.0 { dot(&u, &self.y) / q } else { 0.0 } + dot(&u, &bu);
        self.b.iter_mut().zip(&u).for_each(|(b, u)| *b -= curvature * u * u);
        // 6.
        let largest = delta.iter().fold(0.0f64, |max, delta| max.max(delta.abs()));
        let bound: Vec<f64> = match self.rebound {
            Rebound::Constant { sigma } => self.b.iter().map(|b| b.abs().max(sigma)).collect(),
            Rebound::Belief => {
                self.b.iter().map(|b| b.abs().max(largest) + self.eps / alpha).collect()
            }
        };
        // 7.
        let pull = match self.decay {
            Decay::Decoupled(strength) => strength,
            Decay::Stable(strength) => strength / (bound.iter().sum::<f64>() / n as f64),
            _ => 0.0,
        };
        for i in 0..n {
            self.d[i] = self.m[i] / bound[i] + pull * theta[i];
            // 8.
            theta[i] -= lr * self.d[i];
        }
    }
}
