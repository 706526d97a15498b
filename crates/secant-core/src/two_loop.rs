//! The inverse L-BFGS matrix times a vector, as coefficients from inner products.
//!
//! H g is a combination of g and of the stored pairs: H g = gamma g + sum a_i s_i + sum b_i y_i. The
//! two-loop recursion (Nocedal and Wright, Algorithm 7.4) needs only inner products between these
//! vectors, so it runs on numbers (Chen, Wang, Zhou, *Large-scale L-BFGS using MapReduce*, 2014): one
//! pass over the memory for S'g and Y'g, and one for the combination, whatever the number of pairs.

/// The inner products of the stored pairs with each other, oldest pair first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairGram {
    /// `sy[i][j]` = s_i.y_j.
    sy: Vec<Vec<f64>>,
    /// `yy[i][j]` = y_i.y_j.
    yy: Vec<Vec<f64>>,
    /// By how much each update multiplies the matrix before it; 1 without self-scaling.
    growths: Vec<f64>,
}

/// The inner products of a new pair (s, y) with the stored ones, oldest first, and with itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewPair {
    /// s_i.y for every stored i.
    pub stored_s_y: Vec<f64>,
    /// s.y_i for every stored i.
    pub s_stored_y: Vec<f64>,
    /// y_i.y for every stored i.
    pub stored_y_y: Vec<f64>,
    /// s.y
    pub sy: f64,
    /// y.y
    pub yy: f64,
    /// By how much the update multiplies the matrix before it: H <- growth V'HV + rho s s'; 1 without
    /// self-scaling.
    pub growth: f64,
}

/// The vector scale g + sum s_i `s[i]` + sum y_i `y[i]`.
#[derive(Clone, Debug, PartialEq)]
pub struct PairCombination {
    /// The coefficient of g.
    pub scale: f64,
    /// The coefficients of the displacements, oldest first.
    pub s: Vec<f64>,
    /// The coefficients of the gradient changes, oldest first.
    pub y: Vec<f64>,
}

impl PairCombination {
    /// Whether all coefficients are finite.
    pub fn is_finite(&self) -> bool {
        self.s.iter().chain(&self.y).chain([&self.scale]).all(|x| x.is_finite())
    }
}

impl PairGram {
    /// Pairs stored.
    pub fn len(&self) -> usize {
        self.yy.len()
    }

    /// Whether no pair is stored.
    pub fn is_empty(&self) -> bool {
        self.yy.is_empty()
    }

    /// Forgets all pairs.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets the oldest pair.
    pub fn drop_oldest(&mut self) {
        if !self.growths.is_empty() {
            self.growths.remove(0);
        }
        for products in [&mut self.sy, &mut self.yy] {
            if !products.is_empty() {
                products.remove(0);
            }
            products.iter_mut().for_each(|row| {
                let _ = row.remove(0);
            });
        }
    }

    /// Adds a pair as the newest.
    ///
    /// # Panics
    /// Where the lists do not have one number for each stored pair.
    pub fn push(&mut self, new: &NewPair) {
        let stored = self.len();
        let fits = [&new.stored_s_y, &new.s_stored_y, &new.stored_y_y];
        assert!(fits.iter().all(|list| list.len() == stored), "one product for each stored pair");
        let add = |products: &mut Vec<Vec<f64>>, column: &[f64], row: &[f64], last: f64| {
            products.iter_mut().zip(column).for_each(|(row, product)| row.push(*product));
            products.push(row.iter().copied().chain([last]).collect());
        };
        add(&mut self.sy, &new.stored_s_y, &new.s_stored_y, new.sy);
        add(&mut self.yy, &new.stored_y_y, &new.stored_y_y, new.yy);
        self.growths.push(new.growth);
    }

    /// s_i.y_i of the newest pair over its y_i.y_i: the usual scaling of the initial matrix.
    pub fn newest_scaling(&self) -> Option<f64> {
        let last = self.len().checked_sub(1)?;
        Some(self.sy[last][last] / self.yy[last][last])
    }

