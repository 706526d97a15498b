//! Products of a tensor with matrices along its dimensions.

use faer::{MatMut, MatRef, Par};

use crate::blocks::{Field, add_outer_product, product};

/// A tensor, row by row, as `outer` slabs of `side` x `inner` numbers: one of its dimensions, and what lies
/// before and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfolding {
    outer: usize,
    pub side: usize,
    inner: usize,
}

impl Unfolding {
    /// Along dimension `k` of a tensor of this shape.
    pub fn new(shape: &[usize], k: usize) -> Self {
        let (outer, inner) = (shape[..k].iter().product(), shape[k + 1..].iter().product());
        Self { outer, side: shape[k], inner }
    }

    /// Multiplications of one product along it.
    pub fn work(self) -> usize {
        self.outer * self.side * self.side * self.inner
    }

    /// out <- x with this dimension multiplied by `matrix`, whose numbers are row by row.
    pub fn multiply<T: Field>(self, out: &mut [T], matrix: MatRef<'_, T>, x: &[T], threads: Par) {
        let Self { outer, side, inner } = self;
        if inner == 1 {
            // All slabs are rows of one matrix.
            let x = MatRef::from_row_major_slice(x, outer, side);
            let out = MatMut::from_row_major_slice_mut(out, outer, side);
            return product(out, x, matrix.transpose(), threads);
        }
        for (out, x) in out.chunks_mut(side * inner).zip(x.chunks(side * inner)) {
            let x = MatRef::from_row_major_slice(x, side, inner);
            product(MatMut::from_row_major_slice_mut(out, side, inner), matrix, x, threads);
        }
    }

    /// factor <- factor + scale U U' for the unfolding U of x: `side` rows, all other indices as columns.
    /// The half below the diagonal is written.
    pub fn add_square<T: Field>(self, factor: &mut [T], scale: T, x: &[T], threads: Par) {
        let Self { outer, side, inner } = self;
        let mut factor = MatMut::from_row_major_slice_mut(factor, side, side);
        if inner == 1 {
            let x = MatRef::from_row_major_slice(x, outer, side);
            return add_outer_product(factor, x.transpose(), scale, threads);
        }
        for slab in x.chunks(side * inner) {
            let slab = MatRef::from_row_major_slice(slab, side, inner);
            add_outer_product(factor.as_mut(), slab, scale, threads);
        }
    }

    /// out <- x with the entries of this dimension in another order: place i has what was in `order[i]`.
    pub fn permute<T: Copy>(self, out: &mut [T], order: &[usize], x: &[T]) {
        let slab = self.side * self.inner;
        for (out, x) in out.chunks_mut(slab).zip(x.chunks(slab)) {
            for (out, &from) in out.chunks_mut(self.inner).zip(order) {
                out.copy_from_slice(&x[from * self.inner..(from + 1) * self.inner]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::*;

    const SHAPE: [usize; 3] = [2, 3, 4];

    fn tensor() -> Vec<f64> {
        (0..24).map(|i| f64::from((i * 7) % 11) - 4.0).collect()
    }

    /// The entry at these indices.
    fn at(x: &[f64], [a, b, c]: [usize; 3]) -> f64 {
        x[(a * SHAPE[1] + b) * SHAPE[2] + c]
    }

    fn indices() -> impl Iterator<Item = [usize; 3]> {
        (0..2).flat_map(|a| (0..3).flat_map(move |b| (0..4).map(move |c| [a, b, c])))
    }

    #[test]
    fn products_and_squares_are_the_sums_of_their_definitions() {
        let x = tensor();
        for k in 0..3 {
            let (unfolding, side) = (Unfolding::new(&SHAPE, k), SHAPE[k]);
            let matrix = Mat::from_fn(side, side, |i, j| (i + 2 * j) as f64 - 1.5);
            let mut out = vec![0.0; 24];
            unfolding.multiply(&mut out, matrix.as_ref(), &x, Par::Seq);
            let with = |mut place: [usize; 3], i| {
                place[k] = i;
                place
            };
            for place in indices() {
                let expected: f64 =
                    (0..side).map(|j| matrix[(place[k], j)] * at(&x, with(place, j))).sum();
                assert!((at(&out, place) - expected).abs() < 1e-12);
            }
            let mut factor = vec![1.0; side * side];
            unfolding.add_square(&mut factor, 0.5, &x, Par::Seq);
            for i in 0..side {
                for j in 0..=i {
                    let rest = indices().filter(|place| place[k] == 0);
                    let sum: f64 = rest.map(|p| at(&x, with(p, i)) * at(&x, with(p, j))).sum();
                    assert!((factor[i * side + j] - 1.0 - 0.5 * sum).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn a_permutation_moves_the_slices_of_its_dimension_alone() {
        let x = tensor();
        let order = [2, 0, 1];
        let mut out = vec![0.0; 24];
        Unfolding::new(&SHAPE, 1).permute(&mut out, &order, &x);
        assert!(indices().all(|[a, b, c]| at(&out, [a, b, c]) == at(&x, [a, order[b], c])));
    }
}
