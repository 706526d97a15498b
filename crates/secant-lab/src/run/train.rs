//! Trains a network with an optimizer and records how it goes.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use burn::{module::Module, tensor::Device};
use secant::{AnyOptimizer, Batches, Rejection, Schedule, error::StepError, spec::SpecError};
use thiserror::Error;

use super::{
    Part, Quality,
    evaluate::evaluate,
    record::{Point, RegionStep},
    setup::{Falling, Setup},
    step::step,
};
use crate::{model::Network, problem::Problem};

/// A run that did not end.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The user stopped it.
    #[error("stopped")]
    Stopped,
    /// The optimizer cannot be made.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The batches cannot be made.
    #[error(transparent)]
    Config(#[from] secant::error::ConfigError),
    /// Differences of gradients are no Hessian products for this network.
    #[error(
        "differences of gradients to both sides disagree by {percent:.0} %: the network has kinks (ReLU, max-pooling), and they are no Hessian products; leave out --differences for exact ones, or add --allow-differences"
    )]
    Kinks {
        /// The disagreement.
        percent: f64,
    },
    /// A step broke its contract.
    #[error(transparent)]
    Step(StepError),
}

impl From<StepError> for TrainError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Kinks { asymmetry } => Self::Kinks { percent: 100.0 * asymmetry },
            error => Self::Step(error),
        }
    }
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its state after each evaluation.
    pub curve: Vec<Point>,
    /// Steps it rejected because a number was not finite.
    pub rejected_steps: u64,
    /// The steps of a trust-region method.
    pub trust_region: Vec<RegionStep>,
}

/// Trains; `after_epoch` is told of every epoch. The last, smaller batch of an epoch is left out.
///
/// # Errors
/// The user stopped it, or the optimizer cannot be used.
pub fn train(
    problem: &Problem,
    setup: Setup<'_>,
    stop: &AtomicBool,
    after_epoch: &dyn Fn(),
) -> Result<Outcome, TrainError> {
    let mut run = Run::new(problem, setup)?;
    let mut curve = vec![run.point(0, None)];
    for epoch in 0..setup.epochs {
        let train_loss = run.epoch(epoch, stop)?;
        curve.push(run.point(epoch + 1, Some(train_loss)));
        after_epoch();
    }
    Ok(Outcome { curve, rejected_steps: run.not_finite, trust_region: run.trust_region })
}

/// Gradients that an exact Hessian product counts as: its time is about twice that of one.
const PRODUCT: u64 = 2;

struct Run<'a> {
    problem: &'a Problem,
    setup: Setup<'a>,
    device: Device,
    network: Network,
    optimizer: AnyOptimizer<Network>,
    batches: Batches,
    schedule: Schedule,
    steps: u64,
    /// Records that gradients were evaluated on, and twice those of Hessian products.
    gradient_records: u64,
    spent: Duration,
    /// Records that a batch took beyond its epoch, since it had grown: the next epoch has fewer.
    overdrawn: usize,
    /// Steps rejected because a number was not finite.
    not_finite: u64,
    trust_region: Vec<RegionStep>,
}

impl<'a> Run<'a> {
    fn new(problem: &'a Problem, setup: Setup<'a>) -> Result<Self, TrainError> {
        let device = Device::default().autodiff();
        let dtype = setup.precision.dtype();
        let batches = setup.batches(problem.splits.train.len())?;
        let steps = (batches.per_epoch() * setup.epochs) as u64;
        Ok(Self {
            problem,
            setup,
            network: problem.network.init(setup.seed, dtype, &device),
            optimizer: setup.optimizer(&batches)?,
            batches,
            schedule: match setup.falling {
                Falling::Cosine => Schedule::cosine(setup.lr, steps, 0.0),
                Falling::Constant => Schedule::constant(setup.lr),
            },
            device,
            steps: 0,
            gradient_records: 0,
            spent: Duration::ZERO,
            overdrawn: 0,
            not_finite: 0,
            trust_region: Vec::new(),
        })
    }

    /// Trains for epoch `epoch`, from 0, whatever size its batches grow to; the mean loss over them.
    fn epoch(&mut self, epoch: usize, stop: &AtomicBool) -> Result<f64, TrainError> {
        let Setup { precision, products, .. } = self.setup;
        let data = &self.problem.splits.train;
        let device = self.device.clone();
        let part = Part { data, device: &device, dtype: precision.dtype() };
        let (mut sum, mut count) = (0.0, 0u32);
        let started = Instant::now();
        let overlap = self.setup.overlap();
        let all = self.batches.records() - overlap;
        let mut left = all.saturating_sub(self.overdrawn);
        self.overdrawn = self.overdrawn.saturating_sub(all);
        while left >= self.batches.size() - overlap {
            if stop.load(Ordering::Relaxed) {
                return Err(TrainError::Stopped);
            }
            let lr = self.schedule.rate(self.steps);
            let (network, batches) = (&mut self.network, &mut self.batches);
            let report = step(&mut self.optimizer, products, lr, network, batches, part)?;
            let taken = self.batches.size() - overlap;
            self.overdrawn += taken.saturating_sub(left);
            left = left.saturating_sub(taken);
            self.steps += 1;
            let passes = (epoch + 1) as f64 - left as f64 / all as f64;
            self.trust_region.extend(RegionStep::of(self.steps, passes, &report));
            self.gradient_records +=
                report.evals.gradient_records + PRODUCT * report.evals.hessian_vector_records;
            // A search that finds nothing is no fault of the numbers.
            self.not_finite += u64::from(!matches!(
                report.outcome,
                secant::Outcome::Accepted
                    | secant::Outcome::Converged
                    | secant::Outcome::Rejected(Rejection::NoDecrease)
            ));
            sum += report.loss.unwrap_or(f64::NAN);
            count += 1;
        }
        self.spent += started.elapsed();
        Ok(sum / f64::from(count))
    }

    /// The state of the run.
    fn point(&self, epoch: usize, train_loss: Option<f64>) -> Point {
        let splits = &self.problem.splits;
        let network = self.network.valid();
        let device = self.device.clone().inner();
        let dtype = self.setup.precision.dtype();
        let quality = |data| evaluate(&network, Part { data, device: &device, dtype });
        let validation = quality(&splits.validation);
        let test = if self.setup.with_test {
            quality(&splits.test)
        } else {
            Quality { loss: f64::NAN, accuracy: 0.0, two_classes: None }
        };
        Point {
            epoch: epoch as f64,
            steps: self.steps,
            gradient_evaluations: self.gradient_records / self.setup.batch_size as u64,
            seconds: self.spent.as_secs_f64(),
            train_loss: train_loss.filter(|loss| loss.is_finite()),
            validation_loss: validation.finite_loss(),
            validation_accuracy: validation.accuracy,
            test_loss: test.finite_loss(),
            test_accuracy: test.accuracy,
            test_balanced_accuracy: test.two_classes.map(|two| two.balanced_accuracy),
            test_f1: test.two_classes.map(|two| two.f1),
            test_auc: test.two_classes.map(|two| two.auc).filter(|auc| !auc.is_nan()),
        }
    }
}
