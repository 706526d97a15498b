//! Barzilai-Borwein step sizes, with the safeguards that stochastic methods need.
//!
//! From a displacement s and the change y of a gradient, BB1 = s.s / |s.y| and BB2 = |s.y| / y.y; the
//! step size is one of them over the number T of steps that s is made of. BB2 <= BB1, and for a
//! quadratic both lie between the inverses of its largest and smallest curvature (Barzilai, Borwein
//! 1988; Tan, Ma, Dai, Qian 2016).

use serde::{Deserialize, Serialize};

use crate::curvature::PairProducts;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Formula {
    /// s.s / |s.y|, the longer one.
    Bb1,
    /// |s.y| / y.y, the shorter one.
    Bb2,
}

impl Formula {
    /// The step size of a pair made of `steps` steps; none where |s.y| is below 1e-10, as in the
    /// authors' code, or something is not finite.
    pub fn step_size(self, pair: PairProducts, steps: usize) -> Option<f64> {
        let sy = pair.sy.abs();
        let size = match self {
            Self::Bb1 => pair.ss / sy,
            Self::Bb2 => sy / pair.yy,
        } / steps as f64;
        (sy >= 1e-10 && size.is_finite()).then_some(size)
    }
}

/// What keeps a step size within reason. Epochs k are counted from 0; the first step size is that of
/// k = 2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Safeguard {
    /// Nothing.
    None,
    /// Outside of [least, most] / (k + 1) the step size is fallback / (k + 1) (Liang et al. 2019).
    Interval {
        /// 0.1 in the authors' code.
        least: f64,
        /// 10 in the authors' code.
        most: f64,
        /// 1 in the authors' code.
        fallback: f64,
    },
    /// The geometric mean of j eta_j over j = 2 .. k, over k (Tan et al. 2016 with phi(k) = k).
    Smoothing,
}

impl Safeguard {
    /// The step size to use in epoch `k` >= 2; `mean` is the geometric mean so far, which it updates.
    pub fn apply(self, step_size: f64, k: u64, mean: &mut f64) -> f64 {
        let (epoch, next) = (k as f64, (k + 1) as f64);
        match self {
            Self::None => step_size,
            Self::Interval { least, most, fallback } => {
                if (least / next..=most / next).contains(&step_size) {
                    step_size
                } else {
                    fallback / next
                }
            }
            Self::Smoothing => {
                let share = 1.0 / (epoch - 1.0);
                *mean = if k == 2 {
                    step_size * epoch
                } else {
                    mean.powf(1.0 - share) * (step_size * epoch).powf(share)
                };
                *mean / epoch
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn on_a_quadratic_both_lie_between_the_inverse_curvatures_and_bb2_is_the_shorter(
            s in prop::array::uniform4(-1.0..1.0f64),
            curvature in prop::array::uniform4(0.5..4.0f64),
        ) {
            let sum = |f: &dyn Fn(usize) -> f64| (0..4).map(f).sum::<f64>();
            let pair = PairProducts {
                ss: sum(&|i| s[i] * s[i]),
                sy: sum(&|i| s[i] * curvature[i] * s[i]),
                yy: sum(&|i| (curvature[i] * s[i]).powi(2)),
            };
            prop_assume!(pair.sy > 1e-3);
            let [long, short] = [Formula::Bb1, Formula::Bb2]
                .map(|formula| formula.step_size(pair, 1).expect("curvature"));
            // Rounding of a few units.
            prop_assert!(short <= long * (1.0 + 1e-14));
            prop_assert!((0.25 - 1e-14..=2.0 + 1e-14).contains(&short));
            prop_assert!((0.25 - 1e-14..=2.0 + 1e-14).contains(&long));
        }

        #[test]
        fn the_interval_gives_a_size_inside_it_or_the_fallback(size in 1e-6..1e6f64, k in 2u64..50) {
            let guard = Safeguard::Interval { least: 0.1, most: 10.0, fallback: 1.0 };
            let kept = guard.apply(size, k, &mut 0.0) * (k + 1) as f64;
            prop_assert!(kept == 1.0 || (0.1 - 1e-12..=10.0 + 1e-12).contains(&kept));
        }

        #[test]
        fn smoothing_is_the_geometric_mean_over_the_epoch(
            sizes in prop::collection::vec(1e-3..1e3f64, 1..12),
        ) {
            let mut mean = 0.0;
            let mut logarithms = 0.0;
            for (j, size) in sizes.iter().enumerate() {
                let k = j as u64 + 2;
                let smoothed = Safeguard::Smoothing.apply(*size, k, &mut mean);
                logarithms += (size * k as f64).ln();
                let expected = (logarithms / (j + 1) as f64).exp() / k as f64;
                prop_assert!((smoothed - expected).abs() <= 1e-12 * expected);
            }
        }
    }

    #[test]
    fn no_step_size_comes_from_no_curvature_or_from_nan() {
        for sy in [0.0, 1e-11, f64::NAN] {
            let pair = PairProducts { ss: 1.0, sy, yy: 1.0 };
            assert_eq!(Formula::Bb1.step_size(pair, 1), None);
        }
        let pair = PairProducts { ss: f64::INFINITY, sy: 1.0, yy: 1.0 };
        assert_eq!(Formula::Bb1.step_size(pair, 1), None);
    }
}
