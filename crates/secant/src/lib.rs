//! Stochastic quasi-Newton and second-order optimizers for models written with
//! [Burn](https://burn.dev) 0.22.
//!
//! An optimizer is built from a configuration and steps a module on the loss of a batch:
//!
//! ```
//! use burn::{
//!     nn::{Linear, LinearConfig},
//!     tensor::{Device, Tensor},
//! };
//! use secant::QuasiAdamConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Device::default().autodiff();
//! let mut model: Linear = LinearConfig::new(2, 1).init(&device);
//! let inputs = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0]], &device);
//! let mut optimizer = QuasiAdamConfig::new().init()?;
//! for _ in 0..10 {
//!     let report = optimizer.step(1e-2, &mut model, |model| {
//!         model.forward(inputs.clone()).powi_scalar(2).mean()
//!     })?;
//!     assert!(report.is_accepted());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to start
//!
//! - [`Optimizer`]: steps, groups, clipping, saving and loading, and what every step promises.
//! - [`method`]: one page for each optimizer, with its algorithm, its cost, and when not to use it.
//! - [`StepReport`]: what a step did and cost.
//! - [`dual`]: exact Hessian-vector products.
//! - [`burn_optim`]: the same methods for Burn's `ModuleOptimizer` and `Learner`.
//! - [`Schedule`] and [`Scheduler`]: learning rates over time.
//!
//! # Features
//!
//! `flex` (default): Burn's CPU backend in Rust. `cuda`, `wgpu`, `vulkan`, `metal`, `rocm`,
//! `libtorch` pass through to Burn. Steps run in host memory: on another device than the CPU,
//! parameters and gradients travel to the host and back in every step.

#![deny(missing_docs)]

mod batches;
pub mod blocks;
pub mod burn_optim;
mod burn_schedule;
pub mod dual;
pub mod error;
mod group;
pub mod kernels;
pub mod method;
pub mod operator;
mod optimizer;
pub mod oracle;
mod record;
mod vectors;

pub use batches::Batches;
pub use burn_schedule::Scheduler;
pub use group::Group;
pub use method::{
    Decay, RateDecay,
    adabelief::AdaBeliefConfig,
    adahessian::{AdaHessianConfig, Averaging},
    adam::AdamConfig,
    apollo::{ApolloConfig, Rebound},
    l_ssr1_tr::{LSsr1TrConfig, Search},
    lbfgs::{LBfgsConfig, LineSearch, Rules},
    mb_lsr1::{InitialMatrix, MbLsr1Config, Restart, Sampling},
    multi_batch::MultiBatchLBfgsConfig,
    online_lbfgs::OnlineLBfgsConfig,
    quasi_adam::{OnRejection, QuasiAdamConfig, Scope, replace_ema::QuasiAdamEmaConfig},
    radam::RAdamConfig,
    rmsprop::RmsPropConfig,
    sd_lbfgs::{PairSource, SdLBfgsConfig},
    sgd::{Momentum, SgdConfig},
    sgd_bb::SgdBbConfig,
    sqn::SqnConfig,
    svrg::SvrgConfig,
};
pub use optimizer::Optimizer;
pub use oracle::{Clipping, Function};
pub use secant_core::{
    barzilai_borwein::{Formula, Safeguard},
    compact::Tolerances,
    curvature::CurvatureTest,
    line_search::{ArmijoSettings, LowPoint, WolfeSettings},
    report::{
        BatchCheck, Evals, LineSearchReport, Outcome, PairOutcome, Rejection, SkipReason,
        StepReport, TrustRegionReport,
    },
    schedule::Schedule,
    trust_region::{
        radius::{AveragedRule, TwoSidedRule},
        subproblem::Case,
    },
};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
