//! Methods that read the weights of a layer as a matrix.

pub mod muon;
pub mod shampoo;
pub mod soap;
pub mod subspace_newton;
