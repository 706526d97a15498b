//! A quadratic model of a loss in the plane of two directions, and its damping.
//!
//! Over the steps s = c_1 D_1 + c_2 D_2 the loss changes by about m(c) = c'M c / 2 - r'c, with
//! M = K + lambda kappa D'D: K = D'C D for the curvature C of the loss, r = -D'g. The damping lambda is
//! relative to kappa = K_11 / |D_1|^2, the curvature along the first direction, so that scaling the loss
//! changes nothing: K, kappa and r are scaled alike. D_2 = 0 stands for one direction alone.

/// A symmetric matrix of two rows: its entries 11, 12 and 22.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Symmetric(pub [f64; 3]);

impl Symmetric {
    /// c'A c.
    pub fn form(self, [x, y]: [f64; 2]) -> f64 {
        let Self([a, b, d]) = self;
        x * (a * x + b * y) + y * (b * x + d * y)
    }

    /// A + factor B.
    #[must_use]
    pub fn plus(self, factor: f64, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + factor * other.0[i]))
    }

    /// Whether all entries are finite.
    pub fn is_finite(self) -> bool {
        self.0.iter().all(|entry| entry.is_finite())
    }
}

/// An average of matrices that forgets by a factor, corrected for its start; entry by entry, because
/// those of a direction that is not there are not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Averaged {
    /// The averages from zero.
    pub sums: [f64; 3],
    /// What the weights in them add up to.
    pub weights: [f64; 3],
}

impl Averaged {
    /// With another matrix; of its second direction nothing is known where there is none.
    #[must_use]
    pub fn with(self, forget: f64, new: Symmetric, has_second: bool) -> Self {
        let Self { mut sums, mut weights } = self;
        for i in 0..if has_second { 3 } else { 1 } {
            sums[i] = forget * sums[i] + (1.0 - forget) * new.0[i];
            weights[i] = forget * weights[i] + (1.0 - forget);
        }
        Self { sums, weights }
    }

    /// The mean; zero where there is nothing.
    pub fn mean(self) -> Symmetric {
        let mean =
            |i: usize| if self.weights[i] > 0.0 { self.sums[i] / self.weights[i] } else { 0.0 };
        Symmetric([0, 1, 2].map(mean))
    }
}

/// The model without its damping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    /// K = D'C D.
    pub curvature: Symmetric,
    /// D'D.
    pub gram: Symmetric,
    /// r = -D'g.
    pub descent: [f64; 2],
}

/// A matrix is singular to this part of its largest entry on the diagonal.
const RIDGE: f64 = 1e-12;

/// A coefficient of the first direction up to this is none.
const NOTHING: f64 = 1e-12;

impl Plane {
    /// Whether all numbers are finite.
    pub fn is_finite(&self) -> bool {
        self.curvature.is_finite()
            && self.gram.is_finite()
            && self.descent.iter().all(|slope| slope.is_finite())
    }

    /// M.
    pub fn damped(&self, lambda: f64) -> Symmetric {
        let (bend, square) = (self.curvature.0[0], self.gram.0[0]);
        let kappa = if square > 0.0 { (bend / square).max(0.0) } else { 0.0 };
        self.curvature.plus(lambda * kappa, self.gram)
    }

    /// The slope along the second direction by the slope along the first, both per length and within [-1, 1]; 1
    /// without a second direction or where the first points uphill.
    fn slope_ratio(&self) -> f64 {
        let [first, second] = [0, 1].map(|i| self.descent[i] / self.gram.0[2 * i].sqrt());
        let is_known = self.gram.0[2] > 0.0 && first > 0.0;
        if is_known { (second / first).clamp(-1.0, 1.0) } else { 1.0 }
    }

    /// m(c).
    pub fn change(&self, lambda: f64, c: [f64; 2]) -> f64 {
        let slope = self.descent[0] * c[0] + self.descent[1] * c[1];
        0.5 * self.damped(lambda).form(c) - slope
    }

    /// |D c| / |`D_1`|, 0 where that is 0.
    pub fn length(&self, c: [f64; 2]) -> f64 {
        let Symmetric([first, ..]) = self.gram;
        if first > 0.0 { (self.gram.form(c).max(0.0) / first).sqrt() } else { 0.0 }
    }

