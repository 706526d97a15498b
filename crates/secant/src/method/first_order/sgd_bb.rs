//! SGD with Barzilai-Borwein step sizes (SGD-BB).
//!
//! # Idea
//! Plain SGD whose rate is chosen anew in each epoch: the inverse of the curvature along the
//! displacement of the epoch before, seen in moving averages of the mini-batch gradients.
//!
//! # Algorithm
//! In epoch k = 0, 1, ... of T steps (T is `period`), as in the study's Algorithm 3 (Filippova et al.; its lines have
//! no numbers):
//! 1. If k >= 2: s = the displacement of epoch k - 1, y = the change of the epochs' averaged gradients
//!    from k - 2 to k - 1; eta = BB1 or BB2 of (s, y) over T (y, s and eta under *if k > 1*). Epochs 0 and 1
//!    use the learning rate.
//! 2. The safeguard, see [`Safeguard`] (eta-hat there). Where s.y vanishes, the last eta is kept.
//! 3. gbar <- 0 (with `reset`); T steps theta <- theta - eta g, gbar <- (1 - beta) gbar + beta g
//!    (g_k,0, and the loop over t).
//!
//! # Notation
//! gbar: `average` of [`SgdBbState`]; T, beta: `period` and `beta` of [`SgdBbConfig`]; tau_min, tau_max, tau_0 of the
//! study: `least`, `most`, `fallback` of [`Safeguard::Interval`].
//!
//! # Cost
//! 3 vectors of memory, 3R + 2W, one gradient; 3 more passes at the beginning of each epoch.
//!
//! # When not to use it
//! Neural networks: gbar averages gradients *before* the epoch's end while s ends there, so s and y
//! belong to different points, and the step size can be far off; the safeguard's fallback can be many
//! times a tuned rate. Use it on convex problems, or a constant tuned rate.
//!
//! # Deviations
//! The study prints s = (1/T) x_k-1,T - x_k-2,T, where a bracket is missing, and leaves eta-hat of epochs 0 and 1
//! open; (1/T) s.s / |s.y| with s = x_k-1,T - x_k-2,T is meant, and the learning rate. The average of the
//! epoch before is not forgotten where `reset` is off, as in Tan et al.'s code. A learning-rate schedule moves the
//! rate of the first two epochs alone; in groups, factors apply to all.
//!
//! # References
//! Tan, Ma, Dai, Qian, *Barzilai-Borwein step size for stochastic gradient descent*, 2016, Algorithm 2; Liang, Xu,
//! Bao, Quan, Ji, *Barzilai-Borwein-based adaptive learning rate for deep learning*, 2019; Filippova,
//! Blinova, Parshikov, 2022, Algorithm 3.
//!
//! # Example
//! The mean squared error of these four records is a quadratic with the Hessian 2 I. Epochs of one step, of which
//! the first two have the learning rate:
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{Safeguard, SgdBbConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let y = Tensor::<2>::from_floats([[9.0], [3.0], [1.0], [-5.0]], &device);
//! let x = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &device);
//! let mut optimizer =
//!     SgdBbConfig::new(1).with_beta(Some(1.0)).with_safeguard(Safeguard::None).init()?;
//! let mut sizes = Vec::new();
//! for _ in 0..3 {
//!     let report = optimizer.step(0.1, &mut model, |model: &Linear| {
//!         (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
//!     })?;
//!     sizes.extend(report.step_size);
//! }
//! assert_eq!(sizes[..2], [0.1, 0.1]);
//! // |1 - eta a| / a with a = 2, and not 1 / a: see *When not to use it*.
//! assert!((sizes[2] - 0.4).abs() < 1e-5);
//! # Ok(())
//! # }
//! ```

use secant_core::{
    barzilai_borwein::{Formula, Safeguard},
    curvature::PairProducts,
    report::{PairOutcome, Rejection, StepReport},
};

use crate::{
    blocks::{Blocks, Layout, Number, TensorKernel, assign, for_each_tensor, make_pair},
    error::{ConfigError, StepError, require, require_in},
    hyper_parameter::{HyperParameters, Range, hyper_parameters},
    optimizer::Optimizer,
    oracle::Oracle,
    protocol::{
        Decay, GradientMethod, Method, StepContext, Traffic, gradient_step, own_rate, record_state,
    },
};

hyper_parameters! {
    /// Configuration of [`SgdBb`].
    #[derive(Copy)]
    pub struct SgdBbConfig {
        /// Steps in an epoch.
        #[range(AtLeast1)]
        period: usize,
        /// The weight of the newest gradient in the average. None: 10 / period, at most 1, as in
        /// the authors' code.
        #[config(default = "None")]
        #[range(Above0To1)]
        beta: Option<f64>,
        /// Which step size.
        #[config(default = "Formula::Bb1")]
        formula: Formula,
        /// What keeps it within reason.
        #[config(default = "Safeguard::Interval { least: 0.1, most: 10.0, fallback: 1.0 }")]
        safeguard: Safeguard,
        /// Whether each epoch's average begins at zero.
        #[config(default = true)]
        reset: bool,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl SgdBbConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> SgdBb {
        SgdBb { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<SgdBb>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// SGD-BB; see the [module](self).
#[derive(Clone, Debug)]
pub struct SgdBb {
    config: SgdBbConfig,
}

/// The state of [`SgdBb`].
#[derive(Clone, Debug, Default)]
pub struct SgdBbState {
    /// The parameters at the beginning of the epoch.
    start: Blocks,
    average: Blocks,
    /// The average at the end of the epoch before.
    last_average: Blocks,
    steps: u64,
    /// The step size; none in the first two epochs.
    step_size: Vec<f64>,
    /// The safeguard's geometric mean.
    mean: Vec<f64>,
}

record_state!(SgdBbState {
    vectors: [start, average, last_average],
    counters: [steps],
    numbers: [step_size, mean]
});

impl Method for SgdBb {
    type State = SgdBbState;
    const NAME: &'static str = "sgd-bb";

    fn traffic(&self) -> Option<Traffic> {
        Some(Traffic { reads: 3, writes: 2 })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)?;
        if let Safeguard::Interval { least, most, fallback } = self.config.safeguard {
            require_in(Self::NAME, "safeguard.least", Range::Positive, least)?;
            require_in(Self::NAME, "safeguard.fallback", Range::Positive, fallback)?;
            let above_least = |x: f64| x > least && x.is_finite();
            require(Self::NAME, "safeguard.most", "finite and above least", most, above_least)?;
        }
        Ok(())
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        vec![("period", self.config.period.to_string())]
    }

    fn init(&self, layout: &Layout) -> SgdBbState {
        let zeros = || Blocks::zeros(layout);
        SgdBbState { start: zeros(), average: zeros(), last_average: zeros(), ..Default::default() }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut SgdBbState,
    ) -> Result<StepReport, StepError> {
        let mut report = gradient_step(self, context, oracle, state)?;
        let rate = context.tensors.first().map(|tensor| tensor.lr);
        report.step_size = state.step_size.first().copied().or(rate);
        Ok(report)
    }
}

impl GradientMethod for SgdBb {
    fn can_be_extended(&self) -> bool {
        false
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut SgdBbState,
    ) -> Result<PairOutcome, Rejection> {
        if state.steps.is_multiple_of(self.config.period as u64) {
            self.begin_epoch(theta, state);
        }
        let own = state.step_size.first().copied();
        let kernel = |tensor: usize| {
            let decay = context.tensors[tensor].decay;
            let rate = own_rate(own, context.tensors, tensor);
            let (l2, shrink) = (decay.l2(), 1.0 - rate * decay.decoupled());
            SgdBbKernel { rate, l2, shrink, beta: self.beta() }
        };
        for_each_tensor(kernel, [theta, &mut state.average], [gradient]);
        state.steps += 1;
        Ok(PairOutcome::NotTried)
    }
}

impl SgdBb {
    fn beta(&self) -> f64 {
        self.config.beta.unwrap_or((10.0 / self.config.period as f64).min(1.0))
    }

    /// 1. and 2. The step size of the epoch that begins at `theta`.
    fn begin_epoch(&self, theta: &Blocks, state: &mut SgdBbState) {
        let SgdBbConfig { period, formula, safeguard, reset, .. } = self.config;
        let epoch = state.steps / period as u64;
        if epoch >= 2 {
            // s and y are written over the two older vectors, which have served.
            let pair = make_pair(&mut state.start, &mut state.last_average, theta, &state.average);
            self.choose(formula, safeguard, pair, epoch, state);
        }
        assign(&mut state.start, theta);
        assign(&mut state.last_average, &state.average);
        // 3. gbar <- 0.
        if reset {
            state.average = state.average.zeros_like();
        }
    }

    fn choose(
        &self,
        formula: Formula,
        safeguard: Safeguard,
        pair: PairProducts,
        epoch: u64,
        state: &mut SgdBbState,
    ) {
        if let Some(size) = formula.step_size(pair, self.config.period) {
            let mut mean = state.mean.first().copied().unwrap_or_default();
            state.step_size = vec![safeguard.apply(size, epoch, &mut mean)];
            state.mean = vec![mean];
        }
    }
}

/// The step and the average, with the coefficients of one tensor.
#[derive(Clone, Copy)]
struct SgdBbKernel {
    rate: f64,
    l2: f64,
    shrink: f64,
    beta: f64,
}

impl TensorKernel<2, 1, 0> for SgdBbKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta, average]: [N; 2], [g]: [N; 1]) -> [N; 2] {
        let g = g + N::of(self.l2) * theta;
        // 3. The average and the step.
        let average = N::of(1.0 - self.beta) * average + N::of(self.beta) * g;
        [N::of(self.shrink) * theta - N::of(self.rate) * g, average]
    }
}
