//! Algorithm 4: where a step goes, and how far. Steps have the numbers of [MB-LSR1's page](super).

use secant_core::{
    report::Rejection,
    trust_region::{radius::reduction_ratio, subproblem::Case},
};

use super::{
    super::step::{Aim, Arrival, Searched, Share, Step, Verdict, clipped},
    MbLsr1, MbLsr1Config, TrustRegionState,
};
use crate::{
    blocks::{Blocks, combine_rows},
    error::StepError,
};

/// What Algorithm 4 has found.
pub(super) struct Walk {
    pub aim: Aim,
    /// v, where p has a part of it.
    pub v: Option<Momentum>,
    /// The new point and the pair; none where the line search found no other point.
    pub arrival: Option<Arrival>,
    /// Whether alpha = 1.
    pub takes_all: bool,
    pub verdict: Verdict,
}

/// v of step 3, as what is left of it when it is shortened to the radius.
pub(super) struct Momentum {
    unclipped: Blocks,
    factor: f64,
    /// unclipped.g
    slope: f64,
}

impl MbLsr1 {
    /// Algorithm 4: steps 2 to 8.
    pub(super) fn step_computation(
        &self,
        step: &mut Step<'_>,
        state: &TrustRegionState,
    ) -> Result<Result<Walk, Rejection>, StepError> {
        // 3. v.
        let mut v = self.momentum(state, step);
        // 2., 4. to 6. p* and p.
        let aim = match self.aim(step, &mut v) {
            Ok(aim) => aim,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let at_best = if aim.is_minimiser() { None } else { Some(step.value_at_minimiser(&aim)?) };
        // 7. alpha.
        let searched = step.backtrack(self.config.line_search, &aim)?;
        let takes_all = searched.takes_all();
        let Searched { reached, report, first } = searched;
        step.report.line_search = Some(report);
        // 8. s, y and rho.
        let actual = at_best.unwrap_or(first) - step.known.value;
        let ratio = reduction_ratio(actual, aim.best.model_value);
        let verdict = Verdict { actual, ratio, averaged: step.region.average.value() };
        let arrival = reached.and_then(|reached| step.arrive(reached));
        Ok(Ok(Walk { aim, v, arrival, takes_all, verdict }))
    }

    /// The weight of v in p.
    fn weight(&self) -> f64 {
        let MbLsr1Config { eta, mu, hybrid_fixed, .. } = self.config;
        if hybrid_fixed { eta + (1.0 - eta) * mu } else { mu }
    }

    /// 3. v <- mu v - eta alpha_s g + (1 - eta) s, within the radius; none where p has no part of it.
    fn momentum(&self, state: &TrustRegionState, step: &Step<'_>) -> Option<Momentum> {
        if self.weight() == 0.0 {
            return None;
        }
        let lr = step.objective.context.tensors.first().map_or(0.0, |tensor| tensor.lr);
        let along_g = -self.config.eta * lr * self.config.alpha_s;
        let mut v = step.theta.zeros_like();
        let rows: Vec<&Blocks> = state.carried().into_iter().collect();
        let g = &step.known.gradient;
        let [slope, squared] = combine_rows(&mut v, along_g, g, &rows, &[1.0]);
        let (_, factor) = clipped(squared.sqrt(), step.region.delta);
        (squared > 0.0).then_some(Momentum { unclipped: v, factor, slope })
    }

    /// 2. and 4. to 6. Where to go; v is none afterwards where it has no part in that.
    fn aim(&self, step: &mut Step<'_>, v: &mut Option<Momentum>) -> Result<Aim, Rejection> {
        let repeats = usize::from(!step.matrix.is_empty());
        for attempt in 0..=repeats {
            // 2.
            let best = step.minimise()?;
            // 4. and 5.
            let is_all = v.is_none() && self.config.eta == 0.0;
            let aim = if is_all || best.case == Case::Hard {
                Aim::at_minimiser(best)
            } else {
                let momentum = v.as_ref().map(|Momentum { unclipped, factor, slope }| Share {
                    of: unclipped,
                    weight: self.weight() * factor,
                    slope: *slope,
                });
                step.mix(best, 1.0 - self.config.eta, momentum)
            };
            // 6. NaN fails the test.
            let least = self.config.xi * step.gradient_norm * aim.length;
            if aim.length > 0.0 && (aim.best.case == Case::Hard || aim.slope.abs() >= least) {
                return Ok(aim);
            }
            if attempt < repeats {
                step.restart();
            }
        }
        // Without pairs p* is along -g.
        step.restart();
        *v = None;
        Ok(Aim::at_minimiser(step.minimise()?))
    }

    /// mu v + (1 - eta) s: what the next v begins with.
    pub(super) fn carried(&self, v: Option<&Momentum>, s: Option<&Blocks>) -> Blocks {
        let MbLsr1Config { mu, eta, .. } = self.config;
        if self.weight() == 0.0 {
            return Blocks::empty();
        }
        let v = v.map(|v| (&v.unclipped, mu * v.factor));
        let Some((base, weight)) = s.map(|s| (s, 1.0 - eta)).or(v) else { return Blocks::empty() };
        let (rows, weights): (Vec<&Blocks>, Vec<f64>) =
            v.filter(|_| s.is_some()).into_iter().unzip();
        let mut carried = base.zeros_like();
        combine_rows(&mut carried, weight, base, &rows, &weights);
        carried
    }
}
