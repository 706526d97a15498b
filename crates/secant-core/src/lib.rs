//! The scalar side of `secant`: decisions that need a few `f64` numbers and no tensor.
//!
//! - [`report`]: what one step of an optimizer did and cost;
//! - [`barzilai_borwein`]: step sizes from a displacement and the change of a gradient;
//! - [`compact`]: the limited-memory SR1 matrix, from inner products;
//! - [`curvature`]: is a pair (s, y) fit to describe curvature;
//! - [`line_search`]: how far to go along a direction;
//! - [`memory_one`]: the inverse matrix of one pair, as coefficients;
//! - [`plane`]: a quadratic model in the plane of two directions, and its damping;
//! - [`rng`]: the random generator of data, batches and probes;
//! - [`schedule`]: learning rates over time;
//! - [`self_scaling`]: the coefficients of self-scaled Broyden updates;
//! - [`trust_region`]: the step within a radius, and the radius;
//! - [`two_loop`]: the inverse L-BFGS matrix of many pairs, as coefficients.
//!
//! Nothing here depends on Burn.

pub mod barzilai_borwein;
pub mod compact;
pub mod curvature;
pub mod line_search;
pub mod memory_one;
pub mod moving_average;
pub mod nearest;
pub mod plane;
pub mod report;
pub mod rng;
pub mod schedule;
pub mod self_scaling;
pub mod trust_region;
pub mod two_loop;

#[cfg(test)]
mod dense;
