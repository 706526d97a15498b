//! Plain twins of the methods: scalar `f64` arithmetic, one vector at a time, written from the formulas
//! of the papers, not from the library.
//! Slow, and easy to check against the formulas.

mod apollo;
mod dense;
mod first_order;
mod muon;
mod quasi_adam;
mod quasi_newton;
mod schedule_free;
mod shampoo;
mod soap;
mod subspace_newton;
mod trust_region;
mod variance_reduced;

pub(crate) use apollo::*;
pub(crate) use dense::*;
pub(crate) use first_order::*;
pub(crate) use muon::*;
pub(crate) use quasi_adam::*;
pub(crate) use quasi_newton::*;
pub(crate) use schedule_free::*;
pub(crate) use shampoo::*;
pub(crate) use soap::*;
pub(crate) use subspace_newton::*;
pub(crate) use trust_region::*;
pub(crate) use variance_reduced::*;

use secant::Decay;

use crate::support::Vectors;

/// Value and gradient of the step's batch at any point.
pub(crate) type Evaluate<'a> = &'a mut dyn FnMut(&[Vec<f64>]) -> (f64, Vectors);

/// A plain optimizer of several tensors.
pub(crate) trait Twin {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>);
}

/// A plain optimizer of the loss plus wd/2 |theta|^2.
#[derive(Clone)]
pub(crate) struct WithL2<T>(pub T, pub f64);

impl<T: Twin> Twin for WithL2<T> {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let wd = self.1;
        self.0.step(lr, theta, &mut |theta| {
            let (value, mut gradient) = evaluate(theta);
            let mut squares = 0.0;
            for (x, g) in theta.iter().flatten().zip(gradient.iter_mut().flatten()) {
                *g += wd * x;
                squares += x * x;
            }
            (value + 0.5 * wd * squares, gradient)
        });
    }
}

/// So many steps of one plain optimizer, then those of another at a rate of its own.
#[derive(Clone)]
pub(crate) struct Then<A, B> {
    pub(crate) first: A,
    pub(crate) steps: usize,
    pub(crate) second: B,
    pub(crate) rate: f64,
}

impl<A: Twin, B: Twin> Twin for Then<A, B> {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        match self.steps.checked_sub(1) {
            Some(left) => {
                self.steps = left;
                self.first.step(lr, theta, evaluate);
            }
            None => self.second.step(self.rate, theta, evaluate),
        }
    }
}

/// A plain optimizer of one vector.
pub(crate) trait Rule: Clone {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]);

    /// Tells the gradient of the same batch after the update.
    fn look_back(&mut self, _theta: &[f64], _g: &[f64]) {}
}

/// Every tensor by itself.
pub(crate) struct PerTensor<R> {
    rule: R,
    rules: Vec<R>,
}

impl<R> PerTensor<R> {
    pub(crate) fn new(rule: R) -> Self {
        Self { rule, rules: Vec::new() }
    }
}

impl<R: Rule> Twin for PerTensor<R> {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        self.rules.resize(theta.len(), self.rule.clone());
        let gradients = evaluate(theta).1;
        for ((rule, theta), g) in self.rules.iter_mut().zip(theta).zip(&gradients) {
            rule.update(lr, theta, g);
        }
    }
}

/// All tensors as one vector.
pub(crate) struct Global<R> {
    rule: R,
    /// Whether the gradient is taken again after the step.
    same_batch: bool,
}

impl<R> Global<R> {
    pub(crate) fn new(rule: R) -> Self {
        Self { rule, same_batch: false }
    }

    pub(crate) fn same_batch(rule: R) -> Self {
        Self { rule, same_batch: true }
    }
}

impl<R: Rule> Twin for Global<R> {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let g = evaluate(theta).1.concat();
        let mut all = theta.concat();
        self.rule.update(lr, &mut all, &g);
        let mut rest = all.as_slice();
        for tensor in theta.iter_mut() {
            let (own, others) = rest.split_at(tensor.len());
            tensor.copy_from_slice(own);
            rest = others;
        }
        if self.same_batch {
            self.rule.look_back(&all, &evaluate(theta).1.concat());
        }
    }
}

/// g + wd theta for decay of kind `L2`, else g.
fn coupled(decay: Decay, theta: &[f64], g: &[f64]) -> Vec<f64> {
    let Decay::L2(strength) = decay else { return g.to_vec() };
    g.iter().zip(theta).map(|(g, theta)| g + strength * theta).collect()
}

/// theta <- (1 - lr wd) theta for decoupled decay.
fn shrink(decay: Decay, lr: f64, theta: &mut [f64]) {
    if let Decay::Decoupled(strength) = decay {
        theta.iter_mut().for_each(|theta| *theta *= 1.0 - lr * strength);
    }
}

/// average <- beta average + (1 - beta) new, from zero.
fn average(average: &mut Vec<f64>, beta: f64, new: impl Iterator<Item = f64>) {
    let new: Vec<f64> = new.collect();
    average.resize(new.len(), 0.0);
    for (average, new) in average.iter_mut().zip(new) {
        *average = beta * *average + (1.0 - beta) * new;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
