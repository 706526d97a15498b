//! Twins of the methods that keep pairs: lists of vectors, and the two-loop recursion as it is printed
//! (Nocedal and Wright, Algorithm 7.4). The line search's state machine is the library's, which has
//! tests of its own.

use secant_core::line_search::{
    Armijo, ArmijoSettings, Next, SlopeSearch, Start, StrongWolfe, WolfeSettings,
};

use super::{Evaluate, Twin, difference, dot};
use crate::support::Vectors;

/// Pairs, oldest first.
#[derive(Clone, Default)]
struct Pairs {
    capacity: usize,
    pairs: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Pairs {
    fn new(capacity: usize) -> Self {
        Self { capacity, pairs: Vec::new() }
    }

    /// Stores the pair if s.y >= eps |s| |y| and s.y > 0.
    fn push(&mut self, eps: f64, s: Vec<f64>, y: Vec<f64>) -> bool {
        let sy = dot(&s, &y);
        if dot(&y, &y) == 0.0 || sy <= 0.0 || sy < eps * (dot(&s, &s) * dot(&y, &y)).sqrt() {
            return false;
        }
        if self.pairs.len() == self.capacity {
            self.pairs.remove(0);
        }
        self.pairs.push((s, y));
        true
    }

    fn newest_scaling(&self) -> f64 {
        self.pairs.last().map_or(1.0, |(s, y)| dot(s, y) / dot(y, y))
    }

    /// -H g with initial matrix gamma I.
    fn direction(&self, gamma: f64, g: &[f64]) -> Vec<f64> {
        let mut q = g.to_vec();
        let mut alphas = Vec::new();
        for (s, y) in self.pairs.iter().rev() {
            let alpha = dot(s, &q) / dot(s, y);
            q = plus(&q, -alpha, y);
            alphas.push(alpha);
        }
        let mut r: Vec<f64> = q.iter().map(|q| gamma * q).collect();
        for ((s, y), alpha) in self.pairs.iter().zip(alphas.iter().rev()) {
            let beta = dot(y, &r) / dot(s, y);
            r = plus(&r, alpha - beta, s);
        }
        r.iter().map(|r| -r).collect()
    }
}

/// a + factor b
pub(super) fn plus(a: &[f64], factor: f64, b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + factor * b).collect()
}

/// All tensors as one vector, and back.
pub(super) struct Joined<'a, 'b> {
    shape: Vec<usize>,
    evaluate: Evaluate<'a>,
    theta: &'b mut Vectors,
}

impl<'a, 'b> Joined<'a, 'b> {
    pub(super) fn new(theta: &'b mut Vectors, evaluate: Evaluate<'a>) -> Self {
        Self { shape: theta.iter().map(Vec::len).collect(), evaluate, theta }
    }

    fn split(&self, x: &[f64]) -> Vectors {
        let mut rest = x;
        let cut = |length: &usize| {
            let (own, others) = rest.split_at(*length);
            rest = others;
            own.to_vec()
        };
        self.shape.iter().map(cut).collect()
    }

    pub(super) fn at(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        let x = self.split(x);
        let (value, gradient) = (self.evaluate)(&x);
        (value, gradient.concat())
    }

    pub(super) fn here(&self) -> Vec<f64> {
        self.theta.concat()
    }

    pub(super) fn go(&mut self, x: &[f64]) {
        *self.theta = self.split(x);
    }
}

/// L-BFGS with our own rules.
#[derive(Clone)]
pub(crate) struct LBfgs {
    pairs: Pairs,
    iterations: usize,
    armijo: bool,
    damping: Option<f64>,
}

impl LBfgs {
    pub(crate) fn new(memory: usize) -> Self {
        Self { pairs: Pairs::new(memory), iterations: 1, armijo: false, damping: None }
    }

    pub(crate) fn iterations(self, iterations: usize) -> Self {
        Self { iterations, ..self }
    }

    pub(crate) fn armijo(self) -> Self {
        Self { armijo: true, ..self }
    }

    pub(crate) fn damped(self, least: f64) -> Self {
        Self { damping: Some(least), ..self }
    }
}

