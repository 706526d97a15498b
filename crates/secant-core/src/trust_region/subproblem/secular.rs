//! The secular equation |p(mu)| = delta.

/// Enough for any problem: from the safe start Newton's method needs a handful.
const MOST_ITERATIONS: u32 = 50;

/// |p(mu)| / delta = sqrt(sum b_j^2 / (d_j + mu)^2), with b_j = |a_j| / delta > 0 and d_j >= 0.
pub(super) struct Secular {
    /// (b_j, d_j)
    terms: Vec<(f64, f64)>,
}

impl Secular {
    pub(super) fn new(terms: impl Iterator<Item = (f64, f64)>) -> Self {
        Self { terms: terms.collect() }
    }

    /// |p(mu)| / delta; infinite at a pole.
    pub(super) fn length(&self, mu: f64) -> f64 {
        self.terms.iter().map(|(b, d)| (b / (d + mu)).powi(2)).sum::<f64>().sqrt()
    }

    /// The mu > `least` where the length is 1, and the number of Newton iterations; the length at
    /// `least` is more than 1.
    ///
    /// phi(mu) = 1 / |p(mu)| - 1 / delta is increasing and concave, so Newton's method from the left
    /// of the root never passes it. No term alone is longer than the whole: b_j / (d_j + mu) <= 1
    /// at the root, which gives a start on its left.
    pub(super) fn root(&self, least: f64) -> (f64, u32) {
        let mut mu = self.terms.iter().fold(least, |mu, (b, d)| mu.max(b - d));
        for iteration in 0..MOST_ITERATIONS {
            let length = self.length(mu);
            let next = mu + self.newton(mu, length);
            let moves = next > mu;
            // At the root up to rounding, or no longer moving.
            if length - 1.0 <= 4.0 * f64::EPSILON || !moves {
                return (mu, iteration);
            }
            mu = next;
        }
        (mu, MOST_ITERATIONS)
    }

    /// -phi / phi' = (|p| - delta) / delta |p|^2 / (sum a_j^2 / (d_j + mu)^3).
    fn newton(&self, mu: f64, length: f64) -> f64 {
        let slope: f64 = self.terms.iter().map(|(b, d)| (b / (d + mu)).powi(2) / (d + mu)).sum();
        (length - 1.0) * length * length / slope
    }
}
