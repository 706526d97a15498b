//! Quasi-Adam: Adam's step plus a quasi-Newton step from one curvature pair.
//!
//! # Idea
//! Keep the last displacement s and the change of gradient y over it. The inverse L-BFGS matrix of
//! that one pair, applied to the gradient, adds curvature along the last step to Adam's diagonal
//! scaling, for two vectors of memory and no evaluation.
//!
//! # Algorithm
//! Step t with gradient g (decay of kind `L2` already added: g + wd theta):
//! 1. m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2;
//!    mhat = m / (1 - beta1^t); vhat = v / (1 - beta2^t).
//! 2. p = mhat / (sqrt(vhat) + eps).
//! 3. If t >= 2: y = g - g_prev; s.s, s.y, y.y, s.g, y.g; accepted when y.y > 0 and
//!    s.y >= eps_c |s| |y|.
//! 4. Accepted: gamma = s.y / y.y, rho = 1 / s.y,
//!    q = gamma g + rho [(2 s.g - gamma y.g) s - gamma s.g y]. Otherwise q = 0: Adam's step.
//! 5. theta <- theta - lr p - rate_q q (decoupled decay shrinks theta by 1 - lr wd first).
//! 6. s <- theta_new - theta_old, after rounding; g_prev <- g.
//!
//! # Notation
//! m, v, s, g_prev: the fields of [`QuasiAdamState`]; gamma, the coefficients of s and y:
//! [`Combination`]; eps_c: [`QuasiAdamConfig::with_curvature_test`]; rate_q:
//! [`QuasiAdamConfig::with_curvature_rate`], lr in the paper.
//!
//! # Cost
//! 4 vectors of memory; two passes, 9R + 4W: the first reads g, g_prev and s, the second reads
//! them, theta, m and v and writes theta, m, v and s; g_prev takes the gradient's buffer. A cap on
//! |q| reads m and v in the first pass as well. One gradient;
//! [`init_same_batch`](QuasiAdamConfig::init_same_batch) takes two.
//!
//! # When not to use it
//! Small batches: y of consecutive batches is then mostly noise, and the test rejects half of the
//! pairs. As printed (the preset [`QuasiAdamConfig::paper`]) the added term is 0.0005 to 0.005 of
//! Adam's step at usual rates, and the method is Adam for practical purposes.
//!
//! # Deviations
//! - The sign in Algorithm 1 and the recursion of (3), (4), which would divide by 1 - beta^t in
//!   every step, are read as standard Adam minus both steps.
//! - eps stands outside the root, as in the authors' code;
//!   [`with_epsilon_inside`](QuasiAdamConfig::with_epsilon_inside) puts it inside as printed.
//! - The curvature test is relative; the paper's absolute one is an option.
//! - The default rate of the quasi-Newton term is its own, with a cap on its length, because the
//!   printed one does next to nothing; [`QuasiAdamConfig::paper`] is as printed.
//! - The authors' 2024 code is another method: see [`replace_ema`].
//!
//! # References
//! Ranganath, Marcia et al., *Quasi-Adam*, 2024, eq. (3)-(10), Algorithm 1.

pub mod replace_ema;
pub mod same_batch;

use burn::config::Config;
use secant_core::{
    curvature::{CurvatureTest, PairProducts},
    memory_one::Combination,
    moving_average::bias_correction,
    report::{PairOutcome, Rejection, SkipReason},
};

use crate::{
    blocks::{Blocks, Layout},
    error::{ConfigError, require, require_beta, require_positive},
    kernels::{Real, TensorKernel, View, for_each_tensor, lane_sums},
    optimizer::Optimizer,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, add_l2, record_state,
        step_by_gradient,
    },
};

use same_batch::QuasiAdamSameBatch;

