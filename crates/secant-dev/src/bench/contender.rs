//! An optimizer with a model of its own, ready to step.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::ensure;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use secant::{AnyOptimizer, error::StepError};

use super::{
    Shapes,
    model::{BenchModel, Gradients},
};

/// An optimizer that steps a model of its own.
pub(super) trait Contender {
    /// The model it steps.
    fn model(&self) -> &BenchModel;

    /// One step; whether it was accepted.
    fn step(&mut self, gradients: GradientsParams) -> Result<bool, StepError>;

    /// Bytes that its state takes, where it says so.
    fn state_bytes(&self) -> Option<usize>;
}

pub(super) type BoxedContender = Box<dyn Contender>;

/// One of our optimizers.
pub(super) fn ours(
    optimizer: AnyOptimizer<BenchModel>,
    shapes: Shapes,
    guard: bool,
    lr: f64,
) -> BoxedContender {
    let optimizer = if guard { optimizer } else { optimizer.without_guard() };
    Box::new(Ours { optimizer, model: BenchModel::new(shapes), lr })
}

struct Ours {
    optimizer: AnyOptimizer<BenchModel>,
    model: BenchModel,
    lr: f64,
}

impl Contender for Ours {
    fn model(&self) -> &BenchModel {
        &self.model
    }

    fn step(&mut self, gradients: GradientsParams) -> Result<bool, StepError> {
        let report = self.optimizer.step_with_gradients(self.lr, &mut self.model, gradients)?;
        Ok(report.is_accepted())
    }

    fn state_bytes(&self) -> Option<usize> {
        Some(self.optimizer.state_bytes())
    }
}

/// Burn's Adam.
pub(super) fn burn_adam(shapes: Shapes, lr: f64) -> BoxedContender {
    let optimizer = AdamConfig::new().with_epsilon(1e-8).init();
    Box::new(Burns { optimizer, model: Some(BenchModel::new(shapes)), lr })
}

struct Burns {
    optimizer: ModuleOptimizer,
    /// There between two steps; a step takes it and gives it back.
    model: Option<BenchModel>,
    lr: f64,
}

impl Contender for Burns {
    fn model(&self) -> &BenchModel {
        self.model.as_ref().expect("there between two steps")
    }

    fn step(&mut self, gradients: GradientsParams) -> Result<bool, StepError> {
        let model = self.model.take().expect("there between two steps");
        self.model = Some(self.optimizer.step(self.lr, model, gradients));
        Ok(true)
    }

    fn state_bytes(&self) -> Option<usize> {
        None
    }
}

/// A contender with the gradients of its next steps.
pub(super) struct Prepared {
    contender: BoxedContender,
    ahead: usize,
    waiting: VecDeque<GradientsParams>,
    steps: usize,
}

impl Prepared {
    pub(super) fn new(contender: BoxedContender, ahead: usize) -> Self {
        Self { contender, ahead, waiting: VecDeque::new(), steps: 0 }
    }

    /// The time of one step. Making the gradient is not in it, freeing it is.
    pub(super) fn timed_step(&mut self, gradients: &Gradients) -> anyhow::Result<Duration> {
        while self.waiting.len() + 1 < self.ahead {
            self.prepare(gradients);
        }
        self.prepare(gradients);
        let Some(next) = self.waiting.pop_front() else { return Ok(Duration::ZERO) };
        let start = Instant::now();
        let accepted = self.contender.step(next)?;
        let time = start.elapsed();
        ensure!(accepted, "a step of the benchmark was rejected");
        Ok(time)
    }

    /// Frees the gradients that wait.
    pub(super) fn rest(&mut self) {
        self.waiting.clear();
    }

    fn prepare(&mut self, gradients: &Gradients) {
        self.waiting.push_back(gradients.of(self.contender.model(), self.steps));
        self.steps += 1;
    }

    pub(super) fn state_bytes(&self) -> Option<usize> {
        self.contender.state_bytes()
    }
}
