//! SVRG: stochastic variance-reduced gradients.
//!
//! # Idea
//! The difference between a batch's gradients here and at a snapshot has little noise where the two
//! points are close; the full gradient at the snapshot makes up for what the difference leaves out.
//!
//! # Algorithm
//! 1. Every m steps (`snapshot_every`): w <- theta, mu <- the gradient of all records at w.
//! 2. theta <- theta - lr (g_B(theta) - g_B(w) + mu) on the step's batch B.
//!
//! With Barzilai-Borwein step sizes (SVRG-BB), from the second snapshot on lr is s.s / (s.y) / m, where s
//! and y are the differences of the last two snapshots and of their full gradients.
//!
//! # Notation
//! w, mu: the fields `snapshot` and `full_gradient` of [`SvrgState`].
//!
//! # Cost
//! 2 vectors of memory (4 with Barzilai-Borwein steps), 5R + 1W, 2 gradients in a step and one of all
//! records at each snapshot: with m steps in an epoch, 3 epochs' gradients in each.
//!
//! # When not to use it
//! Networks with batch norm, dropout or augmentation: the two gradients are then of different
//! functions (dropout masks are the same within a step, but not those of mu). Deep networks in
//! general, where variance reduction has not helped (Defazio, Bottou 2019). With
//! [`Optimizer::step`] the batch stands for all records; use
//! [`Optimizer::step_on`](crate::Optimizer::step_on).
//!
//! # Deviations
//! None; at a snapshot the step is mu, for which no second gradient is evaluated.
//!
//! # References
//! Johnson, Zhang, *Accelerating stochastic gradient descent using predictive variance reduction*,
//! 2013, option I; Tan, Ma, Dai, Qian 2016, Algorithm 1 (SVRG-BB).

use secant_core::{
    barzilai_borwein::Formula,
    report::{Rejection, StepReport},
};

use crate::protocol::own_rate;
use crate::{
    blocks::{Blocks, Layout, Number, TensorKernel, assign, for_each_tensor, make_pair},
    error::{ConfigError, StepError},
    optimizer::Optimizer,
    oracle::{Evaluation, Oracle, Records},
    protocol::{Decay, Method, StepContext, record_state},
    spec::{HyperParameters, hyper_parameters},
};

hyper_parameters! {
    /// Configuration of [`Svrg`].
    #[derive(Copy)]
    pub struct SvrgConfig {
        /// Steps between two snapshots; the batches of an epoch are usual.
        #[range(AtLeast1)]
        snapshot_every: usize,
        /// Whether rates are chosen by Barzilai and Borwein's formula from the second snapshot on.
        #[config(default = false)]
        barzilai_borwein: bool,
        /// Weight decay.
        #[config(default = "Decay::None")]
        #[words(Decay::WORDS)]
        decay: Decay,
    }
}

