//! L-BFGS.
//!
//! # Idea
//! Step along -H g, where H is the inverse of a Hessian that fits the last m pairs of displacement
//! and change of gradient, and search along that line.
//!
//! # Algorithm
//! One iteration, with loss f and gradient g at theta (decay is part of both: f + wd/2 |theta|^2). In brackets:
//! numbers of Nocedal and Wright, whose Algorithm 7.5 this is.
//! 1. d = -H g; without pairs, d = -g (Algorithm 7.4, with (7.20) for the initial matrix).
//! 2. Search along d for a step t with the strong Wolfe conditions (Algorithms 3.5 and 3.6); the first trial is lr,
//!    without pairs min(1, 1/|g|) lr. If none is found, or d is no direction of descent, forget all
//!    pairs and search along -g. If none is found there either: where step 1 promised no more than the
//!    rounding of f, the step has converged, else it is rejected. It has also converged where the first
//!    trial would change f and the parameters by no more than their rounding.
//! 3. theta <- theta + t d; s = the displacement, y = the change of the gradient on the same batch (Algorithm 7.5).
//! 4. Store (s, y) if it passes the curvature test (Algorithm 7.5). With damping, a pair with s.y < `damping` s.Bs
//!    is moved towards B s before that (Procedure 18.2, where it is 0.2; Powell 1978).
//!
//! A step makes `max_iter` of them. Nothing is written before the last one has ended.
//!
//! # Notation
//! H: the [`InverseLBfgs`] of [`LBfgsState`], with initial matrix s.y / y.y of the newest pair; m: `history_size`.
//! Filippova, Blinova, Parshikov 2022, Algorithm 1, is H g, and calls it H^-1 g.
//!
//! # Cost
//! 2m vectors of memory. An iteration needs about one gradient and reads the 2m vectors twice and once
//! more for the new pair. With `full_batch` the gradient at the new point is kept for the next
//! step, which looks whether the parameters are still there (two passes over them, for checksums) and
//! evaluates where they are not; otherwise each step evaluates one more.
//!
//! # When not to use it
//! Mini-batches with noisy gradients: H then fits the noise of one batch. Use a method whose pairs are
//! damped or of larger batches,
//! [`SdLBfgs`](super::sd_lbfgs::SdLBfgs) or [`MultiBatchLBfgs`](super::multi_batch::MultiBatchLBfgs),
//! or Adam.
//!
//! # Deviations
//! [`LBfgsConfig::torch`] is `torch.optim.LBFGS` step by step: its absolute curvature test, its stop
//! tests, pairs that mix the batches of two steps. Two things differ, so that a NaN cannot carry
//! the parameters away: a loss or gradient that is not finite never passes the search, and without a
//! search it ends the step at the last good point.
//!
//! # References
//! Nocedal, Wright, *Numerical Optimization*, 2nd ed., Chapters 3, 7, and 18.3; Hager, Zhang, *A
//! new conjugate gradient method with guaranteed descent*, 2005 (the decrease test near the minimum).
//!
//! # Example
//! A function of a vector, without a module. It is the same in every step, so `full_batch`:
//!
//! ```
//! use secant::{Function, LBfgsConfig, Outcome};
//!
//! struct Rosenbrock;
//!
//! impl Function for Rosenbrock {
//!     fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
//!         let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
//!         gradient[0] = -2.0 * a - 400.0 * x[0] * b;
//!         gradient[1] = 200.0 * b;
//!         a * a + 100.0 * b * b
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut optimizer =
//!     LBfgsConfig::new().with_full_batch(true).with_tolerance_grad(1e-9).init()?;
//! let (mut x, mut evaluations) = (vec![-1.2, 1.0], 0);
//! for _ in 0..60 {
//!     let report = optimizer.step_function(1.0, &mut x, &mut Rosenbrock)?;
//!     evaluations += report.evals.gradient;
//!     if report.outcome == Outcome::Converged {
//!         break;
//!     }
//! }
//! assert!((x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8);
//! assert!(evaluations < 60);
//! # Ok(())
//! # }
//! ```

