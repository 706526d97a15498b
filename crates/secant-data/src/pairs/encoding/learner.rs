//! Counts neighbours in pieces of text while they are merged.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

/// Two neighbours.
type Pair = (u32, u32);

/// The pieces of a text, with how often every two neighbours occur in them.
pub(super) struct Learner {
    /// The tokens of each piece, and how often the piece occurs.
    pieces: Vec<(Vec<u32>, usize)>,
    counts: HashMap<Pair, usize>,
    /// The pieces in which two neighbours are, or once were.
    places: HashMap<Pair, HashSet<usize>>,
    /// Neighbours by their count when they were put here, which is never below the present one.
    queue: BinaryHeap<(usize, Reverse<Pair>)>,
}

impl Learner {
    pub(super) fn new(pieces: impl Iterator<Item = (Vec<u32>, usize)>) -> Self {
        let mut learner = Self {
            pieces: pieces.collect(),
            counts: HashMap::new(),
            places: HashMap::new(),
            queue: BinaryHeap::new(),
        };
        (0..learner.pieces.len()).for_each(|piece| learner.add(piece));
        learner.queue = learner.counts.iter().map(|(&pair, &n)| (n, Reverse(pair))).collect();
        learner
    }

    /// The most frequent neighbours, those of the lowest numbers where several are; nothing where no
    /// piece has two tokens.
    pub(super) fn most_frequent(&mut self) -> Option<Pair> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            match self.counts.get(&pair).copied() {
                Some(now) if now == count && now > 0 => return Some(pair),
                Some(now) if now > 0 => self.queue.push((now, Reverse(pair))),
                _ => {}
            }
        }
        None
    }

    /// Replaces the neighbours `pair`, from left to right, by `token`.
    pub(super) fn merge(&mut self, pair: Pair, token: u32) {
        let mut changed = HashSet::new();
        for piece in self.places.remove(&pair).unwrap_or_default() {
            let (tokens, count) = &mut self.pieces[piece];
            for pair in neighbours(tokens) {
                if let Some(n) = self.counts.get_mut(&pair) {
                    *n -= *count;
                }
            }
            *tokens = merged(tokens, pair, token);
            changed.extend(neighbours(tokens));
            self.add(piece);
        }
        let counts = &self.counts;
        self.queue.extend(changed.into_iter().map(|pair| (counts[&pair], Reverse(pair))));
    }

    /// Counts the neighbours of a piece.
    fn add(&mut self, piece: usize) {
        let (tokens, count) = &self.pieces[piece];
        for pair in neighbours(tokens) {
            *self.counts.entry(pair).or_default() += count;
            self.places.entry(pair).or_default().insert(piece);
        }
    }
}

/// All neighbours in a piece.
fn neighbours(tokens: &[u32]) -> impl Iterator<Item = Pair> {
    tokens.windows(2).map(|pair| (pair[0], pair[1]))
}

/// `tokens` with `token` in place of every `pair`.
fn merged(tokens: &[u32], pair: Pair, token: u32) -> Vec<u32> {
    let mut merged = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let both = tokens.get(at..at + 2) == Some(&[pair.0, pair.1]);
        merged.push(if both { token } else { tokens[at] });
        at += if both { 2 } else { 1 };
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// The most frequent neighbours, counted anew.
    fn counted(pieces: &[(Vec<u32>, usize)]) -> Option<Pair> {
        let mut counts = BTreeMap::<Pair, usize>::new();
        for (tokens, count) in pieces {
            for pair in neighbours(tokens) {
                *counts.entry(pair).or_default() += count;
            }
        }
        counts.into_iter().max_by_key(|&(pair, count)| (count, Reverse(pair))).map(|(pair, _)| pair)
    }

    #[test]
    fn neighbours_are_replaced_from_left_to_right() {
        assert_eq!(merged(&[1, 1, 1, 2, 1, 1], (1, 1), 9), [9, 1, 2, 9]);
        assert_eq!(merged(&[1], (1, 1), 9), [1]);
    }

    proptest! {
        #[test]
        fn counts_kept_up_to_date_are_those_counted_anew(
            pieces in prop::collection::vec((prop::collection::vec(0u32..4, 0..9), 1..5_usize), 0..12),
        ) {
            let mut learner = Learner::new(pieces.clone().into_iter());
            let mut pieces = pieces;
            for token in 4.. {
                let pair = counted(&pieces);
                prop_assert_eq!(learner.most_frequent(), pair);
                let Some(pair) = pair else { break };
                learner.merge(pair, token);
                for (tokens, _) in &mut pieces {
                    *tokens = merged(tokens, pair, token);
                }
                prop_assert_eq!(&learner.pieces, &pieces);
            }
        }
    }
}
