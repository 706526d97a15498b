//! Ranges for the hyper-parameters of a method: `mb-lsr1(delta0=log:1e-4..1, memory=8|16|32)`.
//!
//! The first trial has the defaults; the others are points of an even sequence. The learning rate is one of
//! the dimensions: a decade to either side of the usual one, where no range is given for `lr`.

use std::{fmt, str::FromStr};

use secant::{
    hyper_parameter::Kind,
    spec::{Choice, split_list},
};
use thiserror::Error;

use super::sequence::point;

/// A method and the ranges of its hyper-parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    method: Choice,
    dimensions: Vec<Dimension>,
}

#[derive(Clone, Debug, PartialEq)]
struct Dimension {
    key: String,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    Listed(Vec<String>),
    Between { low: f64, high: f64, is_logarithmic: bool, is_whole: bool },
}

/// What is searched in one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The method with its hyper-parameters.
    pub method: Choice,
    /// The learning rate; the usual one where it is not searched.
    pub lr: f64,
}

/// Ranges that cannot be searched.
#[derive(Debug, Error)]
#[error(
    "the ranges `{text}` cannot be searched: {reason}; write them as in 'mb-lsr1(delta0=log:1e-4..1, memory=8|16|32)'"
)]
pub struct SearchError {
    text: String,
    reason: String,
}

/// The name of the learning rate among the dimensions.
const RATE: &str = "lr";

impl Search {
    /// The method whose hyper-parameters are searched.
    pub fn method(&self) -> &Choice {
        &self.method
    }

    /// The settings of trial `number`, from 0; the first are the defaults.
    ///
    /// # Errors
    /// A value that the method refuses.
    pub fn settings(&self, number: usize) -> Result<Settings, SearchError> {
        let usual = self.method.preset().usual_rate;
        let Some(number) = number.checked_sub(1) else {
            return Ok(Settings { method: self.method.clone(), lr: usual });
        };
        let at = point(number, self.dimensions.len());
        let texts: Vec<(&str, String)> = self
            .dimensions
            .iter()
            .zip(at)
            .map(|(dimension, x)| (dimension.key.as_str(), dimension.values.at(x)))
            .collect();
        let rate = texts.iter().find(|(key, _)| *key == RATE);
        let lr = rate.and_then(|(_, text)| text.parse().ok()).unwrap_or(usual);
        let keys: Vec<String> = texts
            .iter()
            .filter(|(key, _)| *key != RATE)
            .map(|(key, text)| format!("{key}={text}"))
            .collect();
        let method = with_keys(&self.method.to_string(), &keys);
        Ok(Settings { method: method.parse().map_err(|e| self.error(&e))?, lr })
    }

    fn error(&self, reason: &dyn fmt::Display) -> SearchError {
        SearchError { text: self.method.to_string(), reason: reason.to_string() }
    }

    /// Tries the ends of every range, so that a value out of range is found before any run.
    fn check(self) -> Result<Self, SearchError> {
        for dimension in self.dimensions.iter().filter(|dimension| dimension.key != RATE) {
            for text in dimension.values.ends() {
                let method =
                    with_keys(&self.method.to_string(), &[format!("{}={text}", dimension.key)]);
                method.parse::<Choice>().map_err(|e| self.error(&e))?;
            }
        }
        Ok(self)
    }
}

/// The method with more keys.
fn with_keys(method: &str, keys: &[String]) -> String {
    match (keys, method.strip_suffix(')')) {
        ([], _) => method.to_string(),
        (_, Some(open)) => format!("{open},{})", keys.join(",")),
        _ => format!("{method}({})", keys.join(",")),
    }
}

impl Values {
    /// The value at `x` of 0..1.
    fn at(&self, x: f64) -> String {
        match self {
            Self::Listed(texts) => texts[(x * texts.len() as f64) as usize].clone(),
            Self::Between { low, high, is_logarithmic, is_whole } => {
                let value = if *is_logarithmic {
                    low * (high / low).powf(x)
                } else {
                    low + (high - low) * x
                };
                if *is_whole { format!("{}", value.round()) } else { rounded(value) }
            }
        }
    }

    fn ends(&self) -> Vec<String> {
        match self {
            Self::Listed(texts) => texts.clone(),
            Self::Between { .. } => vec![self.at(0.0), self.at(1.0)],
        }
    }
}

/// Three digits, as a person would write them.
fn rounded(value: f64) -> String {
    let text = format!("{value:.2e}");
    text.parse::<f64>().map_or(text, |value| format!("{value:?}"))
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.dimensions.iter().map(|Dimension { key, values }| match values {
            Values::Listed(texts) => format!("{key}={}", texts.join("|")),
            Values::Between { low, high, is_logarithmic, .. } => {
                format!("{key}={}{low}..{high}", if *is_logarithmic { "log:" } else { "" })
            }
        });
        f.write_str(&with_keys(&self.method.to_string(), &keys.collect::<Vec<_>>()))
    }
}

impl FromStr for Search {
    type Err = SearchError;