/// Configuration of [`QuasiAdam`].
#[derive(Config, Debug, Copy)]
pub struct QuasiAdamConfig {
    /// Decay rate of the gradient's average, in [0, 1).
    #[config(default = 0.9)]
    beta_1: f64,
    /// Decay rate of the squared gradient's average, in [0, 1).
    #[config(default = 0.999)]
    beta_2: f64,
    /// Added to the root, or inside it; above 0.
    #[config(default = 1e-8)]
    epsilon: f64,
    /// Add eps to v, inside the root, as the paper prints it.
    #[config(default = false)]
    epsilon_inside: bool,
    /// One pair for all parameters, or one for each tensor.
    #[config(default = "Scope::Global")]
    scope: Scope,
    /// Which pairs are accepted; relative with 1e-8 (`f64`) or 1e-6 (`f32`) if not given.
    curvature_test: Option<CurvatureTest>,
    /// What takes the place of q when the pair is rejected.
    #[config(default = "OnRejection::Adam")]
    on_rejection: OnRejection,
    /// Pairs whose inverse matrix has a 2-norm above this are rejected.
    inverse_bound: Option<f64>,
    /// The rate of the quasi-Newton term, a quasi-Newton method's full step unless told; `None`: the
    /// learning rate.
    #[config(default = "Some(1.0)")]
    curvature_rate: Option<f64>,
    /// Cap on the length of the quasi-Newton term, in lengths of Adam's; `None`: no cap.
    #[config(default = "Some(1.0)")]
    max_ratio: Option<f64>,
    /// Weight decay.
    #[config(default = "Decay::None")]
    decay: Decay,
}

/// What belongs to one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Scope {
    /// All parameters are one vector.
    Global,
    /// Every tensor is its own vector.
    PerTensor,
}

/// What takes the place of q when a pair is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum OnRejection {
    /// Nothing: Adam's step.
    Adam,
    /// H of the last accepted pair. Keeps that pair: two more vectors.
    KeepPair,
    /// gamma g with the gamma of the last accepted pair.
    ScaledGradient,
}

impl QuasiAdamConfig {
    /// As the paper prints it: the quasi-Newton term has the learning rate, and no cap.
    pub fn paper() -> Self {
        Self { curvature_rate: None, max_ratio: None, ..Self::new() }
    }

    /// The method without an optimizer around it; y is taken from consecutive batches.
    pub fn build(&self) -> QuasiAdam {
        QuasiAdam { config: *self }
    }

    /// The optimizer; y is taken from consecutive batches, as in the authors' codes.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<QuasiAdam>, ConfigError> {
        Optimizer::new(self.build())
    }

    /// The optimizer whose y is the change of the gradient *of one batch*: a second gradient in
    /// every step.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init_same_batch(&self) -> Result<Optimizer<QuasiAdamSameBatch>, ConfigError> {
        Optimizer::new(QuasiAdamSameBatch::new(self.build()))
    }
}

/// Quasi-Adam with pairs from consecutive batches; see the [module](self).
#[derive(Clone, Debug)]
pub struct QuasiAdam {
    config: QuasiAdamConfig,
}

/// The state of [`QuasiAdam`] and [`QuasiAdamSameBatch`].
#[derive(Clone, Debug, Default)]
pub struct QuasiAdamState {
    m: Blocks,
    v: Blocks,
    /// The last displacement; empty before the first step.
    s: Blocks,
    /// The last gradient, or the pair's y itself with pairs from one batch.
    memory: Blocks,
    /// The last accepted pair, kept for [`OnRejection::KeepPair`] alone.
    kept_s: Blocks,
    kept_y: Blocks,
    t: u64,
    /// gamma of the last accepted pair, one for each scope; 0 before.
    gamma: Vec<f64>,
}

record_state!(QuasiAdamState {
    vectors: [m, v, s, memory, kept_s, kept_y],
    counters: [t],
    numbers: [gamma]
});

/// Where the pair's y comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// The memory is the last gradient: y = g - memory.
    LastGradient,
    /// The memory is y.
    Y,
}

impl Memory {
    /// y = c g + d memory.
    fn coefficients<T: Real>(self) -> (T, T) {
        match self {
            Self::LastGradient => (T::one(), -T::one()),
            Self::Y => (T::zero(), T::one()),
        }
    }
}

impl Method for QuasiAdam {
    type State = QuasiAdamState;
    const NAME: &'static str = "quasi-adam";

