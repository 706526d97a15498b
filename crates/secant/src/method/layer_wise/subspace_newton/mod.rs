//! Subspace Newton: SOAP's direction and the last step, and a quadratic model exactly minimised over both.
//!
//! # Idea
//! [SOAP](super::soap) knows where to go and not how far; the last step knows where it was going. So:
//! measure the curvature of the loss along the two, which costs two forward passes on duals and nothing
//! backward, and minimise the quadratic model over the plane that they span. Its damping follows from how
//! well the model foretold the loss, as the radius of a trust region does. No rate is left to tune.
//!
//! # Algorithm
//! Step on batch B (decay of kind `L2` is part of the loss: f + wd/2 |theta|^2). The first only makes SOAP's bases, and
//! nothing moves. k counts gradients after the first:
//! 1. f, g = the gradient on B; d = SOAP's direction of the averaged gradient (steps 1 to 3 of its page
//!    with their correction, and s of step 4 with `narrow_below`; 3' for a matrix whose bases cost more than `max_cost`; for
//!    vectors Adam's).
//! 2. D = [-d, p], p the last step divided by its coefficient; p = 0 where there was none.
//! 3. Where it is due (in the first ten steps, every `curvature_every` steps and for a check): C = D'G D
//!    with the Gauss-Newton matrix G on the first `curvature_share` of B;
//!    K <- `curvature_average` K + (1 - `curvature_average`) C, corrected for its start.
//! 4. M = K + lambda kappa D'D, kappa = K_11 / |d|^2; r = -D'g; c = M^-1 r. Where c_1 is not
//!    positive, or M not positive definite: c = (max(r_1, 0) / M_11, 0).
//! 5. s = D c; where |s| > h `cap` |d|, s and c are shortened to it. h grows from 1 while the loss still falls along
//!    the last step: a <- 0.9 a + 0.1 (p'g / |p|) / (-d'g / |d|), from 1, that ratio within [-1, 1] and 1 where p = 0 or -d does
//!    not descend;
//!    h <- h exp(0.1 (a - t)) within [b, `cap_growth`], t = 0.1 where h > 1 and 0 elsewhere, b = 0.6 with an average and 1
//!    without.
//! 6. theta <- theta + lr s; p = s / c_1. Decoupled decay: theta <- (1 - wd lr |s| / |d|) theta, after 7. With `average` = q:
//!    x <- x + w (theta - x), w = (q + 1) / (k + q).
//! 7. Every `check_every` steps: rho = (f(theta) - f) / (x'M x / 2 - r'x) on B with x = lr c and this step's
//!    C for K. rho > 0.75: lambda <- w lambda; rho < 0.25: lambda <- lambda / w; w = 0.95^`check_every`.
//!    lambda stays within [1e-8, 1e3].
//! 8. SOAP's factors learn from g, and now and then its bases turn (steps 5 and 6 of its page).
//!
//! The learning rate, lr, is 1 but for what a schedule makes of it.
//!
//! # Where to evaluate
//! With an average (the default) at x, which has the part of a schedule: the rate stays at 1, and no one has to know where the
//! run ends. The model holds theta; [`Optimizer::averaged`] gives a model at x for validation, test and
//! inference, and leaves the one that is trained alone, as with [Schedule-Free](crate::method::first_order::schedule_free).
//! Without an average (`average` none) the model is what counts, and a rate that falls to 0 gives the noise of
//! the last steps time to fade.
//!
//! # Notation
//! p: of [`SubspaceNewtonState`]; K: its `curvature` and `weights`; lambda: its `damping`; a and h: its
//! `growth`; x: its `x`; the rest as on SOAP's page. [`plane`](secant_core::plane) has steps 4, 5 and 7.
//!
//! # Cost
//! SOAP's memory and two vectors more (one without an average), and 4 vectors during a step. One gradient; in the steps that measure,
//! two products with the Jacobian on a sixteenth of the batch; in those with a check a forward pass: with the
//! defaults about 1.1 gradients a step. SOAP's products of matrices.
//!
//! # When not to use it
//! Where a step of [SOAP](super::soap) costs more than the gradient, unless `max_cost` is given (`for_batches` gives it). Small batches: the model fits the batch. Long runs, so far: `cap` is a rate in
//! disguise and ought to fall with the gradient's noise. `for_batches` sets it by the batch, h and the average
//! do the rest. Where a rate for SOAP is known. A check that is not finite undoes its step, and where every step sees
//! the same function so does the next: begin with a smaller `cap`.
//!
//! # Deviations
//! A design of this crate. Without duals
//! ([`Duals`](crate::Duals) whose outputs are marked, [`Tangents::output`](crate::dual::Tangents::output))
//! C is of the Hessian: by the user's products ([`WithProduct`](crate::WithProduct)), or by differences of
//! gradients, three for each product, which are refused on networks with kinks unless they are allowed
//! ([`Optimizer::allow_differences`]). In [`Optimizer::step`] the part of the batch is the batch. All
//! parameters have one rate. A first gradient is only learnt from: that step is
//! accepted, and nothing moves.
//!
//! # References
//! The plane and its model are those of Martens and Grosse, *Optimizing neural networks with
//! Kronecker-factored approximate curvature*, 2015, sections 6.4 and 7, with SOAP's direction (Vyas et al.,
//! 2024) in the place of theirs. The weights of the average: Shamir, Zhang, *Stochastic gradient descent for non-smooth
//! optimization: convergence results and optimal averaging schemes*, 2013.
//!
//! # Example
//! A network on duals that marks its outputs. No rate is chosen:
//!
//! ```
//! # use burn::{module::Module, nn::{Linear, LinearConfig}, tensor::{Device, Int, Tensor}};
//! use secant::{Duals, SubspaceNewtonConfig, dual::{Dual, Tangents}};
//!
//! # #[derive(Module, Debug)]
//! # struct Net { hidden: Linear, output: Linear }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let [hidden, output] = [(2, 16), (16, 2)].map(|(i, o)| LinearConfig::new(i, o).init(&device));
//! # let mut net = Net { hidden, output };
//! # let x = Tensor::<2>::from_floats([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], &device);
//! # let classes = Tensor::<1, Int>::from_ints([0, 1, 1, 0], &device);
//! let mut optimizer = SubspaceNewtonConfig::new().init()?;
//! let mut losses = Vec::new();
//! for _ in 0..120 {
//!     let loss = Duals(|net: &Net, at: &Tangents| -> Dual<1> {
//!         let hidden = at.linear(&net.hidden, x.clone()).tanh();
//!         let logits = at.output(at.linear(&net.output, hidden));
//!         logits.cross_entropy(classes.clone())
//!     });
//!     losses.extend(optimizer.step(1.0, &mut net, loss)?.loss);
//! }
//! assert!(losses[119] < 0.1 * losses[0]);
//! # Ok(())
//! # }
//! ```

