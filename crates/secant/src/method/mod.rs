//! The optimizers, one page each, by kind.
//!
//! | kind | methods |
//! |---|---|
//! | [`first_order`] | know gradients and their moving averages |
//! | [`dense`] | keep a whole inverse Hessian |
//! | [`diagonal`] | keep an estimate of the Hessian's diagonal |
//! | [`lbfgs`] | step along the inverse L-BFGS matrix of their last pairs |
//! | [`layer_wise`] | treat a weight matrix as a matrix |
//! | [`trust_region`] | minimise a model with an indefinite L-SR1 matrix within a radius |
//! | [`variance_reduced`] | correct a batch's gradient by one of all records |
//!
//! [`PRESETS`](crate::spec::PRESETS) has a line about each method.
//!
//! A method sees vectors and an oracle, never a module; see [`protocol`](crate::protocol).

pub mod dense;
pub mod diagonal;
pub mod first_order;
pub mod layer_wise;
pub mod lbfgs;
pub mod trust_region;
pub mod variance_reduced;
