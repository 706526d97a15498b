//! What a run needs besides its problem, and the optimizer and batches that it makes of it.

use secant::{
    AnyOptimizer, Batches,
    error::ConfigError,
    spec::{Choice, Run, SpecError},
};

use crate::{model::Network, problem::Precision};

/// What a run needs besides its problem.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// The optimizer.
    pub optimizer: &'a Choice,
    /// Its learning rate.
    pub lr: f64,
    /// Draws the weights and the order of the records.
    pub seed: u64,
    /// Passes over the training records.
    pub epochs: usize,
    /// Records in a batch.
    pub batch_size: usize,
    /// The number type.
    pub precision: Precision,
    /// How the rate falls.
    pub falling: Falling,
    /// How Hessian products are computed.
    pub products: HessianProducts,
    /// Whether the test records are evaluated too; tuning must not see them.
    pub with_test: bool,
}

/// How every method's rate falls over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Falling {
    /// As a cosine to 0: with a constant rate the last epoch is a matter of luck.
    Cosine,
    /// Not at all.
    Constant,
}

impl Falling {
    /// As in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine to 0",
            Self::Constant => "constant",
        }
    }
}

/// How Hessian products are computed, for the methods that need them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HessianProducts {
    /// On dual numbers.
    Exact,
    /// As differences of gradients; an error where the loss has kinks.
    Differences,
    /// As differences of gradients, whatever they are.
    AnyDifferences,
}

impl HessianProducts {
    /// As in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Differences => "differences",
            Self::AnyDifferences => "differences, also across kinks",
        }
    }
}

impl Setup<'_> {
    /// Records that consecutive batches share.
    pub(super) fn overlap(&self) -> usize {
        if self.optimizer.method() == "multi-batch-lbfgs" { self.batch_size / 4 } else { 0 }
    }

    /// The batches of so many records.
    ///
    /// # Errors
    /// A batch that is larger than all records.
    pub(super) fn batches(&self, records: usize) -> Result<Batches, ConfigError> {
        Batches::shuffled(records, self.batch_size, self.seed)?.with_overlap(self.overlap())
    }

    /// The optimizer.
    ///
    /// # Errors
    /// A hyper-parameter out of its range.
    pub(super) fn optimizer(&self, batches: &Batches) -> Result<AnyOptimizer<Network>, SpecError> {
        let steps_per_epoch = batches.per_epoch();
        let run = Run {
            steps: (steps_per_epoch * self.epochs) as u64,
            steps_per_epoch,
            batch_size: self.batch_size,
            full_batch: batches.size() == batches.records(),
        };
        let optimizer = self.optimizer.spec(Some(&run))?.init()?;
        Ok(match self.products {
            HessianProducts::AnyDifferences => optimizer.allow_differences(),
            HessianProducts::Exact | HessianProducts::Differences => optimizer,
        })
    }
}
