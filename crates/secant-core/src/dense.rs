//! The test double of the compact matrices: everything as dense vectors and matrices.

use nalgebra::{DMatrix, DVector};

use crate::{
    compact::{CompactSr1, DecompositionFailed, Gram, NewProducts, Tolerances},
    rng::SplitMix64,
    trust_region::subproblem::{GradientProducts, PairVectors, Solution, SubproblemError, solve},
    two_loop::PairCombination,
};

pub(crate) type Vector = DVector<f64>;
pub(crate) type Matrix = DMatrix<f64>;

/// A gradient and pairs (s, y), oldest first.
#[derive(Clone, Debug)]
pub(crate) struct DenseProblem {
    pub g: Vector,
    pub pairs: Vec<(Vector, Vector)>,
}

impl DenseProblem {
    pub fn gram(&self) -> Gram {
        let mut gram = Gram::default();
        for (j, pair) in self.pairs.iter().enumerate() {
            gram.push(&new_products(&self.pairs[..j], pair));
        }
        gram
    }

    pub fn build(&self, gamma: f64) -> Result<CompactSr1, DecompositionFailed> {
        self.build_with(Tolerances::F64, gamma)
    }

    pub fn build_with(
        &self,
        tolerances: Tolerances,
        gamma: f64,
    ) -> Result<CompactSr1, DecompositionFailed> {
        let norm_of = &mut |combination: &PairCombination| self.combine(combination).norm();
        CompactSr1::build(&self.gram(), self.g.len(), gamma, tolerances, norm_of)
    }

    /// The solution and its step.
    pub fn solve(
        &self,
        matrix: &CompactSr1,
        delta: f64,
    ) -> Result<(Solution, Vector), SubproblemError> {
        let mut vectors = self.clone();
        let solution = solve(matrix, &self.gradient_products(), delta, &mut vectors)?;
        let mut p = vectors.combine(&solution.step);
        if let Some(unit) = solution.unit {
            p[unit.index] += unit.coefficient;
        }
        Ok((solution, p))
    }

    fn gradient_products(&self) -> GradientProducts {
        let (sg, yg) = self.products_with(&self.g);
        GradientProducts { gg: self.g.dot(&self.g), sg, yg }
    }

    /// S'v and Y'v.
    pub fn products_with(&self, v: &Vector) -> (Vec<f64>, Vec<f64>) {
        self.pairs.iter().map(|(s, y)| (s.dot(v), y.dot(v))).unzip()
    }

    /// The combination of the gradient and the pairs.
    pub fn combine(&self, combination: &PairCombination) -> Vector {
        self.combine_with(&self.g, combination)
    }

    /// The combination of `v` in the place of the gradient and the pairs.
    pub fn combine_with(&self, v: &Vector, combination: &PairCombination) -> Vector {
        let mut sum = combination.scale * v;
        for ((s, y), (a, b)) in self.pairs.iter().zip(combination.s.iter().zip(&combination.y)) {
            sum += *a * s + *b * y;
        }
        sum
    }

    /// B of the accepted pairs by the SR1 formula, (6.24) of Nocedal and Wright, and the s.r and |r|
    /// of each.
    pub fn recursion(&self, gamma: f64, accepted: &[usize]) -> (Matrix, Vec<(f64, f64)>) {
        let mut b = Matrix::identity(self.g.len(), self.g.len()) * gamma;
        let mut pivots = Vec::new();
        for &j in accepted {
            let (s, y) = &self.pairs[j];
            let r = y - &b * s;
            let sr = s.dot(&r);
            b += &r * r.transpose() / sr;
            pivots.push((sr, r.norm()));
        }
        (b, pivots)
    }
}

impl PairVectors for DenseProblem {
    fn replace(&mut self, combination: &PairCombination) -> GradientProducts {
        self.g = self.combine(combination);
        self.gradient_products()
    }

    fn entries(&mut self, index: usize) -> (Vec<f64>, Vec<f64>) {
        self.pairs.iter().map(|(s, y)| (s[index], y[index])).unzip()
    }
}

/// The products of a new pair with the stored ones and itself.
pub(crate) fn new_products(stored: &[(Vector, Vector)], (s, y): &(Vector, Vector)) -> NewProducts {
    NewProducts {
        stored_s_s: stored.iter().map(|(si, _)| si.dot(s)).collect(),
        stored_s_y: stored.iter().map(|(si, _)| si.dot(y)).collect(),
        s_stored_y: stored.iter().map(|(_, yi)| yi.dot(s)).collect(),
        stored_y_y: stored.iter().map(|(_, yi)| yi.dot(y)).collect(),
        ss: s.dot(s),
        sy: s.dot(y),
        yy: y.dot(y),
    }
}

/// The larger of two numbers; NaN where one of them is, unlike [`f64::max`].
pub(crate) fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}

/// A nearly normal vector.
pub(crate) fn random_vector(rng: &mut SplitMix64, n: usize) -> Vector {
    Vector::from_fn(n, |_, _| f64::from(rng.bell()))
}

/// A symmetric matrix with eigenvalues of both signs.
pub(crate) fn random_symmetric(rng: &mut SplitMix64, n: usize) -> Matrix {
    let half = Matrix::from_fn(n, n, |_, _| f64::from(rng.bell()));
    &half + half.transpose()
}

/// The smallest |s.r| / (|s| |r|) of the accepted pairs. An update loses that many digits, in the
/// compact matrix and in the recursion alike.
pub(crate) fn worst_cosine(problem: &DenseProblem, matrix: &CompactSr1) -> f64 {
    let tests = matrix.tests().iter().zip(&problem.pairs).filter(|(test, _)| test.accepted);
    tests.map(|(test, (s, _))| test.sr.abs() / (test.residual * s.norm())).fold(1.0, f64::min)
}
