//! SplitMix64, the random generator of data, batches and probes.
//!
//! It is written out here so that a seed gives the same numbers with every version of every
//! dependency. All derived draws use only exact arithmetic, so they are the same on every platform
//! too.

/// The SplitMix64 generator of Steele, Lea and Flood (2014).
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator that starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator for the `stream`-th independent sequence of `seed`.
    pub fn stream(seed: u64, stream: u64) -> Self {
        let mut first = Self::new(seed);
        let mut second = Self::new(first.next_u64() ^ stream);
        Self::new(second.next_u64())
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A whole number from `0` up to but not including `bound`, which must not be zero.
    pub fn below(&mut self, bound: usize) -> usize {
        // The high half of a 128-bit product; its bias is below `bound / 2^64`.
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A number from `low` up to but not including `high`.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.next_u64() >> 40) as f32 / (1u64 << 24) as f32;
        low + (high - low) * unit
    }

    /// A nearly normal number of mean 0 and deviation 1: the sum of four uniform ones.
    pub fn bell(&mut self) -> f32 {
        let bits = self.next_u64();
        let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xFFFF).sum();
        // Four uniform numbers on [0, 1] have mean 2 and variance 1/3.
        (sum as f32 / 65_535.0 - 2.0) * 1.732_050_8
    }

    /// Puts `items` into a random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_sequence() {
        let mut rng = SplitMix64::new(1_234_567);
        let expected: [u64; 5] = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(expected.map(|_| rng.next_u64()), expected);
    }

    #[test]
    fn bell_draws_have_mean_zero_and_deviation_one() {
        let mut rng = SplitMix64::new(5);
        let draws: Vec<f64> = (0..20_000).map(|_| f64::from(rng.bell())).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.03, "{variance}");
    }

    #[test]
    fn range_and_below_stay_inside_their_bounds() {
        let mut rng = SplitMix64::new(9);
        for _ in 0..10_000 {
            let x = rng.range(-2.0, 3.0);
            assert!((-2.0..3.0).contains(&x));
            assert!(rng.below(7) < 7);
        }
    }

    #[test]
    fn streams_of_one_seed_differ() {
        let mut a = SplitMix64::stream(1, 0);
        let mut b = SplitMix64::stream(1, 1);
        assert_ne!(a.next_u64(), b.next_u64());
    }
}
