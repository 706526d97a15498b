//! A quadratic function with eigenvalues as one likes.

use secant::Function;
use secant_core::rng::SplitMix64;

/// (x - e)'A(x - e) / 2, where e is all ones: 0 there. The eigenvalues of A go from 1 to the condition in
/// equal ratios, and its eigenvectors are the columns of a random reflection 1 - 2 u u'.
#[derive(Clone, Debug)]
pub struct Quadratic {
    eigenvalues: Vec<f64>,
    normal: Vec<f64>,
}

impl Quadratic {
    /// A quadratic of a dimension and a condition from 1.
    pub fn new(dimension: usize, condition: f64, seed: u64) -> Self {
        let last = dimension.max(2) - 1;
        let eigenvalue = |i: usize| condition.powf(i as f64 / last as f64);
        let mut random = SplitMix64::new(seed);
        let mut normal: Vec<f64> = (0..dimension).map(|_| f64::from(random.bell())).collect();
        let length = dot(&normal, &normal).sqrt();
        normal.iter_mut().for_each(|u| *u /= length);
        Self { eigenvalues: (0..dimension).map(eigenvalue).collect(), normal }
    }

    /// x <- x - 2 u (u'x).
    fn reflect(&self, x: &mut [f64]) {
        let twice = 2.0 * dot(&self.normal, x);
        x.iter_mut().zip(&self.normal).for_each(|(x, u)| *x -= twice * u);
    }

    /// v <- A v.
    fn multiply(&self, v: &mut [f64]) {
        self.reflect(v);
        v.iter_mut().zip(&self.eigenvalues).for_each(|(v, eigenvalue)| *v *= eigenvalue);
        self.reflect(v);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Function for Quadratic {
    fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g = x - 1.0);
        self.multiply(gradient);
        0.5 * x.iter().zip(&*gradient).map(|(x, g)| (x - 1.0) * g).sum::<f64>()
    }

    fn hessian_vector(&mut self, _: &[f64], v: &[f64], product: &mut [f64]) -> bool {
        product.copy_from_slice(v);
        self.multiply(product);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::minimize::testing::{assert_derivatives, gradient_of};

    #[test]
    fn its_derivatives_are_those_of_its_value() {
        assert_derivatives(&mut Quadratic::new(5, 30.0, 3), &[0.4, -1.0, 2.0, 0.0, 0.3]);
        assert_derivatives(&mut Quadratic::new(1, 30.0, 3), &[0.4]);
    }

    #[test]
    fn it_is_0_at_ones() {
        assert_eq!(gradient_of(&mut Quadratic::new(4, 100.0, 0), &[1.0; 4]), (0.0, vec![0.0; 4]));
    }

    #[test]
    fn its_matrix_has_the_eigenvalues_asked_for() {
        let mut quadratic = Quadratic::new(3, 100.0, 7);
        let column = |i: usize| {
            let mut unit = [0.0; 3];
            unit[i] = 1.0;
            let mut product = [0.0; 3];
            assert!(quadratic.hessian_vector(&[0.0; 3], &unit, &mut product));
            product
        };
        let a = [0, 1, 2].map(column);
        let trace = a[0][0] + a[1][1] + a[2][2];
        let determinant = a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1])
            - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0])
            + a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
        let squares: f64 = a.iter().flatten().map(|a| a * a).sum();
        // 1, 10 and 100: sum, product and sum of squares, up to roundings of terms near 1e4.
        assert!((trace - 111.0).abs() < 1e-11, "{trace}");
        assert!((determinant - 1000.0).abs() < 1e-9, "{determinant}");
        assert!((squares - 10_101.0).abs() < 1e-9, "{squares}");
    }
}
