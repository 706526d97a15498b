//! Small neighbouring dimensions of a tensor, such as the height and the width of a kernel, treated as one.
//!
//! Products of thousands of 3 x 3 slabs cost calls, not multiplications: one with the Kronecker product of both
//! matrices is faster by far.

use std::ops::Range;

use faer::{Mat, MatRef, Par};

use super::{Turn, Unfolding};
use crate::blocks::Field;

/// Indices of dimensions taken together, at most.
const JOINED_UP_TO: usize = 64;

/// Neighbouring dimensions as one, the one that varies least first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Joint {
    unfolding: Unfolding,
    /// The dimensions, and where their matrices are.
    parts: Vec<(Unfolding, Range<usize>)>,
}

impl Joint {
    /// These dimensions, in their order, the small ones joined.
    pub fn of(places: impl Iterator<Item = (Unfolding, Range<usize>)>) -> Vec<Self> {
        let places: Vec<_> = places.collect();
        let mut joints: Vec<Self> = Vec::new();
        for place in places.into_iter().rev() {
            match joints.last_mut().and_then(|next| Some((place.0.joined(next.unfolding)?, next))) {
                Some((joined, next))
                    if joined.side <= JOINED_UP_TO && joined.side <= joined.outer =>
                {
                    next.unfolding = joined;
                    next.parts.insert(0, place);
                }
                _ => joints.push(Self { unfolding: place.0, parts: vec![place] }),
            }
        }
        joints.reverse();
        joints
    }

    /// out <- x with these dimensions multiplied by their matrices. x may change.
    pub fn multiply<T: Field>(
        &self,
        out: &mut [T],
        matrices: &[T],
        turn: Turn,
        x: &mut [T],
        threads: Par,
    ) {
        let side = self.unfolding.side;
        let product;
        let matrix = match &self.parts[..] {
            [(_, place)] => MatRef::from_row_major_slice(&matrices[place.clone()], side, side),
            _ => {
                product = self.product(matrices);
                product.as_ref()
            }
        };
        let matrix = match turn {
            Turn::Into => matrix.transpose(),
            Turn::Back => matrix,
        };
        self.unfolding.multiply(out, matrix, x, threads);
    }

    /// The Kronecker product of the dimensions' matrices, whose numbers are row by row.
    fn product<T: Field>(&self, matrices: &[T]) -> Mat<T> {
        let mut product = Mat::from_fn(1, 1, |_, _| T::of(1.0));
        for (unfolding, place) in &self.parts {
            let n = unfolding.side;
            let matrix = MatRef::from_row_major_slice(&matrices[place.clone()], n, n);
            let side = n * product.nrows();
            product =
                Mat::from_fn(side, side, |i, j| product[(i / n, j / n)] * matrix[(i % n, j % n)]);
        }
        product
    }

    /// P_k <- P_k + scale U_k U_k' for the unfolding U_k of x along each of these dimensions; the halves below the
    /// diagonals count. `spare` is as long as x.
    pub fn add_squares<T: Field>(
        &self,
        factors: &mut [T],
        scale: T,
        x: &[T],
        spare: &mut [T],
        threads: Par,
    ) {
        if let [(unfolding, place)] = &self.parts[..] {
            return unfolding.add_square(&mut factors[place.clone()], scale, x, spare, threads);
        }
        let side = self.unfolding.side;
        let mut square = vec![T::of(0.0); side * side];
        self.unfolding.add_square(&mut square, scale, x, spare, threads);
        let mut slab = side;
        for (unfolding, place) in &self.parts {
            let inner = slab / unfolding.side;
            let starts = (0..side).step_by(slab).flat_map(|start| start..start + inner);
            // A sum over the other dimensions' places.
            for start in starts {
                let at = |i: usize, j: usize| (start + i * inner) * side + start + j * inner;
                add_lower(&mut factors[place.clone()], unfolding.side, |i, j| square[at(i, j)]);
            }
            slab = inner;
        }
    }
}

fn add_lower<T: Field>(factor: &mut [T], side: usize, of: impl Fn(usize, usize) -> T) {
    for i in 0..side {
        for j in 0..=i {
            factor[i * side + j] += of(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A convolution's kernels: the last two dimensions are joined, and the first two are large.
    const SHAPE: [usize; 4] = [5, 9, 2, 3];

    fn places() -> Vec<(Unfolding, Range<usize>)> {
        let mut end = 1;
        let place = |k: usize| {
            let start = end;
            end += SHAPE[k] * SHAPE[k];
            (Unfolding::new(&SHAPE, k), start..end)
        };
        (0..4).map(place).collect()
    }

    fn numbers(length: usize) -> Vec<f64> {
        (0..length).map(|i| ((i * 37) % 101) as f64 / 50.0 - 1.0).collect()
    }

    /// Each dimension by itself.
    fn separate() -> Vec<Joint> {
        places().into_iter().flat_map(|place| Joint::of([place].into_iter())).collect()
    }

    #[test]
    fn neighbours_are_joined_where_they_are_small_and_many() {
        let sides = |places: Vec<(Unfolding, Range<usize>)>| {
            let joints = Joint::of(places.into_iter());
            joints.iter().map(|joint| joint.unfolding.side).collect::<Vec<_>>()
        };
        assert_eq!(sides(places()), [5, 9, 6]);
        // Without the height it is no neighbour of the width.
        let mut without = places();
        without.remove(2);
        assert_eq!(sides(without), [5, 9, 3]);
        let few = (0..2).map(|k| (Unfolding::new(&[4, 4], k), 0..16)).collect();
        assert_eq!(sides(few), [4, 4]);
    }

    #[test]
    fn joined_dimensions_are_multiplied_as_one_by_one() {
        let (x, matrices) = (numbers(270), numbers(1 + 25 + 81 + 4 + 9));
        let multiplied = |joints: &[Joint], turn| {
            let (mut from, mut to) = (x.clone(), vec![0.0; 270]);
            for joint in joints {
                joint.multiply(&mut to, &matrices, turn, &mut from, Par::Seq);
                std::mem::swap(&mut from, &mut to);
            }
            from
        };
        for turn in [Turn::Into, Turn::Back] {
            let together = multiplied(&Joint::of(places().into_iter()), turn);
            let differences = together.iter().zip(multiplied(&separate(), turn));
            assert!(differences.map(|(a, b)| (a - b).abs()).all(|difference| difference < 1e-12));
        }
    }

    #[test]
    fn squares_of_joined_dimensions_are_their_own() {
        let x = numbers(270);
        let squares = |joints: &[Joint]| {
            let mut factors = vec![0.5; 1 + 25 + 81 + 4 + 9];
            let spare = &mut [0.0; 270];
            joints
                .iter()
                .for_each(|joint| joint.add_squares(&mut factors, 0.1, &x, spare, Par::Seq));
            factors
        };
        let together = squares(&Joint::of(places().into_iter()));
        let differences = together.iter().zip(squares(&separate()));
        assert!(differences.map(|(a, b)| (a - b).abs()).all(|difference| difference < 1e-12));
    }
}
