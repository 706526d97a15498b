//! The optimizers known by name, and how a comparison sets them up.

use secant::{
    AdaBeliefConfig, AdaHessianConfig, AdamConfig, ApolloConfig, Decay, LBfgsConfig, LSsr1TrConfig,
    MbLsr1Config, Momentum, MultiBatchLBfgsConfig, MuonConfig, OnlineLBfgsConfig, QuasiAdamConfig,
    RAdamConfig, RmsPropConfig, SdLBfgsConfig, SgdBbConfig, SgdConfig, SqnConfig, SvrgConfig,
    error::ConfigError, method::lbfgs::quasi_adam::replace_ema::QuasiAdamEmaConfig,
};
use thiserror::Error;

use crate::optimizer::{OfAnyMethod, boxed};

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
    LBfgs,
    LBfgsTorch,
    SdLBfgs,
    OnlineLBfgs,
    MultiBatchLBfgs,
    Sqn,
    Svrg,
    SvrgBb,
    SgdBb,
    AdaHessian,
    AdaHessianStudy,
    Muon,
    MbLsr1,
    LSsr1Tr,
}

/// What a run will be, as far as an optimizer's settings depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// Steps in all.
    pub steps: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: usize,
    /// Records in a batch.
    pub batch_size: usize,
    /// Whether every step sees the same function.
    pub full_batch: bool,
    /// Pairs of methods like L-BFGS, if not the method's usual number.
    pub memory: Option<usize>,
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
pub static OPTIMIZERS: [OptimizerEntry; 28] = [
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
    entry("adahessian", "Adam with the Hessian's diagonal, exact products", 2, 3, 0.1, false, Kind::AdaHessian),
    entry("adahessian-study", "AdaHessian as in the EPFL study: eps 1e-8, no averaging", 2, 3, 0.1, false, Kind::AdaHessianStudy),
    entry("muon", "momentum made orthogonal, matrix by matrix; AdamW for the rest", 1, 1, 0.02, false, Kind::Muon),
    entry("l-bfgs", "L-BFGS with a line search on each batch", 20, 2, 1.0, false, Kind::LBfgs),
    entry("l-bfgs-torch", "PyTorch's L-BFGS: 20 iterations a step, no search", 202, 20, 0.1, false, Kind::LBfgsTorch),
    entry("sd-lbfgs", "stochastic damped L-BFGS", 20, 2, 3.0, false, Kind::SdLBfgs),
    entry("o-lbfgs", "online L-BFGS", 20, 2, 0.1, false, Kind::OnlineLBfgs),
    entry("multi-batch-lbfgs", "L-BFGS with pairs from what batches share", 20, 2, 0.1, false, Kind::MultiBatchLBfgs),
    entry("sqn", "quasi-Newton with pairs from Hessian products", 22, 2, 0.1, false, Kind::Sqn),
    entry("mb-lsr1", "indefinite L-SR1 in a trust region, on batches that grow", 33, 2, 1.0, false, Kind::MbLsr1),
    entry("l-ssr1-tr", "indefinite L-SR1 in a trust region, with a line search", 33, 2, 1.0, false, Kind::LSsr1Tr),
    entry("svrg", "variance-reduced SGD", 2, 3, 0.1, false, Kind::Svrg),
    entry("svrg-bb", "SVRG with Barzilai-Borwein rates", 2, 3, 0.1, false, Kind::SvrgBb),
    entry("sgd-bb", "SGD with Barzilai-Borwein rates", 3, 1, 0.01, false, Kind::SgdBb),
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

    /// Records that consecutive batches of `batch_size` share.
    pub fn overlap(&self, batch_size: usize) -> usize {
        if self.kind == Kind::MultiBatchLBfgs { batch_size / 4 } else { 0 }
    }

    /// The optimizer for a run.
    ///
    /// # Errors
    /// A hyper-parameter out of its range.
    pub fn build<B: OfAnyMethod>(&self, horizon: Horizon) -> Result<B, ConfigError> {
        let Horizon { steps, steps_per_epoch, batch_size, full_batch, .. } = horizon;
        let memory = horizon.memory.unwrap_or(10);
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
            Kind::AdaHessian => boxed(AdaHessianConfig::new().init()?),
            Kind::AdaHessianStudy => boxed(AdaHessianConfig::study().init()?),
            Kind::Muon => boxed(MuonConfig::new().init()?),
            Kind::LBfgs => boxed(
                LBfgsConfig::new().with_history_size(memory).with_full_batch(full_batch).init()?,
            ),
            Kind::LBfgsTorch => {
                let memory = horizon.memory.unwrap_or(100);
                boxed(LBfgsConfig::torch().with_history_size(memory).init()?)
            }
            Kind::SdLBfgs => boxed(SdLBfgsConfig::new().with_memory(memory).init()?),
            Kind::OnlineLBfgs => boxed(OnlineLBfgsConfig::new().with_memory(memory).init()?),
            Kind::MultiBatchLBfgs => {
                boxed(MultiBatchLBfgsConfig::new().with_memory(memory).init()?)
            }
            Kind::Sqn => boxed(SqnConfig::new(4 * batch_size).with_memory(memory).init()?),
            Kind::MbLsr1 => {
                let preset =
                    if full_batch { MbLsr1Config::full_batch() } else { MbLsr1Config::new() };
                boxed(preset.with_memory(horizon.memory.unwrap_or(16)).init()?)
            }
            Kind::LSsr1Tr => {
                let preset =
                    if full_batch { LSsr1TrConfig::full_batch() } else { LSsr1TrConfig::new() };
                boxed(preset.with_memory(horizon.memory.unwrap_or(16)).init()?)
            }
            Kind::Svrg => boxed(SvrgConfig::new(steps_per_epoch).init()?),
            Kind::SvrgBb => {
                boxed(SvrgConfig::new(steps_per_epoch).with_barzilai_borwein(true).init()?)
            }
            Kind::SgdBb => boxed(SgdBbConfig::new(steps_per_epoch).init()?),
        }
    }
}
