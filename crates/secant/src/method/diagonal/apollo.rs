//! Apollo: a diagonal quasi-Newton method, parameter by parameter.
//!
//! # Idea
//! Keep a diagonal B that satisfies the *weak* secant equation d' B d = d' y for each tensor, and
//! divide the averaged gradient by its absolute value, bounded from below. B may be negative: only
//! its absolute value is used, so directions of negative curvature are left, not entered.
//!
//! # Algorithm
//! Step t (from 1) with gradient g, for each tensor:
//! 1. lr_t = init_lr + (lr - init_lr)(t - 1) / warmup while t - 1 < warmup, then lr.
//! 2. `L2`: g <- g + wd theta.
//! 3. alpha = (1 - beta) / (1 - beta^t); delta_g = g - m; m <- m + alpha delta_g; y = alpha delta_g.
//! 4. q = |d|_4 + eps' with eps' = eps / sigma (constant) or eps (belief); u = d / q.
//! 5. B <- B - [u'y / q + u'(B u)] u*u.
//! 6. D = max(|B|, sigma) (constant), or max(|B|, |delta_g|_inf) + eps / alpha (belief).
//! 7. d <- m / D; `Decoupled`: d <- d + wd theta; `Stable`: d <- d + wd / mean(D) theta.
//! 8. theta <- theta - lr_t d.
//!
//! # Notation
//! m, B, d: the fields of [`ApolloState`]; sigma, belief: [`Rebound`]; |.|_4: the 4-norm.
//!
//! # Cost
//! 3 vectors of memory; two passes, 9R + 4W (the first reads g, m, d, B; the second reads them and
//! theta and writes m, B, d, theta); a third, reading four vectors, for the `Stable` decay. One
//! gradient.
//!
//! # When not to use it
//! With Adam's learning rates: Apollo's are 10 times larger, and the first step is lr_1 g / sigma,
//! so the warm-up (at least 100 updates) is part of the method. Tensors with |d|_4 far below
//! eps' barely update B: there Apollo is momentum SGD with rate lr / sigma.
//!
//! # Deviations
//! Where a coefficient of step 5 is not finite, B is kept and the pair is counted as skipped.
//! Otherwise the official code is reproduced in all six combinations of rebound and decay; eps' is
//! computed once (one port divides eps again for every tensor and so loses B).
//!
//! # References
//! Ma, *Apollo: an adaptive parameter-wise diagonal quasi-Newton method for nonconvex stochastic
//! optimization*, 2020, arXiv 2009.13586, eq. (6)-(10), Theorem 1.

use secant_core::{
    moving_average::bias_correction,
    report::{PairOutcome, Rejection},
};

use crate::{
    blocks::{Blocks, Layout},
    error::{ConfigError, require_in},
    kernels::{Real, TensorKernel, View, for_each_tensor, in_f64, lane_maximum, lane_sums},
    optimizer::Optimizer,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, record_state, step_by_gradient,
    },
    spec::{HyperParameters, Range, hyper_parameters},
};

hyper_parameters! {
    /// Configuration of [`Apollo`].
    pub struct ApolloConfig {
        /// Decay rate of the gradient's average.
        #[config(default = 0.9)]
        #[range(Below1)]
        beta: f64,
        /// Keeps the division by |d|_4 safe.
        #[config(default = 1e-4)]
        #[range(NotNegative)]
        epsilon: f64,
        /// How |B| is bounded from below.
        #[config(default = "Rebound::Constant { sigma: 0.01 }")]
        #[words("constant(sigma=number) | belief")]
        rebound: Rebound,
        /// Updates of linear warm-up.
        #[config(default = 500)]
        warmup: u64,
        /// The rate of the first update; a thousandth of the rate if not given.
        #[config(default = "None")]
        #[range(NotNegative)]
        init_lr: Option<f64>,
        /// Weight decay. The papers' default is `L2` with a constant rebound and `Decoupled` with
        /// belief.
        #[config(default = "Decay::None")]
        #[words(Decay::WORDS)]
        decay: Decay,
    }
}

