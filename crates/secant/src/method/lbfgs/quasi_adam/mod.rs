//! Quasi-Adam: Adam's step plus a quasi-Newton step from one curvature pair.
//!
//! # Idea
//! Keep the last displacement s and the change of gradient y over it. The inverse L-BFGS matrix of
//! that one pair, applied to the gradient, adds curvature along the last step to Adam's diagonal
//! scaling, for two vectors of memory and no evaluation.
//!
//! # Algorithm
//! Step t with gradient g (decay of kind `L2` already added: g + wd theta). In brackets: the paper's equations, and
//! the three lines of its Algorithm 1.
//! 1. m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2;
//!    mhat = m / (1 - beta1^t); vhat = v / (1 - beta2^t) (eq. (3), (4), as Section V restates them).
//! 2. p = mhat / (sqrt(vhat) + eps) (eq. (5), Algorithm 1, line 1, without its sign).
//! 3. If t >= 2: y = g - g_prev (after eq. (6)); s.s, s.y, y.y, s.g, y.g; accepted when y.y > 0 and
//!    s.y >= eps_c |s| |y| (after eq. (9); Section V, after Theorem 1: s.y >= eps_c).
//! 4. Accepted: gamma = s.y / y.y, rho = 1 / s.y,
//!    q = gamma g + rho [(2 s.g - gamma y.g) s - gamma s.g y] (eq. (8) times g; eq. (9), Algorithm 1, line 2, without
//!    its sign). Otherwise q = 0: Adam's step.
//! 5. theta <- theta - lr p - rate_q q; decoupled decay shrinks theta by 1 - lr wd first (eq. (10); Algorithm 1,
//!    line 3).
//! 6. s <- theta_new - theta_old, after rounding; g_prev <- g (after eq. (6)).
//!
//! # Notation
//! m, v, s: the fields of [`QuasiAdamState`]; g_prev: its `memory`; gamma, the coefficients of s and y:
//! [`Combination`]; beta1, beta2, eps: `beta_1`, `beta_2`, `epsilon`; eps_c:
//! [`QuasiAdamConfig::with_curvature_test`]; rate_q: [`QuasiAdamConfig::with_curvature_rate`], lr in the paper, whose
//! alpha_t is lr.
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
//! - The sign in Algorithm 1, line 3, which steps against the minus signs of (5) and (9), and the recursion of (3),
//!   (4), which would divide by 1 - beta^t in every step, are read as (10): standard Adam minus both steps. g^2 is
//!   element by element, and not the squared norm of the paper's *Notation*.
//! - (8) is right as printed; its corner rho + gamma rho^2 y.y is 2 rho, because gamma y.y = s.y.
//! - eps stands outside the root, as in the authors' code;
//!   [`with_epsilon_inside`](QuasiAdamConfig::with_epsilon_inside) puts it inside as printed.
//! - The curvature test is relative; the paper's absolute one is an option.
//! - The default rate of the quasi-Newton term is its own, with a cap on its length, because the
//!   printed one does next to nothing; [`QuasiAdamConfig::paper`] is as printed.
//! - The authors' 2024 code is another method: see [`replace_ema`].
//!
//! # References
//! Ranganath, Marcia et al., *Quasi-Adam*, 2024, eq. (3)-(10), Algorithm 1.
//!
//! # Example
//! Consecutive gradients of one convex loss: every pair but the first step's, which has none, is accepted.
//!
//! ```
//! # use burn::{nn::{Initializer, Linear, LinearConfig}, tensor::{Device, Tensor}};
//! use secant::{PairOutcome, QuasiAdamConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! # let zeros = LinearConfig::new(2, 1).with_initializer(Initializer::Zeros);
//! # let mut model: Linear = zeros.init(&device);
//! # let x = Tensor::<2>::from_floats([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], &device);
//! # let y = Tensor::<2>::from_floats([[9.0], [3.0], [1.0], [-5.0]], &device);
//! let mut optimizer = QuasiAdamConfig::new().init()?;
//! let mut losses = Vec::new();
//! for step in 0..20 {
//!     let report = optimizer.step(0.1, &mut model, |model: &Linear| {
//!         (model.forward(x.clone()) - y.clone()).powi_scalar(2).mean()
//!     })?;
//!     match report.pair {
//!         PairOutcome::NotTried => assert_eq!(step, 0),
//!         // The Hessian is 2 I, so y = 2 s.
//!         PairOutcome::Stored { cosine } => assert!((cosine - 1.0).abs() < 1e-4),
//!         other => return Err(format!("{other:?}").into()),
//!     }
//!     losses.extend(report.loss);
//! }
//! assert!(losses[19] < 0.1 * losses[0]);
//! # Ok(())
//! # }
//! ```

pub mod replace_ema;
pub mod same_batch;

use secant_core::{
    curvature::{CurvatureTest, PairProducts},
    memory_one::Combination,
    moving_average::bias_correction,
    report::{PairOutcome, Rejection, SkipReason},
};

use crate::{
    blocks::{Blocks, Layout, Number, TensorKernel, for_each_tensor},
    burn_optim::burn_optimizer,
    error::{ConfigError, require_in},
    hyper_parameter::{HyperParameters, Range, hyper_parameters},
    optimizer::Optimizer,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, Traffic, add_l2, record_state,
        step_by_gradient,
    },
};

use same_batch::QuasiAdamSameBatch;