    fn from_str(text: &str) -> Result<Self, SearchError> {
        let error = |reason: String| SearchError { text: text.to_string(), reason };
        let (name, inside) = text
            .trim()
            .strip_suffix(')')
            .and_then(|text| text.split_once('('))
            .ok_or_else(|| error("the ranges in parentheses are missing".to_string()))?;
        let mut fixed = Vec::new();
        let mut ranges = Vec::new();
        for item in split_list(inside) {
            let pair = item.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
            let (key, value) = pair.ok_or_else(|| error(format!("`{item}` is no key=range")))?;
            if value.contains("..") || value.contains('|') || key == RATE {
                ranges.push((key, value));
            } else {
                fixed.push(format!("{key}={value}"));
            }
        }
        let method = with_keys(name.trim(), &fixed);
        let method: Choice =
            method.parse().map_err(|e: secant::spec::SpecError| error(e.to_string()))?;
        let mut dimensions = ranges
            .into_iter()
            .map(|(key, value)| Dimension::parse(&method, key, value).map_err(error))
            .collect::<Result<Vec<_>, _>>()?;
        if dimensions.is_empty() {
            return Err(error("no hyper-parameter has a range".to_string()));
        }
        if !dimensions.iter().any(|dimension| dimension.key == RATE) {
            let usual = method.preset().usual_rate;
            let (low, high) = (usual / 10.0, usual * 10.0);
            let values = Values::Between { low, high, is_logarithmic: true, is_whole: false };
            dimensions.push(Dimension { key: RATE.to_string(), values });
        }
        Self { method, dimensions }.check()
    }
}

impl Dimension {
    fn parse(method: &Choice, key: &str, value: &str) -> Result<Self, String> {
        let values = match value.split_once("..") {
            None => Values::Listed(value.split('|').map(|text| text.trim().to_string()).collect()),
            Some(_) => {
                let (is_logarithmic, ends) = match value.strip_prefix("log:") {
                    Some(ends) => (true, ends),
                    None => (false, value),
                };
                let (low, high) = ends.split_once("..").unwrap_or((ends, ""));
                let number = |text: &str| text.trim().parse::<f64>().ok().filter(|x| x.is_finite());
                let (Some(low), Some(high)) = (number(low), number(high)) else {
                    return Err(format!("`{value}` is no range of numbers"));
                };
                if low >= high || (is_logarithmic && low <= 0.0) {
                    return Err(format!("the range `{value}` of {key} is empty, or not above 0"));
                }
                let is_whole = method
                    .values()
                    .iter()
                    .any(|(parameter, _)| parameter.name == key && parameter.kind() == Kind::Whole);
                Values::Between { low, high, is_logarithmic, is_whole }
            }
        };
        Ok(Self { key: key.to_string(), values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(text: &str) -> Search {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_first_trial_has_the_defaults_and_the_others_lie_in_their_ranges() {
        let search = search("mb-lsr1(delta0=log:1e-4..1, memory=8|16|32)");
        let first = search.settings(0).expect("settings");
        assert_eq!(first.method.to_string(), "mb-lsr1");
        assert_eq!(first.lr, first.method.preset().usual_rate);
        for number in 1..20 {
            let settings = search.settings(number).expect("settings");
            let value = |name: &str| {
                let values = settings.method.values();
                let found = values.into_iter().find(|(parameter, _)| parameter.name == name);
                found.and_then(|(_, value)| value?.as_f64()).expect("a number")
            };
            assert!((1e-4..=1.0).contains(&value("delta0")), "{settings:?}");
            assert!([8.0, 16.0, 32.0].contains(&value("memory")), "{settings:?}");
            assert!((first.lr / 10.0..=first.lr * 10.0).contains(&settings.lr), "{settings:?}");
        }
    }

    #[test]
    fn whole_numbers_are_drawn_for_whole_parameters_and_fixed_values_stay() {
        let search = search("mb-lsr1(memory=4..32, delta0=0.5, lr=1|2)");
        for number in 1..10 {
            let settings = search.settings(number).expect("settings");
            assert!(settings.method.to_string().starts_with("mb-lsr1(delta0=0.5,memory="));
            assert!([1.0, 2.0].contains(&settings.lr));
        }
        assert_eq!(search.to_string(), "mb-lsr1(delta0=0.5,memory=4..32,lr=1|2)");
    }

    #[test]
    fn ranges_that_cannot_be_are_told_before_any_run() {
        let refused = |text: &str| text.parse::<Search>().expect_err(text).to_string();
        assert!(refused("mb-lsr1").contains("are missing"));
        assert!(refused("mb-lsr1(memory=8)").contains("no hyper-parameter has a range"));
        assert!(refused("mb-lsr1(memory=9..3)").contains("is empty"));
        assert!(refused("mb-lsr1(delta0=log:0..1)").contains("not above 0"));
        assert!(refused("mb-lsr1(memory=0|8)").contains("memory"));
        assert!(refused("mb-lsr1(memry=4..8)").contains("memry"));
        assert!(refused("mb-lsr2(memory=4..8)").contains("mb-lsr2"));
    }
}
