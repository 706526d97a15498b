//! Is a pair (s, y) fit to describe curvature?
//!
//! s is a displacement, y the change of the gradient over it. An inverse quasi-Newton matrix built
//! from the pair is positive definite exactly when s.y > 0, and its norm grows like |s| / (|y| c)
//! with the cosine c between the two, so a test on the cosine bounds it.

use serde::{Deserialize, Serialize};

use crate::report::SkipReason;

/// The inner products of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairProducts {
    /// s.s
    pub ss: f64,
    /// s.y
    pub sy: f64,
    /// y.y
    pub yy: f64,
}

impl PairProducts {
    /// The cosine of the angle between s and y; NaN when one of them is zero.
    pub fn cosine(&self) -> f64 {
        self.sy / (self.ss * self.yy).sqrt()
    }

    /// The 2-norm of gamma I + the rank-two update of the pair, with gamma = s.y / y.y:
    /// (s.s / s.y) (1 + sqrt(1 - c^2)).
    pub fn inverse_norm(&self) -> f64 {
        let cosine = self.cosine().min(1.0);
        self.ss / self.sy * (1.0 + (1.0 - cosine * cosine).sqrt())
    }
}

/// Which pairs are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CurvatureTest {
    /// s.y >= eps |s| |y|: a bound on the cosine, the same at every scale of the loss.
    Relative(f64),
    /// s.y >= eps, as the papers print it.
    Absolute(f64),
}

impl CurvatureTest {
    /// Its kinds, as in specifications of methods.
    pub const WORDS: &str = "relative(number) | absolute(number)";

    /// Accepts the pair, or says why not. NaN never passes.
    ///
    /// # Errors
    /// The reason for which the pair is left out.
    pub fn check(&self, pair: PairProducts) -> Result<(), SkipReason> {
        let PairProducts { ss, sy, yy } = pair;
        if !(ss.is_finite() && sy.is_finite() && yy.is_finite()) {
            return Err(SkipReason::NonFinite);
        }
        if yy <= 0.0 {
            return Err(SkipReason::ZeroGradientChange);
        }
        let least = match *self {
            Self::Relative(eps) => eps * ss.sqrt() * yy.sqrt(),
            Self::Absolute(eps) => eps,
        };
        if sy >= least && sy > 0.0 { Ok(()) } else { Err(SkipReason::Curvature) }
    }
}

/// How much of y Powell's damping keeps: the theta with which s.(theta y + (1 - theta) B s) is
/// `least` times s.B s. None where s.y is not below that, or nothing can be done.
pub fn powell_damping(sy: f64, s_b_s: f64, least: f64) -> Option<f64> {
    let theta = (1.0 - least) * s_b_s / (s_b_s - sy);
    (sy < least * s_b_s && theta.is_finite() && theta >= 0.0).then_some(theta)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEST: CurvatureTest = CurvatureTest::Relative(1e-8);

    #[test]
    fn a_pair_with_nan_or_infinity_never_passes() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for products in [[bad, 1.0, 1.0], [1.0, bad, 1.0], [1.0, 1.0, bad]] {
                let [ss, sy, yy] = products;
                for test in [TEST, CurvatureTest::Absolute(0.0)] {
                    assert_eq!(test.check(PairProducts { ss, sy, yy }), Err(SkipReason::NonFinite));
                }
            }
        }
    }

    #[test]
    fn zero_curvature_is_not_positive_curvature_even_with_a_zero_threshold() {
        let pair = PairProducts { ss: 1.0, sy: 0.0, yy: 1.0 };
        for test in [CurvatureTest::Relative(0.0), CurvatureTest::Absolute(0.0)] {
            assert_eq!(test.check(pair), Err(SkipReason::Curvature));
        }
    }

    proptest! {
        #[test]
        fn damping_brings_the_curvature_to_the_threshold_and_leaves_good_pairs_alone(
            sy in -10.0..10.0f64,
            s_b_s in 0.01..10.0f64,
            least in 0.05..0.95f64,
        ) {
            match powell_damping(sy, s_b_s, least) {
                None => prop_assert!(sy >= least * s_b_s),
                Some(theta) => {
                    let damped = theta * sy + (1.0 - theta) * s_b_s;
                    prop_assert!((damped - least * s_b_s).abs() <= 1e-12 * (s_b_s + sy.abs()));
                    prop_assert!((0.0..=1.0).contains(&theta));
                }
            }
        }

        #[test]
        fn the_relative_test_does_not_see_the_scale_of_s_and_y(
            s in prop::array::uniform4(-1.0..1.0f64),
            y in prop::array::uniform4(-1.0..1.0f64),
            a in -30..30i32,
            b in -30..30i32,
        ) {
            let products = |s: [f64; 4], y: [f64; 4]| {
                let dot = |a: [f64; 4], b: [f64; 4]| a.iter().zip(b).map(|(a, b)| a * b).sum();
                PairProducts { ss: dot(s, s), sy: dot(s, y), yy: dot(y, y) }
            };
            // Powers of two scale without rounding.
            let scaled = products(s.map(|x| x * 2f64.powi(a)), y.map(|x| x * 2f64.powi(b)));
            let test = CurvatureTest::Relative(0.1);
            prop_assert_eq!(test.check(products(s, y)), test.check(scaled));
        }

        #[test]
        fn the_inverse_norm_is_the_largest_eigenvalue_of_the_dense_matrix(
            angle in -1.4..1.4f64,
            length in 0.1..10.0f64,
        ) {
            // s = (1, 0), y = length (cos, sin): H = gamma I + the two-dimensional update.
            let (y0, y1) = (length * angle.cos(), length * angle.sin());
            let pair = PairProducts { ss: 1.0, sy: y0, yy: length * length };
            let (gamma, rho) = (pair.sy / pair.yy, 1.0 / pair.sy);
            // H = gamma V V' + rho s s' with V = I - rho s y'.
            let (v00, v01) = (1.0 - rho * y0, -rho * y1);
            let h00 = gamma * (v00 * v00 + v01 * v01) + rho;
            let (h01, h11) = (gamma * v01, gamma);
            let mean = 0.5 * (h00 + h11);
            let largest = mean + (0.25 * (h00 - h11).powi(2) + h01 * h01).sqrt();
            prop_assert!((pair.inverse_norm() - largest).abs() <= 1e-10 * largest);
        }
    }
}
