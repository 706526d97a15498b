//! `secant::prelude` beside Burn's: two globs that bring one name make its use an error.

#![allow(unused_imports, reason = "what is imported is the test")]

use burn::{optim::*, prelude::*};
use secant::prelude::*;

#[test]
fn every_name_of_the_prelude_can_be_used_beside_burns_preludes() {
    // Names that both had would not compile here.
    let _ = [
        size_of::<(AdaBeliefConfig, AdaHessianConfig, ApolloConfig, LBfgsConfig, LSsr1TrConfig)>(),
        size_of::<(MbLsr1Config, MultiBatchLBfgsConfig, OnlineLBfgsConfig, QuasiAdamConfig)>(),
        size_of::<(RAdamConfig, SdLBfgsConfig, SgdBbConfig, SqnConfig, SvrgConfig)>(),
        size_of::<(Batches, Clipping, Decay, Group, Outcome, Schedule, Scheduler, StepReport)>(),
        size_of::<(Duals<()>, WithProduct<(), ()>, Dual<1>, Tangents, &dyn Loss<()>)>(),
    ];
}
