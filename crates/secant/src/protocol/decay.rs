//! Weight decay.

use super::{Method, StepContext};
use crate::{
    blocks::{Blocks, Number, Scale, TensorKernel, for_each_tensor, for_tensors},
    error::{ConfigError, require_decay},
};

/// The one method that has decay of kind `Stable`.
pub(crate) const HAS_STABLE: &str = "apollo";

/// Checks every hyper-parameter of a method, and that it can apply its decay.
pub(crate) fn validate<K: Method>(method: &K) -> Result<(), ConfigError> {
    method.validate()?;
    require_decay(K::NAME, method.decay())?;
    if K::NAME != HAS_STABLE {
        refuse_stable(K::NAME, method.decay())?;
    }
    match method.decay() {
        Decay::Decoupled(_) if method.searches() && !method.decays_apart() => {
            let reason =
                "it searches along the loss, so its decay must be part of the loss; use `L2`";
            Err(ConfigError::Conflict { method: K::NAME, reason })
        }
        _ => Ok(()),
    }
}

/// Checks that a decay is not of the kind that other methods cannot apply.
pub(crate) fn refuse_stable(method: &'static str, decay: Decay) -> Result<(), ConfigError> {
    match decay {
        Decay::Stable(_) => {
            let reason = "decay of kind `Stable` is for Apollo alone; use `L2` or `Decoupled`";
            Err(ConfigError::Conflict { method, reason })
        }
        _ => Ok(()),
    }
}

/// Weight decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Decay {
    /// None.
    #[default]
    None,
    /// Coupled: the gradient is g + strength theta.
    L2(f64),
    /// Decoupled: theta shrinks by rate x strength in each step, whatever the gradient's scale.
    Decoupled(f64),
    /// Decoupled and divided by the mean of the curvature estimate; for Apollo alone.
    Stable(f64),
}

impl Decay {
    /// The strength of coupled decay, 0 for other kinds.
    pub fn l2(self) -> f64 {
        if let Self::L2(strength) = self { strength } else { 0.0 }
    }

    /// The strength of decoupled decay, 0 for other kinds.
    pub fn decoupled(self) -> f64 {
        if let Self::Decoupled(strength) = self { strength } else { 0.0 }
    }

    /// The strength, whatever the kind.
    pub fn strength(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::L2(strength) | Self::Decoupled(strength) | Self::Stable(strength) => strength,
        }
    }
}

/// g <- g + wd theta for the tensors with decay of kind `L2`: for methods that keep the gradient.
pub(crate) fn add_l2(context: &StepContext<'_>, theta: &Blocks, gradient: &mut Blocks) {
    if context.tensors.iter().any(|tensor| tensor.decay.l2() != 0.0) {
        let kernel = |tensor: usize| AddL2 { strength: context.tensors[tensor].decay.l2() };
        for_each_tensor(kernel, [gradient], [theta]);
    }
}

/// theta <- (1 - rate wd) theta for the tensors with decoupled decay.
pub(crate) fn shrink(context: &StepContext<'_>, theta: &mut Blocks, rate: f64) {
    let strength = |tensor: usize| context.tensors[tensor].decay.decoupled();
    let kernel = |tensor: usize| Scale { factor: 1.0 - rate * strength(tensor) };
    for_tensors(|tensor| strength(tensor) != 0.0, kernel, [theta], []);
}

#[derive(Clone, Copy)]
struct AddL2 {
    strength: f64,
}

impl TensorKernel<1, 1, 0> for AddL2 {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [g]: [N; 1], [theta]: [N; 1]) -> [N; 1] {
        [g + N::of(self.strength) * theta]
    }
}
