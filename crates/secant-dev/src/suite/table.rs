//! The standings as a table in Markdown, and what they come to.

use std::fmt::Write;

use super::{Ratio, Side, Standing};

/// The table, and under it how many problems meet what is asked of a default.
pub fn table(standings: &[Standing], candidate: &str, reference: &str) -> String {
    let mut text = format!(
        "| problem | gradients | {reference}: rate, training loss | {candidate} at 1/2: training loss, \
         ratio | at 1: ratio | at 1.2: ratio | at 1: ratio of validation losses | seconds: \
         {reference}, {candidate} at 1/2 |\n|---|---|---|---|---|---|---|---|\n"
    );
    for standing in standings {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", row(standing));
    }
    text.push_str(&summary(standings, candidate, reference));
    text
}

fn row(standing: &Standing) -> String {
    let Standing { entry, gradients, reference, half, whole, more } = standing;
    let star = if entry.is_known { " *" } else { "" };
    let cells = [
        format!("{}{star}", entry.label()),
        gradients.to_string(),
        format!("{}, {}", reference.lr, loss_text(reference)),
        format!("{}, {}", loss_text(half), ratio_text(half.to_training)),
        ratio_text(whole.to_training),
        more.as_ref().map_or_else(String::new, |more| ratio_text(more.to_training)),
        ratio_text(whole.to_validation),
        format!("{}, {}", seconds_text(reference), seconds_text(half)),
    ];
    format!("| {} |", cells.join(" | "))
}

pub(super) fn loss_text(side: &Side) -> String {
    side.training.map_or_else(|| "diverged".to_string(), digits)
}

fn seconds_text(side: &Side) -> String {
    side.seconds.map_or_else(|| "?".to_string(), digits)
}

pub(super) fn ratio_text(ratio: Option<Ratio>) -> String {
    let Some(Ratio { mean, ends }) = ratio else { return "diverged".to_string() };
    let ends = ends.map(|(low, high)| format!(" [{}, {}]", digits(low), digits(high)));
    format!("{}{}", digits(mean), ends.unwrap_or_default())
}

/// Three digits.
pub(super) fn digits(number: f64) -> String {
    let rounded: f64 = format!("{number:.2e}").parse().unwrap_or(number);
    if rounded == 0.0 || (1e-3..1e5).contains(&rounded) {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
}

fn summary(standings: &[Standing], candidate: &str, reference: &str) -> String {
    let count = |is: &dyn Fn(&Standing) -> bool| standings.iter().filter(|s| is(s)).count();
    let at_half = count(&|s| s.half.is_as_good());
    let surely = count(&|s| s.half.to_training.is_some_and(|ratio| ratio.is_below_one()));
    let worse = count(&|s| s.more.as_ref().is_some_and(|more| !more.is_as_good()));
    let loses = count(&|s| s.whole.to_validation.is_none_or(|ratio| ratio.is_above_one()));
    format!(
        "\n`*`: looked at when defaults were chosen. Ratios are {candidate}'s losses by {reference}'s, paired by \
         seed, with 95 % intervals.\n\nOf {all} problems: {reference}'s training loss is reached with half of its \
         evaluations on {at_half} (beyond the interval on {surely}), not even with 1.2 times as many on {worse}; \
         the validation loss is worse beyond the interval on {loses}.\n",
        all = standings.len()
    )
}

#[cfg(test)]
mod tests {
    use super::{super::SUITE, *};

    fn side(training: f64, ratio: [f64; 3]) -> Side {
        let ratio = Some(Ratio { mean: ratio[1], ends: Some((ratio[0], ratio[2])) });
        Side {
            lr: 0.01,
            training: Some(training),
            seconds: Some(1.234_5),
            to_training: ratio,
            to_validation: ratio,
            runs: Vec::new(),
        }
    }

    #[test]
    fn a_problem_counts_by_its_mean_and_for_sure_by_its_interval() {
        let reference = side(0.5, [1.0; 3]);
        let better = Standing {
            entry: SUITE[0],
            gradients: 400,
            reference: reference.clone(),
            half: side(0.4, [0.7, 0.8, 0.9]),
            whole: side(0.3, [0.5, 0.6, 0.7]),
            more: None,
        };
        let worse = Standing {
            half: side(0.49, [0.9, 0.98, 1.1]),
            whole: side(0.6, [1.1, 1.2, 1.3]),
            more: Some(side(0.55, [1.05, 1.1, 1.2])),
            ..better.clone()
        };
        let text = table(&[better, worse], "auto", "adam");
        assert!(text.contains("| 0.4, 0.8 [0.7, 0.9] | 0.6 [0.5, 0.7] |  |"), "{text}");
        assert!(text.contains("| 1.1 [1.05, 1.2] |") && text.contains("1.23, 1.23"), "{text}");
        assert!(text.contains("Of 2 problems"), "{text}");
        assert!(text.contains("on 2 (beyond the interval on 1)"), "{text}");
        assert!(
            text.contains("1.2 times as many on 1;") && text.contains("interval on 1."),
            "{text}"
        );
    }

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!([1234.5, 0.012_345, 1.5e-7, 0.0].map(digits), ["1230", "0.0123", "1.5e-7", "0"]);
    }
}
