//! The iterations of one step of L-BFGS.

use secant_core::{
    curvature::{CurvatureTest, PairProducts, powell_damping},
    line_search::{ArmijoSettings, WolfeSettings},
    report::{LineSearchReport, Outcome, PairOutcome, Rejection},
};

use super::{LBfgsConfig, LBfgsState, LineSearch, Rules, torch};
use crate::{
    blocks::{Blocks, add_scaled, advance, dot, largest_difference, make_pair, maximum_norm},
    error::StepError,
    objective::{Known, Line, Objective, Reached},
    operator::{InverseLBfgs, Scaling},
};

pub(super) const NO_DECREASE: Outcome = Outcome::Rejected(Rejection::NoDecrease);

/// The iterations of one step, at a point that is not yet the model's.
pub(super) struct Run<'a> {
    pub config: &'a LBfgsConfig,
    pub lr: f64,
    pub matrix: InverseLBfgs,
    pub theta: Blocks,
    pub known: Known,
    /// Point and gradient before the last displacement, until their pair is made.
    pub pending: Option<(Blocks, Blocks)>,
    /// Since the first step.
    pub iterations: u64,
    /// Whether a displacement was more than rounding.
    pub moved: bool,
    /// t of the newest displacement s = t d.
    pub stride: f64,
    /// Its s.Bs: -t^2 g.d, because B d = -g.
    pub s_b_s: f64,
    /// Whether it forgot its pairs.
    pub restarted: bool,
    /// The decrease that the first direction promised.
    pub promise: Option<f64>,
    /// What the step is if nothing moves.
    pub otherwise: Outcome,
    pub pair: PairOutcome,
    pub search: Option<LineSearchReport>,
}

/// What an iteration found out.
enum Progress {
    /// It moved; go on.
    Moved,
    /// It moved or not; do not go on.
    Ended,
}

impl Run<'_> {
    pub fn iterate(&mut self, objective: &mut Objective<'_>) -> Result<Outcome, StepError> {
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
        let line = self.line(&direction, slope);
        let promise = line.promise();
        let is_rounding = self.config.rules == Rules::Safe && objective.is_within_rounding(line);
        self.promise.get_or_insert(promise);
        if is_rounding {
            self.otherwise = Outcome::Converged;
            return Ok(Progress::Ended);
        }
        // 2. The step length.
        match self.config.line_search {
            LineSearch::None => {
                self.stride(self.first_step(), slope);
                self.go(objective, &direction, is_last)
            }
            LineSearch::Armijo | LineSearch::StrongWolfe => loop {
                let found = self.search(objective, &direction, slope, evaluations_left)?;
                if let Some(reached) = found {
                    let change = (reached.known.value - self.known.value).abs();
                    let step = reached.step;
                    self.stride(step, slope);
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

    /// Notes how far the step along a direction goes.
    fn stride(&mut self, step: f64, slope: f64) {
        (self.stride, self.s_b_s) = (step, -step * step * slope);
    }

    fn line<'a>(&'a self, direction: &'a Blocks, slope: f64) -> Line<'a> {
        let (origin, value, first_step) = (&self.theta, self.known.value, self.first_step());
        Line { origin, value, direction, slope, first_step }
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
            Rules::Torch if self.iterations == 1 => torch::first_step(g) * self.lr,
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
            torch::search(self.config, most)
        } else {
            let most = most.min(WolfeSettings::MAX_ITERATIONS);
            WolfeSettings { max_iterations: most, ..WolfeSettings::default() }
        };
        let line = self.line(direction, slope);
        let (reached, report) = if self.config.line_search == LineSearch::Armijo {
            objective.armijo(ArmijoSettings::default(), line)?
        } else {
            objective.strong_wolfe(settings, exact, line)?
        };
        let restarted = self.restarted;
        self.search = Some(LineSearchReport { restarted, ..report.after(self.search) });
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
            Rules::Torch => torch::CURVATURE_TEST,
            Rules::Safe => self.config.curvature_test.unwrap_or(CurvatureTest::Relative(1e-8)),
        };
        let damped = with_b.and_then(|(least, g)| self.damp(least, &s, &mut y, &g, products));
        let (theta, products) = damped.map_or((None, products), |(t, p)| (Some(t), p));
        let growth = self.growth(products.sy);
        let pushed = self.matrix.push_self_scaled(test, products, growth, s, y);
        self.pair = match (pushed, theta) {
            (PairOutcome::Stored { .. }, Some(theta)) => PairOutcome::Damped { theta },
            (outcome, _) => outcome,
        };
        true
    }

    /// 1/tau of Al-Baali's self-scaling, max(1, s.Bs / s.y), where it is asked for and H is more than its
    /// initial matrix, which has a scale of its own.
    fn growth(&self, sy: f64) -> f64 {
        match self.config.self_scaling && !self.matrix.is_empty() {
            // NaN does not grow it.
            true => (self.s_b_s / sy).max(1.0),
            false => 1.0,
        }
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
        let theta = powell_damping(products.sy, self.s_b_s, least)?;
        let mut damped = y.zeros_like();
        add_scaled(&mut damped, theta, y);
        add_scaled(&mut damped, -(1.0 - theta) * self.stride, g);
        *y = damped;
        let products = PairProducts { ss: products.ss, sy: dot(s, y), yy: dot(y, y) };
        Some((theta, products))
    }

    /// Whether an iteration is the last: a small gradient, and PyTorch's tests.
    fn progress(&self, step: f64, direction: &Blocks, change: f64) -> Progress {
        let is_still = || torch::is_still(self.config, step * maximum_norm(direction), change);
        let ended = maximum_norm(&self.known.gradient) <= self.config.tolerance_grad
            || self.config.rules == Rules::Torch && is_still();
        if ended { Progress::Ended } else { Progress::Moved }
    }

    /// Writes parameters and state.
    pub fn finish(mut self, objective: &mut Objective<'_>, state: &mut LBfgsState) {
        state.matrix = self.matrix;
        let layout = objective.context.layout;
        let change = state.metric.learn(self.config.metric, layout, &self.known.gradient);
        state.iterations = self.iterations;
        if self.config.rules == Rules::Torch {
            // Without a displacement the next pair has s = 0, and is skipped.
            let pending =
                self.pending.unwrap_or_else(|| (self.theta.clone(), self.known.gradient.clone()));
            (state.theta, state.gradient) = pending;
        }
        if self.config.full_batch {
            state.fingerprint = objective.fingerprint(&mut self.theta);
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
        if let Some(change) = change {
            state.matrix.change(&change);
            change.divide(&mut state.gradient);
        }
    }
}
