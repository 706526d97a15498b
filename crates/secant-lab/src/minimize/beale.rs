//! Beale's function of two numbers.

use secant::Function;

/// The sum over i = 1, 2, 3 of (c_i - x (1 - y^i))^2: steep walls around a flat bottom, 0 at (3, 0.5).
#[derive(Clone, Copy, Debug)]
pub struct Beale;

/// c_i, and i.
const TERMS: [(f64, i32); 3] = [(1.5, 1), (2.25, 2), (2.625, 3)];

/// y^i and its first two derivatives.
fn power(y: f64, i: i32) -> [f64; 3] {
    let n = f64::from(i);
    let second = if i > 1 { n * (n - 1.0) * y.powi(i - 2) } else { 0.0 };
    [y.powi(i), n * y.powi(i - 1), second]
}

impl Function for Beale {
    fn gradient(&mut self, at: &[f64], gradient: &mut [f64]) -> f64 {
        let (x, y) = (at[0], at[1]);
        let mut value = 0.0;
        gradient.fill(0.0);
        for (c, i) in TERMS {
            let [power, first, _] = power(y, i);
            let residual = c - x * (1.0 - power);
            value += residual * residual;
            gradient[0] -= 2.0 * residual * (1.0 - power);
            gradient[1] += 2.0 * residual * x * first;
        }
        value
    }

    fn hessian_vector(&mut self, at: &[f64], v: &[f64], product: &mut [f64]) -> bool {
        let (x, y) = (at[0], at[1]);
        product.fill(0.0);
        for (c, i) in TERMS {
            let [power, first, second] = power(y, i);
            let residual = c - x * (1.0 - power);
            // The residual's gradient is (power - 1, x first).
            let along = (power - 1.0) * v[0] + x * first * v[1];
            product[0] += 2.0 * ((power - 1.0) * along + residual * first * v[1]);
            product[1] += 2.0 * (x * first * along + residual * (first * v[0] + x * second * v[1]));
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
        assert_derivatives(&mut Beale, &[1.0, 1.0]);
        assert_derivatives(&mut Beale, &[-0.7, 0.4]);
    }

    #[test]
    fn it_is_0_at_its_minimum() {
        // All numbers there are sums of powers of 2.
        assert_eq!(gradient_of(&mut Beale, &[3.0, 0.5]), (0.0, vec![0.0; 2]));
    }
}
