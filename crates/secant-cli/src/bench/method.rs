//! What a benchmark times, and the memory that a step of it must move.

use std::{fmt, str::FromStr};

use secant::spec::{Choice, PRESETS, Run, SpecError, Traffic};

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

/// What Burn's Adam would need: no more than ours.
const ADAM: Traffic = Traffic { reads: 4, writes: 3 };

impl BenchMethod {
    /// All that can be timed, with their usual settings.
    pub fn all() -> Vec<Self> {
        let ours = PRESETS.iter().filter(|preset| preset.traffic.is_some());
        ours.map(|preset| Self::Ours(preset.into())).chain([Self::BurnAdam]).collect()
    }

    /// Vectors that a step reads and writes at least. The guard reads the gradient once more.
    pub fn traffic(&self, guard: bool) -> Traffic {
        let Traffic { reads, writes } = match self {
            Self::Ours(choice) => choice.preset().traffic.unwrap_or(ADAM),
            Self::BurnAdam => ADAM,
        };
        Traffic { reads: reads + u8::from(guard), writes }
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
        let run = Run { steps: 10_000, steps_per_epoch: 100, batch_size: 1, full_batch: false };
        match self {
            Self::Ours(choice) => {
                let optimizer = choice.spec(Some(&run))?.init()?;
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
        match choice.preset().traffic {
            Some(_) => Ok(Self::Ours(choice)),
            None => Err(format!(
                "`{choice}` evaluates its loss itself; `secant bench function` times it"
            )),
        }
    }
}
