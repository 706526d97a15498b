//! Curvature pairs sampled at one point, for a matrix that has none.

use secant_core::rng::SplitMix64;

use crate::objective::{Known, Objective};
use crate::{
    blocks::{Blocks, add_scaled, make_pair, norm, scale},
    error::{ConfigError, StepError, require_positive},
};

/// Where y of a sampled pair (s, y) comes from; s is random.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sampling {
    /// y = H s, the product with the batch's Hessian: exact where the loss is given on duals or with a
    /// product of its own, else central differences, which an optimizer refuses where the loss has kinks.
    HessianProducts,
    /// y = grad f(w + s) - grad f(w) with |s| = `radius` (1 + |w|): one gradient, of any loss. Observe how
    /// the loss bends over that distance: 0.01 for smooth losses, 0.1 with kinks.
    GradientDifferences {
        /// Above 0.
        radius: f64,
    },
}

impl Sampling {
    pub(crate) fn validate(self, method: &'static str) -> Result<(), ConfigError> {
        match self {
            Self::HessianProducts => Ok(()),
            Self::GradientDifferences { radius } => {
                require_positive(method, "the radius of sampling", radius)
            }
        }
    }

    /// A pair of the batch's loss at `w`, where it is `known`; none where its gradient is not finite.
    ///
    /// The warm start of step 10 of MB-LSR1 (Algorithm 3, lines 4 and 5).
    pub(crate) fn pair(
        self,
        objective: &mut Objective<'_>,
        w: &mut Blocks,
        known: &Known,
        rng: &mut SplitMix64,
    ) -> Result<Option<(Blocks, Blocks)>, StepError> {
        let mut s = Blocks::random_bell(objective.context.layout, rng);
        match self {
            Self::HessianProducts => {
                let y = objective.hessian_vector(w, &s)?;
                Ok(Some((s, y)))
            }
            Self::GradientDifferences { radius } => {
                let length = radius * (1.0 + norm(w)) / norm(&s);
                scale(&mut s, length);
                let mut there = w.clone();
                add_scaled(&mut there, 1.0, &s);
                let Ok(known_there) = objective.at(&mut there)? else { return Ok(None) };
                // s as it is after rounding.
                let (mut s, mut y) = (w.clone(), known.gradient.clone());
                make_pair(&mut s, &mut y, &there, &known_there.gradient);
                Ok(Some((s, y)))
            }
        }
    }
}
