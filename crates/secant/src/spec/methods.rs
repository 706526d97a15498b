//! The list of methods: the only one there is.

use std::{fmt, str::FromStr};

use burn::module::Module;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap as _,
};
use serde_json::{Map, Value};

use super::{
    Choice, Preset, Run, SpecError, SwitchSpec,
    auto::AUTO,
    overlay::{Fault, overlay},
    text,
};
use crate::{
    error::ConfigError,
    hyper_parameter::{HyperParameter, HyperParameters, Kind},
    method::{
        dense, diagonal, first_order, first_order::sgd::Momentum, layer_wise, lbfgs, trust_region,
        variance_reduced,
    },
    optimizer::{AnyOptimizer, SWITCH},
    protocol::{Method, Traffic},
};

/// Each entry `Variant(path::to::Config), init { presets }` is a variant of [`MethodSpec`] with the
/// function that makes the optimizer, and presets of it: name, one line, vectors of memory, gradients a
/// step, usual rate, whether it is compared by default, and its settings for a run. The first has the
/// method's name. `#[root]` puts the configuration at the crate's root; `#[untuned]` says that a comparison
/// keeps the usual rate.
macro_rules! methods {
    ($(
        $(#[$root:ident])? $variant:ident($config:path), $init:ident {
            $($(#[$tuning:ident])? $name:literal, $line:literal, $vectors:literal, $gradients:literal, $rate:literal,
                $by_default:literal, $make:expr;)+
        }
    )+) => {
        /// A method with all its hyper-parameters.
        ///
        /// It is written as a table with the key `method` and every hyper-parameter, and read from a
        /// table with the name of a preset under `method` and any of them. As text it is a preset with
        /// what differs from it: `mb-lsr1(memory=8)`.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each is the method of its configuration")]
        pub enum MethodSpec {
            $($variant($config),)+
            Switch(Box<SwitchSpec>),
        }

        /// The configurations, for the crate's root.
        pub mod configs {
            use crate::method::{
                dense, diagonal, first_order, layer_wise, lbfgs, trust_region, variance_reduced,
            };
            $(methods!(@export [$($root)?] $config);)+
        }

        impl MethodSpec {
            /// The method's name.
            pub fn method(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => first(&[$($name),+]),)+
                    Self::Switch(_) => SWITCH,
                }
            }

            /// What its hyper-parameters are.
            pub fn hyper_parameters(&self) -> &'static [HyperParameter] {
                match self {
                    $(Self::$variant(_) => <$config as HyperParameters>::ALL,)+
                    Self::Switch(_) => SwitchSpec::HYPER_PARAMETERS,
                }
            }

            /// The optimizer of modules `M`.
            ///
            /// # Errors
            /// Names the first hyper-parameter out of its range.
            pub fn init<M: Module + 'static>(&self) -> Result<AnyOptimizer<M>, ConfigError> {
                match self {
                    $(Self::$variant(config) => Ok(config.$init()?.into()),)+
                    Self::Switch(switch) => switch.init(),
                }
            }

            /// What is asked of the method itself.
            ///
            /// # Errors
            /// Names the first hyper-parameter out of its range.
            fn ask(&self) -> Result<Asked, ConfigError> {
                match self {
                    $(Self::$variant(config) => Ok(Asked::of(config.$init()?.method())),)+
                    Self::Switch(switch) => {
                        switch.config.validate()?;
                        let [first, then] = [switch.first.ask()?, switch.then.ask()?];
                        Ok(Asked {
                            needs_loss: first.needs_loss || then.needs_loss,
                            averages: first.averages,
                            traffic: None,
                        })
                    }
                }
            }

            fn to_keys(&self) -> Map<String, Value> {
                match self {
                    $(Self::$variant(config) => keys_of(config),)+
                    Self::Switch(switch) => switch.to_keys(),
                }
            }

            /// The same method with these hyper-parameters changed.
            fn overlaid(&self, keys: &Map<String, Value>) -> Result<Self, Fault> {
                let (given, base) = (Value::Object(keys.clone()), Value::Object(self.to_keys()));
                match self {
                    $(Self::$variant(_) => overlay(&given, &base).map(Self::$variant),)+
                    Self::Switch(switch) => Ok(Self::Switch(Box::new(switch.with(keys)?))),
                }
            }
        }

        /// All presets.
        pub static PRESETS: &[Preset] = &[AUTO, $($(
            Preset {
                name: $name,
                line: $line,
                vectors: concat!($vectors),
                gradients: $gradients,
                usual_rate: $rate,
                is_tuned: methods!(@is_tuned [$($tuning)?]),
                by_default: $by_default,
                make: {
                    use $config as Config;
                    const MAKE: fn(&Run) -> Config = $make;
                    |run| MethodSpec::$variant(MAKE(run))
                },
            },
        )+)+];
    };
    (@is_tuned []) => { true };
    (@is_tuned [untuned]) => { false };
    (@export [] $config:path) => {};
    (@export [root] $config:path) => { pub use $config; };
}

