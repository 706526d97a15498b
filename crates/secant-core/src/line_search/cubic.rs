//! Where to look next between or beyond two points: minimisers of interpolating polynomials.

/// A point of the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub step: f64,
    pub value: f64,
    pub slope: f64,
}

impl Point {
    pub fn is_finite(&self) -> bool {
        self.value.is_finite() && self.slope.is_finite()
    }
}

/// The minimiser, limited to `bounds`, of the cubic with the values and slopes of two points
/// (Nocedal and Wright, eq. (3.59)); the middle of the bounds if the cubic has none.
pub(super) fn cubic_minimiser(a: Point, b: Point, bounds: (f64, f64)) -> f64 {
    let (a, b) = if a.step <= b.step { (a, b) } else { (b, a) };
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step);
    // NaN without a minimiser, and where the numbers overflow.
    let d2 = (d1 * d1 - a.slope * b.slope).sqrt();
    let back = (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    limited(b.step - (b.step - a.step) * back, bounds)
}

/// The same of the parabola with the slopes of two points: it does not see their values.
pub(super) fn secant_minimiser(a: Point, b: Point, bounds: (f64, f64)) -> f64 {
    let curvature = (b.slope - a.slope) / (b.step - a.step);
    let minimiser = if curvature > 0.0 { b.step - b.slope / curvature } else { f64::NAN };
    limited(minimiser, bounds)
}

fn limited(step: f64, (lower, upper): (f64, f64)) -> f64 {
    if step.is_nan() { 0.5 * (lower + upper) } else { step.max(lower).min(upper) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDE: (f64, f64) = (-1e9, 1e9);

    /// The point at `t` of the cubic with the coefficients `c`, lowest power first.
    fn on_cubic(c: [f64; 4], t: f64) -> Point {
        let value = c[0] + t * (c[1] + t * (c[2] + t * c[3]));
        Point { step: t, value, slope: c[1] + t * (2.0 * c[2] + t * 3.0 * c[3]) }
    }

    #[test]
    fn points_without_a_minimiser_between_them_give_the_middle_of_the_bounds() {
        // t^3 + t rises everywhere.
        let rising = [0.0, 1.0, 0.0, 1.0];
        let (a, b) = (on_cubic(rising, -1.0), on_cubic(rising, 1.0));
        assert_eq!(cubic_minimiser(a, b, (1.0, 4.0)), 2.5);
        // -t^2 has a maximum.
        let concave = [0.0, 0.0, -1.0, 0.0];
        let (a, b) = (on_cubic(concave, 1.0), on_cubic(concave, 2.0));
        assert_eq!(secant_minimiser(a, b, (2.0, 20.0)), 11.0);
    }

    #[test]
    fn a_minimiser_beyond_the_bounds_is_moved_onto_them() {
        let parabola = [0.0, -2.0, 1.0, 0.0];
        let (a, b) = (on_cubic(parabola, 0.0), on_cubic(parabola, 0.5));
        for minimiser in [cubic_minimiser, secant_minimiser] {
            assert_eq!(minimiser(a, b, (2.0, 3.0)), 2.0);
            assert_eq!(minimiser(a, b, (-3.0, -2.0)), -2.0);
        }
    }

    #[test]
    fn numbers_that_overflow_give_the_middle_of_the_bounds() {
        let a = Point { step: 0.0, value: 1e300, slope: -1e300 };
        let b = Point { step: 1.0, value: -1e300, slope: 1e300 };
        assert_eq!(cubic_minimiser(a, b, (0.0, 1.0)), 0.5);
    }

    proptest! {
        #[test]
        fn the_minimiser_of_a_cubic_is_found_from_any_two_points_in_any_order(
            minimum in -3.0..3.0f64,
            gap in 0.5..5.0f64,
            side in prop::bool::ANY,
            points in (-4.0..4.0f64, 0.5..4.0f64),
        ) {
            // The slope (t - minimum) (t - maximum), up to its sign: a minimum and a maximum.
            let (maximum, sign) = if side { (minimum - gap, 1.0) } else { (minimum + gap, -1.0) };
            let c1 = sign * minimum * maximum;
            let c = [0.0, c1, -sign * 0.5 * (minimum + maximum), sign / 3.0];
            let (a, b) = (on_cubic(c, points.0), on_cubic(c, points.0 + points.1));
            let found = cubic_minimiser(a, b, WIDE);
            // Coefficients below 100, distances above 0.5, and a division by the gap.
            prop_assert!((found - minimum).abs() <= 1e-9, "{} != {}", found, minimum);
            prop_assert_eq!(found, cubic_minimiser(b, a, WIDE));
        }

        #[test]
        fn the_secant_finds_the_minimiser_of_a_parabola_whatever_its_values_are(
            minimum in -3.0..3.0f64,
            curvature in 0.1..10.0f64,
            values in (prop::num::f64::ANY, prop::num::f64::ANY),
            points in (-4.0..4.0f64, 0.5..4.0f64),
        ) {
            let point = |step, value| Point { step, value, slope: curvature * (step - minimum) };
            let (a, b) = (point(points.0, values.0), point(points.0 + points.1, values.1));
            // Slopes are below 100 and differ by at least 0.05: a few roundings times 1e4.
            prop_assert!((secant_minimiser(a, b, WIDE) - minimum).abs() <= 1e-11);
        }
    }
}
