//! Self-scaled Broyden updates: which member of the family, and how the matrix before it is scaled.
//!
//! With a displacement s = alpha p, p = -H g, the change y of the gradient and rho = 1/(y.s), the inverse H is
//! updated to
//!
//! H <- (1/tau) [H - Hy Hy'/(y.Hy) + phi (y.Hy) v v'] + rho s s', v = rho s - Hy/(y.Hy),
//! phi = (1 - theta)/(1 + a theta)
//!
//! theta = 0 is BFGS, theta = 1 DFP. [`Rule`] chooses theta and tau from h = rho y.Hy, b = rho s.H^-1 s and
//! a = b h - 1, which is not below 0 (Cauchy and Schwarz).
//!
//! Al-Baali, Khalfan, *A combined class of self-scaling and modified quasi-Newton methods*, 2012; Urban,
//! Stefanou, Pons, *Unveiling the optimization process of physics informed neural networks*, 2025.

use serde::{Deserialize, Serialize};

/// Below this a = b h - 1 is 0: s and Hy have one direction, and all members of the family agree.
const ALIGNED: f64 = 1e-14;

/// How theta and tau are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rule {
    /// BFGS, nothing scaled.
    Bfgs,
    /// BFGS with tau = 1/b (Oren and Luenberger).
    SsbfgsOl,
    /// BFGS with tau = min(1, 1/b) (Al-Baali).
    SsbfgsAb,
    /// Broyden with the theta of symmetric rank one where that is inside the safe interval.
    Ssbroyden1,
    /// Broyden with theta = (1 - b)/b, limited to the safe interval.
    Ssbroyden2,
}

/// The numbers of a pair (s, y) that theta and tau depend on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairNumbers {
    /// h = y.Hy / y.s.
    pub h: f64,
    /// b = s.H^-1 s / y.s, which is -alpha s.g / y.s.
    pub b: f64,
    /// Parameters.
    pub dimension: usize,
}

/// A member of the family and a scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// The member.
    pub theta: f64,
    /// What H is divided by, but for rho s s'.
    pub tau: f64,
    /// sigma = 1 + a theta, by which the determinant changes besides; above 0.
    pub sigma: f64,
}

/// The coefficients of an update of H: H <- keep H + ss s s' + cross (s Hy' + Hy s') + hh Hy Hy'.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficients {
    /// Of H.
    pub keep: f64,
    /// Of s s'.
    pub ss: f64,
    /// Of s Hy' + Hy s'.
    pub cross: f64,
    /// Of Hy Hy'.
    pub hh: f64,
}

impl PairNumbers {
    /// a = b h - 1, not below 0.
    pub fn a(&self) -> f64 {
        (self.b * self.h - 1.0).max(0.0)
    }
}

impl Rule {
    /// theta and tau for a pair.
    pub fn update(self, pair: PairNumbers) -> Update {
        let b = pair.b;
        match self {
            Self::Bfgs => Update { theta: 0.0, tau: 1.0, sigma: 1.0 },
            Self::SsbfgsOl => Update { theta: 0.0, tau: 1.0 / b, sigma: 1.0 },
            Self::SsbfgsAb => Update { theta: 0.0, tau: (1.0 / b).min(1.0), sigma: 1.0 },
            Self::Ssbroyden1 | Self::Ssbroyden2 => self.broyden(pair),
        }
    }

