//! The timing itself: all contenders in turn, a few steps at a time.

use anyhow::Context;
use secant::protocol::Traffic;

use super::{
    BenchMethod, Shapes,
    bandwidth::Bandwidth,
    contender::Prepared,
    model::{BenchModel, Gradients},
};

/// Timed steps of one contender before it is the next one's turn. A machine that slows down for a
/// while then slows all of them, and their ratios stay.
const BLOCK: usize = 10;

/// Steps before the clock starts: the first makes the state, RAdam's first five are shorter.
const WARM_UP: usize = 10;

/// Steps that are not timed at the start of each turn, to have the contender's vectors in cache as
/// far as they fit.
const WARM_TURN: usize = 2;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The tensors.
    pub shapes: Shapes,
    /// The methods.
    pub methods: Vec<BenchMethod>,
    /// The settings of the guard.
    pub guards: Vec<bool>,
    /// Timed steps of each; a number that suits the shapes if not given.
    pub rounds: Option<usize>,
}

/// What was measured of one method with one setting of the guard.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// The method.
    pub method: BenchMethod,
    /// The tensors.
    pub shapes: Shapes,
    /// Whether gradients were checked; never with Burn's Adam.
    pub guard: bool,
    /// Timed steps.
    pub rounds: usize,
    /// The median time of a step.
    pub median_seconds: f64,
    /// The time of the fastest step.
    pub minimum_seconds: f64,
    /// Bytes that a step must move, where they have been counted.
    pub bytes: Option<usize>,
    /// The median over the turns of the bandwidth measured in the same turn.
    pub bandwidth: f64,
    /// Bytes moved in a step's time, as a fraction of that bandwidth.
    pub fraction: Option<f64>,
    /// The step's time in times of our Adam's with the same guard, where that was measured.
    pub by_adam: Option<f64>,
    /// The step's time in times of Burn's Adam's, where that was measured.
    pub by_burn_adam: Option<f64>,
    /// Bytes of the optimizer's state, where known.
    pub state_bytes: Option<usize>,
}

struct Lane {
    method: BenchMethod,
    guard: bool,
    prepared: Prepared,
    /// The steps of each turn.
    turns: Vec<Vec<f64>>,
}

/// Times the steps of a plan, on the threads of the current pool.
///
/// # Errors
/// A step that failed or was rejected.
pub fn measure(plan: &Plan) -> anyhow::Result<Vec<Measurement>> {
    let mut lanes = lanes(plan)?;
    let gradients = Gradients::new(&BenchModel::new(plan.shapes));
    let mut memory = Bandwidth::new(plan.shapes.num_elements());
    let turns = plan.rounds.unwrap_or_else(|| plan.shapes.rounds()).div_ceil(BLOCK);
    let mut bandwidths = Vec::new();
    for turn in 0..turns {
        bandwidths.push(memory.bytes_per_second(BLOCK));
        for lane in &mut lanes {
            let warm_up = if turn == 0 { WARM_UP } else { WARM_TURN };
            lane.turn(&gradients, warm_up).with_context(|| format!("{} failed", lane.method))?;
        }
    }
    let find = |method: &str, guard: bool| {
        lanes.iter().find(|lane| lane.method.to_string() == method && lane.guard == guard)
    };
    let measurement = |lane: &Lane| {
        let adam = find("adam", lane.guard);
        let burn = find("burn-adam", false);
        lane.measurement(plan.shapes, &bandwidths, adam, burn)
    };
    Ok(lanes.iter().map(measurement).collect())
}

fn lanes(plan: &Plan) -> anyhow::Result<Vec<Lane>> {
    let ahead = plan.shapes.prepared_ahead();
    let mut lanes = Vec::new();
    for method in &plan.methods {
        let guards: &[bool] = if method.has_guard() { &plan.guards } else { &[false] };
        for &guard in guards {
            let prepared = Prepared::new(method.contender(plan.shapes, guard)?, ahead);
            lanes.push(Lane { method: method.clone(), guard, prepared, turns: Vec::new() });
        }
    }
    Ok(lanes)
}

impl Lane {
    fn turn(&mut self, gradients: &Gradients, warm_up: usize) -> anyhow::Result<()> {
        for _ in 0..warm_up {
            self.prepared.timed_step(gradients)?;
        }
        let mut steps = Vec::with_capacity(BLOCK);
        for _ in 0..BLOCK {
            steps.push(self.prepared.timed_step(gradients)?.as_secs_f64());
        }
        self.prepared.rest();
        self.turns.push(steps);
        Ok(())
    }

    /// The time in times of `other`'s: the median over the turns of the ratio of medians.
    fn ratio(&self, other: &Self) -> f64 {
        let of = |(a, b): (&Vec<f64>, &Vec<f64>)| median(a) / median(b);
        median(&self.turns.iter().zip(&other.turns).map(of).collect::<Vec<_>>())
    }

    fn measurement(
        &self,
        shapes: Shapes,
        bandwidths: &[f64],
        adam: Option<&Self>,
        burn: Option<&Self>,
    ) -> Measurement {
        let steps = self.turns.concat();
        let vectors = self.method.traffic(self.guard).map(Traffic::vectors);
        let bytes = vectors.map(|vectors| vectors * shapes.num_elements() * size_of::<f32>());
        let fraction = bytes.map(|bytes| {
            let of =
                |(steps, bandwidth): (&Vec<f64>, &f64)| bytes as f64 / median(steps) / bandwidth;
            median(&self.turns.iter().zip(bandwidths).map(of).collect::<Vec<_>>())
        });
        Measurement {
            method: self.method.clone(),
            shapes,
            guard: self.guard,
            rounds: steps.len(),
            median_seconds: median(&steps),
            minimum_seconds: steps.iter().copied().fold(f64::INFINITY, f64::min),
            bytes,
            bandwidth: median(bandwidths),
            fraction,
            by_adam: adam.map(|adam| self.ratio(adam)),
            by_burn_adam: burn.map(|burn| self.ratio(burn)),
            state_bytes: self.prepared.state_bytes(),
        }
    }
}

/// The middle value, or the mean of the two middle ones; of nothing, NaN.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.get(sorted.len().wrapping_sub(1) / 2), sorted.get(sorted.len() / 2)) {
        (Some(low), Some(high)) => 0.5 * (low + high),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_of_the_sorted_values() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median(&[]).is_nan());
    }
}
