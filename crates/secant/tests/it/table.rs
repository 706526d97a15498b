//! Every method, once: a later method joins all common tests with one line here.

use secant::{
    AdaBeliefConfig, AdaHessianConfig, AdamConfig, ApolloConfig, ArmijoSettings, CurvatureTest,
    Decay, LBfgsConfig, LSsr1TrConfig, LineSearch, MbLsr1Config, MethodSpec, Momentum,
    MultiBatchLBfgsConfig, MuonConfig, OnRejection, OnlineLBfgsConfig, PairSource, QuasiAdamConfig,
    RAdamConfig, Rebound, RmsPropConfig, ScheduleFreeAdamWConfig, ScheduleFreeSgdConfig, Scope,
    SdLBfgsConfig, Search, SelfScaling, SgdBbConfig, SgdConfig, ShampooConfig, SoapConfig,
    SqnConfig, SsBroydenConfig, SubspaceNewtonConfig, SvrgConfig, error::ConfigError,
};

use secant::method::lbfgs::quasi_adam::replace_ema::QuasiAdamEmaConfig;

use crate::{
    support::{Switched, Tested},
    twin::{self, Global, PerTensor, Twin, WithL2},
};

/// A method with its settings.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// A rate at which it descends on the tests' functions.
    pub(crate) lr: f64,
    optimizer: Box<dyn Tested>,
    twin: Box<dyn Fn() -> Box<dyn Twin> + Send + Sync>,
}

impl Row {
    pub(crate) fn new<O: Tested + 'static, T: Twin + 'static>(
        name: &'static str,
        lr: f64,
        optimizer: Result<O, ConfigError>,
        twin: impl Fn() -> T + Send + Sync + 'static,
    ) -> Self {
        let optimizer = Box::new(optimizer.expect("the table's settings are in their ranges"));
        Self { name, lr, optimizer, twin: Box::new(move || Box::new(twin())) }
    }

    /// Whether it keeps a matrix of all parameters with all.
    pub(crate) fn is_dense(&self) -> bool {
        self.name.starts_with("ss-broyden")
    }

    /// The optimizer before its first step.
    pub(crate) fn optimizer(&self) -> Box<dyn Tested> {
        self.optimizer.boxed()
    }

    /// Its plain twin before its first step.
    pub(crate) fn twin(&self) -> Box<dyn Twin> {
        (self.twin)()
    }
}

/// All methods, with decay only where it is part of the method's name.
pub(crate) fn table() -> Vec<Row> {
    let mut rows = first_order(Decay::None);
    rows.push(Row::new("adamw", 0.02, AdamConfig::adamw().init(), || {
        PerTensor::new(twin::Adam::new(Decay::Decoupled(1e-2)))
    }));
    rows.extend(schedule_free(Decay::None));
    rows.push(muon(Decay::None));
    rows.push(shampoo(Decay::None));
    rows.push(soap(Decay::None));
    rows.extend(apollo());
    rows.extend(quasi_adam());
    rows.extend(lbfgs());
    rows.extend(ss_broyden());
    rows.extend(stochastic_lbfgs());
    rows.extend(trust_region(0.0));
    rows.push(subspace_newton(0.0));
    rows.extend(evaluate_again(Decay::None));
    rows.extend(switched());
    rows
}

/// Those that are for any number of parameters.
pub(crate) fn large() -> Vec<Row> {
    table().into_iter().filter(|row| !row.is_dense()).collect()
}

/// One method after another, at a step that most tests reach: from a method of one gradient to one that
/// searches, and back.
fn switched() -> [Row; 2] {
    let row = |name, lr, text: &str, twin: fn() -> Box<dyn Twin>| {
        let spec: MethodSpec = text.parse().expect(text);
        Row {
            name,
            lr,
            optimizer: Box::new(Switched::new(name, &spec).expect(text)),
            twin: Box::new(twin),
        }
    };
    fn adam() -> PerTensor<twin::Adam> {
        PerTensor::new(twin::Adam::new(Decay::None))
    }
    [
        row("adam, then l-bfgs", 0.02, "switch(first=adam,then=l-bfgs,at=step(5))", || {
            let (first, second) = (adam(), twin::LBfgs::new(10));
            Box::new(twin::Then { first, steps: 5, second, rate: 1.0 })
        }),
        row(
            "l-bfgs, then adam",
            1.0,
            "switch(first=l-bfgs,then=adam,at=step(5),rate=0.02)",
            || {
                let (first, second) = (twin::LBfgs::new(10), adam());
                Box::new(twin::Then { first, steps: 5, second, rate: 0.02 })
            },
        ),
    ]
}