    fn broyden(self, pair: PairNumbers) -> Update {
        let (PairNumbers { b, dimension, .. }, a) = (pair, pair.a());
        let most = (1.0 / b).min(1.0);
        if a <= ALIGNED {
            return Update { theta: 0.0, tau: most, sigma: 1.0 };
        }
        let e = (a / (1.0 + a)).sqrt();
        // 1/rho for rho = min(1, h (1 - e)), which would cancel: b (1 + e) h (1 - e) = 1.
        let most_theta = (b * (1.0 + e)).max(1.0);
        let least_theta = (1.0 / most_theta - 1.0) / a;
        let theta = match self {
            Self::Ssbroyden1 if b > 1.0 => least_theta.max(1.0 / (1.0 - b)),
            Self::Ssbroyden1 if b < 1.0 => most_theta.min(1.0 / (1.0 - b)),
            Self::Ssbroyden1 => least_theta,
            _ => least_theta.max(most_theta.min((1.0 - b) / b)),
        };
        let sigma = if theta == least_theta { 1.0 / most_theta } else { 1.0 + theta * a };
        // sigma^(1/(1 - n)), 1 for one parameter.
        let root = if dimension > 1 { sigma.powf(1.0 / (1.0 - dimension as f64)) } else { 1.0 };
        let tau =
            if theta <= 0.0 { (most * root).min(sigma) } else { most * root.min(1.0 / theta) };
        Update { theta, tau, sigma }
    }

    /// tau of the first update where the first matrix is scaled instead; `yy_over_ys` = y.y / y.s.
    pub fn initial_tau(self, pair: PairNumbers, sigma: f64, yy_over_ys: f64) -> f64 {
        match self {
            Self::Bfgs | Self::SsbfgsOl | Self::SsbfgsAb => yy_over_ys,
            Self::Ssbroyden1 | Self::Ssbroyden2 => pair.h / sigma,
        }
    }
}

