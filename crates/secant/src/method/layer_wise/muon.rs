//! Muon: momentum, made orthogonal.
//!
//! # Idea
//! Replace the momentum of a weight matrix, M = U S V', by its polar factor U V': all singular
//! directions move alike, the rare ones as far as those that dominate the gradient. Newton-Schulz
//! iterations find it with products alone. What is not a matrix is left to AdamW.
//!
//! # Algorithm
//! Step with gradient G of a matrix W (a kernel `[out, in, h, w]` is read as `[out, in h w]`; decay of
//! kind `L2` already added: G + wd W). Equations are those of Liu et al.; *torch* is `torch.optim.Muon`.
//! 1. B <- mu B + (1 - mu) G; M = (1 - mu) G + mu B with `nesterov`, else M = B (eq. (1); averaged and
//!    with Nesterov's look-ahead: Jordan et al., torch).
//! 2. X = M / max(|M|, eps), Frobenius norm (before eq. (2); eps: torch).
//! 3. `ns_steps` times: X <- a X + (b A + c A A) X with A = X X' (of the shorter side; eq. (2)).
//! 4. W <- (1 - lr wd) W - lr r X (eq. (1); decay: Section 2.2); r by `adjust_lr_fn` (`Original`: Jordan et
//!    al., torch; `MatchRmsAdamW`: Section 2.2), with the unadjusted rate in the decay (torch):
//!    - `Original`: r = sqrt(max(1, fan_out / fan_in));
//!    - `MatchRmsAdamW`: r = 0.2 sqrt(max(fan_out, fan_in));
//!    - `SpectralUnclamped`: r = sqrt(fan_out / fan_in).
//! 5. Vectors, and what `adamw_params` names: a step of [AdamW](crate::method::first_order::adam) with
//!    the settings `adamw`, at `adamw_rate_factor` times the rate.
//!
//! # Notation
//! B: `momentum` of [`MuonState`]; mu: the hyper-parameter `momentum`; (a, b, c): `ns_coefficients`.
//!
//! With the usual coefficients 3. does not converge to singular values of 1: after 5 iterations those
//! of at least 0.01 |M| are between 0.68 and 1.14, and smaller ones are about 485 times what they were.
//! That is near enough to 1, and coefficients so large need fewer iterations than those that converge. At most five
//! iterations are made on one M M', whose rounding errors grow; then it is made anew.
//!
//! # Cost
//! 1 vector of memory for matrices, 2 for the rest; one gradient. A matrix of sides s <= l costs
//! 3 s^2 l + (4 `ns_steps` - 3) s^3 multiplications and additions: the factors a I + b A + c A A are
//! multiplied with each other before X is by their product, and half of every symmetric matrix is enough. At
//! 1024 x 1024 that is some hundred times what Adam's step costs, and less than the gradient of a batch that
//! is several times larger than s.
//!
//! # When not to use it
//! Layers where rows or columns are things of their own, such as embeddings and classifiers: name them
//! in `adamw_params`. Small batches, whose gradient is noise in most directions: the noise is made as
//! long as the rest. Transposed convolutions, whose kernels are `[in, out, h, w]`: r is then wrong.
//!
//! # Deviations
//! `torch.optim.Muon` without its rounding to `bfloat16`, with the averaging form of momentum that its
//! code has; `SpectralUnclamped` beside its two rates. Burn's Muon leaves out 1 - mu, which matters
//! against eps alone, reads kernels by their last two sides, and takes rows for fan_out, which for its
//! own linear layers, `[in, out]`, are fan_in: `MatrixLayout::OutIn` repeats that. Decay is 0.1 unless
//! told, as PyTorch's.
//!
//! # References
//! Jordan, Jin, Boza, You, Cesista, Newhouse, Bernstein, *Muon: an optimizer for hidden layers in neural
//! networks*, 2024; Liu et al., *Muon is scalable for LLM training*, 2025 (`MatchRmsAdamW`, decay).
//!
//! # Example
//! The hidden layers by Muon, embedding and head by AdamW:
//!
//! ```
//! # use burn::{module::Module, nn, tensor::{Device, Int, Tensor}};
//! use secant::MuonConfig;
//!
//! #[derive(Module, Debug)]
//! struct Net {
//!     embedding: nn::Embedding,
//!     hidden: nn::Linear,
//!     head: nn::Linear,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let device = Device::default().autodiff();
//! let mut model = Net {
//!     embedding: nn::EmbeddingConfig::new(10, 8).init(&device),
//!     hidden: nn::LinearConfig::new(8, 8).init(&device),
//!     head: nn::LinearConfig::new(8, 10).init(&device),
//! };
//! let mut optimizer = MuonConfig::new()
//!     .with_adamw_params(vec!["embedding".to_string(), "head".to_string()])
//!     .init()?;
//! # let words = Tensor::<2, Int>::from_ints([[1, 2, 3], [4, 5, 6]], &device);
//! let report = optimizer.step(0.02, &mut model, |model: &Net| {
//!     let hidden = model.hidden.forward(model.embedding.forward(words.clone())).tanh();
//!     model.head.forward(hidden).powi_scalar(2).mean()
//! })?;
//! assert!(report.is_accepted());
//! # Ok(())
//! # }
//! ```

