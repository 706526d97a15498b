//! The trials of one method, and the settings that come out of them.

use secant::spec::Choice;

use super::Plan;
use crate::{
    record::{Design, Trial},
    run::{Outcome, Setting},
    tuning::{RateSearch, Score, Search, SearchError, best},
};

/// The settings of a method.
#[derive(Clone, Debug)]
pub(super) struct Tuned {
    /// The method as the user named it.
    pub of: Choice,
    /// The method with its hyper-parameters.
    pub method: Choice,
    /// Its learning rate.
    pub lr: f64,
}

/// How far the search for one method's settings is.
pub(super) struct TuningState {
    method: Choice,
    way: Way,
    trials: usize,
}

enum Way {
    /// A rate that is not tuned.
    Given(f64),
    /// These rates, each once.
    Listed {
        rates: Vec<f64>,
        tried: Vec<Score>,
    },
    Rate(RateSearch),
    Ranges {
        search: Search,
        tried: Vec<(Tuned, Score)>,
    },
}

impl TuningState {
    pub(super) fn new(method: Choice, plan: &Plan, design: &Design) -> Self {
        let rates = plan.particulars_of(&method).map_or(&[][..], |own| &own.rates);
        let way = match (plan.search_of(&method), plan.lr, rates) {
            (_, Some(lr), _) | (None, None, &[lr]) => Way::Given(lr),
            (Some(search), None, _) => Way::Ranges { search: search.clone(), tried: Vec::new() },
            (None, None, []) if !method.preset().is_tuned => Way::Given(untuned(&method, design)),
            (None, None, []) => Way::Rate(RateSearch::new(method.preset().usual_rate)),
            (None, None, rates) => Way::Listed { rates: rates.to_vec(), tried: Vec::new() },
        };
        Self { method, way, trials: 0 }
    }

    /// All trials there are to make, where the plan's number does not matter.
    pub(super) fn most_trials(&self) -> Option<usize> {
        match &self.way {
            Way::Given(_) => Some(0),
            Way::Listed { rates, .. } => Some(rates.len()),
            Way::Rate(_) | Way::Ranges { .. } => None,
        }
    }

    pub(super) fn method(&self) -> &Choice {
        &self.method
    }

    /// Trials made.
    pub(super) fn trials(&self) -> usize {
        self.trials
    }

    /// Whether more trials could only refine the best. Ranges are the user's, and have no outside.
    pub(super) fn is_bracketed(&self) -> bool {
        match &self.way {
            Way::Rate(search) => search.is_bracketed(),
            Way::Given(_) | Way::Listed { .. } | Way::Ranges { .. } => true,
        }
    }

    /// The settings of the next trial.
    ///
    /// # Errors
    /// A value that the method refuses.
    pub(super) fn next(&self) -> Result<Tuned, SearchError> {
        let (method, lr) = match &self.way {
            Way::Given(lr) => (self.method.clone(), *lr),
            Way::Listed { rates, .. } => (self.method.clone(), rates[self.trials % rates.len()]),
            Way::Rate(search) => (self.method.clone(), search.next()),
            Way::Ranges { search, .. } => {
                let settings = search.settings(self.trials)?;
                (settings.method, settings.lr)
            }
        };
        Ok(Tuned { of: self.method.clone(), method, lr })
    }

    /// What is written down of a run of a trial.
    pub(super) fn record(&self, setting: &Setting, outcome: &Outcome) -> Trial {
        Trial {
            method: self.method.to_string(),
            number: self.trials,
            seed: setting.seed,
            settings: setting.method.to_string(),
            lr: setting.lr,
            validation: outcome.validation.clone(),
            trained: outcome.trained,
        }
    }

    /// Notes what the runs of a trial came to.
    pub(super) fn add(&mut self, design: &Design, runs: &[Trial], tuned: Tuned) {
        let scores: Vec<Score> = runs.iter().map(|run| score(design, run)).collect();
        let score = Score::mean(&scores);
        match &mut self.way {
            Way::Given(_) => {}
            Way::Listed { tried, .. } => tried.push(score),
            Way::Rate(search) => search.add(tuned.lr, score),
            Way::Ranges { tried, .. } => tried.push((tuned, score)),
        }
        self.trials += 1;
    }

    /// The best settings.
    ///
    /// # Errors
    /// A value that the method refuses.
    pub(super) fn tuned(&self) -> Result<Tuned, SearchError> {
        let at = |lr| Tuned { of: self.method.clone(), method: self.method.clone(), lr };
        match &self.way {
            Way::Given(lr) => Ok(at(*lr)),
            Way::Listed { rates, tried } => Ok(at(rates[best(tried).unwrap_or(0)])),
            Way::Rate(search) => Ok(at(search.best())),
            Way::Ranges { tried, .. } => {
                let scores: Vec<Score> = tried.iter().map(|(_, score)| *score).collect();
                match best(&scores) {
                    Some(place) => Ok(tried[place].0.clone()),
                    None => self.next(),
                }
            }
        }
    }
}

/// The rate of a method where none is searched.
pub(super) fn untuned(method: &Choice, design: &Design) -> f64 {
    let is_all = design.batch_size == design.train_records;
    method.preset().rate(design.batch_size, is_all)
}

/// How good a run was, by the metric that tuning goes by.
pub(crate) fn score(design: &Design, trial: &Trial) -> Score {
    let metric = &design.metrics[design.tuned_by];
    let value = trial.validation.get(design.tuned_by).copied().flatten();
    Score { value: value.map(|value| metric.gain(value, 0.0)), trained: trial.trained }
}
