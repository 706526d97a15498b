//! A pass over tensors, written once for host memory and for devices.
//!
//! A [`TensorKernel`] has three parts that read like an algorithm: the terms of some sums over a
//! tensor, a decision from these sums, and what becomes of every element. Its fields are the
//! coefficients of one tensor, by value, in double precision.
//!
//! ```
//! use secant::blocks::{Blocks, Number, TensorKernel, for_each_tensor};
//!
//! /// x <- x / |x|, tensor by tensor.
//! #[derive(Clone, Copy)]
//! struct Normalise;
//!
//! impl TensorKernel<1, 0, 1> for Normalise {
//!     type Decision = f64;
//!
//!     fn terms<N: Number>(self, [x]: [N; 1], []: [N; 0]) -> [N::Wide; 1] {
//!         [x.wide() * x.wide()]
//!     }
//!
//!     fn decide(self, [square]: [f64; 1]) -> f64 {
//!         1.0 / square.sqrt()
//!     }
//!
//!     fn apply<N: Number>(self, factor: f64, [x]: [N; 1], []: [N; 0]) -> [N; 1] {
//!         [N::of(factor) * x]
//!     }
//! }
//!
//! let mut x = Blocks::new(vec![burn::tensor::TensorData::from([1.0f32, -1.0, 1.0, 1.0])]);
//! for_each_tensor(|_| Normalise, [&mut x], []);
//! assert_eq!(x.into_data()[0].as_slice::<f32>().unwrap(), [0.5, -0.5, 0.5, 0.5]);
//! ```

use super::{Blocks, Buffers, Number, Real, device, host};

/// How the terms of a kernel become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// The largest of terms that are not negative; not finite where one is not.
    Maximum,
}

impl Reduction {
    /// One number of two; NaN where one is.
    #[inline(always)]
    pub(super) fn combine(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Sum => a + b,
            Self::Maximum => {
                if b <= a || a.is_nan() {
                    a
                } else {
                    b
                }
            }
        }
    }
}

/// What happens to one tensor: `W` vectors are written, `R` only read, `S` sums are taken.
///
/// In host memory the three parts run one after the other while the tensor is in cache; on a device
/// the sums of all tensors are read together, once. A vector whose coefficient is 0 is not read for
/// sums of a large tensor, and on a device not at all.
pub trait TensorKernel<const W: usize, const R: usize, const S: usize>: Copy + Send + Sync {
    /// What follows from the sums.
    type Decision: Copy + Send + Sync;

    /// How terms become one number.
    const REDUCTION: Reduction = Reduction::Sum;

    /// Whether there is anything to sum; else all sums are 0, and nothing is read for them.
    fn is_summed(self) -> bool {
        S > 0
    }

    /// The terms of the sums at one place of the vectors.
    fn terms<N: Number>(self, _written: [N; W], _read: [N; R]) -> [N::Wide; S] {
        [N::Wide::of(0.0); S]
    }

    /// Scalar algebra, on the host.
    fn decide(self, sums: [f64; S]) -> Self::Decision;

    /// Whether there is anything to write.
    fn is_applied(self, _decision: Self::Decision) -> bool {
        W > 0
    }

    /// The new elements of the written vectors at one place.
    fn apply<N: Number>(self, _decision: Self::Decision, written: [N; W], _read: [N; R]) -> [N; W] {
        written
    }
}

/// One kernel, or several that run in turn on each tensor.
pub(crate) trait Passes<const W: usize, const R: usize>: Send + Sync + Sized {
    /// The last decision.
    type Output: Copy + Send + Sync;

