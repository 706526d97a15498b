//! Rastrigin's function: many local minima.

use std::f64::consts::TAU;

use secant::Function;

/// 10 n plus the sum of x^2 - 10 cos(2 pi x): a minimum near every point of whole numbers, the least one, 0,
/// at 0.
#[derive(Clone, Copy, Debug)]
pub struct Rastrigin;

impl Function for Rastrigin {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for (&x, g) in x.iter().zip(gradient) {
            let (sine, cosine) = (TAU * x).sin_cos();
            value += x * x + 10.0 * (1.0 - cosine);
            *g = 2.0 * x + 10.0 * TAU * sine;
        }
        value
    }

    fn hessian_vector(&mut self, x: &[f64], v: &[f64], product: &mut [f64]) -> bool {
        for ((&x, &v), product) in x.iter().zip(v).zip(product) {
            *product = (2.0 + 10.0 * TAU * TAU * (TAU * x).cos()) * v;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::minimize::testing::{assert_derivatives, gradient_of};

    #[test]
    fn its_derivatives_are_those_of_its_value() {
        assert_derivatives(&mut Rastrigin, &[2.2, -1.6, 0.1]);
    }

    #[test]
    fn it_is_0_at_0_and_has_a_local_minimum_near_1() {
        assert_eq!(gradient_of(&mut Rastrigin, &[0.0; 3]), (0.0, vec![0.0; 3]));
        let (value, gradient) = gradient_of(&mut Rastrigin, &[0.994_958_637]);
        // The place is known to 9 digits, and the second derivative is about 400.
        assert!((value - 0.994_959_057).abs() < 1e-8 && gradient[0].abs() < 1e-6, "{value}");
    }
}
