//! AdaHessian.
//!
//! # Idea
//! Adam with the diagonal of the Hessian in the place of the squared gradient. The diagonal is estimated
//! from Hessian products with random signs: the mean of z * (H z) over z is diag(H).
//!
//! # Algorithm
//! Step t (decay of kind `L2` is part of the loss: g + wd theta, D + wd). In brackets: what the step is in
//! the study's Algorithm 2 (Filippova et al.; its lines have no numbers), which is Yao et al.'s Algorithm 1.
//! 1. Every `update_every` steps: D = mean over samples of z * (H z), with each entry of z +1 or -1 (g_t, D_t).
//!    Average D over the entries of each convolution kernel (D_t^(s)). In the steps between, D stays.
//! 2. m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) D^2 (the sums of m_t and of D-bar_t).
//! 3. theta <- theta - lr m / (1 - beta1^t) / ((v / (1 - beta2^t))^(k/2) + eps); decoupled decay shrinks
//!    theta by 1 - lr wd first (the corrections of m_t and D-bar_t, v_t = D-bar_t^k, the optimization step; eps: the
//!    official code).
//!
//! # Notation
//! D: `diagonal` of [`AdaHessianState`] where it is kept; m, v: its other vectors, v the square of the paper's D-bar
//! before its correction; z: a [`Probe`]; k: `hessian_power`; beta1, beta2, eps: `beta_1`, `beta_2`, `epsilon`.
//!
//! # Cost
//! 2 vectors of memory, 3 where D is kept; one Hessian product for each sample, which brings the
//! gradient along where it is exact: 2 to 3 gradients' time. By differences 3 gradients. The step itself is
//! 5R + 3W; an estimate of D copies the parameters, and draws z and adds z * (H z) for each sample.
//!
//! # When not to use it
//! Where Adam does as well, at a third of the cost. With differences on a network with ReLU or
//! max-pooling: they are no Hessian products; such a step fails unless it is allowed
//! ([`Optimizer::allow_differences`]). Write the loss on duals ([`Duals`](crate::Duals)).
//!
//! # Deviations
//! The paper averages D, the official code its absolute value: [`Averaging`] has both. In steps without
//! a new D the last one is used and v moves on (davda54's code); `pytorch_optimizer` stops v but not its
//! bias correction, which makes steps too long. The official code's blocks for matrices are not offered.
//!
//! # References
//! Yao, Gholami, Shen, Mustafa, Keutzer, Mahoney, *AdaHessian: an adaptive second order optimizer for
//! machine learning*, 2020, Algorithm 1; Filippova, Blinova, Parshikov, *Second-order optimization methods in deep
//! neural networks training*, 2022, Algorithm 2.
//!
//! # Example
//! Exact products, from a loss on duals. The Hessian of this loss is 2 I: one sample finds its diagonal, and the
//! first step, at a rate of 1, is Newton's.
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{AdaHessianConfig, Duals, dual::Tangents};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let y = Tensor::<2>::from_floats([[9.0], [3.0], [1.0], [-5.0]], &device);
//! let x = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &device);
//! let mut optimizer = AdaHessianConfig::new().init()?;
//! let mut losses = Vec::new();
//! for lr in [1.0, 0.0] {
//!     let report = optimizer.step(lr, &mut model, Duals(|model: &Linear, at: &Tangents| {
//!         at.linear(model, x.clone()).mse(y.clone())
//!     }))?;
//!     assert_eq!(report.evals.hessian_vector, 1);
//!     losses.extend(report.loss);
//! }
//! assert!(losses[1] < 1e-6 * losses[0]);
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

use burn::tensor::Shape;
use secant_core::{
    moving_average::bias_correction,
    report::{Outcome, Rejection, StepReport},
    rng::SplitMix64,
};

use crate::{
    blocks::{Blocks, Layout, Number, TensorKernel, dot, for_each_tensor},
    error::{ConfigError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    optimizer::Optimizer,
    oracle::{Evaluation, Oracle, Records},
    protocol::{Decay, Method, StepContext, TensorSettings, record_state},
};

/// Averaging of D over the kernel of a convolution: the last two sides of a tensor of rank 4, the last
/// one of rank 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Averaging {
    /// The mean of |D|, as in the official code.
    AbsThenMean,
    /// The mean of D, as in the paper.
    Mean,
    /// None, as in the study's code.
    None,
}

