//! Muon: momentum, the Newton-Schulz iteration on whole matrices, and Adam for vectors.

use secant::{AdjustLrFn, Decay, MatrixLayout};

use super::{Adam, Evaluate, Rule, Twin, average, coupled, shrink};
use crate::support::Vectors;

#[derive(Clone)]
pub(crate) struct Muon {
    pub(crate) nesterov: bool,
    pub(crate) adjust: AdjustLrFn,
    pub(crate) layout: MatrixLayout,
    pub(crate) decay: Decay,
    /// The shape of every tensor; those without one are vectors.
    pub(crate) shapes: Vec<Vec<usize>>,
    /// The matrices that Adam has.
    pub(crate) by_adam: Vec<usize>,
    adam: Adam,
    b: Vectors,
    adams: Vec<Adam>,
}

impl Muon {
    pub(crate) fn new(decay: Decay) -> Self {
        Self {
            nesterov: true,
            adjust: AdjustLrFn::Original,
            layout: MatrixLayout::InOut,
            decay,
            shapes: Vec::new(),
            by_adam: Vec::new(),
            adam: Adam::new(decay),
            b: Vec::new(),
            adams: Vec::new(),
        }
    }

    fn matrix(&mut self, tensor: usize, lr: f64, theta: &mut [f64], g: &[f64]) {
        let shape = &self.shapes[tensor];
        let (rows, columns) = (shape[0], shape[1..].iter().product::<usize>());
        let g = coupled(self.decay, theta, g);
        let b = &mut self.b[tensor];
        average(b, 0.95, g.iter().copied());
        let ahead = g.iter().zip(&*b).map(|(g, b)| (1.0 - 0.95) * g + 0.95 * b);
        let m: Vec<f64> = if self.nesterov { ahead.collect() } else { b.clone() };
        let norm = m.iter().map(|m| m * m).sum::<f64>().sqrt().max(1e-7);
        let mut x: Vec<f64> = m.iter().map(|m| m / norm).collect();
        for _ in 0..5 {
            x = polynomial(&x, rows, columns);
        }
        let is_kernel = shape.len() > 2;
        let (fan_in, fan_out) = match self.layout {
            MatrixLayout::InOut if !is_kernel => (rows as f64, columns as f64),
            _ => (columns as f64, rows as f64),
        };
        let r = match self.adjust {
            AdjustLrFn::Original => (fan_out / fan_in).max(1.0).sqrt(),
            AdjustLrFn::MatchRmsAdamW => 0.2 * fan_in.max(fan_out).sqrt(),
            AdjustLrFn::SpectralUnclamped => (fan_out / fan_in).sqrt(),
        };
        shrink(self.decay, lr, theta);
        theta.iter_mut().zip(x).for_each(|(theta, x)| *theta -= lr * r * x);
    }
}

/// a X + (b A + c A A) X with A = X X', whichever side is longer.
fn polynomial(x: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let row = |i: usize| &x[i * columns..(i + 1) * columns];
    let gram = |i: usize, j: usize| row(i).iter().zip(row(j)).map(|(x, y)| x * y).sum::<f64>();
    let a: Vec<Vec<f64>> = (0..rows).map(|i| (0..rows).map(|j| gram(i, j)).collect()).collect();
    let mut next = Vec::new();
    for i in 0..rows {
        let weight = |j: usize| {
            let square: f64 = (0..rows).map(|k| a[i][k] * a[k][j]).sum();
            let identity = if i == j { 3.4445 } else { 0.0 };
            identity - 4.775 * a[i][j] + 2.0315 * square
        };
        let weights: Vec<f64> = (0..rows).map(weight).collect();
        next.extend((0..columns).map(|c| (0..rows).map(|j| weights[j] * row(j)[c]).sum::<f64>()));
    }
    next
}

impl Twin for Muon {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let gradients = evaluate(theta).1;
        self.b.resize(theta.len(), Vec::new());
        self.adams.resize(theta.len(), self.adam.clone());
        for (tensor, (theta, g)) in theta.iter_mut().zip(&gradients).enumerate() {
            let order = self.shapes.get(tensor).map_or(1, Vec::len);
            if order < 2 || self.by_adam.contains(&tensor) {
                self.adams[tensor].update(lr, theta, g);
            } else {
                self.matrix(tensor, lr, theta, g);
            }
        }
    }
}
