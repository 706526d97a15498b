//! Stochastic quasi-Newton and second-order optimizers for models written with Burn.

pub mod blocks;
pub mod burn_optim;
mod burn_schedule;
pub mod error;
mod group;
pub mod kernels;
pub mod method;
mod optimizer;
pub mod oracle;
mod record;

pub use burn_schedule::Scheduler;
pub use group::Group;
pub use method::{
    Decay,
    adabelief::AdaBeliefConfig,
    adam::AdamConfig,
    apollo::{ApolloConfig, Rebound},
    quasi_adam::{OnRejection, QuasiAdamConfig, Scope, replace_ema::QuasiAdamEmaConfig},
    radam::RAdamConfig,
    rmsprop::RmsPropConfig,
    sgd::{Momentum, SgdConfig},
};
pub use optimizer::Optimizer;
pub use oracle::Clipping;
pub use secant_core::{
    curvature::CurvatureTest,
    report::{Evals, Outcome, PairOutcome, Rejection, SkipReason, StepReport},
    schedule::Schedule,
};
