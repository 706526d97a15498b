//! One optimizer, and from some step on another.

use std::sync::Arc;

use burn::{
    module::Module,
    optim::{GradientsParams, lr_scheduler::module_lr_scheduler::ModuleLearningRate},
};
use burn_pack::{Scalar, Writer};
use secant_core::report::StepReport;

use super::{Group, MissingGradients, any::Erased, record::Parts};
use crate::{
    batches::Batches,
    blocks::Layout,
    collective::Collective,
    error::{ConfigError, RecordError, StepError},
    hyper_parameter::{HyperParameters, hyper_parameters},
    oracle::{Clipping, Function, Loss},
};

/// When the first optimizer of a switch has made its last step. Rejected steps do not count.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SwitchAt {
    /// After so many accepted steps.
    Step(u64),
    /// When the loss stalls.
    Stall(Stall),
}

/// A loss stalls where its mean over a window of steps is not below that over the window before by the
/// part `decrease`. A method that does not read its loss never stalls.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stall {
    /// Steps in a window, from 1.
    pub window: u64,
    /// From 0 to below 1.
    pub decrease: f64,
}

impl Default for Stall {
    /// 5 % in 100 steps.
    fn default() -> Self {
        Self { window: 100, decrease: 0.05 }
    }
}

hyper_parameters! {
    /// When and how an optimizer follows another: see
    /// [`AnyOptimizer::then`](crate::AnyOptimizer::then).
    #[derive(Copy)]
    pub struct SwitchConfig {
        /// When the second begins: at a step, or when the loss stalls.
        #[config(default = "SwitchAt::Stall(Stall::default())")]
        at: SwitchAt,
        /// The learning rate of the second in all of its steps; at a step's rate of 0 it stands still too.
        /// None: the rate from which tuning of the method starts, where that is known, else 1.
        #[config(default = "None")]
        #[range(Positive)]
        rate: Option<f64>,
    }
}

/// As in messages.
pub(crate) const SWITCH: &str = "switch";

impl SwitchConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// Names the first one out of its range.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        self.check_ranges(SWITCH)?;
        let out_of_range = |parameter, range, value| {
            Err(ConfigError::OutOfRange { method: SWITCH, parameter, range, value })
        };
        match self.at {
            SwitchAt::Step(0) => out_of_range("at.step", "at least 1", 0.0),
            SwitchAt::Stall(Stall { window: 0, .. }) => {
                out_of_range("at.stall.window", "at least 1", 0.0)
            }
            SwitchAt::Stall(Stall { decrease, .. }) if !(0.0..1.0).contains(&decrease) => {
                out_of_range("at.stall.decrease", "in [0, 1)", decrease)
            }
            _ => Ok(()),
        }
    }
}

/// One optimizer, and from some step on another. At the switch the parameters stay, the second begins
/// with a fresh state, and that of the first is dropped. Where the first averages, its last step ends at
/// the average: a step that moves the parameters is the place for it, and a rejected one of the second is not.
pub(super) struct Switched<M> {
    config: SwitchConfig,
    /// As they were given, the second before its first step.
    fresh: [Box<dyn Erased<M>>; 2],
    active: Box<dyn Erased<M>>,
    is_second: bool,
    /// Accepted and rejected steps of the first, once the second is at work.
    before: [u64; 2],
    progress: Progress,
    /// Whether the second was found to work on the parameters that the first moves.
    is_checked: bool,
}

/// How the loss went, as far as the first optimizer is watched for a stall.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Progress {
    /// The mean over the last full window.
    previous: Option<f64>,
    sum: f64,
    count: u64,
    has_stalled: bool,
}

impl Progress {
    fn add(&mut self, Stall { window, decrease }: Stall, loss: f64) {
        self.sum += loss;
        self.count += 1;
        if self.count == window {
            let mean = self.sum / window as f64;
            let too_little =
                |previous: f64| mean >= previous || previous - mean < decrease * previous.abs();
            let has_stalled = self.has_stalled || self.previous.is_some_and(too_little);
            *self = Self { previous: Some(mean), has_stalled, ..Self::default() };
        }
    }
}

