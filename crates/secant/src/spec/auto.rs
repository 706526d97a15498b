//! `auto`: one choice for people who do not want to choose.

use super::{MethodSpec, Preset, Run, SwitchSpec};
use crate::{
    method::{
        dense::ss_broyden::SsBroydenConfig, layer_wise::soap::SoapConfig,
        lbfgs::l_bfgs::LBfgsConfig,
    },
    optimizer::{SwitchAt, SwitchConfig},
};

pub(super) const NAME: &str = "auto";

/// The rate at which SOAP was the best on most problems without tuning.
const RATE: f64 = 0.03;

/// The records in a batch from which that rate is right. The gradient's noise grows as a batch shrinks, and a
/// step through noise does best at a rate that falls with the root of the batch.
const RECORDS: f64 = 256.0;

/// Parameters up to which a dense matrix pays: a step then reads 400 MB three times.
const DENSE_UP_TO: usize = 10_000;

/// The part of a run after which SOAP has done what it does well on a smooth function.
const FIRST_PART: u64 = 6;

/// What it chooses:
/// - where every step has another batch: SOAP, at a rate of 0.03 that falls with the root of a batch below 256
///   records;
/// - where every step sees the same function: SOAP with bases that turn every 5 steps for a sixth of the
///   run, then self-scaled Broyden; L-BFGS in its place for more than 10,000 parameters and in single
///   precision, in which a whole matrix learns rounding.
pub(super) const AUTO: Preset = Preset {
    name: NAME,
    line: "SOAP, untuned; on one unchanging function then ss-broyden or l-bfgs",
    vectors: "2",
    gradients: 1,
    usual_rate: RATE,
    is_tuned: false,
    by_default: true,
    make: choose,
};

/// The rate where every step has another batch of so many records.
pub(super) fn rate_for_batches(batch_size: usize) -> f64 {
    let exact = RATE * (batch_size as f64 / RECORDS).sqrt().min(1.0);
    // Four digits after the point say all there is to say.
    (1e4 * exact).round().max(1.0) / 1e4
}

fn choose(run: &Run) -> MethodSpec {
    let soap = SoapConfig::new();
    if !run.full_batch {
        return MethodSpec::Soap(soap);
    }
    let then = match run.double_precision && run.parameters <= DENSE_UP_TO {
        true => MethodSpec::SsBroyden(SsBroydenConfig::new().with_full_batch(true)),
        false => MethodSpec::LBfgs(LBfgsConfig::new().with_full_batch(true)),
    };
    let at = SwitchAt::Step((run.steps / FIRST_PART).max(1));
    MethodSpec::Switch(Box::new(SwitchSpec {
        first: MethodSpec::Soap(soap.with_precondition_frequency(5)),
        then,
        config: SwitchConfig::new().with_at(at).with_rate(Some(1.0)),
    }))
}
