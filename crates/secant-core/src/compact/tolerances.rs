//! Which numbers count as zero, by the type of the data.

use serde::{Deserialize, Serialize};

/// What is too small to be told from a rounding error, relative to what it is compared with.
///
/// The inner products are `f64` in either case; the type is that of the entries of s, y and g.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tolerances {
    /// A pair is left out unless |s.r| >= r |s| |r|, where r = y - B s is the error that the update
    /// mends: below it the update would be huge (Nocedal and Wright, (6.26)).
    pub r: f64,
    /// A pair is left out unless |r| > r2 |y|: B maps its s to its y already.
    pub r2: f64,
    /// A direction is left out of the span of Psi where its squared length is at most this
    /// fraction of the largest one, all columns being of length one.
    pub rank: f64,
    /// A coefficient of g in the eigenbasis counts as zero up to this fraction of |g|.
    pub zero: f64,
}

impl Tolerances {
    /// For vectors of `f64`.
    pub const F64: Self = Self { r: 1e-8, r2: 1e-12, rank: 1e-12, zero: 1e-10 };
    /// For vectors of `f32`.
    pub const F32: Self = Self { r: 1e-6, r2: 1e-6, rank: 1e-6, zero: 1e-5 };
}