use burn::tensor::Shape;
use secant_core::report::{PairOutcome, Rejection};

use crate::{
    blocks::{Blocks, Entry, Layout, Number, TensorKernel, for_tensors, matrix_shape},
    burn_optim::burn_optimizer,
    error::{ConfigError, StepError, require, require_decay},
    hyper_parameter::{HyperParameters, hyper_parameters},
    method::first_order::adam::{AdamConfig, AdamKernel},
    nearest::nearest_path,
    optimizer::Optimizer,
    preconditioner::NewtonSchulz,
    protocol::{
        Decay, GradientMethod, Method, StepContext, TensorSettings, Traffic, add_l2, record_state,
        refuse_stable, step_by_gradient,
    },
};

/// How the rate of a matrix depends on its sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdjustLrFn {
    /// sqrt(max(1, fan_out / fan_in)).
    Original,
    /// 0.2 sqrt(max(fan_out, fan_in)): entries move as far as AdamW's, so that its rates suit.
    #[serde(rename = "match-rms-adamw")]
    MatchRmsAdamW,
    /// sqrt(fan_out / fan_in).
    SpectralUnclamped,
}

impl AdjustLrFn {
    fn factor(self, fan_in: f64, fan_out: f64) -> f64 {
        match self {
            Self::Original => (fan_out / fan_in).max(1.0).sqrt(),
            Self::MatchRmsAdamW => 0.2 * fan_out.max(fan_in).sqrt(),
            Self::SpectralUnclamped => (fan_out / fan_in).sqrt(),
        }
    }
}

/// What the rows of a weight matrix are. Kernels always have their outputs first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatrixLayout {
    /// Inputs, as in Burn's `Linear`.
    InOut,
    /// Outputs.
    OutIn,
}

hyper_parameters! {
    /// Configuration of [`Muon`].
    pub struct MuonConfig {
        /// mu, the decay rate of the momentum.
        #[config(default = 0.95)]
        #[range(Below1)]
        momentum: f64,
        /// Look ahead: orthogonalise (1 - mu) G + mu B.
        #[config(default = true)]
        nesterov: bool,
        /// (a, b, c) of the Newton-Schulz iteration. (1.875, -1.25, 0.375) converges to the polar
        /// factor, in more iterations.
        #[config(default = "NewtonSchulz::MUON.coefficients")]
        ns_coefficients: (f64, f64, f64),
        /// Newton-Schulz iterations.
        #[config(default = "NewtonSchulz::MUON.steps")]
        #[range(NotNegative)]
        ns_steps: usize,
        /// The least that M is divided by.
        #[config(default = 1e-7)]
        #[range(Positive)]
        epsilon: f64,
        /// How the rate depends on the sides of a matrix.
        #[config(default = "AdjustLrFn::Original")]
        adjust_lr_fn: AdjustLrFn,
        /// What the rows of a weight matrix are.
        #[config(default = "MatrixLayout::InOut")]
        layout: MatrixLayout,
        /// Weight decay of matrices.
        #[config(default = "Decay::Decoupled(0.1)")]
        decay: Decay,
        /// AdamW's settings, with its own decay, for everything else.
        #[config(default = "AdamConfig::adamw()")]
        adamw: AdamConfig,
        /// AdamW's rate as a part of the step's: at Muon's usual 0.02 it is 0.003.
        #[config(default = 0.15)]
        #[range(NotNegative)]
        adamw_rate_factor: f64,
        /// Matrices that AdamW shall have as well: paths such as `head.weight`, or of a part of the
        /// model, `head`. Naming what is not there fails at the first step.
        #[config(default = "Vec::new()")]
        adamw_params: Vec<String>,
    }
}

