//! How a learning rate changes over a run.

use std::{fmt, str::FromStr};

use secant::spec::Choice;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a learning rate changes over a run: a linear warm-up counted in steps, and a curve over the run's
/// progress, so that runs of any length have the same shape.
///
/// It is written as a name with keys: `constant`, `cosine`, `cosine(to=1e-6)`,
/// `milestones(at=0.5|0.75, factor=0.1)`, `inverse-sqrt(after=4000)`, each with a warm-up if need be:
/// `cosine(warmup=500, from=1e-5)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    curve: Curve,
    warmup: Option<Warmup>,
}

#[derive(Clone, Debug, PartialEq)]
enum Curve {
    /// `to` + (rate - `to`) (1 + cos(pi progress)) / 2.
    Cosine {
        to: f64,
    },
    Constant,
    /// rate * factor^(milestones passed), each a part of the run.
    Milestones {
        at: Vec<f64>,
        factor: f64,
    },
    /// rate * sqrt(after / step) from step `after` on.
    InverseSqrt {
        after: u64,
    },
}

/// From `from` to the rate in so many steps.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Warmup {
    steps: u64,
    from: f64,
}

impl Default for Curve {
    /// With a constant rate the end of a run is a matter of luck.
    fn default() -> Self {
        Self::Cosine { to: 0.0 }
    }
}

/// A text that is no schedule.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "the schedule `{text}` cannot be used: {reason}; write it as cosine, cosine(to=1e-6), constant, milestones(at=0.5|0.75, factor=0.1) or inverse-sqrt(after=4000), each also with warmup=500, from=1e-5"
)]
pub struct ScheduleError {
    text: String,
    reason: String,
}

impl Schedule {
    /// The schedule of a method whose user names none: an average of points has the part of a rate that
    /// falls, all others get the cosine.
    pub fn usual(method: &Choice) -> Self {
        let curve = if method.averages() { Curve::Constant } else { Curve::default() };
        Self { curve, warmup: None }
    }

    /// The rate of the next step, after `steps` steps, where `progress` of the run, from 0 to 1, is done.
    pub fn rate(&self, lr: f64, progress: f64, steps: u64) -> f64 {
        match self.warmup {
            Some(Warmup { steps: all, from }) if steps < all => {
                from + (lr - from) * (steps as f64 / all as f64)
            }
            _ => self.curve.rate(lr, progress.min(1.0), steps),
        }
    }
}

impl Curve {
    fn rate(&self, lr: f64, progress: f64, steps: u64) -> f64 {
        match self {
            Self::Cosine { to } => {
                to + 0.5 * (lr - to) * (1.0 + (std::f64::consts::PI * progress).cos())
            }
            Self::Constant => lr,
            Self::Milestones { at, factor } => {
                let passed = at.iter().filter(|&&milestone| milestone <= progress).count();
                lr * factor.powi(passed as i32)
            }
            Self::InverseSqrt { after } => lr * (*after as f64 / steps.max(*after) as f64).sqrt(),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keys = Vec::new();
        let name = match &self.curve {
            Curve::Cosine { to } => {
                keys.extend((*to > 0.0).then(|| format!("to={to:?}")));
                "cosine"
            }
            Curve::Constant => "constant",
            Curve::Milestones { at, factor } => {
                let at: Vec<String> = at.iter().map(|at| format!("{at:?}")).collect();
                keys.push(format!("at={}", at.join("|")));
                keys.push(format!("factor={factor:?}"));
                "milestones"
            }
            Curve::InverseSqrt { after } => {
                keys.push(format!("after={after}"));
                "inverse-sqrt"
            }
        };
        if let Some(Warmup { steps, from }) = self.warmup {
            keys.push(format!("warmup={steps}"));
            keys.push(format!("from={from:?}"));
        }
        if keys.is_empty() { f.write_str(name) } else { write!(f, "{name}({})", keys.join(", ")) }
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let error = |reason: String| ScheduleError { text: text.to_string(), reason };
        let mut keys = Keys::parse(text.trim()).map_err(error)?;
        let schedule = keys.schedule().map_err(error)?;
        match keys.left.first() {
            Some((key, _)) => Err(error(format!("{} has no `{key}`", keys.name))),
            None => Ok(schedule),
        }
    }
}

/// A name and the keys that have not been read yet.
struct Keys<'a> {
    name: &'a str,
    left: Vec<(&'a str, &'a str)>,
}

