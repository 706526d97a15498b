//! Which direction a tensor takes, by its shape: Adam's in its factors' eigenbases, or a polar factor where these would
//! take too long. Steps have the numbers of [SOAP's page](crate::method::layer_wise::soap).

use faer::Par;

use super::{Polar, RotatedAdam, Sides};
use crate::blocks::{Blocks, Entry, Field, Layout, matrix_work};

/// Sides up to this are not looked at: their bases take less time than what else a step does for a tensor.
const ALWAYS_PAYS: usize = 256;

/// What the directions of all tensors have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Directions {
    pub beta_1: f64,
    pub beta_2: f64,
    pub shampoo_beta: f64,
    pub epsilon: f64,
    /// A longer dimension has no basis.
    pub max_precond_dim: usize,
    pub max_cost: Option<f64>,
    /// Steps from one turn of the bases to the next.
    pub precondition_frequency: usize,
}

/// The direction of one tensor.
#[derive(Clone, Debug)]
pub(crate) enum Direction {
    Rotated(RotatedAdam),
    Polar(Polar),
}

impl Directions {
    /// That of a tensor whose bases belong to the dimensions of `shape`, which may be none.
    pub fn of(&self, entry: &Entry, shape: &[usize]) -> Direction {
        let Self { beta_1, beta_2, shampoo_beta, epsilon, max_precond_dim, .. } = *self;
        match entry.shape[..] {
            [rows, columns] if self.is_costly([rows, columns]) => {
                Direction::Polar(Polar { shape: [rows, columns], beta_1 })
            }
            _ => {
                let sides = Sides::up_to(max_precond_dim, shape);
                Direction::Rotated(RotatedAdam { sides, beta_1, beta_2, shampoo_beta, epsilon })
            }
        }
    }

    fn is_costly(&self, [rows, columns]: [usize; 2]) -> bool {
        let costs = |most: f64| self.cost(rows, columns) + self.cost(columns, rows) > most;
        rows.max(columns) > ALWAYS_PAYS && self.max_cost.is_some_and(costs)
    }

    /// Multiplications for each number and step that a basis of `side` takes: half a product for the factor, one into the
    /// basis and one back, and for a turn two products and a QR decomposition. (One of the two is now made with M', by
    /// the old and the new basis. The count stays: for square matrices both are about as much, and the suite ran with it.)
    fn cost(&self, side: usize, other: usize) -> f64 {
        if side > self.max_precond_dim {
            return 0.0;
        }
        let (side, other) = (side as f64, other as f64);
        2.5 * side + 10.0 / 3.0 * side * side / (other * self.precondition_frequency as f64)
    }
}

impl Direction {
    /// The dimensions with a basis.
    pub fn sides(&self) -> Sides {
        self.rotated().map_or_else(Sides::default, |rotated| rotated.sides.clone())
    }

    /// V's place for every tensor. A polar factor has no use for one.
    pub fn zeros_for_v(layout: &Layout, direction: impl Fn(&Entry) -> Self) -> Blocks {
        Blocks::zeros_of(layout, |entry| match direction(entry) {
            Self::Rotated(_) => entry.shape.clone(),
            Self::Polar(_) => [0].into(),
        })
    }

    fn rotated(&self) -> Option<&RotatedAdam> {
        match self {
            Self::Rotated(rotated) => Some(rotated),
            Self::Polar(_) => None,
        }
    }

    /// The one that has bases to be turned.
    pub fn with_bases(&self) -> Option<&RotatedAdam> {
        self.rotated().filter(|rotated| !rotated.sides.is_empty())
    }

    /// Multiplications of a product, about.
    pub fn work(&self) -> usize {
        match self {
            Self::Rotated(rotated) => rotated.sides.work(),
            Self::Polar(polar) => matrix_work(polar.shape),
        }
    }

    /// A buffer for products, empty where there is no basis.
    pub fn spare<T: Field>(&self, length: usize) -> Vec<T> {
        self.with_bases().map_or_else(Vec::new, |rotated| rotated.spare(length))
    }

    /// Step 0: the first gradient makes the bases; false where a factor has none.
    pub fn begin<T: Field>(
        &self,
        g: &[T],
        factors: &mut [T],
        bases: &mut [T],
        threads: Par,
    ) -> bool {
        self.rotated().is_none_or(|rotated| rotated.begin(g, factors, bases, threads))
    }

    /// Step 5: the factors learn from G.
    pub fn learn<T: Field>(&self, g: &[T], spare: &mut [T], factors: &mut [T], threads: Par) {
        if let Some(rotated) = self.rotated() {
            rotated.learn(g, spare, factors, threads);
        }
    }

    /// Steps 1 to 3, or 3': G's buffer becomes N.
    pub fn direct<T: Field>(
        &self,
        g: &mut [T],
        spare: &mut [T],
        [m, v]: [&mut [T]; 2],
        bases: &[T],
        threads: Par,
    ) {
        match self {
            Self::Rotated(rotated) => rotated.direct(g, spare, [m, v], bases, threads),
            Self::Polar(polar) => polar.direct(g, m, threads),
        }
    }

    /// c of step 4 with bias correction, k gradients after the first.
    pub fn bias_correction(&self, k: u64) -> f64 {
        self.rotated().map_or(1.0, |rotated| rotated.bias_correction(k))
    }
}
