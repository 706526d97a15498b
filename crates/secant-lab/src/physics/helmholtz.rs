//! Helmholtz's equation with an oscillating solution, the usual benchmark (Wang, Teng, Perdikaris 2021,
//! *Understanding and mitigating gradient flow pathologies in physics-informed neural networks*).

use std::f64::consts::PI;

use super::{
    equation::{Equation, Features, Place},
    jet::Order,
    points::even_steps,
};

/// Half waves along x and y: a1 and a2 in u = sin(a1 pi x) sin(a2 pi y).
const WAVES: [f64; 2] = [1.0, 4.0];

/// k² in u_xx + u_yy + k² u = q.
const K_SQUARED: f64 = 1.0;

/// u_xx + u_yy + u = q on [-1, 1]² with u = sin(pi x) sin(4 pi y), which is 0 on the boundary.
pub(super) static HELMHOLTZ: Equation = Equation {
    name: "physics/helmholtz",
    line: "Helmholtz's equation on a square, a wave of 1 x 4; tanh 2-20-20-20-1",
    domain: &[[-1.0, 1.0], [-1.0, 1.0]],
    orders: &[Order::Second, Order::Second],
    features: Features::Coordinates,
    hidden: &[20, 20, 20],
    residual: |u, source| {
        u.second(0) + u.second(1) + u.value.clone().mul_scalar(K_SQUARED) - source
    },
    source: |place| {
        let [a1, a2] = WAVES.map(|a| a * PI);
        (K_SQUARED - a1 * a1 - a2 * a2) * wave(place)
    },
    solution: |places| places.iter().map(|place| wave(*place)).collect(),
    edge: || square(50),
    edge_weight: 100.0,
    points: 1500,
    spread: |_, unit| HELMHOLTZ.place(unit),
    cells: [[40, 40], [64, 64]],
};

fn wave([x, y]: Place) -> f64 {
    (WAVES[0] * PI * x).sin() * (WAVES[1] * PI * y).sin()
}

/// `count` places on each side of [-1, 1]², where the value is 0.
pub(super) fn square(count: usize) -> Vec<(Place, f64)> {
    let sides =
        even_steps(-1.0, 1.0, count).flat_map(|s| [[s, -1.0], [s, 1.0], [-1.0, s], [1.0, s]]);
    sides.map(|place| (place, 0.0)).collect()
}