    fn validate(&self) -> Result<(), ConfigError> {
        let name = Self::NAME;
        let QuasiAdamConfig { beta_1, beta_2, epsilon, inverse_bound, max_ratio, .. } = self.config;
        require_beta(name, "beta_1", beta_1)?;
        require_beta(name, "beta_2", beta_2)?;
        require_positive(name, "epsilon", epsilon)?;
        require_positive(name, "inverse_bound", inverse_bound.unwrap_or(1.0))?;
        require_positive(name, "max_ratio", max_ratio.unwrap_or(1.0))?;
        let at_least_0 = |x: f64| x >= 0.0 && x.is_finite();
        let rate = self.config.curvature_rate.unwrap_or(0.0);
        require(name, "curvature_rate", "finite and at least 0", rate, at_least_0)?;
        match self.config.curvature_test {
            None => Ok(()),
            Some(CurvatureTest::Relative(c)) => {
                require(name, "the relative curvature test", "in [0, 1]", c, |c| {
                    (0.0..=1.0).contains(&c)
                })
            }
            Some(CurvatureTest::Absolute(c)) => {
                require(name, "the absolute curvature test", "finite and at least 0", c, at_least_0)
            }
        }
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        let QuasiAdamConfig { scope, on_rejection, .. } = self.config;
        let keeps = on_rejection == OnRejection::KeepPair;
        let on_rejection = if keeps { "KeepPair" } else { "another than KeepPair" };
        vec![("scope", format!("{scope:?}")), ("on_rejection", on_rejection.to_string())]
    }

    fn init(&self, layout: &Layout) -> QuasiAdamState {
        let scopes = match self.config.scope {
            Scope::Global => 1,
            Scope::PerTensor => layout.entries().len(),
        };
        QuasiAdamState {
            m: Blocks::zeros(layout),
            v: Blocks::zeros(layout),
            gamma: vec![0.0; scopes],
            ..QuasiAdamState::default()
        }
    }

    step_by_gradient!();
}

impl GradientMethod for QuasiAdam {
    fn is_per_tensor(&self) -> bool {
        self.config.scope == Scope::PerTensor
    }

    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut QuasiAdamState,
    ) -> Result<PairOutcome, Rejection> {
        self.advance(context, theta, gradient, state, Memory::LastGradient)
    }
}

impl QuasiAdam {
    /// One step; the gradient's buffer becomes the memory.
    fn advance(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut QuasiAdamState,
        memory: Memory,
    ) -> Result<PairOutcome, Rejection> {
        add_l2(context, theta, gradient);
        let rates = AdamRates::new(&self.config, state.t + 1);
        // 3. and 4. The pair and its coefficients.
        let (plans, outcome) = if state.s.is_empty() {
            state.s = Blocks::zeros(context.layout);
            (vec![Plan::default(); context.tensors.len()], PairOutcome::NotTried)
        } else {
            self.plan(context, gradient, state, rates, memory)
        };
        // 1., 2., 5. and 6. The step.
        let pass = StepPass { tensors: context.tensors, plans: &plans, rates, memory };
        let QuasiAdamState { m, v, s, memory: stored, kept_s, kept_y, .. } = &mut *state;
        if self.config.on_rejection == OnRejection::KeepPair && !kept_s.is_empty() {
            let pass = StepPass { memory: Memory::Y, ..pass };
            for_each_tensor::<_, 4, 3>(&pass, [theta, m, v, s], [gradient, kept_y, kept_s]);
        } else {
            let memory = if stored.is_empty() { &*gradient } else { &*stored };
            for_each_tensor::<_, 4, 2>(&pass, [theta, m, v, s], [gradient, memory]);
        }
        std::mem::swap(&mut state.memory, gradient);
        state.t += 1;
        Ok(outcome)
    }

    /// Steps 3 and 4 for every tensor.
    fn plan(
        &self,
        context: &StepContext<'_>,
        gradient: &Blocks,
        state: &mut QuasiAdamState,
        rates: AdamRates,
        memory: Memory,
    ) -> (Vec<Plan>, PairOutcome) {
        let capped = self.config.max_ratio.is_some();
        let pass = ProductPass { rates, memory };
        let QuasiAdamState { s, memory: stored, m, v, .. } = &*state;
        let products = if capped {
            for_each_tensor::<_, 0, 5>(&pass, [], [gradient, stored, s, m, v])
        } else {
            for_each_tensor::<_, 0, 3>(&pass, [], [gradient, stored, s])
        };
        let verdicts = self.verdicts(context, &products);
        if self.config.on_rejection == OnRejection::KeepPair {
            return self.plan_with_kept_pair(context, gradient, state, rates, memory, &verdicts);
        }
        let plans = self.plans(context, &products, &verdicts, &mut state.gamma);
        (plans, self.outcome(&verdicts))
    }

