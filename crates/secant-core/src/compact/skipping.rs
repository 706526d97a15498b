//! Which pairs the SR1 matrix is built from.
//!
//! Pair j would change B_{j-1} by r_j r_j' / (s_j.r_j) with r_j = y_j - B_{j-1} s_j. Written with the
//! pairs accepted before it, r_j = psi_j - Psi c with c = N^-1 Psi' s_j, so s_j.r_j is the j-th pivot
//! of N and |r_j|^2 a quadratic form in the Gram matrix of Psi.

use nalgebra::{DMatrix, DVector, Dyn, LU};

use super::{DecompositionFailed, Gram, Tolerances};
use crate::two_loop::PairCombination;

/// A squared length below this fraction of its terms' size is all rounding error: 1e-16 of the
/// terms is 1e-4 of it, and a length is wanted to more digits than that.
const CANCELLED: f64 = 1e-12;

/// A pivot below this fraction of its terms' size is all rounding error.
const PIVOT_NOISE: f64 = 16.0 * f64::EPSILON;

/// What the skipping rule found out about a stored pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairTest {
    /// s.r, the denominator of the update.
    pub sr: f64,
    /// |r|, the length of what the matrix before the update does not explain of y.
    pub residual: f64,
    /// Whether the pair is part of the matrix.
    pub accepted: bool,
}

/// The pairs, each multiplied by a power of two that brings its column of Psi near length one. B
/// does not depend on the lengths of its pairs, and powers of two do not round.
pub(super) struct Columns {
    gamma: f64,
    /// The power of two of every pair.
    pub(super) scale: Vec<f64>,
    /// |s_j|
    s: Vec<f64>,
    /// |y_j|
    y: Vec<f64>,
    /// |y_j| + |gamma| |s_j|: inner products of column j are off by 1e-16 of this.
    size: Vec<f64>,
    /// Psi'Psi
    pub(super) gram: DMatrix<f64>,
    /// N
    pub(super) middle: DMatrix<f64>,
}

impl Columns {
    /// The columns of Psi = Y - gamma S. `norm_of` is asked for lengths that cancel.
    pub(super) fn new(
        gram: &Gram,
        gamma: f64,
        norm_of: &mut dyn FnMut(&PairCombination) -> f64,
    ) -> Self {
        let pairs = gram.len();
        let Gram { ss, sy, yy } = gram;
        let s: Vec<f64> = (0..pairs).map(|j| ss[j][j].sqrt()).collect();
        let y: Vec<f64> = (0..pairs).map(|j| yy[j][j].sqrt()).collect();
        let size: Vec<f64> = (0..pairs).map(|j| y[j] + gamma.abs() * s[j]).collect();
        let mut psi = DMatrix::from_fn(pairs, pairs, |i, j| {
            yy[i][j] - gamma * (sy[i][j] + sy[j][i]) + gamma * gamma * ss[i][j]
        });
        for j in 0..pairs {
            if psi[(j, j)] < CANCELLED * size[j] * size[j] {
                psi[(j, j)] = norm_of(&column(pairs, gamma, j)).powi(2);
            }
        }
        // Row i of the lower part of S'Y - gamma S'S: s_i'Psi up to its own column.
        let middle = DMatrix::from_fn(pairs, pairs, |i, j| {
            sy[i.max(j)][i.min(j)] - gamma * ss[i.max(j)][i.min(j)]
        });
        let unscaled = Self { gamma, scale: vec![1.0; pairs], s, y, size, gram: psi, middle };
        unscaled.scaled()
    }

    /// Multiplies every pair by the power of two nearest to 1 / |psi_j|, where that is resolved.
    fn scaled(mut self) -> Self {
        for j in 0..self.scale.len() {
            let length = self.gram[(j, j)].sqrt().max(1e-8 * self.size[j]);
            if length > 0.0 && length.is_finite() {
                self.scale[j] = (-length.log2().round()).exp2();
            }
        }
        for (j, &scale) in self.scale.iter().enumerate() {
            for length in [&mut self.s, &mut self.y, &mut self.size] {
                length[j] *= scale;
            }
            for products in [&mut self.gram, &mut self.middle] {
                products.column_mut(j).scale_mut(scale);
                products.row_mut(j).scale_mut(scale);
            }
        }
        self
    }