/// The step of a line search along `d`, and value and gradient there; none where there is none.
pub(super) fn search(
    is_armijo: bool,
    function: &mut Joined<'_, '_>,
    x: &[f64],
    (value, slope): (f64, f64),
    d: &[f64],
    first_step: f64,
) -> Option<(f64, f64, Vec<f64>)> {
    let start = Start { value, slope, noise: 8.0 * f64::EPSILON * value.abs() };
    let longest = d.iter().fold(0.0f64, |max, x| max.max(x.abs()));
    let mut armijo = Armijo::new(ArmijoSettings::default(), start, first_step);
    let mut wolfe = StrongWolfe::new(WolfeSettings::default(), start, first_step, longest);
    let mut next = if is_armijo { armijo.first() } else { wolfe.first() };
    loop {
        match next {
            Next::Try(step) => {
                let (value, g) = function.at(&plus(x, step, d));
                next = if is_armijo { armijo.tell(value) } else { wolfe.tell(value, dot(&g, d)) };
            }
            Next::Done(found) if found.step > 0.0 => {
                let (value, g) = function.at(&plus(x, found.step, d));
                return Some((found.step, value, g));
            }
            Next::Done(_) => return None,
        }
    }
}

impl Twin for LBfgs {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let mut function = Joined::new(theta, evaluate);
        let mut x = function.here();
        let (mut value, mut g) = function.at(&x);
        for _ in 0..self.iterations {
            let d = self.pairs.direction(self.pairs.newest_scaling(), &g);
            let is_first = self.pairs.pairs.is_empty();
            let first_step = if is_first { lr * (1.0 / dot(&g, &g).sqrt()).min(1.0) } else { lr };
            let slope = dot(&g, &d);
            let found = search(self.armijo, &mut function, &x, (value, slope), &d, first_step);
            let (step, new_value, new_g) = found.expect("a convex function has a lower point");
            let new_x = plus(&x, step, &d);
            let (s, mut y) = (difference(&new_x, &x), difference(&new_g, &g));
            if let Some(least) = self.damping {
                let s_b_s = -step * dot(&s, &g);
                let sy = dot(&s, &y);
                if sy < least * s_b_s {
                    let keep = (1.0 - least) * s_b_s / (s_b_s - sy);
                    let b_s: Vec<f64> = g.iter().map(|g| -step * g).collect();
                    y = plus(&b_s.iter().map(|b| (1.0 - keep) * b).collect::<Vec<_>>(), keep, &y);
                }
            }
            self.pairs.push(1e-8, s, y);
            (x, value, g) = (new_x, new_value, new_g);
        }
        function.go(&x);
    }
}

/// SdLBFGS.
#[derive(Clone)]
pub(crate) struct SdLBfgs {
    pairs: Pairs,
    same_batch: bool,
    delta: f64,
    bounded: bool,
    gamma: f64,
    before: Option<(Vec<f64>, Vec<f64>)>,
    k: f64,
}

impl SdLBfgs {
    pub(crate) fn new(memory: usize, delta: f64, same_batch: bool) -> Self {
        let (pairs, before) = (Pairs::new(memory), None);
        Self { pairs, same_batch, delta, bounded: true, gamma: 1.0, before, k: 0.0 }
    }

    pub(crate) fn paper(self) -> Self {
        Self { bounded: false, ..self }
    }

    fn pair(&mut self, s: Vec<f64>, y: &[f64]) {
        let (ss, sy, yy) = (dot(&s, &s), dot(&s, y), dot(y, y));
        if ss == 0.0 {
            return;
        }
        let otherwise = if self.bounded { (yy / ss).sqrt().max(self.delta) } else { self.delta };
        self.gamma = if sy > 0.0 { (yy / sy).max(self.delta) } else { otherwise };
        let bound = 0.25 * self.gamma * ss;
        let w = if sy < bound { 0.75 * self.gamma * ss / (self.gamma * ss - sy) } else { 1.0 };
        let damped: Vec<f64> =
            s.iter().zip(y).map(|(s, y)| w * y + (1.0 - w) * self.gamma * s).collect();
        // What the theory promises.
        assert!(dot(&s, &damped) >= bound * (1.0 - 1e-12));
        self.pairs.push(0.0, s, damped);
    }
}

