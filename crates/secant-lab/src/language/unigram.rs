//! What frequencies alone reach.

use super::Windows;

/// The model that tells every token by its frequency in a text, whatever was before it.
pub(super) struct Unigram {
    counts: Vec<u64>,
    all: u64,
}

impl Unigram {
    /// Of this text. Every token of the vocabulary counts once more than it occurs, so that none is
    /// impossible.
    pub(super) fn new(text: &[u32], vocabulary: usize) -> Self {
        let mut counts = vec![1; vocabulary];
        for &token in text {
            counts[token as usize] += 1;
        }
        Self { all: (text.len() + vocabulary) as u64, counts }
    }

    /// The mean cross-entropy of the tokens that are to be told.
    pub(super) fn loss(&self, windows: Windows<'_>) -> f64 {
        let all: Vec<usize> = (0..windows.count()).collect();
        let targets = windows.targets(&all);
        let loss = |&token: &u32| (self.all as f64 / self.counts[token as usize] as f64).ln();
        targets.iter().map(loss).sum::<f64>() / targets.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_cost_the_logarithm_of_their_smoothed_frequency() {
        // 0 three times of four, 1 once, 2 never: shares 4/7, 2/7 and 1/7.
        let unigram = Unigram::new(&[0, 0, 1, 0], 3);
        let expected = ((7.0f64 / 4.0).ln() + 7.0f64.ln()) / 2.0;
        let found = unigram.loss(Windows::new(&[1, 0, 2], 2));
        assert!((found - expected).abs() < 1e-15, "{found}");
    }
}
