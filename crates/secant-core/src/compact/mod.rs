//! The compact limited-memory SR1 matrix, from the inner products of its pairs alone.
//!
//! With S = [s_1 .. s_k] and Y = [y_1 .. y_k], oldest first, and B_0 = gamma I, the SR1 updates
//! give
//!
//! B = gamma I + Psi N^-1 Psi', Psi = Y - gamma S, N = D + L + L' - gamma S'S
//!
//! where L is the strictly lower part of S'Y and D its diagonal (Byrd, Nocedal and Schnabel, 1994,
//! theorem 5.1). Everything here needs only the three k x k matrices S'S, S'Y and Y'Y.
//!
//! - [`Gram`]: these three matrices, as pairs come and go;
//! - [`GammaRule`]: the initial matrix;
//! - [`CompactSr1`]: B by its eigenvalues and eigenvectors;
//! - [`Tolerances`]: which pairs are fit for an update, which numbers count as zero.

mod eigen;
mod gamma;
mod gram;
mod skipping;
mod sr1;
mod tolerances;

pub use eigen::DecompositionFailed;
pub use gamma::GammaRule;
pub use gram::{Gram, NewProducts};
pub use skipping::PairTest;
pub use sr1::CompactSr1;
pub use tolerances::Tolerances;

#[cfg(test)]
mod tests;