mod kernels;
mod products;
mod state;
mod trial;

use secant_core::report::{Outcome, PairOutcome, Rejection, StepReport};

use super::{for_batches, pays};
use crate::{
    blocks::{Blocks, Entry, Layout, for_each_layer, for_each_tensor, matrix_shape},
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    objective::{Beginning, Objective},
    optimizer::Optimizer,
    oracle::Oracle,
    preconditioner::{Averages, Direction, Directions, Sides, decomposed, turn_bases},
    protocol::{Decay, Method, StepContext},
};
use kernels::{Begin, Learn, Mix};
pub use state::SubspaceNewtonState;
use trial::Reached;

hyper_parameters! {
    /// Configuration of [`SubspaceNewton`].
    #[derive(Copy)]
    pub struct SubspaceNewtonConfig {
        /// The decay rate of the average of gradients.
        #[config(default = 0.85)]
        #[range(Below1)]
        beta_1: f64,
        /// The decay rate of the average of squares.
        #[config(default = 0.95)]
        #[range(Below1)]
        beta_2: f64,
        /// The decay rate of the factors.
        #[config(default = 0.95)]
        #[range(Below1)]
        shampoo_beta: f64,
        /// Added to the root of the average of squares.
        #[config(default = 1e-6)]
        #[range(NotNegative)]
        epsilon: f64,
        /// Steps from one power step of the bases to the next.
        #[config(default = 5)]
        #[range(AtLeast1)]
        precondition_frequency: usize,
        /// A longer dimension has no basis.
        #[config(default = 1100)]
        #[range(NotNegative)]
        max_precond_dim: usize,
        /// A matrix with a side above 256 whose bases take more multiplications than this, for each of its numbers and
        /// in the mean over steps, has none and goes along the polar factor of its averaged gradient. A comparison
        /// sets it to four times the gradient's multiplications.
        #[config(default = "None")]
        #[range(NotNegative)]
        max_cost: Option<f64>,
        /// SOAP's direction is longer in layers with a smaller fan-in than this, by this divided by their fan-in, at most 4
        /// times.
        #[config(default = "Some(64)")]
        #[range(AtLeast1)]
        narrow_below: Option<usize>,
        /// The damping lambda at first, in times of the curvature along SOAP's direction.
        #[config(default = 5.0)]
        #[range(Positive)]
        lambda: f64,
        /// Steps from one measurement of the curvature to the next, after the first ten steps.
        #[config(default = 3)]
        #[range(AtLeast1)]
        curvature_every: usize,
        /// The part of the batch that the curvature is measured on.
        #[config(default = 0.0625)]
        #[range(Above0To1)]
        curvature_share: f64,
        /// The decay rate of the average of curvatures.
        #[config(default = 0.6)]
        #[range(Below1)]
        curvature_average: f64,
        /// The longest usual step, in times of SOAP's direction. A comparison lets it fall with the root of a batch below
        /// 256 records, as `SubspaceNewtonConfig::for_batches` does.
        #[config(default = 0.03)]
        #[range(Positive)]
        cap: f64,
        /// The cap grows so many times at most, while the loss still falls along the last step.
        #[config(default = 2.0)]
        #[range(AtLeast1)]
        cap_growth: f64,
        /// The power of a step's number in its weight in the average of points, which is then the point to evaluate at; none
        /// for the last point.
        #[config(default = "Some(4.0)")]
        #[range(Power)]
        average: Option<f64>,
        /// Steps from one check of the model to the next.
        #[config(default = 10)]
        #[range(AtLeast1)]
        check_every: usize,
        /// Weight decay; of kind decoupled it goes by the length of a step in times of SOAP's direction.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl SubspaceNewtonConfig {
    /// For batches of so many records, another one in every step: the cap falls with the root of their number below 256, and
    /// a wide layer has bases where they take up to four times its gradient's multiplications, of one row for each record.
    pub fn for_batches(batch_size: usize) -> Self {
        let config = Self::new();
        let cap = for_batches(config.cap, batch_size);
        Self { cap, max_cost: Some(pays(batch_size)), ..config }
    }

    /// The method without an optimizer around it.
    pub fn build(&self) -> SubspaceNewton {
        SubspaceNewton { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<SubspaceNewton>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// Subspace Newton; see the [module](self).
#[derive(Clone, Debug)]
pub struct SubspaceNewton {
    config: SubspaceNewtonConfig,
}

impl Method for SubspaceNewton {
    type State = SubspaceNewtonState;
    const NAME: &'static str = "subspace-newton";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)
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

    fn decays_apart(&self) -> bool {
        true
    }

    fn averages(&self) -> bool {
        self.config.average.is_some()
    }

    fn average(&self, theta: &mut Blocks, state: &SubspaceNewtonState) {
        if state.steps > 1 {
            *theta = state.x.clone();
        }
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("max_precond_dim", self.config.max_precond_dim.to_string()),
            ("average", if self.averages() { "some" } else { "none" }.to_string()),
        ]
    }

    fn init(&self, layout: &Layout) -> SubspaceNewtonState {
        let zeros = Blocks::zeros(layout);
        let factors = Sides::zeros(layout, |entry| self.direction(entry).sides());
        let x =
            if self.averages() { zeros.clone() } else { Blocks::zeros_of(layout, |_| [0].into()) };
        SubspaceNewtonState {
            m: zeros.clone(),
            v: Direction::zeros_for_v(layout, |entry| self.direction(entry)),
            bases: factors.clone(),
            factors,
            p: zeros,
            x,
            curvature: vec![0.0; 3],
            weights: vec![0.0; 3],
            damping: vec![self.config.lambda],
            growth: vec![1.0, 1.0],
            steps: 0,
        }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut SubspaceNewtonState,
    ) -> Result<StepReport, StepError> {
        let mut objective = Objective::new(context, oracle);
        let Beginning { mut theta, known, mut report, .. } = match objective.here()? {
            Ok(beginning) => beginning,
            Err(report) => return Ok(report),
        };
        report.objective = Some(known.value);
        let layers = self.layers(context.layout);
        if state.steps == 0 {
            report.pair = begin(&layers, known.gradient, state);
            return Ok(report);
        }
        let trial = self.trial(&layers, &mut objective, &mut theta, &known.gradient, state)?;
        let reached = match trial {
            None => Err(Rejection::NonFiniteReduction),
            Some(trial) => self.reach(&mut objective, theta, known.value, trial)?,
        };
        report.evals = objective.oracle.evals();
        match reached {
            Err(rejection) => report.outcome = Outcome::Rejected(rejection),
            Ok(Reached { point, after, trial }) => {
                report.step_size = Some(trial.step[0]);
                report.objective_after = after;
                self.average_with(&point, state);
                objective.move_to(point);
                trial.leave(state);
                report.pair = self.learn(&layers, known.gradient, state);
            }
        }
        Ok(report)
    }
}

impl SubspaceNewton {
    fn direction(&self, entry: &Entry) -> Direction {
        let directions = Directions {
            beta_1: self.config.beta_1,
            beta_2: self.config.beta_2,
            shampoo_beta: self.config.shampoo_beta,
            epsilon: self.config.epsilon,
            max_precond_dim: self.config.max_precond_dim,
            max_cost: self.config.max_cost,
            precondition_frequency: self.config.precondition_frequency,
        };
        directions.of(entry, matrix_shape(&entry.shape).map_or(&[], |_| &entry.shape[..]))
    }

    fn layers(&self, layout: &Layout) -> Vec<Direction> {
        layout.entries().iter().map(|entry| self.direction(entry)).collect()
    }

    /// Step 6: x.
    fn average_with(&self, theta: &Blocks, state: &mut SubspaceNewtonState) {
        if let Some(power) = self.config.average {
            let share = (power + 1.0) / (state.steps as f64 + power);
            for_each_tensor(|_| Mix { share }, [&mut state.x], [theta]);
        }
    }

    /// Step 8.
    fn learn(
        &self,
        layers: &[Direction],
        mut gradient: Blocks,
        state: &mut SubspaceNewtonState,
    ) -> PairOutcome {
        let is_due = state.steps.is_multiple_of(self.config.precondition_frequency as u64);
        state.steps += 1;
        let SubspaceNewtonState { m, v, factors, bases, .. } = state;
        // Products alone: there is none that could not be done.
        let _ = for_each_layer(&Learn { layers }, [&mut gradient, factors]);
        let due: Vec<_> =
            layers.iter().map(|layer| layer.with_bases().filter(|_| is_due)).collect();
        decomposed(turn_bases(&due, Averages { m, v, factors, bases }))
    }
}

/// The first gradient: SOAP's step 0.
fn begin(
    layers: &[Direction],
    mut gradient: Blocks,
    state: &mut SubspaceNewtonState,
) -> PairOutcome {
    state.steps = 1;
    let SubspaceNewtonState { factors, bases, .. } = state;
    decomposed(for_each_layer(&Begin { layers }, [&mut gradient, factors, bases]))
}