    /// The minimiser c of m with c_1 > 0, shortened to a step of at most `cap` |D_1|. Where there is
    /// none in the plane, the one along D_1 alone; without curvature there, as far as the cap allows.
    /// Zero where D_1 points uphill.
    ///
    /// Steps 4 and 5 of Subspace Newton.
    pub fn minimiser(&self, lambda: f64, cap: f64) -> [f64; 2] {
        let m = self.damped(lambda);
        let inside = self.in_the_plane(m).filter(|c| c[0] > NOTHING);
        let c = inside.unwrap_or_else(|| [self.along_the_first(m, cap), 0.0]);
        let (square, most) = (self.gram.form(c), cap * cap * self.gram.0[0]);
        if square > most { c.map(|c| c * (most / square).sqrt()) } else { c }
    }

    /// M^-1 r, where M is positive definite.
    fn in_the_plane(&self, Symmetric([a, b, d]): Symmetric) -> Option<[f64; 2]> {
        let ridge = RIDGE * a.max(d);
        let (a, d, [r, s]) = (a + ridge, d + ridge, self.descent);
        let determinant = a * d - b * b;
        let exists = self.gram.0[2] > 0.0 && a > 0.0 && determinant > 0.0;
        exists.then(|| [(d * r - b * s) / determinant, (a * s - b * r) / determinant])
    }

    fn along_the_first(&self, m: Symmetric, cap: f64) -> f64 {
        let (r, curvature) = (self.descent[0], m.0[0]);
        match r > 0.0 {
            true if curvature > 0.0 => (r / curvature).min(cap),
            true => cap,
            false => 0.0,
        }
    }
}

/// How much longer or shorter than usual steps may be: the longer, the more the loss still falls along the last one,
/// with a gradient of other records. Where steps are too long, or noise is all there is, it does not fall there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// a, the averaged ratio of the slope along the last step to the one along the first direction.
    pub slope_ratio: f64,
    /// h, times the cap.
    pub factor: f64,
}

impl Default for Growth {
    fn default() -> Self {
        Self { slope_ratio: 1.0, factor: 1.0 }
    }
}

impl Growth {
    /// What the newest ratio counts for in a.
    const NEWEST: f64 = 0.1;
    /// Above this a, h grows; below it, h falls to 1.
    const STILL_FALLS: f64 = 0.1;
    /// Below this a, h falls further: the loss rises along the last step.
    const RISES: f64 = 0.0;
    /// The logarithm of h moves by this part of a's distance from there.
    const PACE: f64 = 0.1;

    /// With the slopes of another step; h stays within `[least, most]`, which 1 lies in.
    ///
    /// Step 5 of Subspace Newton.
    #[must_use]
    pub fn after(self, plane: &Plane, [least, most]: [f64; 2]) -> Self {
        let slope_ratio =
            (1.0 - Self::NEWEST) * self.slope_ratio + Self::NEWEST * plane.slope_ratio();
        let from = if self.factor > 1.0 { Self::STILL_FALLS } else { Self::RISES };
        let growth = (Self::PACE * (slope_ratio - from)).exp();
        Self { slope_ratio, factor: (self.factor * growth).clamp(least, most) }
    }
}

