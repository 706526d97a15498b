//! The inverse L-BFGS matrix H of the last pairs.

use secant_core::{
    curvature::{CurvatureTest, PairProducts},
    report::{PairOutcome, SkipReason},
    two_loop::{NewPair, PairCombination, PairGram},
};

use super::{PairMatrix, PairMemory};
use crate::{
    blocks::{Blocks, combine_rows, dot, row_products},
    objective::Coordinates,
};

/// The initial matrix gamma I.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scaling {
    /// gamma = s.y / y.y of the newest pair; 1 without pairs.
    Newest,
    /// gamma = the mean of s.y / y.y over all pairs; 1 without pairs.
    Mean,
    /// This gamma.
    Fixed(f64),
}

/// H, as pairs and their inner products with each other. H y = s for the newest pair, and H is
/// positive definite when s.y > 0 for all of them.
///
/// Applying it reads the memory twice; adding a pair reads it once.
#[derive(Clone, Debug, Default)]
pub struct InverseLBfgs {
    memory: PairMemory,
    gram: PairGram,
}

/// What [`InverseLBfgs::apply`] knows of the vector that it made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Applied {
    /// Its inner product with g.
    pub with_g: f64,
    /// Its inner product with itself.
    pub squared: f64,
}

impl InverseLBfgs {
    /// Room for this many pairs.
    pub fn new(capacity: usize) -> Self {
        Self { memory: PairMemory::new(capacity), gram: PairGram::default() }
    }

    /// Pairs stored.
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether no pair is stored.
    pub fn is_empty(&self) -> bool {
        self.memory.is_empty()
    }

    /// Forgets all pairs.
    pub fn reset(&mut self) {
        self.memory.clear();
        self.gram.clear();
    }

    /// Adds a pair that passes `test`; whether it did. `products` are those of `s` and `y`.
    pub fn push(
        &mut self,
        test: CurvatureTest,
        products: PairProducts,
        s: Blocks,
        y: Blocks,
    ) -> PairOutcome {
        self.push_self_scaled(test, products, 1.0, s, y)
    }

    /// As [`InverseLBfgs::push`], with H multiplied by `growth` before: H <- `growth` V'HV + rho s s'.
    pub fn push_self_scaled(
        &mut self,
        test: CurvatureTest,
        products: PairProducts,
        growth: f64,
        s: Blocks,
        y: Blocks,
    ) -> PairOutcome {
        match test.check(products) {
            Ok(()) => self.insert(products, growth, s, y),
            Err(reason) => PairOutcome::Skipped(reason),
        }
    }

    fn insert(&mut self, products: PairProducts, growth: f64, s: Blocks, y: Blocks) -> PairOutcome {
        if self.memory.is_full() {
            self.gram.drop_oldest();
        }
        let new = NewPair { growth, ..self.products_with(&s, &y, products) };
        if !new.stored_s_y.iter().chain(&new.s_stored_y).all(|x| x.is_finite()) {
            self.reset();
            return PairOutcome::Skipped(SkipReason::NonFinite);
        }
        self.gram.push(&new);
        self.memory.push(s, y);
        PairOutcome::Stored { cosine: products.cosine() }
    }

    /// All pairs in new coordinates.
    pub(crate) fn change(&mut self, change: &Coordinates) {
        let (pairs, growths) = (self.memory.changed(change), self.gram.growths().to_vec());
        self.reset();
        for ((s, y), growth) in pairs.into_iter().zip(growths) {
            let products = PairProducts { ss: dot(&s, &s), sy: dot(&s, &y), yy: dot(&y, &y) };
            self.insert(products, growth, s, y);
        }
    }

    /// The products with the pairs that stay: the oldest is left out where there is no more room.
    fn products_with(&self, s: &Blocks, y: &Blocks, products: PairProducts) -> NewPair {
        let (rows, stored) = (self.memory.rows(), self.memory.len());
        let leaving = usize::from(self.memory.is_full());
        let [with_s, with_y] = [0, 1].map(|_| Vec::new());
        let mut new = NewPair {
            stored_s_y: with_s,
            s_stored_y: with_y,
            stored_y_y: Vec::new(),
            sy: products.sy,
            yy: products.yy,
            growth: 1.0,
        };
        if stored > leaving {
            let all = row_products(&rows, &[s, y]);
            new.s_stored_y = all[0][stored + leaving..].to_vec();
            new.stored_s_y = all[1][leaving..stored].to_vec();
            new.stored_y_y = all[1][stored + leaving..].to_vec();
        }
        new
    }

    /// The scaling's gamma.
    pub fn gamma(&self, scaling: Scaling) -> f64 {
        match scaling {
            Scaling::Newest => self.gram.newest_scaling().unwrap_or(1.0),
            Scaling::Mean => self.gram.mean_scaling().unwrap_or(1.0),
            Scaling::Fixed(gamma) => gamma,
        }
    }

    /// out <- sign H g; None, with `out` unspecified, where a number of it is not finite.
    pub fn apply(
        &self,
        sign: f64,
        scaling: Scaling,
        g: &Blocks,
        out: &mut Blocks,
    ) -> Option<Applied> {
        let rows = self.memory.rows();
        let mut products = row_products(&rows, &[g]).swap_remove(0);
        let yg = products.split_off(self.len());
        let combination = self.gram.two_loop(self.gamma(scaling), &products, &yg);
        if !combination.is_finite() {
            return None;
        }
        let PairCombination { scale, s, y } = combination;
        let coefficients: Vec<f64> = s.iter().chain(&y).map(|c| sign * c).collect();
        let [with_g, squared] = combine_rows(out, sign * scale, g, &rows, &coefficients);
        (with_g.is_finite() && squared.is_finite()).then_some(Applied { with_g, squared })
    }
}

impl PairMatrix for InverseLBfgs {
    fn parts(&self) -> (&PairMemory, Vec<f64>) {
        (&self.memory, self.gram.to_numbers())
    }

    fn restore(&mut self, pairs: Vec<(Blocks, Blocks)>, numbers: &[f64]) -> bool {
        let Some(mut gram) = PairGram::from_numbers(pairs.len(), numbers) else { return false };
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
