//! Schedule-Free with all three points, z, x and y, as the formulas have them (`spec/layerwise.md`, section 4).

use secant::Decay;

use super::{Rule, average, coupled};

#[derive(Clone)]
pub(crate) struct ScheduleFree {
    /// beta2 and eps of AdamW; none for SGD.
    adam: Option<(f64, f64)>,
    pub(crate) beta: f64,
    warmup: f64,
    r: f64,
    p: f64,
    decay: Decay,
    z: Vec<f64>,
    x: Vec<f64>,
    v: Vec<f64>,
    t: i32,
    largest: f64,
    sum: f64,
}

impl ScheduleFree {
    pub(crate) fn adamw(decay: Decay) -> Self {
        Self { adam: Some((0.999, 1e-8)), ..Self::sgd(decay) }
    }

    pub(crate) fn sgd(decay: Decay) -> Self {
        let (z, x, v) = (vec![], vec![], vec![]);
        let (warmup, r, p, largest, sum) = (0.0, 0.0, 2.0, 0.0, 0.0);
        Self { adam: None, beta: 0.9, warmup, r, p, decay, z, x, v, t: 0, largest, sum }
    }

    pub(crate) fn warmup(self, steps: f64) -> Self {
        Self { warmup: steps, ..self }
    }

    pub(crate) fn powers(self, r: f64, p: f64) -> Self {
        Self { r, p, ..self }
    }

    /// The point to evaluate at.
    pub(crate) fn x(&self) -> &[f64] {
        &self.x
    }

    fn direction(&mut self, y: &[f64], g: &[f64]) -> Vec<f64> {
        let mut d = coupled(self.decay, y, g);
        if let Some((beta2, eps)) = self.adam {
            average(&mut self.v, beta2, d.iter().map(|g| g * g));
            let correction = 1.0 - beta2.powi(self.t);
            d.iter_mut().zip(&self.v).for_each(|(d, v)| *d /= (v / correction).sqrt() + eps);
        }
        if let Decay::Decoupled(strength) = self.decay {
            d.iter_mut().zip(y).for_each(|(d, y)| *d += strength * y);
        }
        d
    }
}

impl Rule for ScheduleFree {
    fn update(&mut self, lr: f64, y: &mut [f64], g: &[f64]) {
        if self.t == 0 {
            (self.z, self.x) = (y.to_vec(), y.to_vec());
        }
        self.t += 1;
        let t = f64::from(self.t);
        let rate = if self.warmup > 0.0 { lr * (t / self.warmup).min(1.0) } else { lr };
        self.largest = self.largest.max(rate);
        let weight = t.powf(self.r) * self.largest.powf(self.p);
        self.sum += weight;
        let c = weight / self.sum;
        let d = self.direction(y, g);
        for (i, d) in d.iter().enumerate() {
            self.z[i] -= rate * d;
            self.x[i] = (1.0 - c) * self.x[i] + c * self.z[i];
            y[i] = (1.0 - self.beta) * self.z[i] + self.beta * self.x[i];
        }
    }
}
