//! The equation of Allen and Cahn, whose solution breaks up into plateaus (Raissi, Perdikaris, Karniadakis
//! 2019, *Physics-informed neural networks*).
//!
//! There is no formula for the solution. It is even and periodic, so it is a sum of cos(k pi x), which
//! diffusion damps one by one, and the reaction alone has a solution in closed form. The reference makes
//! one after the other (Strang 1968, half a step of the reaction on either side): second order in the step.

use std::{f64::consts::PI, sync::LazyLock};

use super::{
    equation::{Equation, Features, Place},
    jet::Order,
    points::even_steps,
};

const DIFFUSION: f64 = 1e-4;

/// Of 5 u - 5 u³.
const REACTION: f64 = 5.0;

/// u_t = 1e-4 u_xx + 5 (u - u³) for x in [-1, 1] and t in [0, 1], with u = x² cos(pi x) at first; u has period
/// 2 in x, and so has the network, which is given cos(pi x) and sin(pi x).
pub(super) static ALLEN_CAHN: Equation = Equation {
    name: "physics/allen-cahn",
    line: "The equation of Allen and Cahn, periodic; tanh 3-20-20-20-1",
    domain: &[[-1.0, 1.0], [0.0, 1.0]],
    orders: &[Order::Second, Order::First],
    hidden: &[20, 20, 20],
    features: Features::Periodic,
    residual: |u, _| {
        let cube = u.value.clone() * u.value.clone() * u.value.clone();
        let reaction = (u.value.clone() - cube).mul_scalar(REACTION);
        u.first(1) - u.second(0).mul_scalar(DIFFUSION) - reaction
    },
    source: |_| 0.0,
    solution: |places| places.iter().map(|place| REFERENCE.at(*place)).collect(),
    edge: || even_steps(-1.0, 1.0, 128).map(|x| ([x, 0.0], start(x))).collect(),
    edge_weight: 100.0,
    points: 2000,
    spread: |_, unit| ALLEN_CAHN.place(unit),
    cells: [[128, 16], [256, 32]],
};

fn start(x: f64) -> f64 {
    x * x * (PI * x).cos()
}

/// Cosines, steps of time.
static REFERENCE: LazyLock<Reference> = LazyLock::new(|| Reference::new(256, 500));

/// The solution as coefficients of cosines at equal steps of time.
struct Reference {
    /// `[time][frequency]`.
    coefficients: Vec<Vec<f64>>,
}

impl Reference {
    fn new(cosines: usize, steps: usize) -> Self {
        let transform = Transform::new(cosines);
        let step = 1.0 / steps as f64;
        let damped = |(k, c): (usize, &f64)| {
            let frequency = PI * k as f64;
            c * (-DIFFUSION * frequency * frequency * step).exp()
        };
        let mut values: Vec<f64> = transform.places().map(start).collect();
        let mut coefficients = vec![transform.coefficients(&values)];
        for _ in 0..steps {
            values.iter_mut().for_each(|u| *u = react(*u, 0.5 * step));
            let spectrum: Vec<f64> =
                transform.coefficients(&values).iter().enumerate().map(damped).collect();
            values = transform.values(&spectrum);
            values.iter_mut().for_each(|u| *u = react(*u, 0.5 * step));
            coefficients.push(transform.coefficients(&values));
        }
        Self { coefficients }
    }

    /// Between two steps of time the cubic through the four nearest.
    fn at(&self, [x, t]: Place) -> f64 {
        let last = self.coefficients.len() - 1;
        let position = t * last as f64;
        let first = (position.floor() as usize).saturating_sub(1).min(last - 3);
        let s = position - first as f64;
        let weight = |node: usize| {
            let others = (0..4).filter(|other| *other != node);
            others.map(|other| (s - other as f64) / (node as f64 - other as f64)).product::<f64>()
        };
        (0..4).map(|node| weight(node) * sum_of_cosines(&self.coefficients[first + node], x)).sum()
    }
}

/// The reaction u' = 5 (u - u³) alone, after the time t.
fn react(u: f64, t: f64) -> f64 {
    u / (u * u + (1.0 - u * u) * (-2.0 * REACTION * t).exp()).sqrt()
}

/// The sum of c_k cos(k pi x), by Clenshaw's recurrence.
fn sum_of_cosines(coefficients: &[f64], x: f64) -> f64 {
    let twice = 2.0 * (PI * x).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for c in coefficients[1..].iter().rev() {
        (last, before) = (c + twice * last - before, last);
    }
    coefficients[0] + 0.5 * twice * last - before
}

/// Between values at the middles of equal cells of [0, 1] and coefficients of cosines.
struct Transform {
    /// cos(k pi x_j) as `[j][k]`.
    cosines: Vec<Vec<f64>>,
}

impl Transform {
    fn new(size: usize) -> Self {
        let place = |j: usize| (j as f64 + 0.5) / size as f64;
        let row = |j: usize| (0..size).map(|k| (PI * k as f64 * place(j)).cos()).collect();
        Self { cosines: (0..size).map(row).collect() }
    }

    fn places(&self) -> impl Iterator<Item = f64> {
        let size = self.cosines.len();
        (0..size).map(move |j| (j as f64 + 0.5) / size as f64)
    }

    fn values(&self, coefficients: &[f64]) -> Vec<f64> {
        let dot = |row: &Vec<f64>| row.iter().zip(coefficients).map(|(a, b)| a * b).sum();
        self.cosines.iter().map(dot).collect()
    }

    fn coefficients(&self, values: &[f64]) -> Vec<f64> {
        let size = self.cosines.len();
        let mut sums = vec![0.0; size];
        for (row, value) in self.cosines.iter().zip(values) {
            for (sum, cosine) in sums.iter_mut().zip(row) {
                *sum += cosine * value;
            }
        }
        let scale = |(k, sum): (usize, f64)| sum * if k == 0 { 1.0 } else { 2.0 } / size as f64;
        sums.into_iter().enumerate().map(scale).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_as_many_cosines_and_steps_change_the_reference_by_little() {
        let finer = Reference::new(512, 1000);
        let mut worst = 0.0f64;
        for x in even_steps(-1.0, 1.0, 41) {
            for t in even_steps(0.05, 1.0, 20) {
                worst = worst.max((REFERENCE.at([x, t]) - finer.at([x, t])).abs());
            }
        }
        // Second order in a step of 1/500 of rates up to 10: (10 / 500)² = 4e-4.
        assert!(worst < 4e-4, "{worst}");
    }

    #[test]
    fn it_begins_with_the_given_function_and_is_even() {
        for x in [0.0, 0.3, 0.7] {
            // The corner at x = 1 leaves coefficients of 1 / k², and an error of 1 / (pi² 256²) inside.
            assert!((REFERENCE.at([x, 0.0]) - start(x)).abs() < 1e-4, "{x}");
            assert!((REFERENCE.at([x, 0.4]) - REFERENCE.at([-x, 0.4])).abs() < 1e-12);
        }
    }
}