    /// Goes through the pairs from the oldest to the newest and accepts those with
    /// |s.r| >= r |s| |r| and |r| > r2 |y| whose s.r is more than a rounding error.
    /// `skip` of MB-LSR1 and L-SSR1-TR is r.
    pub(super) fn skip(
        &self,
        tolerances: &Tolerances,
        norm_of: &mut dyn FnMut(&PairCombination) -> f64,
    ) -> Result<Vec<PairTest>, DecompositionFailed> {
        let mut tests = Vec::with_capacity(self.scale.len());
        let mut accepted = Vec::new();
        let mut factored = None;
        for j in 0..self.scale.len() {
            let c = self.explained(&accepted, factored.as_ref(), j)?;
            let row = DVector::from_fn(accepted.len(), |i, _| self.middle[(accepted[i], j)]);
            let sr = self.middle[(j, j)] - row.dot(&c);
            let terms = self.s[j] * self.size[j] + row.abs().dot(&c.abs());
            let residual = self.residual(&accepted, &c, j, norm_of);
            let fits = sr.abs() >= tolerances.r * self.s[j] * residual
                && residual > tolerances.r2 * self.y[j]
                && sr.abs() > PIVOT_NOISE * terms;
            if fits {
                accepted.push(j);
                factored =
                    Some(LU::new(self.middle.select_columns(&accepted).select_rows(&accepted)));
            }
            let scale = self.scale[j];
            tests.push(PairTest {
                sr: sr / (scale * scale),
                residual: residual / scale,
                accepted: fits,
            });
        }
        Ok(tests)
    }

    /// c = N^-1 Psi' s_j over the accepted pairs.
    fn explained(
        &self,
        accepted: &[usize],
        factored: Option<&LU<f64, Dyn, Dyn>>,
        j: usize,
    ) -> Result<DVector<f64>, DecompositionFailed> {
        let right = DVector::from_fn(accepted.len(), |i, _| self.middle[(accepted[i], j)]);
        factored.map_or(Ok(DVector::zeros(0)), |n| n.solve(&right).ok_or(DecompositionFailed))
    }

    /// |psi_j - Psi c|, from the inner products while they resolve it.
    fn residual(
        &self,
        accepted: &[usize],
        c: &DVector<f64>,
        j: usize,
        norm_of: &mut dyn FnMut(&PairCombination) -> f64,
    ) -> f64 {
        let mut squared = self.gram[(j, j)];
        let mut size = self.size[j];
        for (i, &a) in accepted.iter().enumerate() {
            let of_c: f64 = accepted.iter().zip(c).map(|(&b, c)| self.gram[(a, b)] * c).sum();
            squared += c[i] * (of_c - 2.0 * self.gram[(a, j)]);
            size += c[i].abs() * self.size[a];
        }
        if accepted.is_empty() || squared >= CANCELLED * size * size {
            return squared.sqrt();
        }
        let mut vector = column(self.scale.len(), self.gamma, j);
        for (i, &a) in accepted.iter().enumerate() {
            let c = c[i] * self.scale[a] / self.scale[j];
            vector.y[a] = -c;
            vector.s[a] = self.gamma * c;
        }
        norm_of(&vector) * self.scale[j]
    }
}

/// The vector psi_j = y_j - gamma s_j.
fn column(pairs: usize, gamma: f64, j: usize) -> PairCombination {
    let mut vector = PairCombination { scale: 0.0, s: vec![0.0; pairs], y: vec![0.0; pairs] };
    vector.s[j] = -gamma;
    vector.y[j] = 1.0;
    vector
}
