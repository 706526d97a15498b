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
//!     let report = optimizer.step(1e-2, &mut model, |model: &Linear| {
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
//! - [`prelude`]: what a training loop needs, for one `use`; it does not collide with Burn's.
//! - [`spec::MethodSpec`]: a method with all its hyper-parameters as data, and all presets by name.
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
mod collective;
pub mod dual;
pub mod error;
pub mod hyper_parameter;
pub mod method;
mod nearest;
mod objective;
pub mod operator;
mod optimizer;
pub mod oracle;
mod preconditioner;
pub mod prelude;
pub mod protocol;
pub mod spec;

pub use batches::Batches;
pub use burn_schedule::Scheduler;
pub use collective::{Alone, Collective};
pub use method::{
    diagonal::{adahessian::Averaging, apollo::Rebound},
    first_order::sgd::Momentum,
    layer_wise::muon::{AdjustLrFn, MatrixLayout},
    layer_wise::shampoo::{Graft, LargeDimensions},
    layer_wise::soap::KernelShape,
    lbfgs::{
        RateDecay,
        l_bfgs::{LineSearch, Rules},
        quasi_adam::{OnRejection, Scope},
        sd_lbfgs::PairSource,
    },
    trust_region::{
        InitialMatrix,
        l_ssr1_tr::Search,
        mb_lsr1::{Restart, Sampling},
    },
};
pub use objective::AdamMetric;
pub use optimizer::{
    AnyOptimizer, FunctionOptimizer, Group, MissingGradients, Optimizer, Stall, SwitchAt,
    SwitchConfig,
};
pub use oracle::{Clipping, Duals, Function, Loss, WithProduct};
pub use protocol::Decay;
pub use secant_core::{
    barzilai_borwein::{Formula, Safeguard},
    compact::Tolerances,
    curvature::CurvatureTest,
    line_search::{ArmijoSettings, LowPoint, WolfeSettings},
    report::{
        BatchCheck, Chosen, Evals, LineSearchReport, Outcome, PairOutcome, Rejection, SkipReason,
        StepReport, TrustRegionReport,
    },
    schedule::Schedule,
    self_scaling::Rule as SelfScaling,
    trust_region::{
        radius::{AveragedRule, TwoSidedRule},
        subproblem::Case,
    },
};
pub use spec::{MethodSpec, configs::*};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