impl SvrgConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> Svrg {
        Svrg { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<Svrg>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// SVRG; see the [module](self).
#[derive(Clone, Debug)]
pub struct Svrg {
    config: SvrgConfig,
}

/// The state of [`Svrg`].
#[derive(Clone, Debug, Default)]
pub struct SvrgState {
    snapshot: Blocks,
    full_gradient: Blocks,
    steps: u64,
    /// The step size; none before the second snapshot.
    step_size: Vec<f64>,
}

record_state!(SvrgState {
    vectors: [snapshot, full_gradient],
    counters: [steps],
    numbers: [step_size]
});

impl Method for Svrg {
    type State = SvrgState;
    const NAME: &'static str = "svrg";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn evaluates_again(&self) -> bool {
        true
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let SvrgConfig { barzilai_borwein, snapshot_every, .. } = self.config;
        let mut settings = vec![("barzilai_borwein", barzilai_borwein.to_string())];
        if barzilai_borwein {
            // s and y are of so many steps.
            settings.push(("snapshot_every", snapshot_every.to_string()));
        }
        settings
    }

    fn init(&self, layout: &Layout) -> SvrgState {
        let zeros = || Blocks::zeros(layout);
        SvrgState { snapshot: zeros(), full_gradient: zeros(), steps: 0, step_size: Vec::new() }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut SvrgState,
    ) -> Result<StepReport, StepError> {
        let mut here = oracle.gradient()?;
        if here.rejection.is_some() {
            return Ok(here.report(oracle.evals()));
        }
        here.rejection = if state.steps.is_multiple_of(self.config.snapshot_every as u64) {
            self.step_from_snapshot(context, oracle, &here, state)?
        } else {
            step_between(context, oracle, &here, state)?
        };
        let mut report = here.report(oracle.evals());
        if report.is_accepted() {
            state.steps += 1;
        }
        let rate = context.tensors.first().map(|tensor| tensor.lr);
        report.step_size = state.step_size.first().copied().or(rate);
        Ok(report)
    }
}

impl Svrg {
    /// 1. A new snapshot, and a step along its full gradient.
    fn step_from_snapshot(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        here: &Evaluation,
        state: &mut SvrgState,
    ) -> Result<Option<Rejection>, StepError> {
        let all = if oracle.is_batch(Records::All) {
            here.clone()
        } else {
            oracle.gradient_of(Records::All)?
        };
        if all.rejection.is_some() {
            return Ok(all.rejection);
        }
        let gradient = all.gradient;
        oracle.write(&mut |theta| {
            if self.config.barzilai_borwein && state.steps > 0 {
                // s and y are written over the snapshot before, which has served.
                let pair =
                    make_pair(&mut state.snapshot, &mut state.full_gradient, theta, &gradient);
                let size = Formula::Bb1.step_size(pair, self.config.snapshot_every);
                state.step_size = size.or(state.step_size.first().copied()).into_iter().collect();
            }
            assign(&mut state.snapshot, theta);
            assign(&mut state.full_gradient, &gradient);
            let own = state.step_size.first().copied();
            let kernel = |tensor: usize| SvrgKernel::new(own, context, tensor);
            for_each_tensor(kernel, [theta], [&gradient, &gradient, &state.full_gradient]);
        });
        Ok(None)
    }
}

/// 2. A step between two snapshots.
fn step_between(
    context: &StepContext<'_>,
    oracle: &mut dyn Oracle,
    here: &Evaluation,
    state: &mut SvrgState,
) -> Result<Option<Rejection>, StepError> {
    let there = oracle.gradient_at(Records::Batch, &mut state.snapshot)?;
    if there.rejection.is_some() {
        return Ok(there.rejection);
    }
    let own = state.step_size.first().copied();
    let kernel = |tensor: usize| SvrgKernel::new(own, context, tensor);
    let read = [&here.gradient, &there.gradient, &state.full_gradient];
    oracle.write(&mut |theta| drop(for_each_tensor(kernel, [theta], read)));
    Ok(None)
}

/// SVRG's step, with the coefficients of one tensor.
#[derive(Clone, Copy)]
struct SvrgKernel {
    rate: f64,
    l2: f64,
    shrink: f64,
}

impl SvrgKernel {
    /// `own` is the rate that the method chose, if it did.
    fn new(own: Option<f64>, context: &StepContext<'_>, tensor: usize) -> Self {
        let decay = context.tensors[tensor].decay;
        let rate = own_rate(own, context.tensors, tensor);
        Self { rate, l2: decay.l2(), shrink: 1.0 - rate * decay.decoupled() }
    }
}

impl TensorKernel<1, 3, 0> for SvrgKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta]: [N; 1], [here, there, mu]: [N; 3]) -> [N; 1] {
        // The decay's gradient at the snapshot is in g_B(w) and in mu, and cancels.
        let g = here - there + mu + N::of(self.l2) * theta;
        [N::of(self.shrink) * theta - N::of(self.rate) * g]
    }
}