/// The methods that know no decay but these two kinds, with both; and those that need not
/// descend where each step brings another batch: the authors' variant of SdLBFGS, and SVRG-BB, to
/// which a step's batch stands for all data.
pub(crate) fn decayed() -> Vec<Row> {
    let config = SdLBfgsConfig::new().with_memory(3).with_delta(1.0);
    let consecutive = config.with_pairs(PairSource::ConsecutiveBatches);
    let mut rows = vec![Row::new("sd-lbfgs, consecutive", 0.1, consecutive.init(), || {
        twin::SdLBfgs::new(3, 1.0, false)
    })];
    rows.extend(trust_region(0.1));
    rows.push(subspace_newton(0.1));
    for decay in [Decay::L2(0.1), Decay::Decoupled(0.1)] {
        rows.extend(first_order(decay));
        rows.extend(evaluate_again(decay));
        rows.extend(schedule_free(decay));
        rows.push(muon(decay));
        rows.push(shampoo(decay));
        rows.push(soap(decay));
        let svrg = SvrgConfig::new(4).with_barzilai_borwein(true).with_decay(decay);
        rows.push(Row::new("svrg-bb", 0.1, svrg.init(), move || twin::Svrg::new(4, true, decay)));
        let config = QuasiAdamConfig::paper().with_decay(decay);
        let twin = twin::QuasiAdam { decay, ..twin::QuasiAdam::new() };
        let plain = twin.clone();
        rows.push(Row::new("quasi-adam", 0.02, config.init(), move || Global::new(plain.clone())));
        rows.push(Row::new("quasi-adam-same-batch", 0.02, config.init_same_batch(), move || {
            Global::same_batch(twin.clone())
        }));
        rows.push(Row::new(
            "quasi-adam-ema",
            0.02,
            QuasiAdamEmaConfig::new().with_decay(decay).init(),
            move || PerTensor::new(twin::QuasiAdamEma::new(decay)),
        ));
    }
    rows
}

fn first_order(decay: Decay) -> Vec<Row> {
    let sgd = |name, lr, momentum| {
        let config = SgdConfig::new().with_momentum(momentum).with_decay(decay);
        Row::new(name, lr, config.init(), move || PerTensor::new(twin::Sgd::new(momentum, decay)))
    };
    let rmsprop = |name, momentum, centred| {
        let config =
            RmsPropConfig::new().with_momentum(momentum).with_centered(centred).with_decay(decay);
        let twin = move || PerTensor::new(twin::RmsProp::new(momentum, centred, decay));
        Row::new(name, 0.01 * (1.0 - momentum), config.init(), twin)
    };
    let dampened = Momentum::Torch { momentum: 0.9, dampening: 0.5, nesterov: false };
    vec![
        sgd("sgd", 0.1, Momentum::None),
        sgd("sgd, momentum", 0.02, Momentum::torch(0.9)),
        sgd("sgd, dampened momentum", 0.02, dampened),
        sgd("sgd, nesterov", 0.02, Momentum::nesterov(0.9)),
        sgd("sgd, ema", 0.2, Momentum::Ema { momentum: 0.9 }),
        Row::new("adam", 0.02, AdamConfig::new().with_decay(decay).init(), move || {
            PerTensor::new(twin::Adam::new(decay))
        }),
        rmsprop("rmsprop", 0.0, false),
        rmsprop("rmsprop, centred", 0.0, true),
        rmsprop("rmsprop, momentum", 0.9, false),
        rmsprop("rmsprop, centred, momentum", 0.9, true),
        Row::new("radam", 0.02, RAdamConfig::new().with_decay(decay).init(), move || {
            PerTensor::new(twin::RAdam::new(decay))
        }),
        Row::new("adabelief", 0.02, AdaBeliefConfig::new().with_decay(decay).init(), move || {
            PerTensor::new(twin::AdaBelief::new(1e-16, decay))
        }),
        Row::new(
            "adabelief, eps 1e-8",
            0.02,
            AdaBeliefConfig::new().with_epsilon(1e-8).with_decay(decay).init(),
            move || PerTensor::new(twin::AdaBelief::new(1e-8, decay)),
        ),
    ]
}

