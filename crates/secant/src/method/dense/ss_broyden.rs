//! Self-scaled Broyden: a dense inverse Hessian, for smooth functions that are the same in every step.
//!
//! # Idea
//! BFGS with a full matrix ends faster than one that remembers a few pairs, as long as the matrix is
//! affordable. Scaling it down before each update, and choosing the member of Broyden's family by how
//! the pair fits the matrix, keeps its large eigenvalues from spoiling steps for long: on
//! physics-informed networks that is worth factors of 100 in the error.
//!
//! # Algorithm
//! One step, with value f and gradient g at theta (decay is part of both: f + wd/2 |theta|^2) and H = I at the
//! beginning (Urban, Stefanou, Pons 2025, as in their code):
//! 1. p = -H g, or -g where that does not descend. The first trial is lr min(1, 2.02 (f - f_prev) / g.p), lr where the
//!    quotient is not positive; f_prev is f one step earlier, f + |g|/2 at first and for -g.
//! 2. Search along p for a step alpha with the strong Wolfe conditions, as Moré and Thuente do; s = alpha p,
//!    y = the change of the gradient. Where there is none, H = I and once more; where there is
//!    none either, the step is rejected, or has converged if step 1 promised no more than the rounding of f.
//! 3. rho = 1/(y.s), h = rho y.Hy, b = -alpha rho s.g.
//! 4. theta and tau of the update from h and b, see [`secant_core::self_scaling`]. With `initial_scale` the
//!    first update scales H = I instead.
//! 5. H <- (1/tau) [H - Hy Hy'/(y.Hy) + phi (y.Hy) v v'] + rho s s', v = rho s - Hy/(y.Hy),
//!    phi = (1 - theta)/(1 + (b h - 1) theta).
//! 6. theta <- theta + s; f_prev <- f.
//!
//! # Notation
//! H: `matrix` of [`SsBroydenState`], its lower half in `f64`; H g: `product`; f_prev: `previous`; lr: the step's rate, usually 1.
//!
//! # Cost
//! n (n + 1)/2 numbers of memory in `f64` for n parameters: 400 MB for 10,000. With `full_batch` a step reads them
//! twice and writes them once, because the update gives the next product with g, and evaluates about one
//! gradient, because the one at the new point is kept for the next step. Otherwise a step reads the
//! matrix once more and evaluates one more gradient.
//!
//! # When not to use it
//! Mini-batches, single precision, loss functions with kinks: y is then noise, and a whole matrix learns
//! it. More than some thousands of parameters: use [`LBfgs`](crate::method::lbfgs::l_bfgs::LBfgs). Far
//! from a minimum a first-order method goes the first part of the way better:
//! `switch(first=soap,then=ss-broyden)`.
//!
//! # Deviations
//! The reference ends where a search fails; here H = I is tried first. It also tries a second search
//! before, which is left out. A search judges 25 trials, there 99, and where it ends without both conditions
//! its best step is taken if that is a sufficient decrease. A step whose pair has no positive curvature
//! moves, and leaves H as it is. A step has converged where -H g promises no more than the rounding of f, and
//! what the search found lowers neither f nor |g|; or where it would move no parameter by more than
//! rounding, as in [`LBfgs`](crate::method::lbfgs::l_bfgs::LBfgs). A pair with s and Hy in one direction divides by zero there, and gets
//! theta = 0 here.
//!
//! # References
//! Urban, Stefanou, Pons, *Unveiling the optimization process of physics informed neural networks: how
//! accurate and competitive can PINNs be?*, Journal of Computational Physics 523, 2025; Al-Baali, Khalfan,
//! *A combined class of self-scaling and modified quasi-Newton methods*, 2012; Moré, Thuente, *Line search
//! algorithms with guaranteed sufficient decrease*, 1994.
//!
//! # Example
//! ```
//! use secant::{Function, Outcome, SsBroydenConfig};
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
//! let mut optimizer = SsBroydenConfig::new().with_full_batch(true).init()?;
//! let mut x = vec![-1.2, 1.0];
//! for _ in 0..60 {
//!     let report = optimizer.step_function(1.0, &mut x, &mut Rosenbrock)?;
//!     if report.outcome == Outcome::Converged {
//!         break;
//!     }
//! }
//! assert!((x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8);
//! # Ok(())
//! # }
//! ```

use burn::tensor::DType;
use secant_core::{
    curvature::PairProducts,
    report::{LineSearchReport, Outcome, PairOutcome, Rejection, SkipReason, StepReport},
    self_scaling::{PairNumbers, Rule, Update as Scaled},
};