    /// [`OnRejection::KeepPair`]: accepted pairs replace the kept ones, whose H is then applied.
    fn plan_with_kept_pair(
        &self,
        context: &StepContext<'_>,
        gradient: &Blocks,
        state: &mut QuasiAdamState,
        rates: AdamRates,
        memory: Memory,
        verdicts: &[Verdict],
    ) -> (Vec<Plan>, PairOutcome) {
        let QuasiAdamState { m, v, s, memory: stored, kept_s, kept_y, gamma, .. } = state;
        if kept_s.is_empty() {
            *kept_s = Blocks::zeros(context.layout);
            *kept_y = Blocks::zeros(context.layout);
        }
        let keep = KeepPass { verdicts, memory, global: self.config.scope == Scope::Global };
        for_each_tensor(&keep, [kept_s, kept_y], [gradient, stored, s]);
        let pass = ProductPass { rates, memory: Memory::Y };
        let products = for_each_tensor::<_, 0, 5>(&pass, [], [gradient, kept_y, kept_s, m, v]);
        // A kept pair passed its test when it was new; zeros are no pair yet.
        let kept = self.verdicts(context, &products);
        (self.plans(context, &products, &kept, gamma), self.outcome(verdicts))
    }

    /// The test of step 3, one for each scope.
    fn verdicts(&self, context: &StepContext<'_>, products: &[Products]) -> Vec<Verdict> {
        let test = self.config.curvature_test.unwrap_or_else(|| default_test(context.layout));
        let bound = self.config.inverse_bound.unwrap_or(f64::INFINITY);
        let verdict = |products: Products| {
            test.check(products.pair())?;
            let norm = products.pair().inverse_norm();
            if norm <= bound { Ok(products.pair().cosine()) } else { Err(SkipReason::TooLarge) }
        };
        match self.config.scope {
            Scope::PerTensor => products.iter().map(|p| verdict(*p)).collect(),
            Scope::Global => vec![verdict(products.iter().copied().sum())],
        }
    }

    fn outcome(&self, verdicts: &[Verdict]) -> PairOutcome {
        match (self.config.scope, verdicts) {
            (Scope::Global, [Ok(cosine)]) => PairOutcome::Stored { cosine: *cosine },
            (Scope::Global, [Err(reason)]) => PairOutcome::Skipped(*reason),
            _ => {
                let stored = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
                PairOutcome::PerTensor { stored, skipped: verdicts.len() - stored }
            }
        }
    }

    /// The coefficients of step 4 and the rate of step 5, one for each tensor.
    fn plans(
        &self,
        context: &StepContext<'_>,
        products: &[Products],
        verdicts: &[Verdict],
        gamma: &mut [f64],
    ) -> Vec<Plan> {
        match self.config.scope {
            Scope::PerTensor => products
                .iter()
                .zip(context.tensors)
                .zip(verdicts.iter().zip(gamma))
                .flat_map(|((p, tensor), (verdict, gamma))| {
                    self.scope_plan(&[*p], &[*tensor], verdict, gamma)
                })
                .collect(),
            Scope::Global => {
                self.scope_plan(products, context.tensors, &verdicts[0], &mut gamma[0])
            }
        }
    }

    /// The plans of the tensors that share one pair.
    fn scope_plan(
        &self,
        products: &[Products],
        tensors: &[TensorSettings],
        verdict: &Verdict,
        gamma: &mut f64,
    ) -> Vec<Plan> {
        let total: Products = products.iter().copied().sum();
        let q = match verdict {
            Ok(_) => Combination::of_pair(total.pair(), total.sg, total.yg),
            Err(_) if self.config.on_rejection == OnRejection::ScaledGradient => {
                Combination::scaled_gradient(*gamma)
            }
            Err(_) => Combination::default(),
        };
        let q = if q.is_finite() { q } else { Combination::default() };
        if verdict.is_ok() {
            *gamma = q.gamma;
        }
        let rate = |tensor: &TensorSettings| self.config.curvature_rate.unwrap_or(tensor.lr);
        let shrink = self.shrink(q, products, tensors, rate);
        tensors.iter().map(|tensor| Plan { q, rate: shrink * rate(tensor) }).collect()
    }

