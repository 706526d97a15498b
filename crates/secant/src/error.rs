//! What can be wrong, in sentences that say where and what to do.

use secant_core::schedule::ScheduleError;
use thiserror::Error;

use crate::{
    hyper_parameter::{Range, Ranged},
    protocol::Decay,
};

/// A hyper-parameter out of its range.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A number outside its interval.
    #[error("{method}: {parameter} must be {range}, got {value}")]
    OutOfRange {
        /// The method.
        method: &'static str,
        /// The hyper-parameter.
        parameter: &'static str,
        /// The values it can have.
        range: &'static str,
        /// The value it was given.
        value: f64,
    },
    /// Two options that exclude each other.
    #[error("{method}: {reason}")]
    Conflict {
        /// The method.
        method: &'static str,
        /// What does not go together, and what to do.
        reason: &'static str,
    },
    /// A number of records that cannot be.
    #[error("batches: {parameter} must be from {least} to {most}, got {value}")]
    BatchSize {
        /// Which number.
        parameter: &'static str,
        /// The value it was given.
        value: usize,
        /// The smallest it can be.
        least: usize,
        /// The largest it can be.
        most: usize,
    },
    /// A schedule that cannot be.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
}

/// A step that could not be made because its contract was broken. Model and state are as before.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum StepError {
    /// The learning rate is not usable.
    #[error("the learning rate of `{path}` must be finite and at least 0, got {lr}")]
    LearningRate {
        /// The parameter.
        path: String,
        /// Its rate.
        lr: f64,
    },
    /// The loss is not one number.
    #[error(
        "the loss must have one element, got {elements}; reduce it with `.mean()` or `.sum()` in the closure"
    )]
    LossShape {
        /// Elements of the tensor the closure returned.
        elements: usize,
    },
    /// The loss does not depend on tracked parameters.
    #[error(
        "the loss is not connected to the model's parameters; build the model on `device.autodiff()` and compute the loss from the model that the closure is given"
    )]
    Untracked,
    /// The model has nothing to train.
    #[error(
        "the model has no trainable parameter; check that it has floating-point parameters that are not frozen"
    )]
    NoParameters,
    /// No trainable parameter has a gradient.
    #[error(
        "none of the model's trainable parameters has a gradient; check that the loss is computed from them"
    )]
    NoGradient,
    /// Ready gradients for a method that evaluates its loss itself.
    #[error("{method} evaluates its loss again in each step; give the loss to `step` or `step_on`")]
    NeedsLoss {
        /// The method.
        method: &'static str,
    },
    /// An evaluation failed on another rank, and so the step on all.
    #[error("the evaluation failed on another rank; the error there says why")]
    OtherRank,
    /// A group selects no parameter of the model.
    #[error("the group of {group} selects no parameter of the model{}", nearest_path(nearest))]
    EmptyGroup {
        /// What it selects by.
        group: String,
        /// The parameter whose path is most like it.
        nearest: Option<String>,
    },
    /// A parameter of the layout has no gradient in this step.
    #[error(
        "`{path}` has no gradient in this step but had one in the first; use the same parameters in every step, or start a new optimizer; methods that treat each tensor by itself can also leave such a parameter alone (`with_missing_gradients`)"
    )]
    MissingGradient {
        /// The parameter.
        path: String,
    },
    /// The model's parameters changed.
    #[error(
        "the model's trainable parameters changed since the optimizer's first step ({what}); start a new optimizer for the new set"
    )]
    LayoutChanged {
        /// The first difference.
        what: String,
    },
    /// A parameter's number type is not supported.
    #[error("`{path}` holds {dtype} numbers; secant steps f32 and f64 parameters only")]
    Dtype {
        /// The parameter.
        path: String,
        /// Its number type.
        dtype: String,
    },
    /// An exact Hessian product failed.
    #[error(transparent)]
    Product(#[from] ProductError),
    /// Differences of gradients are no Hessian product here.
    #[error(
        "differences of gradients to both sides disagree by {percent:.0} %: the loss has kinks (ReLU, max-pooling), and they are no Hessian product; write the loss on duals (`Duals`), or allow them with `allow_differences`",
        percent = 100.0 * asymmetry
    )]
    Kinks {
        /// |g(w + hv) - 2 g(w) + g(w - hv)| / |g(w + hv) - g(w - hv)|.
        asymmetry: f64,
    },
    /// A Hessian product was asked for on more records than are evaluated at once.
    #[error("a Hessian product is of one batch or sample, and not of all records in parts")]
    ProductOfAll,
    /// The batches are not those that the optimizer's record speaks of.
    #[error(
        "the record goes on with other batches; draw them from the same number of records with the same size, overlap and seed"
    )]
    OtherBatches,
    /// A method with one step length for all parameters was given several.
    #[error(
        "{method} has one step length for all parameters, but `{path}` has another rate; leave out the groups' rate factors, or freeze parameters that shall not move"
    )]
    SeveralRates {
        /// The method.
        method: &'static str,
        /// The first parameter whose rate differs.
        path: String,
    },
    /// A search cannot include a decay that is not part of the objective.
    #[error(
        "{method} searches along the loss, so its decay must be part of the loss; use `L2` for `{path}`"
    )]
    DecayOutsideObjective {
        /// The method.
        method: &'static str,
        /// The first parameter with another kind of decay.
        path: String,
    },
    /// A hyper-parameter names a parameter that is not there.
    #[error(
        "{method}: `{setting}` names `{name}`, which is neither a trained parameter nor a part of the model with one; the nearest is `{nearest}`"
    )]
    NoSuchParameter {
        /// The method.
        method: &'static str,
        /// The hyper-parameter.
        setting: &'static str,
        /// What it names.
        name: String,
        /// The parameter with the most similar path.
        nearest: String,
    },
    /// The method keeps a matrix of all parameters.
    #[error(
        "{method} keeps a matrix of all parameters with all, and the model has {parameters}, more than {most}; use l-bfgs"
    )]
    TooManyParameters {
        /// The method.
        method: &'static str,
        /// Of the model.
        parameters: usize,
        /// What it is made for.
        most: usize,
    },
    /// A decay that the method cannot apply.
    #[error("decay of kind `Stable` is for Apollo alone; use `L2` or `Decoupled` for {method}")]
    Decay {
        /// The method.
        method: &'static str,
    },
}