/// The first of the names of a method's presets.
const fn first(names: &[&'static str]) -> &'static str {
    names[0]
}

/// Apollo's warm-up is part of the method: 500 updates, or a tenth of a short run.
fn warmup(run: &Run) -> u64 {
    500.min(run.steps / 10)
}

/// The warm-up of Schedule-Free: a twentieth of the run.
fn twentieth(run: &Run) -> u64 {
    if *run == Run::UNKNOWN { 0 } else { run.steps / 20 }
}

#[rustfmt::skip]
methods! {
    #[root] Sgd(first_order::sgd::SgdConfig), init {
        "sgd", "stochastic gradient descent", 0, 1, 0.1, true, |_| Config::new();
        "sgd-momentum", "SGD with momentum 0.9", 1, 1, 0.03, true, |_| Config::new().with_momentum(Momentum::torch(0.9));
        "sgd-nesterov", "SGD with Nesterov's momentum 0.9", 1, 1, 0.03, false, |_| Config::new().with_momentum(Momentum::nesterov(0.9));
    }
    #[root] Adam(first_order::adam::AdamConfig), init {
        "adam", "Adam", 2, 1, 3e-3, true, |_| Config::new();
        "adamw", "Adam with decoupled decay 0.01", 2, 1, 3e-3, true, |_| Config::adamw();
    }
    #[root] RmsProp(first_order::rmsprop::RmsPropConfig), init {
        "rmsprop", "RMSprop", 1, 1, 1e-3, true, |_| Config::new();
    }
    #[root] RAdam(first_order::radam::RAdamConfig), init {
        "radam", "Adam with a rectified start", 2, 1, 1e-2, true, |_| Config::new();
    }
    #[root] AdaBelief(first_order::adabelief::AdaBeliefConfig), init {
        "adabelief", "Adam that divides by the gradient's surprise", 2, 1, 3e-3, true, |_| Config::new();
    }
    #[root] ScheduleFreeAdamW(first_order::schedule_free::adamw::ScheduleFreeAdamWConfig), init {
        "schedule-free-adamw", "AdamW at a constant rate, evaluated at its average", 2, 1, 1e-2, false,
            |run| Config::new().with_warmup_steps(twentieth(run));
    }
    #[root] ScheduleFreeSgd(first_order::schedule_free::sgd::ScheduleFreeSgdConfig), init {
        "schedule-free-sgd", "SGD at a constant rate, evaluated at its average", 1, 1, 1.0, false,
            |run| Config::new().with_warmup_steps(twentieth(run));
    }
    #[root] SgdBb(first_order::sgd_bb::SgdBbConfig), init {
        "sgd-bb", "SGD with Barzilai-Borwein rates", 3, 1, 0.01, false, |run| Config::new(run.steps_per_epoch);
    }
    #[root] Apollo(diagonal::apollo::ApolloConfig), init {
        "apollo", "diagonal quasi-Newton, parameter by parameter", 3, 1, 0.03, true, |run| Config::new().with_warmup(warmup(run));
        "apollow", "Apollo with decoupled decay 0.025", 3, 1, 0.03, false, |run| Config::apollow().with_warmup(warmup(run));
    }
    #[root] AdaHessian(diagonal::adahessian::AdaHessianConfig), init {
        "adahessian", "Adam with the Hessian's diagonal, exact products", 2, 3, 0.1, false, |_| Config::new();
        "adahessian-study", "AdaHessian as in the EPFL study: eps 1e-8, no averaging", 2, 3, 0.1, false, |_| Config::study();
    }
    #[root] QuasiAdam(lbfgs::quasi_adam::QuasiAdamConfig), init {
        "quasi-adam", "Adam plus a capped quasi-Newton step of one pair", 4, 1, 3e-3, true, |_| Config::new();
        "quasi-adam-paper", "Quasi-Adam with the rate of the paper", 4, 1, 3e-3, false, |_| Config::paper();
    }
    QuasiAdamSameBatch(lbfgs::quasi_adam::QuasiAdamConfig), init_same_batch {
        "quasi-adam-same-batch", "Quasi-Adam, pairs from one batch", 4, 2, 3e-3, false, |_| Config::new();
    }
    QuasiAdamEma(lbfgs::quasi_adam::replace_ema::QuasiAdamEmaConfig), init {
        "quasi-adam-ema", "the variant in the Quasi-Adam authors' code", 3, 1, 1e-3, false, |_| Config::new();
    }
    #[root] Muon(layer_wise::muon::MuonConfig), init {
        "muon", "momentum made orthogonal, matrix by matrix; AdamW for the rest", 1, 1, 0.02, true, |_| Config::new();
    }
    #[root] Shampoo(layer_wise::shampoo::ShampooConfig), init {
        "shampoo", "roots of each layer's G G' and G' G, at the length of Adam's step", 2, 1, 0.01, false, |_| Config::new();
    }
    #[root] Soap(layer_wise::soap::SoapConfig), init {
        "soap", "Adam in the eigenbasis of each layer's gradients", 2, 1, 0.03, true, |_| Config::new();
    }
    #[root] SubspaceNewton(layer_wise::subspace_newton::SubspaceNewtonConfig), init {
        #[untuned] "subspace-newton", "Newton's step within SOAP's direction and the last step", 4, 1, 1.0, false,
            |run| match run {
                Run { full_batch: true, .. } => Config::new().with_average(None),
                run if *run == Run::UNKNOWN => Config::new(),
                run => Config::for_batches(run.batch_size)
                    .with_max_cost(Some(super::auto::pays(run)))
                    .with_decay(super::auto::decay(run)),
            };
    }
    #[root] LBfgs(lbfgs::l_bfgs::LBfgsConfig), init {
        "l-bfgs", "L-BFGS with a line search on each batch", 20, 2, 1.0, false, |run| Config::new().with_full_batch(run.full_batch);
        "l-bfgs-torch", "PyTorch's L-BFGS: 20 iterations a step, no search", 202, 20, 0.1, false, |_| Config::torch();
    }
    #[root] SsBroyden(dense::ss_broyden::SsBroydenConfig), init {
        "ss-broyden", "dense self-scaled Broyden, for smooth functions and full batches", "n/2", 2, 1.0, false,
            |run| Config::new().with_full_batch(run.full_batch);
    }
    #[root] SdLBfgs(lbfgs::sd_lbfgs::SdLBfgsConfig), init {
        "sd-lbfgs", "stochastic damped L-BFGS", 20, 2, 3.0, false, |_| Config::new();
    }
    #[root] OnlineLBfgs(lbfgs::online::OnlineLBfgsConfig), init {
        "o-lbfgs", "online L-BFGS", 20, 2, 0.1, false, |_| Config::new();
    }
    #[root] MultiBatchLBfgs(lbfgs::multi_batch::MultiBatchLBfgsConfig), init {
        "multi-batch-lbfgs", "L-BFGS with pairs from what batches share", 20, 2, 0.1, false, |_| Config::new();
    }
    #[root] Sqn(lbfgs::sqn::SqnConfig), init {
        "sqn", "quasi-Newton with pairs from Hessian products", 22, 2, 0.1, false, |run| Config::new(4 * run.batch_size);
    }
    #[root] MbLsr1(trust_region::mb_lsr1::MbLsr1Config), init {
        "mb-lsr1", "indefinite L-SR1 in a trust region, on batches that grow", 33, 2, 1.0, false,
            |run| if run.full_batch { Config::full_batch() } else { Config::new() };
    }
    #[root] LSsr1Tr(trust_region::l_ssr1_tr::LSsr1TrConfig), init {
        "l-ssr1-tr", "indefinite L-SR1 in a trust region, with a line search", 33, 2, 1.0, false,
            |run| if run.full_batch { Config::full_batch() } else { Config::new() }.with_memory(16);
    }
    #[root] Svrg(variance_reduced::svrg::SvrgConfig), init {
        "svrg", "variance-reduced SGD", 2, 3, 0.1, false, |run| Config::new(run.steps_per_epoch);
        "svrg-bb", "SVRG with Barzilai-Borwein rates", 2, 3, 0.1, false, |run| Config::new(run.steps_per_epoch).with_barzilai_borwein(true);
    }
}

