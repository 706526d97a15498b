//! Schedule-Free: plain steps, their average, and gradients between the two.
//!
//! [`adamw`] and [`sgd`] are the two methods; all of this page holds for both.
//!
//! # Idea
//! A rate that falls to 0 does what an average of the points does at a constant rate, but has to know where the run
//! ends. The mean of all points alone lags behind. So three points: z makes plain steps at a constant rate, x is the
//! mean of the z so far, and gradients are taken between them, at y. The interpolation has the part of momentum.
//!
//! # Where to evaluate
//! The model holds y; x is what the method promises something of. [`Optimizer::averaged`](crate::Optimizer::averaged)
//! gives a model at x for validation, test and inference, and leaves the one that is trained alone. To go on from a
//! file, save the model (y) and the optimizer. The running statistics of batch norm are those of y; that page says how
//! to take them at x.
//!
//! # Algorithm
//! Step t of one tensor with gradient g at y (decay of kind `L2` already added: g + wd y); Algorithm 1 of Defazio et
//! al., in the order of their code:
//! 0. At the first gradient z = x = y; S = L = 0.
//! 1. `lr_t` = lr min(1, t / `warmup_steps`); L <- max(L, `lr_t`).
//! 2. S <- S + s with s = t^r L^p; c = s / S. At a constant rate and r = 0 this is c = 1 / t: the plain mean.
//! 3. AdamW: v <- beta2 v + (1 - beta2) g^2; d = g / (sqrt(v) / sqrt(1 - beta2^t) + eps). SGD: d = g.
//!    Decoupled decay is taken at y: d + wd y.
//! 4. z <- z - `lr_t` d; x <- (1 - c) x + c z; y <- (1 - beta) z + beta x.
//!
//! x is not stored. Step 4 without it, y and z on the right before the step:
//! y <- y + c (z - y) - `lr_t` (1 - beta (1 - c)) d; z <- z - `lr_t` d. And x = y + (1 / beta - 1) (y - z).
//!
//! # Notation
//! z, v, t, L, S: `z`, `v`, `steps`, `largest_rates`, `weight_sums` of [`ScheduleFreeState`], the last three tensor by
//! tensor. beta: `beta_1` of [`adamw`], `momentum` of [`sgd`]; r, p: `r`, `weight_lr_power`; beta2, eps: `beta_2`,
//! `epsilon`; wd: the strength of `decay`.
//!
//! # Cost
//! AdamW 2 vectors of memory, 4R + 3W, as Adam; SGD 1 vector, 3R + 2W. One gradient.
//!
//! # When not to use it
//! With a rate that falls: averaging takes its place. (Under a falling rate later points still weigh as much as early
//! ones, because weights go by the largest rate so far.) With few steps, of which the first ones, far away, are a large part of the mean. In Burn's
//! `ModuleOptimizer` and `Learner`, which cannot ask for x.
//!
//! # Deviations
//! The reference has a mode, and writes x over the parameters and y back; here nothing can be forgotten, because the
//! parameters are always y. In a step at rate 0 s is 0, so that it stands still as with every method; the reference
//! would move y towards z. The inner momentum and the decay at z of later versions are not offered, nor the variant
//! with sqrt(1 - beta2^t) in the rate. beta = 0 is not allowed: y = z then holds nothing of x.
//!
//! # References
//! Defazio, Yang, Mehta, Mishchenko, Khaled, Cutkosky, *The road less scheduled*, NeurIPS 2024, Algorithm 1.
//!
//! # Example
//! The gradients of a sum do not depend on the point, so z is a straight line, and x the mean of its points:
//!
//! ```
//! # use burn::{module::Param, tensor::{Device, Tensor}};
//! use secant::ScheduleFreeSgdConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! let mut model = Param::from_tensor(Tensor::<1>::from_floats([0.0], &device));
//! let mut optimizer = ScheduleFreeSgdConfig::new().init()?;
//! for _ in 0..3 {
//!     optimizer.step(1.0, &mut model, |model: &Param<Tensor<1>>| model.val().sum())?;
//! }
//! // z was -1, -2, -3.
//! let x: f32 = optimizer.averaged(&model)?.val().into_scalar();
//! assert!((x + 2.0).abs() < 1e-6);
//! // Gradients are taken a tenth of the way from x to z.
//! let y: f32 = model.val().into_scalar();
//! assert!((y + 2.1).abs() < 1e-6);
//! # Ok(())
//! # }
//! ```

pub mod adamw;
pub mod sgd;

