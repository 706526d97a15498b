//! From a trace's settings to an optimizer.

use burn::module::Module;
use secant::{
    AdaBeliefConfig, AdaHessianConfig, AdamConfig, AdjustLrFn, ApolloConfig, ArmijoSettings,
    AveragedRule, Averaging, CurvatureTest, Decay, Formula, LBfgsConfig, LSsr1TrConfig, LineSearch,
    MatrixLayout, MbLsr1Config, Momentum, MuonConfig, Optimizer, PairSource, QuasiAdamConfig,
    RAdamConfig, RateDecay, Rebound, Restart, RmsPropConfig, Safeguard, Scope, SdLBfgsConfig,
    Search, SgdBbConfig, SgdConfig, SvrgConfig, TwoSidedRule, WolfeSettings,
    error::ConfigError,
    method::{diagonal::adahessian::Probe, lbfgs::quasi_adam::replace_ema::QuasiAdamEmaConfig},
};
use secant_core::compact::Tolerances;
use serde::Deserialize;

use crate::optimizer::{BoxedOptimizer, boxed};

/// The optimizer of a trace, every hyper-parameter spelled out.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub(crate) enum OptimizerSpec {
    Sgd { lr: f64, momentum: f64, dampening: f64, nesterov: bool, weight_decay: f64 },
    Adam { lr: f64, beta1: f64, beta2: f64, eps: f64, weight_decay: f64 },
    Adamw { lr: f64, beta1: f64, beta2: f64, eps: f64, weight_decay: f64 },
    Radam { lr: f64, beta1: f64, beta2: f64, eps: f64, weight_decay: f64, decoupled: bool },
    Adabelief { lr: f64, beta1: f64, beta2: f64, eps: f64, weight_decay: f64, decoupled: bool },
    Rmsprop { lr: f64, alpha: f64, eps: f64, weight_decay: f64, momentum: f64, centered: bool },
    Apollo(ApolloSpec),
    QuasiAdam(QuasiAdamSpec),
    Lbfgs(LBfgsSpec),
    SdLbfgs { lr: f64, delta: f64, memory: usize, y: String, weight_decay: f64, lr_decay: String },
    SgdBb(SgdBbSpec),
    Adahessian(AdaHessianSpec),
    Svrg { lr: f64, snapshot_every: usize, weight_decay: f64 },
    SvrgBb { lr: f64, snapshot_every: usize },
    MbLsr1(MbLsr1Spec),
    LSsr1Tr(LSsr1TrSpec),
    Muon(MuonSpec),
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MuonSpec {
    /// Those under Muon, by their place in the file.
    muon_tensors: Vec<usize>,
    layout: String,
    lr: f64,
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
    ns_coefficients: (f64, f64, f64),
    ns_steps: usize,
    eps: f64,
    adjust_lr: String,
    adamw: AdamWSpec,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct AdamWSpec {
    lr: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
    weight_decay: f64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MbLsr1Spec {
    memory: usize,
    gamma: f64,
    delta0: f64,
    delta_min: f64,
    zeta: f64,
    gamma1: f64,
    gamma2: f64,
    check_every: usize,
    m_hat: i64,
    tau: f64,
    eta: f64,
    mu: f64,
    alpha_s: f64,
    xi: f64,
    skip_r: f64,
    skip_r2: f64,
    line_search: LineSearchSpec,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LSsr1TrSpec {
    memory: usize,
    gamma: f64,
    delta0: f64,
    mu: f64,
    tau2: f64,
    tau3: f64,
    nu1: f64,
    nu2: f64,
    nu3: f64,
    nu4: f64,
    gamma1: f64,
    check_every: usize,
    rho_model: String,
    skip_r: f64,
    skip_r2: f64,
    line_search: LineSearchSpec,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum LineSearchSpec {
    Armijo { c1: f64, shrink: f64, max_trials: u32 },
    StrongWolfe { c1: f64, c2: f64, t0: f64, max_ls: u32, tolerance_change: f64 },
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct AdaHessianSpec {
    lr: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
    weight_decay: f64,
    hessian_power: f64,
    spatial: String,
    n_samples: usize,
    update_each: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SgdBbSpec {
    lr: f64,
    period: usize,
    beta: f64,
    formula: String,
    safeguard: String,
    tau_min: f64,
    tau_max: f64,
    tau_0: f64,
    reset: bool,
    weight_decay: f64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LBfgsSpec {
    lr: f64,
    max_iter: usize,
    max_eval: usize,
    tolerance_grad: f64,
    tolerance_change: f64,
    history_size: usize,
    line_search: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ApolloSpec {
    lr: f64,
    beta: f64,
    eps: f64,
    rebound: String,
    sigma: f64,
    warmup: u64,
    init_lr: f64,
    weight_decay: f64,
    weight_decay_type: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct QuasiAdamSpec {
    variant: String,
    lr: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
    eps_inside: bool,
    weight_decay: f64,
    decoupled: bool,
    scope: String,
    y: String,
    curvature_eps: f64,
    curvature_mode: String,
}

impl OptimizerSpec {
    pub(crate) fn lr(&self) -> f64 {
        match self {
            Self::Sgd { lr, .. }
            | Self::Adam { lr, .. }
            | Self::Adamw { lr, .. }
            | Self::Radam { lr, .. }
            | Self::Adabelief { lr, .. }
            | Self::Rmsprop { lr, .. }
            | Self::Apollo(ApolloSpec { lr, .. })
            | Self::QuasiAdam(QuasiAdamSpec { lr, .. })
            | Self::Lbfgs(LBfgsSpec { lr, .. })
            | Self::SdLbfgs { lr, .. }
            | Self::SgdBb(SgdBbSpec { lr, .. })
            | Self::Adahessian(AdaHessianSpec { lr, .. })
            | Self::Muon(MuonSpec { lr, .. })
            | Self::Svrg { lr, .. }
            | Self::SvrgBb { lr, .. } => *lr,
            Self::MbLsr1(_) | Self::LSsr1Tr(_) => 1.0,
        }
    }

    pub(crate) fn build<M: Module + 'static>(
        &self,
        probes: Vec<Probe>,
        paths: &[String],
    ) -> Result<BoxedOptimizer<M>, ConfigError> {
        match self.clone() {
            Self::Sgd { momentum, dampening, nesterov, weight_decay, .. } => {
                let momentum = match momentum {
                    0.0 => Momentum::None,
                    momentum => Momentum::Torch { momentum, dampening, nesterov },
                };
                let config = SgdConfig::new().with_momentum(momentum);
                boxed(config.with_decay(Decay::L2(weight_decay)).init()?)
            }
            Self::Adam { beta1, beta2, eps, weight_decay, .. } => {
                let config =
                    AdamConfig::new().with_beta_1(beta1).with_beta_2(beta2).with_epsilon(eps);
                boxed(config.with_decay(Decay::L2(weight_decay)).init()?)
            }
            Self::Adamw { beta1, beta2, eps, weight_decay, .. } => {
                let config =
                    AdamConfig::new().with_beta_1(beta1).with_beta_2(beta2).with_epsilon(eps);
                boxed(config.with_decay(Decay::Decoupled(weight_decay)).init()?)
            }
            Self::Radam { beta1, beta2, eps, weight_decay, decoupled, .. } => {
                let config =
                    RAdamConfig::new().with_beta_1(beta1).with_beta_2(beta2).with_epsilon(eps);
                boxed(config.with_decay(decay(weight_decay, decoupled)).init()?)
            }
            Self::Adabelief { beta1, beta2, eps, weight_decay, decoupled, .. } => {
                let config =
                    AdaBeliefConfig::new().with_beta_1(beta1).with_beta_2(beta2).with_epsilon(eps);
                boxed(config.with_decay(decay(weight_decay, decoupled)).init()?)
            }
            Self::Rmsprop { alpha, eps, weight_decay, momentum, centered, .. } => {
                let config = RmsPropConfig::new()
                    .with_alpha(alpha)
                    .with_epsilon(eps)
                    .with_momentum(momentum)
                    .with_centered(centered);
                boxed(config.with_decay(Decay::L2(weight_decay)).init()?)
            }
            Self::Apollo(spec) => spec.build(),
            Self::QuasiAdam(spec) => spec.build(),
            Self::Lbfgs(spec) => spec.build(),
            Self::SdLbfgs { delta, memory, y, weight_decay, lr_decay, .. } => {
                let config = SdLBfgsConfig::paper()
                    .with_delta(delta)
                    .with_memory(memory)
                    .with_pairs(pair_source(&y)?)
                    .with_rate_decay(rate_decay(&lr_decay)?);
                boxed(config.with_decay(Decay::L2(weight_decay)).init()?)
            }
            Self::SgdBb(spec) => spec.build(),
            Self::Adahessian(spec) => spec.build(probes),
            Self::Svrg { snapshot_every, weight_decay, .. } => {
                boxed(SvrgConfig::new(snapshot_every).with_decay(Decay::L2(weight_decay)).init()?)
            }
            Self::MbLsr1(spec) => spec.build(),
            Self::LSsr1Tr(spec) => spec.build(),
            Self::Muon(spec) => spec.build(paths),
            Self::SvrgBb { snapshot_every, .. } => {
                boxed(SvrgConfig::new(snapshot_every).with_barzilai_borwein(true).init()?)
            }
        }
    }
}

fn decay(strength: f64, decoupled: bool) -> Decay {
    if decoupled { Decay::Decoupled(strength) } else { Decay::L2(strength) }
}

impl ApolloSpec {
    fn build<M: Module + 'static>(&self) -> Result<BoxedOptimizer<M>, ConfigError> {
        let rebound = match self.rebound.as_str() {
            "constant" => Rebound::Constant { sigma: self.sigma },
            "belief" => Rebound::Belief,
            _ => {
                return Err(unknown(
                    "apollo",
                    "the trace's rebound is neither constant nor belief",
                ));
            }
        };
        let decay = match self.weight_decay_type.as_str() {
            "L2" => Decay::L2(self.weight_decay),
            "decoupled" => Decay::Decoupled(self.weight_decay),
            "stable" => Decay::Stable(self.weight_decay),
            _ => return Err(unknown("apollo", "the trace's decay is not L2, decoupled or stable")),
        };
        let config = ApolloConfig::new()
            .with_beta(self.beta)
            .with_epsilon(self.eps)
            .with_rebound(rebound)
            .with_warmup(self.warmup)
            .with_init_lr(Some(self.init_lr))
            .with_decay(decay);
        boxed(config.init()?)
    }
}

impl QuasiAdamSpec {
    fn build<M: Module + 'static>(&self) -> Result<BoxedOptimizer<M>, ConfigError> {
        let decay = decay(self.weight_decay, self.decoupled);
        if self.variant == "replace_ema" {
            let config = QuasiAdamEmaConfig::new()
                .with_beta_1(self.beta1)
                .with_beta_2(self.beta2)
                .with_epsilon(self.eps)
                .with_decay(decay);
            return boxed(config.init()?);
        }
        let test = match self.curvature_mode.as_str() {
            "relative" => CurvatureTest::Relative(self.curvature_eps),
            "absolute" => CurvatureTest::Absolute(self.curvature_eps),
            _ => return Err(unknown("quasi-adam", "the trace's test is not relative or absolute")),
        };
        let scope = match self.scope.as_str() {
            "global" => Scope::Global,
            "per_tensor" => Scope::PerTensor,
            _ => {
                return Err(unknown("quasi-adam", "the trace's scope is not global or per_tensor"));
            }
        };
        let config = QuasiAdamConfig::paper()
            .with_beta_1(self.beta1)
            .with_beta_2(self.beta2)
            .with_epsilon(self.eps)
            .with_epsilon_inside(self.eps_inside)
            .with_scope(scope)
            .with_curvature_test(Some(test))
            .with_decay(decay);
        match self.y.as_str() {
            "consecutive" => boxed(config.init()?),
            "same_batch" => boxed(config.init_same_batch()?),
            _ => Err(unknown("quasi-adam", "the trace's y is not consecutive or same_batch")),
        }
    }
}

impl LBfgsSpec {
    fn build<M: Module + 'static>(&self) -> Result<BoxedOptimizer<M>, ConfigError> {
        let line_search = match self.line_search.as_str() {
            "none" => LineSearch::None,
            "strong_wolfe" => LineSearch::StrongWolfe,
            _ => {
                return Err(unknown(
                    "l-bfgs",
                    "the trace's line search is not none or strong_wolfe",
                ));
            }
        };
        let config = LBfgsConfig::torch()
            .with_max_iter(self.max_iter)
            .with_max_eval(self.max_eval)
            .with_tolerance_grad(self.tolerance_grad)
            .with_tolerance_change(self.tolerance_change)
            .with_history_size(self.history_size)
            .with_line_search(line_search);
        boxed(config.init()?)
    }
}

fn pair_source(y: &str) -> Result<PairSource, ConfigError> {
    match y {
        "previous_batch" => Ok(PairSource::SameBatch),
        "consecutive" => Ok(PairSource::ConsecutiveBatches),
        _ => Err(unknown("sd-lbfgs", "the trace's y is not previous_batch or consecutive")),
    }
}

fn rate_decay(name: &str) -> Result<RateDecay, ConfigError> {
    match name {
        "sqrt" => Ok(RateDecay::InverseRoot),
        "none" => Ok(RateDecay::None),
        _ => Err(unknown("sd-lbfgs", "the trace's lr_decay is not sqrt or none")),
    }
}

impl AdaHessianSpec {
    fn build<M: Module + 'static>(
        &self,
        probes: Vec<Probe>,
    ) -> Result<BoxedOptimizer<M>, ConfigError> {
        let averaging = match self.spatial.as_str() {
            "abs_then_mean" => Averaging::AbsThenMean,
            "mean" => Averaging::Mean,
            "none" => Averaging::None,
            _ => {
                return Err(unknown(
                    "adahessian",
                    "the trace's spatial averaging is not abs_then_mean, mean or none",
                ));
            }
        };
        if probes.is_empty() {
            return Err(unknown("adahessian", "the trace has no probes"));
        }
        let config = AdaHessianConfig::new()
            .with_beta_1(self.beta1)
            .with_beta_2(self.beta2)
            .with_epsilon(self.eps)
            .with_hessian_power(self.hessian_power)
            .with_averaging(averaging)
            .with_samples(self.n_samples)
            .with_update_every(self.update_each)
            .with_decay(Decay::Decoupled(self.weight_decay));
        boxed(Optimizer::new(config.build().with_probes(probes))?)
    }
}

impl SgdBbSpec {
    fn build<M: Module + 'static>(&self) -> Result<BoxedOptimizer<M>, ConfigError> {
        let formula = match self.formula.as_str() {
            "bb1" => Formula::Bb1,
            "bb2" => Formula::Bb2,
            _ => return Err(unknown("sgd-bb", "the trace's formula is not bb1 or bb2")),
        };
        let safeguard = match self.safeguard.as_str() {
            "none" => Safeguard::None,
            "smoothing" => Safeguard::Smoothing,
            "interval" => {
                let Self { tau_min: least, tau_max: most, tau_0: fallback, .. } = *self;
                Safeguard::Interval { least, most, fallback }
            }
            _ => {
                return Err(unknown(
                    "sgd-bb",
                    "the trace's safeguard is not none, interval or smoothing",
                ));
            }
        };
        let config = SgdBbConfig::new(self.period)
            .with_beta(Some(self.beta))
            .with_formula(formula)
            .with_safeguard(safeguard)
            .with_reset(self.reset)
            .with_decay(Decay::L2(self.weight_decay));
        boxed(config.init()?)
    }
}

impl MuonSpec {
    fn build<M: Module + 'static>(
        &self,
        paths: &[String],
    ) -> Result<BoxedOptimizer<M>, ConfigError> {
        let layout = match self.layout.as_str() {
            "in_out" => MatrixLayout::InOut,
            "out_in" => MatrixLayout::OutIn,
            _ => return Err(unknown("muon", "the trace's layout is not in_out or out_in")),
        };
        let adjust_lr_fn = match self.adjust_lr.as_str() {
            "original" => AdjustLrFn::Original,
            "match_rms_adamw" => AdjustLrFn::MatchRmsAdamW,
            "spectral_unclamped" => AdjustLrFn::SpectralUnclamped,
            _ => return Err(unknown("muon", "the trace's adjust_lr is none of the three")),
        };
        let by_adamw = |place: &usize| !self.muon_tensors.contains(place);
        let AdamWSpec { lr, beta1, beta2, eps, weight_decay } = self.adamw;
        let adamw = AdamConfig::new().with_beta_1(beta1).with_beta_2(beta2).with_epsilon(eps);
        let config = MuonConfig::new()
            .with_layout(layout)
            .with_momentum(self.momentum)
            .with_nesterov(self.nesterov)
            .with_ns_coefficients(self.ns_coefficients)
            .with_ns_steps(self.ns_steps)
            .with_epsilon(self.eps)
            .with_adjust_lr_fn(adjust_lr_fn)
            .with_decay(Decay::Decoupled(self.weight_decay))
            .with_adamw(adamw.with_decay(Decay::Decoupled(weight_decay)))
            .with_adamw_rate_factor(lr / self.lr)
            .with_adamw_params(
                (0..paths.len()).filter(by_adamw).map(|place| paths[place].clone()).collect(),
            );
        boxed(config.init()?)
    }
}

impl MbLsr1Spec {
    fn build<M: Module + 'static>(&self) -> Result<BoxedOptimizer<M>, ConfigError> {
        let restart = match self.m_hat {
            ..0 => Restart::Never,
            0 => Restart::Clear,
            kept if (kept as usize) < self.memory => Restart::Keep,
            _ => Restart::WarmStart,
        };
        let LineSearchSpec::Armijo { c1, shrink, max_trials } = self.line_search else {
            return Err(unknown("mb-lsr1", "the trace's line search is not armijo"));
        };
        require_usual_length(self.skip_r2, "mb-lsr1")?;
        let config = MbLsr1Config::new()
            .with_memory(self.memory)
            .with_delta0(self.delta0)
            .with_radius_rule(AveragedRule { delta_min: self.delta_min, ..AveragedRule::paper() })
            .with_zeta(self.zeta)
            .with_gamma(self.gamma)
            .with_skip(Some(self.skip_r))
            .with_restart(restart)
            .with_tau(self.tau)
            .with_eta(self.eta)
            .with_mu(self.mu)
            .with_alpha_s(self.alpha_s)
            .with_xi(self.xi)
            .with_line_search(ArmijoSettings { c1, shrink, max_trials })
            .with_gamma1(self.gamma1)
            .with_gamma2(self.gamma2)
            .with_check_every(Some(self.check_every))
            .with_tolerance_gradient(0.0);
        boxed(config.init()?)
    }
}

impl LSsr1TrSpec {
    fn build<M: Module + 'static>(&self) -> Result<BoxedOptimizer<M>, ConfigError> {
        let Self { tau2, tau3, nu1, nu2, nu3, nu4, .. } = *self;
        let line_search = match self.line_search {
            LineSearchSpec::Armijo { c1, shrink, max_trials } => {
                Search::Armijo(ArmijoSettings { c1, shrink, max_trials })
            }
            LineSearchSpec::StrongWolfe { c1, c2, t0: 1.0, max_ls, tolerance_change } => {
                let settings =
                    WolfeSettings { c1, c2, tolerance_change, ..WolfeSettings::torch(max_ls) };
                Search::StrongWolfe(settings)
            }
            LineSearchSpec::StrongWolfe { .. } => {
                return Err(unknown("l-ssr1-tr", "the first step of a line search is 1"));
            }
        };
        if self.rho_model != "p_star" {
            return Err(unknown("l-ssr1-tr", "the ratio is by the model at p* (`rho_model`)"));
        }
        require_usual_length(self.skip_r2, "l-ssr1-tr")?;
        let rule = TwoSidedRule { tau2, tau3, nu1, nu2, nu3, nu4, ..Default::default() };
        let config = LSsr1TrConfig::new()
            .with_memory(self.memory)
            .with_delta0(self.delta0)
            .with_radius_rule(rule)
            .with_gamma(self.gamma)
            .with_skip(Some(self.skip_r))
            .with_mu(self.mu)
            .with_line_search(line_search)
            .with_gamma1(self.gamma1)
            .with_check_every(Some(self.check_every))
            .with_tolerance_gradient(0.0);
        boxed(config.init()?)
    }
}

fn require_usual_length(skip_r2: f64, method: &'static str) -> Result<(), ConfigError> {
    let is_usual = skip_r2 == Tolerances::F64.r2;
    if is_usual { Ok(()) } else { Err(unknown(method, "`skip_r2` can only be 1e-12")) }
}

fn unknown(method: &'static str, reason: &'static str) -> ConfigError {
    ConfigError::Conflict { method, reason }
}
