//! The list of methods: the only one there is.

use burn::module::Module;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use serde_json::{Map, Value};

use super::{
    Choice, HyperParameter, HyperParameters, Preset, Run, SpecError, Traffic,
    overlay::{overlay, written},
};
use crate::{
    error::ConfigError,
    method::{
        diagonal, first_order, first_order::sgd::Momentum, layer_wise, lbfgs,
        lbfgs::quasi_adam::replace_ema::QuasiAdamEmaConfig, trust_region, variance_reduced,
    },
    optimizer::AnyOptimizer,
    protocol::Decay,
};
use configs::*;

/// Each line is a variant of [`MethodSpec`] and a preset: its method's configuration and what makes the
/// optimizer, name, one line, vectors, gradients, traffic (reads, writes), usual rate, whether it is
/// compared by default, and the settings for a run. `#[export]` puts the configuration at the crate's
/// root. The lines of `presets` are further presets of these methods.
macro_rules! methods {
    (
        variants {$(
            $(#[$export:ident])? $variant:ident = $($config:ident)::+, $init:ident:
            $name:literal, $line:literal, $vectors:literal, $gradients:literal, $traffic:expr,
            $rate:literal, $default:literal, $make:expr;
        )*}
        presets {$(
            $preset_name:literal, $preset_line:literal, $preset_vectors:literal,
            $preset_gradients:literal, $preset_traffic:expr, $preset_rate:literal,
            $preset_default:literal, $preset_make:expr;
        )*}
    ) => {
        /// A method with all its hyper-parameters.
        ///
        /// It is written as a table with the key `method` and every hyper-parameter, and read from a
        /// table with the name of a preset under `method` and any of them.
        #[derive(Clone, Debug)]
        #[allow(missing_docs, reason = "each is the method of its configuration")]
        pub enum MethodSpec {
            $($variant($($config)::+),)*
        }

        /// The configurations, for the crate's root.
        pub mod configs {
            use crate::method::{
                diagonal, first_order, layer_wise, lbfgs, trust_region, variance_reduced,
            };
            $(methods!(@export [$($export)?] $($config)::+);)*
        }

        impl MethodSpec {
            /// The method's name.
            pub fn method(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// What its hyper-parameters are.
            pub fn hyper_parameters(&self) -> &'static [HyperParameter] {
                match self { $(Self::$variant(_) => <$($config)::+ as HyperParameters>::ALL,)* }
            }

            /// The optimizer of modules `M`.
            ///
            /// # Errors
            /// Names the first hyper-parameter out of its range.
            pub fn init<M: Module + 'static>(&self) -> Result<AnyOptimizer<M>, ConfigError> {
                match self { $(Self::$variant(config) => Ok(config.$init()?.into()),)* }
            }

            /// Checks every hyper-parameter.
            ///
            /// # Errors
            /// Names the first one out of its range.
            pub fn validate(&self) -> Result<(), ConfigError> {
                match self { $(Self::$variant(config) => config.$init().map(drop),)* }
            }

            fn to_keys(&self) -> Result<Map<String, Value>, serde_json::Error> {
                let value = match self {
                    $(Self::$variant(config) => serde_json::to_value(config),)*
                }?;
                Ok(match value {
                    Value::Object(keys) => keys,
                    _ => Map::new(),
                })
            }

            /// The same method with these hyper-parameters, which are all there are.
            fn of_keys(&self, keys: Map<String, Value>) -> Result<Self, serde_json::Error> {
                let keys = Value::Object(keys);
                match self {
                    $(Self::$variant(_) => serde_json::from_value(keys).map(Self::$variant),)*
                }
            }
        }

        /// All presets.
        pub static PRESETS: &[Preset] = &[
            $(Preset {
                name: $name,
                line: $line,
                vectors: $vectors,
                gradients: $gradients,
                traffic: $traffic,
                usual_rate: $rate,
                by_default: $default,
                make: {
                    const MAKE: fn(&Run) -> $($config)::+ = $make;
                    |run| MethodSpec::$variant(MAKE(run))
                },
            },)*
            $(Preset {
                name: $preset_name,
                line: $preset_line,
                vectors: $preset_vectors,
                gradients: $preset_gradients,
                traffic: $preset_traffic,
                usual_rate: $preset_rate,
                by_default: $preset_default,
                make: $preset_make,
            },)*
        ];
    };
    (@export [] $($config:ident)::+) => {};
    (@export [export] $($config:ident)::+) => { pub use $($config)::+; };
}

