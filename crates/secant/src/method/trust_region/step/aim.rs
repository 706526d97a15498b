//! Where a step goes: p of MB-LSR1 4 and 5, and of L-SSR1-TR 3.

use secant_core::trust_region::subproblem::Case;

use super::{Step, clipped};
use crate::{
    blocks::{Blocks, combine_rows, scale},
    operator::Minimiser,
};

/// Where a step goes.
pub(in crate::method::trust_region) struct Aim {
    /// p*
    pub best: Minimiser,
    /// p; none where it is p*.
    mixed: Option<Blocks>,
    /// p is this times `mixed`: what shortens it to the radius, below 0 where it is turned.
    pub(super) factor: f64,
    /// p.g, or what the line search takes for it.
    pub slope: f64,
    /// |p|
    pub length: f64,
}

/// A share of momentum in p.
pub(in crate::method::trust_region) struct Share<'a> {
    pub of: &'a Blocks,
    pub weight: f64,
    /// of.g
    pub slope: f64,
}

impl Aim {
    /// p* itself. In the hard case most of it is an eigenvector of negative curvature: it takes the
    /// loss down by Q(p*), which the slope does not show.
    pub fn at_minimiser(best: Minimiser) -> Self {
        let slope =
            if best.case == Case::Hard { best.slope.min(best.model_value) } else { best.slope };
        let length = best.step_norm;
        Self { best, mixed: None, factor: 1.0, slope, length }
    }

    pub fn is_minimiser(&self) -> bool {
        self.mixed.is_none()
    }

    /// p, as a vector and its factor.
    pub(super) fn direction(&self) -> (&Blocks, f64) {
        (self.mixed.as_ref().unwrap_or(&self.best.step), self.factor)
    }

    /// The same with a factor of 1.
    pub fn settled(mut self) -> Self {
        if let Some(mixed) = self.mixed.as_mut().filter(|_| self.factor != 1.0) {
            scale(mixed, self.factor);
            self.factor = 1.0;
        }
        self
    }
}

impl Step<'_> {
    /// MB-LSR1 4 and 5, L-SSR1-TR 3. p = a p* + a share of momentum, within the radius and turned downhill.
    pub fn mix(&self, best: Minimiser, a: f64, momentum: Option<Share<'_>>) -> Aim {
        let mut mixed = best.step.zeros_like();
        let (rows, weights): (Vec<&Blocks>, Vec<f64>) =
            momentum.iter().map(|share| (share.of, share.weight)).unzip();
        let [_, squared] = combine_rows(&mut mixed, a, &best.step, &rows, &weights);
        let (length, shortening) = clipped(squared.sqrt(), self.region.delta);
        let slope = a * best.slope + momentum.map_or(0.0, |share| share.weight * share.slope);
        let factor = if slope > 0.0 { -shortening } else { shortening };
        Aim { best, mixed: Some(mixed), factor, slope: factor * slope, length }
    }
}
