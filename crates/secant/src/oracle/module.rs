//! The oracle of a module and a closure.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use secant_core::report::{Evals, Rejection};

use super::{
    Evaluation, Oracle, Screen,
    parameters::{take_gradients, write_parameters},
    running::RunningStatistics,
};
use crate::{
    blocks::{Blocks, Layout},
    error::StepError,
};

/// The user's loss of one batch.
pub(crate) type Closure<'a, M> = &'a mut dyn FnMut(&M) -> Tensor<1>;

/// The loss tensor and the gradients at the model's parameters.
pub(crate) fn evaluate<M: Module>(
    model: &M,
    closure: Closure<'_, M>,
) -> Result<(Tensor<1>, GradientsParams), StepError> {
    let loss = value(model, closure)?;
    if !loss.is_tracked() {
        return Err(StepError::Untracked);
    }
    let gradients = GradientsParams::from_grads(loss.backward(), model);
    Ok((loss.inner(), gradients))
}

fn value<M: Module>(model: &M, closure: Closure<'_, M>) -> Result<Tensor<1>, StepError> {
    let loss = closure(model);
    match loss.shape().num_elements() {
        1 => Ok(loss),
        elements => Err(StepError::LossShape { elements }),
    }
}

/// The oracle of one step.
pub(crate) struct ModuleOracle<'a, 'c, M> {
    pub model: &'a mut M,
    pub layout: &'a Layout,
    pub screen: Screen,
    /// The loss; absent where the caller brought the gradients.
    pub closure: Option<Closure<'c, M>>,
    /// Gradients already there for the first question.
    pub ready: Option<(Option<Tensor<1>>, GradientsParams)>,
    /// The seed of every evaluation of this step, where the closure is random.
    pub seed: Option<u64>,
    pub evals: Evals,
    /// Whether this step has been answered a gradient.
    pub answered: bool,
}

impl<M: Module> ModuleOracle<'_, '_, M> {
    /// The gradients of the next question. All but the first leave no trace in running statistics.
    fn next_gradients(&mut self) -> Result<(Option<Tensor<1>>, GradientsParams), StepError> {
        if let Some(ready) = self.ready.take() {
            return Ok(ready);
        }
        let closure = self.closure.as_deref_mut().ok_or(StepError::NoGradient)?;
        if let Some(seed) = self.seed {
            seed_device(self.model, seed)?;
        }
        let again = self.answered.then(|| RunningStatistics::of(self.model));
        let evaluated = evaluate(self.model, closure);
        if let Some(before) = again {
            before.restore(self.model);
        }
        self.evals.gradient += 1;
        evaluated.map(|(loss, gradients)| (Some(loss), gradients))
    }
}

impl<M: Module> Oracle for ModuleOracle<'_, '_, M> {
    fn gradient(&mut self) -> Result<Evaluation, StepError> {
        let (loss, gradients) = self.next_gradients()?;
        self.answered = true;
        let mut gradient = take_gradients(self.model, self.layout, gradients)?;
        // Reading the loss is a decision of the guard.
        let loss = loss.filter(|_| self.screen.guard).map(|loss| read(&loss));
        if loss.is_some_and(|loss| !loss.is_finite()) {
            let rejection = Some(Rejection::NonFiniteLoss);
            return Ok(Evaluation { loss, gradient, gradient_norm: None, rejection });
        }
        let (gradient_norm, rejection) = match self.screen.apply(&mut gradient) {
            Ok(norm) => (norm, None),
            Err(rejection) => (None, Some(rejection)),
        };
        Ok(Evaluation { loss, gradient, gradient_norm, rejection })
    }

    fn write(&mut self, update: &mut dyn FnMut(&mut Blocks)) {
        write_parameters(self.model, self.layout, update);
    }

    fn evals(&self) -> Evals {
        self.evals
    }
}

/// Whether two evaluations of the loss at one point differ: dropout, augmentation.
///
/// Both are forward passes without a graph, and leave no trace in running statistics.
pub(crate) fn is_random<M: Module>(
    model: &M,
    closure: Closure<'_, M>,
    evals: &mut Evals,
) -> Result<bool, StepError> {
    let statistics = RunningStatistics::of(model);
    let frozen = model.clone().no_grad();
    let mut bits = || value(&frozen, closure).map(|loss| read(&loss).to_bits());
    let answers = (bits(), bits());
    statistics.restore(model);
    evals.loss += 2;
    Ok(answers.0? != answers.1?)
}

fn read(loss: &Tensor<1>) -> f64 {
    loss.clone().into_scalar()
}

/// Seeds the device of the first parameter.
pub(crate) fn seed_device<M: Module>(model: &M, seed: u64) -> Result<(), StepError> {
    struct First(Option<Device>);
    impl ModuleVisitor for First {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.is_none() {
                self.0 = Some(param.val().device());
            }
        }
    }
    let mut first = First(None);
    model.visit(&mut first);
    first.0.ok_or(StepError::NoGradient)?.seed(seed);
    Ok(())
}
