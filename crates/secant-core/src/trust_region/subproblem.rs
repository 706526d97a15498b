//! The exact minimizer of the L-SR1 model within a ball.
//!
//! min g'p + p'Bp / 2 over |p| <= delta. In the eigenbasis of B the problem falls apart into one
//! number for each eigenvalue: g has the coefficients a_j = P_j'g on the span of Psi and
//! a = |g - P P'g| on the rest, where the eigenvalue is gamma. A step is optimal exactly when
//! (B + sigma I) p = -g with a multiplier sigma >= 0, sigma (delta - |p|) = 0 and B + sigma I >= 0
//! (More and Sorensen, 1983), so |p|^2 = sum a_j^2 / (lambda_j + sigma)^2 gives sigma. Brust, Erway
//! and Marcia (*On solving L-SR1 trust-region subproblems*, 2017) wrote this down for L-SR1.
//!
//! Unknown here is mu = sigma + lambda_min >= 0, the distance from the pole: sigma itself knows it
//! only to 1e-16 |B|.

mod secular;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::secular::Secular;
use crate::{compact::CompactSr1, two_loop::PairCombination};

/// An eigenvalue, or a difference of two, counts as zero up to this fraction of |B|, or of gamma
/// where that is larger: eigenvalues are sums with gamma.
const ZERO_EIGENVALUE: f64 = 1e-13;

/// |g - P P'g|^2 = g.g - |P'g|^2 is taken as that difference above this fraction of g.g: it is then
/// right to 1e-12, and so is the length of the step.
const CANCELLED: f64 = 1e-4;

/// The inner products of the gradient g with itself and with the stored pairs, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientProducts {
    /// g.g
    pub gg: f64,
    /// s_j.g for every stored j.
    pub sg: Vec<f64>,
    /// y_j.g for every stored j.
    pub yg: Vec<f64>,
}

/// A vector v, at first the gradient, and the stored pairs, for what inner products do not resolve.
pub trait PairVectors {
    /// Puts the combination of v and the pairs in the place of v and returns its inner products.
    fn replace(&mut self, combination: &PairCombination) -> GradientProducts;

    /// The entry with this index of every s and of every y, oldest first.
    fn entries(&mut self, index: usize) -> (Vec<f64>, Vec<f64>);
}

/// The optimal step, and how it was found.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Solution {
    /// The step p, as a combination of v and the stored pairs, where v is what the [`PairVectors`]
    /// hold: the gradient unless it was replaced. [`Solution::unit`] comes on top.
    pub step: PairCombination,
    /// A multiple of a unit vector to add to the step; only in the hard case where gamma is the
    /// smallest eigenvalue.
    pub unit: Option<UnitTerm>,
    /// |p|
    pub step_norm: f64,
    /// g'p + p'Bp / 2 at the step, never positive.
    pub model_value: f64,
    /// The multiplier of |p| <= delta.
    pub sigma: f64,
    /// Where the step lies.
    pub case: Case,
    /// Newton iterations on the secular equation.
    pub newton_iterations: u32,
    /// The smallest eigenvalue of B.
    pub lambda_min: f64,
    /// The largest eigenvalue of B.
    pub lambda_max: f64,
    /// The 2-norm of B.
    pub norm_b: f64,
}

/// `coefficient` times the unit vector of `index`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitTerm {
    /// The entry that it changes.
    pub index: usize,
    /// By how much.
    pub coefficient: f64,
}

/// Where the optimal step lies, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Case {
    /// B is positive semi-definite and the shortest minimizer of the model is within the radius.
    Interior,
    /// On the boundary, as a root of the secular equation.
    Boundary,
    /// On the boundary though g has no part along the smallest eigenvalue, which is negative: the
    /// rest of the radius goes along an eigenvector of it. Its other sign is as good.
    Hard,
}

/// A subproblem that cannot be solved.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum SubproblemError {
    /// The radius is not a finite positive number.
    #[error("the trust-region radius must be finite and more than 0, got {0}")]
    Radius(f64),
    /// A product or a result is NaN or infinite.
    #[error(
        "a number of the trust-region subproblem is not finite: check the gradient and the pairs"
    )]
    NonFinite,
}

