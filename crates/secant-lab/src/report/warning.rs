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
    /// The best rates of some methods lie at an end of the rates that were tried.
    RatesAtGridEnd {
        /// The end they lie at.
        end: GridEnd,
        /// The methods and their best rates.
        rates: Vec<(String, f64)>,
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
                 give --seeds 3 or more",
            ),
            Self::LeadersOverlap { first, second } => write!(
                f,
                "{first} and {second} cannot be told apart, their 95 % intervals overlap; \
                 give --seeds a larger number to separate them"
            ),
            Self::RatesAtGridEnd { end, rates } => {
                let tried = match end {
                    GridEnd::Smallest => "smallest",
                    GridEnd::Largest => "largest",
                };
                let rates: Vec<String> =
                    rates.iter().map(|(name, rate)| format!("{name} ({})", short(*rate))).collect();
                let rates = rates.join(", ");
                write!(
                    f,
                    "the best rate was the {tried} tried for {rates}: give --tune a larger number"
                )
            }
            Self::Diverged { optimizer, diverged, runs } => write!(
                f,
                "{optimizer}: {diverged} of {} diverged (a loss that is not finite or above its \
                 start); give --tune a larger number, or --lr a smaller one",
                counted(*runs, "run")
            ),
            Self::RejectedSteps { optimizer, steps } => write!(
                f,
                "{optimizer}: {steps} rejected because a number was not finite; \
                 a smaller rate, by --tune or --lr, may avoid this",
                steps = rejected(*steps)
            ),
            Self::MissingRuns { optimizer, runs, expected } => write!(
                f,
                "{optimizer}: the data holds {runs} of {}; repeat the command with --resume to \
                 complete it",
                counted(*expected, "run")
            ),
            Self::TargetNeverReached { optimizers, target } => write!(
                f,
                "no run of {} reached {} validation accuracy; give --epochs a larger number or \
                 --target-accuracy a smaller one",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_warning_says_what_is_wrong_and_what_to_do() {
        let optimizer = || "adam".to_owned();
        let warnings = [
            Warning::OneSeed,
            Warning::LeadersOverlap { first: optimizer(), second: "lion".into() },
            Warning::RatesAtGridEnd {
                end: GridEnd::Largest,
                rates: vec![(optimizer(), 0.0095), ("sgd".into(), 0.32)],
            },
            Warning::RatesAtGridEnd { end: GridEnd::Smallest, rates: vec![(optimizer(), 1e-5)] },
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
        one seed only, so no spread is known and small differences mean nothing; give --seeds 3 or more
        adam and lion cannot be told apart, their 95 % intervals overlap; give --seeds a larger number to separate them
        the best rate was the largest tried for adam (0.0095), sgd (0.32): give --tune a larger number
        the best rate was the smallest tried for adam (1e-5): give --tune a larger number
        adam: 1 of 3 runs diverged (a loss that is not finite or above its start); give --tune a larger number, or --lr a smaller one
        adam: 1 step was rejected because a number was not finite; a smaller rate, by --tune or --lr, may avoid this
        adam: the data holds 2 of 3 runs; repeat the command with --resume to complete it
        no run of adam, sgd reached 97.5 % validation accuracy; give --epochs a larger number or --target-accuracy a smaller one
        ");
    }
}
