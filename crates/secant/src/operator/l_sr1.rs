//! The L-SR1 matrix B of the last pairs, and the best step of its model within a radius.

use secant_core::{
    compact::{CompactSr1, DecompositionFailed, Gram, NewProducts, Tolerances},
    trust_region::subproblem::{
        Case, GradientProducts, PairVectors, Solution, SubproblemError, UnitTerm, solve,
    },
    two_loop::PairCombination,
};
use thiserror::Error;

use super::{PairMatrix, PairMemory};
use crate::{
    blocks::{Blocks, combine_rows, dot, norm, row_products},
    objective::Coordinates,
};

/// B = gamma I and the SR1 updates of the stored pairs, as pairs and their inner products with each
/// other: B s = y for the newest pair. B can be indefinite, so that pairs of negative curvature
/// are as good as others.
///
/// Adding a pair reads the memory once; minimising the model of B reads it twice. Everything else
/// is small matrices: see [`CompactSr1`].
#[derive(Clone, Debug, Default)]
pub struct LSr1 {
    memory: PairMemory,
    gram: Gram,
}

/// The minimiser p of the model Q(p) = g'p + p'Bp / 2 within the radius.
#[derive(Clone, Debug)]
pub struct Minimiser {
    /// p
    pub step: Blocks,
    /// |p|
    pub step_norm: f64,
    /// g'p, never positive up to rounding.
    pub slope: f64,
    /// Q(p), never positive.
    pub model_value: f64,
    /// The multiplier of |p| <= delta.
    pub sigma: f64,
    /// Where p lies.
    pub case: Case,
    /// The smallest eigenvalue of B.
    pub lambda_min: f64,
    /// The largest eigenvalue of B.
    pub lambda_max: f64,
    /// The 2-norm of B.
    pub norm_b: f64,
    /// The stored pairs that B is built from, by their place, oldest first. The rest failed the
    /// skipping rule.
    pub accepted: Vec<usize>,
    /// How many these are.
    pub skipped: usize,
}

