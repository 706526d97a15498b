//! MB-LSR1: limited-memory SR1 in a trust region, on batches that grow.
//!
//! # Idea
//! Fit a symmetric, possibly indefinite matrix B to the last m pairs, minimise the quadratic model of
//! the batch's loss exactly within a radius, add momentum, and shorten the step until the loss falls.
//! The radius follows from how well the model foretold the loss, on average over steps; the batch is
//! doubled when the loss on other records stops falling.
//!
//! # Algorithm
//! Step k on batch I (decay is part of the loss: f + wd/2 |w|^2). In brackets: the paper's boxes, A4:2 being
//! Algorithm 4, line 2. A1, whose loop calls the others, is a whole step.
//! 1. f = f_I(w), g = its gradient (A4:2).
//! 2. p* = the minimiser of Q(p) = g.p + p.Bp / 2 within |p| <= delta (A4:3, eq. (4), with the B of eq. (6));
//!    R* = f_I(w + p*) - f (A4:17).
//! 3. v <- mu v - eta alpha_s g + (1 - eta) s, shortened to delta; s is the last displacement (A4:4-5).
//! 4. p = (1 - eta) p* + mu v, shortened to delta (A4:6-7).
//! 5. If p.g > 0, turn p (A4:8-10).
//! 6. If |p.g| < xi |g| |p|: forget all pairs, and repeat 2 and 4 once; if that does not help, p = p* and
//!    v = 0 (A4:11-14).
//! 7. alpha = 1, 1/2, 1/4, ... until f_I(w + alpha p) <= f + c1 alpha p.g (A4:15). If none of 15 is: w stays,
//!    delta <- delta / 4, go on with 11. The step then says that it found no decrease.
//! 8. s = alpha p (A4:16), y = the change of the gradient on the same batch (A4:19); w <- w + s (A1:6);
//!    rho = R* / Q(p*) (A4:18).
//! 9. rho_hat = the average of rho with weight zeta on the past (A5:3-5). If rho_hat < 0.25:
//!    delta <- min(delta / 2, |s|); if rho_hat >= 0.75 and |s| >= 0.999 delta: delta <- 2 delta (A5:6-10).
//! 10. If rho < tau, `restart` says what happens to the pairs (A3:2-8); else store (s, y) (A3:9-13). Where
//!     f_I(w + p*) is not finite the model has failed, whatever the average and tau: rho = 0, delta shrinks, and
//!     `restart` applies.
//! 11. After the first step, and K steps after each check: fc = the loss on an independent sample of
//!     min(1.1 n_b, 5000, N) records (A6:2-4). If it fell by less than gamma1 and gamma2 times the sum of the last
//!     K falls on batches, double the batch; on all records, zeta <- 0 (A6:5-11). The next check compares with fc
//!     (A6:13); the next batch is the next step's (A6:15).
//! 12. If |g| and then the gradient of all records are within eps, the step ends as converged (A2; A1:7, here
//!     before the step instead of after it); so it does where 7 finds nothing, the batch is of all records, and p*,
//!     within the radius, promised no more than the rounding of f.
//!
//! # Notation
//! | paper | here |
//! |---|---|
//! | m | `memory` |
//! | n_b at the start, N | the size of the [`Batches`](crate::Batches), their number of records |
//! | delta_0 | `delta0` |
//! | 0.1, 0.5, 2 and delta_min of the radius | those of `radius_rule`, an [`AveragedRule`] |
//! | zeta | `zeta` |
//! | B_0 | `gamma` times I, then `initial_matrix` |
//! | r | `skip` |
//! | mhat, tau | `restart`, `tau`; where the pairs of a warm start come from: `sampling` |
//! | eta, mu, xi | `eta`, `mu`, `xi` |
//! | alpha_s | `alpha_s` times the step's learning rate, whose only use it is (at 0 nothing moves) |
//! | c1 | that of `line_search` |
//! | gamma1, gamma2, K | `gamma1`, `gamma2`, `check_every` |
//! | nhat = min(1.1 n_b, 5000, N) | min(`check_growth` n_b, `check_most`, N), or N with `check_all` |
//! | eps | `tolerance_gradient` |
//!
//! # Cost
//! 2m + 1 vectors of memory (one more each with `full_batch` and `check_snapshot`); two gradients (with
//! `full_batch` one, and two passes over the parameters, whose checksums tell whether they are where the
//! last step left them) and a forward pass for R*, unless p = p*. A step that is shortened costs a forward pass
//! for each shorter trial, and then one more gradient at the point accepted. 6m R for the matrix; every K
//! steps a forward pass of the sample, two with `check_snapshot`. A warm start costs m Hessian products or
//! gradients. A `metric` costs what it does in [L-SSR1-TR](super::l_ssr1_tr).
//!
//! # When not to use it
//! Large models: every step reads the memory three times. Tiny batches, whose pairs are noise. A few dozen
//! steps in all: from 1e-4 the radius takes 14 to come near 1; give `delta0` more.
//! With [`Optimizer::step`] the batch stands for all records and stays as it is.
//!
//! # Deviations
//! The paper's boxes contradict each other; this is the reading that works:
//!
//! | line | printed | here |
//! |---|---|---|
//! | A4:8, A4:11 | g_k beside ghat_k, the gradient of all records beside the batch's | the batch's |
//! | A4:11 | the least of abs(p.g) and abs(p.g) / norm(p) below xi norm(g), which delta_0 = 1e-4 alone brings about | a cosine, of no scale |
//! | A4:12-13 | *return*, and go back to A1:5, for ever | once |
//! | A4:15 | c1 alpha grad f, a vector | c1 alpha p.g |
//! | A4:17, A6:5, eq. (12) | R of p*, and R of the steps made | rho takes that of p*, the check those of the steps |
//! | A4:19 | the same batch; after eq. (6): consecutive ones | the same batch |
//! | A5:7 | the least of delta and norm(s): a full step to the boundary never shrinks it, and 0 stays | half of delta, a floor, and step 7 |
//! | A5:8 | norm(s) at least delta, which rounding fails half the time | 0.999 delta |
//! | A3 | no test of curvature | `skip` |
//! | A6:5 | a sum from k - K to k, K + 1 terms; no f_K at k = 0 | K terms; the first check only sets f_K |
//! | end of Section 3 | eta = 1 is pure SGD, where A4:6 has p = mu v | A4:6, or `hybrid_fixed` |
//! | Theorem 4.4 | a ratio of averages, where A5:3-5 has an average of ratios | A5:3-5, or `ratio_of_averages` |
//!
//! In the hard case of the model,
//! where g has no part along negative curvature, p is p* without momentum and without the test of 6, or
//! no step would leave a saddle. Where the decrease that step 7 asks for is less than 8 units in the last
//! place of f, a rise by no more than these will do, or no step would pass close to a minimum. Pairs that
//! would make B huge are left out of it, see [`Tolerances`](secant_core::compact::Tolerances). The paper's
//! rule for the radius (shrink below 0.1, to |s|; grow from 0.5) hardly ever shrinks it, so that batches'
//! noise decides: the default is stricter. That, zeta and gamma are from small studies;
//! [`MbLsr1Config::paper`] has the paper's.
//!
//! # References
//! Griffin, Jahani, Takac, Yektamaram, Zhou, *A minibatch stochastic quasi-Newton method adapted for
//! nonconvex deep learning problems*, Algorithms 1 to 6; Brust, Erway, Marcia, *On solving L-SR1
//! trust-region subproblems*, 2017.
//!
//! # Example
//! Near the minimum the loss on other records stops falling, and the batch grows:
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{Batches, MbLsr1Config};
//!
//! # fn rows(of: &Tensor<2>, records: &[usize]) -> Tensor<2> {
//! #     let numbers: Vec<i64> = records.iter().map(|record| *record as i64).collect();
//! #     of.clone().select(0, Tensor::from_ints(numbers.as_slice(), &of.device()))
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let numbers: Vec<f32> = (0..256).map(|i| (i as f32).sin()).collect();
//! # let x = Tensor::<1>::from_floats(numbers.as_slice(), &device).reshape([128, 2]);
//! # let y = x.clone().sum_dim(1).sin() * 5.0;
//! let mut batches = Batches::shuffled(128, 8, 0)?;
//! let mut optimizer = MbLsr1Config::new().with_delta0(0.01).with_check_every(Some(5)).init()?;
//! let mut radii = Vec::new();
//! for _ in 0..60 {
//!     let report =
//!         optimizer.step_on(1.0, &mut model, &mut batches, |model: &Linear, records: &[usize]| {
//!             (model.forward(rows(&x, records)) - rows(&y, records)).powi_scalar(2).mean()
//!         })?;
//!     radii.extend(report.trust_region.map(|region| region.radius));
//! }
//! assert!(radii[0] == 0.01 && radii.iter().any(|radius| *radius > 0.5));
//! assert!(batches.size() > 8);
//! # Ok(())
//! # }
//! ```

