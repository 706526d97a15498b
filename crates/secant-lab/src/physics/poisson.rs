//! Poisson's equation, in one and in two variables.

use std::f64::consts::PI;

use super::{
    equation::{Equation, Features, Place},
    helmholtz::square,
    jet::Order,
};

/// u'' = f on [-1, 1] with u = sin(pi x) + 0.1 sin(4 pi x).
pub(super) static ONE: Equation = Equation {
    name: "physics/poisson-1d",
    line: "Poisson's equation on a line, two frequencies; tanh 1-20-20-1",
    domain: &[[-1.0, 1.0]],
    orders: &[Order::Second],
    features: Features::Coordinates,
    hidden: &[20, 20],
    residual: |u, source| u.second(0) - source,
    source: |[x, _]| -PI * PI * ((PI * x).sin() + 1.6 * (4.0 * PI * x).sin()),
    solution: |places| places.iter().map(|[x, _]| wave(*x)).collect(),
    edge: || [-1.0, 1.0].map(|x| ([x, 0.0], 0.0)).to_vec(),
    edge_weight: 100.0,
    points: 256,
    spread: |_, unit| ONE.place(unit),
    cells: [[400, 1], [1000, 1]],
};

fn wave(x: f64) -> f64 {
    (PI * x).sin() + 0.1 * (4.0 * PI * x).sin()
}

/// u_xx + u_yy = f on [-1, 1]² with u = sin(pi x) sin(pi y), which is 0 on the boundary.
pub(super) static TWO: Equation = Equation {
    name: "physics/poisson-2d",
    line: "Poisson's equation on a square; tanh 2-20-20-20-1",
    domain: &[[-1.0, 1.0], [-1.0, 1.0]],
    orders: &[Order::Second, Order::Second],
    features: Features::Coordinates,
    hidden: &[20, 20, 20],
    residual: |u, source| u.second(0) + u.second(1) - source,
    source: |place| -2.0 * PI * PI * product(place),
    solution: |places| places.iter().map(|place| product(*place)).collect(),
    edge: || square(50),
    edge_weight: 100.0,
    points: 1000,
    spread: |_, unit| TWO.place(unit),
    cells: [[40, 40], [64, 64]],
};

fn product([x, y]: Place) -> f64 {
    (PI * x).sin() * (PI * y).sin()
}
