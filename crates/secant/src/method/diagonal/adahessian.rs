//! AdaHessian.
//!
//! # Idea
//! Adam with the diagonal of the Hessian in the place of the squared gradient. The diagonal is estimated
//! from Hessian products with random signs: the mean of z * (H z) over z is diag(H).
//!
//! # Algorithm
//! Step t (decay of kind `L2` is part of the loss: g + wd theta, D + wd):
//! 1. Every `update_every` steps: D = mean over samples of z * (H z), with each entry of z +1 or -1.
//!    Average D over the entries of each convolution kernel. In the steps between, D stays.
//! 2. m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) D^2.
//! 3. theta <- theta - lr m / (1 - beta1^t) / ((v / (1 - beta2^t))^(k/2) + eps)
//!    (decoupled decay shrinks theta by 1 - lr wd first).
//!
//! # Notation
//! D, z: as above; k: `hessian_power`; m, v: the fields of [`AdaHessianState`].
//!
//! # Cost
//! 2 vectors of memory, 3 where D is kept; one Hessian product for each sample, which brings the
//! gradient along where it is exact: 2 to 3 gradients' time. By differences 3 gradients.
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
//! machine learning*, 2020, Algorithm 1.

use std::sync::Arc;

use burn::{
    config::Config,
    tensor::{DType, TensorData},
};
use secant_core::{
    moving_average::bias_correction,
    report::{Outcome, Rejection, StepReport},
    rng::SplitMix64,
};

use crate::{
    blocks::{Blocks, Layout},
    error::{ConfigError, StepError, require, require_beta, require_positive},
    kernels::{Real, TensorKernel, View, for_each_tensor},
    optimizer::Optimizer,
    oracle::{Evaluation, Oracle, Records},
    protocol::{Decay, Method, StepContext, TensorSettings, record_state},
    vectors::dot,
};

/// Averaging of D over the kernel of a convolution: the last two sides of a tensor of rank 4, the last
/// one of rank 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Averaging {
    /// The mean of |D|, as in the official code.
    AbsThenMean,
    /// The mean of D, as in the paper.
    Mean,
    /// None, as in the study's code.
    None,
}

/// Configuration of [`AdaHessian`].
#[derive(Config, Debug, Copy)]
pub struct AdaHessianConfig {
    /// Decay rate of the gradient's average, in [0, 1).
    #[config(default = 0.9)]
    beta_1: f64,
    /// Decay rate of the squared diagonal's average, in [0, 1).
    #[config(default = 0.999)]
    beta_2: f64,
    /// Added to the root, above 0.
    #[config(default = 1e-4)]
    epsilon: f64,
    /// k: 1 divides by the curvature, 0 not at all; in [0, 1].
    #[config(default = 1.0)]
    hessian_power: f64,
    /// Hessian products for one estimate, at least 1.
    #[config(default = 1)]
    samples: usize,
    /// Steps from one estimate to the next, at least 1.
    #[config(default = 1)]
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
        let AdaHessianConfig {
            beta_1, beta_2, epsilon, hessian_power, samples, update_every, ..
        } = self.config;
        require_beta(Self::NAME, "beta_1", beta_1)?;
        require_beta(Self::NAME, "beta_2", beta_2)?;
        require_positive(Self::NAME, "epsilon", epsilon)?;
        let unit = |x: f64| (0.0..=1.0).contains(&x);
        require(Self::NAME, "hessian_power", "in [0, 1]", hessian_power, unit)?;
        require(Self::NAME, "samples", "at least 1", samples as f64, |x| x >= 1.0)?;
        require(Self::NAME, "update_every", "at least 1", update_every as f64, |x| x >= 1.0)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn evaluates_again(&self) -> bool {
        true
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
            let share = DiagonalPass(1.0 / samples as f64);
            for_each_tensor(&share, [&mut diagonal], [&z, &curved.product]);
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
        let mut z = Blocks::zeros(layout);
        match &self.probes {
            Some(probes) => {
                let probe = &probes[draw as usize % probes.len()];
                for (data, signs) in z.tensors_mut().iter_mut().zip(probe) {
                    fill(data, signs.iter().copied());
                }
            }
            None => {
                for (tensor, data) in z.tensors_mut().iter_mut().enumerate() {
                    let draws = SplitMix64::stream(self.config.seed, draw).next_u64();
                    fill(data, signs(SplitMix64::stream(draws, tensor as u64)));
                }
            }
        }
        z
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
        let AdaHessianConfig { beta_1, beta_2, epsilon, hessian_power, update_every, .. } =
            self.config;
        let t = state.t + 1;
        let pass = AdaHessianPass {
            tensors: context.tensors,
            beta_1,
            beta_2,
            epsilon,
            power: hessian_power,
            correction1: bias_correction(beta_1, t),
            correction2: bias_correction(beta_2, t),
        };
        let diagonal = diagonal.unwrap_or_else(|| std::mem::take(&mut state.diagonal));
        oracle.write(&mut |theta| {
            let written = [theta, &mut state.m, &mut state.v];
            for_each_tensor(&pass, written, [&at.gradient, &diagonal]);
        });
        if update_every > 1 {
            state.diagonal = diagonal;
        }
        state.t = t;
    }
}

