//! What a reader should know before trusting a comparison, and what to do about it.

use std::fmt;

use super::format::{counted, percent, short};

/// Which end of the tried rates the best one lies at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GridEnd {
    /// No smaller rate was tried.
    Smallest,
    /// No larger rate was tried.
    Largest,
}

/// A reason to read the figures with care.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// There is one seed, so nothing is known about the spread.
    OneSeed,
    /// The 95 % intervals of the two most accurate methods overlap.
    LeadersOverlap {
        /// The most accurate method.
        first: String,
        /// The next one.
        second: String,
    },
    /// The best rate lies at an end of the rates that were tried.
    RateAtGridEnd {
        /// The method.
        optimizer: String,
        /// Its best rate.
        rate: f64,
        /// The end it lies at.
        end: GridEnd,
    },
    /// Some runs ended with a loss that is not finite or above its start.
    Diverged {
        /// The method.
        optimizer: String,
        /// How many of its runs diverged.
        diverged: usize,
        /// How many runs it has.
        runs: usize,
    },
    /// Steps were rejected because something in them was not finite.
    RejectedSteps {
        /// The method.
        optimizer: String,
        /// How many, over all its runs.
        steps: u64,
    },
    /// The data holds fewer runs than there are seeds.
    MissingRuns {
        /// The method.
        optimizer: String,
        /// How many runs it has.
        runs: usize,
        /// How many it should have.
        expected: usize,
    },
    /// Methods of which no run reached the target.
    TargetNeverReached {
        /// The methods.
        optimizers: Vec<String>,
        /// The validation accuracy that counts as reached.
        target: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneSeed => f.write_str(
                "one seed only, so no spread is known and small differences mean nothing; \
                 use three seeds or more",
            ),
            Self::LeadersOverlap { first, second } => write!(
                f,
                "{first} and {second} cannot be told apart, their 95 % intervals overlap; \
                 use more seeds to separate them"
            ),
            Self::RateAtGridEnd { optimizer, rate, end } => {
                write_grid_end(f, optimizer, *rate, *end)
            }
            Self::Diverged { optimizer, diverged, runs } => write!(
                f,
                "{optimizer}: {diverged} of {} diverged (a loss that is not finite or above its \
                 start); try smaller rates or longer tuning trials",
                counted(*runs, "run")
            ),
            Self::RejectedSteps { optimizer, steps } => write!(
                f,
                "{optimizer}: {steps} rejected because a number was not finite; \
                 a smaller rate may avoid this",
                steps = rejected(*steps)
            ),
            Self::MissingRuns { optimizer, runs, expected } => write!(
                f,
                "{optimizer}: the data holds {runs} of {}; repeat the comparison to complete it",
                counted(*expected, "run")
            ),
            Self::TargetNeverReached { optimizers, target } => write!(
                f,
                "no run of {} reached {} validation accuracy; train for more epochs or lower \
                 the target",
                optimizers.join(", "),
                percent(*target)
            ),
        }
    }
}

fn rejected(steps: u64) -> String {
    let verb = if steps == 1 { "step was" } else { "steps were" };
    format!("{steps} {verb}")
}

fn write_grid_end(
    f: &mut fmt::Formatter<'_>,
    optimizer: &str,
    rate: f64,
    end: GridEnd,
) -> fmt::Result {
    let (tried, advice) = match end {
        GridEnd::Smallest => ("smallest", "smaller"),
        GridEnd::Largest => ("largest", "larger"),
    };
    write!(
        f,
        "{optimizer}: the best rate, {}, is the {tried} that was tried; try {advice} rates too",
        short(rate)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_warning_says_what_is_wrong_and_what_to_do() {
        let optimizer = || "adam".to_owned();
        let warnings = [
            Warning::OneSeed,
            Warning::LeadersOverlap { first: optimizer(), second: "lion".into() },
            Warning::RateAtGridEnd { optimizer: optimizer(), rate: 0.1, end: GridEnd::Largest },
            Warning::RateAtGridEnd { optimizer: optimizer(), rate: 1e-5, end: GridEnd::Smallest },
            Warning::Diverged { optimizer: optimizer(), diverged: 1, runs: 3 },
            Warning::RejectedSteps { optimizer: optimizer(), steps: 1 },
            Warning::MissingRuns { optimizer: optimizer(), runs: 2, expected: 3 },
            Warning::TargetNeverReached {
                optimizers: vec![optimizer(), "sgd".into()],
                target: 0.975,
            },
        ];
        let texts: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(texts.join("\n"), @r"
        one seed only, so no spread is known and small differences mean nothing; use three seeds or more
        adam and lion cannot be told apart, their 95 % intervals overlap; use more seeds to separate them
        adam: the best rate, 0.1, is the largest that was tried; try larger rates too
        adam: the best rate, 1e-5, is the smallest that was tried; try smaller rates too
        adam: 1 of 3 runs diverged (a loss that is not finite or above its start); try smaller rates or longer tuning trials
        adam: 1 step was rejected because a number was not finite; a smaller rate may avoid this
        adam: the data holds 2 of 3 runs; repeat the comparison to complete it
        no run of adam, sgd reached 97.5 % validation accuracy; train for more epochs or lower the target
        ");
    }
}