/// A Hessian-vector product that could not be made.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ProductError {
    /// The loss is not one number.
    #[error(
        "the loss must have one element, got {elements}; reduce it with `.mean()` or `.sum()` in the closure"
    )]
    LossShape {
        /// Elements of the tensor the closure returned.
        elements: usize,
    },
    /// The loss has no tangent.
    #[error(
        "the loss does not depend on the direction; build the model on `device.autodiff()`, compute the loss from the model and the tangents that the closure is given, and give the vector an entry for at least one trainable parameter"
    )]
    Constant,
    /// A Gauss-Newton product of a loss that does not say where its network ends.
    #[error(
        "the loss marks no output of its network; give the loss `at.output(y)` in the place of the network's y, with the tangents `at`"
    )]
    NoOutput,
    /// An entry of the vector does not fit.
    #[error("the vector's entry for `{path}` has another shape or number type than the parameter")]
    Vector {
        /// The parameter.
        path: String,
    },
}

/// A record that could not be written or read. The optimizer is as before.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file or its container is broken.
    #[error("the optimizer record {path} cannot be used: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the container says.
        reason: String,
    },
    /// The record was damaged.
    #[error(
        "the optimizer record is damaged: its checksum is {found:08x}, expected {expected:08x}; use another copy"
    )]
    Checksum {
        /// Of the bytes read.
        found: u32,
        /// In the record.
        expected: u32,
    },
    /// The record is of another method.
    #[error("the record is of the method `{found}`, this optimizer is `{expected}`")]
    Method {
        /// In the record.
        found: String,
        /// Of the optimizer.
        expected: &'static str,
    },
    /// The record was saved with another value of a hyper-parameter that the state depends on.
    #[error(
        "the record was saved with `{setting}` {found}, this optimizer has {expected}; build it with the record's setting, or start a new one"
    )]
    Setting {
        /// The hyper-parameter.
        setting: &'static str,
        /// In the record.
        found: String,
        /// Of the optimizer.
        expected: String,
    },
    /// Parameters cannot join the state.
    #[error(
        "{method} remembers points of all parameters together, so that none can join later; load the record for the model it is of, or start a new optimizer"
    )]
    Extension {
        /// The method.
        method: &'static str,
    },
    /// The model lacks a parameter of the record, or does not train it.
    #[error(
        "the model has no trainable parameter `{parameter}` as the record has; give it the model that was saved, with the same parameters trained"
    )]
    Layout {
        /// Its path, number type and shape.
        parameter: String,
    },
    /// Some parameters had no gradient in some steps, and the optimizer wants one of each.
    #[error(
        "some of the record's parameters had no gradient in some steps; load it into an optimizer that skips missing gradients (`with_missing_gradients`)"
    )]
    MissingGradients,
    /// The optimizer could not step on the model.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A part is missing or has the wrong type or size.
    #[error(
        "the record lacks a usable `{what}`; it was written by another version or with other settings, or is damaged"
    )]
    Part {
        /// Which part.
        what: String,
    },
}

fn nearest_path(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |path| format!("; the nearest path is `{path}`"))
}

/// Checks that `value` passes `test`, which NaN never does.
pub(crate) fn require(
    method: &'static str,
    parameter: &'static str,
    range: &'static str,
    value: f64,
    test: impl Fn(f64) -> bool,
) -> Result<(), ConfigError> {
    if test(value) {
        Ok(())
    } else {
        Err(ConfigError::OutOfRange { method, parameter, range, value })
    }
}

/// Checks a positive finite number.
pub(crate) fn require_positive(
    method: &'static str,
    parameter: &'static str,
    value: f64,
) -> Result<(), ConfigError> {
    require(method, parameter, "finite and above 0", value, |x| x > 0.0 && x.is_finite())
}

/// Checks the strength of a decay.
pub(crate) fn require_decay(method: &'static str, decay: Decay) -> Result<(), ConfigError> {
    let at_least_0 = |x: f64| x >= 0.0 && x.is_finite();
    require(
        method,
        "the strength of the decay",
        "finite and at least 0",
        decay.strength(),
        at_least_0,
    )
}

/// Checks a number against the range that its declaration says.
pub(crate) fn require_in(
    method: &'static str,
    parameter: &'static str,
    range: Range,
    value: impl Ranged,
) -> Result<(), ConfigError> {
    value.number().map_or(Ok(()), |value| {
        require(method, parameter, range.text(), value, |x| range.contains(x))
    })
}
