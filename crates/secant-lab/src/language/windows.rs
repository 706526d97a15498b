//! A text as records.

/// A text cut into windows of equal length, one a record: after each of a window's tokens the next one is
/// to be told. What remains at the end is left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows<'a> {
    tokens: &'a [u32],
    length: usize,
}

impl<'a> Windows<'a> {
    pub(super) fn new(tokens: &'a [u32], length: usize) -> Self {
        Self { tokens, length }
    }

    pub(super) fn count(self) -> usize {
        self.tokens.len().saturating_sub(1) / self.length
    }

    /// The tokens of windows `[length, windows]`.
    pub(super) fn inputs(self, windows: &[usize]) -> Vec<u32> {
        self.shifted(windows, 0)
    }

    /// The tokens that follow those, in the same order.
    pub(super) fn targets(self, windows: &[usize]) -> Vec<u32> {
        self.shifted(windows, 1)
    }

    fn shifted(self, windows: &[usize], shift: usize) -> Vec<u32> {
        let token = |window: &usize, step: usize| self.tokens[window * self.length + step + shift];
        (0..self.length)
            .flat_map(|step| windows.iter().map(move |window| token(window, step)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_but_the_first_and_those_at_the_end_is_a_target_once() {
        let tokens: Vec<u32> = (0..12).collect();
        let windows = Windows::new(&tokens, 3);
        assert_eq!(windows.count(), 3);
        assert_eq!(windows.inputs(&[0, 1, 2]), [0, 3, 6, 1, 4, 7, 2, 5, 8]);
        assert_eq!(windows.targets(&[2, 0]), [7, 1, 8, 2, 9, 3]);
        assert_eq!(Windows::new(&tokens[..10], 3).count(), 3);
        assert_eq!(Windows::new(&tokens[..9], 3).count(), 2);
        assert_eq!(Windows::new(&[], 3).count(), 0);
    }
}
