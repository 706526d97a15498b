//! Shampoo on vectors in pieces of 3: a full inverse root for each piece, first in step 3 and then in every
//! second, at the length of Adam's step (`spec/layerwise.md`, section 2). Eigenvalues by Jacobi's rotations.

use secant::Decay;

use super::{Rule, average, coupled, dot};

const PIECE: usize = 3;

type Square = Vec<Vec<f64>>;

#[derive(Clone)]
pub(crate) struct Shampoo {
    decay: Decay,
    m: Vec<f64>,
    a: Vec<f64>,
    /// F and R of each piece.
    pieces: Vec<(Square, Square)>,
    t: i32,
}

impl Shampoo {
    pub(crate) fn new(decay: Decay) -> Self {
        Self { decay, m: vec![], a: vec![], pieces: vec![], t: 0 }
    }
}

impl Rule for Shampoo {
    fn update(&mut self, lr: f64, theta: &mut [f64], g: &[f64]) {
        self.t += 1;
        let g = coupled(self.decay, theta, g);
        average(&mut self.m, 0.9, g.iter().copied());
        average(&mut self.a, 0.99, g.iter().map(|g| g * g));
        let (of_m, of_a) = (1.0 - 0.9f64.powi(self.t), 1.0 - 0.99f64.powi(self.t));
        let bar: Vec<f64> = self.m.iter().map(|m| m / of_m).collect();
        let adam: Vec<f64> =
            bar.iter().zip(&self.a).map(|(bar, a)| bar / ((a / of_a).sqrt() + 1e-8)).collect();
        if self.pieces.is_empty() {
            let zero = |g: &[f64]| (vec![vec![0.0; g.len()]; g.len()], Square::new());
            self.pieces = g.chunks(PIECE).map(zero).collect();
        }
        let mut direction = Vec::new();
        let gradients = g.chunks(PIECE).zip(bar.chunks(PIECE)).zip(adam.chunks(PIECE));
        for ((f, r), ((g, bar), adam)) in self.pieces.iter_mut().zip(gradients) {
            for (row, gi) in f.iter_mut().zip(g) {
                row.iter_mut().zip(g).for_each(|(f, gj)| *f = 0.99 * *f + 0.01 * gi * gj);
            }
            if self.t == 3 || self.t > 3 && self.t % 2 == 0 {
                let corrected = f.iter().map(|row| row.iter().map(|f| f / of_a).collect());
                *r = inverse_square_root(corrected.collect(), 1e-2);
            }
            if self.t < 3 {
                direction.extend_from_slice(adam);
                continue;
            }
            let own: Vec<f64> = r.iter().map(|row| dot(row, bar)).collect();
            let length = dot(adam, adam).sqrt() / (dot(&own, &own).sqrt() + 1e-16);
            direction.extend(own.iter().map(|d| length * d));
        }
        let strength = self.decay.decoupled();
        for (theta, d) in theta.iter_mut().zip(&direction) {
            *theta -= lr * (d + strength * *theta);
        }
    }
}

/// (A + eps I)^(-1/2)
fn inverse_square_root(a: Square, epsilon: f64) -> Square {
    let (values, vectors) = eigen(a);
    let entry = |i: usize, j: usize| {
        let term = |(l, q): (&f64, &Vec<f64>)| q[i] * q[j] / (l + epsilon).sqrt();
        values.iter().zip(&vectors).map(term).sum()
    };
    let side = values.len();
    (0..side).map(|i| (0..side).map(|j| entry(i, j)).collect()).collect()
}

/// Eigenvalues and eigenvectors, by Jacobi: each rotation makes one entry beside the diagonal 0.
fn eigen(mut a: Square) -> (Vec<f64>, Square) {
    let side = a.len();
    let unit = |i| (0..side).map(|j| f64::from(u8::from(i == j))).collect();
    let mut q: Square = (0..side).map(unit).collect();
    for _ in 0..20 {
        for i in 0..side {
            for j in 0..i {
                let angle = 0.5 * (2.0 * a[i][j]).atan2(a[j][j] - a[i][i]);
                let (sine, cosine) = angle.sin_cos();
                let turn = |x: &mut f64, y: &mut f64| {
                    (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
                };
                for k in 0..side {
                    let (mut x, mut y) = (a[i][k], a[j][k]);
                    turn(&mut x, &mut y);
                    (a[i][k], a[j][k]) = (x, y);
                    let (mut x, mut y) = (q[i][k], q[j][k]);
                    turn(&mut x, &mut y);
                    (q[i][k], q[j][k]) = (x, y);
                }
                for row in &mut a {
                    let (mut x, mut y) = (row[i], row[j]);
                    turn(&mut x, &mut y);
                    (row[i], row[j]) = (x, y);
                }
            }
        }
    }
    ((0..side).map(|i| a[i][i]).collect(), q)
}
