//! Weight decay.

use crate::{
    blocks::Blocks,
    kernels::{Real, TensorKernel, View, for_each_tensor},
    protocol::{StepContext, TensorSettings},
};

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
    /// Its kinds, as in specifications; `stable` is for Apollo alone.
    pub(crate) const WORDS: &str = "none | l2(number) | decoupled(number) | stable(number)";

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
pub(crate) fn add_l2(context: &StepContext<'_>, theta: &mut Blocks, gradient: &mut Blocks) {
    if context.tensors.iter().any(|tensor| tensor.decay.l2() != 0.0) {
        for_each_tensor(&L2Pass { tensors: context.tensors }, [gradient], [theta]);
    }
}

struct L2Pass<'a> {
    tensors: &'a [TensorSettings],
}

impl TensorKernel<1, 1> for L2Pass<'_> {
    type Output = ();

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 1, 1>) {
        let l2 = T::of(self.tensors[index].decay.l2());
        view.apply(
            #[inline(always)]
            move |[g], [theta]| [g + l2 * theta],
        );
    }
}