/// The signs of `rng`'s bits.
fn signs(mut rng: SplitMix64) -> impl Iterator<Item = f64> {
    std::iter::repeat_with(move || rng.next_u64())
        .flat_map(|bits| (0..64).map(move |bit| if bits >> bit & 1 == 1 { 1.0 } else { -1.0 }))
}

fn fill(data: &mut TensorData, numbers: impl Iterator<Item = f64>) {
    fn fill_as<T: Real>(data: &mut TensorData, numbers: impl Iterator<Item = f64>) {
        let slice: &mut [T] = data.as_mut_slice().expect("blocks have the layout's type");
        slice.iter_mut().zip(numbers).for_each(|(entry, number)| *entry = T::of(number));
    }
    match data.dtype() {
        DType::F64 => fill_as::<f64>(data, numbers),
        _ => fill_as::<f32>(data, numbers),
    }
}

/// Averages over the kernels of convolutions.
fn average(diagonal: &mut Blocks, averaging: Averaging) {
    fn kernels<T: Real>(data: &mut TensorData, size: usize, averaging: Averaging) {
        let entries: &mut [T] = data.as_mut_slice().expect("blocks have the layout's type");
        for kernel in entries.chunks_mut(size) {
            let entry = |x: &T| if averaging == Averaging::Mean { x.f64() } else { x.f64().abs() };
            let mean = kernel.iter().map(entry).sum::<f64>() / size as f64;
            kernel.fill(T::of(mean));
        }
    }
    if averaging == Averaging::None {
        return;
    }
    for data in diagonal.tensors_mut() {
        let shape = data.shape().clone();
        let sides: Vec<usize> = shape.iter().copied().collect();
        let size: usize = match sides.as_slice() {
            [_, _, length] => *length,
            [_, _, rows, columns] => rows * columns,
            _ => continue,
        };
        match data.dtype() {
            DType::F64 => kernels::<f64>(data, size, averaging),
            _ => kernels::<f32>(data, size, averaging),
        }
    }
}

/// D <- D + share z * (H z).
struct DiagonalPass(f64);

impl TensorKernel<1, 2> for DiagonalPass {
    type Output = ();

    fn run<T: Real>(&self, _: usize, mut view: View<'_, T, 1, 2>) {
        let share = T::of(self.0);
        view.apply(
            #[inline(always)]
            move |[d], [z, hz]| [d + share * (z * hz)],
        );
    }
}

struct AdaHessianPass<'a> {
    tensors: &'a [TensorSettings],
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    power: f64,
    correction1: f64,
    correction2: f64,
}

impl TensorKernel<3, 2> for AdaHessianPass<'_> {
    type Output = ();

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 3, 2>) {
        let TensorSettings { lr, decay } = self.tensors[index];
        let (l2, shrink) = (T::of(decay.l2()), T::of(1.0 - lr * decay.decoupled()));
        let (beta_1, new1) = (T::of(self.beta_1), T::of(1.0 - self.beta_1));
        let (beta_2, new2) = (T::of(self.beta_2), T::of(1.0 - self.beta_2));
        let (epsilon, rate) = (T::of(self.epsilon), T::of(lr / self.correction1));
        let (scale2, half_power) = (T::of(1.0 / self.correction2), T::of(0.5 * self.power));
        let is_root = self.power == 1.0;
        view.apply(
            #[inline(always)]
            move |[theta, m, v], [g, d]| {
                let (g, d) = (g + l2 * theta, d + l2);
                // 2. The moving averages.
                let m = beta_1 * m + new1 * g;
                let v = beta_2 * v + new2 * (d * d);
                // 3. The step.
                let v_hat = v * scale2;
                let root = if is_root { v_hat.sqrt() } else { v_hat.powf(half_power) };
                [shrink * theta - rate * (m / (root + epsilon)), m, v]
            },
        );
    }
}