/// A model that cannot be minimised.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum MinimiserError {
    /// The pairs are too far apart in size.
    #[error(transparent)]
    Decomposition(#[from] DecompositionFailed),
    /// A number is not finite, or the radius not positive.
    #[error(transparent)]
    Subproblem(#[from] SubproblemError),
}

impl LSr1 {
    /// Room for this many pairs.
    pub fn new(capacity: usize) -> Self {
        Self { memory: PairMemory::new(capacity), gram: Gram::default() }
    }

    /// Pairs stored.
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether no pair is stored.
    pub fn is_empty(&self) -> bool {
        self.memory.is_empty()
    }

    /// The inner products of the pairs.
    pub fn gram(&self) -> &Gram {
        &self.gram
    }

    /// Forgets all pairs.
    pub fn reset(&mut self) {
        self.memory.clear();
        self.gram.clear();
    }

    /// Adds a pair as the newest, in the place of the oldest where there is no more room; false, with
    /// the memory as it was, where a product of it is not finite. Whether it is fit for an update is
    /// found out whenever B is built.
    pub fn push(&mut self, s: Blocks, y: Blocks) -> bool {
        let leaving = usize::from(self.memory.is_full());
        let new = self.products_with(&s, &y, leaving);
        let lists = [&new.stored_s_s, &new.stored_s_y, &new.s_stored_y, &new.stored_y_y];
        let own = [new.ss, new.sy, new.yy];
        if !lists.into_iter().flatten().chain(&own).all(|x| x.is_finite()) {
            return false;
        }
        if leaving > 0 {
            self.gram.drop_oldest();
        }
        self.gram.push(&new);
        self.memory.push(s, y);
        true
    }

    /// All pairs in new coordinates; one whose products are not finite there is forgotten.
    pub(crate) fn change(&mut self, change: &Coordinates) {
        let pairs = self.memory.changed(change);
        self.reset();
        for (s, y) in pairs {
            self.push(s, y);
        }
    }

    /// The products with itself and the pairs that stay: all but the `leaving` oldest.
    fn products_with(&self, s: &Blocks, y: &Blocks, leaving: usize) -> NewProducts {
        let stored = self.len();
        let mut rows = self.memory.rows();
        rows.extend([s, y]);
        let all = row_products(&rows, &[s, y]);
        let (of_s, of_y) = (leaving..stored, stored + leaving..2 * stored);
        NewProducts {
            stored_s_s: all[0][of_s.clone()].to_vec(),
            stored_s_y: all[1][of_s].to_vec(),
            s_stored_y: all[0][of_y.clone()].to_vec(),
            stored_y_y: all[1][of_y].to_vec(),
            ss: all[0][2 * stored],
            sy: all[1][2 * stored],
            yy: all[1][2 * stored + 1],
        }
    }

    /// B with the initial matrix gamma I, for vectors like `like`. All pairs go through the skipping
    /// rule.
    ///
    /// # Errors
    /// Where the pairs are too far apart in size.
    pub fn build(
        &self,
        like: &Blocks,
        gamma: f64,
        tolerances: Tolerances,
    ) -> Result<CompactSr1, DecompositionFailed> {
        let mut norm_of = |combination: &PairCombination| {
            norm(&combined(
                &self.memory,
                like,
                &PairCombination { scale: 0.0, ..combination.clone() },
            ))
        };
        CompactSr1::build(&self.gram, like.num_elements(), gamma, tolerances, &mut norm_of)
    }

    /// The best step of the model of B and `g` within the radius `delta`.
    ///
    /// # Errors
    /// Where the pairs are too far apart in size, or a number is not finite.
    pub fn minimise(
        &self,
        g: &Blocks,
        delta: f64,
        gamma: f64,
        tolerances: Tolerances,
    ) -> Result<Minimiser, MinimiserError> {
        let matrix = self.build(g, gamma, tolerances)?;
        let mut vectors = Vectors { memory: &self.memory, g, replaced: None };
        let products = vectors.products();
        let solution = solve(&matrix, &products, delta, &mut vectors)?;
        let (step, slope, step_norm) = vectors.step(&solution);
        if !(slope.is_finite() && step_norm.is_finite()) {
            return Err(SubproblemError::NonFinite.into());
        }
        Ok(Minimiser {
            step,
            step_norm,
            slope,
            model_value: solution.model_value,
            sigma: solution.sigma,
            case: solution.case,
            lambda_min: solution.lambda_min,
            lambda_max: solution.lambda_max,
            norm_b: solution.norm_b,
            accepted: matrix.accepted().to_vec(),
            skipped: self.len() - matrix.accepted().len(),
        })
    }

    /// B v.
    ///
    /// # Errors
    /// Where the pairs are too far apart in size.
    pub fn apply(
        &self,
        v: &Blocks,
        gamma: f64,
        tolerances: Tolerances,
    ) -> Result<Blocks, DecompositionFailed> {
        let matrix = self.build(v, gamma, tolerances)?;
        let GradientProducts { sg, yg, .. } =
            Vectors { memory: &self.memory, g: v, replaced: None }.products();
        Ok(combined(&self.memory, v, &matrix.apply(&sg, &yg)))
    }
}

impl PairMatrix for LSr1 {
    fn parts(&self) -> (&PairMemory, Vec<f64>) {
        (&self.memory, self.gram.to_numbers())
    }

    fn restore(&mut self, pairs: Vec<(Blocks, Blocks)>, numbers: &[f64]) -> bool {
        let Some(mut gram) = Gram::from_numbers(pairs.len(), numbers) else { return false };
        if !numbers.iter().all(|product| product.is_finite()) {
            return false;
        }
        self.memory.clear();
        for (s, y) in pairs {
            if self.memory.is_full() {
                gram.drop_oldest();
            }
            self.memory.push(s, y);
        }
        self.gram = gram;
        true
    }
}

/// The combination of `v` and the stored pairs, in one pass.
fn combined(memory: &PairMemory, v: &Blocks, combination: &PairCombination) -> Blocks {
    combine(memory, v, combination).0
}

/// The same, and its products with `v` and itself.
fn combine(memory: &PairMemory, v: &Blocks, combination: &PairCombination) -> (Blocks, [f64; 2]) {
    let PairCombination { scale, s, y } = combination;
    let coefficients: Vec<f64> = s.iter().chain(y).copied().collect();
    let mut out = v.zeros_like();
    let sums = combine_rows(&mut out, *scale, v, &memory.rows(), &coefficients);
    (out, sums)
}

/// The gradient, or what the subproblem puts in its place, and the pairs.
struct Vectors<'a> {
    memory: &'a PairMemory,
    g: &'a Blocks,
    replaced: Option<Blocks>,
}

impl Vectors<'_> {
    fn vector(&self) -> &Blocks {
        self.replaced.as_ref().unwrap_or(self.g)
    }

    fn products(&self) -> GradientProducts {
        let v = self.vector();
        let mut rows = self.memory.rows();
        rows.push(v);
        let mut sg = row_products(&rows, &[v]).swap_remove(0);
        let gg = sg.pop().unwrap_or(0.0);
        let yg = sg.split_off(self.memory.len());
        GradientProducts { gg, sg, yg }
    }

    /// p, g.p and |p|.
    fn step(&self, solution: &Solution) -> (Blocks, f64, f64) {
        let (mut step, [along, squared]) = combine(self.memory, self.vector(), &solution.step);
        if let Some(UnitTerm { index, coefficient }) = solution.unit {
            step.add_to_entry(index, coefficient);
        } else if self.replaced.is_none() {
            return (step, along, squared.sqrt());
        }
        let (slope, length) = (dot(self.g, &step), norm(&step));
        (step, slope, length)
    }
}

impl PairVectors for Vectors<'_> {
    fn replace(&mut self, combination: &PairCombination) -> GradientProducts {
        self.replaced = Some(combined(self.memory, self.vector(), combination));
        self.products()
    }

    fn entries(&mut self, index: usize) -> (Vec<f64>, Vec<f64>) {
        let mut s: Vec<f64> = self.memory.rows().iter().map(|row| row.entry(index)).collect();
        let y = s.split_off(self.memory.len());
        (s, y)
    }
}