/// Minimizes g'p + p'Bp / 2 over |p| <= delta.
///
/// Step 2 of MB-LSR1 and step 1 of L-SSR1-TR.
///
/// `vectors` is asked where the inner products do not suffice: to replace g by its part outside the
/// span of Psi where that is tiny, and for a few entries in the hard case where gamma is the smallest
/// eigenvalue. Usually it is not.
///
/// # Errors
/// Where the radius is not a finite positive number, or a number is not finite.
///
/// # Panics
/// Where `gradient` does not have one product for each stored pair.
pub fn solve(
    matrix: &CompactSr1,
    gradient: &GradientProducts,
    delta: f64,
    vectors: &mut dyn PairVectors,
) -> Result<Solution, SubproblemError> {
    if !(delta > 0.0 && delta.is_finite()) {
        return Err(SubproblemError::Radius(delta));
    }
    let basis = Eigenbasis::new(matrix, gradient, vectors)?;
    let secular = basis.secular(delta);
    let lambda_min = basis.lambda_min;
    // The smallest mu with sigma >= 0 and B + sigma I >= 0.
    let least = lambda_min.max(0.0);
    let (mu, case, newton_iterations) = if secular.length(least) > 1.0 {
        let (mu, iterations) = secular.root(least);
        (mu, Case::Boundary, iterations)
    } else if lambda_min < 0.0 {
        (0.0, Case::Hard, 0)
    } else {
        (least, Case::Interior, 0)
    };
    let sigma = (mu - lambda_min).max(0.0);
    let step_norm = if case == Case::Interior { delta * secular.length(mu) } else { delta };
    let mut solution = Solution {
        step: basis.step(mu),
        unit: None,
        step_norm,
        // g'p / 2 - sigma |p|^2 / 2, and g'p = - sum a_j^2 / (lambda_j + sigma).
        model_value: -0.5 * (basis.decrease(mu) + sigma * step_norm * step_norm),
        sigma,
        case,
        newton_iterations,
        lambda_min,
        lambda_max: basis.lambda_max,
        norm_b: basis.norm_b,
    };
    if case == Case::Hard {
        let length = secular.length(mu);
        let rest = delta * ((1.0 - length) * (1.0 + length)).sqrt();
        basis.add_lowest(&mut solution, rest, vectors)?;
    }
    let numbers = [solution.step_norm, solution.model_value, solution.sigma];
    let finite = solution.step.is_finite() && numbers.iter().all(|x| x.is_finite());
    if finite { Ok(solution) } else { Err(SubproblemError::NonFinite) }
}

/// The subproblem in the eigenbasis of B.
struct Eigenbasis<'a> {
    matrix: &'a CompactSr1,
    lambda_min: f64,
    lambda_max: f64,
    norm_b: f64,
    /// P'v: that of the gradient, zero where v is its part outside the span.
    along: Vec<f64>,
    /// The coefficients of g: those along P, then |g - P P'g| where the span of Psi is not the whole
    /// space; zero where they are too small to be told from it.
    a: Vec<f64>,
    /// lambda_j - lambda_min, in the same order.
    above: Vec<f64>,
}

impl<'a> Eigenbasis<'a> {
    fn new(
        matrix: &'a CompactSr1,
        gradient: &GradientProducts,
        vectors: &mut dyn PairVectors,
    ) -> Result<Self, SubproblemError> {
        let GradientProducts { gg, sg, yg } = gradient;
        let pairs = matrix.tests().len();
        assert!(sg.len() == pairs && yg.len() == pairs, "one product for each stored pair");
        let mut along = matrix.project(sg, yg);
        if !gg.is_finite() || along.iter().any(|a| !a.is_finite()) {
            return Err(SubproblemError::NonFinite);
        }
        let zero = matrix.tolerances().zero * gg.sqrt();
        let mut a = along.clone();
        if matrix.has_complement() {
            a.push(take_across(matrix, *gg, &mut along, zero, vectors));
        }
        a.iter_mut().filter(|a| a.abs() <= zero).for_each(|a| *a = 0.0);

        let mut lambda = matrix.eigenvalues();
        let norm_b = lambda.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        let zero = ZERO_EIGENVALUE * norm_b.max(matrix.gamma().abs());
        let snap = |x: f64| if x.abs() <= zero { 0.0 } else { x };
        lambda.iter_mut().for_each(|x| *x = snap(*x));
        let lambda_min = lambda.iter().copied().fold(f64::INFINITY, f64::min);
        let lambda_max = lambda.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let above = lambda.iter().map(|x| snap(x - lambda_min)).collect();
        Ok(Self { matrix, lambda_min, lambda_max, norm_b, along, a, above })
    }

    /// |p(mu)| / delta as a function of mu.
    fn secular(&self, delta: f64) -> Secular {
        let terms = self.a.iter().zip(&self.above).filter(|(a, _)| **a != 0.0);
        Secular::new(terms.map(|(a, above)| (a.abs() / delta, *above)))
    }

