//! What a benchmark times, and the memory that a step of it must move.

use std::{fmt, str::FromStr};

use secant::{
    protocol::Traffic,
    spec::{Choice, MethodSpec, PRESETS, Run, SpecError},
};

use super::{
    Shapes,
    contender::{BoxedContender, burn_adam, ours},
};

/// A method that steps along ready gradients, or Burn's own Adam.
#[derive(Clone, Debug, PartialEq)]
pub enum BenchMethod {
    /// One of ours.
    Ours(Choice),
    /// Burn's Adam, for comparison.
    BurnAdam,
}

/// The name of Burn's Adam.
const BURN_ADAM: &str = "burn-adam";

/// What is not known of a run is as in a long one.
const RUN: Run = Run {
    steps: 10_000,
    steps_per_epoch: 100,
    batch_size: 1,
    rows: 1,
    parameters: 10_000,
    full_batch: false,
    double_precision: false,
};

/// What Burn's Adam would need: no more than ours.
const ADAM: Traffic = Traffic { reads: 4, writes: 3 };

/// Its factors of one vector of 10,000,000 numbers would take 82 GB.
const NOT_OF_ONE_TENSOR: &str = "shampoo";

impl BenchMethod {
    /// All that can be timed on these tensors, with their usual settings.
    pub fn all(shapes: Shapes) -> Vec<Self> {
        let takes_gradients = |spec: &MethodSpec| spec.needs_loss().is_ok_and(|needs| !needs);
        let fits = |name: &str| shapes != Shapes::OneTensor || name != NOT_OF_ONE_TENSOR;
        let ours = PRESETS
            .iter()
            .filter(|preset| takes_gradients(&preset.spec(&RUN)) && fits(preset.name));
        ours.map(|preset| Self::Ours(preset.into())).chain([Self::BurnAdam]).collect()
    }

    /// Vectors that a step reads and writes at least, where they have been counted. The guard reads the
    /// gradient once more.
    pub fn traffic(&self, guard: bool) -> Option<Traffic> {
        let Traffic { reads, writes } = match self {
            Self::Ours(choice) => choice.spec(Some(&RUN)).ok()?.traffic().ok()??,
            Self::BurnAdam => ADAM,
        };
        Some(Traffic { reads: reads + usize::from(guard), writes })
    }

    /// Whether it is ours, and can look for values that are not finite before it writes.
    pub fn has_guard(&self) -> bool {
        *self != Self::BurnAdam
    }

    /// The optimizer with a model of its own, at a rate at which random gradients take it nowhere.
    pub(super) fn contender(
        &self,
        shapes: Shapes,
        guard: bool,
    ) -> Result<BoxedContender, SpecError> {
        match self {
            Self::Ours(choice) => {
                let optimizer = choice.spec(Some(&RUN))?.init()?;
                Ok(ours(optimizer, shapes, guard, 0.01 * choice.preset().usual_rate))
            }
            Self::BurnAdam => Ok(burn_adam(shapes, 3e-5)),
        }
    }
}

impl fmt::Display for BenchMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(choice) => choice.fmt(f),
            Self::BurnAdam => f.write_str(BURN_ADAM),
        }
    }
}

impl FromStr for BenchMethod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == BURN_ADAM {
            return Ok(Self::BurnAdam);
        }
        let choice: Choice = text.parse().map_err(|error: SpecError| error.to_string())?;
        let needs_loss = choice.spec(Some(&RUN)).and_then(|spec| Ok(spec.needs_loss()?));
        match needs_loss.map_err(|error| error.to_string())? {
            false => Ok(Self::Ours(choice)),
            true => Err(format!(
                "`{choice}` evaluates its loss itself; `secant-dev bench function` times it"
            )),
        }
    }
}