use crate::{
    blocks::{Blocks, Layout, Number, TensorKernel, for_tensors},
    protocol::{Decay, TensorSettings, record_state},
};

/// The state of both methods.
#[derive(Clone, Debug, Default)]
pub struct ScheduleFreeState {
    /// The plain steps; of a tensor without steps it holds nothing yet.
    z: Blocks,
    /// AdamW's average of squares; empty for SGD.
    v: Blocks,
    /// t, tensor by tensor.
    steps: Vec<f64>,
    /// L, tensor by tensor.
    largest_rates: Vec<f64>,
    /// S, tensor by tensor.
    weight_sums: Vec<f64>,
}

record_state!(ScheduleFreeState {
    vectors: [z, v],
    counters: [],
    numbers: [steps, largest_rates, weight_sums]
});

impl ScheduleFreeState {
    fn new(layout: &Layout, v: Blocks) -> Self {
        let zeros = vec![0.0; layout.entries().len()];
        let (steps, largest_rates) = (zeros.clone(), zeros.clone());
        Self { z: Blocks::zeros(layout), v, steps, largest_rates, weight_sums: zeros }
    }
}

/// How the plain steps are averaged.
#[derive(Clone, Copy, Debug)]
struct Averaging {
    beta: f64,
    warmup_steps: u64,
    r: f64,
    weight_lr_power: f64,
}

impl Averaging {
    /// What y, z and S are numbers of.
    fn state_settings(self, name_of_beta: &'static str) -> Vec<(&'static str, String)> {
        vec![
            (name_of_beta, self.beta.to_string()),
            ("r", self.r.to_string()),
            ("weight_lr_power", self.weight_lr_power.to_string()),
        ]
    }

    /// Steps 0 to 2: the next step of every tensor.
    fn advance(self, state: &mut ScheduleFreeState, tensors: &[TensorSettings]) -> Vec<Step> {
        let ScheduleFreeState { steps, largest_rates, weight_sums, .. } = state;
        let numbers = steps.iter_mut().zip(largest_rates).zip(weight_sums);
        let next = |(((t, largest), sum), tensor): (((&mut f64, _), _), &TensorSettings)| {
            *t += 1.0;
            self.step(*t, largest, sum, *tensor)
        };
        numbers.zip(tensors).map(next).collect()
    }

    fn step(self, t: f64, largest: &mut f64, sum: &mut f64, settings: TensorSettings) -> Step {
        // 1. The rate.
        let warmup = self.warmup_steps as f64;
        let rate = if t < warmup { settings.lr * (t / warmup) } else { settings.lr };
        *largest = largest.max(rate);
        // 2. The weight.
        let is_still = rate == 0.0;
        let weight =
            if is_still { 0.0 } else { t.powf(self.r) * largest.powf(self.weight_lr_power) };
        *sum += weight;
        let share = if *sum > 0.0 { weight / *sum } else { 0.0 };
        let interpolated = rate * (1.0 - self.beta * (1.0 - share));
        Step { t, rate, share, interpolated, decay: settings.decay }
    }

    /// y becomes x, for the tensors that have made steps.
    fn average(self, y: &mut Blocks, state: &ScheduleFreeState) {
        let beyond = 1.0 / self.beta - 1.0;
        for_tensors(|tensor| state.steps[tensor] > 0.0, |_| Average { beyond }, [y], [&state.z]);
    }
}

/// The numbers of one step of one tensor.
#[derive(Clone, Copy)]
struct Step {
    t: f64,
    /// `lr_t`
    rate: f64,
    /// c
    share: f64,
    /// `lr_t` (1 - beta (1 - c))
    interpolated: f64,
    decay: Decay,
}

impl Step {
    /// z before the step.
    #[inline(always)]
    fn start<N: Number>(self, y: N, z: N) -> N {
        if self.t == 1.0 { y } else { z }
    }

    /// Step 4, along the base method's direction.
    #[inline(always)]
    fn along<N: Number>(self, d: N, y: N, z: N) -> [N; 2] {
        let d = d + N::of(self.decay.decoupled()) * y;
        let pulled = y + N::of(self.share) * (z - y);
        [pulled - N::of(self.interpolated) * d, z - N::of(self.rate) * d]
    }
}

/// y <- x.
#[derive(Clone, Copy)]
struct Average {
    /// 1 / beta - 1
    beyond: f64,
}

impl TensorKernel<1, 1, 0> for Average {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [y]: [N; 1], [z]: [N; 1]) -> [N; 1] {
        [y + N::of(self.beyond) * (y - z)]
    }
}
