//! SGD with Barzilai-Borwein step sizes (SGD-BB).
//!
//! # Idea
//! Plain SGD whose rate is chosen anew in each epoch: the inverse of the curvature along the
//! displacement of the epoch before, seen in moving averages of the mini-batch gradients.
//!
//! # Algorithm
//! In epoch k = 0, 1, ... of T steps (T is `period`):
//! 1. If k >= 2: s = the displacement of epoch k - 1, y = the change of the epochs' averaged gradients
//!    from k - 2 to k - 1; eta = BB1 or BB2 of (s, y) over T. Epochs 0 and 1 use the learning rate.
//! 2. The safeguard, see [`Safeguard`]. Where s.y vanishes, the last eta is kept.
//! 3. gbar <- 0 (with `reset`); T steps theta <- theta - eta g, gbar <- (1 - beta) gbar + beta g.
//!
//! # Notation
//! gbar, T, beta: as above; the fields of [`SgdBbState`] and [`SgdBbConfig`].
//!
//! # Cost
//! 3 vectors of memory, 3R + 2W, one gradient; 3 more passes at the end of each epoch.
//!
//! # When not to use it
//! Neural networks: gbar averages gradients *before* the epoch's end while s ends there, so s and y
//! belong to different points, and the step size can be far off; the safeguard's fallback can be many
//! times a tuned rate. Use it on convex problems, or a constant tuned rate.
//!
//! # Deviations
//! The study prints s / T in one place of BB1 and not in the other; (1/T) s.s / |s.y| is meant. A
//! learning-rate schedule moves the rate of the first two epochs alone; in groups, factors apply to all.
//!
//! # References
//! Tan, Ma, Dai, Qian, *Barzilai-Borwein step size for stochastic gradient descent*, 2016; Liang, Xu,
//! Bao, Quan, Ji, *Barzilai-Borwein-based adaptive learning rate for deep learning*, 2019; Filippova,
//! Blinova, Parshikov, 2022, Algorithm 3.

use burn::config::Config;
use secant_core::{
    barzilai_borwein::{Formula, Safeguard},
    curvature::PairProducts,
    report::{PairOutcome, Rejection, StepReport},
};

use crate::{
    blocks::{Blocks, Layout},
    error::{ConfigError, StepError, require},
    kernels::{Real, TensorKernel, View, for_each_tensor},
    optimizer::Optimizer,
    oracle::Oracle,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, gradient_step, own_rate,
        record_state,
    },
    vectors::{assign, make_pair},
};

/// Configuration of [`SgdBb`].
#[derive(Config, Debug, Copy)]
pub struct SgdBbConfig {
    /// Steps in an epoch, at least 1.
    period: usize,
    /// The weight of the newest gradient in the average, in (0, 1]. None: 10 / period, at most 1, as in
    /// the authors' code.
    #[config(default = "None")]
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

    fn validate(&self) -> Result<(), ConfigError> {
        let SgdBbConfig { period, safeguard, .. } = self.config;
        require(Self::NAME, "period", "at least 1", period as f64, |x| x >= 1.0)?;
        require(Self::NAME, "beta", "in (0, 1]", self.beta(), |x| x > 0.0 && x <= 1.0)?;
        if let Safeguard::Interval { least, most, fallback } = safeguard {
            let above = |low: f64| move |x: f64| x > low && x.is_finite();
            require(Self::NAME, "safeguard.least", "finite and above 0", least, above(0.0))?;
            require(Self::NAME, "safeguard.most", "finite and above least", most, above(least))?;
            require(Self::NAME, "safeguard.fallback", "finite and above 0", fallback, above(0.0))?;
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
    fn is_per_tensor(&self) -> bool {
        false
    }

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
        let pass = SgdBbPass {
            tensors: context.tensors,
            rate: state.step_size.first().copied(),
            beta: self.beta(),
        };
        for_each_tensor(&pass, [theta, &mut state.average], [gradient]);
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

struct SgdBbPass<'a> {
    tensors: &'a [TensorSettings],
    rate: Option<f64>,
    beta: f64,
}

impl TensorKernel<2, 1> for SgdBbPass<'_> {
    type Output = ();

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 2, 1>) {
        let decay = self.tensors[index].decay;
        let lr = own_rate(self.rate, self.tensors, index);
        let (rate, l2) = (T::of(lr), T::of(decay.l2()));
        let shrink = T::of(1.0 - lr * decay.decoupled());
        let (beta, old) = (T::of(self.beta), T::of(1.0 - self.beta));
        view.apply(
            #[inline(always)]
            move |[theta, average], [g]| {
                let g = g + l2 * theta;
                [shrink * theta - rate * g, old * average + beta * g]
            },
        );
    }
}
