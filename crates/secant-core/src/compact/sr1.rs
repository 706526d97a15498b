//! The limited-memory SR1 matrix by its eigenvalues.

use nalgebra::{DMatrix, DVector};

use super::{DecompositionFailed, Gram, PairTest, Tolerances, eigen, skipping::Columns};
use crate::two_loop::PairCombination;

/// B = gamma I + P diag(lambda - gamma) P', with P = Psi Z orthonormal and never formed: the
/// eigenvalues lambda on the span of Psi, and gamma on all that is orthogonal to it (Brust, Erway
/// and Marcia, *On solving L-SR1 trust-region subproblems*, 2017).
#[derive(Clone, Debug)]
pub struct CompactSr1 {
    dimension: usize,
    gamma: f64,
    tolerances: Tolerances,
    tests: Vec<PairTest>,
    accepted: Vec<usize>,
    /// The eigenvalues of B - gamma I on the span, ascending.
    updates: Vec<f64>,
    /// Z, a row for each accepted pair and a column for each eigenvalue.
    z: DMatrix<f64>,
}

impl CompactSr1 {
    /// The matrix of the stored pairs, vectors of `dimension` entries, with B_0 = gamma I.
    ///
    /// All pairs go through the skipping rule again, since a pair dropped or another gamma changes
    /// every later r; those that fail it are left out of this matrix and stay in the memory.
    ///
    /// Inner products resolve a length only to 1e-8 of its terms. Where a length is smaller,
    /// `norm_of` is asked for the 2-norm of a combination of the stored pairs, without g; it should
    /// be exact to rounding, and NaN leaves the pair out. Usually it is not called.
    ///
    /// # Errors
    /// Where the pairs are so far apart in size that the decomposition fails.
    pub fn build(
        gram: &Gram,
        dimension: usize,
        gamma: f64,
        tolerances: Tolerances,
        norm_of: &mut dyn FnMut(&PairCombination) -> f64,
    ) -> Result<Self, DecompositionFailed> {
        if !gamma.is_finite() {
            return Err(DecompositionFailed);
        }
        let columns = Columns::new(gram, gamma, norm_of);
        let tests = columns.skip(&tolerances, norm_of)?;
        let accepted: Vec<usize> = (0..tests.len()).filter(|&j| tests[j].accepted).collect();
        let part = |all: &DMatrix<f64>| all.select_columns(&accepted).select_rows(&accepted);
        // Psi'Psi = V W^2 V', so Psi V W^-1 is orthonormal, and B - gamma I on it is
        // W V' N^-1 V W.
        let (w, v) = eigen::range(part(&columns.gram), tolerances.rank, dimension)?;
        let vw = eigen::scale_columns(v.clone(), w.iter().copied());
        let solved = part(&columns.middle).lu().solve(&vw).ok_or(DecompositionFailed)?;
        let (updates, u) = eigen::ascending(vw.transpose() * solved)?;
        let mut z = eigen::scale_columns(v, w.iter().map(|w| w.recip())) * u;
        fix_signs(&mut z);
        for (mut row, &j) in z.row_iter_mut().zip(&accepted) {
            row.scale_mut(columns.scale[j]);
        }
        Ok(Self { dimension, gamma, tolerances, tests, accepted, updates, z })
    }

    /// The number of entries of the vectors.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The initial matrix is gamma I.
    pub fn gamma(&self) -> f64 {
        self.gamma
    }

    /// The tolerances it was built with.
    pub fn tolerances(&self) -> &Tolerances {
        &self.tolerances
    }

    /// What the skipping rule found for each stored pair, oldest first.
    pub fn tests(&self) -> &[PairTest] {
        &self.tests
    }

    /// The stored pairs that are part of the matrix, by their place, oldest first.
    pub fn accepted(&self) -> &[usize] {
        &self.accepted
    }

    /// The dimension of the span of Psi.
    pub fn rank(&self) -> usize {
        self.updates.len()
    }

    /// Whether gamma is an eigenvalue too: the span of Psi is not the whole space.
    pub fn has_complement(&self) -> bool {
        self.rank() < self.dimension
    }

    /// The eigenvalues on the span of Psi in ascending order, then gamma where it is one.
    pub fn eigenvalues(&self) -> Vec<f64> {
        let on_span = self.updates.iter().map(|update| update + self.gamma);
        on_span.chain(self.has_complement().then_some(self.gamma)).collect()
    }

    /// B v as a combination of v and the pairs, from `sv[j]` = s_j.v and `yv[j]` = y_j.v.
    pub fn apply(&self, sv: &[f64], yv: &[f64]) -> PairCombination {
        let mut coefficients = self.project(sv, yv);
        coefficients.iter_mut().zip(&self.updates).for_each(|(c, update)| *c *= update);
        PairCombination { scale: self.gamma, ..self.expand(&coefficients) }
    }

    /// P'v, from `sv[j]` = s_j.v and `yv[j]` = y_j.v; with row i of S and Y, row i of P.
    pub(crate) fn project(&self, sv: &[f64], yv: &[f64]) -> Vec<f64> {
        let along = DVector::from_fn(self.accepted.len(), |i, _| {
            let j = self.accepted[i];
            yv[j] - self.gamma * sv[j]
        });
        self.z.tr_mul(&along).iter().copied().collect()
    }

    /// The vector P c.
    pub(crate) fn expand(&self, coefficients: &[f64]) -> PairCombination {
        let of_psi = &self.z * DVector::from_column_slice(coefficients);
        let pairs = self.tests.len();
        let mut vector = PairCombination { scale: 0.0, s: vec![0.0; pairs], y: vec![0.0; pairs] };
        for (&j, c) in self.accepted.iter().zip(&of_psi) {
            vector.y[j] = *c;
            vector.s[j] = -self.gamma * c;
        }
        vector
    }
}

/// Makes the largest coefficient of every column positive: an eigenvector has no sign of its own.
fn fix_signs(z: &mut DMatrix<f64>) {
    for mut column in z.column_iter_mut() {
        if column[column.iamax()] < 0.0 {
            column.neg_mut();
        }
    }
}