/// The damping after a step whose model promised `promised` < 0 and whose loss changed by `actual`:
/// smaller where the model foretold more than three quarters of the change, larger where it foretold
/// less than a quarter, by 0.95 for each of the `steps` since it was last looked at.
///
/// Step 7 of Subspace Newton.
pub fn next_damping(lambda: f64, promised: f64, actual: f64, steps: u64) -> f64 {
    let ratio = actual / promised;
    let factor = 0.95f64.powf(steps as f64);
    let next = match ratio {
        ratio if ratio > 0.75 => factor * lambda,
        ratio if ratio < 0.25 => lambda / factor,
        _ => lambda,
    };
    next.clamp(1e-8, 1e3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const N: usize = 4;

    fn dot(a: &[f64; N], b: &[f64; N]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// The plane of two directions on the quadratic with this diagonal Hessian.
    fn plane(hessian: &[f64; N], [d, p]: [[f64; N]; 2], g: &[f64; N]) -> Plane {
        let times = |x: &[f64; N]| std::array::from_fn::<f64, N, _>(|i| hessian[i] * x[i]);
        let (hd, hp) = (times(&d), times(&p));
        Plane {
            curvature: Symmetric([dot(&d, &hd), dot(&d, &hp), dot(&p, &hp)]),
            gram: Symmetric([dot(&d, &d), dot(&d, &p), dot(&p, &p)]),
            descent: [-dot(&d, g), -dot(&p, g)],
        }
    }

    fn vector() -> impl Strategy<Value = [f64; N]> {
        prop::array::uniform4(-1.0..1.0f64)
    }

    fn positive() -> impl Strategy<Value = [f64; N]> {
        prop::array::uniform4(0.1..5.0f64)
    }

    proptest! {
        #[test]
        fn the_minimiser_solves_the_two_equations_and_no_other_step_is_better(
            hessian in positive(), d in vector(), p in vector(), g in vector(),
            lambda in 0.0..2.0f64, other in prop::array::uniform2(-3.0..3.0f64),
        ) {
            let plane = plane(&hessian, [d, p], &g);
            let c = plane.minimiser(lambda, 1e6);
            let Symmetric([a, b, e]) = plane.damped(lambda);
            // Neither nearly parallel directions nor the one direction that is left uphill.
            prop_assume!(a * e - b * b > 1e-3 * a * e && c[1] != 0.0);
            let scale = plane.descent[0].abs() + plane.descent[1].abs();
            prop_assert!((a * c[0] + b * c[1] - plane.descent[0]).abs() < 1e-8 * scale);
            prop_assert!((b * c[0] + e * c[1] - plane.descent[1]).abs() < 1e-8 * scale);
            prop_assert!(plane.change(lambda, c) <= plane.change(lambda, other) + 1e-9);
        }

        #[test]
        fn scaling_the_loss_changes_no_coefficient(
            hessian in positive(), d in vector(), p in vector(), g in vector(), lambda in 0.0..2.0f64,
        ) {
            let scaled = plane(&hessian.map(|h| 1024.0 * h), [d, p], &g.map(|g| 1024.0 * g));
            // Powers of two scale without rounding.
            prop_assert_eq!(
                scaled.minimiser(lambda, 0.5),
                plane(&hessian, [d, p], &g).minimiser(lambda, 0.5)
            );
        }

        #[test]
        fn no_step_is_longer_than_the_cap_allows_or_climbs_along_the_first_direction(
            hessian in vector(), d in vector(), p in vector(), g in vector(), cap in 0.01..2.0f64,
        ) {
            let plane = plane(&hessian, [d, p], &g);
            let c = plane.minimiser(0.1, cap);
            prop_assert!(c[0] >= 0.0);
            let s: [f64; N] = std::array::from_fn(|i| c[0] * d[i] + c[1] * p[i]);
            let length = (dot(&s, &s) / dot(&d, &d)).sqrt();
            prop_assert!(length <= cap * (1.0 + 1e-12));
            // A sum that cancels, in the worst case.
            prop_assert!((plane.length(c) - length).abs() <= 1e-6 * cap);
        }
    }

    #[test]
    fn a_large_damping_leaves_a_short_steepest_descent_in_the_metric_of_the_directions() {
        let (d, p, g) = ([1.0, 0.5, 0.0, -1.0], [0.0, 1.0, 2.0, 0.5], [-1.0, -0.5, -0.25, 0.5]);
        let plane = plane(&[1.0, 2.0, 3.0, 4.0], [d, p], &g);
        let kappa = plane.curvature.0[0] / plane.gram.0[0];
        let lambda = 1e9;
        // lambda kappa c -> (D'D)^-1 r: s is the projection of -g on the plane, shortened.
        let [x, y] = plane.minimiser(lambda, 1.0).map(|c| lambda * kappa * c);
        let Symmetric([a, b, e]) = plane.gram;
        // What is left out is 1 / lambda of it.
        assert!((a * x + b * y - plane.descent[0]).abs() < 1e-8);
        assert!((b * x + e * y - plane.descent[1]).abs() < 1e-8);
    }

    #[test]
    fn without_a_second_direction_or_a_minimum_the_first_is_followed_alone() {
        let one = |curvature: [f64; 3], gram: [f64; 3], descent: [f64; 2]| {
            let (curvature, gram) = (Symmetric(curvature), Symmetric(gram));
            Plane { curvature, gram, descent }.minimiser(0.0, 10.0)
        };
        assert_eq!(one([4.0, 0.0, 0.0], [1.0, 0.0, 0.0], [8.0, 0.0]), [2.0, 0.0]);
        // What is remembered of another second direction is not used.
        assert_eq!(one([4.0, 3.0, 9.0], [1.0, 0.0, 0.0], [8.0, 0.0]), [2.0, 0.0]);
        // A saddle of the plane.
        assert_eq!(one([4.0, 0.0, -1.0], [1.0, 0.0, 1.0], [8.0, 1.0]), [2.0, 0.0]);
        // c_1 of the plane's minimiser would be negative.
        assert_eq!(one([4.0, 3.9, 4.0], [1.0, 0.9, 1.0], [4.0, 8.0]), [1.0, 0.0]);
        // No curvature at all, or a maximum: as far as the cap allows.
        assert_eq!(one([0.0; 3], [1.0, 0.0, 1.0], [8.0, 1.0]), [10.0, 0.0]);
        assert_eq!(one([-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [8.0, 0.0]), [10.0, 0.0]);
        assert_eq!(one([4.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-8.0, 0.0]), [0.0, 0.0]);
        assert_eq!(one([0.0; 3], [0.0; 3], [0.0; 2]), [0.0, 0.0]);
    }

    #[test]
    fn steps_grow_while_the_loss_falls_along_the_last_one_and_shrink_where_it_rises() {
        let gram = Symmetric([4.0, 0.0, 9.0]);
        let after = |descent: [f64; 2], steps: usize, start: Growth| {
            let plane = Plane { curvature: Symmetric::default(), gram, descent };
            (0..steps).fold(start, |growth, _| growth.after(&plane, [0.4, 4.0]))
        };
        // As steep along p as along -d, per length; h begins at 1.
        let steep = after([2.0, 3.0], 1, Growth::default());
        assert_eq!(steep, Growth { slope_ratio: 1.0, factor: 0.1f64.exp() });
        assert_eq!(after([2.0, 3.0], 100, steep).factor, 4.0);
        // A tenth as steep: as far as before.
        let tenth = Growth { slope_ratio: 0.1, factor: 2.0 };
        let same = after([2.0, 0.3], 50, tenth);
        assert!((same.factor - 2.0).abs() < 1e-12 && (same.slope_ratio - 0.1).abs() < 1e-12);
        // Uphill: below the cap too, and not for ever.
        let Growth { slope_ratio, factor } = after([2.0, -3.0], 200, steep);
        assert!(factor == 0.4 && (slope_ratio + 1.0).abs() < 1e-8);
        // Hardly downhill: to the cap from either side, and no further.
        for factor in [0.5, 2.0] {
            let end = after([2.0, 0.15], 2000, Growth { slope_ratio: 0.05, factor }).factor;
            assert!((end - 1.0).abs() < 0.01, "{end}");
        }
        // No last step, or no way downhill: nothing speaks against a longer one.
        let ratio = |gram: [f64; 3], descent: [f64; 2]| {
            let (curvature, gram) = (Symmetric::default(), Symmetric(gram));
            Plane { curvature, gram, descent }.slope_ratio()
        };
        assert_eq!(ratio([4.0, 0.0, 0.0], [2.0, 0.0]), 1.0);
        assert_eq!(ratio([4.0, 0.0, 9.0], [-2.0, 3.0]), 1.0);
        assert_eq!(ratio([4.0, 0.0, 9.0], [1e-3, -3.0]), -1.0);
    }

    #[test]
    fn an_average_of_one_matrix_is_the_matrix_and_entries_that_are_not_measured_stay() {
        let (first, second) = (Symmetric([1.0, 2.0, 3.0]), Symmetric([4.0, 6.0, 7.0]));
        let one = Averaged::default().with(0.5, first, false);
        assert_eq!(one.mean(), Symmetric([1.0, 0.0, 0.0]));
        // Weights of a quarter and a half, all exact.
        let two = one.with(0.5, second, true);
        assert_eq!(two.mean(), Symmetric([3.0, 6.0, 7.0]));
        assert_eq!(two.with(0.5, first, false).mean().0[1..], [6.0, 7.0]);
    }

    #[test]
    fn the_damping_follows_how_well_the_model_foretold_the_loss() {
        let next = |actual: f64| next_damping(1.0, -1.0, actual, 10);
        assert_eq!(
            [next(-0.76), next(-0.5), next(-0.24)].map(|x| x.total_cmp(&1.0) as i8),
            [-1, 0, 1]
        );
        assert!((next(-1.0) * next(1.0) - 1.0).abs() < 1e-15);
        assert_eq!(next(-1.0), 0.95f64.powi(10));
        assert_eq!(next_damping(1e-8, -1.0, -1.0, 10), 1e-8);
        assert_eq!(next_damping(1e3, -1.0, 1.0, 10), 1e3);
    }
}