use crate::{
    blocks::{Blocks, Entry, Layout, Memory, add_scaled, dot, make_pair},
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    objective::{Beginning, Kept, Known, Line, Objective, Reached, fingerprint},
    operator::dense_inverse::{self, Update, half, make_identity},
    optimizer::Optimizer,
    oracle::Oracle,
    protocol::{Decay, Method, StepContext, record_state},
};

/// Parameters with which the matrix has 1.6 GB.
const MOST_PARAMETERS: usize = 20_000;

hyper_parameters! {
    /// Configuration of [`SsBroyden`].
    #[derive(Copy)]
    pub struct SsBroydenConfig {
        /// How theta and tau are chosen.
        #[config(default = "Rule::Ssbroyden2")]
        rule: Rule,
        /// Whether the first update scales the identity by the first pair.
        #[config(default = false)]
        initial_scale: bool,
        /// The share of the first slope's decrease that is sufficient.
        #[config(default = 1e-4)]
        #[range(Inside1)]
        c1: f64,
        /// The share of the first slope that may be left; above `c1`.
        #[config(default = 0.9)]
        #[range(Inside1)]
        c2: f64,
        /// The loss is the same function in every step, so that its gradient at the end of a step is not
        /// evaluated again by the next. Not for models with batch norm.
        #[config(default = false)]
        full_batch: bool,
        /// Weight decay, of kind `L2`.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl SsBroydenConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> SsBroyden {
        SsBroyden { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<SsBroyden>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// Self-scaled Broyden; see the [module](self).
#[derive(Clone, Debug)]
pub struct SsBroyden {
    config: SsBroydenConfig,
}

/// The state of [`SsBroyden`].
#[derive(Clone, Debug, Default)]
pub struct SsBroydenState {
    /// The lower half of H, row by row.
    matrix: Blocks,
    /// H g at the parameters that `gradient` belongs to.
    product: Blocks,
    /// With `full_batch`: the gradient at the end of the last step.
    gradient: Blocks,
    /// What belongs to it: f, the loss without decay, the norm of its gradient.
    value: Vec<f64>,
    /// f before the last step; empty before the first.
    previous: Vec<f64>,
    /// Updates of H since it was the identity.
    updates: u64,
    /// Of the parameters that `gradient` and `value` belong to, and of their decay.
    fingerprint: u64,
}

record_state!(SsBroydenState {
    vectors: [matrix, product, gradient],
    counters: [updates, fingerprint],
    numbers: [value, previous]
});

impl Method for SsBroyden {
    type State = SsBroydenState;
    const NAME: &'static str = "ss-broyden";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)?;
        if self.config.c1 >= self.config.c2 {
            let reason = "its search needs c1 < c2";
            return Err(ConfigError::Conflict { method: Self::NAME, reason });
        }
        Ok(())
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn check_layout(&self, layout: &Layout) -> Result<(), StepError> {
        let (method, parameters, most) = (Self::NAME, layout.num_elements(), MOST_PARAMETERS);
        match parameters > most {
            true => Err(StepError::TooManyParameters { method, parameters, most }),
            false => Ok(()),
        }
    }

    fn evaluates_again(&self) -> bool {
        true
    }

    fn searches(&self) -> bool {
        true
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        vec![("full_batch", self.config.full_batch.to_string())]
    }

    fn init(&self, layout: &Layout) -> SsBroydenState {
        let side = layout.num_elements();
        let mut matrix = double_precision(layout, half(side));
        if !matrix.is_empty() {
            make_identity(matrix.vector_mut(), side);
        }
        SsBroydenState {
            matrix,
            product: double_precision(layout, side),
            ..SsBroydenState::default()
        }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut SsBroydenState,
    ) -> Result<StepReport, StepError> {
        state.keep_in_host_memory();
        let mut objective = Objective::new(context, oracle);
        let beginning = objective.begin(self.config.full_batch, state.kept())?;
        let Beginning { theta, known, mut report, is_kept } = match beginning {
            Ok(beginning) => beginning,
            Err(report) => return Ok(report),
        };
        let square = dot(&known.gradient, &known.gradient);
        if square == 0.0 {
            report.outcome = Outcome::Converged;
            return Ok(report);
        }
        let lr = context.tensors.first().map_or(0.0, |tensor| tensor.lr);
        if lr == 0.0 {
            return Ok(report);
        }
        // 1. The direction; H g is there where the gradient is.
        let mut run = Run { config: &self.config, lr, theta, known, square, search: None };
        let ahead = run.ahead(context, state, is_kept);
        if objective.is_within_rounding(Line { first_step: lr, ..run.line(&ahead) }) {
            report.outcome = Outcome::Converged;
            return Ok(report);
        }
        // 2. The step length.
        let found = run.search_or_restart(&mut objective, &ahead)?;
        report.evals = objective.oracle.evals();
        report.line_search = run.search;
        // Where f cannot tell, the gradient must get shorter.
        let is_rounding = -lr * ahead.slope <= objective.noise(run.known.value);
        let found = found.filter(|(reached, _)| !is_rounding || run.is_lower(&reached.known));
        let Some((reached, is_steepest)) = found else {
            report.outcome = match is_rounding {
                true => Outcome::Converged,
                false => Outcome::Rejected(Rejection::NoDecrease),
            };
            return Ok(report);
        };
        report.loss_after = Some(reached.known.loss);
        report.objective_after = Some(reached.known.value);
        // 3. to 6.
        report.pair = run.finish(&mut objective, state, reached, is_steepest);
        Ok(report)
    }
}

impl SsBroydenState {
    /// H stays there, wherever the parameters are.
    fn keep_in_host_memory(&mut self) {
        for blocks in [&mut self.matrix, &mut self.product] {
            *blocks = std::mem::take(blocks).in_memory(&Memory::Host);
        }
    }

    fn kept(&self) -> Kept<'_> {
        let (gradient, numbers) = (&self.gradient, self.value.as_slice());
        Kept { gradient, numbers, fingerprint: self.fingerprint }
    }
}

/// A direction of descent.
struct Ahead {
    direction: Blocks,
    /// g.p
    slope: f64,
    /// The first step.
    first: f64,
    /// Whether H is the identity.
    is_steepest: bool,
}

/// A step, at a point that is not yet the model's.
struct Run<'a> {
    config: &'a SsBroydenConfig,
    lr: f64,
    theta: Blocks,
    known: Known,
    /// g.g
    square: f64,
    search: Option<LineSearchReport>,
}

impl Run<'_> {
    /// Step 1: p = -H g and the first trial; -g where that does not descend.
    fn ahead(&self, context: &StepContext<'_>, state: &SsBroydenState, is_kept: bool) -> Ahead {
        let &[previous] = state.previous.as_slice() else { return self.steepest(context) };
        if state.updates == 0 {
            return self.steepest(context);
        }
        let product = match is_kept {
            true => state.product.vector().to_vec(),
            false => dense_inverse::multiply(state.matrix.vector(), &flat(&self.known.gradient)),
        };
        let mut numbers = product.into_iter();
        let direction = Blocks::filled(context.layout, |tensor| {
            let length = context.layout.entries()[tensor].shape.num_elements();
            numbers.by_ref().take(length).map(|number| -number).collect::<Vec<_>>().into_iter()
        });
        let slope = dot(&self.known.gradient, &direction);
        if slope.is_nan() || slope >= 0.0 {
            return self.steepest(context);
        }
        self.along(direction, slope, previous, false)
    }

    /// -g, as at the very beginning.
    fn steepest(&self, context: &StepContext<'_>) -> Ahead {
        let mut direction = Blocks::zeros(context.layout);
        add_scaled(&mut direction, -1.0, &self.known.gradient);
        let previous = self.known.value + 0.5 * self.square.sqrt();
        self.along(direction, -self.square, previous, true)
    }

    fn along(&self, direction: Blocks, slope: f64, previous: f64, is_steepest: bool) -> Ahead {
        let first = 2.02 * (self.known.value - previous) / slope;
        let first = if first > 0.0 { first.min(1.0) } else { 1.0 };
        Ahead { direction, slope, first: self.lr * first, is_steepest }
    }

    /// Whether value or gradient are smaller than at the beginning.
    fn is_lower(&self, there: &Known) -> bool {
        there.value < self.known.value || dot(&there.gradient, &there.gradient) < self.square
    }

    fn line<'a>(&'a self, ahead: &'a Ahead) -> Line<'a> {
        Line {
            origin: &self.theta,
            value: self.known.value,
            direction: &ahead.direction,
            slope: ahead.slope,
            first_step: ahead.first,
        }
    }

    /// Step 2: where a search along `ahead`, or else along -g, ended, and whether it was along -g.
    fn search_or_restart(
        &mut self,
        objective: &mut Objective<'_>,
        ahead: &Ahead,
    ) -> Result<Option<(Reached, bool)>, StepError> {
        let found = self.search(objective, ahead)?;
        if found.is_some() || ahead.is_steepest {
            return Ok(found.map(|reached| (reached, ahead.is_steepest)));
        }
        let steepest = self.steepest(objective.context);
        Ok(self.search(objective, &steepest)?.map(|reached| (reached, true)))
    }

    fn search(
        &mut self,
        objective: &mut Objective<'_>,
        ahead: &Ahead,
    ) -> Result<Option<Reached>, StepError> {
        let (c1, c2, restarted) = (self.config.c1, self.config.c2, self.search.is_some());
        let (reached, report) = objective.more_thuente([c1, c2], self.line(ahead))?;
        self.search = Some(LineSearchReport { restarted, ..report.after(self.search) });
        Ok(reached)
    }

    /// Steps 3 to 6: updates H, and writes parameters and state.
    fn finish(
        self,
        objective: &mut Objective<'_>,
        state: &mut SsBroydenState,
        reached: Reached,
        is_steepest: bool,
    ) -> PairOutcome {
        let Reached { step, point, known } = reached;
        if is_steepest && state.updates > 0 {
            make_identity(state.matrix.vector_mut(), point.num_elements());
            state.updates = 0;
        }
        // s.g at the old point: what step 3 needs before the gradient is overwritten.
        let (mut s, mut y) = (self.theta, self.known.gradient);
        let gradient = flat(&y);
        let products = make_pair(&mut s, &mut y, &point, &known.gradient);
        let s = flat(&s);
        let sg: f64 = s.iter().zip(&gradient).map(|(s, g)| s * g).sum();
        let pair = Pair { s, y: flat(&y), products, step, sg };
        let outcome = pair.update(self.config, state, &flat(&known.gradient));
        state.previous = vec![self.known.value];
        if self.config.full_batch {
            state.fingerprint = fingerprint(objective.context, &point);
            state.value = known.numbers();
            state.gradient = known.gradient;
        }
        objective.move_to(point);
        outcome
    }
}