use secant_core::{
    curvature::{CurvatureTest, PairProducts, powell_damping},
    line_search::{ArmijoSettings, WolfeSettings},
    report::{LineSearchReport, Outcome, PairOutcome, Rejection, StepReport},
};

use crate::objective::{Beginning, Kept, Known, Line, Objective, Reached, fingerprint};
use crate::{
    blocks::{
        Blocks, Layout, absolute_sum, add_scaled, advance, dot, largest_difference, make_pair,
        maximum_norm,
    },
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    operator::{InverseLBfgs, Scaling},
    optimizer::Optimizer,
    oracle::Oracle,
    protocol::{Decay, Method, StepContext, record_state},
};

/// How a step length is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LineSearch {
    /// The learning rate is the step length.
    None,
    /// Sufficient decrease alone, from lr downwards by halves: fewer gradients, more pairs that fail
    /// the curvature test.
    Armijo,
    /// Strong Wolfe conditions; near the minimum, where values cannot tell two points apart, the
    /// approximate ones of Hager and Zhang.
    StrongWolfe,
}

/// Whose rules a step follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rules {
    /// Ours; see the [module](self).
    Safe,
    /// PyTorch's.
    Torch,
}

hyper_parameters! {
    /// Configuration of [`LBfgs`].
    #[derive(Copy)]
    pub struct LBfgsConfig {
        /// Pairs.
        #[config(default = 10)]
        #[range(AtLeast1)]
        history_size: usize,
        /// Iterations in a step.
        #[config(default = 1)]
        #[range(AtLeast1)]
        max_iter: usize,
        /// Evaluations in a step after which no iteration begins.
        #[config(default = 50)]
        #[range(AtLeast1)]
        max_eval: usize,
        /// The line search.
        #[config(default = "LineSearch::StrongWolfe")]
        line_search: LineSearch,
        /// Which pairs are stored; `Rules::Torch` has its own test. None: relative, 1e-8.
        #[config(default = "None")]
        curvature_test: Option<CurvatureTest>,
        /// Powell's damping of pairs with s.y below this part of s.Bs; 0.2 is usual.
        #[config(default = "None")]
        #[range(Inside1)]
        damping: Option<f64>,
        /// The loss is the same function in every step, so that its gradient at the end of a step is not
        /// evaluated again by the next. Not for models with batch norm.
        #[config(default = false)]
        full_batch: bool,
        /// A gradient without a component above this ends a step.
        #[config(default = 0.0)]
        #[range(NotNegative)]
        tolerance_grad: f64,
        /// `Rules::Torch`: a change of loss or parameters below this ends a step.
        #[config(default = 1e-9)]
        #[range(Positive)]
        tolerance_change: f64,
        /// Whose rules a step follows.
        #[config(default = "Rules::Safe")]
        rules: Rules,
        /// Weight decay, of kind `L2`.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl LBfgsConfig {
    /// `torch.optim.LBFGS` with its defaults: 20 iterations in a step, 100 pairs, no search.
    pub fn torch() -> Self {
        Self::new()
            .with_history_size(100)
            .with_max_iter(20)
            .with_max_eval(25)
            .with_line_search(LineSearch::None)
            .with_tolerance_grad(1e-7)
            .with_rules(Rules::Torch)
    }

    /// The method without an optimizer around it.
    pub fn build(&self) -> LBfgs {
        LBfgs { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<LBfgs>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// L-BFGS; see the [module](self).
#[derive(Clone, Debug)]
pub struct LBfgs {
    config: LBfgsConfig,
}

/// The state of [`LBfgs`].
#[derive(Clone, Debug, Default)]
pub struct LBfgsState {
    matrix: InverseLBfgs,
    /// The gradient at the parameters, where the next step may rely on it; with PyTorch's rules,
    /// that before the last displacement.
    gradient: Blocks,
    /// PyTorch's rules: the parameters before the last displacement.
    theta: Blocks,
    /// The numbers that belong to `gradient`: f, the loss without decay, the norm of its gradient.
    value: Vec<f64>,
    iterations: u64,
    /// Of the parameters that `gradient` and `value` belong to, and of their decay.
    fingerprint: u64,
}

record_state!(LBfgsState {
    vectors: [gradient, theta],
    counters: [iterations, fingerprint],
    numbers: [value],
    matrices: [matrix]
});

impl Method for LBfgs {
    type State = LBfgsState;
    const NAME: &'static str = "l-bfgs";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)?;
        let LBfgsConfig { damping, full_batch, rules, .. } = self.config;
        if rules == Rules::Torch && (damping.is_some() || full_batch) {
            let reason = "PyTorch's rules have no damping and know no full batch; leave them out";
            return Err(ConfigError::Conflict { method: Self::NAME, reason });
        }
        Ok(())
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

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let LBfgsConfig { rules, full_batch, .. } = self.config;
        vec![("rules", format!("{rules:?}")), ("full_batch", full_batch.to_string())]
    }

    fn init(&self, _: &Layout) -> LBfgsState {
        LBfgsState { matrix: InverseLBfgs::new(self.config.history_size), ..LBfgsState::default() }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut LBfgsState,
    ) -> Result<StepReport, StepError> {
        let mut objective = Objective { context, oracle };
        let beginning = if self.config.full_batch {
            objective.here_or_kept(state.kept())?
        } else {
            objective.here()?
        };
        let Beginning { theta, known, mut report } = match beginning {
            Ok(beginning) => beginning,
            Err(report) => return Ok(report),
        };
        report.objective = Some(known.value);
        // The matrix is a list of shared vectors: a copy costs next to nothing, and is dropped where
        // the step fails or is rejected.
        let mut run = Run {
            config: &self.config,
            lr: context.tensors.first().map_or(0.0, |tensor| tensor.lr),
            matrix: state.matrix.clone(),
            theta,
            known,
            pending: None,
            iterations: state.iterations,
            moved: false,
            restarted: false,
            promise: None,
            otherwise: NO_DECREASE,
            pair: PairOutcome::NotTried,
            search: None,
        };
        if self.config.rules == Rules::Torch && !state.theta.is_empty() {
            // The state is needed again if the step fails.
            run.pending = Some((state.theta.clone(), state.gradient.clone()));
        }
        report.outcome = run.iterate(&mut objective)?;
        report.evals = objective.oracle.evals();
        report.pair = run.pair;
        report.line_search = run.search;
        if report.is_accepted() {
            report.loss_after = Some(run.known.loss);
            report.objective_after = Some(run.known.value);
        }
        // Where its search finds nothing, PyTorch's optimizer makes a step of length 0: what it has learnt
        // is part of the next one.
        let is_of_length_0 = self.config.rules == Rules::Torch
            && run.iterations > state.iterations
            && matches!(report.outcome, Outcome::Converged | NO_DECREASE);
        if report.outcome == Outcome::Accepted || is_of_length_0 {
            run.finish(&mut objective, state);
        }
        Ok(report)
    }
}

impl LBfgsState {
    fn kept(&self) -> Kept<'_> {
        let (gradient, numbers) = (&self.gradient, self.value.as_slice());
        Kept { gradient, numbers, fingerprint: self.fingerprint }
    }
}

/// A displacement of up to this many units in the last place of the largest parameter is rounding.
const RESOLUTION: f64 = 4.0;

const NO_DECREASE: Outcome = Outcome::Rejected(Rejection::NoDecrease);

/// The iterations of one step, at a point that is not yet the model's.
struct Run<'a> {
    config: &'a LBfgsConfig,
    lr: f64,
    matrix: InverseLBfgs,
    theta: Blocks,
    known: Known,
    /// Point and gradient before the last displacement, until their pair is made.
    pending: Option<(Blocks, Blocks)>,
    /// Since the first step.
    iterations: u64,
    /// Whether a displacement was more than rounding.
    moved: bool,
    /// Whether it forgot its pairs.
    restarted: bool,
    /// The decrease that the first direction promised.
    promise: Option<f64>,
    /// What the step is if nothing moves.
    otherwise: Outcome,
    pair: PairOutcome,
    search: Option<LineSearchReport>,
}

/// What an iteration found out.
enum Progress {
    /// It moved; go on.
    Moved,
    /// It moved or not; do not go on.
    Ended,
}

impl Run<'_> {
    fn iterate(&mut self, objective: &mut Objective<'_>) -> Result<Outcome, StepError> {
        let gradient = &self.known.gradient;
        // A gradient whose square vanishes has no direction of descent.
        if maximum_norm(gradient) <= self.config.tolerance_grad || dot(gradient, gradient) == 0.0 {
            return Ok(Outcome::Converged);
        }
        if self.lr == 0.0 {
            return Ok(Outcome::Accepted);
        }
        let before = objective.oracle.evals().gradient;
        // The first evaluation counts, also where it was made by the last step.
        let spent =
            |objective: &Objective<'_>| 1 + (objective.oracle.evals().gradient - before) as usize;
        for iteration in 1..=self.config.max_iter {
            let is_last = iteration == self.config.max_iter;
            let left = self.config.max_eval.saturating_sub(spent(objective));
            match self.iteration(objective, left, is_last)? {
                Progress::Moved if is_last => break,
                Progress::Moved if spent(objective) >= self.config.max_eval => break,
                Progress::Moved => {}
                Progress::Ended => break,
            }
        }
        Ok(self.outcome(objective))
    }

    fn outcome(&self, objective: &Objective<'_>) -> Outcome {
        // NaN and no promise do not pass.
        let is_rounding = |promise: f64| promise <= objective.noise(self.known.value);
        match self.otherwise {
            _ if self.moved => Outcome::Accepted,
            NO_DECREASE if self.promise.is_some_and(is_rounding) => Outcome::Converged,
            otherwise => otherwise,
        }
    }

    fn iteration(
        &mut self,
        objective: &mut Objective<'_>,
        evaluations_left: usize,
        is_last: bool,
    ) -> Result<Progress, StepError> {
        self.make_pair();
        self.iterations += 1;
        // 1. The direction.
        let (mut direction, mut slope) = self.direction();
        if self.config.rules == Rules::Torch && slope > -self.config.tolerance_change {
            self.otherwise = Outcome::Converged;
            return Ok(Progress::Ended);
        }
        if slope.is_nan() || slope >= 0.0 {
            (direction, slope) = self.restart();
        }
        let promise = -self.first_step() * slope;
        self.promise.get_or_insert(promise);
        if self.config.rules == Rules::Safe
            && self.is_within_rounding(objective, promise, &direction)
        {
            self.otherwise = Outcome::Converged;
            return Ok(Progress::Ended);
        }
        // 2. The step length.
        match self.config.line_search {
            LineSearch::None => self.go(objective, &direction, is_last),
            LineSearch::Armijo | LineSearch::StrongWolfe => loop {
                let found = self.search(objective, &direction, slope, evaluations_left)?;
                if let Some(reached) = found {
                    let change = (reached.known.value - self.known.value).abs();
                    let step = reached.step;
                    // 3. The displacement.
                    if self.arrive(reached.point, reached.known) {
                        return Ok(self.progress(step, &direction, change));
                    }
                }
                if self.config.rules == Rules::Torch || self.matrix.is_empty() {
                    return Ok(Progress::Ended);
                }
                (direction, slope) = self.restart();
            },
        }
    }

    /// Whether a first trial along `direction` would neither change f nor the parameters by more than
    /// their rounding: steps between neighbouring numbers would never end.
    fn is_within_rounding(
        &self,
        objective: &Objective<'_>,
        promise: f64,
        direction: &Blocks,
    ) -> bool {
        let length = || self.first_step() * maximum_norm(direction);
        let least = || RESOLUTION * objective.unit() * maximum_norm(&self.theta);
        promise <= objective.noise(self.known.value) && length() <= least()
    }

    /// d = -H g and g.d; -g where H g is not finite.
    fn direction(&mut self) -> (Blocks, f64) {
        let mut direction = self.known.gradient.zeros_like();
        match self.matrix.apply(-1.0, Scaling::Newest, &self.known.gradient, &mut direction) {
            Some(applied) => (direction, applied.with_g),
            None => self.restart(),
        }
    }

    /// Forgets all pairs: d = -g.
    fn restart(&mut self) -> (Blocks, f64) {
        self.restarted |= !self.matrix.is_empty();
        self.matrix.reset();
        let mut direction = self.known.gradient.zeros_like();
        add_scaled(&mut direction, -1.0, &self.known.gradient);
        (direction, -dot(&self.known.gradient, &self.known.gradient))
    }

    fn first_step(&self) -> f64 {
        let g = &self.known.gradient;
        match self.config.rules {
            Rules::Torch if self.iterations == 1 => (1.0 / absolute_sum(g)).min(1.0) * self.lr,
            Rules::Safe if self.matrix.is_empty() => (1.0 / dot(g, g).sqrt()).min(1.0) * self.lr,
            _ => self.lr,
        }
    }

    fn search(
        &mut self,
        objective: &mut Objective<'_>,
        direction: &Blocks,
        slope: f64,
        evaluations_left: usize,
    ) -> Result<Option<Reached>, StepError> {
        let exact = self.config.rules == Rules::Torch;
        let most = u32::try_from(evaluations_left).unwrap_or(u32::MAX);
        let settings = if exact {
            let tolerance_change = self.config.tolerance_change;
            WolfeSettings { tolerance_change, ..WolfeSettings::torch(most) }
        } else {
            let most = most.min(WolfeSettings::MAX_ITERATIONS);
            WolfeSettings { max_iterations: most, ..WolfeSettings::default() }
        };
        let first_step = self.first_step();
        let (origin, value) = (&self.theta, self.known.value);
        let line = Line { origin, value, direction, slope, first_step };
        let (reached, report) = if self.config.line_search == LineSearch::Armijo {
            objective.armijo(ArmijoSettings::default(), line)?
        } else {
            objective.strong_wolfe(settings, exact, line)?
        };
        let trials = self.search.map_or(0, |search| search.trials) + report.trials;
        self.search = Some(LineSearchReport { trials, restarted: self.restarted, ..report });
        Ok(reached)
    }

    /// A step of the learning rate. With PyTorch's rules the last one is not evaluated.
    fn go(
        &mut self,
        objective: &mut Objective<'_>,
        direction: &Blocks,
        is_last: bool,
    ) -> Result<Progress, StepError> {
        let step = self.first_step();
        let mut point = self.theta.zeros_like();
        advance(&mut point, &self.theta, step, direction);
        if is_last && self.config.rules == Rules::Torch {
            let known = self.known.clone();
            self.arrive(point, known);
            return Ok(Progress::Ended);
        }
        let known = match objective.at(&mut point)? {
            Ok(known) => known,
            Err(rejection) => {
                self.matrix.reset();
                self.otherwise = Outcome::Rejected(rejection);
                return Ok(Progress::Ended);
            }
        };
        let change = (known.value - self.known.value).abs();
        let moved = self.arrive(point, known);
        Ok(if moved { self.progress(step, direction, change) } else { Progress::Ended })
    }

    /// Goes to the new point of step 3; whether it is another one. Its pair is made with the next
    /// gradient, which with our rules is here.
    fn arrive(&mut self, point: Blocks, known: Known) -> bool {
        let theta = std::mem::replace(&mut self.theta, point);
        let before = std::mem::replace(&mut self.known, known);
        let moved = match self.config.rules {
            Rules::Safe => {
                self.pending = Some((theta, before.gradient));
                self.make_pair()
            }
            Rules::Torch => {
                let moved = largest_difference(&self.theta, &theta) > 0.0;
                self.pending = Some((theta, before.gradient));
                moved
            }
        };
        self.moved |= moved;
        moved
    }

    /// 4. s, y, and the memory; whether there is a displacement.
    fn make_pair(&mut self) -> bool {
        let Some((mut s, mut y)) = self.pending.take() else { return false };
        // B s = -t g for a step along -t H g: what damping needs, before g is overwritten.
        let with_b = self.config.damping.map(|least| (least, y.clone()));
        let products = make_pair(&mut s, &mut y, &self.theta, &self.known.gradient);
        if products.ss == 0.0 {
            return false;
        }
        let test = match self.config.rules {
            // Above 1e-10, and never 1e-10 itself.
            Rules::Torch => CurvatureTest::Absolute(1e-10f64.next_up()),
            Rules::Safe => self.config.curvature_test.unwrap_or(CurvatureTest::Relative(1e-8)),
        };
        let damped = with_b.and_then(|(least, g)| self.damp(least, &s, &mut y, &g, products));
        let (theta, products) = damped.map_or((None, products), |(t, p)| (Some(t), p));
        self.pair = match (self.matrix.push(test, products, s, y), theta) {
            (PairOutcome::Stored { .. }, Some(theta)) => PairOutcome::Damped { theta },
            (outcome, _) => outcome,
        };
        true
    }

    /// y <- theta y + (1 - theta) B s where s.y < least s.Bs; theta and the new products.
    fn damp(
        &self,
        least: f64,
        s: &Blocks,
        y: &mut Blocks,
        g: &Blocks,
        products: PairProducts,
    ) -> Option<(f64, PairProducts)> {
        let step = self.search.map_or(self.lr, |search| search.step_length);
        let s_b_s = -step * dot(s, g);
        let theta = powell_damping(products.sy, s_b_s, least)?;
        let mut damped = y.zeros_like();
        add_scaled(&mut damped, theta, y);
        add_scaled(&mut damped, -(1.0 - theta) * step, g);
        *y = damped;
        let products = PairProducts { ss: products.ss, sy: dot(s, y), yy: dot(y, y) };
        Some((theta, products))
    }

    /// PyTorch's tests after an iteration.
    fn progress(&self, step: f64, direction: &Blocks, change: f64) -> Progress {
        let LBfgsConfig { tolerance_grad, tolerance_change, .. } = self.config;
        let is_still =
            || change < *tolerance_change || step * maximum_norm(direction) <= *tolerance_change;
        let ended = maximum_norm(&self.known.gradient) <= *tolerance_grad
            || self.config.rules == Rules::Torch && is_still();
        if ended { Progress::Ended } else { Progress::Moved }
    }

    /// Writes parameters and state.
    fn finish(self, objective: &mut Objective<'_>, state: &mut LBfgsState) {
        state.matrix = self.matrix;
        state.iterations = self.iterations;
        if self.config.rules == Rules::Torch {
            // Without a displacement the next pair has s = 0, and is skipped.
            let pending =
                self.pending.unwrap_or_else(|| (self.theta.clone(), self.known.gradient.clone()));
            (state.theta, state.gradient) = pending;
        }
        if self.config.full_batch {
            state.fingerprint = fingerprint(objective.context, &self.theta);
        }
        if self.moved {
            objective.move_to(self.theta);
        }
        match self.config.rules {
            Rules::Torch => {}
            Rules::Safe if self.config.full_batch => {
                state.value = self.known.numbers();
                state.gradient = self.known.gradient;
            }
            Rules::Safe => {}
        }
    }
}