    /// By how much each update multiplies the matrix before it, oldest first.
    pub fn growths(&self) -> &[f64] {
        &self.growths
    }

    /// The mean over all pairs of s_i.y_i / y_i.y_i.
    pub fn mean_scaling(&self) -> Option<f64> {
        let ratios = (0..self.len()).map(|i| self.sy[i][i] / self.yy[i][i]);
        (!self.is_empty()).then(|| ratios.sum::<f64>() / self.len() as f64)
    }

    /// H g with initial matrix `gamma` I, from `sg[i]` = s_i.g and `yg[i]` = y_i.g.
    ///
    /// Step 1 of L-BFGS and of its variants; step 3 of SdLBFGS.
    pub fn two_loop(&self, gamma: f64, sg: &[f64], yg: &[f64]) -> PairCombination {
        let pairs = self.len();
        let mut alpha = vec![0.0; pairs];
        // Newest to oldest: alpha_i = s_i.q / s_i.y_i with q = g - sum_{j > i} alpha_j y_j.
        for i in (0..pairs).rev() {
            let taken: f64 = (i + 1..pairs).map(|j| alpha[j] * self.sy[i][j]).sum();
            alpha[i] = (sg[i] - taken) / self.sy[i][i];
        }
        // Oldest to newest: r = gamma q, then r <- r + (alpha_i - y_i.r / s_i.y_i) s_i.
        let (mut s, mut gamma) = (vec![0.0; pairs], gamma);
        for i in 0..pairs {
            // Self-scaling: r <- growth r.
            gamma *= self.growths[i];
            s.iter_mut().take(i).for_each(|s| *s *= self.growths[i]);
            let of_q: f64 = yg[i] - (0..pairs).map(|j| alpha[j] * self.yy[i][j]).sum::<f64>();
            let of_s: f64 = (0..i).map(|j| s[j] * self.sy[j][i]).sum();
            s[i] = alpha[i] - (gamma * of_q + of_s) / self.sy[i][i];
        }
        let y = alpha.into_iter().map(|alpha| -gamma * alpha).collect();
        PairCombination { scale: gamma, s, y }
    }

    /// All numbers in a row, for records; see [`PairGram::from_numbers`].
    pub fn to_numbers(&self) -> Vec<f64> {
        self.sy.iter().chain(&self.yy).chain([&self.growths]).flatten().copied().collect()
    }

