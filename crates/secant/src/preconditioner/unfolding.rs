//! Products of a tensor with matrices along its dimensions.

use faer::{MatMut, MatRef, Par};

use crate::blocks::{Field, add_outer_product, product};

/// Columns of a slab below which all slabs are multiplied at once.
const NARROW: usize = 64;

/// A tensor, row by row, as `outer` slabs of `side` x `inner` numbers: one of its dimensions, and what lies
/// before and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfolding {
    pub outer: usize,
    pub side: usize,
    inner: usize,
}

impl Unfolding {
    /// Along dimension `k` of a tensor of this shape.
    pub fn new(shape: &[usize], k: usize) -> Self {
        let (outer, inner) = (shape[..k].iter().product(), shape[k + 1..].iter().product());
        Self { outer, side: shape[k], inner }
    }

    /// This dimension and the next one, `next`, as one; none where another one lies between.
    pub fn joined(self, next: Self) -> Option<Self> {
        let is_next = self.inner == next.side * next.inner;
        is_next.then(|| Self { side: self.side * next.side, inner: next.inner, ..self })
    }

    /// Multiplications of one product along it.
    pub fn work(self) -> usize {
        self.outer * self.side * self.side * self.inner
    }

    /// out <- x with this dimension multiplied by `matrix`. x may change.
    pub fn multiply<T: Field>(
        self,
        out: &mut [T],
        matrix: MatRef<'_, T>,
        x: &mut [T],
        threads: Par,
    ) {
        let Self { outer, side, inner } = self;
        if inner == 1 {
            // All slabs are rows of one matrix.
            let x = MatRef::from_row_major_slice(x, outer, side);
            let out = MatMut::from_row_major_slice_mut(out, outer, side);
            return product(out, x, matrix.transpose(), threads);
        }
        if self.has_narrow_slabs() {
            self.to_front(out, x);
            self.first().multiply(x, matrix, out, threads);
            return self.back_in_place(out, x);
        }
        for (out, x) in out.chunks_mut(side * inner).zip(x.chunks(side * inner)) {
            let x = MatRef::from_row_major_slice(x, side, inner);
            product(MatMut::from_row_major_slice_mut(out, side, inner), matrix, x, threads);
        }
    }

    /// factor <- factor + scale U U' for the unfolding U of x: `side` rows, all other indices as columns.
    /// The half below the diagonal is written. `spare` is as long as x where
    /// that has more than two dimensions.
    pub fn add_square<T: Field>(
        self,
        factor: &mut [T],
        scale: T,
        x: &[T],
        spare: &mut [T],
        threads: Par,
    ) {
        let Self { outer, side, inner } = self;
        if self.has_narrow_slabs() {
            self.to_front(spare, x);
            return self.first().add_square(factor, scale, spare, &mut [], threads);
        }
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

    /// Whether many products of slabs take longer than one of them all, and moving this dimension to the front.
    fn has_narrow_slabs(self) -> bool {
        self.outer > 1 && self.inner > 1 && self.inner < NARROW
    }

    /// The same dimension before all others.
    fn first(self) -> Self {
        Self { outer: 1, inner: self.outer * self.inner, ..self }
    }

    /// out <- x with this dimension before all others.
    fn to_front<T: Copy>(self, out: &mut [T], x: &[T]) {
        let chunks = self.places().zip(x.chunks(self.inner));
        chunks.for_each(|(place, x)| out[place..place + self.inner].copy_from_slice(x));
    }

    /// Back again.
    fn back_in_place<T: Copy>(self, out: &mut [T], x: &[T]) {
        let chunks = self.places().zip(out.chunks_mut(self.inner));
        chunks.for_each(|(place, out)| out.copy_from_slice(&x[place..place + self.inner]));
    }

    /// Where each run of `inner` numbers begins once this dimension is before all others.
    fn places(self) -> impl Iterator<Item = usize> {
        let Self { outer, side, inner } = self;
        (0..outer).flat_map(move |o| (0..side).map(move |s| (s * outer + o) * inner))
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

    /// Of the second, the slabs of the middle dimension are wide enough to be multiplied one by one.
    const SHAPES: [[usize; 3]; 2] = [[2, 3, 4], [2, 3, NARROW]];

    fn tensor(shape: [usize; 3]) -> Vec<f64> {
        (0..shape.iter().product()).map(|i| ((i * 7) % 11) as f64 - 4.0).collect()
    }

    fn indices([a, b, c]: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
        (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| [i, j, k])))
    }

    /// The entry at these indices.
    fn at(x: &[f64], [_, b, c]: [usize; 3], [i, j, k]: [usize; 3]) -> f64 {
        x[(i * b + j) * c + k]
    }

    #[test]
    fn products_and_squares_are_the_sums_of_their_definitions() {
        for shape in SHAPES {
            (0..3).for_each(|k| check_products_and_squares(shape, k));
        }
    }

    fn check_products_and_squares(shape: [usize; 3], k: usize) {
        let (x, unfolding, side) = (tensor(shape), Unfolding::new(&shape, k), shape[k]);
        let matrix = Mat::from_fn(side, side, |i, j| (i + 2 * j) as f64 - 1.5);
        let mut out = vec![0.0; x.len()];
        unfolding.multiply(&mut out, matrix.as_ref(), &mut x.clone(), Par::Seq);
        let with = |mut place: [usize; 3], i| {
            place[k] = i;
            place
        };
        for place in indices(shape) {
            let of_row = |j: usize| matrix[(place[k], j)] * at(&x, shape, with(place, j));
            let expected: f64 = (0..side).map(of_row).sum();
            assert!((at(&out, shape, place) - expected).abs() < 1e-10);
        }
        let mut factor = vec![1.0; side * side];
        unfolding.add_square(&mut factor, 0.5, &x, &mut out, Par::Seq);
        for (i, j) in (0..side).flat_map(|i| (0..=i).map(move |j| (i, j))) {
            let rest = indices(shape).filter(|place| place[k] == 0);
            let of_place = |p| at(&x, shape, with(p, i)) * at(&x, shape, with(p, j));
            let sum: f64 = rest.map(of_place).sum();
            assert!((factor[i * side + j] - 1.0 - 0.5 * sum).abs() < 1e-10);
        }
    }

    #[test]
    fn a_permutation_moves_the_slices_of_its_dimension_alone() {
        let shape = SHAPES[0];
        let (x, order) = (tensor(shape), [2, 0, 1]);
        let mut out = vec![0.0; 24];
        Unfolding::new(&shape, 1).permute(&mut out, &order, &x);
        let moved = |[a, b, c]: [usize; 3]| [a, order[b], c];
        assert!(indices(shape).all(|p| at(&out, shape, p) == at(&x, shape, moved(p))));
    }
}
