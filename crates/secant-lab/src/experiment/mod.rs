//! Experiments as files: what a paper did, what it reports, and the same small enough for two cores.
//!
//! An [`Experiment`] is read from TOML and gives the [`Plan`]s of its comparisons, one for each problem, batch
//! size and factor of the rates. What the store has of them is judged against what the paper says by
//! [`Claim`]s and [`Reported`] numbers, which every comparison carries along in its
//! [`Design`](crate::record::Design).

mod bounds;
mod claim;
mod error;
mod file;

use std::{fs, path::Path, str::FromStr};

pub use claim::{Finding, found, reported};
pub use error::ExperimentError;
use file::{File, Method, Scale};

use crate::{
    Particulars, Plan, Precision, Trials,
    record::{Claim, Origin, Reported},
    run::{HessianProducts, Schedule, Treatment},
};

/// How large an experiment is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// As in the paper.
    Full,
    /// For two cores and minutes.
    Small,
}

/// An experiment of a paper.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Where its file lies: `quasi-adam/5-fashion-mnist-autoencoder`.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// The paper, and the table or figure there.
    pub source: String,
    /// What is done differently than in the paper, or not known of it.
    pub notes: Vec<String>,
    /// What the paper says.
    pub claims: Vec<Claim>,
    /// The paper's numbers.
    pub reported: Vec<Reported>,
    methods: Vec<Method>,
    full: Scale,
    small: Option<Scale>,
}

/// One comparison of an experiment; its problem is still to be loaded.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The problem's name.
    pub problem: String,
    /// What tells it from the others of the experiment; empty where it is the only one.
    pub variant: String,
    batch_size: Option<BatchSize>,
    plan: Plan,
}

/// Records in a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum BatchSize {
    Records(usize),
    /// One part in so many of the training records.
    Part(usize),
}

impl Experiment {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, or is no experiment; names file, line and key.
    pub fn load(path: &Path) -> Result<Self, ExperimentError> {
        let text = fs::read_to_string(path).map_err(|reason| ExperimentError::Read {
            path: path.to_owned(),
            reason: reason.to_string(),
        })?;
        let file = File::parse(&text).map_err(|fault| fault.of_file(path))?;
        Ok(Self {
            // The same from whatever folder the file is named.
            name: name(&path.canonicalize().unwrap_or_else(|_| path.to_owned())),
            title: file.title,
            source: file.source,
            notes: file.notes,
            claims: file.claims,
            reported: file.reported,
            methods: file.methods,
            small: file.small.map(|small| small.over(&file.full)),
            full: file.full,
        })
    }

    /// Whether there is a small variant.
    pub fn has_small(&self) -> bool {
        self.small.is_some()
    }

    /// The methods, as on the command line.
    pub fn methods(&self) -> Vec<String> {
        self.methods.iter().map(|method| method.optimizer.to_string()).collect()
    }

    /// Its comparisons.
    ///
    /// # Errors
    /// There is no small variant.
    pub fn comparisons(&self, size: Size) -> Result<Vec<Planned>, ExperimentError> {
        let scale = match size {
            Size::Full => &self.full,
            Size::Small => self
                .small
                .as_ref()
                .ok_or_else(|| ExperimentError::NoSmall { name: self.name.clone() })?,
        };
        let mut planned = Vec::new();
        for problem in scale.problem.iter().flatten() {
            for batch_size in listed(&scale.batch_size) {
                for factor in listed(&scale.rate_factor) {
                    let variant = scale.variant(problem, batch_size, factor);
                    let plan = self.plan(scale, size, factor.unwrap_or(1.0), &variant);
                    let problem = problem.clone();
                    planned.push(Planned { problem, variant, batch_size, plan });
                }
            }
        }
        Ok(planned)
    }

