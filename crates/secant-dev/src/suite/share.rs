//! Which share of the reference's evaluations a method needs to the reference's training loss.

use std::fmt::Write;

use secant_lab::{CompareError, Problem};

use super::{
    Contest, Entry, Side,
    table::{digits, loss_text, ratio_text},
};

/// A method's runs of several lengths.
#[derive(Clone, Debug)]
pub struct Share {
    /// The problem.
    pub entry: Entry,
    /// Gradients of a batch that the reference got.
    pub gradients: u64,
    /// The reference, tuned.
    pub reference: Side,
    /// The candidate with these parts of its evaluations, ascending.
    pub sides: Vec<(f64, Side)>,
}

/// Measures a problem at these parts of the reference's evaluations, ascending, but for what the store has.
///
/// # Errors
/// One sentence that says why not; finished runs are in the store then.
pub fn share<P: Problem>(contest: &Contest<'_, P>, parts: &[f64]) -> Result<Share, CompareError> {
    let reference = contest.reference()?;
    let side = |part: &f64| Ok((*part, contest.candidate(*part, &reference)?));
    let sides = parts.iter().map(side).collect::<Result<_, CompareError>>()?;
    Ok(Share { entry: *contest.entry, gradients: contest.gradients(), reference, sides })
}

impl Share {
    /// The share, between the two lengths whose ratios of losses enclose 1, on a straight line through their
    /// logarithms. Runs that diverged have an infinite ratio, and no line goes through it.
    fn text(&self) -> String {
        let ratio = |side: &Side| side.to_training.map_or(f64::INFINITY, |ratio| ratio.mean);
        let points: Vec<(f64, f64)> =
            self.sides.iter().map(|(part, side)| (*part, ratio(side))).collect();
        let enclosing = |pair: &&[(f64, f64)]| pair[0].1 > 1.0 && pair[1].1 <= 1.0;
        match (points.first(), points.windows(2).find(enclosing), points.last()) {
            (Some((part, ratio)), ..) if *ratio <= 1.0 => format!("at most {part}"),
            (_, Some(&[(from, ratio), (to, _)]), _) if ratio.is_infinite() => {
                format!("between {from} and {to}")
            }
            (_, Some(&[before, after]), _) => digits(crossing(before, after)),
            (.., Some((part, ratio))) if ratio.is_finite() => format!("more than {part}"),
            _ => "diverged".to_string(),
        }
    }
}

/// Where the ratio is 1.
fn crossing(before: (f64, f64), after: (f64, f64)) -> f64 {
    let way = before.1.ln() / (before.1 / after.1).ln();
    (before.0.ln() + way * (after.0 / before.0).ln()).exp()
}

/// The shares as a table in Markdown.
pub fn shares_table(shares: &[Share], candidate: &str, reference: &str) -> String {
    let parts = shares.first().map_or(&[][..], |share| &share.sides);
    let at: String = parts.iter().map(|(part, _)| format!(" | ratio at {part}")).collect();
    let mut text = format!(
        "| problem | gradients | {reference}: rate, training loss | share that {candidate} needs{at} |\n\
         |---|---|---|---|{}\n",
        "---|".repeat(parts.len())
    );
    for share in shares {
        let Share { entry, gradients, reference, sides } = share;
        let ratios: String =
            sides.iter().map(|(_, side)| format!(" | {}", ratio_text(side.to_training))).collect();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} | {gradients} | {}, {} | {}{ratios} |",
            entry.label(),
            reference.lr,
            loss_text(reference),
            share.text()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::Ratio, super::SUITE, *};

    fn share_of(points: &[(f64, f64)]) -> Share {
        let side = |ratio: f64| Side {
            lr: 0.01,
            training: Some(ratio),
            seconds: None,
            to_training: ratio.is_finite().then_some(Ratio { mean: ratio, ends: None }),
            to_validation: None,
            runs: Vec::new(),
        };
        Share {
            entry: SUITE[0],
            gradients: 400,
            reference: side(1.0),
            sides: points.iter().map(|(part, ratio)| (*part, side(*ratio))).collect(),
        }
    }

    #[test]
    fn the_share_of_a_loss_that_falls_as_a_power_of_the_length_is_exact() {
        let ratio = |part: f64| (part / 0.6).powf(-1.7);
        let points = [0.25, 0.5, 1.0].map(|part| (part, ratio(part)));
        assert_eq!(share_of(&points).text(), "0.6");
        assert_eq!(share_of(&points[2..]).text(), "at most 1");
        assert_eq!(share_of(&points[..2]).text(), "more than 0.5");
        let infinite = f64::INFINITY;
        assert_eq!(share_of(&[(0.25, infinite), (0.5, 0.8)]).text(), "between 0.25 and 0.5");
        assert_eq!(share_of(&[(0.25, 1.5), (0.5, infinite)]).text(), "diverged");
        let table = shares_table(&[share_of(&points)], "auto", "adam");
        assert!(table.contains("| share that auto needs | ratio at 0.25 |"), "{table}");
        assert!(table.contains("| 0.01, 1 | 0.6 | 4.43 | 1.36 | 0.42 |"), "{table}");
    }
}