fn schedule_free(decay: Decay) -> [Row; 2] {
    let adamw = ScheduleFreeAdamWConfig::new().with_decay(decay).with_warmup_steps(5);
    let sgd = ScheduleFreeSgdConfig::new().with_decay(decay).with_r(1.0);
    [
        Row::new("schedule-free-adamw", 0.05, adamw.init(), move || {
            PerTensor::new(twin::ScheduleFree::adamw(decay).warmup(5.0))
        }),
        Row::new("schedule-free-sgd", 0.5, sgd.init(), move || {
            PerTensor::new(twin::ScheduleFree::sgd(decay).powers(1.0, 2.0))
        }),
    ]
}

/// AdamW's part at the step's rate. Its twin on matrices is in `muon.rs`.
fn muon(decay: Decay) -> Row {
    let config = MuonConfig::new()
        .with_decay(decay)
        .with_adamw(AdamConfig::new().with_decay(decay))
        .with_adamw_rate_factor(1.0);
    Row::new("muon", 0.02, config.init(), move || twin::Muon::new(decay))
}

/// Vectors, in pieces of 3. Matrices are in `shampoo.rs`, and in the reference traces.
fn shampoo(decay: Decay) -> Row {
    let config = ShampooConfig::new().with_max_dim(3).with_epsilon(1e-2).with_decay(decay);
    let config = config.with_precondition_frequency(2).with_start(Some(3));
    Row::new("shampoo", 0.02, config.init(), move || PerTensor::new(twin::Shampoo::new(decay)))
}

/// Vectors, which have no basis. Matrices are in `soap.rs`, and in the reference traces.
fn soap(decay: Decay) -> Row {
    Row::new("soap", 0.02, SoapConfig::new().with_decay(decay).init(), move || {
        PerTensor::new(twin::Soap::new(decay))
    })
}

fn apollo() -> Vec<Row> {
    let row = |name, lr, rebound, warmup, decay| {
        let config =
            ApolloConfig::new().with_rebound(rebound).with_warmup(warmup).with_decay(decay);
        let twin = move || PerTensor::new(twin::Apollo::new(rebound, warmup, decay));
        Row::new(name, lr, config.init(), twin)
    };
    // B is about rate x curvature: a bound of half the rate lets it matter.
    let constant = Rebound::Constant { sigma: 0.05 };
    let small = Rebound::Constant { sigma: 0.01 };
    vec![
        row("apollo", 0.01, small, 500, Decay::None),
        row("apollo, constant, l2", 0.1, constant, 10, Decay::L2(1e-2)),
        row("apollo, constant, decoupled", 0.1, constant, 10, Decay::Decoupled(1e-2)),
        row("apollo, constant, stable", 0.1, constant, 10, Decay::Stable(1e-2)),
        row("apollo, belief, l2", 0.01, Rebound::Belief, 10, Decay::L2(1e-2)),
        row("apollo, belief, decoupled", 0.01, Rebound::Belief, 10, Decay::Decoupled(1e-2)),
        row("apollo, belief, stable", 0.01, Rebound::Belief, 10, Decay::Stable(1e-2)),
        row("apollo, no warm-up", 0.05, constant, 0, Decay::None),
    ]
}

