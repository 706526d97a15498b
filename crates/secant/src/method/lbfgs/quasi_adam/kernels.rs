//! The two passes of Quasi-Adam.

use secant_core::{
    curvature::PairProducts, memory_one::Combination, moving_average::bias_correction,
};

use super::{Memory, QuasiAdamConfig};
use crate::{
    blocks::{Number, TensorKernel},
    protocol::TensorSettings,
};

/// q of one tensor and its rate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    pub q: Combination,
    pub rate: f64,
}

/// The inner products of step 3, and the squares that a cap needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Products {
    pub ss: f64,
    pub sy: f64,
    pub yy: f64,
    pub sg: f64,
    pub yg: f64,
    pub gg: f64,
    /// |p|^2 of Adam's direction; 0 where it was not asked for.
    pub adam: f64,
}

impl Products {
    pub fn pair(&self) -> PairProducts {
        PairProducts { ss: self.ss, sy: self.sy, yy: self.yy }
    }
}

impl std::iter::Sum for Products {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::default(), |a, b| Self {
            ss: a.ss + b.ss,
            sy: a.sy + b.sy,
            yy: a.yy + b.yy,
            sg: a.sg + b.sg,
            yg: a.yg + b.yg,
            gg: a.gg + b.gg,
            adam: a.adam + b.adam,
        })
    }
}

/// Adam's coefficients in step t.
#[derive(Clone, Copy)]
pub(super) struct AdamRates {
    beta_1: f64,
    beta_2: f64,
    /// 1 - beta1^t
    correction: f64,
    /// 1 / sqrt(1 - beta2^t)
    root: f64,
    /// Added to v, and to the root of vhat.
    inside: f64,
    outside: f64,
}

impl AdamRates {
    pub fn new(config: &QuasiAdamConfig, t: u64) -> Self {
        let QuasiAdamConfig { beta_1, beta_2, epsilon, epsilon_inside, .. } = *config;
        let correction2 = bias_correction(beta_2, t);
        let (inside, outside) = if epsilon_inside { (epsilon, 0.0) } else { (0.0, epsilon) };
        Self {
            beta_1,
            beta_2,
            correction: bias_correction(beta_1, t),
            root: 1.0 / correction2.sqrt(),
            inside: inside * correction2,
            outside,
        }
    }

    /// Steps 1 and 2: the new m and v, and lr p.
    #[inline(always)]
    fn step<N: Number>(self, lr: f64, m: N, v: N, g: N) -> (N, N, N) {
        let m = N::of(self.beta_1) * m + N::of(1.0 - self.beta_1) * g;
        let v = N::of(self.beta_2) * v + N::of(1.0 - self.beta_2) * (g * g);
        let root = (v + N::of(self.inside)).sqrt() * N::of(self.root) + N::of(self.outside);
        (m, v, N::of(lr / self.correction) * (m / root))
    }
}

/// The first pass: the inner products of step 3.
#[derive(Clone, Copy)]
pub(super) struct ProductKernel {
    pub rates: AdamRates,
    pub memory: Memory,
}

impl TensorKernel<0, 3, 5> for ProductKernel {
    type Decision = Products;

    #[inline(always)]
    fn terms<N: Number>(self, []: [N; 0], [g, memory, s]: [N; 3]) -> [N::Wide; 5] {
        let y = self.memory.y(g, memory).wide();
        let (g, s) = (g.wide(), s.wide());
        [s * s, s * y, y * y, s * g, y * g]
    }

    fn decide(self, [ss, sy, yy, sg, yg]: [f64; 5]) -> Products {
        Products { ss, sy, yy, sg, yg, ..Products::default() }
    }
}

/// For a cap |p|^2 as well.
impl TensorKernel<0, 5, 7> for ProductKernel {
    type Decision = Products;

    #[inline(always)]
    fn terms<N: Number>(self, []: [N; 0], [g, memory, s, m, v]: [N; 5]) -> [N::Wide; 7] {
        let (.., p) = self.rates.step(1.0, m, v, g);
        let (p, y) = (p.wide(), self.memory.y(g, memory).wide());
        let (g, s) = (g.wide(), s.wide());
        [s * s, s * y, y * y, s * g, y * g, g * g, p * p]
    }

    fn decide(self, [ss, sy, yy, sg, yg, gg, adam]: [f64; 7]) -> Products {
        Products { ss, sy, yy, sg, yg, gg, adam }
    }
}

/// The second pass: steps 1, 2, 5 and 6, with the coefficients of one tensor.
#[derive(Clone, Copy)]
pub(super) struct StepKernel {
    adam: AdamRates,
    lr: f64,
    shrink: f64,
    /// rate_q q = by_g g + by_s s + by_memory memory.
    by_g: f64,
    by_s: f64,
    by_memory: f64,
}

impl StepKernel {
    pub fn new(
        adam: AdamRates,
        TensorSettings { lr, decay }: TensorSettings,
        Plan { q, rate }: Plan,
        memory: Memory,
    ) -> Self {
        let (c, d) = memory.coefficients();
        Self {
            adam,
            lr,
            shrink: 1.0 - lr * decay.decoupled(),
            by_g: rate * (q.gamma + q.b * c),
            by_s: rate * q.a,
            by_memory: rate * q.b * d,
        }
    }

    /// The new theta, m, v and displacement.
    #[inline(always)]
    fn step<N: Number>(self, [theta, m, v]: [N; 3], [g, memory, s]: [N; 3]) -> [N; 4] {
        let (m, v, p) = self.adam.step(self.lr, m, v, g);
        let q = N::of(self.by_g) * g + N::of(self.by_s) * s + N::of(self.by_memory) * memory;
        let new = (N::of(self.shrink) * theta - p) - q;
        [new, m, v, new - theta]
    }
}

impl TensorKernel<4, 2, 0> for StepKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta, m, v, s]: [N; 4], [g, memory]: [N; 2]) -> [N; 4] {
        self.step([theta, m, v], [g, memory, s])
    }
}

/// With a kept pair: s is only written.
impl TensorKernel<4, 3, 0> for StepKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [theta, m, v, _]: [N; 4], kept: [N; 3]) -> [N; 4] {
        self.step([theta, m, v], kept)
    }
}

/// Copies an accepted pair to where it is kept.
#[derive(Clone, Copy)]
pub(super) struct Keep {
    pub accepted: bool,
    pub memory: Memory,
}

impl TensorKernel<2, 3, 0> for Keep {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    fn is_applied(self, (): ()) -> bool {
        self.accepted
    }

    #[inline(always)]
    fn apply<N: Number>(self, (): (), _: [N; 2], [g, memory, s]: [N; 3]) -> [N; 2] {
        [s, self.memory.y(g, memory)]
    }
}