impl MuonConfig {
    /// The method without an optimizer around it.
    pub fn build(&self) -> Muon {
        Muon { config: self.clone() }
    }

    /// The optimizer.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn init(&self) -> Result<Optimizer<Muon>, ConfigError> {
        Optimizer::new(self.build())
    }
}

/// Muon; see the [module](self).
#[derive(Clone, Debug)]
pub struct Muon {
    config: MuonConfig,
}

/// The state of [`Muon`].
#[derive(Clone, Debug, Default)]
pub struct MuonState {
    /// B, as matrices; nothing for AdamW's parameters.
    momentum: Blocks,
    /// AdamW's averages; nothing for Muon's parameters.
    m: Blocks,
    v: Blocks,
    t: u64,
}

record_state!(MuonState { vectors: [momentum, m, v], counters: [t], numbers: [] });

burn_optimizer!(Muon);

impl Method for Muon {
    type State = MuonState;
    const NAME: &'static str = "muon";

    fn traffic(&self) -> Option<Traffic> {
        Some(Traffic { reads: 3, writes: 2 })
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.config.check_ranges(Self::NAME)?;
        let (a, b, c) = self.config.ns_coefficients;
        for coefficient in [a, b, c] {
            require(Self::NAME, "ns_coefficients", "finite", coefficient, f64::is_finite)?;
        }
        const OF_ADAMW: &str = "muon: adamw";
        let decay = self.config.adamw.build().decay();
        require_decay(OF_ADAMW, decay)?;
        refuse_stable(OF_ADAMW, decay)?;
        self.config.adamw.check_ranges(OF_ADAMW)
    }

    fn decay(&self) -> Decay {
        self.config.decay
    }

    fn decay_of(&self, entry: &Entry) -> Decay {
        match self.matrix_shape(entry) {
            Some(_) => self.config.decay,
            None => self.config.adamw.build().decay(),
        }
    }

    fn check_layout(&self, layout: &Layout) -> Result<(), StepError> {
        let entries = layout.entries();
        let is_there = |name: &str| entries.iter().any(|entry| is_in(&entry.path, name));
        let Some(name) = self.config.adamw_params.iter().find(|name| !is_there(name)) else {
            return Ok(());
        };
        Err(StepError::NoSuchParameter {
            method: Self::NAME,
            setting: "adamw_params",
            name: name.clone(),
            nearest: nearest_path(&[name], layout).unwrap_or_default(),
        })
    }

    fn state_settings(&self) -> Vec<(&'static str, String)> {
        vec![("adamw_params", format!("{:?}", self.config.adamw_params))]
    }

    fn is_per_tensor(&self) -> bool {
        true
    }

    fn init(&self, layout: &Layout) -> MuonState {
        let momentum = Blocks::zeros_of(layout, |entry| {
            self.matrix_shape(entry).map_or([0].into(), Shape::from)
        });
        let adamw = Blocks::zeros_of(layout, |entry| match self.matrix_shape(entry) {
            Some(_) => [0].into(),
            None => entry.shape.clone(),
        });
        MuonState { momentum, m: adamw.clone(), v: adamw, t: 0 }
    }

    step_by_gradient!();
}

impl Muon {
    /// Rows and columns of a parameter under Muon; None where AdamW has it.
    fn matrix_shape(&self, entry: &Entry) -> Option<[usize; 2]> {
        let is_named = self.config.adamw_params.iter().any(|name| is_in(&entry.path, name));
        matrix_shape(&entry.shape).filter(|_| !is_named)
    }

    /// r of step 4.
    fn rate_factor(&self, entry: &Entry, [rows, columns]: [usize; 2]) -> f64 {
        let (rows, columns) = (rows as f64, columns as f64);
        let is_kernel = entry.shape.len() > 2;
        let (fan_in, fan_out) = match self.config.layout {
            MatrixLayout::InOut if !is_kernel => (rows, columns),
            _ => (columns, rows),
        };
        self.config.adjust_lr_fn.factor(fan_in, fan_out)
    }
}

