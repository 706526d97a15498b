//! What the tests of functions share.

use secant::Function;

/// Value and gradient.
pub(super) fn gradient_of(function: &mut dyn Function, x: &[f64]) -> (f64, Vec<f64>) {
    let mut gradient = vec![f64::NAN; x.len()];
    let value = function.gradient(x, &mut gradient);
    (value, gradient)
}

/// Asserts that the gradient is that of the value, and the Hessian product that of the gradient.
///
/// Central differences over 1e-5 have errors of about 1e-10 times third derivatives and 1e-11 times
/// the value: 1e-7 of the largest component is far above both, and far below any mistake.
pub(super) fn assert_derivatives(function: &mut dyn Function, x: &[f64]) {
    const STEP: f64 = 1e-5;
    let v: Vec<f64> = (0..x.len()).map(|i| 1.0 - 0.6 * i as f64).collect();
    let (_, gradient) = gradient_of(function, x);
    let mut product = vec![f64::NAN; x.len()];
    assert!(function.hessian_vector(x, &v, &mut product));
    let mut ends = |direction: &[f64]| {
        [STEP, -STEP].map(|step| {
            let there: Vec<f64> = x.iter().zip(direction).map(|(x, d)| x + step * d).collect();
            gradient_of(function, &there)
        })
    };
    let unit = |i: usize| (0..x.len()).map(|j| f64::from(u8::from(i == j))).collect::<Vec<_>>();
    let slopes: Vec<f64> = (0..x.len())
        .map(|i| {
            let [(up, _), (down, _)] = ends(&unit(i));
            (up - down) / (2.0 * STEP)
        })
        .collect();
    assert_close(&gradient, &slopes);
    let [(_, up), (_, down)] = ends(&v);
    let curved: Vec<f64> =
        up.iter().zip(down).map(|(up, down)| (up - down) / (2.0 * STEP)).collect();
    assert_close(&product, &curved);
}

fn assert_close(found: &[f64], expected: &[f64]) {
    let largest = expected.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-7 * largest, "{found:?} is not {expected:?}");
    }
}
