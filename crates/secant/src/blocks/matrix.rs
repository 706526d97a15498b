//! Parameters as dense matrices, and the products of them.
//!
//! The one place where buffers of blocks meet a matrix library (`faer`). A product has the same bits
//! with any number of threads; on another vector unit or cache they can differ by rounding.

use burn::tensor::{DType, Shape, TensorData};
use faer::{
    Accum, MatMut, MatRef, Par,
    linalg::matmul::{
        self,
        triangular::{self, BlockStructure},
    },
    traits::RealField,
};
use rayon::prelude::*;

use super::{Blocks, Memory, Real, host};

/// Multiplications in a product below which a second thread costs more than it saves.
const SEQUENTIAL_BELOW: usize = 8 * 1024 * 1024;

/// Multiplications in all tensors together below which waking another thread costs more than it saves.
const ALONE_BELOW: usize = 1024 * 1024;

/// The numbers of matrices: `f32` and `f64`.
pub(crate) trait Field: Real + RealField {}

impl<T: Real + RealField> Field for T {}

/// Rows and columns of a parameter that is read as a matrix: a matrix as it is, a kernel
/// `[out, in, h, w]` as `[out, in h w]`. None for vectors and numbers.
pub(crate) fn matrix_shape(shape: &Shape) -> Option<[usize; 2]> {
    let [rows, rest @ ..] = &shape[..] else { return None };
    (!rest.is_empty()).then(|| [*rows, rest.iter().product()])
}

/// Multiplications of one product of a matrix with its smaller Gram matrix.
pub(crate) fn matrix_work([rows, columns]: [usize; 2]) -> usize {
    rows * columns * rows.min(columns)
}

/// out <- A B
pub(crate) fn product<T: Field>(
    out: MatMut<'_, T>,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    threads: Par,
) {
    matmul::matmul(out, Accum::Replace, a, b, T::of(1.0), threads);
}

/// out <- A A', symmetric, at half the cost of [`product`].
pub(crate) fn outer_product<T: Field>(out: MatMut<'_, T>, a: MatRef<'_, T>, threads: Par) {
    commuting_product(out, a, a.transpose(), threads);
}

/// out <- A B where that is symmetric, as of symmetric A and B that commute, at half the cost of [`product`].
pub(crate) fn commuting_product<T: Field>(
    mut out: MatMut<'_, T>,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    threads: Par,
) {
    lower_product(out.as_mut(), Accum::Replace, a, b, T::of(1.0), threads);
    mirror(out);
}

/// out <- out + scale A A for symmetric A and out, at half the cost of [`product`]. Of out the half
/// below the diagonal is read.
pub(crate) fn add_square<T: Field>(
    mut out: MatMut<'_, T>,
    a: MatRef<'_, T>,
    scale: T,
    threads: Par,
) {
    lower_product(out.as_mut(), Accum::Add, a, a, scale, threads);
    mirror(out);
}

/// out <- out + scale A A', of which the half below the diagonal is written.
pub(crate) fn add_outer_product<T: Field>(
    out: MatMut<'_, T>,
    a: MatRef<'_, T>,
    scale: T,
    threads: Par,
) {
    lower_product(out, Accum::Add, a, a.transpose(), scale, threads);
}

fn lower_product<T: Field>(
    out: MatMut<'_, T>,
    accumulate: Accum,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    scale: T,
    threads: Par,
) {
    let (lower, full) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
    triangular::matmul(out, lower, accumulate, a, full, b, full, scale, threads);
}

/// Copies the part below the diagonal above it, in tiles that stay in cache.
fn mirror<T: Field>(mut matrix: MatMut<'_, T>) {
    const TILE: usize = 32;
    let side = matrix.nrows();
    for left in (0..side).step_by(TILE) {
        let end = (left + TILE).min(side);
        let mut square = matrix.as_mut().submatrix_mut(left, left, end - left, end - left);
        for column in 0..end - left {
            for row in column + 1..end - left {
                square[(column, row)] = square[(row, column)];
            }
        }
        let (_, mut above, below, _) =
            matrix.as_mut().subcols_mut(left, side - left).split_at_mut(end, end - left);
        for top in (0..side - end).step_by(TILE) {
            let height = TILE.min(side - end - top);
            let tile = below.as_ref().subrows(top, height);
            above
                .as_mut()
                .subrows_mut(left, end - left)
                .subcols_mut(top, height)
                .copy_from(tile.transpose());
        }
    }
}