    /// The factor that brings |rate_q q| under its cap.
    fn shrink(
        &self,
        q: Combination,
        products: &[Products],
        tensors: &[TensorSettings],
        rate: impl Fn(&TensorSettings) -> f64,
    ) -> f64 {
        let Some(max_ratio) = self.config.max_ratio else { return 1.0 };
        let (mut newton, mut adam) = (0.0, 0.0);
        for (p, tensor) in products.iter().zip(tensors) {
            newton += rate(tensor).powi(2) * q.norm_squared(p.pair(), p.gg, p.sg, p.yg);
            adam += tensor.lr.powi(2) * p.adam;
        }
        // No division before the test: both are 0 where all gradients are.
        if newton <= max_ratio * max_ratio * adam {
            1.0
        } else {
            max_ratio * (adam / newton).sqrt()
        }
    }
}

/// The cosine of an accepted pair, or why it is left out.
type Verdict = Result<f64, SkipReason>;

/// The relative test at the resolution of the parameters' type.
fn default_test(layout: &Layout) -> CurvatureTest {
    let double = |entry: &crate::blocks::Entry| entry.dtype == burn::tensor::DType::F64;
    CurvatureTest::Relative(if layout.entries().iter().all(double) { 1e-8 } else { 1e-6 })
}

/// q of one tensor and its rate.
#[derive(Clone, Copy, Debug, Default)]
struct Plan {
    q: Combination,
    rate: f64,
}

/// The inner products of step 3, and the squares that a cap needs.
#[derive(Clone, Copy, Debug, Default)]
struct Products {
    ss: f64,
    sy: f64,
    yy: f64,
    sg: f64,
    yg: f64,
    gg: f64,
    /// |p|^2 of Adam's direction; 0 where it was not asked for.
    adam: f64,
}

impl Products {
    fn pair(&self) -> PairProducts {
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
struct AdamRates {
    beta_1: f64,
    beta_2: f64,
    correction1: f64,
    correction2: f64,
    /// Added to the root of vhat, or to vhat.
    epsilon: f64,
    epsilon_inside: bool,
}

impl AdamRates {
    fn new(config: &QuasiAdamConfig, t: u64) -> Self {
        Self {
            beta_1: config.beta_1,
            beta_2: config.beta_2,
            correction1: bias_correction(config.beta_1, t),
            correction2: bias_correction(config.beta_2, t),
            epsilon: config.epsilon,
            epsilon_inside: config.epsilon_inside,
        }
    }

    fn cast<T: Real>(self, lr: f64) -> AdamCoefficients<T> {
        let (inside, outside) =
            if self.epsilon_inside { (self.epsilon, 0.0) } else { (0.0, self.epsilon) };
        AdamCoefficients {
            beta_1: T::of(self.beta_1),
            new1: T::of(1.0 - self.beta_1),
            beta_2: T::of(self.beta_2),
            new2: T::of(1.0 - self.beta_2),
            rate: T::of(lr / self.correction1),
            root2: T::of(1.0 / self.correction2.sqrt()),
            inside: T::of(inside * self.correction2),
            outside: T::of(outside),
        }
    }
}

/// Adam's coefficients of one tensor, in its number type.
#[derive(Clone, Copy)]
struct AdamCoefficients<T> {
    beta_1: T,
    new1: T,
    beta_2: T,
    new2: T,
    rate: T,
    root2: T,
    inside: T,
    outside: T,
}

impl<T: Real> AdamCoefficients<T> {
    /// Steps 1 and 2: the new m and v, and lr p.
    #[inline(always)]
    fn step(self, m: T, v: T, g: T) -> (T, T, T) {
        let m = self.beta_1 * m + self.new1 * g;
        let v = self.beta_2 * v + self.new2 * (g * g);
        let root = (v + self.inside).sqrt() * self.root2 + self.outside;
        (m, v, self.rate * (m / root))
    }
}

/// The first pass: the inner products of step 3, and for a cap |p|^2.
struct ProductPass {
    rates: AdamRates,
    memory: Memory,
}

impl TensorKernel<0, 3> for ProductPass {
    type Output = Products;

    fn run<T: Real>(&self, _: usize, view: View<'_, T, 0, 3>) -> Products {
        let (c, d) = self.memory.coefficients::<T>();
        let [ss, sy, yy, sg, yg] = view.reduce(
            #[inline(always)]
            move |[], [g, memory, s]| {
                lane_sums(
                    [g, memory, s],
                    #[inline(always)]
                    |[g, memory, s]| {
                        let y = (c * g + d * memory).f64();
                        let (g, s) = (g.f64(), s.f64());
                        [s * s, s * y, y * y, s * g, y * g]
                    },
                )
            },
        );
        Products { ss, sy, yy, sg, yg, ..Products::default() }
    }
}

impl TensorKernel<0, 5> for ProductPass {
    type Output = Products;

    fn run<T: Real>(&self, _: usize, view: View<'_, T, 0, 5>) -> Products {
        let (c, d) = self.memory.coefficients::<T>();
        let adam = self.rates.cast::<T>(1.0);
        let [ss, sy, yy, sg, yg, gg, adam] = view.reduce(
            #[inline(always)]
            move |[], [g, memory, s, m, v]| {
                lane_sums(
                    [g, memory, s, m, v],
                    #[inline(always)]
                    |[g, memory, s, m, v]| {
                        let p = adam.step(m, v, g).2.f64();
                        let y = (c * g + d * memory).f64();
                        let (g, s) = (g.f64(), s.f64());
                        [s * s, s * y, y * y, s * g, y * g, g * g, p * p]
                    },
                )
            },
        );
        Products { ss, sy, yy, sg, yg, gg, adam }
    }
}

/// The second pass: steps 1, 2, 5 and 6.
#[derive(Clone, Copy)]
struct StepPass<'a> {
    tensors: &'a [TensorSettings],
    plans: &'a [Plan],
    rates: AdamRates,
    memory: Memory,
}

/// The coefficients of the second pass for one tensor, in its number type.
#[derive(Clone, Copy)]
struct StepCoefficients<T> {
    adam: AdamCoefficients<T>,
    shrink: T,
    by_g: T,
    by_s: T,
    by_memory: T,
}

impl StepPass<'_> {
    /// rate_q q = by_g g + by_s s + by_memory memory.
    fn coefficients<T: Real>(&self, index: usize) -> StepCoefficients<T> {
        let TensorSettings { lr, decay } = self.tensors[index];
        let Plan { q, rate } = self.plans[index];
        let (c, d) = self.memory.coefficients::<f64>();
        StepCoefficients {
            adam: self.rates.cast(lr),
            shrink: T::of(1.0 - lr * decay.decoupled()),
            by_g: T::of(rate * (q.gamma + q.b * c)),
            by_s: T::of(rate * q.a),
            by_memory: T::of(rate * q.b * d),
        }
    }
}

