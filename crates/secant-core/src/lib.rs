//! The scalar side of `secant`: decisions that need a few `f64` numbers and no tensor.
//!
//! - [`report`]: what one step of an optimizer did and cost;
//! - [`curvature`]: is a pair (s, y) fit to describe curvature;
//! - [`memory_one`]: the inverse matrix of one pair, as coefficients;
//! - [`schedule`]: learning rates over time.
//!
//! Nothing here depends on Burn.

pub mod curvature;
pub mod memory_one;
pub mod report;
pub mod schedule;