hyper_parameters! {
    /// Configuration of [`QuasiAdam`].
    #[derive(Copy)]
    pub struct QuasiAdamConfig {
        /// Decay rate of the gradient's average.
        #[config(default = 0.9)]
        #[range(Below1)]
        beta_1: f64,
        /// Decay rate of the squared gradient's average.
        #[config(default = 0.999)]
        #[range(Below1)]
        beta_2: f64,
        /// Added to the root, or inside it; above 0.
        #[config(default = 1e-8)]
        #[range(Positive)]
        epsilon: f64,
        /// Add eps to v, inside the root, as the paper prints it.
        #[config(default = false)]
        epsilon_inside: bool,
        /// One pair for all parameters, or one for each tensor.
        #[config(default = "Scope::Global")]
        scope: Scope,
        /// Which pairs are accepted; relative with 1e-8 (`f64`) or 1e-6 (`f32`) if not given.
        #[config(default = "None")]
        curvature_test: Option<CurvatureTest>,
        /// What takes the place of q when the pair is rejected.
        #[config(default = "OnRejection::Adam")]
        on_rejection: OnRejection,
        /// Pairs whose inverse matrix has a 2-norm above this are rejected.
        #[config(default = "None")]
        #[range(Positive)]
        inverse_bound: Option<f64>,
        /// The rate of the quasi-Newton term, a quasi-Newton method's full step unless told; `None`: the
        /// learning rate.
        #[config(default = "Some(1.0)")]
        #[range(NotNegative)]
        curvature_rate: Option<f64>,
        /// Cap on the length of the quasi-Newton term, in lengths of Adam's; `None`: no cap.
        #[config(default = "Some(1.0)")]
        #[range(Positive)]
        max_ratio: Option<f64>,
        /// Weight decay.
        #[config(default = "Decay::None")]
        decay: Decay,
    }
}

/// What belongs to one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Scope {
    /// All parameters are one vector.
    Global,
    /// Every tensor is its own vector.
    PerTensor,
}

/// What takes the place of q when a pair is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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

burn_optimizer!(QuasiAdam);

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
    fn coefficients(self) -> (f64, f64) {
        match self {
            Self::LastGradient => (1.0, -1.0),
            Self::Y => (0.0, 1.0),
        }
    }

    /// y
    #[inline(always)]
    fn y<N: Number>(self, g: N, memory: N) -> N {
        let (c, d) = self.coefficients();
        N::of(c) * g + N::of(d) * memory
    }
}

impl Method for QuasiAdam {
    type State = QuasiAdamState;
    const NAME: &'static str = "quasi-adam";

    fn traffic(&self) -> Option<Traffic> {
        // A cap reads m and v in the first pass too.
        let reads = if self.config.max_ratio.is_some() { 11 } else { 9 };
        let is_counted = self.config.on_rejection != OnRejection::KeepPair;
        is_counted.then_some(Traffic { reads, writes: 4 })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)?;
        match self.config.curvature_test {
            None => Ok(()),
            Some(CurvatureTest::Relative(c)) => {
                require_in(Self::NAME, "the relative curvature test", Range::Unit, c)
            }
            Some(CurvatureTest::Absolute(c)) => {
                require_in(Self::NAME, "the absolute curvature test", Range::NotNegative, c)
            }
        }
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn is_per_tensor(&self) -> bool {
        self.config.scope == Scope::PerTensor
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
        let QuasiAdamState { m, v, s, memory: stored, kept_s, kept_y, .. } = &mut *state;
        let kept = self.config.on_rejection == OnRejection::KeepPair && !kept_s.is_empty();
        let memory = if kept { Memory::Y } else { memory };
        let kernel =
            |tensor: usize| StepKernel::new(rates, context.tensors[tensor], plans[tensor], memory);
        if kept {
            for_each_tensor(kernel, [theta, m, v, s], [gradient, kept_y, kept_s]);
        } else {
            let memory = if stored.is_empty() { &*gradient } else { &*stored };
            for_each_tensor(kernel, [theta, m, v, s], [gradient, memory]);
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
        let kernel = |_| ProductKernel { rates, memory };
        let QuasiAdamState { s, memory: stored, m, v, .. } = &*state;
        let products = if self.config.max_ratio.is_some() {
            for_each_tensor(kernel, [], [gradient, stored, s, m, v])
        } else {
            for_each_tensor(kernel, [], [gradient, stored, s])
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
        let is_global = self.config.scope == Scope::Global;
        let keep = |tensor: usize| {
            let accepted = verdicts[if is_global { 0 } else { tensor }].is_ok();
            Keep { accepted, memory }
        };
        for_each_tensor(keep, [kept_s, kept_y], [gradient, stored, s]);
        let kernel = |_| ProductKernel { rates, memory: Memory::Y };
        let products = for_each_tensor(kernel, [], [gradient, kept_y, kept_s, m, v]);
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
    /// 1 - beta1^t
    correction: f64,
    /// 1 / sqrt(1 - beta2^t)
    root: f64,
    /// Added to v, and to the root of vhat.
    inside: f64,
    outside: f64,
}

impl AdamRates {
    fn new(config: &QuasiAdamConfig, t: u64) -> Self {
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
struct ProductKernel {
    rates: AdamRates,
    memory: Memory,
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
struct StepKernel {
    adam: AdamRates,
    lr: f64,
    shrink: f64,
    /// rate_q q = by_g g + by_s s + by_memory memory.
    by_g: f64,
    by_s: f64,
    by_memory: f64,
}

impl StepKernel {
    fn new(
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
struct Keep {
    accepted: bool,
    memory: Memory,
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
