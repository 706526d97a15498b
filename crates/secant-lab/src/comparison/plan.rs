//! What to compare, and how.

use std::{num::NonZeroUsize, time::Duration};

use burn::tensor::Device;
use secant::spec::{Choice, PRESETS};
use secant_core::nearest::suggestion;

use super::{CompareError, Shown, machine};
use crate::{
    Budget, Metric, Part, Precision, Problem,
    fingerprint::PROGRAM,
    precision::drawn,
    record::{Design, Origin},
    run::{HessianProducts, Schedule, Treatment, count},
    tuning::Search,
};

/// How many tuning trials every method gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trials {
    /// At least so many, and more for all until every best rate lies between two worse ones.
    Bracketed(usize),
    /// So many.
    Exactly(usize),
}

/// The most trials that follow the first ones.
const MORE_TRIALS: usize = 4;

/// What one method of a comparison has of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Particulars {
    /// The method.
    pub method: Choice,
    /// The learning rates to try; of one alone there are no trials, and without any they are searched.
    pub rates: Vec<f64>,
    /// Its schedule, clipping and groups.
    pub treatment: Treatment,
}

/// What to compare, and how; [`Plan::default`] is the default comparison.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The command line that repeats the comparison.
    pub command: String,
    /// The methods, in the order asked for.
    pub methods: Vec<Choice>,
    /// Those of the methods that are run now; all where there is none.
    pub only: Vec<Choice>,
    /// Ranges for hyper-parameters of some of the methods.
    pub searches: Vec<Search>,
    /// How many final runs every method gets, instead of the problem's.
    pub seeds: Option<usize>,
    /// The seed of the first of them; the others follow, and tuning has those before it.
    pub first_seed: u64,
    /// How long every run is, instead of the epochs.
    pub budget: Option<Budget>,
    /// Passes over the training records of a method with one gradient a step, instead of the problem's;
    /// every run has as many evaluations.
    pub epochs: Option<f64>,
    /// Records in a batch, unless the problem's.
    pub batch_size: Option<usize>,
    /// Tuning trials for every method.
    pub trials: Trials,
    /// Runs of every trial, from as many seeds; it is judged by their mean.
    pub tuning_seeds: usize,
    /// What single methods have of their own.
    pub particulars: Vec<Particulars>,
    /// A rate for all methods, instead of tuning.
    pub lr: Option<f64>,
    /// How every rate changes over a run, instead of the usual schedule of each method: a cosine, and a constant
    /// rate where the method averages.
    pub schedule: Option<Schedule>,
    /// How Hessian products are computed.
    pub products: HessianProducts,
    /// The number type.
    pub precision: Precision,
    /// The metric that tuning and ranking go by, instead of the loss and the problem's.
    pub metric: Option<String>,
    /// The value of the ranking metric that counts as reached, instead of the problem's.
    pub target: Option<f64>,
    /// Independent runs side by side, one thread each.
    pub threads: usize,
    /// The time between two checkpoints of a run.
    pub checkpoint_every: Duration,
    /// What is shown while it runs.
    pub shown: Shown,
    /// The experiment that it belongs to.
    pub origin: Option<Origin>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            command: String::new(),
            methods: PRESETS.iter().filter(|p| p.by_default).map(Choice::from).collect(),
            only: Vec::new(),
            searches: Vec::new(),
            particulars: Vec::new(),
            seeds: None,
            first_seed: 1,
            budget: None,
            epochs: None,
            batch_size: None,
            trials: Trials::Bracketed(5),
            tuning_seeds: 2,
            lr: None,
            schedule: None,
            products: HessianProducts::default(),
            precision: Precision::default(),
            metric: None,
            target: None,
            threads: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            checkpoint_every: Duration::from_secs(30),
            shown: Shown::Progress,
            origin: None,
        }
    }
}

impl Plan {
    /// The default comparison of these methods, written as on the command line: `adam, mb-lsr1(memory=8)`.
    ///
    /// # Errors
    /// An unknown method or hyper-parameter.
    pub fn of(methods: &str) -> Result<Self, secant::spec::SpecError> {
        Ok(Self { methods: Choice::list(methods)?, ..Self::default() })
    }