    /// Runs on a tensor in host memory.
    fn on_host<T: Real>(self, vectors: &mut host::Vectors<'_, T, W, R>) -> Self::Output;

    /// Runs on tensors of a device, one for each of `all`.
    fn on_device(all: Vec<Self>, vectors: &mut [device::Vectors<'_, W, R>]) -> Vec<Self::Output>;

    /// What runs on the same tensor afterwards, made from the last decision.
    fn then<Q, F>(self, next: F) -> Then<Self, F>
    where
        Q: Passes<W, R>,
        F: FnOnce(Self::Output) -> Q + Send + Sync,
    {
        Then(self, next)
    }
}

/// One kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct One<K, const S: usize>(pub K);

impl<K, const W: usize, const R: usize, const S: usize> Passes<W, R> for One<K, S>
where
    K: TensorKernel<W, R, S>,
{
    type Output = K::Decision;

    fn on_host<T: Real>(self, vectors: &mut host::Vectors<'_, T, W, R>) -> K::Decision {
        let Self(kernel) = self;
        let sums = if kernel.is_summed() { vectors.sums(kernel) } else { [0.0; S] };
        let decision = kernel.decide(sums);
        if kernel.is_applied(decision) {
            vectors.apply(kernel, decision);
        }
        decision
    }

    fn on_device(all: Vec<Self>, vectors: &mut [device::Vectors<'_, W, R>]) -> Vec<K::Decision> {
        let kernels: Vec<K> = all.into_iter().map(|Self(kernel)| kernel).collect();
        device::run(&kernels, vectors)
    }
}

/// Passes, and what follows from their decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Then<P, F>(P, F);

impl<P, Q, F, const W: usize, const R: usize> Passes<W, R> for Then<P, F>
where
    P: Passes<W, R>,
    Q: Passes<W, R>,
    F: FnOnce(P::Output) -> Q + Send + Sync,
{
    type Output = Q::Output;

    fn on_host<T: Real>(self, vectors: &mut host::Vectors<'_, T, W, R>) -> Q::Output {
        let Self(first, next) = self;
        next(first.on_host(vectors)).on_host(vectors)
    }

    fn on_device(all: Vec<Self>, vectors: &mut [device::Vectors<'_, W, R>]) -> Vec<Q::Output> {
        let (first, next): (Vec<P>, Vec<F>) =
            all.into_iter().map(|Self(first, next)| (first, next)).unzip();
        let decisions = P::on_device(first, vectors);
        let second = next.into_iter().zip(decisions).map(|(next, decision)| next(decision));
        Q::on_device(second.collect(), vectors)
    }
}

/// Runs a kernel of its own on every tensor; the decisions are in the order of the tensors.
///
/// # Panics
/// Where the blocks have different layouts, or are not in the same memory.
pub fn for_each_tensor<K, const W: usize, const R: usize, const S: usize>(
    kernel: impl Fn(usize) -> K + Sync,
    written: [&mut Blocks; W],
    read: [&Blocks; R],
) -> Vec<K::Decision>
where
    K: TensorKernel<W, R, S>,
{
    pass_over_each_tensor(|tensor| One(kernel(tensor)), written, read)
}

/// Runs a kernel of its own on the tensors whose number passes `is_chosen`; in the others the vectors can
/// have different lengths.
///
/// # Panics
/// As [`for_each_tensor`], for the tensors that are chosen.
pub fn for_tensors<K, const W: usize, const R: usize, const S: usize>(
    is_chosen: impl Fn(usize) -> bool,
    kernel: impl Fn(usize) -> K + Sync,
    written: [&mut Blocks; W],
    read: [&Blocks; R],
) -> Vec<K::Decision>
where
    K: TensorKernel<W, R, S>,
{
    pass_over_tensors(is_chosen, |tensor| One(kernel(tensor)), written, read)
}

/// The sums of one kernel over all tensors: what [`for_each_tensor`] decides, added up.
pub(crate) fn sum_over_tensors<K, const R: usize, const S: usize>(
    kernel: K,
    read: [&Blocks; R],
) -> [f64; S]
where
    K: TensorKernel<0, R, S, Decision = [f64; S]>,
{
    total(for_each_tensor(|_| kernel, [], read))
}

/// The sums of all tensors together.
pub(crate) fn total<const S: usize>(of_tensors: Vec<[f64; S]>) -> [f64; S] {
    let add = |sums: [f64; S], part: [f64; S]| std::array::from_fn(|i| sums[i] + part[i]);
    of_tensors.into_iter().fold([0.0; S], add)
}

/// Runs kernels in turn on every tensor; the last decisions are in the order of the tensors.
///
/// # Panics
/// As [`for_each_tensor`].
pub(crate) fn pass_over_each_tensor<P, const W: usize, const R: usize>(
    passes: impl Fn(usize) -> P + Sync,
    written: [&mut Blocks; W],
    read: [&Blocks; R],
) -> Vec<P::Output>
where
    P: Passes<W, R>,
{
    pass_over_tensors(|_| true, passes, written, read)
}

fn pass_over_tensors<P, const W: usize, const R: usize>(
    is_chosen: impl Fn(usize) -> bool,
    passes: impl Fn(usize) -> P + Sync,
    written: [&mut Blocks; W],
    read: [&Blocks; R],
) -> Vec<P::Output>
where
    P: Passes<W, R>,
{
    let first = written.first().map_or_else(|| read[0], |blocks| &**blocks);
    match first.buffers {
        Buffers::Host(_) => host::for_tensors(is_chosen, passes, written, read),
        Buffers::Device(_) => device::for_tensors(is_chosen, passes, written, read),
    }
}