    /// a_j / (lambda_j + sigma), 0 where a_j is 0.
    fn quotients(&self, mu: f64) -> impl Iterator<Item = f64> {
        let quotient =
            move |(a, above): (&f64, &f64)| if *a == 0.0 { 0.0 } else { a / (above + mu) };
        self.a.iter().zip(&self.above).map(quotient)
    }

    /// sum a_j^2 / (lambda_j + sigma)
    fn decrease(&self, mu: f64) -> f64 {
        self.quotients(mu).zip(&self.a).map(|(quotient, a)| quotient * a).sum()
    }

    /// p = -v / tau + P [P'v / tau - a_j / (lambda_j + sigma)] with tau = gamma + sigma; without the
    /// terms in tau where g has no part outside the span of Psi.
    fn step(&self, mu: f64) -> PairCombination {
        let rank = self.along.len();
        let across = self.a.get(rank).copied().unwrap_or(0.0);
        let scale = if across == 0.0 { 0.0 } else { 1.0 / (self.above[rank] + mu) };
        let along = self.along.iter().zip(self.quotients(mu));
        let coefficients: Vec<f64> = along.map(|(a, quotient)| scale * a - quotient).collect();
        PairCombination { scale: -scale, ..self.matrix.expand(&coefficients) }
    }

    /// Adds `length` times a unit eigenvector of the smallest eigenvalue.
    fn add_lowest(
        &self,
        solution: &mut Solution,
        length: f64,
        vectors: &mut dyn PairVectors,
    ) -> Result<(), SubproblemError> {
        let rank = self.along.len();
        let mut coefficients = vec![0.0; rank];
        if let Some(lowest) = self.above[..rank].iter().position(|above| *above == 0.0) {
            coefficients[lowest] = length;
        } else {
            let (index, row) = self.far_from_span(vectors)?;
            // (I - P P') e, of length sqrt(1 - |row|^2).
            let coefficient = length / (1.0 - squared(&row)).sqrt();
            coefficients = row.iter().map(|entry| -coefficient * entry).collect();
            solution.unit = Some(UnitTerm { index, coefficient });
        }
        let PairCombination { s, y, .. } = self.matrix.expand(&coefficients);
        solution.step.s.iter_mut().zip(s).for_each(|(step, term)| *step += term);
        solution.step.y.iter_mut().zip(y).for_each(|(step, term)| *step += term);
        Ok(())
    }

    /// An index and its row of P, so short that the unit vector is not nearly in the span of P.
    ///
    /// The squares of all n rows add up to the rank r, so a square is more than
    /// 1 - (n - r) / (2 n) in fewer than n and at most 2 r rows: the search is short.
    fn far_from_span(
        &self,
        vectors: &mut dyn PairVectors,
    ) -> Result<(usize, Vec<f64>), SubproblemError> {
        let (n, rank) = (self.matrix.dimension(), self.matrix.rank());
        let most = 0.5 * (1.0 + rank as f64 / n as f64);
        (0..n.min(2 * rank + 1))
            .map(|index| {
                let (s, y) = vectors.entries(index);
                (index, self.matrix.project(&s, &y))
            })
            .find(|(_, row)| squared(row) <= most)
            .ok_or(SubproblemError::NonFinite)
    }
}

/// |g - P P'g|: from the inner products while they resolve it, else from that vector itself, which
/// then takes the place of g, so that the step need not subtract two nearly equal vectors.
///
/// Rounding errors leave a part of g in the span that is not small beside a short rest; taking the
/// rest's own part away does ("twice is enough": Parlett, *The Symmetric Eigenvalue Problem*, 6.9).
fn take_across(
    matrix: &CompactSr1,
    gg: f64,
    along: &mut [f64],
    zero: f64,
    vectors: &mut dyn PairVectors,
) -> f64 {
    let mut squared_rest = gg - squared(along);
    if squared_rest > CANCELLED * gg {
        return squared_rest.sqrt();
    }
    let mut part = along.to_vec();
    for _ in 0..2 {
        part.iter_mut().for_each(|part| *part = -*part);
        let without = PairCombination { scale: 1.0, ..matrix.expand(&part) };
        let rest = vectors.replace(&without);
        squared_rest = rest.gg;
        part = matrix.project(&rest.sg, &rest.yg);
        if squared_rest.sqrt() <= zero {
            break;
        }
    }
    along.fill(0.0);
    squared_rest.sqrt()
}

fn squared(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum()
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
