//! The methods that a benchmark knows, and the memory that a step of each must move.

use clap::ValueEnum;
use secant::{
    AdaBeliefConfig, AdamConfig, ApolloConfig, Momentum, QuasiAdamConfig, RAdamConfig,
    RmsPropConfig, SgdConfig, error::ConfigError,
    method::lbfgs::quasi_adam::replace_ema::QuasiAdamEmaConfig,
};

use super::{
    Shapes,
    contender::{BoxedContender, burn_adam, ours},
};

/// A method with the settings it is timed at; they are the defaults unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchMethod {
    /// SGD without momentum
    Sgd,
    /// SGD with momentum 0.9
    SgdMomentum,
    /// Adam
    Adam,
    /// AdamW
    Adamw,
    /// RMSprop
    Rmsprop,
    /// RAdam
    Radam,
    /// AdaBelief
    Adabelief,
    /// Apollo
    Apollo,
    /// Quasi-Adam with a cap on the quasi-Newton term, which needs one more inner product
    QuasiAdam,
    /// Quasi-Adam as the paper prints it
    QuasiAdamPaper,
    /// Quasi-Adam as its authors' code has it
    QuasiAdamEma,
    /// Burn's own Adam, for comparison
    BurnAdam,
}

/// Vectors that a step reads and writes, as the method's documentation counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Vectors read; one that is read in each of two passes counts twice.
    pub reads: usize,
    /// Vectors written.
    pub writes: usize,
}

impl Traffic {
    /// Vectors moved.
    pub fn vectors(self) -> usize {
        self.reads + self.writes
    }
}

impl BenchMethod {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string())
    }

    /// What a step must move at least. The guard reads the gradient once more; Burn's Adam would
    /// need no more than ours.
    pub fn traffic(self, guard: bool) -> Traffic {
        let (reads, writes) = match self {
            Self::Sgd => (2, 1),
            Self::SgdMomentum | Self::Rmsprop => (3, 2),
            Self::Adam | Self::Adamw | Self::Radam | Self::Adabelief | Self::BurnAdam => (4, 3),
            Self::Apollo | Self::QuasiAdamPaper => (9, 4),
            Self::QuasiAdam => (11, 4),
            Self::QuasiAdamEma => (8, 4),
        };
        Traffic { reads: reads + usize::from(guard), writes }
    }

    /// Whether it is ours, and can look for values that are not finite before it writes.
    pub fn has_guard(self) -> bool {
        self != Self::BurnAdam
    }

    /// The optimizer with a model of its own.
    pub(super) fn contender(
        self,
        shapes: Shapes,
        guard: bool,
    ) -> Result<BoxedContender, ConfigError> {
        let quasi_adam = QuasiAdamConfig::paper();
        match self {
            Self::Sgd => ours(SgdConfig::new().init()?, shapes, guard, 1e-3),
            Self::SgdMomentum => {
                let momentum = Momentum::Torch { momentum: 0.9, dampening: 0.0, nesterov: false };
                ours(SgdConfig::new().with_momentum(momentum).init()?, shapes, guard, 1e-3)
            }
            Self::Adam => ours(AdamConfig::new().init()?, shapes, guard, 1e-4),
            Self::Adamw => ours(AdamConfig::adamw().init()?, shapes, guard, 1e-4),
            Self::Rmsprop => ours(RmsPropConfig::new().init()?, shapes, guard, 1e-4),
            Self::Radam => ours(RAdamConfig::new().init()?, shapes, guard, 1e-4),
            Self::Adabelief => ours(AdaBeliefConfig::new().init()?, shapes, guard, 1e-4),
            Self::Apollo => ours(ApolloConfig::new().init()?, shapes, guard, 1e-3),
            Self::QuasiAdam => {
                ours(quasi_adam.with_max_ratio(Some(1.0)).init()?, shapes, guard, 1e-4)
            }
            Self::QuasiAdamPaper => ours(quasi_adam.init()?, shapes, guard, 1e-4),
            Self::QuasiAdamEma => ours(QuasiAdamEmaConfig::new().init()?, shapes, guard, 1e-6),
            Self::BurnAdam => Ok(burn_adam(shapes, 1e-4)),
        }
    }
}