impl<'a> Keys<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let Some((name, inside)) = text.split_once('(') else {
            return Ok(Self { name: text, left: Vec::new() });
        };
        let inside = inside.strip_suffix(')').ok_or("the closing parenthesis is missing")?;
        let pair = |item: &'a str| {
            let (key, value) =
                item.split_once('=').ok_or_else(|| format!("`{}` is no key=value", item.trim()))?;
            Ok((key.trim(), value.trim()))
        };
        Ok(Self { name, left: inside.split(',').map(pair).collect::<Result<_, String>>()? })
    }

    fn schedule(&mut self) -> Result<Schedule, String> {
        let curve = match self.name {
            "cosine" => Curve::Cosine { to: self.number("to")?.unwrap_or(0.0) },
            "constant" => Curve::Constant,
            "milestones" => Curve::Milestones {
                at: self.milestones()?,
                factor: self.number("factor")?.unwrap_or(0.1),
            },
            "inverse-sqrt" => {
                Curve::InverseSqrt { after: self.count("after")?.ok_or("`after` is missing")? }
            }
            other => return Err(format!("there is no `{other}`")),
        };
        let steps = self.count("warmup")?;
        let from = self.number("from")?;
        let warmup = match (steps, from) {
            (Some(steps), from) => Some(Warmup { steps, from: from.unwrap_or(0.0) }),
            (None, Some(_)) => return Err("`from` needs `warmup`".to_string()),
            (None, None) => None,
        };
        Ok(Schedule { curve, warmup })
    }

    fn take(&mut self, key: &str) -> Option<&'a str> {
        let place = self.left.iter().position(|(found, _)| *found == key)?;
        Some(self.left.remove(place).1)
    }

    fn number(&mut self, key: &str) -> Result<Option<f64>, String> {
        let Some(text) = self.take(key) else { return Ok(None) };
        let number = text.parse().ok().filter(|x: &f64| *x >= 0.0 && x.is_finite());
        number.map(Some).ok_or_else(|| format!("{key}={text} is no number from 0"))
    }

    fn count(&mut self, key: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.take(key) else { return Ok(None) };
        let number = text.parse().ok().filter(|steps| *steps > 0);
        number.map(Some).ok_or_else(|| format!("{key}={text} is no whole number from 1"))
    }

    fn milestones(&mut self) -> Result<Vec<f64>, String> {
        let text = self.take("at").ok_or("`at` is missing")?;
        let part = |text: &str| text.trim().parse().ok().filter(|x: &f64| *x > 0.0 && *x < 1.0);
        text.split('|')
            .map(|at| part(at).ok_or_else(|| format!("at={at} is no part of a run, from 0 to 1")))
            .collect()
    }
}

impl TryFrom<String> for Schedule {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        text.parse()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_cosine_begins_at_the_rate_and_ends_at_its_last_one() {
        let rate = |text: &str, progress| schedule(text).rate(0.1, progress, 0);
        assert_eq!(rate("cosine", 0.0), 0.1);
        assert!((rate("cosine", 0.5) - 0.05).abs() < 1e-15);
        assert!(rate("cosine", 1.0).abs() < 1e-15 && rate("cosine", 1.3).abs() < 1e-15);
        assert!((rate("cosine(to=0.02)", 0.5) - 0.06).abs() < 1e-15);
        assert_eq!(rate("cosine(to=0.02)", 1.0), 0.02);
        assert_eq!(rate("constant", 0.9), 0.1);
    }

    #[test]
    fn methods_that_average_keep_their_rate_and_others_end_at_zero_unless_told() {
        let usual = |method: &str| Schedule::usual(&method.parse().expect(method)).to_string();
        assert_eq!(usual("subspace-newton"), "constant");
        assert_eq!(usual("subspace-newton(average=none)"), "cosine");
        assert_eq!(usual("adam"), "cosine");
        assert_eq!(usual("schedule-free-adamw"), "constant");
        assert_eq!(usual("schedule-free-sgd(momentum=0.98)"), "constant");
        // The rate of a switch is the first's.
        assert_eq!(usual("switch(first=schedule-free-sgd,then=l-bfgs,at=step(5))"), "constant");
        assert_eq!(usual("switch(first=adam,then=schedule-free-sgd,at=step(5))"), "cosine");
    }

    #[test]
    fn milestones_divide_the_rate_when_they_are_reached() {
        let rate =
            |progress| schedule("milestones(at=0.5|0.75, factor=0.5)").rate(0.8, progress, 9);
        assert_eq!([rate(0.49), rate(0.5), rate(0.74), rate(0.75)], [0.8, 0.4, 0.4, 0.2]);
    }

    #[test]
    fn the_warm_up_is_linear_in_steps_and_the_curve_goes_on_by_progress() {
        let schedule = schedule("cosine(warmup=10, from=0.2)");
        assert_eq!(schedule.rate(1.2, 0.4, 0), 0.2);
        assert!((schedule.rate(1.2, 0.4, 5) - 0.7).abs() < 1e-15);
        assert!((schedule.rate(1.2, 0.5, 10) - 0.6).abs() < 1e-15);
    }

    #[test]
    fn the_inverse_square_root_falls_from_its_step_on() {
        let schedule = schedule("inverse-sqrt(after=100)");
        assert_eq!([schedule.rate(1.0, 0.1, 100), schedule.rate(1.0, 0.1, 400)], [1.0, 0.5]);
    }

    #[test]
    fn texts_are_read_back_as_they_are_written() {
        for text in [
            "cosine",
            "cosine(to=1e-6, warmup=500, from=1e-5)",
            "constant(warmup=3, from=0.0)",
            "milestones(at=0.5|0.75, factor=0.1)",
            "inverse-sqrt(after=4000)",
        ] {
            assert_eq!(schedule(text).to_string(), text);
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let refused = |text: &str| text.parse::<Schedule>().expect_err(text).to_string();
        assert!(refused("cosin").contains("there is no `cosin`"));
        assert!(refused("cosine(to=-1)").contains("to=-1 is no number from 0"));
        assert!(refused("cosine(last=1)").contains("cosine has no `last`"));
        assert!(refused("milestones(at=80|120)").contains("at=80 is no part of a run"));
        assert!(refused("constant(from=1)").contains("`from` needs `warmup`"));
        assert!(refused("constant(warmup=0)").contains("no whole number from 1"));
        assert!(refused("constant(warmup=1").contains("parenthesis"));
    }
}
