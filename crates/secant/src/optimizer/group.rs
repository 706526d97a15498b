//! Parameter groups: other settings for some of the parameters.

use burn::module::{ParamGroup, ParamId};

use crate::{
    blocks::Layout,
    error::{ConfigError, StepError, require, require_decay},
    nearest::nearest_path,
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

    pub(crate) fn selects(&self, id: ParamId, path: &str) -> bool {
        self.params.matches(&id, Some(path))
    }

    /// Checks that it selects one of a model's parameters, trained or not.
    pub(crate) fn require_any(&self, all: &Layout) -> Result<(), StepError> {
        if all.entries().iter().any(|entry| self.selects(entry.id, &entry.path)) {
            return Ok(());
        }
        let patterns = patterns(&self.params);
        let group = if patterns.is_empty() {
            "ids".to_string()
        } else {
            let quoted: Vec<String> = patterns.iter().map(|text| format!("`{text}`")).collect();
            quoted.join(", ")
        };
        Err(StepError::EmptyGroup { group, nearest: nearest_path(&patterns, all) })
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

/// The paths and patterns that a group selects by, without those that it excludes. Burn shows them in
/// its debugging text alone.
fn patterns(params: &ParamGroup) -> Vec<String> {
    let text = format!("{params:?}");
    let selects = text.split("excludes:").next().unwrap_or_default();
    // Every second piece between quotation marks is inside of them.
    selects.split('"').skip(1).step_by(2).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_of_every_kind_of_group_are_found() {
        let group = ParamGroup::from_paths(vec!["a.b", "c"]);
        assert_eq!(patterns(&group), ["a.b", "c"]);
        assert_eq!(patterns(&ParamGroup::from_predicate("bias")), ["bias"]);
        let regex = ParamGroup::from_regex("^a.*b$").expect("a pattern");
        assert_eq!(patterns(&regex), ["^a.*b$"]);
        assert_eq!(patterns(&group.exclude(ParamGroup::from_path("d"))), ["a.b", "c"]);
        assert!(patterns(&ParamGroup::from_ids(Vec::new())).is_empty());
    }
}