impl<T: Real> StepCoefficients<T> {
    /// The new theta, m, v and displacement.
    #[inline(always)]
    fn step(self, [theta, m, v]: [T; 3], [g, memory, s]: [T; 3]) -> [T; 4] {
        let (m, v, p) = self.adam.step(m, v, g);
        let q = self.by_g * g + self.by_s * s + self.by_memory * memory;
        let new = (self.shrink * theta - p) - q;
        [new, m, v, new - theta]
    }
}

impl TensorKernel<4, 2> for StepPass<'_> {
    type Output = ();

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 4, 2>) {
        let c = self.coefficients::<T>(index);
        view.apply(
            #[inline(always)]
            move |[theta, m, v, s], [g, memory]| c.step([theta, m, v], [g, memory, s]),
        );
    }
}

/// With a kept pair: s is only written.
impl TensorKernel<4, 3> for StepPass<'_> {
    type Output = ();

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 4, 3>) {
        let c = self.coefficients::<T>(index);
        view.apply(
            #[inline(always)]
            move |[theta, m, v, _], kept| c.step([theta, m, v], kept),
        );
    }
}

/// Copies accepted pairs to where they are kept.
struct KeepPass<'a> {
    verdicts: &'a [Verdict],
    memory: Memory,
    global: bool,
}

impl TensorKernel<2, 3> for KeepPass<'_> {
    type Output = ();

    fn run<T: Real>(&self, index: usize, mut view: View<'_, T, 2, 3>) {
        if self.verdicts[if self.global { 0 } else { index }].is_err() {
            return;
        }
        let (c, d) = self.memory.coefficients::<T>();
        view.apply(
            #[inline(always)]
            move |_, [g, memory, s]| [s, c * g + d * memory],
        );
    }
}
