//! The form of an experiment's file.

use std::{fmt::Display, str::FromStr};

use secant::spec::Choice;
use serde::{Deserialize, Deserializer, de::Error};

use super::{
    BatchSize,
    bounds::{claims, epochs, few, first_seed, reported},
    error::Fault,
};
use crate::{
    Budget, Precision,
    record::{Claim, Reported},
    run::{Group, HessianProducts, Schedule},
    tuning::Search,
};

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct File {
    pub title: String,
    pub source: String,
    #[serde(default)]
    pub notes: Vec<String>,
    #[serde(default, rename = "claim", deserialize_with = "claims")]
    pub claims: Vec<Claim>,
    #[serde(default, deserialize_with = "reported")]
    pub reported: Vec<Reported>,
    #[serde(rename = "method")]
    pub methods: Vec<Method>,
    pub full: Scale,
    pub small: Option<Scale>,
}

/// What is compared, and how long; what `small` leaves out is as in `full`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Scale {
    #[serde(deserialize_with = "names")]
    pub problem: Option<Vec<String>>,
    #[serde(deserialize_with = "batch_sizes")]
    pub batch_size: Vec<BatchSize>,
    /// Factors for every rate; a comparison for each.
    #[serde(deserialize_with = "numbers")]
    pub rate_factor: Vec<f64>,
    #[serde(deserialize_with = "epochs")]
    pub epochs: Option<f64>,
    #[serde(deserialize_with = "parsed")]
    pub budget: Option<Budget>,
    pub schedule: Option<Schedule>,
    pub metric: Option<String>,
    #[serde(deserialize_with = "few")]
    pub seeds: Option<usize>,
    #[serde(deserialize_with = "first_seed")]
    pub first_seed: Option<u64>,
    #[serde(deserialize_with = "few")]
    pub trials: Option<usize>,
    /// Runs of every tuning trial; one unless there is a number.
    #[serde(deserialize_with = "few")]
    pub tuning_seeds: Option<usize>,
    #[serde(deserialize_with = "parsed")]
    pub precision: Option<Precision>,
    #[serde(rename = "hessian-products", deserialize_with = "parsed")]
    pub products: Option<HessianProducts>,
}

/// One method, at both sizes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Method {
    #[serde(deserialize_with = "required")]
    pub optimizer: Choice,
    /// The rates to try; one alone is not tuned, and without any they are searched.
    #[serde(default, deserialize_with = "numbers")]
    pub rate: Vec<f64>,
    /// Ranges of its hyper-parameters, as within the parentheses of `--search`.
    pub search: Option<String>,
    pub schedule: Option<Schedule>,
    pub clip_norm: Option<f64>,
    #[serde(default, rename = "group")]
    pub groups: Vec<Group>,
    #[serde(default)]
    pub small: Smaller,
}

/// What a method has of its own in the small variant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Smaller {
    #[serde(deserialize_with = "numbers")]
    pub rate: Vec<f64>,
    pub schedule: Option<Schedule>,
    /// Whether the small variant goes without it.
    pub left_out: bool,
}

impl File {
    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let file: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().map_or(0, |span| span.start);
            let line = text.get(..before).map_or(1, |text| text.matches('\n').count() + 1);
            Fault { line, reason: error.message().trim().replace('\n', "; ") }
        })?;
        file.check().map_err(|(key, reason)| Fault { line: line_of(text, key), reason })?;
        Ok(file)
    }

    /// What the form alone does not tell: the key to look for, and what is wrong.
    fn check(&self) -> Result<(), (&str, String)> {
        if self.full.problem.is_none() {
            return Err(("[full]", "`full` names no `problem`".to_string()));
        }
        if self.methods.is_empty() {
            return Err(("method", "there is no method".to_string()));
        }
        for method in &self.methods {
            let Some(search) = &method.search else { continue };
            let text = method.search_text(search);
            text.parse::<Search>().map_err(|error| (search.as_str(), error.to_string()))?;
        }
        let named = |name: &String| self.methods.iter().any(|m| m.optimizer.to_string() == *name);
        let sides = self.claims.iter().flat_map(|claim| [&claim.better, &claim.than]);
        let names = sides.chain(self.reported.iter().map(|reported| &reported.method));
        match names.into_iter().find(|name| !named(name)) {
            Some(name) => Err((name, format!("`{name}` is none of the methods of this file"))),
            None => Ok(()),
        }
    }
}

/// The first line with this text.
fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).map_or(1, |place| place + 1)
}

impl Method {
    /// Its ranges, which were checked when the file was read.
    pub fn search(&self) -> Option<Search> {
        self.search_text(self.search.as_ref()?).parse().ok()
    }

    fn search_text(&self, ranges: &str) -> String {
        let method = self.optimizer.to_string();
        match method.strip_suffix(')') {
            Some(open) => format!("{open}, {ranges})"),
            None => format!("{method}({ranges})"),
        }
    }
}

impl Scale {
    /// This over another: what is left out here is as there.
    pub fn over(self, full: &Self) -> Self {
        let lists =
            |own: Vec<f64>, full: &Vec<f64>| if own.is_empty() { full.clone() } else { own };
        // A length of its own, in whatever unit, replaces the other.
        let (epochs, budget) = match (self.epochs, self.budget) {
            (None, None) => (full.epochs, full.budget),
            own => own,
        };
        Self {
            problem: self.problem.or_else(|| full.problem.clone()),
            batch_size: if self.batch_size.is_empty() {
                full.batch_size.clone()
            } else {
                self.batch_size
            },
            rate_factor: lists(self.rate_factor, &full.rate_factor),
            epochs,
            budget,
            schedule: self.schedule.or_else(|| full.schedule.clone()),
            metric: self.metric.or_else(|| full.metric.clone()),
            seeds: self.seeds.or(full.seeds),
            first_seed: self.first_seed.or(full.first_seed),
            trials: self.trials.or(full.trials),
            tuning_seeds: self.tuning_seeds.or(full.tuning_seeds),
            precision: self.precision.or(full.precision),
            products: self.products.or(full.products),
        }
    }
}

/// One value, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn list(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
        }
    }
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let names = OneOrMany::<String>::deserialize(deserializer);
    names
        .map(|names| Some(names.list()))
        .map_err(|_| D::Error::custom("a name, or a list of names, is wanted"))
}

fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let wanted = || D::Error::custom("a number above 0, or a list of them, is wanted");
    let numbers = OneOrMany::<f64>::deserialize(deserializer).map_err(|_| wanted())?.list();
    if numbers.iter().all(|x| *x > 0.0 && x.is_finite()) { Ok(numbers) } else { Err(wanted()) }
}

fn batch_sizes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<BatchSize>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Count(u64),
        Text(String),
    }
    let sizes = OneOrMany::<Written>::deserialize(deserializer).map_err(|_| {
        D::Error::custom("a batch size, such as 256 or \"1/10\", or a list of them, is wanted")
    })?;
    let size = |size: Written| match size {
        Written::Count(count) => count.to_string().parse(),
        Written::Text(text) => text.parse(),
    };
    sizes.list().into_iter().map(size).collect::<Result<_, _>>().map_err(D::Error::custom)
}

/// A text that is read by its own rules.
fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    required(deserializer).map(Some)
}

fn required<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}
