//! The trials of one method, and the settings that come out of them.

use secant::spec::Choice;

use crate::{
    record::{Design, Trial},
    run::{Outcome, Setting},
    tuning::{RateSearch, Score, Search, SearchError, best},
};

/// The settings of a method.
#[derive(Clone, Debug)]
pub(super) struct Tuned {
    /// The method as the user named it.
    pub name: String,
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
    /// A rate for all methods.
    Given(f64),
    Rate(RateSearch),
    Ranges {
        search: Search,
        tried: Vec<(Setting, Score)>,
    },
}

impl TuningState {
    pub(super) fn new(method: Choice, search: Option<Search>, lr: Option<f64>) -> Self {
        let way = match (search, lr) {
            (_, Some(lr)) => Way::Given(lr),
            (Some(search), None) => Way::Ranges { search, tried: Vec::new() },
            (None, None) => Way::Rate(RateSearch::new(method.preset().usual_rate)),
        };
        Self { method, way, trials: 0 }
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
            Way::Given(_) | Way::Ranges { .. } => true,
        }
    }

    /// The settings of the next trial.
    ///
    /// # Errors
    /// A value that the method refuses.
    pub(super) fn next(&self) -> Result<Tuned, SearchError> {
        let (method, lr) = match &self.way {
            Way::Given(lr) => (self.method.clone(), *lr),
            Way::Rate(search) => (self.method.clone(), search.next()),
            Way::Ranges { search, .. } => {
                let settings = search.settings(self.trials)?;
                (settings.method, settings.lr)
            }
        };
        Ok(Tuned { name: self.method.to_string(), method, lr })
    }

    /// What is written down of a trial.
    pub(super) fn record(&self, setting: &Setting, outcome: &Outcome) -> Trial {
        Trial {
            method: self.method.to_string(),
            number: self.trials,
            settings: setting.method.to_string(),
            lr: setting.lr,
            validation: outcome.validation.clone(),
            trained: outcome.trained,
        }
    }

    /// Notes what a trial came to.
    pub(super) fn add(&mut self, design: &Design, trial: &Trial, setting: Setting) {
        let score = score(design, trial);
        match &mut self.way {
            Way::Given(_) => {}
            Way::Rate(search) => search.add(setting.lr, score),
            Way::Ranges { tried, .. } => tried.push((setting, score)),
        }
        self.trials += 1;
    }

    /// The best settings.
    ///
    /// # Errors
    /// A value that the method refuses.
    pub(super) fn tuned(&self) -> Result<Tuned, SearchError> {
        let name = self.method.to_string();
        match &self.way {
            Way::Given(lr) => Ok(Tuned { name, method: self.method.clone(), lr: *lr }),
            Way::Rate(search) => Ok(Tuned { name, method: self.method.clone(), lr: search.best() }),
            Way::Ranges { tried, .. } => {
                let scores: Vec<Score> = tried.iter().map(|(_, score)| *score).collect();
                match best(&scores) {
                    Some(place) => {
                        let (setting, _) = &tried[place];
                        Ok(Tuned { name, method: setting.method.clone(), lr: setting.lr })
                    }
                    None => self.next(),
                }
            }
        }
    }
}

/// How good a trial was, by the metric that tuning goes by.
pub(crate) fn score(design: &Design, trial: &Trial) -> Score {
    let metric = &design.metrics[design.tuned_by];
    let value = trial.validation.get(design.tuned_by).copied().flatten();
    Score { value: value.map(|value| metric.gain(value, 0.0)), trained: trial.trained }
}
