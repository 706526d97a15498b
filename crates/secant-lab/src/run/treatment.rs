//! How a method is run besides its hyper-parameters and its learning rate.

use burn::module::{Module, ParamGroup};
use secant::{AnyOptimizer, Clipping, Decay, error::ConfigError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Schedule;

/// How a method is run besides its hyper-parameters and its learning rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Treatment {
    /// How its rate changes over the run.
    pub schedule: Schedule,
    /// The norm down to which the whole gradient is scaled; as it is where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Parameters with settings of their own; of two that name the same, the later one counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
}

/// Parameters with settings of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Group {
    /// A regular expression for their paths, such as `bias$`.
    pub paths: String,
    /// A factor for the learning rate.
    #[serde(default = "one")]
    pub rate_factor: f64,
    /// The weight decay instead of the method's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decay: Option<Decay>,
}

fn one() -> f64 {
    1.0
}

/// A treatment that an optimizer does not allow.
#[derive(Debug, Error)]
pub enum TreatmentError {
    /// The paths of a group are no regular expression.
    #[error("the paths `{paths}` of a group are no regular expression: {reason}")]
    Paths {
        /// What was given.
        paths: String,
        /// Why not.
        reason: String,
    },
    /// The optimizer refuses it.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Treatment {
    /// The optimizer with clipping and groups.
    ///
    /// # Errors
    /// Paths that are no regular expression, or a setting that the optimizer refuses.
    pub(super) fn apply<M: Module>(
        &self,
        mut optimizer: AnyOptimizer<M>,
    ) -> Result<AnyOptimizer<M>, TreatmentError> {
        if let Some(norm) = self.clip_norm {
            optimizer = optimizer.with_clipping(Clipping::GlobalNorm(norm))?;
        }
        for group in &self.groups {
            optimizer = optimizer.with_group(group.of_optimizer()?)?;
        }
        Ok(optimizer)
    }
}

impl Group {
    fn of_optimizer(&self) -> Result<secant::Group, TreatmentError> {
        let paths = ParamGroup::from_regex(&self.paths).map_err(|reason| {
            TreatmentError::Paths { paths: self.paths.clone(), reason: format!("{reason:?}") }
        })?;
        let group = secant::Group::new(paths).with_rate_factor(self.rate_factor);
        Ok(match self.decay {
            Some(decay) => group.with_decay(decay),
            None => group,
        })
    }
}
