//! Twins of SVRG and of the Barzilai-Borwein methods; and of AdaHessian on a quadratic.

use secant::Decay;

use super::{Evaluate, Rule, Twin, average, coupled, difference, dot, shrink};
use crate::support::Vectors;

/// SVRG whose batch is all data.
#[derive(Clone)]
pub(crate) struct Svrg {
    every: usize,
    barzilai_borwein: bool,
    decay: Decay,
    steps: usize,
    snapshot: Vectors,
    full: Vectors,
    rate: Option<f64>,
}

impl Svrg {
    pub(crate) fn new(every: usize, barzilai_borwein: bool, decay: Decay) -> Self {
        let (snapshot, full) = (Vec::new(), Vec::new());
        Self { every, barzilai_borwein, decay, steps: 0, snapshot, full, rate: None }
    }
}

impl Twin for Svrg {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let g = evaluate(theta).1;
        if self.steps.is_multiple_of(self.every) {
            if self.barzilai_borwein && self.steps > 0 {
                let s = difference(&theta.concat(), &self.snapshot.concat());
                let y = difference(&g.concat(), &self.full.concat());
                let size = dot(&s, &s) / dot(&s, &y).abs() / self.every as f64;
                if dot(&s, &y).abs() >= 1e-10 {
                    self.rate = Some(size);
                }
            }
            (self.snapshot, self.full) = (theta.clone(), g.clone());
        }
        self.steps += 1;
        let there = evaluate(&self.snapshot).1;
        let rate = if lr == 0.0 { 0.0 } else { self.rate.unwrap_or(lr) };
        for (tensor, theta) in theta.iter_mut().enumerate() {
            let (g, there, full) = (&g[tensor], &there[tensor], &self.full[tensor]);
            let reduced: Vec<f64> = (0..g.len()).map(|i| g[i] - there[i] + full[i]).collect();
            let reduced = coupled(self.decay, theta, &reduced);
            shrink(self.decay, rate, theta);
            theta.iter_mut().zip(&reduced).for_each(|(theta, g)| *theta -= rate * g);
        }
    }
}

/// SGD-BB with BB1 and the interval.
#[derive(Clone)]
pub(crate) struct SgdBb {
    period: usize,
    beta: f64,
    decay: Decay,
    steps: usize,
    start: Vec<f64>,
    average: Vec<f64>,
    last_average: Vec<f64>,
    rate: Option<f64>,
}

impl SgdBb {
    pub(crate) fn new(period: usize, beta: f64, decay: Decay) -> Self {
        let none = Vec::new;
        Self {
            period,
            beta,
            decay,
            steps: 0,
            start: none(),
            average: none(),
            last_average: none(),
            rate: None,
        }
    }
}

impl Rule for SgdBb {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        if self.steps.is_multiple_of(self.period) {
            let k = self.steps / self.period;
            if k >= 2 {
                let s = difference(theta, &self.start);
                let y = difference(&self.average, &self.last_average);
                let sy = dot(&s, &y).abs();
                let size = dot(&s, &s) / sy / self.period as f64;
                let next = (k + 1) as f64;
                let inside = size >= 0.1 / next && size <= 10.0 / next;
                if sy >= 1e-10 {
                    self.rate = Some(if inside { size } else { 1.0 / next });
                }
            }
            self.start = theta.to_vec();
            self.last_average = std::mem::take(&mut self.average);
        }
        self.steps += 1;
        let rate = if lr == 0.0 { 0.0 } else { self.rate.unwrap_or(lr) };
        let g = coupled(self.decay, theta, g);
        average(&mut self.average, 1.0 - self.beta, g.iter().copied());
        shrink(self.decay, rate, theta);
        theta.iter_mut().zip(&g).for_each(|(theta, g)| *theta -= rate * g);
    }
}

/// AdaHessian on a quadratic with a diagonal Hessian, which every sign vector finds.
#[derive(Clone)]
pub(crate) struct AdaHessian {
    decay: Decay,
    power: f64,
    t: i32,
    m: Vec<Vec<f64>>,
    v: Vec<Vec<f64>>,
}

impl AdaHessian {
    pub(crate) fn new(power: f64, decay: Decay) -> Self {
        Self { decay, power, t: 0, m: Vec::new(), v: Vec::new() }
    }
}

impl Twin for AdaHessian {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let g = evaluate(theta).1;
        // The gradient is a x + b: its change along the ones is a.
        let ones = theta.iter().map(|x| x.iter().map(|x| x + 1.0).collect()).collect::<Vectors>();
        let moved = evaluate(&ones).1;
        self.t += 1;
        self.m.resize(theta.len(), Vec::new());
        self.v.resize(theta.len(), Vec::new());
        for (tensor, theta) in theta.iter_mut().enumerate() {
            let l2 = if let Decay::L2(strength) = self.decay { strength } else { 0.0 };
            let d = difference(&moved[tensor], &g[tensor]);
            let g = coupled(self.decay, theta, &g[tensor]);
            average(&mut self.m[tensor], 0.9, g.iter().copied());
            average(&mut self.v[tensor], 0.999, d.iter().map(|d| (d + l2).powi(2)));
            shrink(self.decay, lr, theta);
            for ((theta, m), v) in theta.iter_mut().zip(&self.m[tensor]).zip(&self.v[tensor]) {
                let m = m / (1.0 - 0.9f64.powi(self.t));
                let v = v / (1.0 - 0.999f64.powi(self.t));
                *theta -= lr * m / (v.powf(0.5 * self.power) + 1e-4);
            }
        }
    }
}