    /// The seeds of the tuning trials: the final runs start from other weights.
    pub(super) fn seeds_of_tuning(&self) -> impl Iterator<Item = u64> {
        let first = self.first_seed;
        (1..=self.tuning_seeds as u64).map(move |before| first.wrapping_sub(before))
    }

    /// The seed of what is measured beside the runs.
    pub(super) fn seed_aside(&self) -> u64 {
        self.first_seed.wrapping_sub(1)
    }

    /// How many tuning runs a method gets at least.
    pub(super) fn least_tuning_runs_of(&self, method: &Choice) -> usize {
        self.least_trials_of(method) * self.tuning_seeds
    }

    /// The least and the most trials of every method.
    pub(super) fn trials_range(&self) -> (usize, usize) {
        match self.trials {
            _ if self.lr.is_some() => (0, 0),
            Trials::Bracketed(count) => (count, count + MORE_TRIALS),
            Trials::Exactly(count) => (count, count),
        }
    }

    /// How many trials a method gets at least.
    fn least_trials_of(&self, method: &Choice) -> usize {
        match self.particulars_of(method).map_or(0, |own| own.rates.len()) {
            0 if !method.preset().is_tuned && self.search_of(method).is_none() => 0,
            0 => self.trials_range().0,
            1 => 0,
            rates => rates,
        }
    }

    /// The ranges of a method, if there are any.
    pub(super) fn search_of(&self, method: &Choice) -> Option<&Search> {
        self.searches.iter().find(|search| search.method() == method)
    }

    /// The methods that are run now.
    pub(super) fn at_work(&self) -> impl Iterator<Item = &Choice> {
        let is_wanted = |method: &&Choice| self.only.is_empty() || self.only.contains(method);
        self.methods.iter().filter(is_wanted)
    }

    /// What a method has of its own.
    pub(super) fn particulars_of(&self, method: &Choice) -> Option<&Particulars> {
        self.particulars.iter().find(|particulars| particulars.method == *method)
    }

    /// The schedule, clipping and groups of a method.
    pub(super) fn treatment_of(&self, method: &Choice) -> Treatment {
        let own = self.particulars_of(method).map(|particulars| particulars.treatment.clone());
        own.unwrap_or_else(|| {
            let schedule = self.schedule.clone().unwrap_or_else(|| Schedule::usual(method));
            Treatment { schedule, ..Treatment::default() }
        })
    }

