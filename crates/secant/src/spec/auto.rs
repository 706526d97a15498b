//! `auto`: one choice for people who do not want to choose.

use burn::module::Module;
use secant_core::report::Chosen;

use super::{MethodSpec, Preset, Run, SwitchSpec};
use crate::{
    error::ConfigError,
    method::{
        dense::ss_broyden::SsBroydenConfig,
        layer_wise::{self, soap::SoapConfig},
        lbfgs::l_bfgs::LBfgsConfig,
    },
    optimizer::{AnyOptimizer, SwitchAt, SwitchConfig},
    protocol::Decay,
};

pub(super) const NAME: &str = "auto";

/// The rate of SOAP on one unchanging function.
const RATE: f64 = 0.03;

/// The rate of SOAP on large batches.
const RATE_FOR_BATCHES: f64 = 0.025;

/// Parameters up to which a dense matrix pays: a step then moves 400 MB three times.
const DENSE_UP_TO: usize = 10_000;

/// Steps from one turn of SOAP's bases to the next: half of SOAP's own default, twice as many turns.
const TURN_EVERY: usize = 5;

/// `beta_1` of SOAP on batches: in a few hundred steps the directions of the last 20 are too old.
const SHORT_AVERAGE: f64 = 0.85;

/// The fan-in below which a layer moves faster than the others.
const NARROW_BELOW: usize = 64;

/// Decoupled weight decay of a model that can over-fit: what fits fast over-fits soon.
const DECAY: f64 = 0.05;

/// Records for each parameter from which a model cannot over-fit by much: statisticians' rule of thumb for regressions.
const RECORDS_FOR_EACH: usize = 10;

/// Pairs of L-BFGS where a dense matrix does not fit.
const PAIRS: usize = 50;

/// The part of a run after which SOAP has done what it does well on a smooth function.
const FIRST_PART: u64 = 6;

/// What it chooses:
/// - where every step has another batch: SOAP with a shorter average of gradients (`beta_1` 0.85), bases that turn
///   every 5 steps, at a rate of 0.025 that falls with the root of a batch below 256 records; with a decoupled weight
///   decay of 0.05 where an epoch has less than ten records for each parameter; a layer of less than 64 inputs moves
///   faster, up to 4 times; one with a side above 256 whose bases would take more than four times its
///   gradient's multiplications goes along the polar factor, as in Muon;
/// - where every step sees the same function: SOAP with bases that turn every 5 steps for a sixth of the
///   run, then self-scaled Broyden; self-scaled L-BFGS in its place for more than 10,000 parameters and in single
///   precision, in which a whole matrix learns rounding.
pub(super) const AUTO: Preset = Preset {
    name: NAME,
    line: "SOAP, untuned; on one unchanging function then ss-broyden or l-bfgs",
    vectors: "2",
    gradients: 1,
    usual_rate: RATE,
    is_tuned: false,
    by_default: true,
    make: |run| Auto::of(run).method,
};

/// The rate on batches of so many records.
pub(super) fn rate(batch_size: usize) -> f64 {
    layer_wise::for_batches(RATE_FOR_BATCHES, batch_size)
}

/// What `auto` chooses for a run: a method with settings, its rate, and why.
///
/// ```
/// use secant::spec::{Auto, Run};
/// # use burn::{nn::{Linear, LinearConfig}, tensor::{Device, Distribution, Tensor}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = Device::default().autodiff();
/// # let mut model = LinearConfig::new(4, 2).init(&device);
/// # let batch = Tensor::<2>::random([64, 4], Distribution::Default, &device);
/// let run = Run {
///     steps: 1000,
///     steps_per_epoch: 100,
///     batch_size: 64,
///     rows: 1,
///     parameters: 10,
///     full_batch: false,
///     double_precision: false,
/// };
/// let auto = Auto::of(&run);
/// let mut optimizer = auto.init()?;
/// let loss = |model: &Linear| model.forward(batch.clone()).powi_scalar(2).mean();
/// let report = optimizer.step(auto.rate, &mut model, loss)?;
/// let chosen = report.chosen.ok_or("auto says what it chose")?;
/// assert_eq!(chosen.to_string(), "soap, because every step sees another batch");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Auto {
    /// The method.
    pub method: MethodSpec,
    /// Its rate, to fall to 0 over the run as a cosine does.
    pub rate: f64,
    /// What it is, and why.
    pub chosen: Chosen,
}

impl Auto {
    /// The choice for a run.
    pub fn of(run: &Run) -> Self {
        let chosen = match run {
            Run { full_batch: false, .. } => Chosen::SoapForBatches,
            Run { double_precision: false, .. } => Chosen::PairsForSingle,
            Run { parameters, .. } if *parameters > DENSE_UP_TO => Chosen::PairsForMany,
            _ => Chosen::DenseMatrix,
        };
        // Without noise in the gradients the long average serves as well.
        let soap = SoapConfig::new().with_precondition_frequency(TURN_EVERY);
        let method = match chosen {
            Chosen::SoapForBatches => {
                let soap = soap
                    .with_beta_1(SHORT_AVERAGE)
                    .with_decay(decay(run))
                    .with_max_cost(Some(pays(run)))
                    .with_narrow_below(Some(NARROW_BELOW));
                MethodSpec::Soap(soap)
            }
            Chosen::DenseMatrix => {
                let dense = SsBroydenConfig::new().with_full_batch(true);
                then(run, soap, MethodSpec::SsBroyden(dense))
            }
            _ => {
                let pairs = LBfgsConfig::new().with_full_batch(true).with_self_scaling(true);
                then(run, soap, MethodSpec::LBfgs(pairs.with_history_size(PAIRS)))
            }
        };
        let rate = if run.full_batch { RATE } else { rate(run.batch_size) };
        Self { method, rate, chosen }
    }

    /// The optimizer. Its reports say what was chosen.
    ///
    /// # Errors
    /// None: its settings are in their ranges.
    pub fn init<M: Module + 'static>(&self) -> Result<AnyOptimizer<M>, ConfigError> {
        Ok(self.method.init()?.chosen(self.chosen))
    }
}

/// What the bases of a layer may cost.
pub(super) fn pays(run: &Run) -> f64 {
    layer_wise::pays(run.batch_size.saturating_mul(run.rows))
}

/// None where each parameter has records enough: decay would be nothing but a bias there.
pub(super) fn decay(run: &Run) -> Decay {
    let records = run.steps_per_epoch.saturating_mul(run.batch_size);
    let is_enough = run.parameters.saturating_mul(RECORDS_FOR_EACH) <= records;
    if is_enough { Decay::None } else { Decay::Decoupled(DECAY) }
}

/// SOAP for a part of the run, and another method after it.
fn then(run: &Run, soap: SoapConfig, then: MethodSpec) -> MethodSpec {
    let at = SwitchAt::Step((run.steps / FIRST_PART).max(1));
    MethodSpec::Switch(Box::new(SwitchSpec {
        first: MethodSpec::Soap(soap),
        then,
        config: SwitchConfig::new().with_at(at).with_rate(Some(1.0)),
    }))
}
