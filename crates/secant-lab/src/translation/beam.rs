//! Beam search.

use secant_data::pairs::{BEGIN, END, PADDING};

/// A search for the likeliest translation that keeps the best few beginnings.
///
/// As in fairseq: of the 2 `size` likeliest ways to go on, those that end a sentence and are among the
/// first `size` have ended, and the first `size` of the others are gone on from. A search is over when
/// `size` hypotheses have ended, or at the longest length, where all end. The best is that of the
/// largest logarithm of its chance, divided by its number of tokens, the end among them, to the power of
/// `length_penalty`. Of size 1 it is greedy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beam {
    pub size: usize,
    pub length_penalty: f64,
}

/// A beginning of a translation, or a whole one.
#[derive(Clone, Debug)]
struct Hypothesis {
    tokens: Vec<u32>,
    /// The logarithm of its chance.
    score: f64,
}

/// The search for one sentence.
struct Search {
    /// What is gone on from, all of one length.
    alive: Vec<Hypothesis>,
    /// The best that has ended, with its score by length.
    best: Option<(f64, Vec<u32>)>,
    /// How many have ended.
    ended: usize,
    /// Tokens before the end, at most.
    longest: usize,
}

/// A way to go on.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: usize,
    token: u32,
    score: f64,
}

impl Beam {
    /// The translations of sentences, without their ends, of which number `i` has at most `longest[i]`
    /// tokens.
    ///
    /// `next(rows, tokens)` is told which rows of its last answer are gone on from, the sentences
    /// themselves at first, and the token that each goes on with, which is [`BEGIN`] at first; it gives the logarithms of the
    /// chances of all tokens to follow, row after row.
    pub fn search(
        self,
        longest: &[usize],
        mut next: impl FnMut(&[usize], &[u32]) -> Vec<f32>,
    ) -> Vec<Vec<u32>> {
        let mut searches: Vec<Search> =
            longest.iter().map(|&longest| Search::new(longest)).collect();
        let (mut rows, mut tokens) =
            ((0..longest.len()).collect::<Vec<_>>(), vec![BEGIN; longest.len()]);
        while !rows.is_empty() {
            let chances = next(&rows, &tokens);
            let mut of_row = chances.chunks(chances.len() / rows.len());
            let mut first = 0;
            (rows, tokens) = (Vec::new(), Vec::new());
            for search in &mut searches {
                let count = search.alive.len();
                let own: Vec<&[f32]> = of_row.by_ref().take(count).collect();
                for Candidate { from, token, .. } in search.advance(self, &own) {
                    rows.push(first + from);
                    tokens.push(token);
                }
                first += count;
            }
        }
        searches
            .into_iter()
            .map(|search| search.best.map_or(Vec::new(), |(_, best)| best))
            .collect()
    }
}

impl Search {
    fn new(longest: usize) -> Self {
        let alive = vec![Hypothesis { tokens: Vec::new(), score: 0.0 }];
        Self { alive, best: None, ended: 0, longest }
    }

    /// One token more, by the chances of what follows each hypothesis: how those that are left go on.
    fn advance(&mut self, beam: Beam, chances: &[&[f32]]) -> Vec<Candidate> {
        let before = std::mem::take(&mut self.alive);
        let Some(length) = before.first().map(|hypothesis| hypothesis.tokens.len()) else {
            return Vec::new();
        };
        if length == self.longest {
            for (hypothesis, chances) in before.into_iter().zip(chances) {
                let score = hypothesis.score + f64::from(chances[END as usize]);
                self.end(beam, hypothesis.tokens, score);
            }
            return Vec::new();
        }
        let mut going_on = Vec::new();
        for (rank, candidate) in likeliest(&before, chances, 2 * beam.size).into_iter().enumerate()
        {
            if candidate.token != END && going_on.len() < beam.size {
                going_on.push(candidate);
            } else if candidate.token == END && rank < beam.size {
                self.end(beam, before[candidate.from].tokens.clone(), candidate.score);
            }
        }
        if self.ended >= beam.size {
            return Vec::new();
        }
        let longer = |candidate: &Candidate| Hypothesis {
            tokens: [&before[candidate.from].tokens[..], &[candidate.token]].concat(),
            score: candidate.score,
        };
        self.alive = going_on.iter().map(longer).collect();
        going_on
    }

    fn end(&mut self, beam: Beam, tokens: Vec<u32>, score: f64) {
        let score = score / ((tokens.len() + 1) as f64).powf(beam.length_penalty);
        self.ended += 1;
        if self.best.as_ref().is_none_or(|(best, _)| score > *best) {
            self.best = Some((score, tokens));
        }
    }
}