hyper_parameters! {
    /// Configuration of [`AdaHessian`].
    #[derive(Copy)]
    pub struct AdaHessianConfig {
        /// Decay rate of the gradient's average.
        #[config(default = 0.9)]
        #[range(Below1)]
        beta_1: f64,
        /// Decay rate of the squared diagonal's average.
        #[config(default = 0.999)]
        #[range(Below1)]
        beta_2: f64,
        /// Added to the root.
        #[config(default = 1e-4)]
        #[range(Positive)]
        epsilon: f64,
        /// k: 1 divides by the curvature, 0 not at all; in [0, 1].
        #[config(default = 1.0)]
        #[range(Unit)]
        hessian_power: f64,
        /// Hessian products for one estimate.
        #[config(default = 1)]
        #[range(AtLeast1)]
        samples: usize,
        /// Steps from one estimate to the next.
        #[config(default = 1)]
        #[range(AtLeast1)]
        update_every: usize,
        /// Averaging over convolution kernels.
        #[config(default = "Averaging::AbsThenMean")]
        averaging: Averaging,
        /// Draws the signs.
        #[config(default = 0)]
        seed: u64,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

impl AdaHessianConfig {
    /// The study's settings (Filippova, Blinova, Parshikov 2022): eps 1e-8, no averaging.
    pub fn study() -> Self {
        Self::new().with_epsilon(1e-8).with_averaging(Averaging::None)
    }

    /// The method without an optimizer around it.
    pub fn build(&self) -> AdaHessian {
        AdaHessian { config: *self, probes: None }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<AdaHessian>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// Signs for one estimate, one list for each tensor.
pub type Probe = Vec<Vec<f64>>;

/// AdaHessian; see the [module](self).
#[derive(Clone, Debug)]
pub struct AdaHessian {
    config: AdaHessianConfig,
    probes: Option<Arc<[Probe]>>,
}

/// The state of [`AdaHessian`].
#[derive(Clone, Debug, Default)]
pub struct AdaHessianState {
    m: Blocks,
    v: Blocks,
    /// D; empty where each step has its own.
    diagonal: Blocks,
    t: u64,
}

record_state!(AdaHessianState { vectors: [m, v, diagonal], counters: [t], numbers: [] });

impl Method for AdaHessian {
    type State = AdaHessianState;
    const NAME: &'static str = "adahessian";

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
        let every = if self.config.update_every > 1 { "above 1" } else { "1" };
        vec![("update_every", every.to_string())]
    }

    fn init(&self, layout: &Layout) -> AdaHessianState {
        let zeros = || Blocks::zeros(layout);
        AdaHessianState { m: zeros(), v: zeros(), diagonal: Blocks::empty(), t: 0 }
    }

    fn step(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        state: &mut AdaHessianState,
    ) -> Result<StepReport, StepError> {
        let is_due = state.t.is_multiple_of(self.config.update_every as u64);
        let (at, diagonal) = if is_due {
            let (at, diagonal) = self.estimate(context, oracle, state.t)?;
            (at, Some(diagonal))
        } else {
            (oracle.gradient()?, None)
        };
        let mut report = at.report(oracle.evals());
        if at.rejection.is_some() {
            return Ok(report);
        }
        // A sum that is not finite shows every entry that is not.
        if diagonal.as_ref().is_some_and(|d| !dot(d, d).is_finite()) {
            report.outcome = Outcome::Rejected(Rejection::NonFiniteReduction);
            return Ok(report);
        }
        self.update(context, oracle, &at, diagonal, state);
        Ok(report)
    }
}

impl AdaHessian {
    /// Signs to be used in turn, one for each sample, in the place of drawn ones: for repeating
    /// another implementation's steps.
    #[must_use]
    pub fn with_probes(mut self, probes: Vec<Probe>) -> Self {
        self.probes = Some(probes.into());
        self
    }

    /// 1. The gradient and D, averaged.
    fn estimate(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        step: u64,
    ) -> Result<(Evaluation, Blocks), StepError> {
        let samples = self.config.samples;
        let mut theta = oracle.parameters()?;
        let mut diagonal = theta.zeros_like();
        let mut add = |sample: usize| -> Result<Evaluation, StepError> {
            let z = self.signs(context.layout, step * samples as u64 + sample as u64);
            let curved = oracle.hessian_vector(Records::Batch, &mut theta, &z)?;
            let share = AddProducts { share: 1.0 / samples as f64 };
            for_each_tensor(|_| share, [&mut diagonal], [&z, &curved.product]);
            Ok(curved.at)
        };
        let at = add(0)?;
        if at.rejection.is_none() {
            (1..samples).try_for_each(|sample| add(sample).map(drop))?;
        }
        average(&mut diagonal, self.config.averaging);
        Ok((at, diagonal))
    }

    /// The signs of draw number `draw`.
    fn signs(&self, layout: &Layout, draw: u64) -> Blocks {
        match &self.probes {
            Some(probes) => {
                let probe = &probes[draw as usize % probes.len()];
                Blocks::filled(layout, |tensor| probe.get(tensor).into_iter().flatten().copied())
            }
            None => {
                let seed = SplitMix64::stream(self.config.seed, draw).next_u64();
                Blocks::random_signs(layout, seed)
            }
        }
    }

    /// 2. and 3.
    fn update(
        &self,
        context: &StepContext<'_>,
        oracle: &mut dyn Oracle,
        at: &Evaluation,
        diagonal: Option<Blocks>,
        state: &mut AdaHessianState,
    ) {
        let t = state.t + 1;
        let kernel = |tensor: usize| AdaHessianKernel::new(self.config, context.tensors[tensor], t);
        let diagonal = diagonal.unwrap_or_else(|| std::mem::take(&mut state.diagonal));
        oracle.write(&mut |theta| {
            let written = [theta, &mut state.m, &mut state.v];
            for_each_tensor(kernel, written, [&at.gradient, &diagonal]);
        });
        if self.config.update_every > 1 {
            state.diagonal = diagonal;
        }
        state.t = t;
    }
}

/// Averages over the kernels of convolutions.
fn average(diagonal: &mut Blocks, averaging: Averaging) {
    let kernel_size = |shape: &Shape| match *shape.as_slice() {
        [_, _, length] => Some(length),
        [_, _, rows, columns] => Some(rows * columns),
        _ => None,
    };
    match averaging {
        Averaging::None => {}
        Averaging::Mean => diagonal.average_groups(false, kernel_size),
        Averaging::AbsThenMean => diagonal.average_groups(true, kernel_size),
    }
}

/// D <- D + share z * (H z).
#[derive(Clone, Copy)]
struct AddProducts {
    share: f64,
}

impl TensorKernel<1, 2, 0> for AddProducts {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [d]: [N; 1], [z, hz]: [N; 2]) -> [N; 1] {
        [d + N::of(self.share) * (z * hz)]
    }
}

/// AdaHessian's step, with the coefficients of one tensor.
#[derive(Clone, Copy)]
struct AdaHessianKernel {
    l2: f64,
    shrink: f64,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    power: f64,
    /// lr / (1 - beta1^t)
    rate: f64,
    /// 1 / (1 - beta2^t)
    scale: f64,
}

impl AdaHessianKernel {
    fn new(config: AdaHessianConfig, TensorSettings { lr, decay }: TensorSettings, t: u64) -> Self {
        let AdaHessianConfig { beta_1, beta_2, epsilon, hessian_power: power, .. } = config;
        Self {
            l2: decay.l2(),
            shrink: 1.0 - lr * decay.decoupled(),
            beta_1,
            beta_2,
            epsilon,
            power,
            rate: lr / bias_correction(beta_1, t),
            scale: 1.0 / bias_correction(beta_2, t),
        }
    }
}

impl TensorKernel<3, 2, 0> for AdaHessianKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta, m, v]: [N; 3], [g, d]: [N; 2]) -> [N; 3] {
        let l2 = N::of(self.l2);
        let (g, d) = (g + l2 * theta, d + l2);
        // 2. The moving averages.
        let m = N::of(self.beta_1) * m + N::of(1.0 - self.beta_1) * g;
        let v = N::of(self.beta_2) * v + N::of(1.0 - self.beta_2) * (d * d);
        // 3. The step.
        let v_hat = v * N::of(self.scale);
        let root = if self.power == 1.0 { v_hat.sqrt() } else { v_hat.powf(0.5 * self.power) };
        let direction = m / (root + N::of(self.epsilon));
        [N::of(self.shrink) * theta - N::of(self.rate) * direction, m, v]
    }
}