/// `reads` R + `writes` W.
const fn moves(reads: u8, writes: u8) -> Option<Traffic> {
    Some(Traffic { reads, writes })
}

/// Apollo's warm-up is part of the method: 500 updates, or a tenth of a short run.
fn apollo(run: &Run) -> ApolloConfig {
    ApolloConfig::new().with_warmup(500.min(run.steps / 10))
}

fn momentum(momentum: Momentum) -> MethodSpec {
    MethodSpec::Sgd(SgdConfig::new().with_momentum(momentum))
}

#[rustfmt::skip]
methods! {
    variants {
        #[export] Sgd = first_order::sgd::SgdConfig, init: "sgd", "stochastic gradient descent", 0, 1, moves(2, 1), 0.1, true, |_| SgdConfig::new();
        #[export] Adam = first_order::adam::AdamConfig, init: "adam", "Adam", 2, 1, moves(4, 3), 3e-3, true, |_| AdamConfig::new();
        #[export] RmsProp = first_order::rmsprop::RmsPropConfig, init: "rmsprop", "RMSprop", 1, 1, moves(3, 2), 1e-3, true, |_| RmsPropConfig::new();
        #[export] RAdam = first_order::radam::RAdamConfig, init: "radam", "Adam with a rectified start", 2, 1, moves(4, 3), 3e-3, true, |_| RAdamConfig::new();
        #[export] AdaBelief = first_order::adabelief::AdaBeliefConfig, init: "adabelief", "Adam that divides by the gradient's surprise", 2, 1, moves(4, 3), 3e-3, true, |_| AdaBeliefConfig::new();
        #[export] SgdBb = first_order::sgd_bb::SgdBbConfig, init: "sgd-bb", "SGD with Barzilai-Borwein rates", 3, 1, moves(3, 2), 0.01, false, |run| SgdBbConfig::new(run.steps_per_epoch);
        #[export] Apollo = diagonal::apollo::ApolloConfig, init: "apollo", "diagonal quasi-Newton, parameter by parameter", 3, 1, moves(9, 4), 0.03, true, apollo;
        #[export] AdaHessian = diagonal::adahessian::AdaHessianConfig, init: "adahessian", "Adam with the Hessian's diagonal, exact products", 2, 3, None, 0.1, false, |_| AdaHessianConfig::new();
        #[export] QuasiAdam = lbfgs::quasi_adam::QuasiAdamConfig, init: "quasi-adam", "Adam plus a capped quasi-Newton step of one pair", 4, 1, moves(11, 4), 3e-3, true, |_| QuasiAdamConfig::new();
        QuasiAdamSameBatch = lbfgs::quasi_adam::QuasiAdamConfig, init_same_batch: "quasi-adam-same-batch", "Quasi-Adam, pairs from one batch", 4, 2, None, 3e-3, false, |_| QuasiAdamConfig::new();
        QuasiAdamEma = lbfgs::quasi_adam::replace_ema::QuasiAdamEmaConfig, init: "quasi-adam-ema", "the variant in the Quasi-Adam authors' code", 3, 1, moves(8, 4), 1e-3, false, |_| QuasiAdamEmaConfig::new();
        #[export] Muon = layer_wise::muon::MuonConfig, init: "muon", "momentum made orthogonal, matrix by matrix; AdamW for the rest", 1, 1, moves(3, 2), 0.02, false, |_| MuonConfig::new();
        #[export] LBfgs = lbfgs::l_bfgs::LBfgsConfig, init: "l-bfgs", "L-BFGS with a line search on each batch", 20, 2, None, 1.0, false, |run| LBfgsConfig::new().with_full_batch(run.full_batch);
        #[export] SdLBfgs = lbfgs::sd_lbfgs::SdLBfgsConfig, init: "sd-lbfgs", "stochastic damped L-BFGS", 20, 2, None, 3.0, false, |_| SdLBfgsConfig::new();
        #[export] OnlineLBfgs = lbfgs::online::OnlineLBfgsConfig, init: "o-lbfgs", "online L-BFGS", 20, 2, None, 0.1, false, |_| OnlineLBfgsConfig::new();
        #[export] MultiBatchLBfgs = lbfgs::multi_batch::MultiBatchLBfgsConfig, init: "multi-batch-lbfgs", "L-BFGS with pairs from what batches share", 20, 2, None, 0.1, false, |_| MultiBatchLBfgsConfig::new();
        #[export] Sqn = lbfgs::sqn::SqnConfig, init: "sqn", "quasi-Newton with pairs from Hessian products", 22, 2, None, 0.1, false, |run| SqnConfig::new(4 * run.batch_size);
        #[export] MbLsr1 = trust_region::mb_lsr1::MbLsr1Config, init: "mb-lsr1", "indefinite L-SR1 in a trust region, on batches that grow", 33, 2, None, 1.0, false, |run| if run.full_batch { MbLsr1Config::full_batch() } else { MbLsr1Config::new() };
        #[export] LSsr1Tr = trust_region::l_ssr1_tr::LSsr1TrConfig, init: "l-ssr1-tr", "indefinite L-SR1 in a trust region, with a line search", 33, 2, None, 1.0, false, |run| if run.full_batch { LSsr1TrConfig::full_batch() } else { LSsr1TrConfig::new() }.with_memory(16);
        #[export] Svrg = variance_reduced::svrg::SvrgConfig, init: "svrg", "variance-reduced SGD", 2, 3, None, 0.1, false, |run| SvrgConfig::new(run.steps_per_epoch);
    }
    presets {
        "sgd-momentum", "SGD with momentum 0.9", 1, 1, moves(3, 2), 0.03, true, |_| momentum(Momentum::torch(0.9));
        "sgd-nesterov", "SGD with Nesterov's momentum 0.9", 1, 1, moves(3, 2), 0.03, false, |_| momentum(Momentum::nesterov(0.9));
        "adamw", "Adam with decoupled decay 0.01", 2, 1, moves(4, 3), 3e-3, true, |_| MethodSpec::Adam(AdamConfig::adamw());
        "apollow", "Apollo with decoupled decay 0.025", 3, 1, moves(9, 4), 0.03, false, |run| MethodSpec::Apollo(apollo(run).with_decay(Decay::Decoupled(2.5e-2)));
        "quasi-adam-paper", "Quasi-Adam with the rate of the paper", 4, 1, moves(9, 4), 3e-3, false, |_| MethodSpec::QuasiAdam(QuasiAdamConfig::paper());
        "adahessian-study", "AdaHessian as in the EPFL study: eps 1e-8, no averaging", 2, 3, None, 0.1, false, |_| MethodSpec::AdaHessian(AdaHessianConfig::study());
        "l-bfgs-torch", "PyTorch's L-BFGS: 20 iterations a step, no search", 202, 20, None, 0.1, false, |_| MethodSpec::LBfgs(LBfgsConfig::torch());
        "svrg-bb", "SVRG with Barzilai-Borwein rates", 2, 3, None, 0.1, false, |run| MethodSpec::Svrg(SvrgConfig::new(run.steps_per_epoch).with_barzilai_borwein(true));
    }
}

