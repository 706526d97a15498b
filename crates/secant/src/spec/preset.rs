//! Methods with settings, by name: everything that can be compared, timed or replayed.

use super::{MethodSpec, auto};

pub use super::methods::PRESETS;

/// A method with settings.
#[derive(Debug)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// One line about it.
    pub line: &'static str,
    /// Vectors of memory; `n/2` of n parameters is the half of a matrix.
    pub vectors: &'static str,
    /// Gradients in a step.
    pub gradients: u8,
    /// The rate from which tuning starts; see also [`rate`](Self::rate).
    pub usual_rate: f64,
    /// Whether a comparison searches for its rate; else it has the usual one.
    pub is_tuned: bool,
    /// Whether a comparison includes it unless told otherwise.
    pub by_default: bool,
    pub(super) make: fn(&Run) -> MethodSpec,
}

/// What a run will be, as far as a preset's settings depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Steps in all.
    pub steps: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: usize,
    /// Records in a batch.
    pub batch_size: usize,
    /// How often a record passes through a dense layer: once, in a model of sequences once for each of its items.
    pub rows: usize,
    /// Trainable numbers.
    pub parameters: usize,
    /// Whether every step sees the same function.
    pub full_batch: bool,
    /// Whether parameters are in double precision.
    pub double_precision: bool,
}

impl Run {
    /// Long, in small batches: settings that depend on the run are the methods' own defaults.
    pub(super) const UNKNOWN: Self = Self {
        steps: u64::MAX,
        steps_per_epoch: 1,
        batch_size: 1,
        rows: 1,
        parameters: usize::MAX,
        full_batch: false,
        double_precision: false,
    };
}

impl Preset {
    /// The preset called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Whether it is a choice among the methods, made by the run, and no method with settings.
    pub fn chooses(&self) -> bool {
        self.name == auto::NAME
    }

    /// The rate to take where none is searched: the usual one, and of a preset that chooses the one for its
    /// batches.
    pub fn rate(&self, batch_size: usize, full_batch: bool) -> f64 {
        match self.chooses() && !full_batch {
            true => auto::rate(batch_size),
            false => self.usual_rate,
        }
    }

    /// The description, with settings for `run`.
    pub fn spec(&self, run: &Run) -> MethodSpec {
        (self.make)(run)
    }
}