/// How |B| is bounded from below.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rebound {
    /// max(|B|, sigma).
    Constant {
        /// The bound, above 0; it only matters relative to the rate (Theorem 1).
        sigma: f64,
    },
    /// max(|B|, |delta_g|_inf) + eps / alpha.
    Belief,
}

impl ApolloConfig {
    /// ApolloW: decoupled decay with the constant rebound, at the strength of the paper's CIFAR-10
    /// runs.
    pub fn apollow() -> Self {
        Self::new().with_decay(Decay::Decoupled(2.5e-2))
    }

    /// The method without an optimizer around it.
    pub fn build(&self) -> Apollo {
        Apollo { config: *self }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<Apollo>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// Apollo; see the [module](self).
#[derive(Clone, Debug)]
pub struct Apollo {
    config: ApolloConfig,
}

/// The state of [`Apollo`].
#[derive(Clone, Debug, Default)]
pub struct ApolloState {
    /// The bias-corrected average of gradients.
    m: Blocks,
    /// The diagonal of the Hessian estimate, unbounded.
    b: Blocks,
    /// The last direction, decay included.
    d: Blocks,
    t: u64,
}

record_state!(ApolloState { vectors: [m, b, d], counters: [t], numbers: [] });

impl Method for Apollo {
    type State = ApolloState;
    const NAME: &'static str = "apollo";

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)?;
        match self.config.rebound {
            Rebound::Constant { sigma } => require_in(Self::NAME, "sigma", Range::Positive, sigma),
            // Without epsilon the bound of belief can be 0.
            Rebound::Belief => {
                require_in(Self::NAME, "epsilon", Range::Positive, self.config.epsilon)
            }
        }
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn init(&self, layout: &Layout) -> ApolloState {
        let zeros = || Blocks::zeros(layout);
        ApolloState { m: zeros(), b: zeros(), d: zeros(), t: 0 }
    }

    step_by_gradient!();
}

impl GradientMethod for Apollo {
    fn is_per_tensor(&self) -> bool {
        true
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut ApolloState,
    ) -> Result<PairOutcome, Rejection> {
        let t = state.t + 1;
        let alpha = (1.0 - self.config.beta) / bias_correction(self.config.beta, t);
        let pass = ApolloPass { method: self, tensors: context.tensors, t, alpha };
        let ApolloState { m, b, d, .. } = state;
        let updated = for_each_tensor(&pass, [theta, m, b, d], [gradient]);
        state.t = t;
        if t == 1 {
            return Ok(PairOutcome::NotTried);
        }
        let stored = updated.iter().filter(|updated| **updated).count();
        Ok(PairOutcome::PerTensor { stored, skipped: updated.len() - stored })
    }
}

impl Apollo {
    /// Step 1: the rate of step t.
    fn warm_rate(&self, lr: f64, t: u64) -> f64 {
        let ApolloConfig { warmup, init_lr, .. } = self.config;
        if t > warmup {
            return lr;
        }
        let first = init_lr.unwrap_or(lr / 1000.0);
        first + (lr - first) * (t - 1) as f64 / warmup as f64
    }

    /// eps' of step 4.
    fn scaled_eps(&self) -> f64 {
        match self.config.rebound {
            Rebound::Constant { sigma } => self.config.epsilon / sigma,
            Rebound::Belief => self.config.epsilon,
        }
    }
}

struct ApolloPass<'a> {
    method: &'a Apollo,
    tensors: &'a [TensorSettings],
    t: u64,
    alpha: f64,
}