impl MethodSpec {
    /// The same method with some hyper-parameters changed.
    ///
    /// # Errors
    /// An unknown hyper-parameter, or a value of the wrong kind.
    pub fn with(&self, keys: &Map<String, Value>) -> Result<Self, SpecError> {
        let failed = |error: serde_json::Error| SpecError::Value {
            method: self.method().to_string(),
            key: "its hyper-parameters".to_string(),
            wanted: "those of a configuration".to_string(),
            value: error.to_string(),
        };
        let own = self.to_keys().map_err(failed)?;
        let is_usable = |keys| self.of_keys(keys).map(drop).map_err(|error| error.to_string());
        let known = self.hyper_parameters();
        self.of_keys(overlay(self.method(), known, &own, keys, is_usable)?).map_err(failed)
    }

    /// Every hyper-parameter with its value.
    pub fn values(&self) -> Vec<(&'static HyperParameter, Value)> {
        let keys = written(self.to_keys().unwrap_or_default());
        let value = |parameter: &HyperParameter| keys.get(parameter.name).cloned();
        let all = self.hyper_parameters().iter();
        all.map(|parameter| (parameter, value(parameter).unwrap_or_default())).collect()
    }
}

impl Serialize for MethodSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = Map::from_iter([("method".to_string(), self.method().into())]);
        all.extend(written(self.to_keys().map_err(S::Error::custom)?));
        all.serialize(serializer)
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