mod restart;
mod walk;

use secant_core::{
    line_search::ArmijoSettings, report::StepReport, trust_region::radius::AveragedRule,
};

pub use super::{InitialMatrix, TrustRegionState};
use super::{
    batch_rule::{BatchRule, SampleSize},
    state::Region,
    step::{Aim, Arrival, Common, Step, Verdict, radius_error, search_error},
};
pub use crate::objective::Sampling;
use crate::{
    blocks::Layout,
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    objective::{AdamMetric, Objective},
    optimizer::Optimizer,
    oracle::Oracle,
    protocol::{Decay, Method, StepContext},
};
pub use restart::Restart;

use walk::{Momentum, Walk};

hyper_parameters! {
    /// Configuration of [`MbLsr1`].
    #[derive(Copy)]
    pub struct MbLsr1Config {
        /// m, the number of pairs kept.
        #[config(default = 16)]
        #[range(AtLeast1)]
        memory: usize,
        /// delta_0, the radius at first.
        #[config(default = 1e-4)]
        #[range(Positive)]
        delta0: f64,
        /// How the radius follows from the averaged ratio.
        #[config(default = "AveragedRule::default()")]
        radius_rule: AveragedRule,
        /// zeta, how much of the past ratios counts in their average; 1 is their mean.
        #[config(default = 0.9)]
        #[range(Unit)]
        zeta: f64,
        /// rho_hat is the average change of the loss over that of the model (theorem 4.4) instead of the
        /// average ratio: large steps count for more.
        #[config(default = false)]
        ratio_of_averages: bool,
        /// gamma of the initial matrix B_0 = gamma I.
        #[config(default = 0.1)]
        #[range(Positive)]
        gamma: f64,
        /// How gamma is chosen in later steps.
        #[config(default = "InitialMatrix::Constant")]
        initial_matrix: InitialMatrix,
        /// A pair is left out of B unless |s.r| >= this |s| |r|, r = y - B s. None: 1e-8, for `f32` 1e-6.
        #[config(default = "None")]
        #[range(NotNegative)]
        skip: Option<f64>,
        /// mhat, what happens to the pairs when the model was wrong.
        #[config(default = "Restart::Clear")]
        restart: Restart,
        /// Where the pairs of a warm start come from.
        #[config(default = "Sampling::HessianProducts")]
        sampling: Sampling,
        /// tau, the ratio rho below which the model was wrong.
        #[config(default = 0.0)]
        #[range(Number)]
        tau: f64,
        /// eta, the share of momentum and SGD in the step.
        #[config(default = 0.1)]
        #[range(Unit)]
        eta: f64,
        /// mu, the weight of momentum.
        #[config(default = 0.5)]
        #[range(Below1)]
        mu: f64,
        /// alpha_s, the rate of SGD at a learning rate of 1.
        #[config(default = 0.1)]
        #[range(NotNegative)]
        alpha_s: f64,
        /// p = (1 - eta) p* + (eta + (1 - eta) mu) v, so that eta = 1 is SGD with momentum; as printed it
        /// is no step at all without momentum.
        #[config(default = false)]
        hybrid_fixed: bool,
        /// xi, the cosine between step and gradient below which pairs are forgotten; at 0 only
        /// where there is no step.
        #[config(default = 1e-4)]
        #[range(Below1)]
        xi: f64,
        /// The line search, with its c1.
        #[config(default = "ArmijoSettings::default()")]
        line_search: ArmijoSettings,
        /// gamma1, how much the loss has to fall between checks for the batch to stay.
        #[config(default = 0.0)]
        #[range(NotNegative)]
        gamma1: f64,
        /// gamma2, which share of its fall on batches the loss has to fall for the batch to stay.
        #[config(default = 1e-4)]
        #[range(NotNegative)]
        gamma2: f64,
        /// K, the steps between two checks of the batch size. None: max(20, N / n_b), with n_b as it is.
        #[config(default = "None")]
        #[range(AtLeast1)]
        check_every: Option<usize>,
        /// A check is on a sample of this many times the batch (at most `check_most`).
        #[config(default = 1.1)]
        #[range(AtLeast1)]
        check_growth: f64,
        /// A check is on a sample of at most this many records.
        #[config(default = 5000)]
        #[range(AtLeast1)]
        check_most: usize,
        /// Whether a check is on all records instead of a sample.
        #[config(default = false)]
        check_all: bool,
        /// Whether a check evaluates the parameters of the last check again, on its own sample, so that
        /// the noise of two samples does not decide.
        #[config(default = false)]
        check_snapshot: bool,
        /// Every step sees the same function: the gradient at a step's end is kept for the next step. Not
        /// for models with batch norm.
        #[config(default = false)]
        full_batch: bool,
        /// eps: the step ends as converged where the batch's gradient and that of all records are not longer, at
        /// least 0.
        #[config(default = 1e-5)]
        #[range(NotNegative)]
        tolerance_gradient: f64,
        /// Draws the vectors of warm starts.
        #[config(default = 0)]
        seed: u64,
        /// Adam's diagonal in the initial matrix, gamma D in the place of gamma I; radius, lengths and
        /// `tolerance_gradient` are then of its coordinates.
        #[config(default = "None")]
        metric: Option<AdamMetric>,
        /// Weight decay, of kind `L2`.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl MbLsr1Config {
    /// What the paper says where it says something: zeta = 1, B_0 = I and its radius rule.
    pub fn paper() -> Self {
        Self::new().with_zeta(1.0).with_gamma(1.0).with_radius_rule(AveragedRule::paper())
    }

    /// For a function that is the same in every step: a plain trust region, without momentum, restarts
    /// and averages, from a radius of 1, with gamma below the smallest eigenvalue known, to a gradient of
    /// zero. Pairs are forgotten only where no step can be computed from them.
    pub fn full_batch() -> Self {
        Self::l_ssr1_tr()
            .with_mu(0.0)
            .with_delta0(1.0)
            .with_gamma(1.0)
            .with_initial_matrix(InitialMatrix::SmallestEigenvalue)
            .with_full_batch(true)
            .with_tolerance_gradient(0.0)
    }

    /// L-SSR1-TR as the paper has it, as a special case of MB-LSR1: no restarts, no SGD, no averaging,
    /// checks on all records. Pairs are forgotten only where no step can be computed from them.
    ///
    /// [`LSsr1Tr`](super::l_ssr1_tr::LSsr1Tr) is closer to the original. Its radius follows from the
    /// loss at the point reached, not at p*, and its momentum forgets faster. Where the radius shortens
    /// nothing, a displacement is part of the j-th step after it with weight mu^j here, and with weight
    /// mu^(2j - 1) there.
    pub fn l_ssr1_tr() -> Self {
        Self::new()
            .with_restart(Restart::Never)
            .with_xi(0.0)
            .with_gamma2(0.0)
            .with_eta(0.0)
            .with_zeta(0.0)
            .with_check_all(true)
    }

    /// The method without an optimizer around it.
    pub fn build(&self) -> MbLsr1 {
        MbLsr1 { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<MbLsr1>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// MB-LSR1; see the [module](self).
#[derive(Clone, Debug)]
pub struct MbLsr1 {
    config: MbLsr1Config,
}

impl Method for MbLsr1 {
    type State = TrustRegionState;
    const NAME: &'static str = "mb-lsr1";

    fn validate(&self) -> Result<(), ConfigError> {
        let MbLsr1Config { sampling, line_search, radius_rule, .. } = self.config;
        self.config.check_ranges(Self::NAME)?;
        sampling.validate(Self::NAME)?;
        AdamMetric::validate(self.config.metric, Self::NAME)?;
        line_search.validate().map_err(search_error(Self::NAME))?;
        radius_rule.validate().map_err(radius_error(Self::NAME))
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn evaluates_again(&self) -> bool {
        true
    }

    fn searches(&self) -> bool {
        true
    }

    fn batch_size(&self, state: &TrustRegionState) -> Option<usize> {
        state.batch_size()
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let MbLsr1Config { full_batch, check_snapshot, zeta, metric, .. } = self.config;
        vec![
            ("metric", metric.is_some().to_string()),
            ("full_batch", full_batch.to_string()),
            ("check_snapshot", check_snapshot.to_string()),
            ("zeta", zeta.to_string()),
        ]
    }

    fn init(&self, _: &Layout) -> TrustRegionState {
        let MbLsr1Config { memory, delta0, gamma, zeta, .. } = self.config;
        TrustRegionState::new(memory, Region::new(delta0, gamma, zeta))
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut TrustRegionState,
    ) -> Result<StepReport, StepError> {
        // Algorithm 2, 12. Whether there is anything to do; 1. f and g.
        let mut step = match Step::begin(self.common(), Objective::new(context, oracle), state)? {
            Ok(step) => step,
            Err(report) => return Ok(report),
        };
        // Algorithm 4, 2. to 8. p*, v, p, alpha and rho.
        let walk = match self.step_computation(&mut step, state)? {
            Ok(walk) => walk,
            Err(rejection) => return Ok(step.rejected(rejection)),
        };
        let Walk { aim, v, arrival, takes_all, mut verdict } = walk;
        let Some(Arrival { mut point, known, s, y, length, cosine }) = arrival else {
            return self.stay(step, state, &aim, v.as_ref(), takes_all, verdict);
        };
        let carried = self.carried(v.as_ref(), Some(&s));
        // Algorithm 5, 9. The radius.
        self.update_radius(&mut step.region, &mut verdict, &aim, length);
        // Algorithm 3, 10. The pairs.
        if self.is_wrong(&verdict) && self.config.restart != Restart::Never {
            self.restart(&mut step, &mut point, &known, state.steps)?;
        } else {
            step.push(s, y, cosine);
        }
        // Algorithm 6, 11. The batch.
        step.finish(state, &aim, verdict, Some((point, known, length)), carried)
    }
}

impl MbLsr1 {
    fn common(&self) -> Common {
        let MbLsr1Config { gamma, initial_matrix, skip, tolerance_gradient, .. } = self.config;
        let MbLsr1Config { gamma1, gamma2, check_every, full_batch, metric, .. } = self.config;
        let MbLsr1Config { check_growth: growth, check_most: most, .. } = self.config;
        let batch_rule = BatchRule {
            every: check_every,
            sample: (!self.config.check_all).then_some(SampleSize { growth, most }),
            gamma1,
            gamma2,
            bound_is_too_little: true,
            snapshot: self.config.check_snapshot,
        };
        Common { gamma, initial_matrix, skip, tolerance_gradient, full_batch, metric, batch_rule }
    }

    /// 7. The line search found no other point.
    fn stay(
        &self,
        mut step: Step<'_>,
        state: &mut TrustRegionState,
        aim: &Aim,
        v: Option<&Momentum>,
        takes_all: bool,
        verdict: Verdict,
    ) -> Result<StepReport, StepError> {
        if step.is_at_rounding(aim) {
            return Ok(step.converged());
        }
        let (rule, delta) = (self.config.radius_rule, step.region.delta);
        // Where all of p rounds to nothing, so would shorter steps.
        step.region.set_delta(if takes_all {
            rule.growth * delta
        } else {
            rule.after_failed_search(delta)
        });
        let carried = self.carried(v, None);
        step.finish(state, aim, verdict, None, carried)
    }

    /// Algorithm 5: step 9. A loss that is not finite counts as no change in the average, and as a model
    /// that has failed for the radius.
    fn update_radius(&self, region: &mut Region, verdict: &mut Verdict, aim: &Aim, length: f64) {
        let Verdict { actual, ratio, .. } = *verdict;
        if self.config.ratio_of_averages {
            let change = if actual.is_finite() { actual } else { 0.0 };
            region.average.record(change, aim.best.model_value);
        } else {
            region.average.record(ratio, 1.0);
        }
        verdict.averaged = region.average.value();
        let judged = if actual.is_finite() { verdict.averaged } else { f64::NEG_INFINITY };
        region.set_delta(self.config.radius_rule.next(region.delta, length, judged));
    }
}
