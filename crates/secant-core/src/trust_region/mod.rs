//! Trust regions: the step that is best for the model within a radius, and the radius.
//!
//! - [`subproblem`]: the exact minimizer of the L-SR1 model within a ball;
//! - [`radius`]: how the radius follows from the success of the steps.

pub mod radius;
pub mod subproblem;