impl<M: Module + 'static> Switched<M> {
    /// # Errors
    /// A number out of its range, one of the two is a switch already, the second has made steps, or the first
    /// averages and has made all of its own.
    pub fn new(
        first: Box<dyn Erased<M>>,
        second: Box<dyn Erased<M>>,
        config: SwitchConfig,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        if first.is_switched() || second.is_switched() {
            let reason = "an optimizer that is followed by another has only the one; switch once";
            return Err(ConfigError::Conflict { method: SWITCH, reason });
        }
        if second.accepted_steps() + second.rejected_steps() > 0 {
            let reason =
                "the second optimizer has made steps already; it begins with a fresh state";
            return Err(ConfigError::Conflict { method: SWITCH, reason });
        }
        let active = first.boxed();
        let progress = Progress::default();
        let fresh = [first, second];
        let is_checked = false;
        let switched =
            Self { config, fresh, active, is_second: false, before: [0; 2], progress, is_checked };
        if switched.active.averages() && switched.is_due() {
            let reason = "the first optimizer has made all of its steps already, and its last one is to end at \
                          the average; switch at a later step";
            return Err(ConfigError::Conflict { method: SWITCH, reason });
        }
        Ok(switched)
    }

    /// Whether the next step is the second optimizer's first.
    fn is_due(&self) -> bool {
        !self.is_second
            && match self.config.at {
                SwitchAt::Step(steps) => self.active.accepted_steps() >= steps,
                SwitchAt::Stall(_) => self.progress.has_stalled,
            }
    }

    /// One step of the optimizer whose turn it is, at its rate. A step that fails changes nothing, and
    /// so does not switch either.
    fn advance(
        &mut self,
        lr: f64,
        step: impl FnOnce(&mut dyn Erased<M>, Option<f64>) -> Result<StepReport, StepError>,
    ) -> Result<StepReport, StepError> {
        // Any other is the steps' to judge.
        let own = (lr > 0.0 && lr.is_finite()).then_some(self.rate_of_second());
        if self.is_second {
            return step(&mut *self.active, own);
        }
        self.check_second()?;
        if self.is_due() {
            let mut second = self.fresh[1].boxed();
            let report = step(&mut *second, own)?;
            self.before = [self.active.accepted_steps(), self.active.rejected_steps()];
            (self.active, self.is_second) = (second, true);
            return Ok(report);
        }
        let report = step(&mut *self.active, None)?;
        let loss = report.loss.filter(|loss| report.is_accepted() && loss.is_finite());
        if let (SwitchAt::Stall(stall), Some(loss)) = (self.config.at, loss) {
            self.progress.add(stall, loss);
        }
        Ok(report)
    }

    fn rate_of_second(&self) -> f64 {
        self.config.rate.unwrap_or(1.0)
    }

    /// What the second could not do is told at the first's second step, and not at the switch.
    fn check_second(&mut self) -> Result<(), StepError> {
        if let (false, Some(layout)) = (self.is_checked, self.active.layout()) {
            self.fresh[1].check(layout, &self.rate_of_second().into())?;
            self.is_checked = true;
        }
        Ok(())
    }

    /// After the first's last step: only then, between two steps, is the second's first one due.
    fn end_first(&self, model: &mut M) {
        if self.is_due() {
            self.active.move_to_average(model);
        }
    }

    /// Where the first averages, its last step has moved the parameters to the average, and no other has.
    fn require_same_place(&self, parts: &Parts) -> Result<(), RecordError> {
        if self.is_second || !self.active.averages() {
            return Ok(());
        }
        let was_due = parts.flag(&format!("{SWITCH}/is_due"))?;
        if self.is_due() == was_due {
            return Ok(());
        }
        let told = |is_due: bool| if is_due { "reached" } else { "not reached" }.to_string();
        let (found, expected) = (told(was_due), told(self.is_due()));
        Err(RecordError::Setting { setting: "at", found, expected })
    }

    /// The same with both optimizers changed.
    fn try_map(
        self,
        change: impl Fn(Box<dyn Erased<M>>) -> Result<Box<dyn Erased<M>>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let [first, second] = self.fresh;
        let fresh = [change(first)?, change(second)?];
        Ok(Self { fresh, active: change(self.active)?, ..self })
    }

    fn map(self, change: impl Fn(Box<dyn Erased<M>>) -> Box<dyn Erased<M>>) -> Self {
        let Self { fresh, active, .. } = self;
        Self { fresh: fresh.map(&change), active: change(active), ..self }
    }
}

/// The given rate, or the optimizer's own.
fn rate(own: Option<f64>, given: &ModuleLearningRate) -> ModuleLearningRate {
    own.map_or_else(|| given.clone(), ModuleLearningRate::from)
}