fn lbfgs() -> Vec<Row> {
    let row = |name, config: LBfgsConfig, twin: twin::LBfgs| {
        Row::new(name, 1.0, config.init(), move || twin.clone())
    };
    let new = LBfgsConfig::new;
    let plain = twin::LBfgs::new;
    let (one, three) = (new().with_history_size(1), new().with_history_size(3));
    let armijo = three.with_line_search(LineSearch::Armijo);
    vec![
        row("l-bfgs", new(), plain(10)),
        row("l-bfgs, one pair", one, plain(1)),
        row("l-bfgs, damped", three.with_damping(Some(0.9)), plain(3).damped(0.9)),
        row("l-bfgs, two iterations", three.with_max_iter(2), plain(3).iterations(2)),
        row("l-bfgs, armijo", armijo, plain(3).armijo()),
    ]
}

fn stochastic_lbfgs() -> Vec<Row> {
    let sd = SdLBfgsConfig::new().with_memory(3);
    // A first step of 1e-10 would leave a pair of six digits, too few to compare.
    let online = OnlineLBfgsConfig::new().with_memory(3).with_first_scale(Some(0.1));
    let regular = online.with_lambda(0.1).with_rate_offset(20.0);
    let multi = MultiBatchLBfgsConfig::new().with_memory(3);
    let sqn = SqnConfig::new(1).with_memory(2).with_curvature_every(2);
    vec![
        Row::new("sd-lbfgs", 0.5, sd.init(), || twin::SdLBfgs::new(3, 1e-3, true)),
        Row::new("sd-lbfgs, as printed", 0.5, sd.with_bounded(false).init(), || {
            twin::SdLBfgs::new(3, 1e-3, true).paper()
        }),
        Row::new("o-lbfgs", 0.5, online.init(), || twin::OnlineLBfgs::new(0.0, 1e4, 0.1)),
        Row::new("o-lbfgs, regular", 0.5, regular.init(), || {
            twin::OnlineLBfgs::new(0.1, 20.0, 0.1)
        }),
        Row::new("multi-batch-lbfgs", 0.5, multi.init(), || twin::MultiBatchLBfgs::new(3)),
        Row::new("sqn", 0.1, sqn.init(), || twin::Sqn::new(2, 2)),
    ]
}

fn ss_broyden() -> [Row; 2] {
    let row = |name, rule| {
        let config = SsBroydenConfig::new().with_rule(rule);
        Row::new(name, 1.0, config.init(), move || twin::SsBroyden::new(rule))
    };
    [row("ss-broyden", SelfScaling::Ssbroyden2), row("ss-broyden, bfgs", SelfScaling::Bfgs)]
}

fn trust_region(wd: f64) -> Vec<Row> {
    let mb = MbLsr1Config::new().with_memory(3).with_delta0(0.1).with_decay(Decay::L2(wd));
    let plain = mb.with_mu(0.0).with_eta(0.0).with_zeta(0.0);
    let tr = LSsr1TrConfig::new().with_memory(3).with_delta0(0.1).with_decay(Decay::L2(wd));
    let armijo = tr.with_line_search(Search::Armijo(ArmijoSettings::default()));
    vec![
        Row::new("mb-lsr1", 1.0, mb.init(), move || WithL2(twin::MbLsr1::new(3, 0.1), wd)),
        Row::new("mb-lsr1, plain", 1.0, plain.init(), move || {
            WithL2(twin::MbLsr1::new(3, 0.1).plain(), wd)
        }),
        Row::new("l-ssr1-tr", 1.0, tr.init(), move || WithL2(twin::LSsr1Tr::new(3, 0.1), wd)),
        Row::new("l-ssr1-tr, armijo", 1.0, armijo.init(), move || {
            WithL2(twin::LSsr1Tr::new(3, 0.1).armijo(), wd)
        }),
    ]
}

/// Vectors, with curvature by differences. Matrices and duals are in `subspace_newton.rs`.
fn subspace_newton(wd: f64) -> Row {
    let config = SubspaceNewtonConfig::new().with_decay(Decay::L2(wd));
    Row::new("subspace-newton", 1.0, config.init(), move || WithL2(twin::SubspaceNewton::new(), wd))
}