/// What is asked of a method, whatever its type.
struct Asked {
    needs_loss: bool,
    averages: bool,
    traffic: Option<Traffic>,
}

impl Asked {
    fn of(method: &impl Method) -> Self {
        Self {
            needs_loss: method.evaluates_again() || method.searches(),
            averages: method.averages(),
            traffic: method.traffic(),
        }
    }
}

pub(super) fn keys_of(config: &impl HyperParameters) -> Map<String, Value> {
    match serde_json::to_value(config) {
        Ok(Value::Object(keys)) => keys,
        // A configuration is a struct of numbers, words and lists.
        _ => Map::new(),
    }
}

impl MethodSpec {
    /// The same method with some hyper-parameters changed.
    ///
    /// # Errors
    /// An unknown hyper-parameter, or a value of the wrong kind.
    pub fn with(&self, keys: &Map<String, Value>) -> Result<Self, SpecError> {
        self.overlaid(keys).map_err(|fault| fault.of(self.method(), self.hyper_parameters()))
    }

    /// Checks every hyper-parameter.
    ///
    /// # Errors
    /// Names the first one out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.ask().map(drop)
    }

    /// Whether a step evaluates the loss itself, so that ready gradients are not enough.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn needs_loss(&self) -> Result<bool, ConfigError> {
        Ok(self.ask()?.needs_loss)
    }

    /// Whether it averages its points, so that its rate is to stay over a run; of a switch, whether the first
    /// does, whose rate a run's is.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn averages(&self) -> Result<bool, ConfigError> {
        Ok(self.ask()?.averages)
    }

    /// What a step moves beyond its evaluations, where that has been counted.
    ///
    /// # Errors
    /// Names the first hyper-parameter out of its range.
    pub fn traffic(&self) -> Result<Option<Traffic>, ConfigError> {
        Ok(self.ask()?.traffic)
    }

    /// Every hyper-parameter with its value; `none` in the place of nothing, which not every format has.
    pub fn values(&self) -> Vec<(&'static HyperParameter, Value)> {
        let mut keys = self.to_keys();
        let mut value = |parameter: &HyperParameter| match keys.remove(parameter.name) {
            None | Some(Value::Null) => "none".into(),
            Some(value) => value,
        };
        self.hyper_parameters().iter().map(|parameter| (parameter, value(parameter))).collect()
    }

    /// What differs from the preset with the method's name, and what has no default.
    fn difference(&self) -> Map<String, Value> {
        let base = Preset::named(self.method()).map(|preset| preset.spec(&Run::UNKNOWN).to_keys());
        let base = base.unwrap_or_default();
        let mut keys = self.to_keys();
        for parameter in self.hyper_parameters() {
            let (name, old) = (parameter.name, base.get(parameter.name));
            match (keys.get_mut(name), old) {
                (Some(new), Some(old)) if new == old && !parameter.is_required => {
                    keys.remove(name);
                }
                // Of a table, only what differs.
                (Some(Value::Object(new)), Some(Value::Object(old)))
                    if matches!(parameter.kind(), Kind::Table(_)) =>
                {
                    new.retain(|key, value| old.get(key) != Some(value));
                }
                _ => {}
            }
        }
        keys
    }
}

impl fmt::Display for MethodSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Switch(switch) = self {
            return switch.fmt(f);
        }
        f.write_str(&text::write(self.method(), &self.difference(), self.hyper_parameters()))
    }
}

impl FromStr for MethodSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        text.parse::<Choice>()?.spec(None)
    }
}

impl Serialize for MethodSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.values();
        let mut table = serializer.serialize_map(Some(values.len() + 1))?;
        table.serialize_entry("method", self.method())?;
        for (parameter, value) in values {
            table.serialize_entry(parameter.name, &value)?;
        }
        table.end()
    }
}

impl<'de> Deserialize<'de> for MethodSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut keys = Map::deserialize(deserializer)?;
        let Some(Value::String(name)) = keys.remove("method") else {
            return Err(D::Error::custom(SpecError::NoMethod));
        };
        let choice = Choice::new(&name, keys).map_err(D::Error::custom)?;
        choice.spec(None).map_err(D::Error::custom)
    }
}
