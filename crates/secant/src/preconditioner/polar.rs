//! Muon's direction for a matrix whose bases would take too long. Steps have the numbers of
//! [SOAP's page](crate::method::layer_wise::soap).

use faer::{MatMut, Par};

use super::NewtonSchulz;
use crate::blocks::{Field, MatrixKernel};

/// Muon's coefficients and number of iterations.
const NEWTON_SCHULZ: NewtonSchulz =
    NewtonSchulz { coefficients: (3.4445, -4.775, 2.0315), steps: 5 };

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
    /// Multiplications of one product.
    pub fn work(self) -> usize {
        let [rows, columns] = self.shape;
        rows * columns * rows.min(columns)
    }

    /// Step 3': M learns from G, and G's buffer becomes N.
    pub fn direct<T: Field>(&self, g: &mut [T], m: &mut [T], threads: Par) {
        let (old, new) = (T::of(self.beta_1), T::of(1.0 - self.beta_1));
        for (g, m) in g.iter_mut().zip(m) {
            *m = old * *m + new * *g;
            *g = old * *m + new * *g;
        }
        let norm = g.iter().map(|u| u.wide() * u.wide()).sum::<f64>().sqrt();
        if norm == 0.0 {
            return;
        }
        scale(g, 1.0 / norm);
        let [rows, columns] = self.shape;
        let matrix = MatMut::from_row_major_slice_mut(g, rows, columns);
        NEWTON_SCHULZ.run(if rows > columns { matrix.transpose_mut() } else { matrix }, threads);
        // Singular values of 1 have the root mean square 1 / sqrt(max(rows, columns)).
        scale(g, SIZE * (rows.max(columns) as f64).sqrt());
    }
}

fn scale<T: Field>(numbers: &mut [T], factor: f64) {
    numbers.iter_mut().for_each(|n| *n = T::of(factor) * *n);
}