/// Methods with decay of both kinds that evaluate again, and SGD-BB.
fn evaluate_again(decay: Decay) -> Vec<Row> {
    let svrg = SvrgConfig::new(4).with_decay(decay);
    let sgd_bb = SgdBbConfig::new(4).with_beta(Some(0.3)).with_decay(decay);
    let adahessian = AdaHessianConfig::new().with_decay(decay);
    vec![
        Row::new("svrg", 0.1, svrg.init(), move || twin::Svrg::new(4, false, decay)),
        Row::new("sgd-bb", 0.1, sgd_bb.init(), move || {
            Global::new(twin::SgdBb::new(4, 0.3, decay))
        }),
        Row::new("adahessian", 0.05, adahessian.init(), move || twin::AdaHessian::new(1.0, decay)),
        Row::new("adahessian, root", 0.05, adahessian.with_hessian_power(0.5).init(), move || {
            twin::AdaHessian::new(0.5, decay)
        }),
    ]
}

fn quasi_adam() -> Vec<Row> {
    let new = QuasiAdamConfig::paper;
    let plain = twin::QuasiAdam::new;
    let global = |name, config: QuasiAdamConfig, twin: twin::QuasiAdam| {
        Row::new(name, 0.02, config.init(), move || Global::new(twin.clone()))
    };
    let per_tensor = |name, config: QuasiAdamConfig, twin: twin::QuasiAdam| {
        let config = config.with_scope(Scope::PerTensor);
        Row::new(name, 0.02, config.init(), move || PerTensor::new(twin.clone()))
    };
    let same_batch = |name, config: QuasiAdamConfig, twin: twin::QuasiAdam| {
        Row::new(name, 0.02, config.init_same_batch(), move || Global::same_batch(twin.clone()))
    };
    let keep = new().with_on_rejection(OnRejection::KeepPair);
    let kept = twin::QuasiAdam { on_rejection: OnRejection::KeepPair, ..plain() };
    let scale = new().with_on_rejection(OnRejection::ScaledGradient);
    let scaled = twin::QuasiAdam { on_rejection: OnRejection::ScaledGradient, ..plain() };
    let own = new().with_curvature_rate(Some(0.5)).with_max_ratio(Some(1.0));
    let owned = twin::QuasiAdam { rate: Some(0.5), max_ratio: 1.0, ..plain() };
    let default = twin::QuasiAdam { rate: Some(1.0), max_ratio: 1.0, ..plain() };
    let bound = new().with_inverse_bound(Some(2.0));
    let bounded = twin::QuasiAdam { inverse_bound: 2.0, ..plain() };
    let test = CurvatureTest::Absolute(1e-4);
    let absolute = twin::QuasiAdam { test, ..plain() };
    let inside = twin::QuasiAdam { eps_inside: true, ..plain() };
    vec![
        global("quasi-adam", QuasiAdamConfig::new(), default),
        global("quasi-adam, paper", new(), plain()),
        global("quasi-adam, own rate, capped", own, owned.clone()),
        global("quasi-adam, keeps pair", keep, kept.clone()),
        global("quasi-adam, scaled gradient", scale, scaled.clone()),
        global("quasi-adam, bounded inverse", bound, bounded),
        global("quasi-adam, absolute test", new().with_curvature_test(Some(test)), absolute),
        global("quasi-adam, eps inside", new().with_epsilon_inside(true), inside),
        per_tensor("quasi-adam, per tensor", new(), plain()),
        per_tensor("quasi-adam, per tensor, own rate, capped", own, owned.clone()),
        per_tensor("quasi-adam, per tensor, keeps pair", keep, kept.clone()),
        per_tensor("quasi-adam, per tensor, scaled gradient", scale, scaled),
        same_batch("quasi-adam, same batch", new(), plain()),
        same_batch("quasi-adam, same batch, own rate, capped", own, owned),
        same_batch("quasi-adam, same batch, keeps pair", keep, kept),
        Row::new("quasi-adam-ema", 0.02, QuasiAdamEmaConfig::new().init(), || {
            PerTensor::new(twin::QuasiAdamEma::new(Decay::None))
        }),
    ]
}
