//! Parameter groups: other settings for some of the parameters.

use burn::module::ParamGroup;

use crate::{
    error::{ConfigError, require, require_decay},
    protocol::Decay,
};

/// Other settings for the parameters that `params` selects, by path, pattern or id as in Burn.
///
/// A parameter in several groups belongs to the one added last.
#[derive(Clone, Debug)]
pub struct Group {
    params: ParamGroup,
    rate_factor: f64,
    decay: Option<Decay>,
}

impl Group {
    /// A group with the settings of all others.
    pub fn new(params: ParamGroup) -> Self {
        Self { params, rate_factor: 1.0, decay: None }
    }

    /// Multiplies the learning rate, at least 0.
    #[must_use]
    pub fn with_rate_factor(mut self, factor: f64) -> Self {
        self.rate_factor = factor;
        self
    }

    /// Replaces kind and strength of the weight decay.
    #[must_use]
    pub fn with_decay(mut self, decay: Decay) -> Self {
        self.decay = Some(decay);
        self
    }

    pub(crate) fn selects(&self, id: burn::module::ParamId, path: &str) -> bool {
        self.params.matches(&id, Some(path))
    }

    pub(crate) fn rate_factor(&self) -> f64 {
        self.rate_factor
    }

    pub(crate) fn decay(&self) -> Option<Decay> {
        self.decay
    }

    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let at_least_0 = |x: f64| x >= 0.0 && x.is_finite();
        require("group", "rate_factor", "finite and at least 0", self.rate_factor, at_least_0)?;
        require_decay("group", self.decay.unwrap_or_default())
    }
}
