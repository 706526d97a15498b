//! Algorithm 3, step 10: what becomes of the pairs after a step whose model was wrong.

use secant_core::rng::SplitMix64;

use super::{
    super::step::{Step, Verdict},
    MbLsr1, MbLsr1Config,
};
use crate::{blocks::Blocks, error::StepError, objective::Known};

/// What happens to the pairs after a step whose model was wrong: rho < tau, or a loss at p* that is not
/// finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Restart {
    /// Nothing: the pair is stored as always. mhat = -1.
    Never,
    /// All are forgotten. mhat = 0.
    Clear,
    /// They stay, and the new one is not stored. 0 < mhat < m.
    Keep,
    /// They make way for m pairs sampled at the new point. mhat = m.
    WarmStart,
}

impl MbLsr1 {
    /// 10. Whether the model was wrong.
    pub(super) fn is_wrong(&self, verdict: &Verdict) -> bool {
        !verdict.actual.is_finite() || verdict.ratio < self.config.tau
    }

    /// Algorithm 3: step 10, where the model was wrong.
    pub(super) fn restart(
        &self,
        step: &mut Step<'_>,
        point: &mut Blocks,
        known: &Known,
        number: u64,
    ) -> Result<(), StepError> {
        match self.config.restart {
            Restart::Never | Restart::Keep => {}
            Restart::Clear => step.restart(),
            Restart::WarmStart => {
                step.restart();
                let MbLsr1Config { sampling, memory, seed, .. } = self.config;
                for sample in 0..memory as u64 {
                    let mut rng = SplitMix64::stream(seed, number * memory as u64 + sample);
                    if let Some((s, y)) =
                        sampling.pair(&mut step.objective, point, known, &mut rng)?
                    {
                        step.matrix.push(s, y);
                    }
                }
            }
        }
        Ok(())
    }
}
