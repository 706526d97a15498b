//! The optimizers known by name, and how a comparison sets them up.

use burn::module::Module;
use secant::{
    AdaBeliefConfig, AdamConfig, ApolloConfig, Decay, Momentum, QuasiAdamConfig,
    QuasiAdamEmaConfig, RAdamConfig, RmsPropConfig, SgdConfig, error::ConfigError,
};
use thiserror::Error;

use crate::optimizer::{BoxedOptimizer, boxed};

/// An optimizer known by name.
#[derive(Debug, PartialEq)]
pub struct OptimizerEntry {
    /// The name.
    pub name: &'static str,
    /// One line about it.
    pub line: &'static str,
    /// Vectors of memory.
    pub vectors: u8,
    /// Gradients in a step.
    pub gradients: u8,
    /// The rate from which tuning starts.
    pub usual_rate: f64,
    /// Whether a comparison includes it unless told otherwise.
    pub by_default: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sgd,
    SgdMomentum,
    SgdNesterov,
    Adam,
    AdamW,
    RmsProp,
    RAdam,
    AdaBelief,
    Apollo,
    ApolloW,
    QuasiAdam,
    QuasiAdamPaper,
    QuasiAdamSameBatch,
    QuasiAdamEma,
}

/// No optimizer has this name.
#[derive(Debug, Error)]
#[error("there is no optimizer `{name}`; known are {known}")]
pub struct UnknownOptimizer {
    name: String,
    known: String,
}

/// All optimizers.
#[rustfmt::skip]
pub static OPTIMIZERS: [OptimizerEntry; 14] = [
    entry("sgd", "stochastic gradient descent", 0, 1, 0.1, true, Kind::Sgd),
    entry("sgd-momentum", "SGD with momentum 0.9", 1, 1, 0.03, true, Kind::SgdMomentum),
    entry("sgd-nesterov", "SGD with Nesterov's momentum 0.9", 1, 1, 0.03, false, Kind::SgdNesterov),
    entry("adam", "Adam", 2, 1, 3e-3, true, Kind::Adam),
    entry("adamw", "Adam with decoupled decay 0.01", 2, 1, 3e-3, true, Kind::AdamW),
    entry("rmsprop", "RMSprop", 1, 1, 1e-3, true, Kind::RmsProp),
    entry("radam", "Adam with a rectified start", 2, 1, 3e-3, true, Kind::RAdam),
    entry("adabelief", "Adam that divides by the gradient's surprise", 2, 1, 3e-3, true, Kind::AdaBelief),
    entry("apollo", "diagonal quasi-Newton, parameter by parameter", 3, 1, 0.03, true, Kind::Apollo),
    entry("apollow", "Apollo with decoupled decay 0.025", 3, 1, 0.03, false, Kind::ApolloW),
    entry("quasi-adam", "Adam plus a capped quasi-Newton step of one pair", 4, 1, 3e-3, true, Kind::QuasiAdam),
    entry("quasi-adam-paper", "Quasi-Adam with the rate of the paper", 4, 1, 3e-3, false, Kind::QuasiAdamPaper),
    entry("quasi-adam-same-batch", "Quasi-Adam, pairs from one batch", 4, 2, 3e-3, false, Kind::QuasiAdamSameBatch),
    entry("quasi-adam-ema", "the variant in the Quasi-Adam authors' code", 3, 1, 1e-3, false, Kind::QuasiAdamEma),
];

const fn entry(
    name: &'static str,
    line: &'static str,
    vectors: u8,
    gradients: u8,
    usual_rate: f64,
    by_default: bool,
    kind: Kind,
) -> OptimizerEntry {
    OptimizerEntry { name, line, vectors, gradients, usual_rate, by_default, kind }
}

/// Apollo's warm-up is part of the method: 500 updates, or a tenth of a short run.
fn apollo(steps: u64) -> ApolloConfig {
    ApolloConfig::new().with_warmup(500.min(steps / 10))
}

impl OptimizerEntry {
    /// The optimizer called `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<&'static Self, UnknownOptimizer> {
        OPTIMIZERS.iter().find(|entry| entry.name == name).ok_or_else(|| {
            let known: Vec<&str> = OPTIMIZERS.iter().map(|entry| entry.name).collect();
            UnknownOptimizer { name: name.to_string(), known: known.join(", ") }
        })
    }

    /// The optimizer for a run of `steps` steps.
    ///
    /// # Errors
    /// A hyper-parameter out of its range.
    pub fn build<M: Module + 'static>(&self, steps: u64) -> Result<BoxedOptimizer<M>, ConfigError> {
        let momentum = SgdConfig::new().with_momentum(Momentum::torch(0.9));
        match self.kind {
            Kind::Sgd => boxed(SgdConfig::new().init()?),
            Kind::SgdMomentum => boxed(momentum.init()?),
            Kind::SgdNesterov => boxed(momentum.with_momentum(Momentum::nesterov(0.9)).init()?),
            Kind::Adam => boxed(AdamConfig::new().init()?),
            Kind::AdamW => boxed(AdamConfig::adamw().init()?),
            Kind::RmsProp => boxed(RmsPropConfig::new().init()?),
            Kind::RAdam => boxed(RAdamConfig::new().init()?),
            Kind::AdaBelief => boxed(AdaBeliefConfig::new().init()?),
            Kind::Apollo => boxed(apollo(steps).init()?),
            Kind::ApolloW => boxed(apollo(steps).with_decay(Decay::Decoupled(2.5e-2)).init()?),
            Kind::QuasiAdam => boxed(QuasiAdamConfig::new().init()?),
            Kind::QuasiAdamPaper => boxed(QuasiAdamConfig::paper().init()?),
            Kind::QuasiAdamSameBatch => boxed(QuasiAdamConfig::new().init_same_batch()?),
            Kind::QuasiAdamEma => boxed(QuasiAdamEmaConfig::new().init()?),
        }
    }
}
