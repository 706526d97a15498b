//! What the numbers of an experiment's file may be: as on the command line.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    Budget,
    record::{Claim, Reported},
};

/// The most runs of a kind.
const MOST: u64 = 1000;

/// From here on as many seeds as there may be follow each other without beginning at 0 again.
const LAST_FIRST_SEED: u64 = u64::MAX - (MOST - 1);

/// How many seeds or trials.
pub(super) fn few<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let count = |given: &Given| given.whole().filter(|count| (1..=MOST).contains(count));
    let wanted = format!("a whole number from 1 to {MOST} is wanted");
    Ok(Some(read(deserializer, count, &wanted)? as usize))
}

/// The first of the seeds; how many follow may be the problem's or the command line's.
pub(super) fn first_seed<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let seed = |given: &Given| given.whole().filter(|seed| *seed <= LAST_FIRST_SEED);
    let wanted = format!("a whole number from 0 to {LAST_FIRST_SEED} is wanted");
    read(deserializer, seed, &wanted).map(Some)
}

/// Passes over the training records.
pub(super) fn epochs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let most = Budget::MOST_EPOCHS;
    let epochs = |given: &Given| given.number().filter(|epochs| *epochs > 0.0 && *epochs <= most);
    let wanted = format!("a number above 0 and at most {most} is wanted");
    read(deserializer, epochs, &wanted).map(Some)
}

/// The paper's claims, each of two methods.
pub(super) fn claims<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Claim>, D::Error> {
    /// An error within has the claim's line.
    #[derive(Deserialize)]
    struct Entry(#[serde(deserialize_with = "claim")] Claim);
    let entries = Vec::<Entry>::deserialize(deserializer)?;
    Ok(entries.into_iter().map(|Entry(claim)| claim).collect())
}

/// The paper's numbers.
pub(super) fn reported<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Reported>, D::Error> {
    #[derive(Deserialize)]
    struct Entry(#[serde(with = "Bounded")] Reported);
    let entries = Vec::<Entry>::deserialize(deserializer)?;
    Ok(entries.into_iter().map(|Entry(reported)| reported).collect())
}

fn claim<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Claim, D::Error> {
    let claim = Claim::deserialize(deserializer)?;
    if claim.better == claim.than {
        let reason = "`better` and `than` of a claim are two methods; both are";
        return Err(D::Error::custom(format!("{reason} `{}`", claim.better)));
    }
    Ok(claim)
}

/// [`Reported`], with bounds.
#[derive(Deserialize)]
#[serde(remote = "Reported", rename_all = "kebab-case", deny_unknown_fields)]
struct Bounded {
    method: String,
    metric: String,
    #[serde(deserialize_with = "finite")]
    value: f64,
    #[serde(default, deserialize_with = "spread")]
    spread: Option<f64>,
    variant: Option<String>,
    place: String,
}

fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let finite = |given: &Given| given.number().filter(|number| number.is_finite());
    read(deserializer, finite, "a finite number is wanted")
}

fn spread<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let spread = |given: &Given| given.number().filter(|x| *x >= 0.0 && x.is_finite());
    read(deserializer, spread, "a finite number of at least 0 is wanted").map(Some)
}

/// What the file has in the place of a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Whole(u64),
    Negative(i64),
    Number(f64),
    Text(String),
}

impl Given {
    fn whole(&self) -> Option<u64> {
        if let Self::Whole(number) = self { Some(*number) } else { None }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Negative(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Negative(number) => write!(f, "{number}"),
            // As short as the file has it: 1e300, not its 301 digits.
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// What is accepted of the given; else an error says what is wanted and what was given.
fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    accepted: impl Fn(&Given) -> Option<T>,
    wanted: &str,
) -> Result<T, D::Error> {
    // A list, a truth value or a whole number of more than 64 bits is none of these.
    let Ok(given) = Given::deserialize(deserializer) else {
        return Err(D::Error::custom(wanted));
    };
    accepted(&given).ok_or_else(|| D::Error::custom(format!("{wanted}, not {given}")))
}
