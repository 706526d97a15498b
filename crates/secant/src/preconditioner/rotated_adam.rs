//! Adam's direction in the eigenbases of a tensor's factors. Steps have the numbers of
//! [SOAP's page](crate::method::layer_wise::soap).

use std::ops::Range;

use faer::Par;
use secant_core::report::{PairOutcome, SkipReason};

use super::{Sides, Turn, Unfolding, decompose, power_step};
use crate::blocks::{Blocks, Field, LayerKernel, for_each_layer};

/// The direction's settings for one tensor.
#[derive(Clone, Debug)]
pub(crate) struct RotatedAdam {
    /// The dimensions with a basis.
    pub sides: Sides,
    pub beta_1: f64,
    pub beta_2: f64,
    pub shampoo_beta: f64,
    pub epsilon: f64,
}

impl RotatedAdam {
    /// Step 0: the first gradient makes the bases; false where a factor has none.
    pub fn begin<T: Field>(
        &self,
        g: &[T],
        factors: &mut [T],
        bases: &mut [T],
        threads: Par,
    ) -> bool {
        let spare = &mut self.spare(g.len());
        self.sides.add_squares(factors, [0.0, 1.0 - self.shampoo_beta], g, spare, threads);
        self.sides.make_identity(bases);
        let decompose = |(unfolding, place): (Unfolding, Range<usize>)| {
            decompose(&factors[place.clone()], &mut bases[place], unfolding.side)
        };
        self.sides.places().map(decompose).fold(true, |all, is_decomposed| all & is_decomposed)
    }

    /// Step 5: the factors learn from G. `spare` is as long where there is a basis.
    pub fn learn<T: Field>(&self, g: &[T], spare: &mut [T], factors: &mut [T], threads: Par) {
        let beta = self.shampoo_beta;
        self.sides.add_squares(factors, [beta, 1.0 - beta], g, spare, threads);
    }

    /// Steps 1 to 3: G's buffer becomes G', N' and N. `spare` is as long where there is a basis.
    pub fn direct<T: Field>(
        &self,
        g: &mut [T],
        spare: &mut [T],
        [m, v]: [&mut [T]; 2],
        bases: &[T],
        threads: Par,
    ) {
        self.sides.multiply(g, spare, bases, Turn::Into, threads);
        self.adam(g, m, v);
        self.sides.multiply(g, spare, bases, Turn::Back, threads);
    }

    /// Adam's averages of G', which N' takes the place of.
    fn adam<T: Field>(&self, g: &mut [T], m: &mut [T], v: &mut [T]) {
        let (of_m, of_v, epsilon) = (T::of(self.beta_1), T::of(self.beta_2), T::of(self.epsilon));
        let (new_m, new_v) = (T::of(1.0 - self.beta_1), T::of(1.0 - self.beta_2));
        for (g, (m, v)) in g.iter_mut().zip(m.iter_mut().zip(v.iter_mut())) {
            *m = (of_m * *m + new_m * *g).flushed();
            *v = (of_v * *v + new_v * *g * *g).flushed();
            let size = v.sqrt() + epsilon;
            *g = if size > T::of(0.0) { (*m / size).flushed_beside_1() } else { T::of(0.0) };
        }
    }

    /// c of step 4 with bias correction, k gradients after the first.
    pub fn bias_correction(&self, k: u64) -> f64 {
        let k = k as f64;
        (1.0 - self.beta_2.powf(k)).sqrt() / (1.0 - self.beta_1.powf(k))
    }

    /// A buffer for products, empty where there is no basis.
    pub fn spare<T: Field>(&self, length: usize) -> Vec<T> {
        vec![T::of(0.0); if self.sides.is_empty() { 0 } else { length }]
    }
}

/// What a report says of a step whose factors were all decomposed, or not: such a factor kept its last basis or root.
pub(crate) fn decomposed(all: bool) -> PairOutcome {
    if all { PairOutcome::NotTried } else { PairOutcome::Skipped(SkipReason::NonFinite) }
}

/// Step 6 for the layers that are due: one power step of every basis. False where one could not be turned.
pub(crate) fn turn_bases(due: &[Option<&RotatedAdam>], averages: Averages<'_>) -> bool {
    let Averages { m, v, factors, bases } = averages;
    !due.iter().any(Option::is_some) || for_each_layer(&TurnBases { due }, [m, v, factors, bases])
}

/// What step 6 changes: M' in the basis and V; all factors P_k; all bases Q_k.
pub(crate) struct Averages<'a> {
    pub m: &'a mut Blocks,
    pub v: &'a mut Blocks,
    pub factors: &'a mut Blocks,
    pub bases: &'a mut Blocks,
}

/// Multiplications of a turn for each of the cubed side's: a product and a QR decomposition with its orthonormal factor.
const OF_A_TURN: usize = 4;

struct TurnBases<'a> {
    due: &'a [Option<&'a RotatedAdam>],
}

impl LayerKernel<4> for TurnBases<'_> {
    /// A decomposition of these sizes is slower on two threads than on one: all layers run side by side.
    const IS_SHARED: bool = false;

    fn work(&self, tensor: usize) -> usize {
        self.due[tensor].map_or(0, |layer| OF_A_TURN * layer.sides.cubes())
    }

    fn run<T: Field>(&self, tensor: usize, numbers: [&mut [T]; 4], threads: Par) -> bool {
        let Some(layer) = self.due[tensor] else { return true };
        let [m, v, factors, bases] = numbers;
        let (sides, mut spare) = (&layer.sides, layer.spare(m.len()));
        // M' leaves the old bases and enters the new ones.
        sides.multiply(m, &mut spare, bases, Turn::Back, threads);
        let mut turn = |(unfolding, place): (Unfolding, Range<usize>)| {
            let (factor, basis) = (&factors[place.clone()], &mut bases[place]);
            turn(unfolding, factor, basis, v, &mut spare)
        };
        let are_turned = sides.places().map(&mut turn).fold(true, |all, is_turned| all & is_turned);
        sides.multiply(m, &mut spare, bases, Turn::Into, threads);
        are_turned
    }
}

/// One power step of a basis; V follows the order of its columns. False, and nothing done, where something is
/// not finite.
fn turn<T: Field>(
    unfolding: Unfolding,
    factor: &[T],
    basis: &mut [T],
    v: &mut [T],
    spare: &mut [T],
) -> bool {
    let Some(order) = power_step(factor, basis, unfolding.side) else { return false };
    spare.copy_from_slice(v);
    unfolding.permute(v, &order, spare);
    true
}
