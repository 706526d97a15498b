//! Burgers' equation with a shock (Raissi, Perdikaris, Karniadakis 2019, *Physics-informed neural networks*).
//!
//! The solution is that of Cole and Hopf: with y = x - sqrt(4 nu t) z,
//!
//! ```text
//! u(x, t) = - ∫ sin(pi y) w dz / ∫ w dz,   w = exp(-z² - cos(pi y) / (2 pi nu)).
//! ```
//!
//! Both integrands are smooth and vanish at both ends, where sums over equal steps converge faster than any
//! power of the step.

use std::f64::consts::PI;

use super::{
    equation::{Equation, Features, Place},
    jet::Order,
    points::even_steps,
};

/// The viscosity.
const NU: f64 = 0.01 / PI;

/// u_t + u u_x = nu u_xx for x in [-1, 1] and t in [0, 1], with u = -sin(pi x) at first and u = 0 at x = -1
/// and x = 1.
///
/// At x = 0 a shock stands, a hundredth wide, that evenly spread points hardly see: of every second point, x is
/// the cube of an even spread.
pub(super) static BURGERS: Equation = Equation {
    name: "physics/burgers",
    line: "Burgers' equation with a shock, viscosity 0.01/pi; tanh 2-20-20-20-1",
    domain: &[[-1.0, 1.0], [0.0, 1.0]],
    orders: &[Order::Second, Order::First],
    features: Features::Coordinates,
    hidden: &[20, 20, 20],
    residual: |u, _| u.first(1) + u.value.clone() * u.first(0) - u.second(0).mul_scalar(NU),
    source: |_| 0.0,
    solution: |places| places.iter().map(|place| cole_hopf(*place)).collect(),
    edge,
    edge_weight: 10.0,
    points: 2000,
    spread: |number, unit| {
        let [x, t] = BURGERS.place(unit);
        [if number % 2 == 0 { x } else { x * x * x }, t]
    },
    cells: [[128, 16], [256, 32]],
};

fn edge() -> Vec<(Place, f64)> {
    let first = even_steps(-1.0, 1.0, 100).map(|x| ([x, 0.0], -(PI * x).sin()));
    let sides = even_steps(0.0, 1.0, 50).flat_map(|t| [([-1.0, t], 0.0), ([1.0, t], 0.0)]);
    first.chain(sides).collect()
}

/// Steps of z, and how far it goes: w is largest at |z| < 9 and e^-25 of that 5 further on.
const STEP: f64 = 0.125;
const FARTHEST: i32 = 112;

fn cole_hopf([x, t]: Place) -> f64 {
    let width = (4.0 * NU * t).sqrt();
    let exponent = |z: f64| -z * z - (PI * (x - width * z)).cos() / (2.0 * PI * NU);
    let places = || (-FARTHEST..=FARTHEST).map(|k| STEP * f64::from(k));
    let most = places().map(exponent).fold(f64::NEG_INFINITY, f64::max);
    let (mut upper, mut lower) = (0.0, 0.0);
    for z in places() {
        let w = (exponent(z) - most).exp();
        upper += (PI * (x - width * z)).sin() * w;
        lower += w;
    }
    -upper / lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steepest_slope_of_the_shock_is_the_published_one() {
        // Basdevant et al. 1986: |u_x| at x = 0 is 152.00516 at its largest, at pi t = 1.6037.
        let t = 1.6037 / PI;
        let slope = |t: f64| {
            let h = 1e-5;
            let at = |steps: f64| cole_hopf([steps * h, t]);
            // Fourth order: truncation h⁴/30 u^(5), about 1e-10 of a slope whose scale is 1/76.
            (at(-2.0) - 8.0 * at(-1.0) + 8.0 * at(1.0) - at(2.0)) / (12.0 * h)
        };
        assert!((slope(t).abs() - 152.005_16).abs() < 1e-3, "{}", slope(t));
        assert!([0.98, 1.02].iter().all(|factor| slope(t * factor).abs() < slope(t).abs()));
    }

    #[test]
    fn it_is_odd_and_begins_with_the_sine() {
        for (x, t) in [(0.1, 0.3), (0.9, 1.0), (0.02, 0.6)] {
            // Sums of 225 terms of either sign, up to 1e-14.
            assert!((cole_hopf([x, t]) + cole_hopf([-x, t])).abs() < 1e-13);
        }
        assert!((cole_hopf([0.3, 0.0]) + (0.3 * PI).sin()).abs() < 1e-13);
    }
}
