//! What holds for one step and for one tensor in it.

use crate::{blocks::Layout, protocol::Decay};

/// What holds for one tensor in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorSettings {
    /// The learning rate.
    pub lr: f64,
    /// The weight decay.
    pub decay: Decay,
}

/// What holds for one step.
pub struct StepContext<'a> {
    /// The parameters.
    pub layout: &'a Layout,
    /// The settings of each of them.
    pub tensors: &'a [TensorSettings],
}

/// The rate of a tensor whose method chose `own` for all: factors between groups are kept, and a
/// rate of 0 stands still.
pub(crate) fn own_rate(own: Option<f64>, tensors: &[TensorSettings], index: usize) -> f64 {
    let lr = tensors[index].lr;
    let reference = tensors.iter().map(|tensor| tensor.lr).find(|lr| *lr > 0.0);
    match (own, reference) {
        (Some(own), Some(reference)) => own * (lr / reference),
        _ => lr,
    }
}