/// The `count` likeliest ways to go on, the best first, of equal ones the first; none is padding or a
/// beginning.
fn likeliest(before: &[Hypothesis], chances: &[&[f32]], count: usize) -> Vec<Candidate> {
    let mut best: Vec<Candidate> = Vec::with_capacity(count + 1);
    for (from, (hypothesis, chances)) in before.iter().zip(chances).enumerate() {
        for (token, chance) in (0u32..).zip(chances.iter()) {
            let score = hypothesis.score + f64::from(*chance);
            let is_among = best.len() < count || best.last().is_some_and(|last| score > last.score);
            if !is_among || score.is_nan() || matches!(token, PADDING | BEGIN) {
                continue;
            }
            let place = best.partition_point(|other| other.score >= score);
            best.insert(place, Candidate { from, token, score });
            best.truncate(count);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secant_core::rng::SplitMix64;

    use super::*;

    const TOKENS: usize = 6;
    const LONGEST: usize = 4;

    /// The logarithms of the chances of what follows a beginning, different for every one.
    fn chances(seed: u64, beginning: &[u32]) -> Vec<f32> {
        let seed = beginning
            .iter()
            .fold(seed, |hash, &token| SplitMix64::new(hash ^ u64::from(token + 1)).next_u64());
        let mut rng = SplitMix64::new(seed);
        let weights: Vec<f32> = (0..TOKENS).map(|_| rng.range(0.0, 3.0).exp()).collect();
        let sum: f32 = weights.iter().sum();
        weights.iter().map(|weight| (weight / sum).ln()).collect()
    }

    /// The translations of sentences of which number `i` has the chances of seed `seeds[i]`.
    fn search(beam: Beam, seeds: &[u64], longest: usize) -> Vec<Vec<u32>> {
        let mut rows: Vec<(u64, Vec<u32>)> = seeds.iter().map(|&seed| (seed, Vec::new())).collect();
        beam.search(&vec![longest; seeds.len()], |parents, tokens| {
            let longer = |(&parent, &token): (&usize, &u32)| {
                let (seed, beginning) = rows[parent].clone();
                (seed, if token == BEGIN { beginning } else { [beginning, vec![token]].concat() })
            };
            rows = parents.iter().zip(tokens).map(longer).collect();
            rows.iter().flat_map(|(seed, beginning)| chances(*seed, beginning)).collect()
        })
    }

    /// The score of a whole translation.
    fn score(seed: u64, tokens: &[u32], length_penalty: f64) -> f64 {
        let whole = [tokens, &[END]].concat();
        let chance = |at: usize| f64::from(chances(seed, &whole[..at])[whole[at] as usize]);
        let sum: f64 = (0..whole.len()).map(chance).sum();
        sum / (whole.len() as f64).powf(length_penalty)
    }

    /// All translations of at most so many tokens.
    fn all(longest: usize) -> Vec<Vec<u32>> {
        let mut all = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..longest {
            let longer = |tokens: &Vec<u32>| {
                let tokens = tokens.clone();
                (3..TOKENS as u32).map(move |next| [&tokens[..], &[next]].concat())
            };
            last = last.iter().flat_map(longer).collect();
            all.extend(last.clone());
        }
        all
    }

    proptest! {
        #[test]
        fn a_beam_that_holds_everything_finds_the_best_of_all(
            seed in any::<u64>(), length_penalty in 0.0..2.0f64,
        ) {
            let beam = Beam { size: 4 * 81, length_penalty };
            let found = &search(beam, &[seed], LONGEST)[0];
            let best = all(LONGEST).into_iter().max_by(|a, b| {
                score(seed, a, length_penalty).total_cmp(&score(seed, b, length_penalty))
            });
            prop_assert_eq!(Some(found), best.as_ref());
        }

        #[test]
        fn a_beam_of_one_is_greedy_and_neighbours_do_not_matter(
            seeds in prop::collection::vec(any::<u64>(), 1..5), size in 1..5_usize,
        ) {
            let greedy = |seed: u64| {
                let mut tokens = Vec::new();
                while tokens.len() < LONGEST {
                    let chances = chances(seed, &tokens);
                    let next = (END..TOKENS as u32)
                        .max_by(|a, b| chances[*a as usize].total_cmp(&chances[*b as usize]));
                    match next {
                        Some(END) | None => break,
                        Some(next) => tokens.push(next),
                    }
                }
                tokens
            };
            let one = Beam { size: 1, length_penalty: 1.0 };
            let expected: Vec<Vec<u32>> = seeds.iter().map(|&seed| greedy(seed)).collect();
            prop_assert_eq!(search(one, &seeds, LONGEST), expected);
            let beam = Beam { size, length_penalty: 1.0 };
            let alone: Vec<Vec<u32>> =
                seeds.iter().map(|&seed| search(beam, &[seed], LONGEST).remove(0)).collect();
            prop_assert_eq!(search(beam, &seeds, LONGEST), alone);
        }
    }

    /// A search where every token is followed by these chances.
    fn always(chances: [f32; TOKENS], beam: Beam, longest: usize) -> Vec<u32> {
        let next = |rows: &[usize], _: &[u32]| chances.map(f32::ln).repeat(rows.len());
        beam.search(&[longest], next).remove(0)
    }

    #[test]
    fn padding_and_beginnings_are_never_said_and_what_never_ends_is_cut() {
        let beam = Beam { size: 2, length_penalty: 1.0 };
        assert_eq!(always([0.5, 0.3, 0.0, 0.05, 0.15, 0.0], beam, 5), [4; 5]);
        assert_eq!(always([0.5, 0.3, 0.1, 0.0, 0.1, 0.0], beam, 0), Vec::<u32>::new());
        assert_eq!(always([f32::NAN; TOKENS], beam, 5), Vec::<u32>::new());
    }

    #[test]
    fn the_length_penalty_decides_between_short_and_long() {
        // An end is likelier than any token: ln 0.5 for nothing, 3 ln 0.45 + ln 0.5 for three tokens.
        let chances = [0.0, 0.0, 0.5, 0.45, 0.05, 0.0];
        let found = |length_penalty: f64| always(chances, Beam { size: 50, length_penalty }, 3);
        assert_eq!(found(0.0), Vec::<u32>::new());
        // Each token more counts ln 0.45 of four, and without it it is ln 0.5 alone.
        assert_eq!(found(1.0), Vec::<u32>::new());
        assert_eq!(found(2.0), [3; 3]);
    }
}
