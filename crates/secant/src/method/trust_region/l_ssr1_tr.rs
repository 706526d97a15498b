//! L-SSR1-TR: limited-memory stochastic SR1 in a trust region, with momentum and a line search.
//!
//! # Idea
//! As [MB-LSR1](super::mb_lsr1), its descendant: minimise the model of an indefinite L-SR1 matrix within
//! a radius and add momentum. The line search may go beyond the radius, the radius follows from
//! single steps, and the batch is doubled when the loss on all records stops falling.
//!
//! # Algorithm
//! Step k on batch I (decay is part of the loss: f + wd/2 |w|^2). In brackets: the steps of
//! [MB-LSR1](super::mb_lsr1) that these became, and equations of its paper.
//! 1. f = f_I(w), g = its gradient; p* = the minimiser of Q(p) = g.p + p.Bp / 2 within |p| <= delta (1, 2; eq. (4)).
//! 2. v <- mu v + s, with the last displacement s; v <- mu times v shortened to delta (3).
//! 3. p = p* + v, shortened to delta. If p.g > 0, turn p (4, 5).
//! 4. (7) alpha: a step with the Wolfe conditions along p, from 1. If there is none: w stays,
//!    delta <- nu1 delta, and the step says that it found no decrease; or, where the batch is of all records
//!    and p*, within the radius, promised no more than the rounding of f, that it has converged.
//! 5. s = alpha p, y = the change of the gradient on the same batch; w <- w + s; store (s, y) (8, 10; eq. (6)).
//! 6. rho = (f_I(w) - f) / Q(p*) (eq. (5), where the model too is taken at s). If rho < tau2:
//!    delta <- min(nu1 delta, nu2 |s|); if rho >= tau3 and |s| >= nu3 delta: delta <- nu4 delta (9).
//! 7. After the first step, and K steps after each check: if the loss on all records did not fall by gamma1,
//!    double the batch (11).
//! 8. Before all: where |g| and the gradient of all records are within eps, the step ends as converged (12).
//!
//! # Notation
//! | article | here |
//! |---|---|
//! | m | `memory` |
//! | n_b at the start | the size of the [`Batches`](crate::Batches) |
//! | delta_0 | `delta0` |
//! | gamma of B_0 = gamma I | `gamma`, then `initial_matrix` |
//! | mu | `mu` |
//! | tau1 | none: a step that the line search found is taken |
//! | tau2, tau3, nu1, nu2, nu3, nu4 | those of `radius_rule`, a [`TwoSidedRule`] |
//! | c1, c2 | those of `line_search` |
//! | gamma1, K | `gamma1`, `check_every` |
//! | r | `skip` |
//! | eps | `tolerance_gradient` |
//!
//! The learning rate is not used; at 0 nothing moves.
//!
//! # Cost
//! 2m + 1 vectors of memory; two gradients (with `full_batch` one, and two
//! passes over the parameters, for checksums), one more for each further trial of the
//! Wolfe search (backtracking: as [MB-LSR1](super::mb_lsr1)); 6m R for the matrix; every K steps a forward
//! pass of all records. With a `metric` 2 vectors more and two or three passes over vectors for each
//! evaluation; for each new D the pairs are scaled and multiplied with each other again.
//!
//! # When not to use it
//! As [MB-LSR1](super::mb_lsr1). Checks on all records cost as much as an epoch of forward passes.
//!
//! # Deviations
//! The article's algorithm is followed as public re-implementations have it, for which no line of it is named
//! above. In the hard case of the
//! model p is p* alone, and backtracking takes the place of the Wolfe search: its direction can have no
//! slope at all. Close to a minimum both searches allow for the rounding of values, as in
//! [MB-LSR1](super::mb_lsr1); [`WolfeSettings::torch`] does not.
//!
//! # References
//! Erway, Griffin, Marcia, Omheni, *Trust-region algorithms for training responses: machine learning
//! methods using indefinite Hessian approximations*, 2019, Algorithms 1 to 3.
//!
//! # Example
//! From near a saddle to a minimum: B is indefinite on the way, as the Hessian is, and no pair is lost for it.
//!
//! ```
//! use secant::{Function, LSsr1TrConfig, Outcome};
//!
//! /// (x^2 - 1)^2 / 4 + y^2
//! struct TwoValleys;
//!
//! impl Function for TwoValleys {
//!     fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
//!         let inside = x[0] * x[0] - 1.0;
//!         gradient[0] = inside * x[0];
//!         gradient[1] = 2.0 * x[1];
//!         inside * inside / 4.0 + x[1] * x[1]
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut optimizer = LSsr1TrConfig::full_batch()
//!     .with_delta0(0.1)
//!     .with_tolerance_gradient(1e-9)
//!     .init()?;
//! let (mut x, mut smallest) = (vec![0.01, 0.5], f64::INFINITY);
//! for _ in 0..60 {
//!     let report = optimizer.step_function(1.0, &mut x, &mut TwoValleys)?;
//!     if report.outcome == Outcome::Converged {
//!         break;
//!     }
//!     smallest = report.trust_region.map_or(smallest, |t| smallest.min(t.smallest_eigenvalue));
//! }
//! assert!(smallest < -0.5);
//! assert!((x[0].abs() - 1.0).abs() < 1e-8 && x[1].abs() < 1e-8);
//! # Ok(())
//! # }
//! ```

