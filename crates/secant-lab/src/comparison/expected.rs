//! How long a comparison takes.

use std::time::Duration;

use super::{CompareError, Plan, setting, tune::Tuned, work::alone};
use crate::{Part, Problem, run::step_times};

/// Timed steps of every method, after a first one.
const STEPS: usize = 2;

impl Plan {
    /// About how long the comparison takes here if nothing is in the store, from the first steps of every
    /// method at its usual rate.
    ///
    /// # Errors
    /// What the problem does not allow, or a method that cannot be used.
    pub fn expected_time<P: Problem>(&self, problem: &P) -> Result<Duration, CompareError> {
        let design = self.design(problem, String::new())?;
        let tuned = |method: &secant::spec::Choice| Tuned {
            of: method.clone(),
            method: method.clone(),
            lr: method.preset().usual_rate,
        };
        let tuned: Vec<Tuned> = self.at_work().map(tuned).collect();
        let named = |tuned| (String::new(), setting(self, &design, tuned, self.seed_aside()));
        let settings: Vec<_> = tuned.iter().map(named).collect();
        let times = alone(|| step_times(problem, &settings, STEPS))?;
        let records = problem.records(Part::Train);
        let mut seconds = 0.0;
        for ((tuned, (_, setting)), time) in tuned.iter().zip(&settings).zip(times) {
            let steps = setting.expected_steps(records);
            let steps = steps.map_err(|error| CompareError::of_run(setting, error.into()))?;
            let runs = self.least_tuning_runs_of(&tuned.of) + design.seeds.len();
            seconds += runs as f64 * steps as f64 * time.seconds;
        }
        let side_by_side = self.threads.min(tuned.len()).max(1);
        Ok(Duration::from_secs_f64(seconds / side_by_side as f64))
    }
}