impl Twin for SdLBfgs {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let mut function = Joined::new(theta, evaluate);
        let x = function.here();
        let (_, g) = function.at(&x);
        if let Some((old_x, old_g)) = self.before.take() {
            self.pair(difference(&x, &old_x), &difference(&g, &old_g));
        }
        self.k += 1.0;
        let d = self.pairs.direction(1.0 / self.gamma, &g);
        let new_x = plus(&x, lr / self.k.sqrt(), &d);
        if self.same_batch {
            let (_, new_g) = function.at(&new_x);
            self.pair(difference(&new_x, &x), &difference(&new_g, &g));
        } else {
            self.before = Some((x, g));
        }
        function.go(&new_x);
    }
}

/// oLBFGS.
#[derive(Clone)]
pub(crate) struct OnlineLBfgs {
    pub(crate) lambda: f64,
    pub(crate) offset: f64,
    pub(crate) first_scale: f64,
    pairs: Pairs,
    t: f64,
}

impl OnlineLBfgs {
    pub(crate) fn new(lambda: f64, offset: f64, first_scale: f64) -> Self {
        Self { lambda, offset, first_scale, pairs: Pairs::new(3), t: 0.0 }
    }
}

impl Twin for OnlineLBfgs {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let mut function = Joined::new(theta, evaluate);
        let x = function.here();
        let (_, g) = function.at(&x);
        let ratios = self.pairs.pairs.iter().map(|(s, y)| dot(s, y) / dot(y, y));
        let count = self.pairs.pairs.len();
        let gamma = if count == 0 { self.first_scale } else { ratios.sum::<f64>() / count as f64 };
        let d = self.pairs.direction(gamma, &g);
        let new_x = plus(&x, lr * self.offset / (self.offset + self.t), &d);
        self.t += 1.0;
        let (_, new_g) = function.at(&new_x);
        let s = difference(&new_x, &x);
        let y = plus(&difference(&new_g, &g), self.lambda, &s);
        self.pairs.push(1e-8, s, y);
        function.go(&new_x);
    }
}

/// Multi-batch L-BFGS whose overlap is the whole batch.
#[derive(Clone)]
pub(crate) struct MultiBatchLBfgs {
    pairs: Pairs,
}

impl MultiBatchLBfgs {
    pub(crate) fn new(memory: usize) -> Self {
        Self { pairs: Pairs::new(memory) }
    }
}

impl Twin for MultiBatchLBfgs {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let mut function = Joined::new(theta, evaluate);
        let x = function.here();
        let (_, g) = function.at(&x);
        let d = self.pairs.direction(self.pairs.newest_scaling(), &g);
        let new_x = plus(&x, lr, &d);
        let (_, new_g) = function.at(&new_x);
        self.pairs.push(1e-2, difference(&new_x, &x), difference(&new_g, &g));
        function.go(&new_x);
    }
}

/// SQN whose sample is the batch.
#[derive(Clone)]
pub(crate) struct Sqn {
    pairs: Pairs,
    every: usize,
    iterates: Vec<Vec<f64>>,
    last_mean: Option<Vec<f64>>,
}

impl Sqn {
    pub(crate) fn new(memory: usize, every: usize) -> Self {
        Self { pairs: Pairs::new(memory), every, iterates: Vec::new(), last_mean: None }
    }
}

impl Twin for Sqn {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let mut function = Joined::new(theta, evaluate);
        let x = function.here();
        let (_, g) = function.at(&x);
        let d = self.pairs.direction(self.pairs.newest_scaling(), &g);
        let x = plus(&x, lr, &d);
        self.iterates.push(x.clone());
        if self.iterates.len() == self.every {
            let zero = vec![0.0; x.len()];
            let share = 1.0 / self.every as f64;
            let mean = self.iterates.drain(..).fold(zero, |mean, x| plus(&mean, share, &x));
            if let Some(last) = self.last_mean.replace(mean.clone()) {
                let s = difference(&mean, &last);
                // H s of a quadratic is the change of its gradient.
                let y = difference(&function.at(&mean).1, &function.at(&last).1);
                self.pairs.push(1e-8, s, y);
            }
        }
        function.go(&x);
    }
}
