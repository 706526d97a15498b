//! The dimensions of a tensor that have a square matrix each, and where these matrices are in memory.

use std::ops::Range;

use faer::Par;

use super::{Unfolding, kronecker::Joint};
use crate::blocks::{Blocks, Entry, Field, Layout};

/// The dimensions with a matrix. The matrices of a tensor lie one after the other, row by row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sides {
    unfoldings: Vec<Unfolding>,
    /// Where the first matrix begins.
    start: usize,
}

/// Which way a matrix multiplies.
#[derive(Clone, Copy)]
pub(crate) enum Turn {
    /// As its transpose: into the basis of its columns.
    Into,
    /// As it is: back.
    Back,
}

impl Sides {
    /// The matrices of these dimensions, from `start` on.
    pub fn new(unfoldings: Vec<Unfolding>, start: usize) -> Self {
        Self { unfoldings, start }
    }

    /// The matrices of a tensor's dimensions up to `most`; none of a tensor without numbers.
    pub fn up_to(most: usize, shape: &[usize]) -> Self {
        if shape.contains(&0) {
            return Self::default();
        }
        let has_matrix = |k: &usize| shape[*k] <= most;
        let unfoldings = (0..shape.len()).filter(has_matrix).map(|k| Unfolding::new(shape, k));
        Self::new(unfoldings.collect(), 0)
    }

    /// Zeros for the matrices of every parameter.
    pub fn zeros(layout: &Layout, sides: impl Fn(&Entry) -> Self) -> Blocks {
        Blocks::zeros_of(layout, |entry| [sides(entry).end()].into())
    }

    /// Dimensions with a matrix.
    pub fn len(&self) -> usize {
        self.unfoldings.len()
    }

    pub fn is_empty(&self) -> bool {
        self.unfoldings.is_empty()
    }

    /// Where the last matrix ends.
    pub fn end(&self) -> usize {
        self.places().last().map_or(self.start, |(_, place)| place.end)
    }

    /// Multiplications of one product along all of them.
    pub fn work(&self) -> usize {
        self.unfoldings.iter().map(|unfolding| unfolding.work()).sum()
    }

    /// The cubes of the matrices' sides together.
    pub fn cubes(&self) -> usize {
        self.unfoldings.iter().map(|unfolding| unfolding.side.pow(3)).sum()
    }

    /// Each dimension with the place of its matrix.
    pub fn places(&self) -> impl Iterator<Item = (Unfolding, Range<usize>)> + '_ {
        let mut end = self.start;
        self.unfoldings.iter().map(move |unfolding| {
            let start = end;
            end += unfolding.side * unfolding.side;
            (*unfolding, start..end)
        })
    }

    /// Makes every matrix the identity.
    pub fn make_identity<T: Field>(&self, matrices: &mut [T]) {
        for (unfolding, place) in self.places() {
            let matrix = &mut matrices[place];
            matrix.fill(T::of(0.0));
            matrix.iter_mut().step_by(unfolding.side + 1).for_each(|entry| *entry = T::of(1.0));
        }
    }

    /// P_k <- old P_k + new U_k U_k' for the unfoldings U_k of x; the halves below the diagonals count. `spare` is as
    /// long as x where that has more than two dimensions.
    pub fn add_squares<T: Field>(
        &self,
        factors: &mut [T],
        [old, new]: [f64; 2],
        x: &[T],
        spare: &mut [T],
        threads: Par,
    ) {
        factors[self.start..self.end()].iter_mut().for_each(|p| *p = (T::of(old) * *p).flushed());
        for joint in Joint::of(self.places()) {
            joint.add_squares(factors, T::of(new), x, spare, threads);
        }
    }

    /// x multiplied along every dimension by its matrix, in its place; `spare` is as long.
    pub fn multiply<T: Field>(
        &self,
        x: &mut [T],
        spare: &mut [T],
        matrices: &[T],
        turn: Turn,
        threads: Par,
    ) {
        let (mut from, mut to) = (x, spare);
        let joints = Joint::of(self.places());
        for joint in &joints {
            joint.multiply(to, matrices, turn, from, threads);
            std::mem::swap(&mut from, &mut to);
        }
        if joints.len() % 2 == 1 {
            // The caller's x is `to`.
            to.copy_from_slice(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_lie_one_after_the_other_and_multiply_their_own_dimension() {
        let shape = [2, 3];
        let both = (0..2).map(|k| Unfolding::new(&shape, k)).collect();
        let sides = Sides::new(both, 1);
        assert_eq!((sides.len(), sides.end(), sides.work()), (2, 1 + 4 + 9, 2 * 6 + 3 * 6));
        assert_eq!(sides.cubes(), 8 + 27);
        let mut matrices = vec![7.0; 14];
        sides.make_identity(&mut matrices);
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        for turn in [Turn::Into, Turn::Back] {
            let (mut same, mut spare) = (x, [0.0; 6]);
            sides.multiply(&mut same, &mut spare, &matrices, turn, Par::Seq);
            assert_eq!(same, x);
        }
        // [[0, 1], [2, 0]] from the left: rows swap, and one is doubled; which one tells the turn.
        matrices[1..5].copy_from_slice(&[0.0, 1.0, 2.0, 0.0]);
        let turned = |turn| {
            let (mut x, mut spare) = (x, [0.0; 6]);
            sides.multiply(&mut x, &mut spare, &matrices, turn, Par::Seq);
            x
        };
        assert_eq!(turned(Turn::Back), [4.0, 5.0, 6.0, 2.0, 4.0, 6.0]);
        assert_eq!(turned(Turn::Into), [8.0, 10.0, 12.0, 1.0, 2.0, 3.0]);
        // What is before the first matrix is not theirs.
        assert_eq!(matrices[0], 7.0);
    }

    #[test]
    fn a_tensor_without_numbers_has_no_matrices() {
        assert!([[0, 5], [5, 0]].iter().all(|shape| Sides::up_to(9, shape).is_empty()));
    }
}
