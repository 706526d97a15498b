//! Steps 1 to 7: the direction, the plane, the step in it and its check. Nothing of the state changes.

use secant_core::{
    plane::{Averaged, Growth, Symmetric, next_damping},
    report::Rejection,
};

use super::{
    super::narrow, SubspaceNewton, SubspaceNewtonConfig, SubspaceNewtonState, kernels::Direct,
    products::Products,
};
use crate::{
    blocks::{Blocks, Entry, Layout, add_scaled, for_each_layer},
    error::StepError,
    objective::Objective,
    oracle::Records,
    preconditioner::Direction,
    protocol::shrink,
};

/// Steps that measure the curvature whatever `curvature_every` is.
const FIRST_STEPS: u64 = 10;

/// b of step 5: an average bears long steps, and needs shorter ones only where noise is much.
const LEAST_WITH_AVERAGE: f64 = 0.6;

/// A step before it is made, and what the state will be after it.
pub(super) struct Trial {
    /// The next p, times whose `step[0]` the parameters move.
    p: Blocks,
    /// lr c
    pub(super) step: [f64; 2],
    /// lr |s| / |d|
    length: f64,
    m: Blocks,
    v: Blocks,
    averaged: Averaged,
    growth: Growth,
    lambda: f64,
    /// What the model says of the step, where that is to be checked.
    promised: Option<f64>,
}

/// A step's end.
pub(super) struct Reached {
    pub(super) point: Blocks,
    /// f there, where it was looked at.
    pub(super) after: Option<f64>,
    pub(super) trial: Trial,
}

impl Trial {
    /// What the state is after the step.
    pub(super) fn leave(self, state: &mut SubspaceNewtonState) {
        (state.m, state.v, state.p) = (self.m, self.v, self.p);
        (state.curvature, state.weights) =
            (self.averaged.sums.into(), self.averaged.weights.into());
        state.growth = vec![self.growth.slope_ratio, self.growth.factor];
        state.damping = vec![self.lambda];
    }
}

impl SubspaceNewton {
    /// Steps 1 to 5; none where a number is not finite.
    pub(super) fn trial(
        &self,
        layers: &[Direction],
        objective: &mut Objective<'_>,
        theta: &mut Blocks,
        gradient: &Blocks,
        state: &mut SubspaceNewtonState,
    ) -> Result<Option<Trial>, StepError> {
        let SubspaceNewtonConfig { curvature_average, cap, cap_growth, average, .. } = self.config;
        let [downhill, m, v] = self.downhill(layers, objective.context.layout, gradient, state);
        let products = Products::of(objective.context, [&downhill, &state.p], gradient);
        let mut averaged = state.averaged();
        let mut measured = None;
        if self.is_measured(state.steps) {
            let along = [&downhill, &state.p];
            let curvature = self.measure(objective, theta, along, &products)?;
            averaged = averaged.with(curvature_average, curvature, products.has_second());
            measured = Some(curvature);
        }
        let plane = products.plane(averaged.mean());
        if !plane.is_finite() {
            return Ok(None);
        }
        let least = average.map_or(1.0, |_| LEAST_WITH_AVERAGE);
        let growth = state.growth().after(&plane, [least, cap_growth]);
        let lambda = state.lambda();
        let c = plane.minimiser(lambda, growth.factor * cap);
        let lr = objective.context.tensors.first().map_or(0.0, |tensor| tensor.lr);
        let step = c.map(|c| lr * c);
        let promised = measured
            .filter(|_| self.is_checked(state.steps))
            .map(|curvature| products.plane(curvature).change(lambda, step));
        let length = plane.length(step);
        let p = next_direction(downhill, c, &state.p);
        Ok(Some(Trial { p, step, length, m, v, averaged, growth, lambda, promised }))
    }

    /// Step 1: -d, and the averages that it was made of. Of the state nothing is changed.
    fn downhill(
        &self,
        layers: &[Direction],
        layout: &Layout,
        gradient: &Blocks,
        state: &mut SubspaceNewtonState,
    ) -> [Blocks; 3] {
        let (mut d, mut m, mut v) = (gradient.clone(), state.m.clone(), state.v.clone());
        let scale = |(layer, entry): (&Direction, &Entry)| {
            -layer.bias_correction(state.steps) * narrow(&entry.shape, self.config.narrow_below)
        };
        let scales: Vec<f64> = layers.iter().zip(layout.entries()).map(scale).collect();
        let direct = Direct { layers, scales: &scales };
        // Its kernel does every part.
        let _ = for_each_layer(&direct, [&mut d, &mut m, &mut v, &mut state.bases]);
        [d, m, v]
    }

    /// Whether the curvature is measured after `k` gradients.
    fn is_measured(&self, k: u64) -> bool {
        let every = self.config.curvature_every as u64;
        k <= FIRST_STEPS || k.is_multiple_of(every) || self.is_checked(k)
    }

    fn is_checked(&self, k: u64) -> bool {
        k.is_multiple_of(self.config.check_every as u64)
    }

    /// Step 3: C = D'G D, decay included. Along p alone where there is one.
    fn measure(
        &self,
        objective: &mut Objective<'_>,
        theta: &mut Blocks,
        along: [&Blocks; 2],
        products: &Products,
    ) -> Result<Symmetric, StepError> {
        let batch = objective.oracle.batch_sizes().batch as f64;
        let part = Records::Part((self.config.curvature_share * batch).ceil() as usize);
        let directions = if products.has_second() { &along[..] } else { &along[..1] };
        let form = objective.oracle.curvature_form(part, theta, directions)?;
        let entry = |i: usize, j: usize| form.get(i).and_then(|row| row.get(j)).copied();
        let [first, mixed, second] = [(0, 0), (0, 1), (1, 1)].map(|(i, j)| entry(i, j));
        let of_loss = [first, mixed, second].map(|entry| entry.unwrap_or(0.0));
        Ok(Symmetric(of_loss).plus(1.0, products.decay))
    }

    /// Steps 6 and 7, without writing anything.
    pub(super) fn reach(
        &self,
        objective: &mut Objective<'_>,
        mut theta: Blocks,
        value: f64,
        mut trial: Trial,
    ) -> Result<Result<Reached, Rejection>, StepError> {
        add_scaled(&mut theta, trial.step[0], &trial.p);
        let mut after = None;
        if let Some(promised) = trial.promised.filter(|promised| *promised < 0.0) {
            let found = objective.value_at(&mut theta)?;
            if !found.is_finite() {
                return Ok(Err(Rejection::NonFiniteLoss));
            }
            let steps = self.config.check_every as u64;
            trial.lambda = next_damping(trial.lambda, promised, found - value, steps);
            after = Some(found);
        }
        shrink(objective.context, &mut theta, trial.length);
        Ok(Ok(Reached { point: theta, after, trial }))
    }
}

/// D c / c_1; zero where nothing moves.
fn next_direction(mut downhill: Blocks, c: [f64; 2], p: &Blocks) -> Blocks {
    if c[0] > 0.0 {
        add_scaled(&mut downhill, c[1] / c[0], p);
        downhill
    } else {
        downhill.zeros_like()
    }
}