/// What H learns from.
struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
    products: PairProducts,
    /// alpha
    step: f64,
    /// s.g with the old gradient.
    sg: f64,
}

impl Pair {
    /// Steps 3 to 5: H, and its product with the new `gradient`. A pair without positive curvature changes
    /// the product alone.
    fn update(
        &self,
        config: &SsBroydenConfig,
        state: &mut SsBroydenState,
        gradient: &[f64],
    ) -> PairOutcome {
        let PairProducts { sy, yy, .. } = self.products;
        let matrix = state.matrix.vector_mut();
        let hy = dense_inverse::multiply(matrix, &self.y);
        let y_h_y: f64 = self.y.iter().zip(&hy).map(|(y, hy)| y * hy).sum();
        let rho = 1.0 / sy;
        let pair =
            PairNumbers { h: rho * y_h_y, b: -self.step * rho * self.sg, dimension: self.s.len() };
        let mut scaled = config.rule.update(pair);
        if config.initial_scale && state.updates == 0 {
            scaled.tau = config.rule.initial_tau(pair, scaled.sigma, rho * yy);
        }
        let Scaled { theta, tau, sigma } = scaled;
        let is_usable = [sy, pair.h, pair.b, tau, sigma].iter().all(|x| *x > 0.0 && x.is_finite());
        if !is_usable || !theta.is_finite() {
            if config.full_batch {
                let product = dense_inverse::multiply(matrix, gradient);
                state.product.vector_mut().copy_from_slice(&product);
            }
            return PairOutcome::Skipped(SkipReason::Curvature);
        }
        let coefficients = scaled.coefficients(pair, rho);
        let update = Update { coefficients, s: &self.s, hy: &hy };
        let product = update.apply(matrix, gradient);
        state.product.vector_mut().copy_from_slice(&product);
        state.updates += 1;
        PairOutcome::Stored { cosine: self.products.cosine() }
    }
}

/// Zeros in double precision and host memory; nothing for a layout of nothing.
fn double_precision(layout: &Layout, length: usize) -> Blocks {
    let Some(first) = layout.entries().first() else { return Blocks::empty() };
    let entry = Entry { shape: vec![length].into(), dtype: DType::F64, ..first.clone() };
    Blocks::zeros(&Layout::new(vec![entry]))
}

/// All vectors as one.
fn flat(blocks: &Blocks) -> Vec<f64> {
    blocks.data().flat_map(|data| data.iter::<f64>().collect::<Vec<f64>>()).collect()
}