use secant_core::{
    line_search::{ArmijoSettings, LowPoint, WolfeSettings},
    report::StepReport,
    trust_region::{
        radius::{TwoSidedRule, reduction_ratio},
        subproblem::Case,
    },
};

use super::{
    batch_rule::BatchRule,
    state::{Region, TrustRegionState},
    step::{
        Aim, Arrival, Common, InitialMatrix, Searched, Share, Step, Verdict, clipped, radius_error,
        search_error,
    },
};
use crate::{
    blocks::{Blocks, Layout, combine_rows, dot, norm},
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    objective::{AdamMetric, Objective},
    operator::Minimiser,
    optimizer::Optimizer,
    oracle::Oracle,
    protocol::{Decay, Method, StepContext},
};

/// How L-SSR1-TR finds its step length.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Search {
    /// The first of shorter and shorter steps with a sufficient decrease.
    Armijo(ArmijoSettings),
    /// A step with the strong Wolfe conditions.
    StrongWolfe(WolfeSettings),
}

hyper_parameters! {
    /// Configuration of [`LSsr1Tr`].
    #[derive(Copy)]
    pub struct LSsr1TrConfig {
        /// m, the number of pairs kept.
        #[config(default = 10)]
        #[range(AtLeast1)]
        memory: usize,
        /// delta_0, the radius at first.
        #[config(default = 1.0)]
        #[range(Positive)]
        delta0: f64,
        /// How the radius follows from rho.
        #[config(default = "TwoSidedRule::default()")]
        radius_rule: TwoSidedRule,
        /// gamma of the initial matrix B_0 = gamma I.
        #[config(default = 1e-3)]
        #[range(Positive)]
        gamma: f64,
        /// How gamma is chosen in later steps.
        #[config(default = "InitialMatrix::Constant")]
        initial_matrix: InitialMatrix,
        /// A pair is left out of B unless |s.r| >= this |s| |r|, r = y - B s. None: 1e-8, for `f32` 1e-6.
        #[config(default = "None")]
        #[range(NotNegative)]
        skip: Option<f64>,
        /// mu, the weight of momentum.
        #[config(default = 0.9)]
        #[range(Below1)]
        mu: f64,
        /// The line search, with its c1 and c2.
        #[config(default = "Search::StrongWolfe(WolfeSettings::default())")]
        line_search: Search,
        /// gamma1, how much the loss of all records has to fall between checks for the batch to stay.
        #[config(default = 0.0)]
        #[range(NotNegative)]
        gamma1: f64,
        /// K, the steps between two checks of the batch size. None: max(20, N / n_b), with n_b as it is.
        #[config(default = "None")]
        #[range(AtLeast1)]
        check_every: Option<usize>,
        /// Every step sees the same function: the gradient at a step's end is kept for the next step. Not
        /// for models with batch norm.
        #[config(default = false)]
        full_batch: bool,
        /// The step ends as converged where the batch's gradient and that of all records are not longer, at
        /// least 0.
        #[config(default = 1e-5)]
        #[range(NotNegative)]
        tolerance_gradient: f64,
        /// Adam's diagonal in the initial matrix, gamma D in the place of gamma I; radius, lengths and
        /// `tolerance_gradient` are then of its coordinates.
        #[config(default = "None")]
        metric: Option<AdamMetric>,
        /// Weight decay, of kind `L2`.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl LSsr1TrConfig {
    /// For a function that is the same in every step: without momentum, with gamma below the smallest
    /// eigenvalue known, to a gradient of zero.
    pub fn full_batch() -> Self {
        Self::new()
            .with_mu(0.0)
            .with_gamma(1.0)
            .with_initial_matrix(InitialMatrix::SmallestEigenvalue)
            .with_full_batch(true)
            .with_tolerance_gradient(0.0)
    }

    /// The method without an optimizer around it.
    pub fn build(&self) -> LSsr1Tr {
        LSsr1Tr { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<LSsr1Tr>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// L-SSR1-TR; see the [module](self).
#[derive(Clone, Debug)]
pub struct LSsr1Tr {
    config: LSsr1TrConfig,
}

impl Method for LSsr1Tr {
    type State = TrustRegionState;
    const NAME: &'static str = "l-ssr1-tr";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)?;
        AdamMetric::validate(self.config.metric, Self::NAME)?;
        match self.config.line_search {
            Search::Armijo(settings) => settings.validate(),
            Search::StrongWolfe(settings) => settings.validate(),
        }
        .map_err(search_error(Self::NAME))?;
        self.config.radius_rule.validate().map_err(radius_error(Self::NAME))
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
        let LSsr1TrConfig { full_batch, metric, .. } = self.config;
        vec![("full_batch", full_batch.to_string()), ("metric", metric.is_some().to_string())]
    }

    fn init(&self, _: &Layout) -> TrustRegionState {
        let LSsr1TrConfig { memory, delta0, gamma, .. } = self.config;
        TrustRegionState::new(memory, Region::new(delta0, gamma, 0.0))
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut TrustRegionState,
    ) -> Result<StepReport, StepError> {
        // 1. and 8. f, g and p*, and whether there is anything to do.
        let mut step = match Step::begin(self.common(), Objective::new(context, oracle), state)? {
            Ok(step) => step,
            Err(report) => return Ok(report),
        };
        let best = match step.minimise() {
            Ok(best) => best,
            Err(rejection) => return Ok(step.rejected(rejection)),
        };
        // 2. and 3. v and p.
        let weight = self.weight_of_momentum(state, step.region.delta);
        let aim = aim(&step, best, state, weight);
        // 4. alpha.
        let searched = self.search(&mut step, &aim)?;
        let takes_all = searched.takes_all();
        let Searched { reached, report, .. } = searched;
        step.report.line_search = Some(report);
        let rule = self.config.radius_rule;
        let Some(arrival) = reached.and_then(|reached| step.arrive(reached)) else {
            if step.is_at_rounding(&aim) {
                return Ok(step.converged());
            }
            // Where all of p rounds to nothing, so would shorter steps.
            let factor = if takes_all { rule.nu4 } else { rule.nu1 };
            step.region.set_delta((factor * step.region.delta).max(rule.delta_min));
            let verdict = Verdict { actual: 0.0, ratio: 0.0, averaged: 0.0 };
            let carried = self.carried(state, weight, None);
            return step.finish(state, &aim, verdict, None, carried);
        };
        // 5. and 6. The pair and the radius.
        let Arrival { point, known, s, y, length, cosine } = arrival;
        let actual = known.value - step.known.value;
        let ratio = reduction_ratio(actual, aim.best.model_value);
        step.region.set_delta(rule.next(step.region.delta, length, ratio));
        let carried = self.carried(state, weight, Some(&s));
        step.push(s, y, cosine);
        // 7. The batch.
        let verdict = Verdict { actual, ratio, averaged: ratio };
        step.finish(state, &aim, verdict, Some((point, known, length)), carried)
    }
}

impl LSsr1Tr {
    fn common(&self) -> Common {
        let LSsr1TrConfig { gamma, initial_matrix, skip, .. } = self.config;
        let LSsr1TrConfig { tolerance_gradient, full_batch, metric, .. } = self.config;
        let batch_rule = BatchRule {
            every: self.config.check_every,
            sample: None,
            gamma1: self.config.gamma1,
            gamma2: 0.0,
            bound_is_too_little: false,
            snapshot: false,
        };
        Common { gamma, initial_matrix, skip, tolerance_gradient, full_batch, metric, batch_rule }
    }

    /// 2. mu min(1, delta / |v|) of the v that was carried over.
    fn weight_of_momentum(&self, state: &TrustRegionState, delta: f64) -> f64 {
        let (_, factor) = clipped(state.carried().map_or(0.0, norm), delta);
        self.config.mu * factor
    }

    /// 4. A step length.
    fn search(&self, step: &mut Step<'_>, aim: &Aim) -> Result<Searched, StepError> {
        match self.config.line_search {
            Search::Armijo(settings) => step.backtrack(settings, aim),
            Search::StrongWolfe(WolfeSettings { c1, .. }) if aim.best.case == Case::Hard => {
                step.backtrack(ArmijoSettings { c1, ..Default::default() }, aim)
            }
            Search::StrongWolfe(settings) => {
                step.strong_wolfe(settings, settings.low_point == LowPoint::Lowest, aim)
            }
        }
    }

    /// mu v + s: what the next v begins with.
    fn carried(&self, state: &TrustRegionState, weight: f64, s: Option<&Blocks>) -> Blocks {
        let mu = self.config.mu;
        let v = state.carried().map(|v| (v, mu * weight));
        let Some((base, of_base)) = s.map(|s| (s, 1.0)).or(v).filter(|_| mu > 0.0) else {
            return Blocks::empty();
        };
        let (rows, weights): (Vec<&Blocks>, Vec<f64>) =
            v.filter(|_| s.is_some()).into_iter().unzip();
        let mut carried = base.zeros_like();
        combine_rows(&mut carried, of_base, base, &rows, &weights);
        carried
    }
}

/// 3. p; p* where momentum leaves no descent.
fn aim(step: &Step<'_>, best: Minimiser, state: &TrustRegionState, weight: f64) -> Aim {
    let Some(v) = state.carried().filter(|_| best.case != Case::Hard) else {
        return Aim::at_minimiser(best);
    };
    let momentum = Share { of: v, weight, slope: dot(v, &step.known.gradient) };
    let aim = step.mix(best, 1.0, Some(momentum));
    if aim.slope < 0.0 { aim.settled() } else { Aim::at_minimiser(aim.best) }
}
