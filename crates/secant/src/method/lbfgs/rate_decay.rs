//! How the rate of a stochastic quasi-Newton method falls by itself.

/// The factor of the learning rate in step k = 1, 2, ...
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RateDecay {
    /// 1 / sqrt(k).
    InverseRoot,
    /// 1 / k.
    Inverse,
    /// 1: a schedule does it.
    None,
}

impl RateDecay {
    /// Its kinds, as in specifications.
    pub(crate) const WORDS: &str = "inverse-root | inverse | none";

    /// The factor after `steps` steps.
    pub(super) fn factor(self, steps: u64) -> f64 {
        let k = (steps + 1) as f64;
        match self {
            Self::InverseRoot => 1.0 / k.sqrt(),
            Self::Inverse => 1.0 / k,
            Self::None => 1.0,
        }
    }
}
