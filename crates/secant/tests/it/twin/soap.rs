//! SOAP on vectors without a basis: nothing at the first gradient, then Adam with eps beside the root of the
//! uncorrected average, and decay after the step (`spec/layerwise.md`, section 1).

use secant::Decay;

use super::{Rule, average, coupled, shrink};

#[derive(Clone)]
pub(crate) struct Soap {
    decay: Decay,
    m: Vec<f64>,
    v: Vec<f64>,
    calls: i32,
}

impl Soap {
    pub(crate) fn new(decay: Decay) -> Self {
        Self { decay, m: vec![], v: vec![], calls: 0 }
    }
}

impl Rule for Soap {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        let k = self.calls;
        self.calls += 1;
        if k == 0 {
            return;
        }
        let g = coupled(self.decay, theta, g);
        average(&mut self.m, 0.95, g.iter().copied());
        average(&mut self.v, 0.95, g.iter().map(|g| g * g));
        let correction = (1.0 - 0.95f64.powi(k)).sqrt() / (1.0 - 0.95f64.powi(k));
        for ((theta, m), v) in theta.iter_mut().zip(&self.m).zip(&self.v) {
            *theta -= lr * correction * m / (v.sqrt() + 1e-6);
        }
        shrink(self.decay, lr, theta);
    }
}