impl Update {
    /// The update as a combination; `rho` = 1/(y.s).
    pub fn coefficients(&self, pair: PairNumbers, rho: f64) -> Coefficients {
        let Self { theta, tau, sigma } = *self;
        let phi = (1.0 - theta) / sigma;
        // y.Hy
        let y_h_y = pair.h / rho;
        Coefficients {
            keep: 1.0 / tau,
            ss: phi * y_h_y * rho * rho / tau + rho,
            cross: -phi * rho / tau,
            hh: (phi - 1.0) / (y_h_y * tau),
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};
    use proptest::prelude::*;

    use super::*;

    type Vector = DVector<f64>;
    type Matrix = DMatrix<f64>;

    const N: usize = 5;
    const RULES: [Rule; 5] =
        [Rule::Bfgs, Rule::SsbfgsOl, Rule::SsbfgsAb, Rule::Ssbroyden1, Rule::Ssbroyden2];

    /// A positive definite H, and a pair with y.s > 0.
    fn problem(numbers: &[f64]) -> (Matrix, Vector, Vector) {
        let root = Matrix::from_row_slice(N, N, &numbers[..N * N]);
        let h = &root * root.transpose() + 0.1 * Matrix::identity(N, N);
        let s = Vector::from_row_slice(&numbers[N * N..N * N + N]);
        let y = Vector::from_row_slice(&numbers[N * N + N..]);
        let y = if y.dot(&s) < 0.0 { -y } else { y };
        (h, s, y)
    }

    fn numbers(h: &Matrix, s: &Vector, y: &Vector) -> PairNumbers {
        let (rho, inverse) = (1.0 / y.dot(s), h.clone().try_inverse().expect("positive definite"));
        PairNumbers { h: rho * y.dot(&(h * y)), b: rho * s.dot(&(inverse * s)), dimension: N }
    }

    fn updated(h: &Matrix, s: &Vector, y: &Vector, rule: Rule) -> (Matrix, PairNumbers, Update) {
        let pair = numbers(h, s, y);
        let update = rule.update(pair);
        let Coefficients { keep, ss, cross, hh } = update.coefficients(pair, 1.0 / y.dot(s));
        let hy = h * y;
        let mixed = s * hy.transpose() + &hy * s.transpose();
        let new = keep * h + ss * s * s.transpose() + cross * mixed + hh * &hy * hy.transpose();
        (new, pair, update)
    }

    proptest! {
        #[test]
        fn the_secant_equation_holds_and_the_matrix_stays_positive_definite(
            numbers in prop::collection::vec(-1.0..1.0f64, N * N + 2 * N),
        ) {
            let (h, s, y) = problem(&numbers);
            prop_assume!(y.dot(&s) > 0.1 * y.norm() * s.norm() && s.norm() > 0.1 && y.norm() > 0.1);
            for rule in RULES {
                let (new, ..) = updated(&h, &s, &y, rule);
                let size = new.norm() * y.norm();
                prop_assert!((&new * &y - &s).norm() < 1e-12 * size, "{rule:?}");
                let least = new.clone().symmetric_eigenvalues().min();
                prop_assert!(least > 0.0, "{rule:?}: {least}");
            }
        }

        /// With B = H^-1: B <- tau [B - Bs s'B/(s.Bs) + theta (s.Bs) w w'] + rho y y', and
        /// det B_new / det B = tau^(n-1) (1 + theta a) / b.
        #[test]
        fn the_inverse_and_its_determinant_are_those_of_the_family(
            numbers in prop::collection::vec(-1.0..1.0f64, N * N + 2 * N),
        ) {
            let (h, s, y) = problem(&numbers);
            prop_assume!(y.dot(&s) > 0.1 * y.norm() * s.norm() && s.norm() > 0.1 && y.norm() > 0.1);
            let (rho, b) = (1.0 / y.dot(&s), h.clone().try_inverse().expect("positive definite"));
            let bs = &b * &s;
            let w = rho * &y - &bs / s.dot(&bs);
            for rule in RULES {
                let (new, pair, Update { theta, tau, .. }) = updated(&h, &s, &y, rule);
                let inner = &b - &bs * bs.transpose() / s.dot(&bs)
                    + theta * s.dot(&bs) * &w * w.transpose();
                let expected = tau * inner + rho * &y * y.transpose();
                let unity = &new * &expected - Matrix::identity(N, N);
                prop_assert!(unity.norm() < 1e-9 * new.norm() * expected.norm(), "{rule:?}");
                let ratio = expected.determinant() / b.determinant();
                let formula = tau.powi(N as i32 - 1) * (1.0 + theta * pair.a()) / pair.b;
                prop_assert!((ratio / formula - 1.0).abs() < 1e-7, "{rule:?}: {ratio} {formula}");
            }
        }

        #[test]
        fn both_scalings_of_bfgs_agree_where_b_is_at_least_1(b in 1.0..9.0f64, a in 0.0..9.0f64) {
            let pair = PairNumbers { h: (1.0 + a) / b, b, dimension: 7 };
            prop_assert_eq!(Rule::SsbfgsOl.update(pair), Rule::SsbfgsAb.update(pair));
        }
    }

    /// Where s and Hy are nearly orthogonal a is huge, and 1 - e is rounding.
    #[test]
    fn nothing_cancels_where_a_is_huge() {
        let b = 3.0;
        for a in [1e8, 1e12, 1e16, 1e20] {
            let pair = PairNumbers { h: (1.0 + a) / b, b, dimension: 50 };
            for rule in [Rule::Ssbroyden1, Rule::Ssbroyden2] {
                let Update { theta, tau, sigma } = rule.update(pair);
                // To first order in 1/a: rho = 1/(2b), and theta its lower bound (rho - 1)/a.
                let rho = 1.0 / (2.0 * b);
                assert!((sigma / rho - 1.0).abs() < 1e-7, "{rule:?}, {a:e}: {sigma}");
                assert!((theta * a / (rho - 1.0) - 1.0).abs() < 1e-7, "{rule:?}, {a:e}: {theta}");
                assert!(tau > 0.0 && tau < 1.0, "{rule:?}, {a:e}: {tau}");
            }
        }
    }

    #[test]
    fn a_pair_along_hy_and_a_single_parameter_are_no_special_case() {
        // s = Hy: a = 0.
        let pair = PairNumbers { h: 2.0, b: 0.5, dimension: 3 };
        assert_eq!(Rule::Ssbroyden2.update(pair), Update { theta: 0.0, tau: 1.0, sigma: 1.0 });
        let single = PairNumbers { h: 2.0, b: 1.0, dimension: 1 };
        let Update { theta, tau, .. } = Rule::Ssbroyden1.update(single);
        assert!(theta.is_finite() && tau.is_finite() && tau > 0.0);
    }
}