    /// The matrices that [`PairGram::to_numbers`] wrote for `pairs` pairs, if they are that many.
    pub fn from_numbers(pairs: usize, numbers: &[f64]) -> Option<Self> {
        if numbers.len() != 2 * pairs * pairs + pairs {
            return None;
        }
        let (sy, rest) = numbers.split_at(pairs * pairs);
        let (yy, growths) = rest.split_at(pairs * pairs);
        let rows = |all: &[f64]| all.chunks(pairs.max(1)).map(<[f64]>::to_vec).collect();
        Some(Self { sy: rows(sy), yy: rows(yy), growths: growths.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SplitMix64;

    const N: usize = 9;
    type Vector = [f64; N];

    fn dot(a: &Vector, b: &Vector) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn draw(rng: &mut SplitMix64) -> Vector {
        std::array::from_fn(|_| f64::from(rng.range(-1.0, 1.0)))
    }

    /// y = A s with a fixed positive definite A = diag(1 .. N) + u u'.
    fn hessian(s: &Vector) -> Vector {
        let u: Vector = std::array::from_fn(|i| 0.3 * (i as f64).cos());
        let us = dot(&u, s);
        std::array::from_fn(|i| (1.0 + i as f64) * s[i] + u[i] * us)
    }

    /// The dense matrix by the BFGS update formula, (7) of Nocedal and Wright's section 6.1, each update of the
    /// matrix times its growth.
    fn dense(pairs: &[(Vector, Vector)], growths: &[f64], gamma: f64) -> [Vector; N] {
        let mut h: [Vector; N] =
            std::array::from_fn(|i| std::array::from_fn(|j| if i == j { gamma } else { 0.0 }));
        for ((s, y), growth) in pairs.iter().zip(growths) {
            h.iter_mut().flatten().for_each(|entry| *entry *= growth);
            let rho = 1.0 / dot(s, y);
            let hy: Vector = std::array::from_fn(|i| dot(&h[i], y));
            let yhy = dot(y, &hy);
            for i in 0..N {
                for j in 0..N {
                    h[i][j] +=
                        rho * ((1.0 + rho * yhy) * s[i] * s[j] - hy[i] * s[j] - s[i] * hy[j]);
                }
            }
        }
        h
    }

    fn gram_push(
        gram: &mut PairGram,
        pairs: &[(Vector, Vector)],
        (s, y): &(Vector, Vector),
        growth: f64,
    ) {
        gram.push(&NewPair {
            stored_s_y: pairs.iter().map(|(si, _)| dot(si, y)).collect(),
            s_stored_y: pairs.iter().map(|(_, yi)| dot(s, yi)).collect(),
            stored_y_y: pairs.iter().map(|(_, yi)| dot(yi, y)).collect(),
            sy: dot(s, y),
            yy: dot(y, y),
            growth,
        });
    }

    fn apply(gram: &PairGram, pairs: &[(Vector, Vector)], gamma: f64, g: &Vector) -> Vector {
        let sg: Vec<f64> = pairs.iter().map(|(s, _)| dot(s, g)).collect();
        let yg: Vec<f64> = pairs.iter().map(|(_, y)| dot(y, g)).collect();
        let PairCombination { scale, s, y } = gram.two_loop(gamma, &sg, &yg);
        std::array::from_fn(|i| {
            let of_s: f64 = pairs.iter().zip(&s).map(|((s, _), a)| a * s[i]).sum();
            let of_y: f64 = pairs.iter().zip(&y).map(|((_, y), b)| b * y[i]).sum();
            scale * g[i] + of_s + of_y
        })
    }

    #[test]
    fn it_is_the_dense_matrix_after_every_push_also_when_old_pairs_are_dropped() {
        holds_for(|_| 1.0);
    }

    #[test]
    fn self_scaled_it_is_the_dense_matrix_multiplied_before_every_update() {
        holds_for(|rng| f64::from(rng.range(1.0, 3.0)));
    }

    fn holds_for(growth: fn(&mut SplitMix64) -> f64) {
        let mut rng = SplitMix64::new(1);
        let (mut gram, mut pairs) = (PairGram::default(), Vec::new());
        for _ in 0..12 {
            if pairs.len() == 5 {
                gram.drop_oldest();
                pairs.remove(0);
            }
            let s = draw(&mut rng);
            let pair = (s, hessian(&s));
            let growth = growth(&mut rng);
            gram_push(&mut gram, &pairs, &pair, growth);
            pairs.push(pair);
            let gamma = gram.newest_scaling().expect("a pair");
            let (h, g) = (dense(&pairs, gram.growths(), gamma), draw(&mut rng));
            let actual = apply(&gram, &pairs, gamma, &g);
            for i in 0..N {
                // Condition number 10, a few hundred roundings of 1e-16; up to 3^5 times as large if scaled.
                let expected = dot(&h[i], &g);
                assert!((actual[i] - expected).abs() < 1e-12 * expected.abs().max(1.0));
            }
            // The secant equation of the newest pair.
            let (s, y) = pairs[pairs.len() - 1];
            let hy = apply(&gram, &pairs, gamma, &y);
            assert!(hy.iter().zip(&s).all(|(hy, s)| (hy - s).abs() < 1e-12));
            let again = PairGram::from_numbers(gram.len(), &gram.to_numbers());
            assert_eq!(again.as_ref(), Some(&gram));
        }
    }

    #[test]
    fn without_pairs_it_is_the_scaled_vector() {
        let empty = PairGram::default();
        assert_eq!(
            empty.two_loop(2.0, &[], &[]),
            PairCombination { scale: 2.0, s: vec![], y: vec![] }
        );
        assert_eq!((empty.newest_scaling(), empty.mean_scaling()), (None, None));
    }
}
