//! What a training loop needs: `use secant::prelude::*`.
//!
//! Nothing here has a name of `burn::prelude` or `burn::optim`: [`Optimizer`](crate::Optimizer),
//! [`AdamConfig`](crate::AdamConfig), [`RmsPropConfig`](crate::RmsPropConfig) and
//! [`SgdConfig`](crate::SgdConfig) are to be named with their crate, or imported one by one.

pub use crate::{
    AdaBeliefConfig, AdaHessianConfig, ApolloConfig, Batches, Clipping, Decay, Duals, Group,
    LBfgsConfig, LSsr1TrConfig, Loss, MbLsr1Config, MultiBatchLBfgsConfig, OnlineLBfgsConfig,
    Outcome, QuasiAdamConfig, RAdamConfig, Schedule, Scheduler, SdLBfgsConfig, SgdBbConfig,
    SqnConfig, StepReport, SvrgConfig, WithProduct,
    dual::{Dual, Tangents},
};
