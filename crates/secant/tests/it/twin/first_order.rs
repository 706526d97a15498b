//! Section 7 of the specification.

use secant::{Decay, Momentum};

use super::{Rule, average, coupled, shrink};

#[derive(Clone)]
pub(crate) struct Sgd {
    momentum: Momentum,
    decay: Decay,
    b: Option<Vec<f64>>,
}

impl Sgd {
    pub(crate) fn new(momentum: Momentum, decay: Decay) -> Self {
        Self { momentum, decay, b: None }
    }
}

impl Rule for Sgd {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        let g = coupled(self.decay, theta, g);
        let direction = match self.momentum {
            Momentum::None => g,
            Momentum::Ema { momentum: mu } => {
                let m = self.b.take().unwrap_or_else(|| vec![0.0; g.len()]);
                let m: Vec<f64> = m.iter().zip(&g).map(|(m, g)| mu * m + (1.0 - mu) * g).collect();
                self.b.insert(m).clone()
            }
            Momentum::Torch { momentum: mu, dampening, nesterov } => {
                let b = match self.b.take() {
                    None => g.clone(),
                    Some(b) => {
                        b.iter().zip(&g).map(|(b, g)| mu * b + (1.0 - dampening) * g).collect()
                    }
                };
                let b = self.b.insert(b);
                if nesterov {
                    g.iter().zip(b).map(|(g, b)| g + mu * *b).collect()
                } else {
                    b.clone()
                }
            }
        };
        shrink(self.decay, lr, theta);
        for (theta, direction) in theta.iter_mut().zip(direction) {
            *theta -= lr * direction;
        }
    }
}

#[derive(Clone)]
pub(crate) struct Adam {
    b1: f64,
    b2: f64,
    eps: f64,
    decay: Decay,
    m: Vec<f64>,
    v: Vec<f64>,
    t: i32,
}

impl Adam {
    pub(crate) fn new(decay: Decay) -> Self {
        Self { b1: 0.9, b2: 0.999, eps: 1e-8, decay, m: vec![], v: vec![], t: 0 }
    }
}

impl Rule for Adam {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        self.t += 1;
        let g = coupled(self.decay, theta, g);
        average(&mut self.m, self.b1, g.iter().copied());
        average(&mut self.v, self.b2, g.iter().map(|g| g * g));
        shrink(self.decay, lr, theta);
        let (c1, c2) = (1.0 - self.b1.powi(self.t), 1.0 - self.b2.powi(self.t));
        for ((theta, m), v) in theta.iter_mut().zip(&self.m).zip(&self.v) {
            *theta -= lr / c1 * m / (v.sqrt() / c2.sqrt() + self.eps);
        }
    }
}

#[derive(Clone)]
pub(crate) struct RmsProp {
    a: f64,
    eps: f64,
    mu: f64,
    centred: bool,
    decay: Decay,
    v: Vec<f64>,
    gbar: Vec<f64>,
    b: Vec<f64>,
}

impl RmsProp {
    pub(crate) fn new(mu: f64, centred: bool, decay: Decay) -> Self {
        let (v, gbar, b) = (vec![], vec![], vec![]);
        Self { a: 0.99, eps: 1e-8, mu, centred, decay, v, gbar, b }
    }
}

impl Rule for RmsProp {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        let g = coupled(self.decay, theta, g);
        average(&mut self.v, self.a, g.iter().map(|g| g * g));
        average(&mut self.gbar, self.a, g.iter().copied());
        self.b.resize(g.len(), 0.0);
        shrink(self.decay, lr, theta);
        for i in 0..g.len() {
            let square = if self.centred { self.v[i] - self.gbar[i].powi(2) } else { self.v[i] };
            self.b[i] = self.mu * self.b[i] + g[i] / (square.sqrt() + self.eps);
            theta[i] -= lr * self.b[i];
        }
    }
}

#[derive(Clone)]
pub(crate) struct RAdam {
    adam: Adam,
}

impl RAdam {
    pub(crate) fn new(decay: Decay) -> Self {
        Self { adam: Adam::new(decay) }
    }

    pub(crate) fn with_beta_2(self, beta_2: f64) -> Self {
        Self { adam: Adam { b2: beta_2, ..self.adam } }
    }
}

impl Rule for RAdam {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        let Adam { b1, b2, eps, decay, m, v, t } = &mut self.adam;
        *t += 1;
        let g = coupled(*decay, theta, g);
        average(m, *b1, g.iter().copied());
        average(v, *b2, g.iter().map(|g| g * g));
        shrink(*decay, lr, theta);
        let (power1, power2) = (b1.powi(*t), b2.powi(*t));
        let rho_inf = 2.0 / (1.0 - *b2) - 1.0;
        let rho = rho_inf - 2.0 * f64::from(*t) * power2 / (1.0 - power2);
        for ((theta, m), v) in theta.iter_mut().zip(m).zip(v) {
            let mhat = *m / (1.0 - power1);
            if rho > 5.0 {
                let above = (rho - 4.0) * (rho - 2.0) * rho_inf;
                let r = (above / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho)).sqrt();
                *theta -= lr * mhat * r * (1.0 - power2).sqrt() / (v.sqrt() + *eps);
            } else {
                *theta -= lr * mhat;
            }
        }
    }
}

#[derive(Clone)]
pub(crate) struct AdaBelief {
    b1: f64,
    b2: f64,
    eps: f64,
    decay: Decay,
    m: Vec<f64>,
    s: Vec<f64>,
    t: i32,
}

impl AdaBelief {
    pub(crate) fn new(eps: f64, decay: Decay) -> Self {
        Self { b1: 0.9, b2: 0.999, eps, decay, m: vec![], s: vec![], t: 0 }
    }
}

impl Rule for AdaBelief {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        self.t += 1;
        let g = coupled(self.decay, theta, g);
        average(&mut self.m, self.b1, g.iter().copied());
        average(&mut self.s, self.b2, g.iter().zip(&self.m).map(|(g, m)| (g - m).powi(2)));
        self.s.iter_mut().for_each(|s| *s += self.eps);
        shrink(self.decay, lr, theta);
        let (c1, c2) = (1.0 - self.b1.powi(self.t), 1.0 - self.b2.powi(self.t));
        for ((theta, m), s) in theta.iter_mut().zip(&self.m).zip(&self.s) {
            *theta -= lr / c1 * m / (s.sqrt() / c2.sqrt() + self.eps);
        }
    }
}