/// Whether `path` is `name`, or of a parameter in the part of the model that `name` is.
fn is_in(path: &str, name: &str) -> bool {
    path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl GradientMethod for Muon {
    fn update(
        &self,
        context: &StepContext<'_>,
        theta: &mut Blocks,
        gradient: &mut Blocks,
        state: &mut MuonState,
    ) -> Result<PairOutcome, Rejection> {
        let MuonConfig { momentum, nesterov, ns_coefficients, ns_steps, epsilon, .. } = self.config;
        let entries = context.layout.entries();
        let shapes: Vec<_> = entries.iter().map(|entry| self.matrix_shape(entry)).collect();
        let is_matrix = |index: usize| shapes[index].is_some();
        let t = state.t + 1;
        // 5. AdamW, which adds its own coupled decay.
        let factor = self.config.adamw_rate_factor;
        let adamw = |tensor: usize| {
            let TensorSettings { lr, decay } = context.tensors[tensor];
            AdamKernel::new(self.config.adamw, TensorSettings { lr: factor * lr, decay }, t)
        };
        let written = [&mut *theta, &mut state.m, &mut state.v];
        for_tensors(|tensor| !is_matrix(tensor), adamw, written, [&*gradient]);
        // 1. and 2. X takes the place of G.
        add_l2(context, theta, gradient);
        let written = [&mut state.momentum, &mut *gradient];
        for_tensors(is_matrix, |_| MomentumKernel { mu: momentum, nesterov }, written, []);
        let written = [&mut *gradient];
        for_tensors(is_matrix, |_| NormaliseKernel { epsilon }, written, []);
        // 3. The polar factor.
        let newton_schulz = NewtonSchulz { coefficients: ns_coefficients, steps: ns_steps };
        newton_schulz.run_on_matrices(&shapes, gradient);
        // 4. The step.
        let step = |tensor: usize| {
            let TensorSettings { lr, decay } = context.tensors[tensor];
            let factor =
                shapes[tensor].map_or(0.0, |shape| self.rate_factor(&entries[tensor], shape));
            StepKernel { shrink: 1.0 - lr * decay.decoupled(), rate: lr * factor }
        };
        for_tensors(is_matrix, step, [theta], [gradient]);
        state.t = t;
        Ok(PairOutcome::NotTried)
    }
}

/// 1. B, and M in the place of G.
#[derive(Clone, Copy)]
struct MomentumKernel {
    mu: f64,
    nesterov: bool,
}

impl TensorKernel<2, 0, 0> for MomentumKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [b, g]: [N; 2], []: [N; 0]) -> [N; 2] {
        let (mu, new) = (self.mu, 1.0 - self.mu);
        let (of_g, of_b) = if self.nesterov { (new, mu) } else { (0.0, 1.0) };
        let b = N::of(mu) * b + N::of(new) * g;
        [b, N::of(of_g) * g + N::of(of_b) * b]
    }
}

/// 2. X = M / max(|M|, eps).
#[derive(Clone, Copy)]
struct NormaliseKernel {
    epsilon: f64,
}

impl TensorKernel<1, 0, 1> for NormaliseKernel {
    type Decision = f64;

    #[inline(always)]
    fn terms<N: Number>(self, [m]: [N; 1], []: [N; 0]) -> [N::Wide; 1] {
        [m.wide() * m.wide()]
    }

    fn decide(self, [squared]: [f64; 1]) -> f64 {
        1.0 / squared.sqrt().max(self.epsilon)
    }

    #[inline(always)]
    fn apply<N: Number>(self, scale: f64, [m]: [N; 1], []: [N; 0]) -> [N; 1] {
        [N::of(scale) * m]
    }
}

/// 4. W <- (1 - lr wd) W - lr r X.
#[derive(Clone, Copy)]
struct StepKernel {
    shrink: f64,
    rate: f64,
}

impl TensorKernel<1, 1, 0> for StepKernel {
    type Decision = ();

    fn decide(self, []: [f64; 0]) {}

    #[inline(always)]
    fn apply<N: Number>(self, (): (), [w]: [N; 1], [x]: [N; 1]) -> [N; 1] {
        [N::of(self.shrink) * w - N::of(self.rate) * x]
    }
}