    fn plan(&self, scale: &Scale, size: Size, factor: f64, variant: &str) -> Plan {
        let usual = Plan::default();
        let is_left_out = |method: &Method| size == Size::Small && method.small.left_out;
        let methods = || self.methods.iter().filter(|method| !is_left_out(method));
        Plan {
            methods: methods().map(|method| method.optimizer.clone()).collect(),
            searches: methods().filter_map(Method::search).collect(),
            particulars: methods().map(|m| particulars(m, scale, size, factor)).collect(),
            seeds: scale.seeds,
            first_seed: scale.first_seed.unwrap_or(usual.first_seed),
            budget: scale.budget,
            epochs: scale.epochs,
            trials: scale.trials.map_or(usual.trials, Trials::Exactly),
            tuning_seeds: scale.tuning_seeds.unwrap_or(1),
            schedule: scale.schedule.clone(),
            precision: scale.precision.unwrap_or(Precision::F32),
            products: scale.products.unwrap_or(HessianProducts::Exact),
            metric: scale.metric.clone(),
            origin: Some(Origin {
                experiment: self.name.clone(),
                title: self.title.clone(),
                source: self.source.clone(),
                is_small: size == Size::Small,
                variant: variant.to_string(),
                notes: self.notes.clone(),
                claims: self.claims.clone(),
                reported: self.reported.clone(),
            }),
            ..usual
        }
    }
}

impl Planned {
    /// The comparison for a problem with so many training records.
    pub fn plan(&self, records: usize) -> Plan {
        let size = self.batch_size.map(|size| match size {
            BatchSize::Records(count) => count,
            BatchSize::Part(parts) => (records / parts).max(1),
        });
        Plan { batch_size: size, ..self.plan.clone() }
    }

    /// How precisely its data are read.
    pub fn precision(&self) -> Precision {
        self.plan.precision
    }
}

impl Scale {
    /// What tells a comparison from the others.
    fn variant(&self, problem: &str, batch_size: Option<BatchSize>, factor: Option<f64>) -> String {
        let many = |count: usize| count > 1;
        let mut parts = Vec::new();
        parts.extend(many(self.problem.iter().flatten().count()).then(|| problem.to_string()));
        parts.extend(batch_size.filter(|_| many(self.batch_size.len())).map(|size| match size {
            BatchSize::Records(count) => format!("batch {count}"),
            BatchSize::Part(parts) => format!("batch N/{parts}"),
        }));
        let factor = factor.filter(|_| many(self.rate_factor.len()));
        parts.extend(factor.map(|factor| format!("rates x {factor}")));
        parts.join(", ")
    }
}

fn particulars(method: &Method, scale: &Scale, size: Size, factor: f64) -> Particulars {
    let own = Some(&method.small).filter(|_| size == Size::Small);
    let rates = own.map(|own| &own.rate).filter(|rates| !rates.is_empty()).unwrap_or(&method.rate);
    let schedule = own.and_then(|own| own.schedule.as_ref()).or(method.schedule.as_ref());
    let schedule = schedule.or(scale.schedule.as_ref()).cloned();
    Particulars {
        method: method.optimizer.clone(),
        rates: rates.iter().map(|rate| rate * factor).collect(),
        treatment: Treatment {
            schedule: schedule.unwrap_or_else(|| Schedule::usual(&method.optimizer)),
            clip_norm: method.clip_norm,
            groups: method.groups.clone(),
        },
    }
}

/// Each of them, or none once.
fn listed<T: Copy>(values: &[T]) -> Vec<Option<T>> {
    if values.is_empty() { vec![None] } else { values.iter().copied().map(Some).collect() }
}

/// The folder and the stem of a file.
fn name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match path.parent().and_then(Path::file_name) {
        Some(folder) => format!("{}/{stem}", folder.to_string_lossy()),
        None => stem.into_owned(),
    }
}

impl FromStr for BatchSize {
    type Err = String;

    /// `256`, or `1/10` of the training records.
    fn from_str(text: &str) -> Result<Self, String> {
        let count = |text: &str| text.trim().parse().ok().filter(|count| *count > 0);
        match text.split_once('/') {
            Some((one, parts)) if one.trim() == "1" => count(parts).map(Self::Part),
            Some(_) => None,
            None => count(text).map(Self::Records),
        }
        .ok_or_else(|| format!("`{text}` is no batch size, such as 256 or \"1/10\""))
    }
}

#[cfg(test)]
mod tests;