impl<M: Module + 'static> Erased<M> for Switched<M> {
    fn boxed(&self) -> Box<dyn Erased<M>> {
        let Self { config, is_second, before, progress, is_checked, .. } = *self;
        let fresh = [self.fresh[0].boxed(), self.fresh[1].boxed()];
        let active = self.active.boxed();
        Box::new(Self { config, fresh, active, is_second, before, progress, is_checked })
    }

    fn step_with(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        loss: &mut dyn Loss<M, [usize]>,
    ) -> Result<StepReport, StepError> {
        let report = self.advance(lr.base(), |optimizer, own| {
            optimizer.step_with(&rate(own, lr), model, loss)
        })?;
        self.end_first(model);
        Ok(report)
    }

    fn step_drawn(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        batches: &mut Batches,
        loss: &mut dyn Loss<M, [usize]>,
    ) -> Result<StepReport, StepError> {
        let mut drawn = batches.clone();
        // The second has no record of where the batches stood when the first was saved.
        if self.is_due()
            && let Some(saved) = self.active.loaded_batches()
        {
            drawn.restore(saved)?;
        }
        let report = self.advance(lr.base(), |optimizer, own| {
            optimizer.step_drawn(&rate(own, lr), model, &mut drawn, loss)
        })?;
        self.end_first(model);
        *batches = drawn;
        Ok(report)
    }

    fn step_along(
        &mut self,
        lr: &ModuleLearningRate,
        model: &mut M,
        gradients: GradientsParams,
    ) -> Result<StepReport, StepError> {
        self.check_ready()?;
        let report = self.advance(lr.base(), |optimizer, own| {
            optimizer.step_along(&rate(own, lr), model, gradients)
        })?;
        self.end_first(model);
        Ok(report)
    }

    fn step_function(
        &mut self,
        lr: f64,
        x: &mut Vec<f64>,
        function: &mut dyn Function,
    ) -> Result<StepReport, StepError> {
        let report = self.advance(lr, |optimizer, own| {
            optimizer.step_function(own.unwrap_or(lr), x, function)
        })?;
        if self.is_due() {
            *x = self.active.averaged_vector(x)?;
        }
        Ok(report)
    }

    fn averaged(&self, model: &M) -> Result<M, StepError> {
        if self.averages() { self.active.averaged(model) } else { Ok(model.valid()) }
    }

    fn averages(&self) -> bool {
        // Between the first's last step and the second's first one the model is there already.
        self.active.averages() && !self.is_due()
    }

    fn move_to_average(&self, model: &mut M) {
        if self.averages() {
            self.active.move_to_average(model);
        }
    }

    fn averaged_vector(&self, x: &[f64]) -> Result<Vec<f64>, StepError> {
        if self.averages() { self.active.averaged_vector(x) } else { Ok(x.to_vec()) }
    }

    fn layout(&self) -> Option<&Layout> {
        self.active.layout()
    }

    fn check_ready(&self) -> Result<(), StepError> {
        self.active.check_ready()?;
        // What the second could not do is told at once.
        if self.is_second { Ok(()) } else { self.fresh[1].check_ready() }
    }

    fn check(&self, layout: &Layout, lr: &ModuleLearningRate) -> Result<(), StepError> {
        self.active.check(layout, lr)
    }

    /// The record of the optimizer at work, with what the switch has to know.
    fn writer(&self, mut more: Vec<(String, Scalar)>) -> Result<Writer, RecordError> {
        let Progress { previous, sum, count, has_stalled } = self.progress;
        let mut push = |name: &str, value| more.push((format!("{SWITCH}/{name}"), value));
        push("is_second", Scalar::Bool(self.is_second));
        push("accepted_steps", Scalar::UInt(self.before[0]));
        push("rejected_steps", Scalar::UInt(self.before[1]));
        push("is_due", Scalar::Bool(self.is_due()));
        push("has_stalled", Scalar::Bool(has_stalled));
        push("count", Scalar::UInt(count));
        push("sum", Scalar::Float(sum));
        if let Some(previous) = previous {
            push("previous", Scalar::Float(previous));
        }
        self.active.writer(more)
    }

    fn read(&mut self, parts: &Parts, model: &M) -> Result<(), RecordError> {
        let name = |name: &str| format!("{SWITCH}/{name}");
        if parts.scalar(&name("is_second")).is_none() {
            let found = parts.text("method")?.to_string();
            return Err(RecordError::Method { found, expected: SWITCH });
        }
        let is_second = parts.flag(&name("is_second"))?;
        let before = [parts.count(&name("accepted_steps"))?, parts.count(&name("rejected_steps"))?];
        let previous = name("previous");
        let progress = Progress {
            previous: parts.scalar(&previous).map(|_| parts.number(&previous)).transpose()?,
            sum: parts.number(&name("sum"))?,
            count: parts.count(&name("count"))?,
            has_stalled: parts.flag(&name("has_stalled"))?,
        };
        let mut active = self.fresh[usize::from(is_second)].boxed();
        active.read(parts, model)?;
        let fresh = [self.fresh[0].boxed(), self.fresh[1].boxed()];
        let config = self.config;
        let read = Self { config, fresh, active, is_second, before, progress, is_checked: false };
        read.require_same_place(parts)?;
        *self = read;
        Ok(())
    }

    fn loaded_batches(&self) -> Option<&[u64]> {
        self.active.loaded_batches()
    }

    fn is_switched(&self) -> bool {
        true
    }

    fn with_group(self: Box<Self>, group: Group) -> Result<Box<dyn Erased<M>>, ConfigError> {
        Ok(Box::new(self.try_map(|optimizer| optimizer.with_group(group.clone()))?))
    }

    fn with_clipping(
        self: Box<Self>,
        clipping: Clipping,
    ) -> Result<Box<dyn Erased<M>>, ConfigError> {
        Ok(Box::new(self.try_map(|optimizer| optimizer.with_clipping(clipping))?))
    }

    fn with_missing_gradients(
        self: Box<Self>,
        missing: MissingGradients,
    ) -> Result<Box<dyn Erased<M>>, ConfigError> {
        Ok(Box::new(self.try_map(|optimizer| optimizer.with_missing_gradients(missing))?))
    }

    fn with_collective(self: Box<Self>, collective: Arc<dyn Collective>) -> Box<dyn Erased<M>> {
        Box::new(self.map(|optimizer| optimizer.with_collective(Arc::clone(&collective))))
    }

    fn without_guard(self: Box<Self>) -> Box<dyn Erased<M>> {
        Box::new(self.map(Erased::without_guard))
    }

    fn with_seed(self: Box<Self>, seed: u64) -> Box<dyn Erased<M>> {
        Box::new(self.map(|optimizer| optimizer.with_seed(seed)))
    }

    fn allow_differences(self: Box<Self>) -> Box<dyn Erased<M>> {
        Box::new(self.map(Erased::allow_differences))
    }

    fn method(&self) -> &'static str {
        self.active.method()
    }

    fn accepted_steps(&self) -> u64 {
        self.before[0] + self.active.accepted_steps()
    }

    fn rejected_steps(&self) -> u64 {
        self.before[1] + self.active.rejected_steps()
    }

    fn state_bytes(&self) -> usize {
        self.active.state_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many of these losses the loss has stalled.
    fn stalls_after(stall: Stall, losses: impl IntoIterator<Item = f64>) -> Option<usize> {
        let mut progress = Progress::default();
        let mut after = losses.into_iter().map(|loss| {
            progress.add(stall, loss);
            progress.has_stalled
        });
        after.position(|has_stalled| has_stalled).map(|index| index + 1)
    }

    #[test]
    fn a_loss_stalls_at_the_end_of_the_first_window_that_is_not_lower_by_the_part() {
        let stall = Stall { window: 10, decrease: 0.1 };
        let falling = |factor: f64| (0..100).map(move |step| factor.powi(step));
        // Ten steps of 0.98 are a decrease by 18 %, of 0.995 by 5 %.
        assert_eq!(stalls_after(stall, falling(0.98)), None);
        assert_eq!(stalls_after(stall, falling(0.995)), Some(20));
        // One window's noise is no stall: every other loss is larger than the one before.
        let noisy = falling(0.98).enumerate().map(|(step, f)| f * (1.0 + 0.5 * (step % 2) as f64));
        assert_eq!(stalls_after(stall, noisy), None);
        // Below zero the part is of the size: a window's 0.5 is less than a tenth of 5.225, the ninth mean.
        let below = (0..120).map(|step| -1.0 - 0.05 * f64::from(step));
        assert_eq!(stalls_after(stall, below), Some(100));
        // A loss that cannot fall any more.
        assert_eq!(stalls_after(stall, [0.0; 30]), Some(20));
        assert_eq!(stalls_after(Stall { decrease: 0.0, ..stall }, [2.0; 30]), Some(20));
    }
}
