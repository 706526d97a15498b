//! Vector operations on blocks that are not part of a method's own pass.

use secant_core::curvature::PairProducts;

use crate::{
    blocks::Blocks,
    kernels::{Real, TensorKernel, View, for_each_tensor, lane_maximum, lane_sums},
};

/// a.b over all tensors.
pub(crate) fn dot(a: &Blocks, b: &Blocks) -> f64 {
    for_each_tensor::<_, 0, 2>(&DotPass, [], [a, b]).iter().sum()
}

/// The 2-norm.
pub(crate) fn norm(a: &Blocks) -> f64 {
    dot(a, a).sqrt()
}

/// a.a of each tensor.
pub(crate) fn tensor_squares(a: &Blocks) -> Vec<f64> {
    for_each_tensor::<_, 0, 2>(&DotPass, [], [a, a])
}

struct DotPass;

impl TensorKernel<0, 2> for DotPass {
    type Output = f64;

    fn run<T: Real>(&self, _: usize, view: View<'_, T, 0, 2>) -> f64 {
        let [sum] = view.reduce(
            #[inline(always)]
            move |[], [a, b]| {
                lane_sums(
                    [a, b],
                    #[inline(always)]
                    |[a, b]| [a.f64() * b.f64()],
                )
            },
        );
        sum
    }
}

/// The largest absolute value.
pub(crate) fn maximum_norm(a: &Blocks) -> f64 {
    for_each_tensor::<_, 0, 1>(&MaximumPass, [], [a]).into_iter().fold(0.0, larger)
}

struct MaximumPass;

impl TensorKernel<0, 1> for MaximumPass {
    type Output = f64;

    fn run<T: Real>(&self, _: usize, view: View<'_, T, 0, 1>) -> f64 {
        let [largest] = view.maximum(
            #[inline(always)]
            move |[], [a]| {
                [lane_maximum(
                    [a],
                    #[inline(always)]
                    |[a]| a.abs(),
                )]
            },
        );
        largest
    }
}

/// The largest |a_i - b_i|: 0 where both are the same point.
pub(crate) fn largest_difference(a: &Blocks, b: &Blocks) -> f64 {
    for_each_tensor::<_, 0, 2>(&DifferencePass, [], [a, b]).into_iter().fold(0.0, larger)
}

struct DifferencePass;

impl TensorKernel<0, 2> for DifferencePass {
    type Output = f64;

    fn run<T: Real>(&self, _: usize, view: View<'_, T, 0, 2>) -> f64 {
        let [largest] = view.maximum(
            #[inline(always)]
            move |[], [a, b]| {
                [lane_maximum(
                    [a, b],
                    #[inline(always)]
                    |[a, b]| (a - b).abs(),
                )]
            },
        );
        largest
    }
}

/// The larger number; NaN is larger than all.
fn larger(a: f64, b: f64) -> f64 {
    if b <= a || a.is_nan() { a } else { b }
}

/// sum |a_i| over all tensors.
pub(crate) fn absolute_sum(a: &Blocks) -> f64 {
    for_each_tensor::<_, 0, 1>(&AbsolutePass, [], [a]).iter().sum()
}

struct AbsolutePass;

impl TensorKernel<0, 1> for AbsolutePass {
    type Output = f64;

    fn run<T: Real>(&self, _: usize, view: View<'_, T, 0, 1>) -> f64 {
        let [sum] = view.reduce(
            #[inline(always)]
            move |[], [a]| {
                lane_sums(
                    [a],
                    #[inline(always)]
                    |[a]| [a.f64().abs()],
                )
            },
        );
        sum
    }
}

/// out <- a.
pub(crate) fn assign(out: &mut Blocks, a: &Blocks) {
    for_each_tensor(&AssignPass, [out], [a]);
}

struct AssignPass;

impl TensorKernel<1, 1> for AssignPass {
    type Output = ();

    fn run<T: Real>(&self, _: usize, mut view: View<'_, T, 1, 1>) {
        view.apply(
            #[inline(always)]
            move |_, [a]| [a],
        );
    }
}

/// out <- origin + step direction.
pub(crate) fn advance(out: &mut Blocks, origin: &Blocks, step: f64, direction: &Blocks) {
    for_each_tensor(&AdvancePass(step), [out], [origin, direction]);
}

struct AdvancePass(f64);

impl TensorKernel<1, 2> for AdvancePass {
    type Output = ();

    fn run<T: Real>(&self, _: usize, mut view: View<'_, T, 1, 2>) {
        let step = T::of(self.0);
        view.apply(
            #[inline(always)]
            move |_, [x, d]| [x + step * d],
        );
    }
}

/// The pair s = `new` - `old`, y = `g_new` - `g_old`, written over `old` and `g_old`, and its inner
/// products.
pub(crate) fn make_pair(
    old: &mut Blocks,
    g_old: &mut Blocks,
    new: &Blocks,
    g_new: &Blocks,
) -> PairProducts {
    let parts = for_each_tensor(&PairPass, [old, g_old], [new, g_new]);
    let [ss, sy, yy] =
        parts.into_iter().fold([0.0; 3], |sums, part| std::array::from_fn(|i| sums[i] + part[i]));
    PairProducts { ss, sy, yy }
}

struct PairPass;

impl TensorKernel<2, 2> for PairPass {
    type Output = [f64; 3];

    fn run<T: Real>(&self, _: usize, mut view: View<'_, T, 2, 2>) -> [f64; 3] {
        view.apply(
            #[inline(always)]
            move |[old, g_old], [new, g_new]| [new - old, g_new - g_old],
        );
        pair_products(&view)
    }
}

/// s.s, s.y, y.y of the two written vectors.
fn pair_products<T: Real, const R: usize>(view: &View<'_, T, 2, R>) -> [f64; 3] {
    view.reduce(
        #[inline(always)]
        move |[s, y], _| {
            lane_sums(
                [s, y],
                #[inline(always)]
                |[s, y]| {
                    let (s, y) = (s.f64(), y.f64());
                    [s * s, s * y, y * y]
                },
            )
        },
    )
}

/// y <- y + a x.
pub(crate) fn add_scaled(y: &mut Blocks, a: f64, x: &Blocks) {
    for_each_tensor(&AddScaled(a), [y], [x]);
}

struct AddScaled(f64);

impl TensorKernel<1, 1> for AddScaled {
    type Output = ();

    fn run<T: Real>(&self, _: usize, mut view: View<'_, T, 1, 1>) {
        let a = T::of(self.0);
        view.apply(
            #[inline(always)]
            move |[y], [x]| [y + a * x],
        );
    }
}

/// a <- factor a.
pub(crate) fn scale(a: &mut Blocks, factor: f64) {
    for_each_tensor(&ScalePass(factor), [a], []);
}

struct ScalePass(f64);

impl TensorKernel<1, 0> for ScalePass {
    type Output = ();

    fn run<T: Real>(&self, _: usize, mut view: View<'_, T, 1, 0>) {
        let factor = T::of(self.0);
        view.apply(
            #[inline(always)]
            move |[a], []| [factor * a],
        );
    }
}
