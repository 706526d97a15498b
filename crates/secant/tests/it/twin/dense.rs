//! The twin of self-scaled Broyden: the whole matrix, updated term by term as it is printed. The scalars and
//! the line search's state machine are the library's, which have tests of their own.

use secant::SelfScaling;
use secant_core::{
    line_search::{MoreThuente, Next, SlopeSearch, Start},
    self_scaling::{PairNumbers, Update},
};

use super::{
    Evaluate, Twin, difference, dot,
    quasi_newton::{Joined, plus},
};
use crate::support::Vectors;

/// Self-scaled Broyden.
#[derive(Clone)]
pub(crate) struct SsBroyden {
    rule: SelfScaling,
    /// Empty for the identity.
    h: Vec<Vec<f64>>,
    previous: Option<f64>,
}

impl SsBroyden {
    pub(crate) fn new(rule: SelfScaling) -> Self {
        Self { rule, h: Vec::new(), previous: None }
    }

    fn times(&self, x: &[f64]) -> Vec<f64> {
        self.h.iter().map(|row| dot(row, x)).collect()
    }

    fn update(&mut self, s: &[f64], y: &[f64], s_b_s: f64) {
        let (hy, rho) = (self.times(y), 1.0 / dot(y, s));
        let y_h_y = dot(y, &hy);
        let pair = PairNumbers { h: rho * y_h_y, b: rho * s_b_s, dimension: s.len() };
        let Update { theta, tau, .. } = self.rule.update(pair);
        let phi = (1.0 - theta) / (1.0 + pair.a() * theta);
        let v: Vec<f64> = s.iter().zip(&hy).map(|(s, hy)| rho * s - hy / y_h_y).collect();
        for (i, row) in self.h.iter_mut().enumerate() {
            for (j, h) in row.iter_mut().enumerate() {
                let inner = *h - hy[i] * hy[j] / y_h_y + phi * y_h_y * v[i] * v[j];
                *h = inner / tau + rho * s[i] * s[j];
            }
        }
    }
}

impl Twin for SsBroyden {
    fn step(&mut self, lr: f64, theta: &mut Vectors, evaluate: Evaluate<'_>) {
        let mut function = Joined::new(theta, evaluate);
        let x = function.here();
        let (value, g) = function.at(&x);
        if self.h.is_empty() {
            let row = |i| (0..x.len()).map(|j| f64::from(u8::from(i == j))).collect();
            self.h = (0..x.len()).map(row).collect();
        }
        let p: Vec<f64> = self.times(&g).iter().map(|p| -p).collect();
        let slope = dot(&g, &p);
        let previous = self.previous.unwrap_or(value + 0.5 * dot(&g, &g).sqrt());
        let first = 2.02 * (value - previous) / slope;
        let first = lr * if first > 0.0 { first.min(1.0) } else { 1.0 };
        let start = Start { value, slope, noise: 0.0 };
        let mut search = MoreThuente::new(1e-4, 0.9, start, first);
        let (mut next, mut there) = (search.first(), Vec::new());
        while let Next::Try(step) = next {
            let (value, gradient) = function.at(&plus(&x, step, &p));
            next = search.tell(value, dot(&gradient, &p));
            there = gradient;
        }
        let Next::Done(found) = next else { unreachable!("the loop ends with the search") };
        assert!(found.step > 0.0, "a convex function has a lower point");
        let new_x = plus(&x, found.step, &p);
        let (s, y) = (difference(&new_x, &x), difference(&there, &g));
        self.update(&s, &y, -found.step * dot(&s, &g));
        self.previous = Some(value);
        function.go(&new_x);
    }
}
