//! The initial matrix gamma I.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{DecompositionFailed, Gram, eigen};

/// How gamma is chosen from the stored pairs.
///
/// One rule is missing on purpose: with gamma = s.y / s.s of the newest pair, s.(y - gamma s) = 0
/// and the newest pair is always left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum GammaRule {
    /// Always this value; it may be zero or negative.
    Constant(f64),
    /// y.y / s.y of the newest pair where s.y > 0, else unchanged.
    LastPair,
    /// Half the smallest eigenvalue lambda of (L + D + L') u = lambda S'S u where it is positive,
    /// else one and a half times it, and at least 1e-6 from zero. Below the eigenvalue N is positive
    /// definite, so B >= gamma I and no update has the wrong sign (Erway, Griffin, Marcia and
    /// Omheni, 2019; the factors are those of the public code of sL_QN_TR).
    SmallestEigenvalue,
}

impl GammaRule {
    /// The gamma of the stored pairs; `current` where the rule finds none.
    ///
    /// # Errors
    /// Where the eigenvalue cannot be computed.
    pub fn gamma(&self, gram: &Gram, current: f64) -> Result<f64, DecompositionFailed> {
        let found = match *self {
            Self::Constant(gamma) => Some(gamma),
            Self::LastPair => last_pair(gram),
            Self::SmallestEigenvalue => smallest_eigenvalue(gram)?.map(safely_below),
        };
        Ok(found.filter(|gamma| gamma.is_finite()).unwrap_or(current))
    }
}

fn last_pair(gram: &Gram) -> Option<f64> {
    let last = gram.len().checked_sub(1)?;
    let (sy, yy) = (gram.sy[last][last], gram.yy[last][last]);
    (sy > 0.0).then(|| yy / sy)
}

fn safely_below(lambda: f64) -> f64 {
    if lambda > 0.0 { (0.5 * lambda).max(1e-6) } else { (1.5 * lambda).min(-1e-6) }
}

/// The smallest lambda with (L + D + L') u = lambda S'S u; none without a displacement.
fn smallest_eigenvalue(gram: &Gram) -> Result<Option<f64>, DecompositionFailed> {
    let moved: Vec<usize> = (0..gram.len()).filter(|&i| gram.ss[i][i] > 0.0).collect();
    // Displacements of length one: the same eigenvalues, and a rank that does not see the lengths.
    let lengths: Vec<f64> = moved.iter().map(|&i| gram.ss[i][i].sqrt()).collect();
    let square = |entry: &dyn Fn(usize, usize) -> f64| {
        DMatrix::from_fn(moved.len(), moved.len(), |i, j| {
            entry(moved[i], moved[j]) / (lengths[i] * lengths[j])
        })
    };
    let curvature = square(&|i, j| gram.sy[i.max(j)][i.min(j)]);
    let (roots, v) = eigen::range(square(&|i, j| gram.ss[i][j]), 1e-12, moved.len())?;
    let x = eigen::scale_columns(v, roots.iter().map(|root| root.recip()));
    let (values, _) = eigen::ascending(x.transpose() * curvature * x)?;
    Ok(values.first().copied())
}
