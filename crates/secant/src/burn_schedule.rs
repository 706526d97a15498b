//! A [`Schedule`] as Burn's own learning-rate scheduler: for `Learner`, and with Burn's
//! `ModuleLrScheduler` for a schedule of its own in each parameter group.

use burn::optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use secant_core::schedule::{Schedule, ScheduleError};

/// A schedule and how far it is.
///
/// ```
/// use burn::{module::ParamGroup, optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler};
/// use secant::{Schedule, Scheduler};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let slow = Scheduler::new(Schedule::cosine(1e-4, 1000, 0.0))?;
/// let fast = Scheduler::new(Schedule::constant(1e-3).with_warmup(100, 1e-6))?;
/// let mut rates = ModuleLrScheduler::new(fast)
///     .with_group(ParamGroup::from_predicate("backbone"), slow);
/// // One call for each step: optimizer.step(rates.step(), &mut model, ...)
/// assert_eq!(rates.step().base(), 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Scheduler {
    schedule: Schedule,
    updates: u64,
}

impl Scheduler {
    /// At the start of `schedule`.
    ///
    /// # Errors
    /// A number of the schedule cannot be.
    pub fn new(schedule: Schedule) -> Result<Self, ScheduleError> {
        schedule.validate()?;
        Ok(Self { schedule, updates: 0 })
    }
}

impl LrScheduler for Scheduler {
    fn step(&mut self) -> f64 {
        let rate = self.schedule.rate(self.updates);
        self.updates += 1;
        rate
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("updates", self.updates)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(updates) = record.scalar("updates") {
            self.updates = updates;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reloaded_scheduler_goes_on_where_the_saved_one_stopped() {
        let schedule = Schedule::cosine(0.1, 50, 1e-4).with_warmup(7, 1e-5);
        let mut whole = Scheduler::new(schedule.clone()).expect("valid");
        for _ in 0..20 {
            whole.step();
        }
        let mut resumed = Scheduler::new(schedule).expect("valid");
        resumed.load_record(whole.to_record());
        for _ in 0..40 {
            assert_eq!(resumed.step().to_bits(), whole.step().to_bits());
        }
    }
}
