//! Rosenbrock's valley, in any dimension from 2.

use secant::Function;

/// The sum of 100 (x\[i+1\] - x\[i\]^2)^2 + (1 - x\[i\])^2: a curved, narrow valley down to (1, .., 1), where it
/// is 0.
#[derive(Clone, Copy, Debug)]
pub struct Rosenbrock;

impl Function for Rosenbrock {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        gradient.fill(0.0);
        for i in 1..x.len() {
            let (across, along) = (x[i] - x[i - 1] * x[i - 1], 1.0 - x[i - 1]);
            value += 100.0 * across * across + along * along;
            gradient[i - 1] -= 400.0 * x[i - 1] * across + 2.0 * along;
            gradient[i] += 200.0 * across;
        }
        value
    }

    fn hessian_vector(&mut self, x: &[f64], v: &[f64], product: &mut [f64]) -> bool {
        product.fill(0.0);
        for i in 1..x.len() {
            let mixed = -400.0 * x[i - 1];
            let first = 1200.0 * x[i - 1] * x[i - 1] - 400.0 * x[i] + 2.0;
            product[i - 1] += first * v[i - 1] + mixed * v[i];
            product[i] += mixed * v[i - 1] + 200.0 * v[i];
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
        assert_derivatives(&mut Rosenbrock, &[-1.2, 1.0]);
        assert_derivatives(&mut Rosenbrock, &[0.3, -0.7, 1.1, 0.2, -0.4]);
    }

    #[test]
    fn it_is_24_2_at_the_usual_start_and_0_at_ones() {
        let (start, _) = gradient_of(&mut Rosenbrock, &[-1.2, 1.0]);
        // 100 0.44^2 + 2.2^2, up to roundings of numbers near 20.
        assert!((start - 24.2).abs() < 1e-13, "{start}");
        assert_eq!(gradient_of(&mut Rosenbrock, &[1.0; 5]), (0.0, vec![0.0; 5]));
    }
}
