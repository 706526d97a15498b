//! BLEU, how much translations agree with those of people (Papineni and others, 2002), as SacreBLEU
//! computes it (Post, *A Call for Clarity in Reporting BLEU Scores*, 2018).

mod tokens;

use std::collections::HashMap;

use crate::error::DataError;
use tokens::tokenized;

/// The longest runs of words that are compared.
const ORDERS: usize = 4;

/// The BLEU of a corpus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bleu {
    /// The score from 0 to 100: the brevity penalty times the geometric mean of the precisions.
    pub score: f64,
    /// The percentages of runs of one, two, three and four words of the hypotheses that their
    /// references have too.
    pub precisions: [f64; ORDERS],
    /// A factor of at most 1 for hypotheses that are shorter than their references.
    pub brevity_penalty: f64,
    /// The words of all hypotheses.
    pub hypothesis_length: usize,
    /// The words of all references.
    pub reference_length: usize,
}

/// The BLEU of `hypotheses`, each against the reference of the same number, as plain text and not
/// cut into words.
///
/// This is SacreBLEU with the signature `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`:
/// words are told apart as by `mteval-v13a`, upper case is not lower case, and of the orders that
/// have no run in common the first counts as a half, the next as a quarter run, and so on. The score
/// is 0 where no word is in common, or where no hypothesis has four words. Unequal numbers of
/// hypotheses and references are refused.
pub fn corpus_bleu(
    hypotheses: &[impl AsRef<str>],
    references: &[impl AsRef<str>],
) -> Result<Bleu, DataError> {
    if hypotheses.len() != references.len() {
        let (hypotheses, references) = (hypotheses.len(), references.len());
        return Err(DataError::BleuCounts { hypotheses, references });
    }
    let mut matches = Matches::default();
    for (hypothesis, reference) in hypotheses.iter().zip(references) {
        matches.add(hypothesis.as_ref(), reference.as_ref());
    }
    Ok(matches.bleu())
}

/// What two texts have in common.
#[derive(Default)]
struct Matches {
    /// Runs of each order that are in both, a repeated one as often as in both.
    common: [usize; ORDERS],
    /// Runs of each order in the hypotheses.
    all: [usize; ORDERS],
    reference_length: usize,
}

impl Matches {
    fn add(&mut self, hypothesis: &str, reference: &str) {
        let (hypothesis, reference) = (tokenized(hypothesis), tokenized(reference));
        let hypothesis: Vec<&str> = tokens::split(&hypothesis).collect();
        let reference: Vec<&str> = tokens::split(&reference).collect();
        self.reference_length += reference.len();
        for order in 1..=ORDERS {
            let mut left = HashMap::<&[&str], usize>::new();
            for run in reference.windows(order) {
                *left.entry(run).or_default() += 1;
            }
            for run in hypothesis.windows(order) {
                self.all[order - 1] += 1;
                if let Some(count) = left.get_mut(run).filter(|count| **count > 0) {
                    *count -= 1;
                    self.common[order - 1] += 1;
                }
            }
        }
    }

    fn bleu(&self) -> Bleu {
        let precisions = self.precisions();
        let brevity_penalty = self.brevity_penalty();
        // The logarithm of 0 is minus infinity, of which exp makes 0.
        let mean = precisions.iter().map(|precision| precision.ln()).sum::<f64>() / ORDERS as f64;
        Bleu {
            score: brevity_penalty * mean.exp(),
            precisions,
            brevity_penalty,
            hypothesis_length: self.all[0],
            reference_length: self.reference_length,
        }
    }

    /// The percentages, where none is 0 that a longer corpus could raise.
    fn precisions(&self) -> [f64; ORDERS] {
        let mut precisions = [0.0; ORDERS];
        if self.common == [0; ORDERS] {
            return precisions;
        }
        let mut share = 1.0;
        for (order, precision) in precisions.iter_mut().enumerate() {
            let (common, all) = (self.common[order] as f64, self.all[order] as f64);
            if all == 0.0 {
                break;
            }
            *precision = if common == 0.0 {
                share /= 2.0;
                100.0 * share / all
            } else {
                100.0 * common / all
            };
        }
        precisions
    }

    fn brevity_penalty(&self) -> f64 {
        let (hypotheses, references) = (self.all[0] as f64, self.reference_length as f64);
        if hypotheses >= references {
            return 1.0;
        }
        // Without a word it is exp of minus infinity, 0.
        (1.0 - references / hypotheses).exp()
    }
}

#[cfg(test)]
mod tests;
