//! One file for each optimizer. A method sees vectors and an oracle, never a module.

pub mod adabelief;
pub mod adahessian;
pub mod adam;
pub mod apollo;
pub mod l_ssr1_tr;
pub mod lbfgs;
pub mod mb_lsr1;
pub mod multi_batch;
mod objective;
pub mod online_lbfgs;
pub mod quasi_adam;
pub mod radam;
mod rate_decay;
pub mod rmsprop;
mod sampling;
pub mod sd_lbfgs;
pub mod sgd;
pub mod sgd_bb;
pub mod sqn;
mod state;
pub mod svrg;
mod trust_region;

pub use rate_decay::RateDecay;
pub use state::State;
pub(crate) use state::record_state;

use secant_core::report::{PairOutcome, Rejection, StepReport};

use crate::{
    blocks::{Blocks, Layout},
    error::{ConfigError, StepError},
    kernels::{Real, TensorKernel, View, for_each_tensor},
    oracle::Oracle,
};

/// Weight decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
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

/// An optimizer: immutable hyper-parameters, and a step that advances a [`State`].
pub trait Method: Clone + Send + Sync + 'static {
    /// What it remembers from step to step.
    type State: State;

    /// Its name, as in records and in the command.
    const NAME: &'static str;

    /// Checks every hyper-parameter.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    fn validate(&self) -> Result<(), ConfigError>;

    /// The decay of parameters whose group does not say otherwise.
    fn decay(&self) -> Decay;

    /// Whether a step asks for more than one evaluation, which must then see the same function.
    fn evaluates_again(&self) -> bool {
        false
    }

    /// Whether a step searches along the loss. It is then told every loss's value, gradients are not
    /// clipped, all parameters have one step length, and decay is part of the loss.
    fn searches(&self) -> bool {
        false
    }

    /// How many records the next batch shall have; none where the method leaves that to its user. The
    /// batches of [`Optimizer::step_on`](crate::Optimizer::step_on) follow.
    fn batch_size(&self, _: &Self::State) -> Option<usize> {
        None
    }

    /// The state before the first step.
    fn init(&self, layout: &Layout) -> Self::State;

    /// One step: asks the oracle, decides, and writes parameters and state once.
    ///
    /// # Errors
    /// A broken contract, such as a gradient that is missing. Nothing is written then.
    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut Self::State,
    ) -> Result<StepReport, StepError>;
}

/// A method that needs one gradient and no other evaluation.
pub trait GradientMethod: Method {
    /// Whether every tensor is treated by itself, so that the method also works one parameter at a
    /// time, as Burn's own optimizers do.
    fn is_per_tensor(&self) -> bool;

    /// Moves `theta` along a finite `gradient`, which it may take.
    ///
    /// # Errors
    /// The reason for which it wrote neither parameters nor state.
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut Self::State,
    ) -> Result<PairOutcome, Rejection>;
}

/// The step of every [`GradientMethod`]: one gradient, one update.
///
/// # Errors
/// What the oracle says.
pub fn gradient_step<G: GradientMethod>(
    method: &G,
    context: &StepContext<'_>,
    oracle: &mut dyn Oracle,
    state: &mut G::State,
) -> Result<StepReport, StepError> {
    let mut at = oracle.gradient()?;
    if at.rejection.is_some() {
        return Ok(at.report(oracle.evals()));
    }
    let mut update = Err(Rejection::NonFiniteReduction);
    oracle.write(&mut |theta| update = method.update(context, theta, &mut at.gradient, state));
    at.rejection = update.err();
    let mut report = at.report(oracle.evals());
    report.pair = update.unwrap_or(report.pair);
    Ok(report)
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

/// Implements [`Method::step`] for a [`GradientMethod`].
macro_rules! step_by_gradient {
    () => {
        fn step(
            &self,
            context: &$crate::method::StepContext<'_>,
            oracle: &mut dyn $crate::oracle::Oracle,
            state: &mut Self::State,
        ) -> Result<secant_core::report::StepReport, $crate::error::StepError> {
            $crate::method::gradient_step(self, context, oracle, state)
        }
    };
}
pub(crate) use step_by_gradient;
