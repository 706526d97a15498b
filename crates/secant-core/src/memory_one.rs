//! The inverse L-BFGS matrix of one pair, as coefficients.
//!
//! H = gamma I + the update of the pair (s, y) with gamma = s.y / y.y. It is never formed:
//! H g = gamma g + a s + b y with a = rho (2 s.g - gamma y.g), b = -rho gamma s.g, rho = 1 / s.y
//! (Ranganath et al., *Quasi-Adam*, 2024, eq. (8), whose corner entry rho + gamma rho^2 y.y is
//! 2 rho).

use crate::curvature::PairProducts;

/// The vector gamma g + a s + b y.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Combination {
    /// The coefficient of g.
    pub gamma: f64,
    /// The coefficient of s.
    pub a: f64,
    /// The coefficient of y.
    pub b: f64,
}

impl Combination {
    /// H g of a pair with s.y > 0 and y.y > 0; `sg` = s.g and `yg` = y.g.
    ///
    /// Step 4 of Quasi-Adam.
    pub fn of_pair(pair: PairProducts, sg: f64, yg: f64) -> Self {
        let gamma = pair.sy / pair.yy;
        let rho = 1.0 / pair.sy;
        Self { gamma, a: rho * (2.0 * sg - gamma * yg), b: -rho * gamma * sg }
    }

    /// A multiple of g alone.
    pub fn scaled_gradient(gamma: f64) -> Self {
        Self { gamma, a: 0.0, b: 0.0 }
    }

    /// The squared 2-norm of the vector, from all inner products.
    pub fn norm_squared(&self, pair: PairProducts, gg: f64, sg: f64, yg: f64) -> f64 {
        let Self { gamma, a, b } = *self;
        let squares = gamma * gamma * gg + a * a * pair.ss + b * b * pair.yy;
        let mixed = gamma * a * sg + gamma * b * yg + a * b * pair.sy;
        (squares + 2.0 * mixed).max(0.0)
    }

    /// Whether all coefficients are finite.
    pub fn is_finite(&self) -> bool {
        self.gamma.is_finite() && self.a.is_finite() && self.b.is_finite()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, strategy::Strategy};

    use super::*;

    const N: usize = 5;
    type Vector = [f64; N];

    fn dot(a: &Vector, b: &Vector) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn apply(s: &Vector, y: &Vector, g: &Vector) -> Vector {
        let pair = PairProducts { ss: dot(s, s), sy: dot(s, y), yy: dot(y, y) };
        let Combination { gamma, a, b } = Combination::of_pair(pair, dot(s, g), dot(y, g));
        std::array::from_fn(|i| gamma * g[i] + a * s[i] + b * y[i])
    }

    /// The two-loop recursion with one pair, line by line from Nocedal and Wright, Algorithm 7.4.
    fn two_loop(s: &Vector, y: &Vector, g: &Vector) -> Vector {
        let rho = 1.0 / dot(s, y);
        let alpha = rho * dot(s, g);
        let q: Vector = std::array::from_fn(|i| g[i] - alpha * y[i]);
        let gamma = dot(s, y) / dot(y, y);
        let r = q.map(|q| gamma * q);
        let beta = rho * dot(y, &r);
        std::array::from_fn(|i| r[i] + (alpha - beta) * s[i])
    }

    fn vector() -> impl Strategy<Value = Vector> {
        prop::array::uniform5(-1.0..1.0f64)
    }

    /// A pair with a cosine of at least 0.1: the condition number of H, and with it every rounding
    /// error below, is then at most 400.
    fn pair() -> impl Strategy<Value = (Vector, Vector)> {
        (vector(), vector()).prop_filter("positive curvature", |(s, y)| {
            let pair = PairProducts { ss: dot(s, s), sy: dot(s, y), yy: dot(y, y) };
            pair.ss > 0.01 && pair.yy > 0.01 && pair.cosine() > 0.1
        })
    }

    fn assert_close(actual: &Vector, expected: &Vector) {
        let scale = expected.iter().fold(1.0f64, |max, x| max.max(x.abs()));
        for (actual, expected) in actual.iter().zip(expected) {
            assert!((actual - expected).abs() <= 1e-12 * scale, "{actual} != {expected}");
        }
    }

    proptest! {
        #[test]
        fn the_secant_equation_holds((s, y) in pair()) {
            assert_close(&apply(&s, &y, &y), &s);
        }

        #[test]
        fn it_is_the_two_loop_recursion_with_one_pair((s, y) in pair(), g in vector()) {
            assert_close(&apply(&s, &y, &g), &two_loop(&s, &y, &g));
        }

        #[test]
        fn the_matrix_is_symmetric((s, y) in pair(), g in vector(), h in vector()) {
            let (left, right) = (dot(&h, &apply(&s, &y, &g)), dot(&g, &apply(&s, &y, &h)));
            prop_assert!((left - right).abs() <= 1e-11 * left.abs().max(1.0));
        }

        #[test]
        fn the_direction_is_a_descent_direction((s, y) in pair(), g in vector()) {
            prop_assume!(dot(&g, &g) > 1e-4);
            prop_assert!(dot(&g, &apply(&s, &y, &g)) > 0.0);
        }

        #[test]
        fn the_norm_of_any_direction_is_within_the_bound_of_the_pair((s, y) in pair(), g in vector()) {
            let pair = PairProducts { ss: dot(&s, &s), sy: dot(&s, &y), yy: dot(&y, &y) };
            let q = apply(&s, &y, &g);
            let bound = pair.inverse_norm() * dot(&g, &g).sqrt();
            prop_assert!(dot(&q, &q).sqrt() <= bound * (1.0 + 1e-12));
            let combination = Combination::of_pair(pair, dot(&s, &g), dot(&y, &g));
            let squared = combination.norm_squared(pair, dot(&g, &g), dot(&s, &g), dot(&y, &g));
            prop_assert!((squared - dot(&q, &q)).abs() <= 1e-12 * bound * bound);
        }

        #[test]
        fn scaling_the_loss_scales_the_matrix_by_its_inverse((s, y) in pair(), g in vector()) {
            // A power of two: no rounding.
            let scaled = apply(&s, &y.map(|y| 4.0 * y), &g);
            prop_assert_eq!(scaled, apply(&s, &y, &g).map(|q| q / 4.0));
        }

        #[test]
        fn on_an_isotropic_quadratic_the_matrix_is_the_inverse_hessian(s in vector(), g in vector()) {
            prop_assume!(dot(&s, &s) > 0.01);
            let curvature = 8.0;
            assert_close(&apply(&s, &s.map(|s| curvature * s), &g), &g.map(|g| g / curvature));
        }
    }
}
