//! Muon's direction for a matrix whose bases would take too long. Steps have the numbers of
//! [SOAP's page](crate::method::layer_wise::soap).

use faer::Par;

use super::NewtonSchulz;
use crate::blocks::{Field, norm_of};

/// The least that a matrix is divided by, as in Muon: one of denormal numbers would overflow.
const LEAST_NORM: f64 = 1e-7;

/// The root mean square of a direction. Muon's that takes AdamW's rates has 0.2; SOAP's rates are larger.
const SIZE: f64 = 0.08;

/// The polar factor of a matrix's averaged gradient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Polar {
    /// Rows and columns.
    pub shape: [usize; 2],
    pub beta_1: f64,
}

impl Polar {
    /// Step 3': M learns from G, and G's buffer becomes N.
    pub fn direct<T: Field>(&self, g: &mut [T], m: &mut [T], threads: Par) {
        let (old, new) = (T::of(self.beta_1), T::of(1.0 - self.beta_1));
        for (g, m) in g.iter_mut().zip(m) {
            *m = (old * *m + new * *g).flushed();
            *g = old * *m + new * *g;
        }
        let norm = norm_of(g.iter().copied());
        scale(g, 1.0 / norm.max(LEAST_NORM));
        NewtonSchulz::MUON.run_on(g, self.shape, threads);
        // Singular values of 1 have the root mean square 1 / sqrt(max(rows, columns)).
        let [rows, columns] = self.shape;
        scale(g, SIZE * (rows.max(columns) as f64).sqrt());
    }
}

fn scale<T: Field>(numbers: &mut [T], factor: f64) {
    numbers.iter_mut().for_each(|n| *n = T::of(factor) * *n);
}