impl TensorKernel<4, 1> for ApolloPass<'_> {
    /// Whether B was updated.
    type Output = bool;

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 4, 1>) -> bool {
        let TensorSettings { lr, decay } = self.tensors[index];
        let lr = self.method.warm_rate(lr, self.t);
        let (l2, alpha) = (decay.l2(), self.alpha);
        // First pass, steps 3 to 5: |d|_4^4, d'delta_g and d'(B d).
        let [fourth, d_delta, d_b_d] = view.reduce(
            #[inline(always)]
            move |[theta, m, b, d], [g]| {
                // Without L2 decay theta is not read.
                let theta = if l2 == 0.0 { g } else { theta };
                lane_sums(
                    [theta, m, b, d, g],
                    #[inline(always)]
                    |elements| {
                        let [theta, m, b, d, g] = in_f64(elements);
                        let delta = g + l2 * theta - m;
                        let square = d * d;
                        [square * square, d * delta, b * square]
                    },
                )
            },
        );
        let q = fourth.sqrt().sqrt() + self.method.scaled_eps();
        let curvature = alpha * d_delta / q / q + d_b_d / q / q;
        // d = 0 in the first step; 0 / 0 only if eps = 0 as well.
        let updated = fourth > 0.0 && curvature.is_finite() && T::of(1.0 / q).is_finite();
        let (update, inverse_q) = if updated { (-curvature, 1.0 / q) } else { (0.0, 0.0) };
        let (floor, extra) = self.bound(&view, l2);
        let c = Coefficients { lr, alpha, l2, update, inverse_q, floor, extra };
        // Step 7: decay that enters d.
        let pull = match decay {
            Decay::Decoupled(strength) => strength,
            Decay::Stable(strength) => strength / mean_bound(&view, c),
            Decay::None | Decay::L2(_) => 0.0,
        };
        move_tensor(&mut view, c, pull);
        updated
    }
}

impl ApolloPass<'_> {
    /// Step 6: D = max(|B|, first) + second.
    fn bound<T: Real>(&self, view: &View<'_, T, 4, 1>, l2: f64) -> (f64, f64) {
        match self.method.config.rebound {
            Rebound::Constant { sigma } => (sigma, 0.0),
            Rebound::Belief => {
                let [largest] = view.maximum(
                    #[inline(always)]
                    move |[theta, m, _, _], [g]| {
                        let theta = if l2 == 0.0 { g } else { theta };
                        [lane_maximum(
                            [theta, m, g],
                            #[inline(always)]
                            |[theta, m, g]| (g + l2 * theta - m).abs(),
                        )]
                    },
                );
                (largest, self.method.config.epsilon / self.alpha)
            }
        }
    }
}

/// What the second pass needs, in `f64`.
#[derive(Clone, Copy)]
struct Coefficients {
    lr: f64,
    alpha: f64,
    l2: f64,
    /// The factor of u*u in step 5.
    update: f64,
    /// 1 / q in step 4.
    inverse_q: f64,
    floor: f64,
    extra: f64,
}

/// mean(D) after step 5, for the stable decay.
fn mean_bound<T: Real>(view: &View<'_, T, 4, 1>, c: Coefficients) -> f64 {
    let [sum] = view.reduce(
        #[inline(always)]
        move |[_, _, b, d], _| {
            lane_sums(
                [b, d],
                #[inline(always)]
                |elements| {
                    let [b, u] = in_f64(elements);
                    let u = u * c.inverse_q;
                    [(b + c.update * (u * u)).abs().max(c.floor) + c.extra]
                },
            )
        },
    );
    sum / view.len() as f64
}

/// The second pass, steps 3 and 5 to 8.
fn move_tensor<T: Real>(view: &mut View<'_, T, 4, 1>, c: Coefficients, pull: f64) {
    let (lr, alpha, l2, update) = (T::of(c.lr), T::of(c.alpha), T::of(c.l2), T::of(c.update));
    let (inverse_q, floor) = (T::of(c.inverse_q), T::of(c.floor));
    let (extra, pull) = (T::of(c.extra), T::of(pull));
    view.apply(
        #[inline(always)]
        move |[theta, m, b, d], [g]| {
            // 3. The average.
            let g = g + l2 * theta;
            let m = m + alpha * (g - m);
            // 5. and 6. The diagonal and its bound.
            let u = d * inverse_q;
            let b = b + update * (u * u);
            let bound = b.abs().max(floor) + extra;
            // 7. and 8. The direction and the step.
            let d = m / bound + pull * theta;
            [theta - lr * d, m, b, d]
        },
    );
}