    /// The schedules of the methods, as in reports.
    fn schedules(&self) -> String {
        let mut texts: Vec<String> = Vec::new();
        for method in &self.methods {
            let text = self.treatment_of(method).schedule.to_string();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts.join("; ")
    }

    /// What is written down of the comparison; its key is still empty.
    ///
    /// # Errors
    /// What the problem does not allow.
    pub(super) fn design<P: Problem>(
        &self,
        problem: &P,
        created: String,
    ) -> Result<Design, CompareError> {
        self.check(problem)?;
        let metrics = problem.metrics();
        let asked = self.metric.as_ref().map(|name| named(name, &metrics, problem)).transpose()?;
        let ranked_by = asked.unwrap_or_else(|| problem.ranked_by());
        self.check_goal(&metrics[ranked_by])?;
        let train_records = problem.records(Part::Train);
        let batch_size = self.batch_size.unwrap_or_else(|| problem.batch_size());
        if batch_size > train_records {
            let (records, problem) = (train_records, problem.name());
            return Err(CompareError::BatchTooLarge { batch_size, records, problem });
        }
        let whole_batches = train_records / batch_size * batch_size;
        let epochs = self.epochs.unwrap_or_else(|| problem.epochs());
        let usual = Budget::Evaluations((epochs * whole_batches as f64).round().max(1.0) as u64);
        let budget = self.budget.unwrap_or(usual);
        if budget.records(train_records).is_some_and(|records| records < batch_size as f64) {
            return Err(CompareError::BudgetBelowBatch { budget, batch_size });
        }
        let device = Device::default().autodiff();
        let model = drawn(0, self.precision, &device, || problem.model(0, &device));
        let baseline = problem.baseline();
        Ok(Design {
            key: String::new(),
            command: self.command.clone(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            code: PROGRAM.clone(),
            created,
            machine: machine::description(),
            problem: problem.name(),
            description: problem.description(),
            parameters: count(&model),
            train_records,
            validation_records: problem.records(Part::Validation),
            test_records: problem.records(Part::Test),
            data: problem.data(),
            data_warnings: problem.data_warnings(),
            fingerprint: problem.fingerprint(),
            batch_size,
            budget,
            schedule: self.schedules(),
            precision: self.precision.to_string(),
            hessian_products: self.products.to_string(),
            ranked_by,
            tuned_by: asked.unwrap_or(0),
            baseline: baseline
                .as_ref()
                .map_or_else(|| vec![None; metrics.len()], |b| b.test.clone()),
            validation_baseline: baseline
                .as_ref()
                .map_or_else(|| vec![None; metrics.len()], |b| b.validation.clone()),
            baseline_name: baseline.map_or_else(String::new, |baseline| baseline.name),
            metrics,
            target: self.target.or_else(|| problem.target().filter(|_| asked.is_none())),
            trials: self.trials_range().0,
            tuning_seeds: self.tuning_seeds,
            seeds: (0..self.seeds.unwrap_or_else(|| problem.seeds()) as u64)
                .map(|k| self.first_seed.wrapping_add(k))
                .collect(),
            methods: self.methods.iter().map(Choice::to_string).collect(),
            threads: self.threads,
            origin: self.origin.clone(),
        })
    }

    fn check_goal(&self, metric: &Metric) -> Result<(), CompareError> {
        match self.target {
            Some(goal) if !metric.range.contains(goal) => {
                let (metric, range) = (metric.name.clone(), metric.range.text());
                Err(CompareError::Goal { goal, metric, range })
            }
            _ => Ok(()),
        }
    }

    fn check<P: Problem>(&self, problem: &P) -> Result<(), CompareError> {
        for (part, name) in
            [(Part::Train, "training"), (Part::Validation, "validation"), (Part::Test, "test")]
        {
            if problem.records(part) == 0 {
                return Err(CompareError::NoRecords { problem: problem.name(), part: name });
            }
        }
        for (what, count) in [
            ("method", self.methods.len()),
            ("seed", self.seeds.unwrap_or_else(|| problem.seeds())),
            ("tuning seed", self.tuning_seeds),
        ] {
            if count == 0 {
                return Err(CompareError::Nothing { what });
            }
        }
        let mut methods = self.methods.iter().enumerate();
        if let Some((_, twice)) = methods.find(|(at, method)| self.methods[..*at].contains(method))
        {
            return Err(CompareError::Repeated { method: twice.to_string() });
        }
        let is_repeated = |(at, search): &(usize, &Search)| {
            self.searches[..*at].iter().any(|before| before.method() == search.method())
        };
        if let Some((_, twice)) = self.searches.iter().enumerate().find(is_repeated) {
            return Err(CompareError::SearchedTwice { method: twice.method().to_string() });
        }
        let is_compared = |search: &&Search| !self.methods.contains(search.method());
        match self.searches.iter().find(is_compared) {
            Some(search) => Err(CompareError::SearchOfNone { method: search.method().to_string() }),
            None => Ok(()),
        }
    }
}

/// The place of the metric called `name`, whatever its case; `-` and `_` stand for blanks.
fn named<P: Problem>(name: &str, metrics: &[Metric], problem: &P) -> Result<usize, CompareError> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], " ");
    let found = metrics.iter().position(|metric| plain(&metric.name) == plain(name));
    found.ok_or_else(|| {
        let known = metrics.iter().map(|metric| metric.name.as_str());
        let suggestion = suggestion(&plain(name), known);
        CompareError::UnknownMetric { name: name.to_string(), suggestion, problem: problem.name() }
    })
}
