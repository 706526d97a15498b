//! Vector operations that are not part of a method's own pass.

use secant_core::curvature::PairProducts;

use super::{
    Blocks, Number, One, Passes, Reduction, TensorKernel, for_each_tensor, kernel::total,
    pass_over_each_tensor, sum_over_tensors,
};

/// a.b over all tensors.
pub(crate) fn dot(a: &Blocks, b: &Blocks) -> f64 {
    let [sum] = sum_over_tensors(Product, [a, b]);
    sum
}

#[derive(Clone, Copy)]
struct Product;

impl TensorKernel<0, 2, 1> for Product {
    type Decision = [f64; 1];

    #[inline(always)]
    fn terms<N: Number>(self, []: [N; 0], [a, b]: [N; 2]) -> [N::Wide; 1] {
        [a.wide() * b.wide()]
    }

    fn decide(self, sums: [f64; 1]) -> [f64; 1] {
        sums
    }
}

/// The 2-norm.
pub(crate) fn norm(a: &Blocks) -> f64 {
    let [square] = sum_over_tensors(Square, [a]);
    square.sqrt()
}

/// a.a of each tensor.
pub(crate) fn tensor_squares(a: &Blocks) -> Vec<f64> {
    for_each_tensor(|_| Square, [], [a]).into_iter().map(|[square]| square).collect()
}

#[derive(Clone, Copy)]
struct Square;

impl TensorKernel<0, 1, 1> for Square {
    type Decision = [f64; 1];

    #[inline(always)]
    fn terms<N: Number>(self, []: [N; 0], [a]: [N; 1]) -> [N::Wide; 1] {
        let a = a.wide();
        [a * a]
    }

    fn decide(self, sums: [f64; 1]) -> [f64; 1] {
        sums
    }
}

/// The largest absolute value; NaN where one is.
pub(crate) fn maximum_norm(a: &Blocks) -> f64 {
    let of_tensors = for_each_tensor(|_| Largest, [], [a]);
    of_tensors.into_iter().fold(0.0, |a, b| Reduction::Maximum.combine(a, b))
}

#[derive(Clone, Copy)]
struct Largest;

impl TensorKernel<0, 1, 1> for Largest {
    type Decision = f64;

    const REDUCTION: Reduction = Reduction::Maximum;

    #[inline(always)]
    fn terms<N: Number>(self, []: [N; 0], [a]: [N; 1]) -> [N::Wide; 1] {
        [a.wide().abs()]
    }

    fn decide(self, [largest]: [f64; 1]) -> f64 {
        largest
    }
}

/// The largest |a_i - b_i|: 0 where both are the same point, NaN where one is.
pub(crate) fn largest_difference(a: &Blocks, b: &Blocks) -> f64 {
    let of_tensors = for_each_tensor(|_| LargestDifference, [], [a, b]);
    of_tensors.into_iter().fold(0.0, |a, b| Reduction::Maximum.combine(a, b))
}

#[derive(Clone, Copy)]
struct LargestDifference;

impl TensorKernel<0, 2, 1> for LargestDifference {
    type Decision = f64;

    const REDUCTION: Reduction = Reduction::Maximum;

    #[inline(always)]
    fn terms<N: Number>(self, []: [N; 0], [a, b]: [N; 2]) -> [N::Wide; 1] {
        [(a.wide() - b.wide()).abs()]
    }

    fn decide(self, [largest]: [f64; 1]) -> f64 {
        largest
    }
}

/// sum |a_i| over all tensors.
pub(crate) fn absolute_sum(a: &Blocks) -> f64 {
    let [sum] = sum_over_tensors(Absolute, [a]);
    sum
}

#[derive(Clone, Copy)]
struct Absolute;

impl TensorKernel<0, 1, 1> for Absolute {
    type Decision = [f64; 1];

    #[inline(always)]
    fn terms<N: Number>(self, []: [N; 0], [a]: [N; 1]) -> [N::Wide; 1] {
        [a.wide().abs()]
    }

    fn decide(self, sums: [f64; 1]) -> [f64; 1] {
        sums
    }
}

/// out <- a.
pub(crate) fn assign(out: &mut Blocks, a: &Blocks) {
    for_each_tensor(|_| Assign, [out], [a]);
}

#[derive(Clone, Copy)]
struct Assign;

impl TensorKernel<1, 1, 0> for Assign {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), _: [N; 1], [a]: [N; 1]) -> [N; 1] {
        [a]
    }
}

/// out <- origin + step direction.
pub(crate) fn advance(out: &mut Blocks, origin: &Blocks, step: f64, direction: &Blocks) {
    for_each_tensor(|_| Advance { step }, [out], [origin, direction]);
}

#[derive(Clone, Copy)]
struct Advance {
    step: f64,
}

impl TensorKernel<1, 2, 0> for Advance {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), _: [N; 1], [x, d]: [N; 2]) -> [N; 1] {
        [x + N::of(self.step) * d]
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
    let passes = |_| One(Changes).then(|()| One(PairTerms));
    let [ss, sy, yy] = total(pass_over_each_tensor(passes, [old, g_old], [new, g_new]));
    PairProducts { ss, sy, yy }
}

#[derive(Clone, Copy)]
struct Changes;

impl TensorKernel<2, 2, 0> for Changes {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [old, g_old]: [N; 2], [new, g_new]: [N; 2]) -> [N; 2] {
        [new - old, g_new - g_old]
    }
}

/// s.s, s.y, y.y of the two written vectors.
#[derive(Clone, Copy)]
struct PairTerms;

impl TensorKernel<2, 2, 3> for PairTerms {
    type Decision = [f64; 3];

    #[inline(always)]
    fn terms<N: Number>(self, [s, y]: [N; 2], _: [N; 2]) -> [N::Wide; 3] {
        let (s, y) = (s.wide(), y.wide());
        [s * s, s * y, y * y]
    }

    fn decide(self, sums: [f64; 3]) -> [f64; 3] {
        sums
    }

    fn is_applied(self, _: [f64; 3]) -> bool {
        false
    }
}

/// y <- y + a x.
pub(crate) fn add_scaled(y: &mut Blocks, a: f64, x: &Blocks) {
    for_each_tensor(|_| AddScaled { a }, [y], [x]);
}

#[derive(Clone, Copy)]
struct AddScaled {
    a: f64,
}

impl TensorKernel<1, 1, 0> for AddScaled {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [y]: [N; 1], [x]: [N; 1]) -> [N; 1] {
        [y + N::of(self.a) * x]
    }
}

/// a <- factor a.
pub(crate) fn scale(a: &mut Blocks, factor: f64) {
    for_each_tensor(|_| Scale { factor }, [a], []);
}

/// a <- factor a, for one tensor.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub factor: f64,
}

impl TensorKernel<1, 0, 0> for Scale {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [a]: [N; 1], []: [N; 0]) -> [N; 1] {
        [N::of(self.factor) * a]
    }
}
