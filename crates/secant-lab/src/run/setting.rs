//! What a run needs besides its problem, and the optimizer and batches that it makes of it.

use std::{fmt, str::FromStr};

use burn::module::Module;
use secant::{
    AnyOptimizer, Batches,
    error::ConfigError,
    spec::{Choice, Run},
};

use super::{TrainError, Treatment};
use crate::{Budget, Precision};

/// What a run needs besides its problem.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The method with its hyper-parameters.
    pub method: Choice,
    /// Its learning rate.
    pub lr: f64,
    /// Draws the weights and the order of the records.
    pub seed: u64,
    /// How long the run is.
    pub budget: Budget,
    /// Records in a batch.
    pub batch_size: usize,
    /// The number type.
    pub precision: Precision,
    /// Its schedule, clipping and groups.
    pub treatment: Treatment,
    /// How Hessian products are computed.
    pub products: HessianProducts,
}

/// How Hessian products are computed, for the methods that need them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HessianProducts {
    /// On dual numbers where the problem has them, else as differences.
    #[default]
    Exact,
    /// As differences of gradients; an error where the loss has kinks.
    Differences,
    /// As differences of gradients, whatever they are.
    AnyDifferences,
}

impl FromStr for HessianProducts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Exact, Self::Differences, Self::AnyDifferences];
        let found = known.into_iter().find(|products| products.to_string() == text);
        found.ok_or_else(|| {
            let known = known.map(|products| format!("`{products}`"));
            format!("Hessian products are one of {}", known.join(", "))
        })
    }
}

impl fmt::Display for HessianProducts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Differences => "differences",
            Self::AnyDifferences => "differences, also across kinks",
        })
    }
}

impl Setting {
    /// Records that consecutive batches share.
    pub(super) fn overlap(&self) -> usize {
        if self.method.method() == "multi-batch-lbfgs" { self.batch_size / 4 } else { 0 }
    }

    /// The batches of so many records.
    ///
    /// # Errors
    /// A batch that is larger than all records.
    pub(super) fn batches(&self, records: usize) -> Result<Batches, ConfigError> {
        Batches::shuffled(records, self.batch_size, self.seed)?.with_overlap(self.overlap())
    }

    /// About how many steps a run over so many records has.
    ///
    /// # Errors
    /// A batch that is larger than all records.
    pub(crate) fn expected_steps(&self, records: usize) -> Result<u64, ConfigError> {
        Ok(self.steps(&self.batches(records)?))
    }

    /// About how many steps the run has: of a budget in seconds nothing is known, so the steps of ten
    /// epochs.
    fn steps(&self, batches: &Batches) -> u64 {
        let gradients = f64::from(self.method.preset().gradients.max(1));
        let steps = match self.budget {
            Budget::Evaluations(records) => records as f64 / self.batch_size as f64 / gradients,
            Budget::Epochs(epochs) => epochs * batches.per_epoch() as f64,
            Budget::Seconds(_) => 10.0 * batches.per_epoch() as f64,
        };
        (steps as u64).max(1)
    }

    /// The optimizer of so many parameters, through whose dense layers each record passes so many times.
    ///
    /// # Errors
    /// A hyper-parameter out of its range, or a treatment that the method does not allow.
    pub(super) fn optimizer<M: Module + 'static>(
        &self,
        batches: &Batches,
        rows: usize,
        parameters: usize,
    ) -> Result<AnyOptimizer<M>, TrainError> {
        let run = Run {
            steps: self.steps(batches),
            steps_per_epoch: batches.per_epoch(),
            batch_size: self.batch_size,
            rows,
            parameters,
            full_batch: batches.size() == batches.records(),
            double_precision: self.precision == Precision::F64,
        };
        let optimizer = self.treatment.apply(self.method.init(&run)?)?;
        Ok(match self.products {
            HessianProducts::AnyDifferences => optimizer.allow_differences(),
            HessianProducts::Exact | HessianProducts::Differences => optimizer,
        })
    }
}