/// The 2-norm of numbers, summed in double precision.
pub(crate) fn norm_of<T: Field>(numbers: impl Iterator<Item = T>) -> f64 {
    numbers.map(|x| x.wide() * x.wide()).sum::<f64>().sqrt()
}

/// What happens to one tensor in `N` blocks at once.
pub(crate) trait LayerKernel<const N: usize>: Sync {
    /// Whether a large tensor may have all threads.
    const IS_SHARED: bool = true;

    /// Multiplications for this tensor, to tell small ones from large ones.
    fn work(&self, tensor: usize) -> usize;

    /// Treats the numbers of one tensor, in the order of the blocks; false where a part could not be done.
    fn run<T: Field>(&self, tensor: usize, numbers: [&mut [T]; N], threads: Par) -> bool;
}

/// Runs `kernel` on every tensor, in host memory, where those of a device are brought for it. The blocks
/// have the same number of tensors, those of one place the same type. Tensors run side by side, but for a large one
/// that the others would wait for: it has all threads. False where the kernel was with any.
pub(crate) fn for_each_layer<K: LayerKernel<N>, const N: usize>(
    kernel: &K,
    mut blocks: [&mut Blocks; N],
) -> bool {
    let memories = blocks.each_ref().map(|blocks| blocks.memory());
    // A kernel that panics leaves all numbers where they are.
    move_to(&mut blocks, &std::array::from_fn(|_| Memory::Host));
    let mut numbers = blocks.each_mut().map(|block| block.host_mut().iter_mut());
    let layers = (0..numbers[0].len()).map(|tensor| {
        let layer = numbers.each_mut().map(|list| list.next().expect("as many tensors in each"));
        (tensor, layer)
    });
    let run = |(tensor, layer), threads| run_layer(kernel, tensor, layer, threads);
    // All of them run, also after one with false.
    let all = |a: bool, b: bool| a & b;
    let all_work: usize = (0..layers.len()).map(|tensor| kernel.work(tensor)).sum();
    if all_work < ALONE_BELOW {
        let done = layers.map(|layer| run(layer, Par::Seq)).fold(true, all);
        move_to(&mut blocks, &memories);
        return done;
    }
    // More than one thread's part of it all.
    let is_long = |work: usize| work.saturating_mul(rayon::current_num_threads()) > all_work;
    let is_large = |tensor: usize| {
        let work = kernel.work(tensor);
        K::IS_SHARED && work >= SEQUENTIAL_BELOW && is_long(work)
    };
    let (large, small): (Vec<_>, Vec<_>) = layers.partition(|(tensor, _)| is_large(*tensor));
    let small = small.into_par_iter().with_max_len(1);
    let small = small.map(|layer| run(layer, Par::Seq)).reduce(|| true, all);
    let large = large.into_iter().map(|layer| run(layer, Par::rayon(0))).fold(true, all);
    move_to(&mut blocks, &memories);
    small & large
}

fn move_to<const N: usize>(blocks: &mut [&mut Blocks; N], memories: &[Memory; N]) {
    for (block, memory) in blocks.iter_mut().zip(memories) {
        **block = std::mem::take(*block).in_memory(memory);
    }
}

fn run_layer<K: LayerKernel<N>, const N: usize>(
    kernel: &K,
    tensor: usize,
    layer: [&mut TensorData; N],
    threads: Par,
) -> bool {
    match layer[0].dtype() {
        DType::F64 => kernel.run(tensor, layer.map(host::slice_mut::<f64>), threads),
        _ => kernel.run(tensor, layer.map(host::slice_mut::<f32>), threads),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use burn::module::ParamId;

    use super::*;
    use crate::blocks::{Entry, Layout};

    struct Panics;

    impl LayerKernel<1> for Panics {
        fn work(&self, _tensor: usize) -> usize {
            1
        }

        fn run<T: Field>(&self, tensor: usize, [numbers]: [&mut [T]; 1], _threads: Par) -> bool {
            assert!(tensor == 0, "this one panics");
            numbers.fill(T::of(1.0));
            true
        }
    }

    #[test]
    fn a_kernel_that_panics_leaves_all_numbers_there() {
        let entry = |index: u64| Entry {
            id: ParamId::from(index),
            path: index.to_string(),
            shape: [2].into(),
            dtype: DType::F32,
        };
        let layout = Layout::new((0..3).map(entry).collect());
        let mut blocks = Blocks::zeros(&layout);
        let run = || for_each_layer(&Panics, [&mut blocks]);
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
        assert!(blocks.kinds().eq(Blocks::zeros(&layout).kinds()));
    }
}
