//! RMSprop: plain, centred, with momentum.
//!
//! # Algorithm
//! Step with gradient g (decay of kind `L2` already added: g + wd theta):
//! 1. v <- alpha v + (1 - alpha) g^2; centred: gbar <- alpha gbar + (1 - alpha) g.
//! 2. a = sqrt(v) + eps; centred: a = sqrt(v - gbar^2) + eps.
//! 3. Without momentum theta <- theta - lr g / a; with it b <- mu b + g / a, theta <- theta - lr b.
//!
//! All averages start at zero and are not corrected for it.
//!
//! # Cost
//! 1 vector of memory and 3R + 2W, one vector and 1R + 1W more for each of centring and momentum;
//! one gradient.
//!
//! # When not to use it
//! Adam is RMSprop with a corrected start and momentum in a better place; prefer it.
//!
//! # Deviations
//! `torch.optim.RMSprop` is reproduced, except that v - gbar^2 is cut at zero, where rounding can
//! make PyTorch take the root of a negative number.
//!
//! # References
//! Tieleman, Hinton, *Lecture 6.5*, Coursera 2012; Graves, *Generating sequences with recurrent
//! neural networks*, 2013, eq. (38)-(45).

use burn::config::Config;
use secant_core::report::{PairOutcome, Rejection};

use crate::{
    blocks::{Blocks, Layout},
    error::{ConfigError, require_beta, require_positive},
    kernels::{Real, TensorKernel, View, for_each_tensor},
    optimizer::Optimizer,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, record_state, step_by_gradient,
    },
};

/// Configuration of [`RmsProp`].
#[derive(Config, Debug, Copy)]
pub struct RmsPropConfig {
    /// Decay rate of the averages, in [0, 1).
    #[config(default = 0.99)]
    alpha: f64,
    /// Added to the root, above 0.
    #[config(default = 1e-8)]
    epsilon: f64,
    /// Momentum, in [0, 1); 0 keeps no vector.
    #[config(default = 0.0)]
    momentum: f64,
    /// Subtract the squared average of the gradient.
    #[config(default = false)]
    centered: bool,
    /// Weight decay.
    #[config(default = "Decay::None")]
    decay: Decay,
}

impl RmsPropConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> RmsProp {
        RmsProp { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<RmsProp>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// RMSprop; see the [module](self).
#[derive(Clone, Debug)]
pub struct RmsProp {
    config: RmsPropConfig,
}

/// The state of [`RmsProp`].
#[derive(Clone, Debug, Default)]
pub struct RmsPropState {
    v: Blocks,
    /// Empty unless centred.
    gbar: Blocks,
    /// Empty without momentum.
    b: Blocks,
}

record_state!(RmsPropState { vectors: [v, gbar, b], counters: [], numbers: [] });

impl Method for RmsProp {
    type State = RmsPropState;
    const NAME: &'static str = "rmsprop";

    fn validate(&self) -> Result<(), ConfigError> {
        require_beta(Self::NAME, "alpha", self.config.alpha)?;
        require_beta(Self::NAME, "momentum", self.config.momentum)?;
        require_positive(Self::NAME, "epsilon", self.config.epsilon)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let RmsPropConfig { momentum, centered, .. } = self.config;
        let momentum = if momentum > 0.0 { "above 0" } else { "0" };
        vec![("centered", centered.to_string()), ("momentum", momentum.to_string())]
    }

    fn init(&self, layout: &Layout) -> RmsPropState {
        let zeros_if = |used: bool| if used { Blocks::zeros(layout) } else { Blocks::empty() };
        RmsPropState {
            v: Blocks::zeros(layout),
            gbar: zeros_if(self.config.centered),
            b: zeros_if(self.config.momentum > 0.0),
        }
    }

    step_by_gradient!();
}

impl GradientMethod for RmsProp {
    fn is_per_tensor(&self) -> bool {
        true
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut RmsPropState,
    ) -> Result<PairOutcome, Rejection> {
        let pass = RmsPropPass { tensors: context.tensors, config: self.config };
        let RmsPropState { v, gbar, b } = state;
        let read = [&*gradient];
        match (gbar.is_empty(), b.is_empty()) {
            (true, true) => drop(for_each_tensor::<_, 2, 1>(&pass, [theta, v], read)),
            (true, false) => drop(for_each_tensor::<_, 3, 1>(&pass, [theta, v, b], read)),
            (false, true) => drop(for_each_tensor::<_, 3, 1>(&pass, [theta, v, gbar], read)),
            (false, false) => drop(for_each_tensor::<_, 4, 1>(&pass, [theta, v, gbar, b], read)),
        }
        Ok(PairOutcome::NotTried)
    }
}

struct RmsPropPass<'a> {
    tensors: &'a [TensorSettings],
    config: RmsPropConfig,
}

/// The coefficients of one tensor, in its number type.
#[derive(Clone, Copy)]
struct Coefficients<T> {
    alpha: T,
    new: T,
    epsilon: T,
    mu: T,
    lr: T,
    l2: T,
    shrink: T,
}

impl RmsPropPass<'_> {
    fn coefficients<T: Real>(&self, index: usize) -> Coefficients<T> {
        let TensorSettings { lr, decay } = self.tensors[index];
        Coefficients {
            alpha: T::of(self.config.alpha),
            new: T::of(1.0 - self.config.alpha),
            epsilon: T::of(self.config.epsilon),
            mu: T::of(self.config.momentum),
            lr: T::of(lr),
            l2: T::of(decay.l2()),
            shrink: T::of(1.0 - lr * decay.decoupled()),
        }
    }
}

impl<T: Real> Coefficients<T> {
    /// The new theta, v, gbar and b; those that are not kept go in as zero.
    #[inline(always)]
    fn step(self, [theta, v, gbar, b]: [T; 4], g: T, centered: bool) -> [T; 4] {
        let g = g + self.l2 * theta;
        // 1. The averages.
        let v = self.alpha * v + self.new * (g * g);
        let gbar = self.alpha * gbar + self.new * g;
        // 2. The divisor.
        let square = if centered { (v - gbar * gbar).max(T::zero()) } else { v };
        // 3. The step.
        let b = self.mu * b + g / (square.sqrt() + self.epsilon);
        [self.shrink * theta - self.lr * b, v, gbar, b]
    }
}

impl TensorKernel<2, 1> for RmsPropPass<'_> {
    type Output = ();

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 2, 1>) {
        let c = self.coefficients::<T>(index);
        let zero = T::zero();
        view.apply(
            #[inline(always)]
            move |[theta, v], [g]| {
                let [theta, v, ..] = c.step([theta, v, zero, zero], g, false);
                [theta, v]
            },
        );
    }
}

impl TensorKernel<3, 1> for RmsPropPass<'_> {
    type Output = ();

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 3, 1>) {
        let c = self.coefficients::<T>(index);
        let zero = T::zero();
        if self.config.centered {
            view.apply(
                #[inline(always)]
                move |[theta, v, gbar], [g]| {
                    let [theta, v, gbar, _] = c.step([theta, v, gbar, zero], g, true);
                    [theta, v, gbar]
                },
            );
        } else {
            view.apply(
                #[inline(always)]
                move |[theta, v, b], [g]| {
                    let [theta, v, _, b] = c.step([theta, v, zero, b], g, false);
                    [theta, v, b]
                },
            );
        }
    }
}

impl TensorKernel<4, 1> for RmsPropPass<'_> {
    type Output = ();

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 4, 1>) {
        let c = self.coefficients::<T>(index);
        view.apply(
            #[inline(always)]
            move |vectors, [g]| c.step(vectors, g, true),
        );
    }
}
